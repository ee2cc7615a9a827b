//! Failures and deployments, across the border in both directions.

use super::imports::shipway::plugin::model;
use crate::deployment::Deployment;
use crate::failure::{Code, Failure};

impl From<Failure> for model::Failure {
    fn from(failure: Failure) -> Self {
        Self {
            code: failure.code.as_str().to_owned(),
            message: failure.message,
            retryable: failure.retryable,
            attributes: failure.attributes,
        }
    }
}

impl From<model::Failure> for Failure {
    fn from(failure: model::Failure) -> Self {
        Self {
            code: Code::other(failure.code),
            message: failure.message,
            retryable: failure.retryable,
            attributes: failure.attributes,
        }
    }
}

impl From<model::Deployment> for Deployment {
    fn from(deployment: model::Deployment) -> Self {
        Self {
            id: deployment.id,
            app: deployment.app,
            environment: deployment.environment,
            commit: deployment.commit,
            reference: deployment.reference,
            attributes: deployment.attributes,
        }
    }
}

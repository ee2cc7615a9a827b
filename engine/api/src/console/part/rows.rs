//! Deployments in a list, newest first.

use maud::{Markup, html};
use shipway_core::name::Timestamp;

use super::words::{badge, duration, moment, short, subject};
use crate::wire::deployment::Deployment;
use crate::words::took;

/// Whether each says which environment it belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Many,
    One,
}

pub fn rows(deployments: &[Deployment], of: Of, now: Timestamp) -> Markup {
    html! {
        @if deployments.is_empty() {
            p.nothing { "No deployments yet." }
        } @else {
            ol.rows { @for deployment in deployments { (row(deployment, of, now)) } }
        }
    }
}

fn row(deployment: &Deployment, of: Of, now: Timestamp) -> Markup {
    html! {
        li {
            (badge(deployment))
            span.what {
                a href={ "/deployments/" (deployment.id) } {
                    @if of == Of::Many { (deployment.app) "/" (deployment.environment) " " }
                    (subject(deployment))
                    span.hidden { " " (short(&deployment.id)) }
                }
                @if let Some(commit) = &deployment.commit {
                    span.commit { code { (commit.id.short()) } " " (commit.subject) }
                }
            }
            span.when {
                span { "by " (deployment.by) }
                span { (moment(deployment.created_at, now)) }
                @if let Some(millis) = duration(deployment) { span { "took " (took(millis)) } }
            }
        }
    }
}

//! Examples of requests and answers. They tell one story, each request after
//! those before it; a test sends them to a real engine and holds its answers
//! against these.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;
use utoipa::openapi::path::{Operation, Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{OpenApi, RefOr};

use super::operations;

const EXAMPLES: &str = include_str!("examples.json");
const JSON: &str = "application/json";

#[derive(Debug, Deserialize)]
struct Example {
    operation: String,
    path: String,
    #[serde(default)]
    body: Option<Value>,
    status: u16,
    #[serde(default)]
    answer: Option<Value>,
}

/// The first example of each operation. Nothing where the file cannot be read,
/// which a test would find.
pub(super) fn add(api: &mut OpenApi) {
    let examples: Vec<Example> = serde_json::from_str(EXAMPLES).unwrap_or_default();
    let mut have = BTreeSet::new();
    for example in &examples {
        let found = api.paths.paths.iter_mut().find_map(|(path, item)| {
            operations(item)
                .find(|operation| operation.operation_id.as_ref() == Some(&example.operation))
                .map(|operation| (path, operation))
        });
        if let Some((path, operation)) = found
            && have.insert(&example.operation)
        {
            example.stand_in(operation, path);
        }
    }
}

impl Example {
    fn stand_in(&self, operation: &mut Operation, template: &str) {
        for parameter in operation.parameters.iter_mut().flatten() {
            if let Some(value) = self.value_of(parameter, template) {
                let told = ParameterBuilder::from(parameter.clone()).example(Some(value.into()));
                *parameter = told.build();
            }
        }
        let asked = operation.request_body.as_mut();
        if let Some(content) = asked.and_then(|body| body.content.get_mut(JSON)) {
            content.example.clone_from(&self.body);
        }
        let answers = &mut operation.responses.responses;
        if let Some(RefOr::T(answer)) = answers.get_mut(&self.status.to_string())
            && let Some(content) = answer.content.get_mut(JSON)
        {
            content.example.clone_from(&self.answer);
        }
    }

    fn value_of(&self, parameter: &Parameter, template: &str) -> Option<String> {
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        match parameter.parameter_in {
            ParameterIn::Path => {
                let name = format!("{{{}}}", parameter.name);
                let mut both = template.split('/').zip(path.split('/'));
                both.find_map(|(part, value)| (part == name).then(|| value.to_owned()))
            }
            ParameterIn::Query => url::form_urlencoded::parse(query.as_bytes())
                .find_map(|(name, value)| (name == parameter.name).then(|| value.into_owned())),
            ParameterIn::Header | ParameterIn::Cookie => None,
        }
    }
}

//! An event in the JSON format of CloudEvents 1.0.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use shipway_sdk::prelude::{Deployment, Event};

/// The media type of one CloudEvent as JSON.
pub const CONTENT_TYPE: &str = "application/cloudevents+json";

/// One event, in structured mode.
#[derive(Debug, Serialize)]
pub struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: String,
    r#type: String,
    subject: &'a str,
    time: &'a str,
    datacontenttype: &'static str,
    data: Data<'a>,
}

#[derive(Debug, Serialize)]
struct Data<'a> {
    summary: &'a str,
    sequence: u64,
    deployment: Subject<'a>,
    details: Value,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    attributes: BTreeMap<&'a str, &'a str>,
}

#[derive(Debug, Serialize)]
struct Subject<'a> {
    id: &'a str,
    app: &'a str,
    environment: &'a str,
    commit: &'a str,
    reference: &'a str,
}

impl<'a> From<&'a Event> for CloudEvent<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            specversion: "1.0",
            id: &event.id,
            source: source(&event.deployment),
            r#type: format!("dev.shipway.{}", event.kind),
            subject: &event.deployment.id,
            time: &event.time,
            datacontenttype: "application/json",
            data: data(event),
        }
    }
}

fn data(event: &Event) -> Data<'_> {
    let deployment = &event.deployment;
    Data {
        summary: &event.summary,
        sequence: event.sequence,
        deployment: Subject {
            id: &deployment.id,
            app: &deployment.app,
            environment: &deployment.environment,
            commit: &deployment.commit,
            reference: &deployment.reference,
        },
        details: details(&event.data),
        attributes: event
            .attributes
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect(),
    }
}

/// The event's own data. What is no JSON still arrives, as a string.
fn details(data: &str) -> Value {
    if data.is_empty() {
        return Value::Null;
    }
    serde_json::from_str(data).unwrap_or_else(|_| Value::String(data.to_owned()))
}

/// A URI reference: who says it.
fn source(deployment: &Deployment) -> String {
    format!(
        "/apps/{}/environments/{}",
        segment(&deployment.app),
        segment(&deployment.environment)
    )
}

/// One segment of a URI's path, with everything escaped that may not stand in it.
fn segment(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use shipway_sdk::testing;

    use super::*;

    fn written(event: &Event) -> Value {
        serde_json::to_value(CloudEvent::from(event)).unwrap()
    }

    #[test]
    fn every_member_is_there() {
        let mut event = testing::event("step.failed");
        event.data = r#"{"step":"release","reason":"timeout"}"#.into();
        event.attributes = vec![("attempt".into(), "2".into())];
        assert_eq!(
            written(&event),
            json!({
                "specversion": "1.0",
                "id": "01939b5e-0000-7000-8000-000000000002",
                "source": "/apps/guestbook/environments/live",
                "type": "dev.shipway.step.failed",
                "subject": "01939b5e-0000-7000-8000-000000000001",
                "time": "2026-11-20T10:00:00Z",
                "datacontenttype": "application/json",
                "data": {
                    "summary": "The deployment is queued.",
                    "sequence": 1,
                    "deployment": {
                        "id": "01939b5e-0000-7000-8000-000000000001",
                        "app": "guestbook",
                        "environment": "live",
                        "commit": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
                        "reference": "main"
                    },
                    "details": {"step": "release", "reason": "timeout"},
                    "attributes": {"attempt": "2"}
                }
            })
        );
    }

    #[test]
    fn names_are_escaped_in_the_source() {
        let mut event = testing::event("deployment.queued");
        event.deployment.app = "a/b é".into();
        assert_eq!(
            written(&event)["source"],
            "/apps/a%2Fb%20%C3%A9/environments/live"
        );
    }

    #[test]
    fn data_that_is_no_json_is_a_string() {
        let mut event = testing::event("deployment.queued");
        event.data = "{".into();
        assert_eq!(written(&event)["data"]["details"], "{");
        event.data = String::new();
        assert_eq!(written(&event)["data"]["details"], Value::Null);
    }
}

//! A collector of OpenTelemetry on loopback, that keeps the spans it is sent.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use prost::Message;

use crate::receiver::Receiver;
use crate::wait::until;

/// The exporter sends every five seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// A span as it came.
#[derive(Debug, Clone)]
pub struct Span {
    pub name: String,
    pub trace: String,
    pub id: String,
    /// Empty for the first of its trace.
    pub parent: String,
    pub nanos: u64,
    pub is_error: bool,
    pub attributes: BTreeMap<String, String>,
    /// Of the program that made it.
    pub resource: BTreeMap<String, String>,
}

#[derive(Debug)]
pub struct Collector(Receiver);

impl Collector {
    pub fn start() -> Self {
        Self(Receiver::start(200))
    }

    pub fn url(&self) -> String {
        self.0.origin()
    }

    pub fn spans(&self) -> Vec<Span> {
        let requests = self.0.received().into_iter();
        requests
            .flat_map(|request| {
                assert_eq!(request.path, "/v1/traces");
                assert_eq!(request.headers["content-type"], "application/x-protobuf");
                spans(&request.body)
            })
            .collect()
    }

    /// Waits until what has come is enough.
    pub fn until<T>(&self, what: &str, find: impl Fn(&[Span]) -> Option<T>) -> T {
        until(what, PATIENCE, || find(&self.spans()))
    }
}

fn spans(body: &[u8]) -> Vec<Span> {
    let request = ExportTraceServiceRequest::decode(body).expect("an export of spans");
    let mut spans = Vec::new();
    for group in request.resource_spans {
        let resource = text(&group.resource.unwrap_or_default().attributes);
        for span in group.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            spans.push(Span {
                name: span.name,
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                nanos: span.end_time_unix_nano - span.start_time_unix_nano,
                is_error: span.status.is_some_and(|status| status.code == 2),
                attributes: text(&span.attributes),
                resource: resource.clone(),
            });
        }
    }
    spans
}

fn text(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let pairs = attributes.iter().map(|pair| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        let value = match value {
            Some(Value::StringValue(text)) => text.clone(),
            Some(Value::IntValue(number)) => number.to_string(),
            Some(Value::DoubleValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        (pair.key.clone(), value)
    });
    pairs.collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

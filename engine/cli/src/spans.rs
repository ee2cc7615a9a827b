//! Traces leave by OTLP, if somebody says where to: one span a request, a
//! deployment, a step and a call of a plugin. A collector that is slow or gone
//! costs nothing but spans: they wait in a queue with an end, and a thread of
//! their own sends them.

use std::time::Duration;

use anyhow::Context;
use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::{Layer, Registry};

/// How long an engine that stops waits for its last spans to leave.
const FAREWELL: Duration = Duration::from_secs(3);
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

#[derive(Debug, Clone, clap::Args)]
pub struct Tracing {
    /// Send traces to the OpenTelemetry collector that answers here, by
    /// OTLP over HTTP; the other OTEL_ variables of its exporter hold too
    #[arg(long, env = "OTEL_EXPORTER_OTLP_ENDPOINT", value_name = "URL")]
    pub otlp_endpoint: Option<String>,
}

/// Sends spans until it is ended.
#[derive(Debug)]
pub struct Spans(Option<SdkTracerProvider>);

impl Spans {
    /// Sends nothing unless there is somewhere to send to.
    pub fn start(arguments: &Tracing) -> anyhow::Result<Self> {
        let Some(exporter) = exporter(arguments)? else {
            return Ok(Self(None));
        };
        opentelemetry::global::set_text_map_propagator(TraceContextPropagator::new());
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource())
            .build();
        Ok(Self(Some(provider)))
    }

    /// What hears of spans and sends them.
    pub fn layer(&self) -> Option<impl Layer<Registry> + Send + Sync + use<>> {
        let tracer = self.0.as_ref()?.tracer("shipway");
        // Ours alone: what sends the spans has some too.
        let ours = Targets::new().with_target("shipway", LevelFilter::INFO);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false);
        Some(layer.with_filter(ours))
    }

    /// Sends what is left, for a while.
    pub fn end(self) {
        let Some(provider) = self.0 else { return };
        if let Err(error) = provider.shutdown_with_timeout(FAREWELL) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

fn exporter(arguments: &Tracing) -> anyhow::Result<Option<SpanExporter>> {
    if is("OTEL_SDK_DISABLED", "true") || is("OTEL_TRACES_EXPORTER", "none") {
        return Ok(None);
    }
    let given = std::env::var(TRACES_ENDPOINT).is_ok_and(|url| !url.is_empty());
    let base = arguments.otlp_endpoint.as_deref().unwrap_or_default();
    if !given && base.is_empty() {
        return Ok(None);
    }
    // The exporter's client takes whichever there is, and there is none yet.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let builder = SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary);
    let builder = match given {
        true => builder,
        false => builder.with_endpoint(format!("{}/v1/traces", base.trim_end_matches('/'))),
    };
    let exporter = builder
        .build()
        .context("could not prepare to send traces: is the OTLP endpoint an http or https URL?")?;
    Ok(Some(exporter))
}

fn is(variable: &str, value: &str) -> bool {
    std::env::var(variable).is_ok_and(|text| text.eq_ignore_ascii_case(value))
}

/// `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES` are read too, and win.
fn resource() -> Resource {
    let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
    let builder = Resource::builder().with_attribute(version);
    match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => builder.build(),
        None => builder.with_service_name("shipway").build(),
    }
}

//! Whose trace a deployment goes on in: that of the request which triggered
//! it. Kept in memory alone: a deployment that another engine takes up, or this
//! one after a restart, has a trace of its own, and the same deployment's id.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt;
use shipway_core::name::DeploymentId;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

#[derive(Debug, Default)]
pub struct Origins(Mutex<HashMap<DeploymentId, Context>>);

impl Origins {
    /// The current span asked for it. Nothing is kept while nobody traces.
    pub fn note(&self, id: DeploymentId) {
        let context = Span::current().context();
        if context.span().span_context().is_valid() {
            self.all().insert(id, context);
        }
    }

    /// Makes a span the child of who asked, if that is known.
    pub fn lead_to(&self, id: DeploymentId, span: &Span) {
        if let Some(context) = self.take(id) {
            // Fails only where nobody listens for traces.
            let _ = span.set_parent(context);
        }
    }

    /// Forgets who asked.
    pub fn take(&self, id: DeploymentId) -> Option<Context> {
        self.all().remove(&id)
    }

    fn all(&self) -> std::sync::MutexGuard<'_, HashMap<DeploymentId, Context>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

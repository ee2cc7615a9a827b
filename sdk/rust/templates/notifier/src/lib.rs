//! Tells a web address how each deployment ended.

use serde_json::json;
use shipway_sdk::prelude::*;

struct Hook;

impl Plugin for Hook {
    fn describe() -> Manifest {
        Manifest::new(
            "{{name}}",
            env!("CARGO_PKG_VERSION"),
            "Posts how each deployment ended to a web address.",
        )
        .setting(Setting::required("url", "Where endings are sent."))
        // The plugin only ever sees a placeholder. The host puts the value in on
        // the way out, and nowhere but in this header.
        .setting(
            Setting::optional("token", "Sent as a bearer token, if it is set.")
                .secret([Place::header("authorization")]),
        )
        // The operator grants this, or does not: a request is never a grant.
        .request(Request::http(
            ["POST setting:url"],
            "Endings are sent to this address.",
        ))
    }
}

impl Notifier for Hook {
    fn deliver(event: &Event) -> Result<(), Failure> {
        // There are many kinds of events, and later versions bring more.
        if event.kind != "deployment.ended" {
            return Ok(());
        }
        let message = json!({
            // The same when an event comes again: a receiver can drop repeats.
            "id": event.id,
            "app": event.deployment.app,
            "environment": event.deployment.environment,
            "text": event.summary,
        });
        let mut request = http::Request::post(settings::require("url")?)
            .header("content-type", "application/json")
            .json(&message)?;
        if let Some(token) = settings::get("token") {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        judge(request.send()?.status)
    }
}

/// A failure that is retryable is delivered again, later.
fn judge(status: u16) -> Result<(), Failure> {
    let failure = Failure::unavailable(format!("the receiver answered {status}"));
    match status {
        200..=299 => Ok(()),
        429 | 500..=599 => Err(failure.retryable()),
        _ => Err(failure),
    }
}

shipway_sdk::export!(Hook: notifier);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trouble_that_passes_is_tried_again() {
        assert!(judge(204).is_ok());
        assert!(judge(503).unwrap_err().retryable);
        assert!(!judge(404).unwrap_err().retryable);
    }
}

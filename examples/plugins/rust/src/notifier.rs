//! Tells an HTTP address how each deployment ended.

use serde::Serialize;
use shipway_sdk::failure::Code;
use shipway_sdk::prelude::*;

use crate::Example;

/// What is sent. The id is the same when an event comes again.
#[derive(Serialize)]
struct Message<'a> {
    id: &'a str,
    app: &'a str,
    environment: &'a str,
    text: &'a str,
}

impl Notifier for Example {
    fn deliver(event: &Event) -> Result<(), Failure> {
        if event.kind != "deployment.ended" {
            log::debug!("{} is not sent", event.kind);
            return Ok(());
        }
        let url =
            settings::get("url").ok_or_else(|| Failure::invalid("the setting url is not set"))?;
        let mut request = http::Request::post(&url)
            .header("content-type", "application/json")
            .json(&Message {
                id: &event.id,
                app: &event.deployment.app,
                environment: &event.deployment.environment,
                text: &event.summary,
            })?;
        if let Some(token) = settings::get("token") {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        judge(request.send()?.status)?;
        log::info!("sent to {url}");
        Ok(())
    }
}

fn judge(status: u16) -> Result<(), Failure> {
    let message = format!("the receiver answered {status}");
    match status {
        200..=299 => Ok(()),
        429 | 500..=599 => Err(Failure::unavailable(message).retryable()),
        _ => Err(Failure::new(Code::other("refused"), message)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_trouble_that_passes_is_tried_again() {
        assert!(judge(204).is_ok());
        assert!(judge(429).is_err_and(|failure| failure.retryable));
        assert!(judge(302).is_err_and(|failure| failure.code.as_str() == "refused"));
    }
}

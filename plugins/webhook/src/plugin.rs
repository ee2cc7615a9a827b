//! The POST, and what its answer means.

use shipway_sdk::failure::Code;
use shipway_sdk::http::Response;
use shipway_sdk::prelude::*;

use crate::cloud_event::{CONTENT_TYPE, CloudEvent};

/// The plugin.
#[derive(Debug)]
pub struct Webhook;

impl Plugin for Webhook {
    fn describe() -> Manifest {
        Manifest::new(
            "webhook",
            env!("CARGO_PKG_VERSION"),
            "POSTs every event of a deployment to a URL, as CloudEvents JSON.",
        )
        .setting(
            Setting::required("url", "Where to POST: an http:// or https:// URL.")
                .sent_in([Place::Url]),
        )
        .setting(
            Setting::optional(
                "token",
                "Sent as `Authorization: Bearer TOKEN`; no such header unless set.",
            )
            .secret([Place::header("authorization")]),
        )
        .request(Request::http(
            ["POST setting:url"],
            "Events are POSTed to this URL.",
        ))
    }
}

impl Notifier for Webhook {
    fn deliver(event: &Event) -> Result<(), Failure> {
        let url = settings::require("url")?;
        let url = url.trim();
        let host = host_of(url)?;
        let mut request = http::Request::post(url)
            .header("content-type", CONTENT_TYPE)
            .header(
                "user-agent",
                concat!("shipway-webhook/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(token) = settings::get("token") {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let response = request
            .json(&CloudEvent::from(event))?
            .send()
            .map_err(|failure| failure.context(format_args!("POST to {host}")))?;
        judge(host, &response)
    }
}

/// What an answer means for the delivery.
fn judge(host: &str, response: &Response) -> Result<(), Failure> {
    let status = response.status;
    let refused = |advice: &str| {
        Failure::new(
            Code::other("refused"),
            format!("{host} answered {status}{advice}"),
        )
    };
    match status {
        200..=299 => Ok(()),
        408 | 429 | 500..=599 => Err(refused("; it is asked again later").retryable()),
        300..=399 => Err(refused(
            ", a redirect, and redirects are not followed; set `url` to where it leads",
        )),
        401 | 403 => Err(refused("; check the setting `token`")),
        404 | 410 => Err(refused("; check the setting `url`")),
        _ => Err(refused(" and did not take the event")),
    }
}

/// The host and port of a URL, without what may be secret in it: a password, a
/// path, a query.
fn host_of(url: &str) -> Result<&str, Failure> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"))
        .unwrap_or_default();
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    match authority.rsplit('@').next() {
        Some(host) if !host.is_empty() => Ok(host),
        _ => Err(Failure::setting(
            "url",
            "is no http:// or https:// URL; set one such as https://example.com/hooks",
        )),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use shipway_sdk::testing::{self, Host};

    use super::*;

    const URL: &str = "https://me:pass@hooks.example.com:8443/in?key=1";

    fn deliver(host: &Host) -> Result<(), Failure> {
        host.run(|| Webhook::deliver(&testing::event("deployment.queued")))
    }

    fn answering(status: u16) -> Host {
        Host::of::<Webhook>()
            .setting("url", URL)
            .http(move |_| Ok(Response::new(status, "")))
    }

    #[test]
    fn an_event_is_posted_as_a_cloud_event() {
        let host = answering(202).setting("token", "s3cret");
        deliver(&host).unwrap();
        let [request] = &host.requests()[..] else {
            panic!("one request")
        };
        assert_eq!(
            (request.method.as_str(), request.url.as_str()),
            ("POST", URL)
        );
        let header = |wanted: &str| {
            request
                .headers
                .iter()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value.as_str())
        };
        assert_eq!(header("content-type"), Some("application/cloudevents+json"));
        assert_eq!(header("authorization"), Some("Bearer secret:token"));
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        assert_eq!(body["type"], "dev.shipway.deployment.queued");
    }

    #[test]
    fn without_a_token_there_is_no_authorization() {
        let host = answering(200);
        deliver(&host).unwrap();
        let requests = host.requests();
        let mut headers = requests.iter().flat_map(|request| &request.headers);
        assert!(!headers.any(|(name, _)| name == "authorization"));
    }

    #[test]
    fn only_answers_that_may_change_are_asked_again() {
        for (status, retryable) in [
            (301, false),
            (400, false),
            (401, false),
            (404, false),
            (408, true),
            (422, false),
            (429, true),
            (500, true),
            (503, true),
        ] {
            let failure = deliver(&answering(status)).unwrap_err();
            assert_eq!(failure.retryable, retryable, "{status}");
            assert!(
                failure
                    .message
                    .starts_with(&format!("hooks.example.com:8443 answered {status}")),
                "{failure}"
            );
        }
    }

    #[test]
    fn no_answer_keeps_what_the_host_said_of_it() {
        let host = Host::of::<Webhook>()
            .setting("url", URL)
            .http(|_| Err(Failure::unavailable("connection refused").retryable()));
        let failure = deliver(&host).unwrap_err();
        assert!(failure.retryable);
        assert_eq!(
            failure.message,
            "POST to hooks.example.com:8443: connection refused"
        );
    }

    #[test]
    fn a_missing_or_wrong_url_says_what_to_set() {
        let missing = deliver(&Host::of::<Webhook>()).unwrap_err();
        assert_eq!(missing.message, "setting `url`: is required and not set");
        for wrong in ["hooks.example.com", "ftp://x", "https://", "https:///path"] {
            let failure = deliver(&Host::of::<Webhook>().setting("url", wrong)).unwrap_err();
            assert_eq!(failure.code, Code::INVALID, "{wrong}");
            assert!(failure.message.contains("https://example.com/hooks"));
        }
    }
}

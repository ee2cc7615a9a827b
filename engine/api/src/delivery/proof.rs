//! Whether a delivery comes from whom the webhook's secret was given to. All
//! comparisons take the same time whether right or wrong.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use ring::hmac;
use shipway_core::name::Timestamp;
use shipway_core::webhook::{Provider, Webhook};

use super::header;
use crate::problem::{Kind, Problem};

/// What secrets of Standard Webhooks begin with; base64 follows.
pub const PREFIX: &str = "whsec_";
/// How far a host's clock may be from ours, and how late a delivery may come.
const TOLERANCE_SECONDS: i64 = 5 * 60;

pub fn check(
    webhook: &Webhook,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<(), Problem> {
    let secret = webhook.secret.reveal();
    let holds = match webhook.provider {
        Provider::Github => is_signed(secret, body, header(headers, "x-hub-signature-256")),
        Provider::Bitbucket => is_signed(secret, body, header(headers, "x-hub-signature")),
        Provider::Gitea => {
            let names = [
                "x-forgejo-signature",
                "x-gitea-signature",
                "x-gogs-signature",
            ];
            is_signed(
                secret,
                body,
                names.iter().find_map(|name| header(headers, name)),
            )
        }
        Provider::Gitlab if header(headers, "webhook-signature").is_none() => {
            let token = header(headers, "x-gitlab-token");
            token.is_some_and(|token| is_same(secret, token))
        }
        Provider::Gitlab | Provider::Plain => is_stamped(secret, headers, body),
    };
    if !holds {
        return Err(forged(webhook.provider));
    }
    match header(headers, "webhook-timestamp") {
        Some(text) if is_timed(webhook.provider) => in_time(text, now),
        _ => Ok(()),
    }
}

/// Where the time of sending is signed.
fn is_timed(provider: Provider) -> bool {
    matches!(provider, Provider::Gitlab | Provider::Plain)
}

/// `sha256=` and the body's HMAC in hexadecimal; some leave the beginning out.
fn is_signed(secret: &str, body: &[u8], signature: Option<&str>) -> bool {
    let hex = signature.map(|text| text.strip_prefix("sha256=").unwrap_or(text));
    let tag = hex.and_then(bytes);
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    tag.is_some_and(|tag| hmac::verify(&key, body, &tag).is_ok())
}

/// As Standard Webhooks signs: id, time and body together. Of several
/// signatures one is enough.
fn is_stamped(secret: &str, headers: &HeaderMap, body: &[u8]) -> bool {
    let text = |name| header(headers, name).unwrap_or_default();
    let (id, time) = (text("webhook-id"), text("webhook-timestamp"));
    let Some(key) = key(secret).filter(|_| !id.is_empty() && !time.is_empty()) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = [id.as_bytes(), b".", time.as_bytes(), b".", body].concat();
    let tags = text("webhook-signature").split(' ');
    tags.filter_map(|tag| STANDARD.decode(tag.strip_prefix("v1,")?).ok())
        .any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
}

/// The bytes that a secret stands for; none where it is not what it says.
pub fn key(secret: &str) -> Option<Vec<u8>> {
    match secret.strip_prefix(PREFIX) {
        Some(encoded) => STANDARD.decode(encoded).ok().filter(|key| !key.is_empty()),
        None => Some(secret.as_bytes().to_vec()),
    }
}

/// Compares HMACs of both: how far they agree shows in no time.
fn is_same(secret: &str, token: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &rand::random::<[u8; 32]>());
    let ours = hmac::sign(&key, secret.as_bytes());
    hmac::verify(&key, token.as_bytes(), ours.as_ref()).is_ok()
}

fn in_time(text: &str, now: Timestamp) -> Result<(), Problem> {
    let sent = text.parse::<i64>().ok();
    let late = sent.map(|sent| (now.as_millis() / 1000).saturating_sub(sent));
    if late.is_some_and(|late| late.saturating_abs() <= TOLERANCE_SECONDS) {
        return Ok(());
    }
    let detail = match late {
        None => "webhook-timestamp is no number of seconds since 1970".to_owned(),
        Some(late) if late < 0 => format!("it is dated {} s in the future", late.saturating_abs()),
        Some(late) => format!("it was sent {late} s ago"),
    };
    let hint = "a delivery is taken for 5 minutes; check the clocks of both machines";
    Err(Problem::new(Kind::StaleDelivery, detail).with_hint(hint))
}

fn forged(provider: Provider) -> Problem {
    let where_to_look = match provider {
        Provider::Github => "X-Hub-Signature-256",
        Provider::Bitbucket => "X-Hub-Signature",
        Provider::Gitea => "X-Gitea-Signature",
        Provider::Gitlab => "X-Gitlab-Token or webhook-signature",
        Provider::Plain => "webhook-signature, over webhook-id and webhook-timestamp",
    };
    let detail = format!("what {where_to_look} says is not made with this webhook's secret");
    Problem::new(Kind::InvalidSignature, detail)
        .with_hint("enter the secret at the Git host that was shown when the webhook was made")
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let text = std::str::from_utf8(pair).ok()?;
            let whole = pair.len() == 2 && pair.iter().all(u8::is_ascii_hexdigit);
            whole.then(|| u8::from_str_radix(text, 16).ok()).flatten()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};
    use shipway_core::secret::Secret;

    use super::*;

    const BODY: &[u8] = b"Hello, World!";

    fn webhook(provider: Provider, secret: &str) -> Webhook {
        Webhook {
            id: "0".repeat(32).parse().unwrap(),
            app: "shop".parse().unwrap(),
            provider,
            secret: Secret::new(secret),
            repository: None,
            rules: vec![],
            created_at: Timestamp::from_millis(0),
        }
    }

    fn refused(webhook: &Webhook, headers: &[(&str, &str)], seconds: i64) -> Option<Kind> {
        let headers = headers.iter().map(|(name, value)| {
            let name: HeaderName = name.parse().unwrap();
            (name, HeaderValue::from_str(value).unwrap())
        });
        let now = Timestamp::from_millis(seconds * 1000);
        let checked = check(webhook, &headers.collect(), BODY, now);
        checked.err().map(|problem| problem.kind)
    }

    /// The example that GitHub's documentation gives to check oneself against.
    #[test]
    fn the_example_of_github_holds() {
        let webhook = webhook(Provider::Github, "It's a Secret to Everybody");
        let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        assert_eq!(
            refused(&webhook, &[("x-hub-signature-256", right)], 0),
            None
        );
        for wrong in [
            "",
            "sha256=",
            "sha256=757107",
            "sha256=zz7107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
            "sha256=857107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
        ] {
            let refused = refused(&webhook, &[("x-hub-signature-256", wrong)], 0);
            assert_eq!(refused, Some(Kind::InvalidSignature), "{wrong}");
        }
        assert_eq!(refused(&webhook, &[], 0), Some(Kind::InvalidSignature));
        let old = [("x-hub-signature", right)];
        assert_eq!(refused(&webhook, &old, 0), Some(Kind::InvalidSignature));
    }

    fn stamped(secret: &str, time: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key(secret).unwrap());
        let signed = [b"msg_1.", time.as_bytes(), b".", BODY].concat();
        format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)))
    }

    #[test]
    fn a_stamped_delivery_holds_for_five_minutes() {
        let secret = format!("{PREFIX}{}", STANDARD.encode([7; 32]));
        let webhook = webhook(Provider::Plain, &secret);
        let signature = format!(
            "v1a,xx v1,{} {}",
            STANDARD.encode([0; 32]),
            stamped(&secret, "1000")
        );
        let headers = [
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1000"),
            ("webhook-signature", signature.as_str()),
        ];
        for now in [700, 1000, 1300] {
            assert_eq!(refused(&webhook, &headers, now), None, "{now}");
        }
        for now in [699, 1301, 1_000_000] {
            assert_eq!(
                refused(&webhook, &headers, now),
                Some(Kind::StaleDelivery),
                "{now}"
            );
        }
        let mut moved = headers;
        moved[1] = ("webhook-timestamp", "2000");
        assert_eq!(
            refused(&webhook, &moved, 2000),
            Some(Kind::InvalidSignature)
        );
        let mut renamed = headers;
        renamed[0] = ("webhook-id", "msg_2");
        assert_eq!(
            refused(&webhook, &renamed, 1000),
            Some(Kind::InvalidSignature)
        );
    }

    #[test]
    fn gitlab_shows_its_token_or_signs() {
        let secret = "a-token-of-gitlab";
        let webhook = webhook(Provider::Gitlab, secret);
        assert_eq!(refused(&webhook, &[("x-gitlab-token", secret)], 0), None);
        for wrong in ["", "a-token-of-gitla", "a-token-of-gitlab2"] {
            let refused = refused(&webhook, &[("x-gitlab-token", wrong)], 0);
            assert_eq!(refused, Some(Kind::InvalidSignature), "{wrong}");
        }
        let signature = stamped(secret, "1000");
        let mut headers = vec![
            ("webhook-id", "msg_1"),
            ("webhook-timestamp", "1000"),
            ("webhook-signature", signature.as_str()),
        ];
        assert_eq!(refused(&webhook, &headers, 1100), None);
        // A signature that does not hold is not made good by a token.
        headers[2] = ("webhook-signature", "v1,AAAA");
        headers.push(("x-gitlab-token", secret));
        assert_eq!(
            refused(&webhook, &headers, 1100),
            Some(Kind::InvalidSignature)
        );
    }
}

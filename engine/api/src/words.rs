//! What the console and the command line say in the same words.

use shipway_core::name::Timestamp;
use shipway_core::webhook::Provider;

/// `3 min ago`.
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    let seconds = (now.as_millis() - at.as_millis()).max(0) / 1000;
    match seconds {
        0..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=172_799 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}

/// `850 ms`, `12.3 s`, `4 min 05 s`.
pub fn took(millis: u64) -> String {
    match millis {
        0..=999 => format!("{millis} ms"),
        1000..=59_999 => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
        _ => format!("{} min {:02} s", millis / 60_000, millis % 60_000 / 1000),
    }
}

/// Where at the Git host a webhook's address and secret belong.
pub fn where_to_enter(provider: Provider) -> &'static str {
    match provider {
        Provider::Github => {
            "the repository's Settings, Webhooks (content type application/json, the push event)"
        }
        Provider::Gitlab => {
            "the project's Settings, Webhooks (signing token, or secret token; push and tag push events)"
        }
        Provider::Gitea => {
            "the repository's Settings, Webhooks (POST, application/json, push events)"
        }
        Provider::Bitbucket => "Repository settings, Webhooks (trigger: repository push)",
        Provider::Plain => "whatever sends; it signs as Standard Webhooks says",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        let at = |millis| Timestamp::from_millis(millis);
        assert_eq!(ago(at(0), at(59_000)), "59 s ago");
        assert_eq!(ago(at(0), at(7_200_000)), "2 h ago");
        assert_eq!(ago(at(5000), at(0)), "0 s ago");
        assert_eq!(took(12_345), "12.3 s");
        assert_eq!(took(245_000), "4 min 05 s");
    }
}

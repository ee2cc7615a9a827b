//! Which hosts can have a certificate, and how long to wait after a failure.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use tokio::time::Instant;

/// After the first failure; then it doubles. Authorities allow few failures
/// an hour and a host.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// Authorities issue for names below a top-level domain.
pub(crate) fn may_have_one(host: &str) -> bool {
    host.contains('.') && !host.starts_with("*.") && host.parse::<IpAddr>().is_err()
}

/// What failed, and when it may be tried again.
#[derive(Debug, Default)]
pub(crate) struct Retries(HashMap<String, Retry>);

#[derive(Debug)]
struct Retry {
    pause: Duration,
    not_before: Instant,
}

impl Retries {
    pub fn may_try(&self, host: &str, now: Instant) -> bool {
        self.0.get(host).is_none_or(|retry| now >= retry.not_before)
    }

    pub fn succeeded(&mut self, host: &str) {
        self.0.remove(host);
    }

    /// How long to wait.
    pub fn failed(&mut self, host: &str, now: Instant) -> Duration {
        let before = self.0.get(host).map(|retry| retry.pause.saturating_mul(2));
        let pause = before.unwrap_or(FIRST_PAUSE).min(LONGEST_PAUSE);
        let not_before = now + pause;
        self.0.insert(host.to_owned(), Retry { pause, not_before });
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_day_and_end_with_success() {
        let mut retries = Retries::default();
        let mut now = Instant::now();
        assert!(retries.may_try("a.test", now));
        let mut pauses = Vec::new();
        for _ in 0..14 {
            let pause = retries.failed("a.test", now);
            assert!(!retries.may_try("a.test", now));
            assert!(retries.may_try("b.test", now));
            now += pause;
            assert!(retries.may_try("a.test", now));
            pauses.push(pause.as_secs());
        }
        assert_eq!(pauses.get(..3), Some(&[60, 120, 240][..]));
        assert_eq!(pauses.last(), Some(&86_400));
        retries.succeeded("a.test");
        assert_eq!(retries.failed("a.test", now), FIRST_PAUSE);
    }

    #[test]
    fn addresses_and_bare_names_have_none() {
        assert!(may_have_one("shop.example.com"));
        for host in ["localhost", "127.0.0.1", "*.example.com"] {
            assert!(!may_have_one(host), "{host}");
        }
    }
}

//! How often somebody may ask: a bucket for each address, since a token can be
//! made up. What is left is told in the headers of
//! draft-ietf-httpapi-ratelimit-headers; who asks more is told when to go on.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::keyed::DefaultKeyedStateStore;
use governor::{Quota, RateLimiter};
use http::header::RETRY_AFTER;
use http::{HeaderName, HeaderValue};

use crate::address::{TrustedProxy, address};
use crate::problem::{Kind, Problem};

/// A bucket holds what this long fills it with.
const WINDOW_SECONDS: u32 = 10;
/// Buckets that are full again are forgotten when there are so many.
const MOST_BUCKETS: usize = 10_000;

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LEFT: HeaderName = HeaderName::from_static("ratelimit");

type Buckets =
    RateLimiter<Who, DefaultKeyedStateStore<Who>, DefaultClock, StateInformationMiddleware>;

/// Whose bucket it is; of IPv6 the network, where one machine may have any
/// address. None where nobody tells.
type Who = Option<IpAddr>;

/// A limit that holds for each.
#[derive(Debug, Clone)]
pub struct Rate {
    buckets: Arc<Buckets>,
    clock: DefaultClock,
    burst: NonZeroU32,
    trusted: Arc<[TrustedProxy]>,
}

impl Rate {
    /// So many requests a second in the long run, ten times that at once.
    pub fn per_second(requests: NonZeroU32) -> Self {
        let burst = requests.saturating_mul(NonZeroU32::MIN.saturating_add(WINDOW_SECONDS - 1));
        let quota = Quota::per_second(requests).allow_burst(burst);
        let buckets = RateLimiter::keyed(quota).with_middleware();
        Self {
            buckets: Arc::new(buckets),
            clock: DefaultClock::default(),
            burst,
            trusted: Arc::default(),
        }
    }

    /// Clients behind these are told apart by what they write.
    #[must_use]
    pub(crate) fn behind(mut self, trusted: Arc<[TrustedProxy]>) -> Self {
        self.trusted = trusted;
        self
    }

    fn who(&self, request: &Request) -> Who {
        Some(match address(request, &self.trusted)? {
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments();
                Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
            }
            v4 => v4,
        })
    }

    fn take(&self, who: &Who) -> Result<u32, Duration> {
        if self.buckets.len() > MOST_BUCKETS {
            self.buckets.retain_recent();
        }
        match self.buckets.check_key(who) {
            Ok(state) => Ok(state.remaining_burst_capacity()),
            Err(until) => Err(until.wait_time_from(self.clock.now())),
        }
    }

    fn headers(&self, left: u32, response: &mut Response) {
        let policy = format!("\"default\";q={};w={WINDOW_SECONDS}", self.burst);
        let left = format!("\"default\";r={left}");
        for (name, text) in [(POLICY, policy), (LEFT, left)] {
            if let Ok(value) = HeaderValue::from_str(&text) {
                response.headers_mut().insert(name, value);
            }
        }
    }
}

/// Lets through what is within the limit.
pub async fn limit(State(rate): State<Rate>, request: Request, next: Next) -> Response {
    let (left, mut response) = match rate.take(&rate.who(&request)) {
        Ok(left) => (left, next.run(request).await),
        Err(wait) => (0, too_many(wait)),
    };
    rate.headers(left, &mut response);
    response
}

fn too_many(wait: Duration) -> Response {
    let seconds = wait.as_secs() + 1;
    let problem = Problem::new(
        Kind::TooManyRequests,
        "these are more requests than one may send",
    )
    .with_hint(format!("go on in {seconds} s, and more slowly"));
    let mut response = problem.into_response();
    response
        .headers_mut()
        .insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

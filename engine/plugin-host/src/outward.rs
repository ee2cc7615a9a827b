//! What leaves for the outside: the one policy of `shipway:plugin/http` and
//! `wasi:http`. Grants decide who is asked, secrets go in here, and come out
//! again of what is answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use shipway_core::grant::{Addresses, HttpGrant, Rights, SecretUse};
use shipway_core::ports::plugins::{Endpoint, Level};
use tokio::sync::Semaphore;
use url::{Host, Url};

use crate::bindings::model::Failure;
use crate::config::Limits;
use crate::denials::Denials;
use crate::http::{Answer, Http, Invalid, Outgoing, Reach, Trouble, Way, Wish};
use crate::imports::{Code, failure};
use crate::lines::Lines;
use crate::secrets::{Secrets, Used};

/// Requests of one call that are on their way at once; more wait.
const AT_ONCE: usize = 8;

/// One call's way to the outside.
#[derive(Debug)]
pub(crate) struct Outward {
    rights: Arc<Rights>,
    secrets: Arc<Secrets>,
    candidate: Vec<Endpoint>,
    lines: Arc<Lines>,
    denials: Arc<Denials>,
    http: Arc<Http>,
    sent: AtomicU32,
    most: u32,
    body_limit: usize,
    at_once: Semaphore,
}

impl Outward {
    pub(crate) fn new(
        rights: Arc<Rights>,
        secrets: Arc<Secrets>,
        candidate: Vec<Endpoint>,
        denials: Arc<Denials>,
        http: Arc<Http>,
        limits: &Limits,
    ) -> Self {
        Self {
            rights,
            secrets,
            candidate,
            lines: denials.lines(),
            denials,
            http,
            sent: AtomicU32::new(0),
            most: limits.http_requests,
            body_limit: limits.http_body,
            at_once: Semaphore::new(AT_ONCE),
        }
    }

    /// Sends one request, if it may be sent, and gives the answer as the guest
    /// may see it.
    pub(crate) async fn send(&self, wish: Wish) -> Result<Answer, Failure> {
        self.count()?;
        let _turn = self.at_once.acquire().await;
        let outgoing = Outgoing::fill(wish, &self.secrets, self.body_limit);
        let outgoing = outgoing.map_err(|error| invalid(&error))?;
        let used = outgoing.used.clone();
        let (way, grant) = self
            .way(&outgoing)
            .map_err(|failure| self.told(failure, &used))?;
        match self.http.exchange(outgoing, way).await {
            Ok(answer) => Ok(self.hidden(answer, grant.as_ref(), &used)),
            Err(trouble) => {
                let failure = self.troubled(&trouble, grant.as_ref());
                Err(self.told(failure, &used))
            }
        }
    }

    /// The text as it stands on a tape.
    pub(crate) fn named(&self, text: &str) -> String {
        self.secrets.named(text)
    }

    fn count(&self) -> Result<(), Failure> {
        match self.sent.fetch_add(1, Ordering::Relaxed) >= self.most {
            true => {
                let message = format!("a call may send {} requests", self.most);
                Err(failure(Code::Limit, message))
            }
            false => Ok(()),
        }
    }

    /// The candidate needs no grant, and its `Host` may be chosen: that is how
    /// it is asked for its domain. Everywhere else the grant decides.
    fn way(&self, outgoing: &Outgoing) -> Result<(Way, Option<HttpGrant>), Failure> {
        let method = outgoing.method.as_str();
        let grant = self.rights.http(method, &outgoing.url).cloned();
        let candidate = address(&outgoing.url)
            .filter(|address| self.candidate.iter().any(|c| c.address == *address));
        if let Some(address) = candidate {
            self.may_send_secrets(outgoing, grant.as_ref().ok())?;
            return Ok((Way::Candidate(address), None));
        }
        let grant = grant.map_err(|denied| self.denials.refuse(denied))?;
        self.may_send_secrets(outgoing, Some(&grant))?;
        if outgoing.names_host() {
            let message = "the host header is the host's to set";
            return Err(failure(Code::Invalid, message));
        }
        let reach = match grant.addresses {
            Addresses::Public => Reach::Public,
            Addresses::Any => Reach::Any,
        };
        Ok((Way::Resolved(reach), Some(grant)))
    }

    fn may_send_secrets(
        &self,
        outgoing: &Outgoing,
        grant: Option<&HttpGrant>,
    ) -> Result<(), Failure> {
        let origin = outgoing.url.origin().ascii_serialization();
        let rights = &self.rights;
        let mut used = outgoing.used.places();
        used.try_for_each(|(setting, place)| match grant {
            Some(grant) => rights.secret(grant, setting, place),
            None => rights.secret_without_grant(&origin, setting, place),
        })
        .map_err(|denied| self.denials.refuse(denied))
    }

    /// A failure as the guest hears of it. A secret may be a whole URL, and
    /// then messages would tell a part of it: they go into the log alone.
    fn told(&self, failure: Failure, used: &Used) -> Failure {
        if used.is_empty() {
            return failure;
        }
        self.lines.host(Level::Info, &failure.message);
        Failure {
            message: "a request with a secret in it failed; the log has the reason".to_owned(),
            ..failure
        }
    }

    fn troubled(&self, trouble: &Trouble, grant: Option<&HttpGrant>) -> Failure {
        let message = self.lines.clean(&trouble.to_string());
        let code = match trouble {
            Trouble::NotPublic(_) => {
                let denied = grant.and_then(|grant| self.rights.private_address(grant).err());
                return match denied {
                    Some(denied) => self.denials.refuse(denied),
                    None => failure(Code::Denied, message),
                };
            }
            Trouble::TooLarge(_) => Code::TooLarge,
            Trouble::Timeout(_) => Code::Timeout,
            Trouble::Unresolved(..)
            | Trouble::Connect(..)
            | Trouble::Tls(..)
            | Trouble::Broken(..) => Code::Unavailable,
        };
        failure(code, message)
    }

    /// The answer without the secrets that were sent, or that may be sent to
    /// who answers.
    fn hidden(&self, answer: Answer, grant: Option<&HttpGrant>, used: &Used) -> Answer {
        let mut settings: Vec<String> = used.places().map(|(name, _)| name.to_owned()).collect();
        let granted = grant.iter().flat_map(|grant| &grant.secrets);
        let granted = granted.filter_map(|text| text.parse::<SecretUse>().ok());
        settings.extend(granted.map(|granted| granted.setting));
        let hide = |bytes: Vec<u8>| self.secrets.hide(bytes, &settings);
        let headers = answer.headers.into_iter().map(|(name, value)| {
            let value = hide(value.into_bytes());
            (name, String::from_utf8_lossy(&value).into_owned())
        });
        Answer {
            status: answer.status,
            headers: headers.collect(),
            body: hide(answer.body),
        }
    }
}

/// The address of a plain URL with an address for a host, as a candidate has.
fn address(url: &Url) -> Option<SocketAddr> {
    let ip = match url.host()? {
        Host::Ipv4(ip) => IpAddr::V4(ip),
        Host::Ipv6(ip) => IpAddr::V6(ip),
        Host::Domain(_) => return None,
    };
    let port = url.port_or_known_default()?;
    (url.scheme() == "http").then(|| SocketAddr::new(ip, port))
}

fn invalid(error: &Invalid) -> Failure {
    let code = match error {
        Invalid::Form(_) => Code::Invalid,
        Invalid::TooLarge(_) => Code::TooLarge,
    };
    failure(code, error.to_string())
}

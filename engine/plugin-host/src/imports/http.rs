//! `http`: requests to granted hosts, and in a self-test to the candidate.

use std::net::{IpAddr, SocketAddr};

use shipway_core::grant::{Addresses, HttpGrant};
use shipway_core::ports::plugins::Level;
use url::{Host as UrlHost, Url};

use super::{Code, failure};
use crate::bindings::http::{Host, Request, Response};
use crate::bindings::model::Failure;
use crate::http::{Answer, Invalid, Outgoing, Reach, Trouble, Way, Wish};
use crate::sandbox::Sandbox;
use crate::secrets::{Secrets, Used};

impl Host for Sandbox {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Failure>> {
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let size = request.url.len() + request.body.len() + headers.sum::<usize>();
        self.hand_over(size)?;
        Ok(self.exchange(request).await)
    }
}

impl Sandbox {
    async fn exchange(&mut self, request: Request) -> Result<Response, Failure> {
        self.count_request()?;
        let wish = Wish {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            timeout_ms: request.timeout_ms,
        };
        let outgoing = Outgoing::fill(wish, &self.scene.secrets, self.limits.http_body)
            .map_err(|error| invalid(&error))?;
        let mut used = outgoing.used.clone();
        let (way, grant) = match self.way(&outgoing) {
            Ok(way) => way,
            Err(failure) => return Err(self.told(failure, &used)),
        };
        match self.http.exchange(outgoing, way).await {
            Ok(answer) => {
                let granted = grant.iter().flat_map(|grant| &grant.secrets);
                granted.for_each(|setting| used.note(setting));
                Ok(response(answer, &self.scene.secrets, &used))
            }
            Err(trouble) => {
                let failure = self.troubled(trouble, grant.as_ref());
                Err(self.told(failure, &used))
            }
        }
    }

    /// A failure as the guest hears of it. A secret may be a whole URL, and
    /// then messages would tell a part of it: they go into the log alone.
    fn told(&self, failure: Failure, used: &Used) -> Failure {
        if used.is_empty() {
            return failure;
        }
        self.scene.lines.host(Level::Info, &failure.message);
        Failure {
            message: "a request with a secret in it failed; the log has the reason".to_owned(),
            ..failure
        }
    }

    fn count_request(&mut self) -> Result<(), Failure> {
        self.http_requests += 1;
        match self.http_requests > self.limits.http_requests {
            true => {
                let most = self.limits.http_requests;
                let message = format!("a call may send {most} requests");
                Err(failure(Code::Limit, message))
            }
            false => Ok(()),
        }
    }

    /// The candidate needs no grant, and its `Host` may be chosen: that is how
    /// it is asked for its domain. Everywhere else the grant decides.
    fn way(&mut self, outgoing: &Outgoing) -> Result<(Way, Option<HttpGrant>), Failure> {
        let rights = &self.scene.rights;
        let method = outgoing.method.as_str();
        let grant = rights.http(method, &outgoing.url).cloned();
        let candidate = address(&outgoing.url)
            .filter(|address| self.scene.candidate.iter().any(|c| c.address == *address));
        if let Some(address) = candidate {
            self.may_send_secrets(outgoing, grant.as_ref().ok())?;
            return Ok((Way::Candidate(address), None));
        }
        let grant = grant.map_err(|denied| self.refuse(denied))?;
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
        &mut self,
        outgoing: &Outgoing,
        grant: Option<&HttpGrant>,
    ) -> Result<(), Failure> {
        let rights = &self.scene.rights;
        let origin = outgoing.url.origin().ascii_serialization();
        let refused = outgoing.used.settings().find_map(|setting| match grant {
            Some(grant) => rights.secret(grant, setting).err(),
            None => Some(rights.secret_without_grant(&origin, setting)),
        });
        match refused {
            Some(denied) => Err(self.refuse(denied)),
            None => Ok(()),
        }
    }

    fn troubled(&mut self, trouble: Trouble, grant: Option<&HttpGrant>) -> Failure {
        let message = self.scene.lines.clean(&trouble.to_string());
        let code = match trouble {
            Trouble::NotPublic(_) => {
                let denied = grant.and_then(|grant| self.scene.rights.private_address(grant).err());
                return match denied {
                    Some(denied) => self.refuse(denied),
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
}

/// The address of a plain URL with an address for a host, as a candidate has.
fn address(url: &Url) -> Option<SocketAddr> {
    let ip = match url.host()? {
        UrlHost::Ipv4(ip) => IpAddr::V4(ip),
        UrlHost::Ipv6(ip) => IpAddr::V6(ip),
        UrlHost::Domain(_) => return None,
    };
    let port = url.port_or_known_default()?;
    (url.scheme() == "http").then(|| SocketAddr::new(ip, port))
}

fn response(answer: Answer, secrets: &Secrets, used: &Used) -> Response {
    let hide = |bytes: Vec<u8>| secrets.hide(bytes, used);
    let headers = answer.headers.into_iter().map(|(name, value)| {
        let value = hide(value.into_bytes());
        (name, String::from_utf8_lossy(&value).into_owned())
    });
    Response {
        status: answer.status,
        headers: headers.collect(),
        body: hide(answer.body),
    }
}

fn invalid(error: &Invalid) -> Failure {
    let code = match error {
        Invalid::Form(_) => Code::Invalid,
        Invalid::TooLarge(_) => Code::TooLarge,
    };
    failure(code, error.to_string())
}

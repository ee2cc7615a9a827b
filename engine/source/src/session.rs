//! One conversation with one repository: what it is told, what it may take,
//! and what was seen when it fails.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use git2::cert::Cert;
use git2::{
    CertificateCheckStatus, Cred, CredentialType, FetchOptions, Progress, ProxyOptions,
    RemoteCallbacks, RemoteRedirect,
};
use shipway_core::app::Credentials;

use crate::known_hosts::KnownHosts;
use crate::location::Location;

/// A repository and how to prove oneself to it.
#[derive(Debug, Clone)]
pub struct Access {
    pub location: Location,
    pub credentials: Option<Credentials>,
}

/// Set when nobody waits for the work any more. libgit2 cannot be interrupted
/// from outside; it asks here whenever something arrives.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Why we ourselves stopped a conversation. libgit2's own message says less.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stopped {
    /// It asks for credentials of a kind that the app does not have.
    NoCredentials {
        wanted: &'static str,
    },
    /// It asked a second time: it did not take them.
    Refused,
    UntrustedHost(String),
    TooLarge {
        limit: u64,
    },
    Cancelled,
}

#[derive(Debug)]
pub struct Session<'a> {
    pub access: &'a Access,
    transfer_limit: u64,
    cancel: &'a Cancel,
    seen: RefCell<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    credentials_given: bool,
    stopped: Option<Stopped>,
}

impl<'a> Session<'a> {
    pub fn new(access: &'a Access, transfer_limit: u64, cancel: &'a Cancel) -> Self {
        Self {
            access,
            transfer_limit,
            cancel,
            seen: RefCell::default(),
        }
    }

    pub fn stopped(&self) -> Option<Stopped> {
        self.seen.borrow().stopped.clone()
    }

    pub fn fetch_options(&self) -> FetchOptions<'_> {
        let mut proxy = ProxyOptions::new();
        proxy.auto();
        let mut options = FetchOptions::new();
        options
            .remote_callbacks(self.callbacks())
            .proxy_options(proxy)
            .follow_redirects(self.redirects())
            .update_fetchhead(false);
        options
    }

    /// Credentials do not follow a redirect to another host.
    fn redirects(&self) -> RemoteRedirect {
        match self.access.credentials {
            Some(_) => RemoteRedirect::None,
            None => RemoteRedirect::Initial,
        }
    }

    pub fn callbacks(&self) -> RemoteCallbacks<'_> {
        let mut callbacks = RemoteCallbacks::new();
        callbacks
            .credentials(|_, _, allowed| self.credentials(allowed))
            .certificate_check(|certificate, _| self.certificate(certificate))
            .transfer_progress(|progress| self.may_go_on(&progress))
            .sideband_progress(|_| self.is_wanted());
        callbacks
    }

    fn credentials(&self, allowed: CredentialType) -> Result<Cred, git2::Error> {
        // ssh asks for the name first, and then again with the ways it offers.
        if allowed.contains(CredentialType::USERNAME) {
            return Cred::username(self.username());
        }
        if std::mem::replace(&mut self.seen.borrow_mut().credentials_given, true) {
            return Err(self.stop(Stopped::Refused));
        }
        let keys = CredentialType::SSH_KEY | CredentialType::SSH_MEMORY;
        match &self.access.credentials {
            Some(Credentials::Password { username, password })
                if allowed.contains(CredentialType::USER_PASS_PLAINTEXT) =>
            {
                Cred::userpass_plaintext(username, password.reveal())
            }
            Some(Credentials::Key {
                private_key,
                passphrase,
                ..
            }) if allowed.intersects(keys) => {
                let passphrase = passphrase.as_ref().map(|secret| secret.reveal());
                Cred::ssh_key_from_memory(self.username(), None, private_key.reveal(), passphrase)
            }
            // libgit2 has tried the URL's own already.
            _ if self.access.location.has_password() => Err(self.stop(Stopped::Refused)),
            _ => {
                let wanted = match allowed.intersects(keys) {
                    true => "an ssh key",
                    false => "a user and a password",
                };
                Err(self.stop(Stopped::NoCredentials { wanted }))
            }
        }
    }

    /// The URL's user, else the credentials', else the one that Git hosts use.
    fn username(&self) -> &str {
        let of_credentials = match &self.access.credentials {
            Some(Credentials::Password { username, .. } | Credentials::Key { username, .. }) => {
                Some(username.as_str()).filter(|name| !name.is_empty())
            }
            None => None,
        };
        self.access
            .location
            .user()
            .or(of_credentials)
            .unwrap_or("git")
    }

    /// Certificates of https, and ssh hosts of an app without known hosts of
    /// its own, are left to libgit2, which refuses what it does not know.
    fn certificate(&self, certificate: &Cert<'_>) -> Result<CertificateCheckStatus, git2::Error> {
        let key = certificate.as_hostkey().and_then(|host| host.hostkey());
        let (Some(lines), Some((host, port))) =
            (self.known_hosts(), self.access.location.ssh_host())
        else {
            return Ok(CertificateCheckStatus::CertificatePassthrough);
        };
        match KnownHosts(lines).check(host, port, key.unwrap_or_default()) {
            Ok(()) => Ok(CertificateCheckStatus::CertificateOk),
            Err(untrusted) => Err(self.stop(Stopped::UntrustedHost(untrusted.to_string()))),
        }
    }

    fn known_hosts(&self) -> Option<&str> {
        match &self.access.credentials {
            Some(Credentials::Key { known_hosts, .. }) => known_hosts.as_deref(),
            _ => None,
        }
    }

    fn may_go_on(&self, progress: &Progress<'_>) -> bool {
        let received = u64::try_from(progress.received_bytes()).unwrap_or(u64::MAX);
        if received > self.transfer_limit {
            let limit = self.transfer_limit;
            self.stop(Stopped::TooLarge { limit });
            return false;
        }
        self.is_wanted()
    }

    fn is_wanted(&self) -> bool {
        if self.cancel.is_cancelled() {
            self.stop(Stopped::Cancelled);
            return false;
        }
        true
    }

    /// Keeps the reason and gives libgit2 something to stop with.
    fn stop(&self, why: Stopped) -> git2::Error {
        self.seen.borrow_mut().stopped = Some(why);
        git2::Error::new(git2::ErrorCode::User, git2::ErrorClass::Callback, "stopped")
    }
}

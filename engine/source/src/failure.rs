//! From what libgit2 and the disk say to what a person is told.

use std::io;
use std::path::Path;

use git2::{ErrorClass, ErrorCode};
use shipway_core::app::Credentials;
use shipway_core::ports::BoxError;
use shipway_core::ports::source::SourceError;

use crate::session::{Session, Stopped};

/// What failed in a conversation with a repository.
pub fn of_session(session: &Session<'_>, error: &git2::Error, directory: &Path) -> SourceError {
    if is_full(error) {
        let directory = directory.to_owned();
        return SourceError::DiskFull { directory };
    }
    let repository = session.access.location.shown().to_owned();
    if let Some(stopped) = session.stopped() {
        return of_stop(stopped, repository);
    }
    let message = told(session, error.message());
    match status(error) {
        Some(404 | 410) => return SourceError::UnknownRepository { repository },
        Some(401 | 403 | 407) => {
            return SourceError::Refused {
                repository,
                message,
            };
        }
        _ => {}
    }
    match (error.code(), error.class()) {
        _ if is_somebody_elses(error) => SourceError::Refused {
            message: format!(
                "{message}; run Shipway as its owner, or `git config --global --add \
                 safe.directory {repository}`"
            ),
            repository,
        },
        (ErrorCode::Auth, _) => SourceError::Refused {
            repository,
            message,
        },
        (ErrorCode::Certificate, ErrorClass::Ssh) => {
            let message = "its key is not among the known hosts; give the app lines of \
                           `ssh-keyscan` that you have checked"
                .to_owned();
            SourceError::Untrusted {
                repository,
                message,
            }
        }
        (ErrorCode::Certificate, _) => SourceError::Untrusted {
            repository,
            message,
        },
        (ErrorCode::NotFound, _) => SourceError::UnknownRepository { repository },
        _ if session.access.location.is_local() && is_nowhere(error) => {
            SourceError::UnknownRepository { repository }
        }
        (_, ErrorClass::Ssh) if is_missing(&message) => {
            SourceError::UnknownRepository { repository }
        }
        (_, ErrorClass::Ssh) if message.contains("uthentica") => SourceError::Refused {
            repository,
            message,
        },
        (_, ErrorClass::Ssl) if message.contains("certificate") => SourceError::Untrusted {
            repository,
            message,
        },
        _ => SourceError::Unreachable {
            repository,
            message,
        },
    }
}

fn of_stop(stopped: Stopped, repository: String) -> SourceError {
    match stopped {
        Stopped::NoCredentials { wanted } => SourceError::Refused {
            repository,
            message: format!("it asks for {wanted}, and the app has none for it"),
        },
        Stopped::Refused => SourceError::Refused {
            repository,
            message: "it did not take them".to_owned(),
        },
        Stopped::UntrustedHost(message) => SourceError::Untrusted {
            repository,
            message,
        },
        Stopped::TooLarge { limit } => SourceError::TooLarge {
            what: format!("repository {repository}"),
            limit,
        },
        Stopped::Cancelled => cancelled(repository),
    }
}

/// Nobody waits for this one any more.
pub fn cancelled(repository: String) -> SourceError {
    other(
        format!("go on with {repository}"),
        io::Error::from(io::ErrorKind::Interrupted),
    )
}

/// What failed on this machine's disk.
pub fn of_disk(what: impl Into<String>, error: io::Error, directory: &Path) -> SourceError {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => SourceError::DiskFull {
            directory: directory.to_owned(),
        },
        _ => other(what, error),
    }
}

/// What failed in a mirror.
pub fn of_mirror(what: impl Into<String>, error: git2::Error, directory: &Path) -> SourceError {
    if is_full(&error) {
        let directory = directory.to_owned();
        return SourceError::DiskFull { directory };
    }
    other(what, error)
}

pub fn other(what: impl Into<String>, source: impl Into<BoxError>) -> SourceError {
    SourceError::Other {
        what: what.into(),
        source: source.into(),
    }
}

/// libgit2 puts the system's words into its own and drops the number.
fn is_full(error: &git2::Error) -> bool {
    let message = error.message();
    message.contains("No space left on device") || message.contains("Disk quota exceeded")
}

/// The status of an HTTP answer that was not expected.
fn status(error: &git2::Error) -> Option<u16> {
    error
        .message()
        .strip_prefix("unexpected http status code: ")?
        .parse()
        .ok()
}

/// Of a path. libgit2 takes one that is not there for a URL of an unknown kind.
fn is_nowhere(error: &git2::Error) -> bool {
    error.message() == "unsupported URL protocol" || error.class() == ErrorClass::Repository
}

/// libgit2's own code for it is lost on the way through its local transport.
fn is_somebody_elses(error: &git2::Error) -> bool {
    error.code() == ErrorCode::Owner || error.message().ends_with("is not owned by current user")
}

/// What Git servers write over ssh when there is no such repository.
fn is_missing(message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    [
        "not found",
        "does not appear to be a git repository",
        "does not exist",
        "no such",
    ]
    .iter()
    .any(|words| message.contains(words))
}

/// libgit2's message without the URL's password or the credentials'.
fn told(session: &Session<'_>, message: &str) -> String {
    let location = &session.access.location;
    let mut message = message.replace(location.raw(), location.shown());
    let secrets = session
        .access
        .credentials
        .iter()
        .flat_map(Credentials::secrets);
    for secret in secrets.filter(|secret| !secret.reveal().is_empty()) {
        message = message.replace(secret.reveal(), "[secret]");
    }
    message
}

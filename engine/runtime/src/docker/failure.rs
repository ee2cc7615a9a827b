//! What went wrong between us and the engine, in words for people.

use std::error::Error as StdError;
use std::io;
use std::time::Duration;

use bollard::errors::Error;
use shipway_core::environment::RuntimeKind;
use shipway_core::ports::runtime::RuntimeError;

/// Bounds a request. The client's own limit ends at the answer's headers; this
/// one covers all of it.
pub async fn within<T>(
    limit: Duration,
    request: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    tokio::time::timeout(limit, request)
        .await
        .unwrap_or(Err(Error::RequestTimeoutError))
}

/// The HTTP status with which the engine refused.
pub fn status(error: &Error) -> Option<u16> {
    match error {
        Error::DockerResponseServerError { status_code, .. } => Some(*status_code),
        _ => None,
    }
}

pub fn is_gone(error: &Error) -> bool {
    status(error) == Some(404)
}

pub fn is_conflict(error: &Error) -> bool {
    status(error) == Some(409)
}

/// What the engine itself said, without the wrapping.
pub fn message(error: &Error) -> String {
    match error {
        Error::DockerResponseServerError { message, .. } => message.trim().to_owned(),
        Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
            error.trim().to_owned()
        }
        other => other.to_string(),
    }
}

/// Whether a container could not start because its program is not there or
/// cannot be executed, as runc says it.
pub fn cannot_execute(error: &Error) -> bool {
    let message = message(error);
    message.contains("exec")
        && [
            "executable file not found",
            "no such file or directory",
            "permission denied",
            "exec format error",
            "is a directory",
        ]
        .iter()
        .any(|cause| message.contains(cause))
}

/// Sorts a failure of `what` ("start the container") by who can do something
/// about it.
pub fn explain(what: impl Into<String>, limit: Duration, error: Error) -> RuntimeError {
    let what = what.into();
    if is_disk_full(&message(&error)) {
        return RuntimeError::DiskFull {
            what: format!("the Docker engine could not {what}"),
        };
    }
    match error {
        Error::RequestTimeoutError => RuntimeError::Timeout {
            what: format!("the Docker engine's answer to the request to {what}"),
            seconds: limit.as_secs(),
        },
        error if is_unreachable(&error) => not_ready(&error, "the Docker engine", limit),
        error => RuntimeError::Other {
            what,
            source: Box::new(error),
        },
    }
}

pub fn is_disk_full(message: &str) -> bool {
    message.contains("no space left on device") || message.contains("disk quota exceeded")
}

/// An engine at `host` that cannot be used.
pub fn not_ready(error: &Error, host: &str, limit: Duration) -> RuntimeError {
    let message = match (error, io_kind(error)) {
        (Error::SocketNotFoundError(path), _) => format!("there is no socket {path}"),
        (Error::RequestTimeoutError, _) => {
            format!("{host} did not answer within {} s", limit.as_secs())
        }
        (_, Some(io::ErrorKind::PermissionDenied)) => format!(
            "this user may not use {host}: add it to the group that owns the socket (`docker`)"
        ),
        (_, Some(io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound)) => {
            format!("nothing answers at {host}")
        }
        (error, _) => format!("{host}: {}", chain(error)),
    };
    RuntimeError::NotReady {
        kind: RuntimeKind::Docker,
        message,
    }
}

fn is_unreachable(error: &Error) -> bool {
    match error {
        Error::SocketNotFoundError(_) => true,
        Error::HyperLegacyError { err } => err.is_connect(),
        _ => false,
    }
}

/// The kind of the first input-output error among the causes.
fn io_kind(error: &Error) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<io::Error>().map(io::Error::kind))
}

fn chain(error: &Error) -> String {
    let mut texts: Vec<String> = causes(error).map(ToString::to_string).collect();
    texts.dedup();
    texts.join(": ")
}

fn causes<'a>(error: &'a Error) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    let first: &'a (dyn StdError + 'static) = match error {
        Error::HyperLegacyError { err } => err,
        Error::IOError { err } => err,
        other => other,
    };
    std::iter::successors(Some(first), |&cause| cause.source())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(message: &str) -> Error {
        Error::DockerResponseServerError {
            status_code: 500,
            message: message.to_owned(),
        }
    }

    #[test]
    fn a_full_disk_is_told_apart() {
        let error = refused("write /var/lib/docker/tmp/x: no space left on device");
        let error = explain("build", Duration::from_secs(1), error);
        assert!(matches!(error, RuntimeError::DiskFull { .. }), "{error}");
    }

    #[test]
    fn a_missing_program_is_told_apart() {
        assert!(cannot_execute(&refused(
            "OCI runtime create failed: container_linux.go:380: starting container process \
             caused: exec: \"/bin/sh\": stat /bin/sh: no such file or directory: unknown"
        )));
        assert!(!cannot_execute(&refused("network nowhere not found")));
    }
}

//! What keeps a probe in: no network, and nothing written outside its own
//! scratch folder.
//!
//! Linux: a network namespace of its own without interfaces (with a user
//! namespace where the engine is not root), and Landlock against writing where
//! the kernel has it. Elsewhere there is no such thing, and a probe is refused.

use std::path::Path;

use shipway_core::environment::RuntimeKind;
use shipway_core::ports::runtime::RuntimeError;

#[cfg(target_os = "linux")]
mod linux;

#[cfg(target_os = "linux")]
pub use linux::Isolation;

/// What this machine lets us do, tried once with a program that does nothing.
#[cfg(target_os = "linux")]
pub fn prepare(scratch: &Path) -> Result<Isolation, RuntimeError> {
    static TRIED: std::sync::OnceLock<Result<(), String>> = std::sync::OnceLock::new();
    let tried = TRIED.get_or_init(|| linux::try_once().map_err(|error| error.to_string()));
    match tried {
        Ok(()) => Ok(Isolation::new(Some(scratch))),
        Err(error) => Err(RuntimeError::Unsupported {
            kind: RuntimeKind::Process,
            what: format!(
                "running a command without network, because this machine gives the engine no \
                 network namespace ({error}); run the engine as root, or allow user namespaces"
            ),
        }),
    }
}

#[cfg(not(target_os = "linux"))]
#[derive(Debug)]
pub struct Isolation;

#[cfg(not(target_os = "linux"))]
impl Isolation {
    pub fn enter(&mut self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

#[cfg(not(target_os = "linux"))]
pub fn prepare(_scratch: &Path) -> Result<Isolation, RuntimeError> {
    Err(RuntimeError::Unsupported {
        kind: RuntimeKind::Process,
        what: "running a command without network on this operating system".to_owned(),
    })
}

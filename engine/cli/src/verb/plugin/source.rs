//! Where a component comes from: a file, or a registry.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shipway_plugin_registry::{Address, Login, Registry, RegistryError, Transport};

use crate::failure::Failure;

/// The API takes no larger component.
const LARGEST: u64 = 64 * 1024 * 1024;
/// No password is longer.
const LONGEST_PASSWORD: u64 = 8 * 1024;

/// A file, or `oci://…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Registry(Address),
}

pub fn source(text: &str) -> Result<Source, String> {
    if Address::is_meant_by(text) {
        let address: Address = text.parse().map_err(|error| format!("{error}"))?;
        return Ok(Source::Registry(address));
    }
    Ok(Source::File(PathBuf::from(text)))
}

pub fn address(text: &str) -> Result<Address, String> {
    text.parse().map_err(|error| format!("{error}"))
}

/// How to get at a registry.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Registry")]
pub struct Access {
    /// Who to be there [default: as `docker login` wrote to ~/.docker/config.json]
    #[arg(long, value_name = "NAME", requires = "password_file")]
    username: Option<String>,
    /// The file with the password
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Talk to it without TLS, as is always done with one on this machine
    #[arg(long)]
    plain_http: bool,
}

/// A component with where it is from.
#[derive(Debug)]
pub struct Fetched {
    pub bytes: Vec<u8>,
    /// With the digest of what was there, if it was a registry.
    pub from: Source,
}

impl Access {
    pub async fn fetch(&self, source: &Source) -> Result<Fetched, Failure> {
        match source {
            Source::File(path) => Ok(Fetched {
                bytes: read(path)?,
                from: source.clone(),
            }),
            Source::Registry(address) => self.pull(address).await,
        }
    }

    async fn pull(&self, address: &Address) -> Result<Fetched, Failure> {
        let bar = bar();
        bar.set_message(format!("pulling {address}"));
        let pulled = self
            .registry(address)?
            .pull(|have, total| {
                bar.set_length(total);
                bar.set_position(have);
            })
            .await;
        bar.finish_and_clear();
        let pulled = pulled.map_err(failure)?;
        Ok(Fetched {
            bytes: pulled.component,
            from: Source::Registry(pulled.address),
        })
    }

    pub async fn push(&self, bytes: Vec<u8>, address: &Address) -> Result<Address, Failure> {
        let bar = bar();
        bar.set_length(bytes.len() as u64);
        bar.set_message(format!("pushing to {address}"));
        let pushed = self.registry(address)?.push(bytes).await;
        bar.finish_and_clear();
        pushed.map_err(failure)
    }

    fn registry(&self, address: &Address) -> Result<Registry, Failure> {
        let login = match self.login()? {
            Some(login) => Some(login),
            None => Login::of_docker(address.registry()).map_err(failure)?,
        };
        let transport = match self.plain_http {
            true => Transport::Plain,
            false => Transport::Tls,
        };
        Registry::of(address.clone(), transport, login.as_ref()).map_err(failure)
    }

    fn login(&self) -> Result<Option<Login>, Failure> {
        let (Some(username), Some(file)) = (&self.username, &self.password_file) else {
            return Ok(None);
        };
        let password = read_text(file, LONGEST_PASSWORD)?;
        Ok(Some(Login {
            username: username.clone(),
            password: password.trim_end_matches(['\r', '\n']).to_owned(),
        }))
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Registry(address) => write!(f, "{address}"),
        }
    }
}

/// A component in a file.
pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let problem = || format!("could not read {}", path.display());
    let size = std::fs::metadata(path).with_context(problem)?.len();
    if size > LARGEST {
        return Err(Failure::usage(format!(
            "{} is larger than a component may be (64 MiB)",
            path.display()
        )));
    }
    Ok(std::fs::read(path).with_context(problem)?)
}

/// A small text in a file.
pub fn read_text(path: &Path, longest: u64) -> Result<String, Failure> {
    let problem = || format!("could not read {}", path.display());
    let size = std::fs::metadata(path).with_context(problem)?.len();
    if size > longest {
        return Err(Failure::usage(format!(
            "{} is larger than it may be ({} KiB)",
            path.display(),
            longest / 1024
        )));
    }
    Ok(std::fs::read_to_string(path).with_context(problem)?)
}

fn failure(error: RegistryError) -> Failure {
    let (hint, for_now) = (error.hint(), error.is_for_now());
    let failure = Failure::from(anyhow::Error::new(error));
    let failure = match hint {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    };
    match for_now {
        true => failure.for_now(),
        false => failure,
    }
}

/// Hidden where there is no terminal.
fn bar() -> ProgressBar {
    let target = match io::stderr().is_terminal() {
        true => ProgressDrawTarget::stderr(),
        false => ProgressDrawTarget::hidden(),
    };
    let bar = ProgressBar::with_draw_target(Some(0), target);
    let form = "{spinner} {msg} {bytes} of {total_bytes} {wide_bar}";
    if let Ok(style) = ProgressStyle::with_template(form) {
        bar.set_style(style);
    }
    bar.enable_steady_tick(std::time::Duration::from_millis(100));
    bar
}

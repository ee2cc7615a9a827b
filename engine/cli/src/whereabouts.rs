//! Which server is asked, and with which token. What is said on the command
//! line wins over the environment, and that over the files:
//!
//! 1. `--context NAME`: that context's server, and its token only
//! 2. `--server URL`, else SHIPWAY_SERVER
//! 3. `--credentials FILE`, else SHIPWAY_CREDENTIALS: the server in that file
//! 4. SHIPWAY_CONTEXT
//! 5. the current context
//! 6. the credentials file of the engine of this machine
//!
//! Without `--context`, SHIPWAY_TOKEN is the token. Else it is the one that is
//! kept for that very server; a kept token goes nowhere else.

use std::fmt;
use std::path::PathBuf;

use clap::Args;
use shipway_core::secret::Secret;
use url::{Host, Url};

use crate::contexts::{ContextName, Contexts};
use crate::credentials;
use crate::failure::Failure;

pub const DEFAULT_SERVER: &str = "http://127.0.0.1:7766";

/// Which server is asked.
#[derive(Debug, Clone, Args)]
pub struct Connection {
    /// A server that `login` knows; `context list` lists them [env: SHIPWAY_CONTEXT] [default: the current one]
    #[arg(
        long,
        value_name = "NAME",
        global = true,
        help_heading = "Connection",
        conflicts_with_all = ["server", "credentials"]
    )]
    context: Option<ContextName>,

    /// Where the API answers [env: SHIPWAY_SERVER] [default: the context's, else http://127.0.0.1:7766]
    #[arg(long, value_name = "URL", global = true, help_heading = "Connection")]
    server: Option<String>,

    /// Where the token is, unless it is in SHIPWAY_TOKEN [env: SHIPWAY_CREDENTIALS] [default: the context's, else ~/.config/shipway/credentials]
    #[arg(long, value_name = "FILE", global = true, help_heading = "Connection")]
    credentials: Option<PathBuf>,

    /// Say more about what goes wrong
    #[arg(long, short, global = true, help_heading = "Connection")]
    pub verbose: bool,
}

impl Connection {
    /// What the words of an unfinished command line say.
    pub fn said_in(words: impl Iterator<Item = String>) -> Self {
        let words: Vec<String> = words.collect();
        let said = |option: &str| {
            let pairs = words.windows(2).filter_map(|pair| match pair {
                [name, value] if name == option => Some(value.as_str()),
                _ => None,
            });
            let joined = words
                .iter()
                .filter_map(|word| word.strip_prefix(option)?.strip_prefix('='));
            pairs.chain(joined).last().map(str::to_owned)
        };
        Self {
            context: said("--context").and_then(|name| name.parse().ok()),
            server: said("--server"),
            credentials: said("--credentials").map(PathBuf::from),
            verbose: false,
        }
    }
}

/// What the environment says.
#[derive(Debug, Default)]
struct Spoken {
    context: Option<String>,
    server: Option<String>,
    credentials: Option<PathBuf>,
    token: Option<Secret>,
}

impl Spoken {
    fn here() -> Self {
        let said = |name: &str| std::env::var(name).ok().filter(|text| !text.is_empty());
        Self {
            context: said("SHIPWAY_CONTEXT"),
            server: said("SHIPWAY_SERVER"),
            credentials: said("SHIPWAY_CREDENTIALS").map(PathBuf::from),
            token: said("SHIPWAY_TOKEN").map(Secret::new),
        }
    }
}

/// Who said which server it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    Context(ContextName),
    SaidSo,
    File(PathBuf),
    Nothing,
}

impl fmt::Display for Because {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Context(name) => write!(f, "context {name}"),
            Self::SaidSo => f.write_str("--server or SHIPWAY_SERVER"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Nothing => f.write_str("nothing else was said"),
        }
    }
}

/// Where a verb goes.
#[derive(Debug)]
pub struct Whereabouts {
    pub server: Url,
    pub because: Because,
    pub token: Option<Secret>,
    /// The credentials of the engine of this machine.
    credentials: PathBuf,
}

impl Whereabouts {
    pub fn find(connection: &Connection) -> Result<Self, Failure> {
        let spoken = Spoken::here();
        match by_words_alone(connection, &spoken)? {
            Some(found) => Ok(found),
            None => decide(connection, spoken, &Files::usual()?),
        }
    }

    /// The token, which most verbs cannot do without.
    pub fn token(&self) -> Result<Secret, Failure> {
        self.token.clone().ok_or_else(|| self.no_token())
    }

    fn no_token(&self) -> Failure {
        match &self.because {
            Because::Context(name) => Failure::new(format!("there is no token for context {name}"))
                .with_hint(format!("shipway login --context {name}")),
            _ if is_loopback(&self.server) => {
                let server = shown(&self.server);
                Failure::new(format!("there is no token for {server}")).with_hint(format!(
                    "run `shipway serve`, which writes one to {} on its first start; or \
                     `shipway login {server}`, or set SHIPWAY_TOKEN",
                    self.credentials.display()
                ))
            }
            _ => {
                let server = shown(&self.server);
                Failure::new(format!("there is no token for {server}"))
                    .with_hint(format!("shipway login {server}, or set SHIPWAY_TOKEN"))
            }
        }
    }
}

/// Where things are kept.
struct Files {
    contexts: PathBuf,
    credentials: PathBuf,
}

impl Files {
    fn usual() -> Result<Self, Failure> {
        Ok(Self {
            contexts: Contexts::path()?,
            credentials: credentials::default_path()?,
        })
    }
}

/// A CI job may say everything and have no home.
fn by_words_alone(said: &Connection, spoken: &Spoken) -> Result<Option<Whereabouts>, Failure> {
    let server = said.server.as_ref().or(spoken.server.as_ref());
    let (None, Some(server), Some(token)) = (&said.context, server, &spoken.token) else {
        return Ok(None);
    };
    Ok(Some(Whereabouts {
        server: parse_server(server)?,
        because: Because::SaidSo,
        token: Some(token.clone()),
        credentials: PathBuf::new(),
    }))
}

fn decide(said: &Connection, spoken: Spoken, files: &Files) -> Result<Whereabouts, Failure> {
    let contexts = Contexts::read(&files.contexts)?;
    if let Some(name) = &said.context {
        return of_context(name, &contexts, None, files);
    }
    if let Some(found) = by_words_alone(said, &spoken)? {
        return Ok(found);
    }
    let given = said.credentials.as_ref().or(spoken.credentials.as_ref());
    let credentials = given.unwrap_or(&files.credentials);
    if let Some(server) = said.server.as_ref().or(spoken.server.as_ref()) {
        let server = parse_server(server)?;
        return Ok(Whereabouts {
            token: kept_for(&server, &contexts, credentials)?,
            server,
            because: Because::SaidSo,
            credentials: credentials.clone(),
        });
    }
    if given.is_some() {
        return of_credentials(credentials.clone(), spoken.token);
    }
    let named = match &spoken.context {
        Some(text) => Some(text.parse().map_err(Failure::usage)?),
        None => contexts.current.clone(),
    };
    match named {
        Some(name) => of_context(&name, &contexts, spoken.token, files),
        None => of_credentials(credentials.clone(), spoken.token),
    }
}

fn of_context(
    name: &ContextName,
    contexts: &Contexts,
    token: Option<Secret>,
    files: &Files,
) -> Result<Whereabouts, Failure> {
    if name.is_local() {
        return of_credentials(files.credentials.clone(), token);
    }
    let context = contexts.get(name)?;
    Ok(Whereabouts {
        server: parse_server(&context.server)?,
        because: Because::Context(name.clone()),
        token: token.or_else(|| context.token.clone()),
        credentials: files.credentials.clone(),
    })
}

fn of_credentials(path: PathBuf, token: Option<Secret>) -> Result<Whereabouts, Failure> {
    let file = credentials::read(&path)?;
    let (server, because) = match &file {
        Some(file) => (file.server.as_str(), Because::File(path.clone())),
        None => (DEFAULT_SERVER, Because::Nothing),
    };
    Ok(Whereabouts {
        server: parse_server(server)?,
        because,
        token: token.or_else(|| file.as_ref().map(|file| file.token.clone())),
        credentials: path,
    })
}

/// The token that is kept for this very server.
fn kept_for(
    server: &Url,
    contexts: &Contexts,
    credentials: &std::path::Path,
) -> Result<Option<Secret>, Failure> {
    let is_it = |text: &str| parse_server(text).is_ok_and(|known| same_place(&known, server));
    let file = credentials::read(credentials)?.filter(|file| is_it(&file.server));
    let kept = contexts.all.values();
    let mut kept = kept.filter(|context| is_it(&context.server));
    Ok(file
        .map(|file| file.token)
        .or_else(|| kept.find_map(|context| context.token.clone())))
}

/// An address without what may be secret in it, and without the last slash.
pub fn shown(server: &Url) -> &str {
    server.as_str().trim_end_matches('/')
}

pub fn parse_server(text: &str) -> Result<Url, Failure> {
    let no_url = || Failure::usage(format!("{text:?} is no URL such as {DEFAULT_SERVER}"));
    let url = Url::parse(text).map_err(|_| no_url())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(no_url());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(
            Failure::usage("the URL of a server has no user and no password in it")
                .with_hint("the API takes a token: shipway login URL"),
        );
    }
    Ok(url)
}

fn same_place(one: &Url, other: &Url) -> bool {
    let port = one.port_or_known_default() == other.port_or_known_default();
    let loopback = is_loopback(one) && is_loopback(other);
    port && one.scheme() == other.scheme() && (one.host() == other.host() || loopback)
}

pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => ip.is_loopback(),
        Some(Host::Ipv6(ip)) => ip.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

#[cfg(test)]
mod tests;

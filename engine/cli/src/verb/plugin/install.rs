//! Hands a component to the engine: first it is looked at, beside the version
//! that is installed; one that asks for more has to be accepted.

use std::io::{self, BufRead, IsTerminal};
use std::path::PathBuf;

use clap::Args;
use shipway_api::wire::page::Page;
use shipway_api::wire::plugin::{Plugin, SIGNATURE, SIGNATURE_KEY};
use shipway_core::plugin::Description;
use shipway_core::update::Difference;

use super::source::{self, Fetched};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::note;
use crate::render;

/// Neither a signature nor a key is larger.
const LARGEST: u64 = 8 * 1024;

/// A signature and the key it was made with, as files.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Signature")]
pub struct SignatureFiles {
    /// The component's signature: a .minisig file, or what `cosign sign-blob` writes
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// Demand that it was made with this public key: minisign's, or a PEM file
    /// of cosign's
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
}

/// The same, read.
#[derive(Debug, Clone, Default)]
pub struct Signature {
    pub signature: Option<String>,
    pub key: Option<String>,
}

impl SignatureFiles {
    pub fn read(&self) -> Result<Signature, Failure> {
        let text = |file: &Option<PathBuf>| {
            let read = file.as_deref().map(|file| source::read_text(file, LARGEST));
            read.transpose()
        };
        Ok(Signature {
            signature: text(&self.signature)?,
            key: text(&self.key)?,
        })
    }
}

/// Whether the operator said beforehand that more is fine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    Given,
    Ask,
}

impl Consent {
    pub fn of(accept: bool) -> Self {
        match accept {
            true => Self::Given,
            false => Self::Ask,
        }
    }
}

/// A component that was looked at and is not installed yet.
#[derive(Debug)]
pub struct Seen {
    pub fetched: Fetched,
    pub description: Description,
    pub installed: Option<Box<Plugin>>,
    /// None when the plugin is new here.
    pub difference: Option<Difference>,
}

/// Looks at a component, without changing anything.
pub async fn look(client: &Client, fetched: Fetched) -> Result<Seen, Failure> {
    let at = client.at(&["plugins", "inspect"]).patiently();
    let description: Description = at.upload(fetched.bytes.clone()).await?;
    let all: Page<Plugin> = client.at(&["plugins"]).get().await?;
    let mut all = all.items.into_iter();
    let installed = all.find(|plugin| plugin.description.name == description.name);
    let difference = installed
        .as_ref()
        .map(|installed| Difference::between(&installed.description, &description));
    Ok(Seen {
        fetched,
        description,
        installed: installed.map(Box::new),
        difference,
    })
}

impl Seen {
    /// Makes sure that somebody accepts it, if it asks for more.
    pub fn accept(&self, consent: Consent) -> Result<(), Failure> {
        let Some(difference) = self.difference.as_ref().filter(|it| it.asks_for_more()) else {
            return Ok(());
        };
        if consent == Consent::Given {
            return Ok(());
        }
        let Description { name, version, .. } = &self.description;
        if ask(&format!(
            "Accept that {name} {version} asks for more? [y/N]"
        ))? {
            return Ok(());
        }
        let mut failure = Failure::new(format!(
            "{name} {version} asks for more than the installed version"
        ));
        failure.causes = difference.must_accept.clone();
        Err(failure.with_hint("nothing was changed; to accept it, say --accept"))
    }

    /// Installs it. What it asks for more must have been accepted.
    pub async fn install(self, client: &Client, signature: &Signature) -> Result<Plugin, Failure> {
        let mut at = client
            .at(&["plugins"])
            .query("source", &self.fetched.from)
            .patiently();
        if self.difference.is_some_and(|it| it.asks_for_more()) {
            at = at.query("more", "accept");
        }
        let headers = [
            (SIGNATURE, &signature.signature),
            (SIGNATURE_KEY, &signature.key),
        ];
        for (name, text) in headers {
            if let Some(text) = text {
                at = at.header(name, in_base64(text));
            }
        }
        at.upload(self.fetched.bytes).await
    }

    /// What people see before anything is changed.
    pub fn shown(&self) -> String {
        match (&self.difference, &self.installed) {
            (Some(difference), Some(installed)) => {
                let name = &installed.description.name;
                render::update::difference(name, &installed.description.version, difference)
            }
            _ => render::plugin::description(&self.description),
        }
    }
}

fn in_base64(text: &str) -> String {
    use base64::Engine;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Only somebody at a terminal can answer; nobody there means no.
pub fn ask(question: &str) -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    note(question)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

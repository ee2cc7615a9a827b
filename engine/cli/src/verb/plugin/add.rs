//! `shipway plugin add`: shows what is asked for, installs, grants what the
//! operator says and nothing else.

use std::path::{Path, PathBuf};

use clap::Args;
use shipway_api::wire::plugin::Plugin;

use super::grant::{self, What};
use super::install::{self, Consent, Seen, Signature, SignatureFiles, ask};
use super::lock::{self, Lock, Pin};
use super::source::{Access, Source, source};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, say, show};
use crate::render;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The component: a .wasm file, or oci://REGISTRY/NAME[:TAG|@sha256:DIGEST]
    #[arg(value_name = "FILE|oci://…", value_parser = source)]
    component: Source,
    /// Grant all that it asks for
    #[arg(long, alias = "yes")]
    grant_requested: bool,
    /// Accept that it asks for more than the installed version
    #[arg(long)]
    accept: bool,
    /// Pin it in a lock file [default: shipway-plugins.lock here]; without this
    /// nothing is written
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
        default_missing_value = lock::FILE)]
    lock: Option<PathBuf>,
    /// Refuse what is not pinned so in a lock file [default: shipway-plugins.lock here]
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true,
        default_missing_value = lock::FILE, conflicts_with = "lock")]
    locked: Option<PathBuf>,
    #[command(flatten)]
    json: JsonFlag,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    signature: SignatureFiles,
    #[command(flatten)]
    access: Access,
}

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let form = arguments.json.form();
    let signature = arguments.signature.read()?;
    let locked = arguments.locked.as_deref().map(Lock::open).transpose()?;
    let fetched = arguments.access.fetch(&arguments.component).await?;
    let seen = install::look(client, fetched).await?;
    if let Some(locked) = &locked {
        locked.check(&seen.description)?;
    }
    if form == Form::People {
        say(seen.shown())?;
    }
    seen.accept(Consent::of(arguments.accept))?;
    let pin = arguments
        .lock
        .as_deref()
        .map(|lock| pin(&seen, &signature, lock));
    let plugin = seen.install(client, &signature).await?;
    if let (Some(lock), Some(pin)) = (&arguments.lock, pin) {
        Lock::pin(lock, pin)?;
        note(format!("pinned in {}", lock.display()))?;
    }
    let decided = Decided {
        requested: arguments.grant_requested,
        what: arguments.what,
    };
    let plugin = decided.grant(client, plugin, form).await?;
    show(form, &plugin, summary)
}

fn pin(seen: &Seen, signature: &Signature, lock: &Path) -> Pin {
    Pin {
        name: seen.description.name.clone(),
        version: seen.description.version.clone(),
        digest: lock::digest(&seen.description),
        source: lock::told(&seen.fetched.from, lock),
        signature: signature.signature.clone(),
        key: signature.key.clone(),
    }
}

/// What the operator said about grants.
struct Decided {
    requested: bool,
    what: What,
}

impl Decided {
    async fn grant(
        self,
        client: &Client,
        mut plugin: Plugin,
        form: Form,
    ) -> Result<Plugin, Failure> {
        if self.requested {
            plugin = grant::requested(client, plugin).await?;
        }
        let named = !self.what.is_empty();
        if named {
            plugin = grant::more(client, &plugin.description.name, self.what).await?;
        }
        let decided = named || self.requested || form == Form::Json;
        if !decided && !plugin.lacks.is_empty() && ask("Grant all of this? [y/N]")? {
            plugin = grant::requested(client, plugin).await?;
        }
        Ok(plugin)
    }
}

/// What was granted, and what was not.
fn summary(plugin: &Plugin) -> String {
    let name = &plugin.description.name;
    let mut text = format!("installed {name} {}", plugin.description.version);
    if let Some(signer) = &plugin.origin.signer {
        text.push_str(&format!(", signed with {signer}"));
    }
    text.push_str("; granted:\n");
    text.push_str(&render::plugin::grants(&plugin.grants));
    if plugin.lacks.is_empty() {
        return text;
    }
    text.push_str("\nnot granted:");
    for lack in &plugin.lacks {
        text.push_str("\n  ");
        text.push_str(&render::plugin::request(lack));
    }
    text.push_str(&format!(
        "\nto grant what it asks for: shipway plugin grant {name} --requested"
    ));
    let in_settings = plugin
        .lacks
        .iter()
        .flat_map(|request| &request.targets)
        .find_map(|target| target.split_once("setting:").map(|(_, setting)| setting));
    if let Some(setting) = in_settings {
        text.push_str(&format!(
            "\nit names the origin in a setting, so first: shipway plugin set {name} {setting}=URL"
        ));
    }
    text
}

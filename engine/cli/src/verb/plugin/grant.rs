//! `shipway plugin grant` and `revoke`: more rights, and fewer.

use clap::Args;
use reqwest::Method;
use shipway_api::wire::plugin::Plugin;
use shipway_core::grant::{Addresses, Grants, HttpGrant, Permission};
use shipway_core::name::PluginName;

use crate::client::Client;
use crate::failure::Failure;

#[derive(Debug, Default, Args)]
pub struct What {
    /// All that it asks for, as far as its settings tell
    #[arg(long)]
    requested: bool,
    /// Files of the commit, as globs: * stays in a folder, ** does not
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    files: Vec<String>,
    /// One bounded command in the built image
    #[arg(long)]
    image: bool,
    /// Plain variables of the environment, by name
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variables: Vec<String>,
    /// Commands in the candidate, in a self-test
    #[arg(long)]
    exec: bool,
    /// HTTP to this origin, such as https://hooks.example.com
    #[arg(long, value_name = "ORIGIN")]
    http: Vec<String>,
    /// Only these methods, such as POST [default: all]
    #[arg(long, value_name = "METHOD", value_delimiter = ',', requires = "http")]
    methods: Vec<String>,
    /// The origins may be at private addresses
    #[arg(long, requires = "http")]
    private: bool,
    /// Secret settings that may be sent there, as NAME, or NAME@PLACE for one
    /// place only: header:X-Key, path, query, body, url
    #[arg(long, value_name = "NAME", value_delimiter = ',', requires = "http")]
    send: Vec<String>,
}

impl What {
    pub fn is_empty(&self) -> bool {
        let listed = [&self.files, &self.variables, &self.http];
        let said = self.requested || self.image || self.exec;
        !said && listed.iter().all(|list| list.is_empty())
    }

    /// What is granted now, and this.
    fn add(self, grants: &mut Grants) {
        union(&mut grants.files, self.files);
        union(&mut grants.variables, self.variables);
        if self.image {
            grants.image = Permission::Granted;
        }
        if self.exec {
            grants.exec = Permission::Granted;
        }
        for origin in self.http {
            let origin = origin.trim_end_matches('/').to_owned();
            grants.http.retain(|grant| grant.origin != origin);
            grants.http.push(HttpGrant {
                origin,
                methods: self.methods.iter().map(|m| m.to_uppercase()).collect(),
                addresses: match self.private {
                    true => Addresses::Any,
                    false => Addresses::Public,
                },
                secrets: self.send.clone(),
            });
        }
    }
}

#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub struct Less {
    /// Everything
    #[arg(long)]
    all: bool,
    /// These globs, as they were granted
    #[arg(long, value_name = "GLOB", value_delimiter = ',')]
    files: Vec<String>,
    /// The command in the image
    #[arg(long)]
    image: bool,
    /// These variables
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    variables: Vec<String>,
    /// Commands in the candidate
    #[arg(long)]
    exec: bool,
    /// HTTP to this origin
    #[arg(long, value_name = "ORIGIN")]
    http: Vec<String>,
}

impl Less {
    fn take(self, grants: &mut Grants) {
        if self.all {
            *grants = Grants::default();
        }
        grants.files.retain(|glob| !self.files.contains(glob));
        grants
            .variables
            .retain(|name| !self.variables.contains(name));
        if self.image {
            grants.image = Permission::Denied;
        }
        if self.exec {
            grants.exec = Permission::Denied;
        }
        let named = |origin: &str| self.http.iter().any(|o| o.trim_end_matches('/') == origin);
        grants.http.retain(|grant| !named(&grant.origin));
    }
}

pub async fn fetch(client: &Client, plugin: &PluginName) -> Result<Plugin, Failure> {
    client.at(&["plugins", plugin.as_str()]).get().await
}

pub async fn more(client: &Client, name: &PluginName, what: What) -> Result<Plugin, Failure> {
    if what.is_empty() {
        return Err(Failure::usage("nothing to grant")
            .with_hint("say --requested, or --files, --variables, --image, --exec or --http"));
    }
    let plugin = fetch(client, name).await?;
    let plugin = match what.requested {
        true => requested(client, plugin).await?,
        false => plugin,
    };
    let mut grants = plugin.grants;
    what.add(&mut grants);
    put(client, name, &grants).await
}

pub async fn less(client: &Client, name: &PluginName, what: Less) -> Result<Plugin, Failure> {
    let mut grants = fetch(client, name).await?.grants;
    what.take(&mut grants);
    put(client, name, &grants).await
}

/// Grants what it asks for, on top of what it has.
pub async fn requested(client: &Client, plugin: Plugin) -> Result<Plugin, Failure> {
    let Plugin {
        description,
        mut grants,
        requested,
        ..
    } = plugin;
    union(&mut grants.files, requested.files);
    union(&mut grants.variables, requested.variables);
    if requested.image == Permission::Granted {
        grants.image = Permission::Granted;
    }
    if requested.exec == Permission::Granted {
        grants.exec = Permission::Granted;
    }
    for http in requested.http {
        if !grants.http.iter().any(|grant| grant.origin == http.origin) {
            grants.http.push(http);
        }
    }
    put(client, &description.name, &grants).await
}

async fn put(client: &Client, name: &PluginName, grants: &Grants) -> Result<Plugin, Failure> {
    let at = client.at(&["plugins", name.as_str(), "grants"]);
    at.send(Method::PUT, grants).await
}

fn union(into: &mut Vec<String>, more: Vec<String>) {
    for item in more {
        if !into.contains(&item) {
            into.push(item);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_grow_and_shrink_by_what_is_named() {
        let mut grants = Grants::default();
        let what = What {
            files: vec!["Procfile".into(), "Procfile".into()],
            http: vec!["https://a.example.com/".into()],
            methods: vec!["post".into()],
            ..What::default()
        };
        what.add(&mut grants);
        assert_eq!(grants.files, ["Procfile"]);
        assert_eq!(grants.http[0].origin, "https://a.example.com");
        assert_eq!(grants.http[0].methods, ["POST"]);
        assert_eq!(grants.image, Permission::Denied);

        let less = Less {
            all: false,
            files: vec![],
            image: false,
            variables: vec![],
            exec: false,
            http: vec!["https://a.example.com".into()],
        };
        less.take(&mut grants);
        assert_eq!((grants.files.len(), grants.http.len()), (1, 0));
    }
}

//! Plugins as people read them before they grant anything.

use std::fmt::{self, Write};

use shipway_api::wire::plugin::Plugin;
use shipway_core::grant::{Addresses, Grants, Permission};
use shipway_core::plugin::{Description, Enabled, PluginLimits, Request};

use super::update;
use crate::output::{or_dash, table};

pub fn list(plugins: &[Plugin]) -> String {
    if plugins.is_empty() {
        return "no plugins; `shipway plugin add FILE` installs one".to_owned();
    }
    table(
        [
            "PLUGIN", "VERSION", "ROLES", "ENABLED", "LIMITS", "SIGNED", "LACKS", "SOURCE",
        ],
        plugins.iter().map(|plugin| {
            let lacks: Vec<&str> = plugin.lacks.iter().map(|r| r.capability.as_str()).collect();
            let description = &plugin.description;
            [
                description.name.to_string(),
                description.version.clone(),
                roles(description),
                match plugin.enabled {
                    Enabled::Yes => "yes".to_owned(),
                    Enabled::No => "no".to_owned(),
                },
                match plugin.limits == PluginLimits::default() {
                    true => "-".to_owned(),
                    false => update::limits(&plugin.limits),
                },
                match &plugin.origin.signer {
                    Some(signer) => signer.scheme.clone(),
                    None => "-".to_owned(),
                },
                match lacks.as_slice() {
                    [] => "-".to_owned(),
                    lacks => lacks.join(", "),
                },
                or_dash(plugin.origin.source.as_deref()),
            ]
        }),
    )
}

fn roles(description: &Description) -> String {
    let roles: Vec<String> = description.roles.iter().map(ToString::to_string).collect();
    roles.join(", ")
}

/// Who it is, what it reads, and what it would like.
pub fn description(description: &Description) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_description(&mut text, description);
    text
}

fn write_description(out: &mut String, description: &Description) -> fmt::Result {
    let Description {
        name,
        version,
        summary,
        digest,
        size,
        ..
    } = description;
    writeln!(out, "{name} {version}: {summary}")?;
    writeln!(out, "roles   {}", roles(description))?;
    writeln!(out, "digest  sha256:{digest} ({} KiB)", size.div_ceil(1024))?;
    if !description.settings.is_empty() {
        writeln!(out, "\nIt reads these settings:")?;
    }
    for setting in &description.settings {
        let traits = match (setting.required, setting.secret) {
            (true, true) => " (required, secret)",
            (true, false) => " (required)",
            (false, true) => " (secret)",
            (false, false) => "",
        };
        writeln!(out, "  {}{traits}: {}", setting.name, setting.summary)?;
        if setting.secret {
            let places: Vec<String> = setting.places.iter().map(ToString::to_string).collect();
            let places = match places.is_empty() {
                true => "nowhere".to_owned(),
                false => places.join(", "),
            };
            writeln!(out, "      is sent in: {places}")?;
        }
    }
    match description.requests.as_slice() {
        [] => writeln!(out, "\nIt asks for nothing."),
        requests => {
            writeln!(out, "\nIt asks for:")?;
            requests
                .iter()
                .try_for_each(|each| writeln!(out, "  {}", request(each)))
        }
    }
}

/// One request with its reason.
pub fn request(request: &Request) -> String {
    let what = match (request.capability.as_str(), request.targets.as_slice()) {
        ("files", targets) => format!("files of the commit: {}", targets.join(", ")),
        ("variables", targets) => format!("plain variables: {}", targets.join(", ")),
        ("image", _) => "bounded commands in the built image".to_owned(),
        ("exec", _) => "bounded commands in the candidate".to_owned(),
        ("http", targets) => format!("HTTP to {}", targets.join(", ")),
        (other, targets) => format!("{other} {}", targets.join(", ")),
    };
    format!("{what}\n      because: {}", request.reason)
}

/// A plugin with what is granted and set.
pub fn plugin(plugin: &Plugin) -> String {
    let mut text = description(&plugin.description);
    let _ = write_state(&mut text, plugin);
    text
}

fn write_state(out: &mut String, plugin: &Plugin) -> fmt::Result {
    writeln!(out, "\n{}", update::origin(&plugin.origin))?;
    writeln!(out, "limits  {}", update::limits(&plugin.limits))?;
    writeln!(out, "\nGranted:")?;
    writeln!(out, "{}", grants(&plugin.grants))?;
    if !plugin.lacks.is_empty() {
        writeln!(out, "\nNot granted:")?;
    }
    for lack in &plugin.lacks {
        writeln!(out, "  {}", request(lack))?;
    }
    if !plugin.settings.is_empty() {
        writeln!(out, "\nSet for every environment:")?;
    }
    for setting in &plugin.settings {
        let value = setting.value.as_deref().unwrap_or("[secret]");
        writeln!(out, "  {} = {value}", setting.name)?;
    }
    match plugin.enabled {
        Enabled::Yes => Ok(()),
        Enabled::No => writeln!(out, "\nIt is switched off everywhere."),
    }
}

/// What is granted, one line each.
pub fn grants(grants: &Grants) -> String {
    let mut lines = Vec::new();
    if !grants.files.is_empty() {
        lines.push(format!("  files {}", grants.files.join(", ")));
    }
    if !grants.variables.is_empty() {
        lines.push(format!("  variables {}", grants.variables.join(", ")));
    }
    if grants.image == Permission::Granted {
        lines.push("  image".to_owned());
    }
    if grants.exec == Permission::Granted {
        lines.push("  exec".to_owned());
    }
    for http in &grants.http {
        let methods = match http.methods.as_slice() {
            [] => "all methods".to_owned(),
            methods => methods.join(", "),
        };
        let private = match http.addresses {
            Addresses::Public => "",
            Addresses::Any => ", private addresses too",
        };
        let secrets = match http.secrets.as_slice() {
            [] => String::new(),
            secrets => format!(", with secrets {}", secrets.join(", ")),
        };
        lines.push(format!(
            "  http {} ({methods}{private}{secrets})",
            http.origin
        ));
    }
    match lines.as_slice() {
        [] => "  nothing".to_owned(),
        lines => lines.join("\n"),
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::grant::HttpGrant;
    use shipway_core::plugin::{Role, SettingDescription};

    use super::*;

    #[test]
    fn a_plugin_is_shown_with_what_it_asks_for_and_why() {
        let webhook = Description {
            name: "webhook".parse().unwrap(),
            version: "0.1.0".into(),
            summary: "POSTs every event as CloudEvents JSON".into(),
            digest: "ab".repeat(32).parse().unwrap(),
            size: 90_000,
            roles: vec![Role::Notifier],
            settings: vec![SettingDescription {
                name: "token".into(),
                summary: "sent as a bearer token".into(),
                required: false,
                secret: true,
                places: vec!["header:authorization".parse().unwrap()],
            }],
            requests: vec![Request {
                capability: "http".into(),
                targets: vec!["setting:url".into()],
                reason: "Events are POSTed to this URL.".into(),
            }],
        };
        insta::assert_snapshot!(description(&webhook), @r"
        webhook 0.1.0: POSTs every event as CloudEvents JSON
        roles   notifier
        digest  sha256:abababababababababababababababababababababababababababababababab (88 KiB)

        It reads these settings:
          token (secret): sent as a bearer token
              is sent in: header:authorization

        It asks for:
          HTTP to setting:url
              because: Events are POSTed to this URL.
        ");
    }

    #[test]
    fn grants_are_a_list() {
        assert_eq!(grants(&Grants::default()), "  nothing");
        let some = Grants {
            files: vec!["Procfile".into()],
            image: Permission::Granted,
            http: vec![HttpGrant {
                origin: "https://hooks.example.com".into(),
                methods: vec!["POST".into()],
                addresses: Addresses::Any,
                secrets: vec!["token".into()],
            }],
            ..Grants::default()
        };
        insta::assert_snapshot!(grants(&some), @r"
        files Procfile
        image
        http https://hooks.example.com (POST, private addresses too, with secrets token)
        ");
    }
}

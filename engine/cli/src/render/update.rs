//! A plugin beside the version before, its limits, and where it is from.

use std::fmt::{self, Write};

use shipway_core::name::PluginName;
use shipway_core::plugin::{Origin, PluginLimits, SettingDescription};
use shipway_core::update::{Change, Difference};

use super::plugin::request;

/// From the installed version to the new one.
pub fn difference(name: &PluginName, installed: &str, difference: &Difference) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_difference(&mut text, name, installed, difference);
    text
}

fn write_difference(
    out: &mut String,
    name: &PluginName,
    installed: &str,
    it: &Difference,
) -> fmt::Result {
    if *it == Difference::default() {
        return writeln!(out, "{name} {installed} is installed already");
    }
    match &it.version {
        Some(Change { from, to }) => writeln!(out, "{name} {from} -> {to}")?,
        None => writeln!(out, "{name} {installed}, other bytes")?,
    }
    if let Some(Change { from, to }) = &it.digest {
        writeln!(out, "digest  sha256:{from}\n     -> sha256:{to}")?;
    }
    for role in &it.roles_more {
        writeln!(out, "+ role {role}")?;
    }
    for role in &it.roles_less {
        writeln!(out, "- role {role}")?;
    }
    for setting in &it.settings_more {
        writeln!(out, "+ setting {}: {}", traits(setting), setting.summary)?;
    }
    for setting in &it.settings_less {
        writeln!(out, "- setting {setting}")?;
    }
    for Change { from, to } in &it.settings_changed {
        match (traits(from), traits(to)) {
            (from, to) if from == to => writeln!(out, "~ setting {to}: other words")?,
            (from, to) => writeln!(out, "~ setting {from} -> {to}")?,
        }
    }
    for more in &it.requests_more {
        writeln!(out, "+ asks for {}", request(more))?;
    }
    for less in &it.requests_less {
        writeln!(out, "- asks for {}", request(less))?;
    }
    if it.is_plain() {
        writeln!(out, "It asks for what it asked for before.")?;
    }
    if it.asks_for_more() {
        writeln!(out, "\nTo be accepted:")?;
    }
    it.must_accept
        .iter()
        .try_for_each(|more| writeln!(out, "  {more}"))
}

fn traits(setting: &SettingDescription) -> String {
    let mut words = Vec::new();
    if setting.required {
        words.push("required".to_owned());
    }
    if setting.secret {
        words.push("secret".to_owned());
    }
    if !setting.places.is_empty() {
        let places: Vec<String> = setting.places.iter().map(ToString::to_string).collect();
        words.push(format!("sent in {}", places.join(", ")));
    }
    match words.is_empty() {
        true => setting.name.clone(),
        false => format!("{} ({})", setting.name, words.join(", ")),
    }
}

/// The limits that were set; the others are the host's own.
pub fn limits(limits: &PluginLimits) -> String {
    let PluginLimits {
        cpu_ms,
        wall_seconds,
        memory_mib,
        http_requests,
        commands,
        output_kib,
    } = limits;
    let all = [
        ("processor time", cpu_ms, "ms"),
        ("time in all", wall_seconds, "s"),
        ("memory", memory_mib, "MiB"),
        ("HTTP requests", http_requests, ""),
        ("commands", commands, ""),
        ("output", output_kib, "KiB"),
    ];
    let set: Vec<String> = all
        .into_iter()
        .filter_map(|(name, value, unit)| Some(format!("{name} {} {unit}", (*value)?)))
        .map(|text| text.trim_end().to_owned())
        .collect();
    match set.is_empty() {
        true => "the host's own limits".to_owned(),
        false => set.join(", "),
    }
}

/// Where it came from and who signed it, a line each.
pub fn origin(origin: &Origin) -> String {
    let source = origin.source.as_deref().unwrap_or("not said");
    let signer = match &origin.signer {
        Some(signer) => signer.to_string(),
        None => "nobody".to_owned(),
    };
    format!("source  {source}\nsigned  {signer}")
}

#[cfg(test)]
mod tests {
    use shipway_core::plugin::{Description, Request, Role};

    use super::*;

    fn hook() -> Description {
        Description {
            name: "hook".parse().unwrap(),
            version: "1.0.0".into(),
            summary: "Tells".into(),
            digest: "a".repeat(64).parse().unwrap(),
            size: 1,
            roles: vec![Role::Notifier],
            settings: vec![],
            requests: vec![Request {
                capability: "http".into(),
                targets: vec!["setting:url".into()],
                reason: "to tell".into(),
            }],
        }
    }

    #[test]
    fn a_new_version_is_shown_beside_the_old() {
        let old = hook();
        let mut new = hook();
        new.version = "1.1.0".into();
        new.digest = "b".repeat(64).parse().unwrap();
        new.settings.push(SettingDescription {
            name: "token".into(),
            summary: "a token".into(),
            required: false,
            secret: true,
            places: vec!["query".parse().unwrap()],
        });
        new.requests = vec![Request {
            capability: "files".into(),
            targets: vec!["NEWS.md".into()],
            reason: "to say what is new".into(),
        }];
        let seen = Difference::between(&old, &new);
        insta::assert_snapshot!(difference(&old.name, "1.0.0", &seen), @"
        hook 1.0.0 -> 1.1.0
        digest  sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
             -> sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb
        + setting token (secret, sent in query): a token
        + asks for files of the commit: NEWS.md
              because: to say what is new
        - asks for HTTP to setting:url
              because: to tell

        To be accepted:
          it asks for files NEWS.md (because: to say what is new)
        ");
        let same = Difference::between(&old, &old);
        assert_eq!(
            difference(&old.name, "1.0.0", &same),
            "hook 1.0.0 is installed already\n"
        );
    }

    #[test]
    fn only_limits_that_were_set_are_shown() {
        assert_eq!(limits(&PluginLimits::default()), "the host's own limits");
        let some = PluginLimits {
            cpu_ms: Some(5000),
            commands: Some(3),
            ..PluginLimits::default()
        };
        assert_eq!(limits(&some), "processor time 5000 ms, commands 3");
    }
}

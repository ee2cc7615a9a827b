//! What a component says of itself, checked: names, versions, sizes.

use shipway_core::grant::target::is_setting_name;
use shipway_core::grant::{HttpTarget, Place};
use shipway_core::name::{Digest, PluginName, VariableName};
use shipway_core::plugin::{Description, Request, Role, SettingDescription};

use crate::bindings::manifest;
use crate::fault::Fault;
use crate::lines::{printable, shortened};

const MOST_SETTINGS: usize = 64;
const MOST_REQUESTS: usize = 64;
const MOST_TARGETS: usize = 64;
const MOST_PLACES: usize = 16;
/// Bytes of a sentence for people.
const LONGEST_SENTENCE: usize = 500;
/// Bytes of a name or a target.
const LONGEST_NAME: usize = 255;

pub(crate) fn description(
    said: manifest::Description,
    digest: Digest,
    size: u64,
    roles: Vec<Role>,
) -> Result<Description, Fault> {
    let name: PluginName = said
        .name
        .parse()
        .map_err(|error| nonsense(format!("{error}")))?;
    semver::Version::parse(&said.version).map_err(|error| {
        let version = shown(&said.version);
        nonsense(format!("{version:?} is no semantic version: {error}"))
    })?;
    if said.version.len() > 64 {
        return Err(nonsense("its version is longer than 64 characters"));
    }
    few(said.settings.len(), MOST_SETTINGS, "settings")?;
    few(said.requests.len(), MOST_REQUESTS, "requests")?;
    let description = Description {
        name,
        version: said.version,
        summary: sentence(&said.summary),
        digest,
        size,
        roles,
        settings: said
            .settings
            .into_iter()
            .map(setting)
            .collect::<Result<_, _>>()?,
        requests: said
            .requests
            .into_iter()
            .map(request)
            .collect::<Result<_, _>>()?,
    };
    distinct(&description)?;
    Ok(description)
}

fn setting(said: manifest::Setting) -> Result<SettingDescription, Fault> {
    if !is_setting_name(&said.name) {
        let name = shown(&said.name);
        return Err(nonsense(format!(
            "{name:?} is no name of a setting: 1 to 128 letters, digits, dashes and underscores"
        )));
    }
    few(said.places.len(), MOST_PLACES, "places of a secret")?;
    let places = said.places.iter().map(|text| text.parse::<Place>());
    let places: Vec<Place> = places
        .collect::<Result<_, _>>()
        .map_err(|error| nonsense(format!("setting {}: {error}", shown(&said.name))))?;
    Ok(SettingDescription {
        name: said.name,
        summary: sentence(&said.summary),
        required: said.required,
        secret: said.secret,
        places,
    })
}

fn request(said: manifest::Request) -> Result<Request, Fault> {
    few(said.targets.len(), MOST_TARGETS, "targets of a request")?;
    let known = match said.capability.as_str() {
        "files" => said.targets.iter().all(|target| is_glob(target)),
        "http" => said
            .targets
            .iter()
            .all(|target| is_short(target) && HttpTarget::is_one(target)),
        "variables" => said
            .targets
            .iter()
            .all(|target| target.parse::<VariableName>().is_ok()),
        _ => said.targets.iter().all(|target| is_short(target)),
    };
    if !known || !is_short(&said.capability) {
        let (capability, targets) = (shown(&said.capability), shown(&said.targets.join(", ")));
        return Err(nonsense(format!(
            "its request for {capability:?} has targets that make no sense: {targets:?}"
        )));
    }
    Ok(Request {
        capability: said.capability,
        targets: said.targets,
        reason: sentence(&said.reason),
    })
}

fn distinct(description: &Description) -> Result<(), Fault> {
    let mut names: Vec<&str> = description
        .settings
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    names.sort_unstable();
    match names.windows(2).find(|pair| pair.first() == pair.last()) {
        Some(pair) => Err(nonsense(format!("it has two settings {:?}", pair.concat()))),
        None => Ok(()),
    }
}

fn is_short(text: &str) -> bool {
    (1..=LONGEST_NAME).contains(&text.len()) && !text.chars().any(char::is_control)
}

fn is_glob(target: &str) -> bool {
    is_short(target) && !target.starts_with('/') && globset::Glob::new(target).is_ok()
}

fn few(number: usize, most: usize, what: &str) -> Result<(), Fault> {
    match number > most {
        true => Err(nonsense(format!(
            "it has {number} {what}, and may have {most}"
        ))),
        false => Ok(()),
    }
}

fn sentence(text: &str) -> String {
    shortened(printable(text.trim()), LONGEST_SENTENCE)
}

fn shown(text: &str) -> String {
    shortened(printable(text), 80)
}

fn nonsense(what: impl Into<String>) -> Fault {
    let what: String = what.into();
    Fault::nonsense(format!(
        "describes itself in a way that no plugin may: {what}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said() -> manifest::Description {
        manifest::Description {
            name: "webhook".into(),
            version: "1.2.3-rc.1".into(),
            summary: " Tells\u{1b}[1m others ".into(),
            settings: vec![manifest::Setting {
                name: "api-key".into(),
                summary: "The key.".into(),
                required: true,
                secret: true,
                places: vec!["header:authorization".into()],
                attributes: vec![],
            }],
            requests: vec![manifest::Request {
                capability: "http".into(),
                targets: vec!["setting:url".into(), "https://example.com:8443".into()],
                reason: "To tell.".into(),
                attributes: vec![],
            }],
            attributes: vec![("later".into(), "x".into())],
        }
    }

    fn check(said: manifest::Description) -> Result<Description, String> {
        let digest = "a".repeat(64).parse().unwrap();
        description(said, digest, 1, vec![Role::Notifier]).map_err(|fault| fault.what)
    }

    #[test]
    fn a_good_description_is_taken_and_its_sentences_are_cleaned() {
        let description = check(said()).unwrap();
        assert_eq!(description.summary, "Tells[1m others");
        assert_eq!(description.requests[0].targets.len(), 2);
    }

    #[test]
    fn nonsense_is_refused_with_its_reason() {
        let mut bad = said();
        bad.name = "../../etc".into();
        assert!(check(bad).unwrap_err().contains("plugin name"));
        let mut bad = said();
        bad.version = "latest".into();
        assert!(check(bad).unwrap_err().contains("semantic version"));
        let mut bad = said();
        bad.settings = vec![bad.settings[0].clone(), bad.settings[0].clone()];
        assert!(check(bad).unwrap_err().contains("two settings"));
        let mut bad = said();
        bad.settings = vec![bad.settings[0].clone(); 65];
        assert!(check(bad).unwrap_err().contains("65 settings"));
        for target in [
            "ftp://x",
            "example.com",
            "https://x/path",
            "setting:a b",
            "",
        ] {
            let mut bad = said();
            bad.requests[0].targets = vec![target.into()];
            assert!(check(bad).is_err(), "{target:?}");
        }
        let mut bad = said();
        bad.requests[0].capability = "files".into();
        bad.requests[0].targets = vec!["/etc/*".into()];
        assert!(check(bad).is_err());
    }

    #[test]
    fn a_capability_of_a_later_contract_is_no_nonsense() {
        let mut later = said();
        later.requests[0].capability = "candidate-exec".into();
        assert!(check(later).is_ok());
    }
}

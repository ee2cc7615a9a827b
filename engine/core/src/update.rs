//! What a new version of a plugin is, beside the one that is installed. One
//! that asks for more must be accepted before it replaces the other.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use serde::{Deserialize, Serialize};

use crate::grant::HttpTarget;
use crate::name::Digest;
use crate::plugin::{Description, Request, Role, SettingDescription};

/// From the installed version to another. Every list is in the order of the
/// version that it is taken from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Difference {
    /// None where it stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<Change<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub digest: Option<Change<Digest>>,
    pub roles_more: Vec<Role>,
    pub roles_less: Vec<Role>,
    pub settings_more: Vec<SettingDescription>,
    /// Their names.
    pub settings_less: Vec<String>,
    pub settings_changed: Vec<Change<SettingDescription>>,
    /// What it asks for now and did not, with nothing but the new targets.
    pub requests_more: Vec<Request>,
    pub requests_less: Vec<Request>,
    /// Each thing in which it wants more than before, in words; empty where
    /// nothing has to be accepted.
    pub must_accept: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Change<T> {
    pub from: T,
    pub to: T,
}

impl Difference {
    pub fn between(installed: &Description, new: &Description) -> Self {
        let (roles_more, roles_less) = both_ways(&installed.roles, &new.roles);
        let settings_changed = changed(&installed.settings, &new.settings);
        let requests_more = beyond(&new.requests, &installed.requests);
        let must_accept = roles_more
            .iter()
            .map(|role| format!("it takes the role {role}"))
            .chain(settings_changed.iter().flat_map(exposed))
            .chain(requests_more.iter().map(in_words))
            .collect();
        Self {
            version: change(&installed.version, &new.version),
            digest: change(&installed.digest, &new.digest),
            roles_more,
            roles_less,
            settings_more: missing_in(&installed.settings, &new.settings),
            settings_less: missing_in(&new.settings, &installed.settings)
                .into_iter()
                .map(|setting| setting.name)
                .collect(),
            settings_changed,
            requests_less: beyond(&installed.requests, &new.requests),
            requests_more,
            must_accept,
        }
    }

    /// Whether somebody has to accept it before it replaces the other.
    pub fn asks_for_more(&self) -> bool {
        !self.must_accept.is_empty()
    }

    /// Whether a reader would see any difference but the digest.
    pub fn is_plain(&self) -> bool {
        *self
            == Self {
                version: self.version.clone(),
                digest: self.digest.clone(),
                ..Self::default()
            }
    }
}

fn change<T: Clone + PartialEq>(from: &T, to: &T) -> Option<Change<T>> {
    (from != to).then(|| Change {
        from: from.clone(),
        to: to.clone(),
    })
}

fn both_ways<T: Clone + PartialEq>(old: &[T], new: &[T]) -> (Vec<T>, Vec<T>) {
    let only = |these: &[T], those: &[T]| {
        let these = these.iter().filter(|one| !those.contains(one));
        these.cloned().collect()
    };
    (only(new, old), only(old, new))
}

fn missing_in(these: &[SettingDescription], all: &[SettingDescription]) -> Vec<SettingDescription> {
    let known = |name: &str| these.iter().any(|one| one.name == name);
    let new = all.iter().filter(|setting| !known(&setting.name));
    new.cloned().collect()
}

fn changed(
    old: &[SettingDescription],
    new: &[SettingDescription],
) -> Vec<Change<SettingDescription>> {
    let same_name = |name: &str| old.iter().find(move |one| one.name == name);
    new.iter()
        .filter_map(|setting| change(same_name(&setting.name)?, setting))
        .collect()
}

/// Where a secret that is set already would show itself to more eyes.
fn exposed(setting: &Change<SettingDescription>) -> Vec<String> {
    let Change { from, to } = setting;
    let name = &to.name;
    if from.secret && !to.secret {
        return vec![format!(
            "it no longer takes the setting {name} for a secret"
        )];
    }
    let places = to
        .places
        .iter()
        .filter(|place| !from.places.contains(place));
    places
        .map(|place| format!("it sends the setting {name} in {place} too"))
        .collect()
}

/// The parts of these requests that the others do not cover.
fn beyond(these: &[Request], others: &[Request]) -> Vec<Request> {
    let part = |request: &Request| {
        let of_kind: Vec<&Request> = others
            .iter()
            .filter(|other| other.capability == request.capability)
            .collect();
        let known: Vec<&str> = of_kind
            .iter()
            .flat_map(|other| other.targets.iter().map(String::as_str))
            .collect();
        let new = request
            .targets
            .iter()
            .filter(|target| !covers(&request.capability, &known, target));
        let targets: Vec<String> = new.cloned().collect();
        (of_kind.is_empty() || !targets.is_empty()).then(|| Request {
            targets,
            ..request.clone()
        })
    };
    these.iter().filter_map(part).collect()
}

/// Whether targets that were asked for before allow this one as well.
fn covers(capability: &str, known: &[&str], target: &str) -> bool {
    if known.contains(&target) {
        return true;
    }
    match capability {
        "files" => known.iter().any(|glob| matches_file(glob, target)),
        "http" => covers_http(known, target),
        _ => false,
    }
}

/// A file by its name; of two globs none is said to cover the other.
fn matches_file(glob: &str, file: &str) -> bool {
    let is_name = !file.contains(['*', '?', '[', ']', '{', '}', '!', '\\']);
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    is_name && glob.is_ok_and(|glob| glob.compile_matcher().is_match(file))
}

/// Method by method: `https://a` allows `POST https://a`, and not the other
/// way round.
fn covers_http(known: &[&str], target: &str) -> bool {
    let (methods, origin) = place(target);
    let mut of_origin = known
        .iter()
        .map(|text| place(text))
        .filter(|(_, known)| *known == origin);
    let allows = |method: Option<&String>| {
        of_origin.clone().any(|(methods, _)| {
            methods.is_empty() || method.is_some_and(|method| methods.contains(method))
        })
    };
    match methods.as_slice() {
        [] => of_origin.any(|(methods, _)| methods.is_empty()),
        methods => methods.iter().all(|method| allows(Some(method))),
    }
}

/// Methods, and the origin in its one spelling, or the setting that holds it.
fn place(target: &str) -> (Vec<String>, String) {
    if let Some(target) = HttpTarget::read(target, &BTreeMap::new()) {
        return (target.methods, target.origin);
    }
    match target.split_once(' ') {
        Some((methods, origin)) => (
            methods.split(',').map(str::to_owned).collect(),
            origin.to_owned(),
        ),
        None => (Vec::new(), target.to_owned()),
    }
}

fn in_words(request: &Request) -> String {
    let Request {
        capability,
        targets,
        reason,
    } = request;
    match targets.as_slice() {
        [] => format!("it asks for {capability} (because: {reason})"),
        targets => format!(
            "it asks for {capability} {} (because: {reason})",
            targets.join(", ")
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(capability: &str, targets: &[&str]) -> Request {
        Request {
            capability: capability.into(),
            targets: targets.iter().map(|&target| target.into()).collect(),
            reason: "so".into(),
        }
    }

    fn setting(name: &str, places: &[&str]) -> SettingDescription {
        SettingDescription {
            name: name.into(),
            summary: String::new(),
            required: false,
            secret: !places.is_empty(),
            places: places.iter().map(|place| place.parse().unwrap()).collect(),
        }
    }

    fn plugin(letter: &str, requests: Vec<Request>) -> Description {
        Description {
            name: "hook".parse().unwrap(),
            version: "1.0.0".into(),
            summary: String::new(),
            digest: letter.repeat(64).parse().unwrap(),
            size: 1,
            roles: vec![Role::Notifier],
            settings: vec![setting("token", &["header:authorization"])],
            requests,
        }
    }

    fn more(old: &[(&str, &[&str])], new: &[(&str, &[&str])]) -> Vec<String> {
        let all = |list: &[(&str, &[&str])]| {
            let list = list.iter();
            list.map(|(kind, targets)| request(kind, targets)).collect()
        };
        let (old, new) = (plugin("a", all(old)), plugin("b", all(new)));
        let difference = Difference::between(&old, &new);
        let said = difference.requests_more.iter();
        said.map(|r| format!("{} {}", r.capability, r.targets.join(" ")))
            .collect()
    }

    #[test]
    fn the_same_again_is_no_difference() {
        let one = plugin("a", vec![request("image", &[])]);
        let same = Difference::between(&one, &one);
        assert_eq!(same, Difference::default());
        let rebuilt = Difference::between(&one, &plugin("b", one.requests.clone()));
        assert!(rebuilt.is_plain() && !rebuilt.asks_for_more());
        assert!(rebuilt.digest.is_some());
    }

    #[test]
    fn a_new_capability_and_a_new_target_are_more() {
        assert_eq!(more(&[], &[("image", &[])]), ["image "]);
        assert_eq!(
            more(&[("files", &["a.txt"])], &[("files", &["a.txt", "b.txt"])]),
            ["files b.txt"]
        );
        assert_eq!(
            more(&[("variables", &["A"])], &[("variables", &["A", "B"])]),
            ["variables B"]
        );
        assert_eq!(more(&[], &[("colour", &["red"])]), ["colour red"]);
    }

    #[test]
    fn what_was_allowed_by_a_wider_word_is_not_more() {
        let globs: &[(&str, &[&str])] = &[("files", &["conf/**", "*.toml"])];
        assert!(more(globs, &[("files", &["conf/a/b.yml", "x.toml"])]).is_empty());
        assert_eq!(more(globs, &[("files", &["a/x.toml"])]), ["files a/x.toml"]);
        assert_eq!(more(globs, &[("files", &["conf/*"])]), ["files conf/*"]);

        let any: &[(&str, &[&str])] = &[("http", &["https://a.test"])];
        let post: &[(&str, &[&str])] = &[("http", &["POST https://a.test:443/"])];
        assert!(more(any, post).is_empty());
        assert_eq!(more(post, any), ["http https://a.test"]);
        let two: &[(&str, &[&str])] = &[("http", &["PUT,POST https://a.test"])];
        assert!(more(two, post).is_empty());
        assert_eq!(more(post, two), ["http PUT,POST https://a.test"]);
        let setting: &[(&str, &[&str])] = &[("http", &["setting:url"])];
        assert!(more(setting, &[("http", &["POST setting:url"])]).is_empty());
        assert_eq!(
            more(setting, &[("http", &["setting:other"])]),
            ["http setting:other"]
        );
        // The same port on another scheme is another origin.
        assert_eq!(
            more(any, &[("http", &["http://a.test"])]),
            ["http http://a.test"]
        );
    }

    #[test]
    fn less_is_shown_and_needs_no_yes() {
        let old = plugin("a", vec![request("image", &[]), request("files", &["a"])]);
        let new = plugin("b", vec![request("files", &["a"])]);
        let difference = Difference::between(&old, &new);
        assert_eq!(difference.requests_less, [request("image", &[])]);
        assert!(!difference.asks_for_more() && !difference.is_plain());
    }

    #[test]
    fn a_role_more_and_a_secret_in_more_places_must_be_accepted() {
        let old = plugin("a", vec![]);
        let mut new = plugin("b", vec![]);
        new.roles.push(Role::ReleaseSource);
        new.settings = vec![
            setting("token", &["header:authorization", "query"]),
            setting("other", &["body"]),
        ];
        let difference = Difference::between(&old, &new);
        assert_eq!(
            difference.must_accept,
            [
                "it takes the role release-source",
                "it sends the setting token in query too"
            ]
        );
        assert_eq!(difference.settings_more, [setting("other", &["body"])]);
        new.settings = vec![setting("token", &[])];
        let difference = Difference::between(&old, &new);
        assert!(difference.must_accept.iter().any(|m| m.contains("secret")));
    }
}

//! What a plugin's component must have, and what it may not.

use shipway_core::plugin::Role;

use crate::inspect::{Inspection, Kind, without_version};

/// The engine takes no larger component.
pub const LARGEST: u64 = 64 * 1024 * 1024;

const MANIFEST: &str = "shipway:plugin/manifest";
/// What a host gives a plugin, or at least answers.
const KNOWN: [&str; 2] = ["shipway:plugin/", "wasi:"];

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("it is a core module and no component")]
    NoComponent,
    #[error("it is {0} bytes long, and at most {LARGEST} (64 MiB) are allowed")]
    TooLarge(u64),
    #[error("it does not export {MANIFEST}, so nobody can ask it who it is")]
    NoManifest,
    #[error("it does not export the role {0}")]
    RoleMissing(Role),
    #[error("it exports the role {0}, which the project does not name")]
    RoleUnnamed(Role),
    #[error("it imports {0}, which no host gives a plugin")]
    UnknownImport(String),
}

impl Fault {
    /// What its reader may do.
    pub fn hint(&self) -> Option<String> {
        let file = crate::project::FILE;
        match self {
            Self::RoleMissing(role) => Some(format!(
                "implement {role} and export it, or take it out of roles in {file}"
            )),
            Self::RoleUnnamed(role) => Some(format!("add \"{role}\" to roles in {file}")),
            Self::UnknownImport(_) => Some(
                "take out the library that needs it; a plugin may import shipway:plugin and wasi"
                    .to_owned(),
            ),
            Self::NoComponent | Self::TooLarge(_) | Self::NoManifest => None,
        }
    }
}

/// Holds a component against the roles that its project names.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(seen: &Inspection, roles: &[Role]) -> Result<(), Fault> {
    if seen.kind != Kind::Component {
        return Err(Fault::NoComponent);
    }
    if seen.size > LARGEST {
        return Err(Fault::TooLarge(seen.size));
    }
    let mut interfaces = seen.exports.iter().map(|name| without_version(name));
    if !interfaces.any(|interface| interface == MANIFEST) {
        return Err(Fault::NoManifest);
    }
    if let Some(missing) = roles.iter().find(|role| !seen.roles.contains(role)) {
        return Err(Fault::RoleMissing(*missing));
    }
    if let Some(unnamed) = seen.roles.iter().find(|role| !roles.contains(role)) {
        return Err(Fault::RoleUnnamed(*unnamed));
    }
    let known = |name: &String| KNOWN.iter().any(|prefix| name.starts_with(prefix));
    match seen.imports.iter().find(|name| !known(name)) {
        Some(unknown) => Err(Fault::UnknownImport(unknown.clone())),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(imports: &[&str], exports: &[&str], roles: &[Role]) -> Inspection {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Inspection {
            kind: Kind::Component,
            size: 1000,
            digest: String::new(),
            roles: roles.to_vec(),
            contract: [].into(),
            imports: names(imports),
            exports: names(exports),
            producers: [].into(),
        }
    }

    const MANIFEST_1: &str = "shipway:plugin/manifest@0.1.0";

    #[test]
    fn a_plugin_has_its_roles_and_asks_only_for_what_there_is() {
        let good = seen(
            &["shipway:plugin/http@0.1.0", "wasi:io/streams@0.2.6"],
            &[MANIFEST_1],
            &[Role::Notifier],
        );
        assert_eq!(check(&good, &[Role::Notifier]), Ok(()));
        assert_eq!(
            check(&good, &[Role::Notifier, Role::SelfTest]),
            Err(Fault::RoleMissing(Role::SelfTest))
        );
        assert_eq!(check(&good, &[]), Err(Fault::RoleUnnamed(Role::Notifier)));
    }

    #[test]
    fn each_fault_has_its_word() {
        let silent = seen(&[], &[], &[]);
        assert_eq!(check(&silent, &[]), Err(Fault::NoManifest));
        let strange = seen(&["docs:adder/add"], &[MANIFEST_1], &[]);
        let fault = check(&strange, &[]).unwrap_err();
        assert_eq!(
            fault.to_string(),
            "it imports docs:adder/add, which no host gives a plugin"
        );
        assert!(fault.hint().unwrap().contains("library"));
        let large = Inspection {
            size: LARGEST + 1,
            ..seen(&[], &[MANIFEST_1], &[])
        };
        assert_eq!(check(&large, &[]), Err(Fault::TooLarge(LARGEST + 1)));
        let module = Inspection {
            kind: Kind::CoreModule,
            ..large
        };
        assert_eq!(check(&module, &[]), Err(Fault::NoComponent));
    }
}

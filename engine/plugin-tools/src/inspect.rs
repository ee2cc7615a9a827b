//! What can be said of a component without running it.

use std::collections::BTreeMap;
use std::error::Error;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use shipway_core::plugin::Role;
use wasmparser::{Encoding, Parser, Payload};
use wit_component::DecodedWasm;
use wit_parser::{Resolve, WorldId, WorldKey};

/// What stands before the `@` in the interface that a role exports.
const INTERFACES: [(&str, Role); 3] = [
    ("shipway:release/commands", Role::ReleaseSource),
    ("shipway:notify/notifier", Role::Notifier),
    ("shipway:self-test/checks", Role::SelfTest),
];

/// A look at a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Inspection {
    pub kind: Kind,
    /// In bytes.
    pub size: u64,
    /// SHA-256, in hexadecimal.
    pub digest: String,
    /// By what it exports, sorted.
    pub roles: Vec<Role>,
    /// The packages of the contract that it was built for, and their versions:
    /// `shipway:plugin` → `0.1.0`.
    pub contract: BTreeMap<String, String>,
    /// Interfaces such as `shipway:plugin/http@0.1.0`; of a core module,
    /// `module/name`. Sorted.
    pub imports: Vec<String>,
    pub exports: Vec<String>,
    /// What made it: `language` → `Rust` → its version, where it says so.
    pub producers: BTreeMap<String, BTreeMap<String, String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    Component,
    CoreModule,
}

#[derive(Debug, thiserror::Error)]
pub enum InspectError {
    #[error("it is not WebAssembly")]
    NotWasm,
    #[error("it is a package of WIT and no component")]
    OnlyWit,
    #[error("it is damaged, or made for a newer WebAssembly")]
    Damaged {
        source: Box<dyn Error + Send + Sync>,
    },
}

/// Looks at a component or a core module.
///
/// # Errors
/// When the bytes are neither.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, InspectError> {
    let kind = kind(bytes)?;
    let (imports, exports) = match kind {
        Kind::Component => of_component(bytes)?,
        Kind::CoreModule => of_module(bytes)?,
    };
    Ok(Inspection {
        kind,
        size: bytes.len() as u64,
        digest: digest(bytes),
        roles: roles(&exports),
        contract: contract(imports.iter().chain(&exports)),
        imports,
        exports,
        producers: producers(bytes)?,
    })
}

/// SHA-256 in hexadecimal.
pub fn digest(bytes: &[u8]) -> String {
    let digest = Sha256::digest(bytes);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn damaged(source: impl Into<Box<dyn Error + Send + Sync>>) -> InspectError {
    InspectError::Damaged {
        source: source.into(),
    }
}

fn kind(bytes: &[u8]) -> Result<Kind, InspectError> {
    if !bytes.starts_with(b"\0asm") {
        return Err(InspectError::NotWasm);
    }
    match Parser::new(0).parse_all(bytes).next() {
        Some(Ok(Payload::Version { encoding, .. })) => Ok(match encoding {
            Encoding::Component => Kind::Component,
            Encoding::Module => Kind::CoreModule,
        }),
        Some(Err(error)) => Err(damaged(error)),
        Some(Ok(_)) | None => Err(InspectError::NotWasm),
    }
}

type Names = (Vec<String>, Vec<String>);

fn of_component(bytes: &[u8]) -> Result<Names, InspectError> {
    match wit_component::decode(bytes).map_err(damaged)? {
        DecodedWasm::Component(resolve, world) => Ok(of_world(&resolve, world)),
        DecodedWasm::WitPackage(..) => Err(InspectError::OnlyWit),
    }
}

fn of_world(resolve: &Resolve, world: WorldId) -> Names {
    let Some(world) = resolve.worlds.get(world) else {
        return Names::default();
    };
    let sorted = |keys: Vec<&WorldKey>| {
        let mut names: Vec<String> = keys
            .into_iter()
            .map(|key| resolve.name_world_key(key))
            .collect();
        names.sort();
        names
    };
    (
        sorted(world.imports.keys().collect()),
        sorted(world.exports.keys().collect()),
    )
}

fn of_module(bytes: &[u8]) -> Result<Names, InspectError> {
    let (mut imports, mut exports) = Names::default();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload.map_err(damaged)? {
            Payload::ImportSection(section) => {
                for import in section.into_imports() {
                    let import = import.map_err(damaged)?;
                    imports.push(format!("{}/{}", import.module, import.name));
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    exports.push(export.map_err(damaged)?.name.to_owned());
                }
            }
            _ => {}
        }
    }
    imports.sort();
    exports.sort();
    Ok((imports, exports))
}

fn roles(exports: &[String]) -> Vec<Role> {
    let exported = |interface: &str| {
        exports
            .iter()
            .any(|name| without_version(name) == interface)
    };
    INTERFACES
        .iter()
        .filter(|(interface, _)| exported(interface))
        .map(|(_, role)| *role)
        .collect()
}

/// `shipway:plugin/http` of `shipway:plugin/http@0.1.0`.
pub(crate) fn without_version(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

fn contract<'a>(names: impl Iterator<Item = &'a String>) -> BTreeMap<String, String> {
    names
        .filter(|name| name.starts_with("shipway:"))
        .filter_map(|name| {
            let (interface, version) = name.split_once('@')?;
            let (package, _) = interface.split_once('/')?;
            Some((package.to_owned(), version.to_owned()))
        })
        .collect()
}

fn producers(bytes: &[u8]) -> Result<BTreeMap<String, BTreeMap<String, String>>, InspectError> {
    let mut all: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    // A component's own words and those of the modules in it.
    for payload in Parser::new(0).parse_all(bytes) {
        let Payload::CustomSection(section) = payload.map_err(damaged)? else {
            continue;
        };
        if section.name() != "producers" {
            continue;
        }
        let said = wasm_metadata::Producers::from_bytes(section.data(), 0).map_err(damaged)?;
        for (field, names) in said.iter() {
            let known = all.entry(field.clone()).or_default();
            for (name, version) in names.iter() {
                known.insert(name.clone(), version.clone());
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_told_from_a_component() {
        let module =
            wat::parse_str(r#"(module (import "env" "f" (func)) (memory (export "memory") 1))"#)
                .unwrap();
        let seen = inspect(&module).unwrap();
        assert_eq!(seen.kind, Kind::CoreModule);
        assert_eq!(seen.imports, ["env/f"]);
        assert_eq!(seen.exports, ["memory"]);
        assert_eq!(seen.size, module.len() as u64);
        assert_eq!(seen.digest.len(), 64);
    }

    #[test]
    fn a_component_tells_imports_and_contract() {
        let component = wat::parse_str(
            r#"(component
                (import "shipway:plugin/log@0.1.0" (instance))
                (import "shipway:plugin/log2@0.1.3" (instance))
                (instance $i)
                (export "shipway:notify/notifier@0.1.2" (instance $i))
            )"#,
        )
        .unwrap();
        let seen = inspect(&component).unwrap();
        assert_eq!(seen.kind, Kind::Component);
        assert_eq!(seen.roles, [Role::Notifier]);
        assert_eq!(seen.contract["shipway:notify"], "0.1.2");
        let json = serde_json::to_value(&seen).unwrap();
        assert_eq!(json["kind"], "component");
        assert_eq!(json["roles"][0], "notifier");
    }

    #[test]
    fn what_is_no_component_is_refused_by_name() {
        assert!(matches!(inspect(b"hello"), Err(InspectError::NotWasm)));
        assert!(matches!(inspect(b""), Err(InspectError::NotWasm)));
        assert!(matches!(
            inspect(b"\0asm\x01\0\0\0\x05\xff"),
            Err(InspectError::Damaged { .. })
        ));
    }
}

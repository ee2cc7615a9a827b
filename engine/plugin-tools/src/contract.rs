//! The contract as a project's toolchain reads it: all packages, and a package
//! `shipway:build` with the one world of exactly this project's roles.

use std::borrow::Cow;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use shipway_core::plugin::Role;
use wit_parser::{Resolve, WorldId};

use crate::embedded;
use crate::words::WORLD;

#[derive(Debug, thiserror::Error)]
pub enum ContractError {
    #[error("could not read the contract in {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write the contract to {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{0} does not begin with the package shipway:worlds and its version")]
    NoVersion(PathBuf),
    #[error("the contract in {path} is not understood")]
    Parse {
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The contract, parsed, with the project's world.
#[derive(Debug)]
pub struct Contract {
    pub resolve: Resolve,
    pub world: WorldId,
}

type File = (PathBuf, Cow<'static, [u8]>);

/// Writes the contract for these roles into a folder that holds nothing else.
/// It is the SDK's own if the SDK brings one, so that an older project keeps
/// the contract it was written for.
pub fn write(sdk: &Path, into: &Path, roles: &[Role]) -> Result<Contract, ContractError> {
    let own = sdk.join("wit");
    let files = match own.is_dir() {
        true => read(&own)?,
        false => embedded::under("wit")
            .map(|(path, bytes)| (PathBuf::from(path), Cow::Borrowed(bytes)))
            .collect(),
    };
    write_all(&files, into, roles)?;
    parse(into)
}

fn read(folder: &Path) -> Result<Vec<File>, ContractError> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("deps")];
    let problem = |path: &Path| {
        let path = path.to_owned();
        move |source| ContractError::Read { path, source }
    };
    let worlds = folder.join("shipway.wit");
    let bytes = fs::read(&worlds).map_err(problem(&worlds))?;
    files.push((PathBuf::from("shipway.wit"), Cow::Owned(bytes)));
    while let Some(inside) = folders.pop() {
        let path = folder.join(&inside);
        for entry in fs::read_dir(&path).map_err(problem(&path))? {
            let name = entry.map_err(problem(&path))?.file_name();
            let (inside, full) = (inside.join(&name), path.join(&name));
            if full.is_dir() {
                folders.push(inside);
            } else {
                let bytes = fs::read(&full).map_err(problem(&full))?;
                files.push((inside, Cow::Owned(bytes)));
            }
        }
    }
    Ok(files)
}

fn write_all(files: &[File], into: &Path, roles: &[Role]) -> Result<(), ContractError> {
    let problem = |path: &Path| {
        let path = path.to_owned();
        move |source| ContractError::Write { path, source }
    };
    if into.exists() {
        fs::remove_dir_all(into).map_err(problem(into))?;
    }
    for (path, bytes) in files {
        // The package of all worlds is one of many here.
        let path = match path == Path::new("shipway.wit") {
            true => into.join("deps/worlds/worlds.wit"),
            false => into.join(path),
        };
        let folder = path.parent().unwrap_or(into);
        fs::create_dir_all(folder).map_err(problem(folder))?;
        fs::write(&path, bytes).map_err(problem(&path))?;
    }
    let version = version(files).ok_or_else(|| ContractError::NoVersion(into.to_owned()))?;
    let path = into.join("plugin.wit");
    fs::write(&path, world(roles, &version)).map_err(problem(&path))
}

/// The contract's version: `0.1.0` of `package shipway:worlds@0.1.0;`.
fn version(files: &[File]) -> Option<String> {
    let (_, bytes) = files
        .iter()
        .find(|(path, _)| path == Path::new("shipway.wit"))?;
    let text = std::str::from_utf8(bytes).ok()?;
    let line = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("package shipway:worlds@"))?;
    Some(line.split(';').next()?.trim().to_owned())
}

fn world(roles: &[Role], version: &str) -> String {
    let mut text = String::from("/// Exactly what this plugin is.\npackage shipway:build;\n\n");
    text.push_str(&format!("world {WORLD} {{\n"));
    for role in roles {
        text.push_str(&format!("    include shipway:worlds/{role}@{version};\n"));
    }
    text.push_str("}\n");
    text
}

fn parse(folder: &Path) -> Result<Contract, ContractError> {
    let problem = |path: &Path, source| ContractError::Parse {
        path: path.to_owned(),
        source,
    };
    let mut resolve = Resolve::default();
    let (package, _) = resolve
        .push_dir(folder)
        .map_err(|error| problem(folder, error.into()))?;
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .map_err(|error| problem(folder, error.into()))?;
    Ok(Contract { resolve, world })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(contract: &Contract) -> (Vec<String>, Vec<String>) {
        let world = &contract.resolve.worlds[contract.world];
        let name = |key| contract.resolve.name_world_key(key);
        (
            world.imports.keys().map(name).collect(),
            world.exports.keys().map(name).collect(),
        )
    }

    #[test]
    fn the_world_exports_the_roles_and_no_others() {
        let folder = tempfile::tempdir().unwrap();
        let wit = folder.path().join("wit");
        let contract = write(folder.path(), &wit, &[Role::ReleaseSource, Role::SelfTest]).unwrap();
        let (imports, exports) = names(&contract);
        assert!(
            imports
                .iter()
                .any(|name| name.starts_with("shipway:plugin/http@"))
        );
        let mut exports: Vec<_> = exports
            .iter()
            .map(|name| name.split('@').next().unwrap())
            .collect();
        exports.sort_unstable();
        assert_eq!(
            exports,
            [
                "shipway:plugin/manifest",
                "shipway:release/commands",
                "shipway:self-test/checks"
            ]
        );
    }

    #[test]
    fn an_sdk_that_brings_a_contract_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let sdk = folder.path().join("sdk");
        for (path, bytes) in embedded::under("wit") {
            let path = sdk.join("wit").join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            fs::write(path, text.replace("0.1.0", "0.1.7")).unwrap();
        }
        let wit = folder.path().join("wit");
        fs::create_dir(&wit).unwrap();
        fs::write(wit.join("stale.wit"), "not wit at all").unwrap();
        let contract = write(&sdk, &wit, &[Role::Notifier]).unwrap();
        assert!(
            names(&contract)
                .1
                .contains(&"shipway:notify/notifier@0.1.7".to_owned())
        );
    }

    #[test]
    fn a_broken_contract_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let own = folder.path().join("wit");
        fs::create_dir_all(own.join("deps")).unwrap();
        fs::write(own.join("shipway.wit"), "package nothing;").unwrap();
        let into = folder.path().join("out");
        let error = write(folder.path(), &into, &[Role::Notifier]).unwrap_err();
        assert!(matches!(error, ContractError::NoVersion(_)));
    }
}

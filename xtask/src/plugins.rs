//! `cargo xtask plugins`: the plugins that ship, as components in
//! `target/plugins/`, and the guests that the tests load, in `target/guests/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result};

use crate::guests::{Toolchain, Way};
use crate::house::{BUILD_LIMIT, House, Member};
use crate::{run, say};

const PREFIX: &str = "shipway-plugin-";
/// Whose crates are components, and where these are put.
const KINDS: [(&str, &str); 2] = [("plugins/", "plugins"), ("tests/guests/", "guests")];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Which toolchain builds them
    #[arg(long, value_enum, default_value = "auto")]
    toolchain: Way,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    for made in build(&house, arguments.toolchain)? {
        let size = fs::metadata(&made.path).map_or(0, |file| file.len());
        let path = made.path.strip_prefix(&house.root).unwrap_or(&made.path);
        say::line(format_args!(
            "{:<14} {:>5} KB  {}",
            made.name,
            size.div_ceil(1024),
            path.display()
        ));
    }
    Ok(ExitCode::SUCCESS)
}

/// A component, ready to be installed.
#[derive(Debug)]
pub struct Made {
    pub name: String,
    pub path: PathBuf,
}

/// Builds all of them; quick when they are up to date.
pub fn build(house: &House, way: Way) -> Result<Vec<Made>> {
    let members: Vec<(Member, &str)> = house.members().into_iter().filter_map(component).collect();
    let toolchain = Toolchain::find(house, way)?;
    let mut command = toolchain.build(house);
    for (member, _) in &members {
        command.args(["--package", &member.name]);
    }
    run::run(&mut command, BUILD_LIMIT).context("building the plugins")?;
    let artifacts = toolchain.artifacts(house);
    members
        .iter()
        .map(|(member, folder)| put(member, &artifacts, &house.target.join(folder)))
        .collect()
}

fn component(member: Member) -> Option<(Member, &'static str)> {
    let (_, folder) = KINDS
        .into_iter()
        .find(|(prefix, _)| member.folder.starts_with(prefix))?;
    Some((member, folder))
}

/// Copies a component to where it is looked for, unless the same is there: who
/// watches the file sees it change only when it did.
fn put(member: &Member, artifacts: &Path, folder: &Path) -> Result<Made> {
    let made = artifacts.join(format!("{}.wasm", member.name.replace('-', "_")));
    let bytes = fs::read(&made).with_context(|| format!("reading {}", made.display()))?;
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let name = short_name(member);
    let path = folder.join(format!("{name}.wasm"));
    if fs::read(&path).is_ok_and(|there| there == bytes) {
        return Ok(Made { name, path });
    }
    let part = path.with_extension("part");
    fs::write(&part, bytes).with_context(|| format!("writing {}", part.display()))?;
    fs::rename(&part, &path).with_context(|| format!("writing {}", path.display()))?;
    Ok(Made { name, path })
}

/// The last part of its folder: what people call it.
fn short_name(member: &Member) -> String {
    let folder = member.folder.rsplit('/').next();
    let name = folder.unwrap_or(&member.name);
    name.strip_prefix(PREFIX).unwrap_or(name).to_owned()
}

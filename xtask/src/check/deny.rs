//! cargo-deny: licenses, sources and bans, as `deny.toml` says; advisories
//! where their database can be fetched.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::house::{BUILD_LIMIT, House};
use crate::{run, say};

const CHECK_LIMIT: Duration = Duration::from_secs(300);
const ASK_LIMIT: Duration = Duration::from_secs(20);
/// The database is a Git repository of some 10 MB.
const ADVISORIES_LIMIT: Duration = Duration::from_secs(120);

pub fn check(house: &House) -> Result<()> {
    let tool = tool(house)?;
    let deny = |checks: &[&str]| {
        // By its own name, not as `cargo deny`: the one we installed is meant.
        let mut command = std::process::Command::new(&tool);
        command
            .current_dir(&house.root)
            .env("CARGO", house.cargo().get_program())
            .args([
                "--color",
                "never",
                "--workspace",
                "check",
                "--hide-inclusion-graph",
            ])
            .args(checks);
        command
    };
    run::run(&mut deny(&["bans", "licenses", "sources"]), CHECK_LIMIT)?;
    let advisories = run::capture(&mut deny(&["advisories"]), ADVISORIES_LIMIT)?;
    if advisories.status.success() {
        return Ok(());
    }
    if is_about_the_database(&advisories.err) {
        say::note("check: advisories were not looked at: their database cannot be fetched here");
        return Ok(());
    }
    anyhow::bail!("advisories:\n{}", run::last_lines(&advisories.err, 60))
}

/// Not being able to fetch the database says nothing about our dependencies.
fn is_about_the_database(output: &str) -> bool {
    output.contains("failed to fetch advisory database")
        || output.contains("failed to load advisory database")
}

/// The program on the path, or one installed for this workspace.
fn tool(house: &House) -> Result<PathBuf> {
    let root = house.tools();
    for tool in [PathBuf::from("cargo-deny"), root.join("bin/cargo-deny")] {
        if run::succeeds(
            std::process::Command::new(&tool).arg("--version"),
            ASK_LIMIT,
        ) {
            return Ok(tool);
        }
    }
    say::note("installing cargo-deny into target/tools (some minutes, once)");
    let mut command = house.cargo();
    // Unoptimised: it runs for a second, and is built in a third of the time.
    command
        .args([
            "install",
            "--locked",
            "--quiet",
            "--debug",
            "--no-default-features",
        ])
        .arg("--root")
        .arg(&root)
        .arg("cargo-deny")
        .env("CARGO_TARGET_DIR", root.join("build"));
    run::run(&mut command, BUILD_LIMIT).context("installing cargo-deny")?;
    // Built once; what it was built from is a gigabyte that nobody needs again.
    let _ = std::fs::remove_dir_all(root.join("build"));
    Ok(root.join("bin/cargo-deny"))
}

//! The app that is deployed, and the backend of the proxies: a program of one
//! file, made by rustc alone.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::house::House;
use crate::run;

const COMPILE_LIMIT: Duration = Duration::from_secs(180);

/// Builds it, with nothing to link at run time: it runs in an empty image too.
pub fn build(house: &House) -> Result<PathBuf> {
    let folder = house.target.join("bench");
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let program = folder.join("bench-app");
    // Beside, then renamed: another run may be starting instances of it.
    let new = folder.join(format!("bench-app-{}", std::process::id()));
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    rustc
        .current_dir(&house.root)
        .args(["--edition", "2024", "-O"])
        .args(["-C", "target-feature=+crt-static", "-C", "strip=symbols"])
        .arg(house.path("xtask/examples/bench-app.rs"))
        .arg("-o")
        .arg(&new);
    run::output(&mut rustc, COMPILE_LIMIT).context("building the app of the benchmark")?;
    std::fs::rename(&new, &program).with_context(|| format!("making {}", program.display()))?;
    Ok(program)
}

//! What stays in a container engine when its app is deleted: images, for the
//! next deployment of the same commit, and volumes, because data is not
//! Shipway's to throw away. The demo's own are nobody's.

use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::run;

const LIMIT: Duration = Duration::from_secs(60);

/// Removes what the demo's app left.
///
/// # Errors
/// Containers should have been gone: they are removed too, and named.
pub fn remove(app: &str) -> Result<()> {
    let containers = labelled(&["ps", "--all", "--quiet"], app)?;
    remove_all(&["rm", "--force", "--volumes"], &containers)?;
    remove_all(
        &["volume", "rm"],
        &labelled(&["volume", "ls", "--quiet"], app)?,
    )?;
    remove_all(&["rmi", "--force"], &labelled(&["images", "--quiet"], app)?)?;
    ensure!(
        containers.is_empty(),
        "containers were left over and had to be removed: {}",
        containers.join(", ")
    );
    Ok(())
}

fn labelled(list: &[&str], app: &str) -> Result<Vec<String>> {
    let filter = format!("label=shipway.app={app}");
    let listed = docker(&[list, &["--filter", &filter]].concat())?;
    let mut names: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
    // An image with two tags is listed twice.
    names.dedup();
    Ok(names)
}

fn remove_all(remove: &[&str], names: &[String]) -> Result<()> {
    if names.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    docker(&[remove, &names].concat()).map(drop)
}

fn docker(arguments: &[&str]) -> Result<String> {
    run::output(Command::new("docker").args(arguments), LIMIT)
}

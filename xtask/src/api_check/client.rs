//! A client in Python, generated from the description and nothing else, makes a
//! deployment through it: what `docs/api.md` advises, word for word.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::Heard;
use crate::conformance::from_python_packages;
use crate::house::House;
use crate::run;
use crate::stage::Stage;

/// It also brings what a generated client stands on: httpx and attrs.
const GENERATOR: &str = "openapi-python-client==0.29.1";
/// Relative to the repository.
const CLIENT: &str = "tests/client";
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// `repository` is what the client deploys.
pub fn check(
    house: &House,
    stage: &Stage,
    token: &str,
    repository: &Path,
    heard: Heard<'_>,
) -> Result<()> {
    let tools = from_python_packages(house, "openapi-python-client", GENERATOR)?;
    let generated = stage.folder().join("client");
    let server = format!("http://{}", stage.api);
    let mut generate = Command::new(tools.join("openapi-python-client"));
    generate
        .current_dir(stage.folder())
        .args(["generate", "--meta", "none", "--overwrite"])
        .args(["--url", &format!("{server}/openapi.json")])
        .arg("--config")
        .arg(house.path(CLIENT).join("generator.yaml"))
        .arg("--output-path")
        .arg(generated.join("shipway"));
    let mut said = String::new();
    let status = run::lines(&mut generate, LIMIT, |line| {
        said.push_str(line);
        said.push('\n');
    })?;
    // It leaves out what it cannot do, and says so.
    let left_out = ["WARNING", "Warning", "Unable", "Error"];
    ensure!(
        status.success() && !left_out.iter().any(|word| said.contains(word)),
        "the generator does not understand all of the description:\n{said}"
    );
    let mut story = Command::new(tools.join("python"));
    story
        .arg(house.path(CLIENT).join("deploy.py"))
        .arg(repository)
        .env("PYTHONPATH", &generated)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("SHIPWAY_SERVER", &server)
        .env("SHIPWAY_TOKEN", token)
        .env("NO_PROXY", "*");
    let status = run::lines(&mut story, LIMIT, |line| heard(line))?;
    ensure!(status.success(), "the generated client could not deploy");
    Ok(())
}

//! An app that is deployed with a release source of each language, made by
//! `shipway plugin new` and `build`: its release command runs.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::language::search_path;
use super::outcome::Spoken;
use super::shipway::Shipway;
use super::template;
use crate::demo::repository::Repository;
use crate::house::House;
use crate::parts::{GIT, PYTHON};
use crate::run;
use crate::stage::Stage;

const COMMAND_LIMIT: Duration = Duration::from_secs(120);
const PLACE: &str = "shop/live";

/// One engine, one app, and a deployment for each language that has a release
/// source to offer.
///
/// # Errors
/// Only what concerns no language: the engine does not come up, or leaves
/// something behind.
pub fn all(house: &House, shipway: &Shipway, spoken: &mut [Spoken]) -> Result<()> {
    GIT.bring()?;
    PYTHON.bring()?;
    let parent = house.target.join("conformance");
    let mut stage = Stage::new(shipway.program.clone(), &parent, "stage")?;
    let tools: Vec<_> = spoken.iter().flat_map(|one| one.tools.clone()).collect();
    // Release commands look for programs where the engine does.
    stage.start_with(&[("PATH", search_path(&tools))])?;
    let marks = prepare(house, &stage)?;
    for one in spoken.iter_mut() {
        let Some(component) = one.release_source() else {
            continue;
        };
        let outcome = deploy(&stage, one, &component, &marks);
        one.deployed = Some(outcome.map_err(|error| format!("{error:#}")));
    }
    let folder = stage.folder().to_owned();
    call(&stage, &["app", "delete", "shop", "--yes"])?;
    stage.stop()?;
    let _ = fs::remove_dir_all(folder);
    Ok(())
}

/// The app, and the file in which its release command leaves a mark.
fn prepare(house: &House, stage: &Stage) -> Result<std::path::PathBuf> {
    let repository = Repository::new(
        stage.folder().join("repository"),
        house.path("tests/conformance"),
    )?;
    repository.commit("app", "An app with one release command")?;
    let path = repository.path.to_string_lossy();
    call(stage, &["app", "create", "shop", "--repository", &path])?;
    call(stage, &["env", "create", PLACE, "--runtime", "process"])?;
    let marks = stage.folder().join("marks");
    let variable = format!("MARKS={}", marks.display());
    call(stage, &["var", "set", PLACE, &variable])?;
    Ok(marks)
}

fn deploy(stage: &Stage, spoken: &Spoken, component: &Path, marks: &Path) -> Result<()> {
    let language = spoken.language;
    let variable = format!("LANGUAGE={}", language.name);
    call(stage, &["var", "set", PLACE, &variable])?;
    let component = component.to_string_lossy();
    call(stage, &["plugin", "add", &component, "--grant-requested"])?;
    let deployed = call(stage, &["deploy", PLACE]);
    call(
        stage,
        &["plugin", "remove", &template::name(language), "--yes"],
    )?;
    deployed?;
    let marks = fs::read_to_string(marks).context("no release command ran")?;
    let runs = marks.lines().filter(|line| *line == language.name).count();
    ensure!(runs == 1, "the release command ran {runs} times");
    Ok(())
}

fn call(stage: &Stage, arguments: &[&str]) -> Result<()> {
    let mut command = stage.shipway();
    run::output(command.args(arguments), COMMAND_LIMIT).map(drop)
}

//! `cargo xtask api-check`: holds a running engine's API to its own description,
//! by requests that schemathesis makes from it, valid and not: no answer may be
//! a failure of the engine's, or one that the description does not have. Before,
//! a client that was generated from the description deploys an app.

mod client;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::conformance::from_python_packages;
use crate::demo::repository::Repository;
use crate::house::{House, Profile};
use crate::http::{Client, Request};
use crate::parts::{GIT, PYTHON};
use crate::stage::Stage;
use crate::{run, say};

const SCHEMATHESIS: &str = "schemathesis==4.32.5";
/// Its verdict is that of the whole.
const LIMIT: Duration = Duration::from_secs(20 * 60);
/// What the description promises of every answer, and that nothing else is
/// taken. Whether a request that fits the description is taken depends on what
/// is there, so that is not among them.
const CHECKS: [&str; 8] = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
    "unsupported_method",
    NEGATIVE,
];
const NEGATIVE: &str = "negative_data_rejection";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Requests of each kind for each operation
    #[arg(long, default_value_t = 30)]
    examples: u32,
    /// Decides which requests are made
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

impl Default for Arguments {
    fn default() -> Self {
        Self {
            examples: 10,
            seed: 1,
        }
    }
}

/// Told every line.
type Heard<'a> = &'a mut (dyn FnMut(&str) + Send);

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    let program = house.build_shipway(Profile::Dev)?;
    run_built(&house, program, arguments, &mut |line| say::line(line))
}

/// With a program that is built already.
pub fn run_built(
    house: &House,
    program: PathBuf,
    arguments: &Arguments,
    heard: Heard<'_>,
) -> Result<ExitCode> {
    GIT.bring()?;
    PYTHON.bring()?;
    let tools = from_python_packages(house, "schemathesis", SCHEMATHESIS)?;
    let parent = house.path("target/tmp");
    fs::create_dir_all(&parent).with_context(|| format!("making {}", parent.display()))?;
    let mut stage = Stage::new(program, &parent, "api")?;
    let checked = check(house, &mut stage, &tools, arguments, heard);
    let logs = stage.logs();
    stage.stop()?;
    match checked {
        Ok(()) => {
            heard("api-check: ok");
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            heard(&logs);
            heard(&format!("api-check: failed, {error:#}"));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn check(
    house: &House,
    stage: &mut Stage,
    tools: &Path,
    arguments: &Arguments,
    heard: Heard<'_>,
) -> Result<()> {
    stage.start_unlimited()?;
    let token = stage.token()?;
    let tiny = repository(house, stage, "tests/apps", "tiny")?;
    client::check(house, stage, &token, &tiny, heard)?;
    // Without the plugin that it asks for it never gets as far as to run.
    let guestbook = repository(house, stage, "examples/apps/guestbook", "v1")?;
    let deployment = furnish(stage, &token, &guestbook)?;
    let config = stage.folder().join("schemathesis.toml");
    fs::write(&config, checks() + &names(&deployment)).context("writing what is there")?;
    let mut command = Command::new(tools.join("schemathesis"));
    command
        .current_dir(stage.folder())
        .arg("--config-file")
        .arg(&config)
        .arg("run")
        .arg(format!("http://{}/openapi.json", stage.api))
        .args(["--header", &format!("Authorization: Bearer {token}")])
        .args(["--phases", "examples,coverage,fuzzing"])
        .args(["--max-examples", &arguments.examples.to_string()])
        .args(["--seed", &arguments.seed.to_string()])
        .args(["--request-timeout", "60", "--no-color"])
        .args(["--suppress-health-check", "all"])
        // Schemathesis has no way to make components.
        .args(["--exclude-operation-id", "install_plugin"])
        .args(["--exclude-operation-id", "inspect_plugin"]);
    let status = run::lines(&mut command, LIMIT, |line| heard(line))?;
    ensure!(status.success(), "what is above is not as described");
    Ok(())
}

fn repository(house: &House, stage: &Stage, examples: &str, version: &str) -> Result<PathBuf> {
    let folder = stage.folder().join(version);
    Repository::new(folder.clone(), house.path(examples))?.commit(version, "Version 1")?;
    Ok(folder)
}

/// An app with an environment, a command and a deployment, whose names the
/// requests use.
fn furnish(stage: &Stage, token: &str, repository: &Path) -> Result<String> {
    let path = repository.to_string_lossy();
    let ask = |path: &str, body: Value| post(stage, token, path, &body);
    ask("/v1/apps", json!({"name": "guestbook", "repository": path}))?;
    ask("/v1/apps/guestbook/environments", json!({"name": "live"}))?;
    let live = "/v1/apps/guestbook/environments/live";
    let command = json!({"label": "Migrate", "run": "true"});
    ask(&format!("{live}/release-commands"), command)?;
    let made = ask(&format!("{live}/deployments"), json!({"reference": "none"}))?;
    let id = made["id"].as_str().context("a deployment without an id")?;
    Ok(id.to_owned())
}

fn post(stage: &Stage, token: &str, path: &str, body: &Value) -> Result<Value> {
    let host = stage.api.to_string();
    let body = body.to_string();
    let bearer = format!("Bearer {token}");
    let request = Request {
        method: "POST",
        headers: &[
            ("Authorization", &bearer),
            ("Content-Type", "application/json"),
        ],
        body: body.as_bytes(),
        ..Request::get(&host, path)
    };
    let response = Client::new(stage.api).send(&request)?;
    ensure!(response.status < 300, "{path}: {}", response.text());
    response.json()
}

/// Not of the command line, whose checks hold for every operation. A merge
/// patch takes null at any depth; its schema says so of the first.
fn checks() -> String {
    let each = CHECKS.map(|check| format!("{check}.enabled = true\n"));
    format!(
        "[checks]\nenabled = false\n{}\n[[operations]]\n\
         include-name = \"PATCH /v1/apps/{{app}}/environments/{{environment}}\"\n\
         checks.{NEGATIVE}.enabled = false\n\n",
        each.concat()
    )
}

/// What is there, for the parts of paths; what deletes it has other names.
fn names(deployment: &str) -> String {
    let gone = |operation: &str, parameter: &str| {
        format!(
            "[[operations]]\ninclude-name = \"{operation}\"\nparameters = {{ \"path.{parameter}\" = \"gone\" }}\n"
        )
    };
    format!(
        "[parameters]\n\"path.app\" = \"guestbook\"\n\"path.environment\" = \"live\"\n\
         \"path.deployment\" = \"{deployment}\"\n\"path.label\" = \"Migrate\"\n\n{}\n{}\n{}",
        gone("DELETE /v1/apps/{app}", "app"),
        // It would find the name of its own token in an answer.
        gone("DELETE /v1/tokens/{token}", "token"),
        gone(
            "DELETE /v1/apps/{app}/environments/{environment}",
            "environment"
        ),
    )
}

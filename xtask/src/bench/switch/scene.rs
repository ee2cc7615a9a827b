//! The app, its repository and its engine; one commit a deployment.

use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::json;

use super::crowd::micros;
use super::visit::{Site, number};
use crate::bench::api::{Api, Journal};
use crate::demo::repository::Repository;
use crate::demo::{Runtime, leftovers};
use crate::house::House;
use crate::parts::{GIT, Images};
use crate::stage::Stage;

const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(180);
const STATIC_IMAGE: &str = "shipway-test/static:1";
/// A shell in front, since a program with process id 1 does not hear SIGTERM.
const DOCKERFILE: &str = r#"FROM shipway-test/static:1
COPY . /srv
CMD ["sh", "-c", "trap 'kill $!; exit 0' TERM; /srv/bench-app & wait"]
"#;

pub struct Scene {
    pub stage: Stage,
    runtime: Runtime,
    app: String,
    place: String,
    repository: Repository,
    api: Option<Api>,
}

/// A deployment's moments, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Moments {
    pub deployment: u128,
    pub triggered: u64,
    /// The proxy was about to be asked.
    pub switching: u64,
    /// The proxy had confirmed: each request from here on is the new one's.
    pub switched: u64,
    pub ended: u64,
    /// Requests that the engine itself says it cut off.
    pub cut_off: u64,
}

impl Scene {
    pub fn new(
        house: &House,
        program: std::path::PathBuf,
        runtime: Runtime,
        app: &Path,
    ) -> Result<Self> {
        GIT.bring()?;
        if runtime == Runtime::Docker {
            let images = Images::of(house);
            images.engine()?;
            images.image("static-image.sh", STATIC_IMAGE)?;
        }
        let stage = Stage::new(program, &house.target.join("bench"), "switch")?;
        let repository = Repository::new(stage.folder().join("repository"), "/nowhere".into())?;
        lay(&repository.path, runtime, app)?;
        let name = format!("switch-bench-{}", std::process::id());
        Ok(Self {
            stage,
            runtime,
            place: format!("{name}/live"),
            app: name,
            repository,
            api: None,
        })
    }

    pub fn site(&self, long: Duration) -> Site {
        Site {
            address: self.stage.proxy,
            host: format!("live.{}.localhost", self.app),
            long,
        }
    }

    /// The engine, the app, and its first version.
    pub fn start(&mut self, instances: u32) -> Result<()> {
        self.stage.start()?;
        let mut api = Api::of(&self.stage, &self.stage.token()?);
        let app = json!({"name": self.app, "repository": self.repository.path});
        api.call("POST", "/v1/apps", Some(&app))?;
        let environment = json!({
            "name": "live",
            "runtime": self.runtime.name(),
            "processes": {"web": {"instances": instances}},
        });
        let path = format!("/v1/apps/{}/environments", self.app);
        api.call("POST", &path, Some(&environment))?;
        self.api = Some(api);
        self.deploy(0).map(drop)
    }

    /// The next commit, deployed to its ending.
    pub fn deploy(&mut self, version: u32) -> Result<Moments> {
        let file = self.repository.path.join("version");
        fs::write(&file, version.to_string())
            .with_context(|| format!("writing {}", file.display()))?;
        self.repository.commit_all(&format!("Version {version}"))?;
        let api = self.api.as_mut().context("the engine does not run")?;
        let triggered = SystemTime::now();
        let id = api.trigger(&self.place)?;
        let journal = api.journal(&id, DEPLOYMENT_LIMIT)?;
        journal.expect_success()?;
        moments(&id, &journal, triggered)
    }

    /// Takes everything down, and leaves nothing in the container engine.
    pub fn clear(&mut self) -> Result<()> {
        let deleted = match &mut self.api {
            Some(api) => {
                let app = format!("/v1/apps/{}", self.app);
                let environment = format!("{app}/environments/live");
                api.call("DELETE", &environment, None)
                    .and_then(|_| api.call("DELETE", &app, None))
                    .map(drop)
            }
            None => Ok(()),
        };
        let stopped = self.stage.stop();
        let removed = match self.runtime {
            Runtime::Process => Ok(()),
            Runtime::Docker => leftovers::remove(&self.app),
        };
        let _ = fs::remove_dir_all(self.stage.folder());
        deleted.and(stopped).and(removed)
    }
}

fn moments(id: &str, journal: &Journal, triggered: SystemTime) -> Result<Moments> {
    Ok(Moments {
        deployment: number(id)?,
        triggered: micros(triggered),
        switching: micros(journal.started("switch")?),
        switched: micros(journal.done("switch")?),
        ended: micros(journal.done("retire")?),
        cut_off: journal.cut_off(),
    })
}

/// The files of the repository but its version.
fn lay(repository: &Path, runtime: Runtime, app: &Path) -> Result<()> {
    let write = |name: &str, text: String| {
        fs::write(repository.join(name), text).with_context(|| format!("writing {name}"))
    };
    match runtime {
        Runtime::Process => write("Procfile", format!("web: exec {}\n", app.display())),
        Runtime::Docker => {
            fs::copy(app, repository.join("bench-app")).context("copying the app")?;
            write("Dockerfile", DOCKERFILE.to_owned())
        }
    }
}

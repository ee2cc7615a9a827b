//! The machine's Docker engine, an app of the test's own on it, and a way to
//! leave nothing behind.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use bollard::Docker;
use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, ListVolumesOptionsBuilder,
    RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder, RemoveVolumeOptions,
};
use shipway_core::environment::{BuildSettings, EnvironmentKey};
use shipway_core::journal::Image;
use shipway_core::name::{CommitId, DeploymentId};
use shipway_core::ports::runtime::{BuildRequest, ImageKey, Runtime, RuntimeError};
use shipway_runtime::docker::{Builder, DockerConfig, DockerRuntime};
use tokio::sync::OnceCell;

use crate::conformance::Fixture;
use crate::conformance::recorder::Lines;

pub const BASE: &str = "shipway-test/static:1";
pub const DOCKERFILE: &str = "FROM shipway-test/static:1\nCOPY . /srv/\nWORKDIR /srv\n";
/// Answers 200 to `GET /` when there is an `index.html`.
pub const WEB: &str = "exec httpd -f -p \"$PORT\" -h /srv";

pub struct Machine {
    pub runtime: Arc<DockerRuntime>,
    pub docker: Docker,
    pub environment: EnvironmentKey,
    directory: tempfile::TempDir,
}

impl Machine {
    /// None where no engine answers.
    pub async fn new(app: &str) -> Option<Self> {
        Self::with(app, DockerConfig::default()).await
    }

    pub async fn with(app: &str, config: DockerConfig) -> Option<Self> {
        let runtime = DockerRuntime::connect(config).unwrap();
        if let Err(error) = runtime.ready().await {
            assert!(
                std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_none(),
                "{error}"
            );
            eprintln!("NOT RUN: {error}");
            return None;
        }
        let host = std::env::var("DOCKER_HOST").unwrap_or("unix:///var/run/docker.sock".into());
        let docker = Docker::connect_with_host(&host).unwrap();
        let docker = docker.negotiate_version().await.unwrap();
        base_image(&docker).await;
        let unique = uuid::Uuid::now_v7().simple().to_string();
        let environment = EnvironmentKey {
            app: format!("it-{app}-{}", &unique[20..]).parse().unwrap(),
            environment: "test".parse().unwrap(),
        };
        Some(Self {
            runtime: Arc::new(runtime),
            docker,
            environment,
            directory: tempfile::tempdir().unwrap(),
        })
    }

    /// Puts a file into the working directory.
    pub fn write(&self, path: &str, text: &str) {
        let path = self.directory.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn request(&self) -> BuildRequest {
        BuildRequest {
            key: ImageKey {
                app: self.environment.app.clone(),
                commit: commit('a'),
                build: BuildSettings::default(),
            },
            environment: self.environment.clone(),
            deployment: deployment(),
            directory: self.directory.path().to_owned(),
            timeout: Duration::from_secs(120),
        }
    }

    /// Builds what is in the working directory. Gives the result and what was
    /// said.
    pub async fn build(&self, request: &BuildRequest) -> (Result<Image, RuntimeError>, String) {
        let lines = Arc::new(Lines::default());
        let built = self.runtime.build(request, lines.clone()).await;
        (built, lines.text())
    }

    /// For the cases that every runtime must pass.
    pub async fn fixture(&self, web: &str) -> Fixture {
        self.fixture_from(DOCKERFILE, web).await
    }

    pub async fn fixture_from(&self, dockerfile: &str, web: &str) -> Fixture {
        self.write("Dockerfile", dockerfile);
        self.write("index.html", "hello\n");
        let build = self.request();
        let (image, said) = self.build(&build).await;
        let another = || Arc::new(DockerRuntime::connect(DockerConfig::default()).unwrap());
        Fixture {
            runtime: self.runtime.clone(),
            another: Box::new(move || another()),
            image: image.unwrap_or_else(|error| panic!("{error}: {said}")),
            build,
            web: web.to_owned(),
            port: 8000,
        }
    }

    /// Names of the containers with this label, running or not.
    pub async fn containers(&self, label: &str) -> Vec<String> {
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&HashMap::from([("label", vec![label])]))
            .build();
        let found = self.docker.list_containers(Some(options)).await.unwrap();
        let names = found.into_iter().flat_map(|container| container.names);
        names.flatten().collect()
    }

    /// Ids of the app's images.
    pub async fn images(&self) -> Vec<String> {
        let label = format!("shipway.app={}", self.environment.app);
        let options = ListImagesOptionsBuilder::default()
            .filters(&HashMap::from([("label", vec![label])]))
            .build();
        let found = self.docker.list_images(Some(options)).await.unwrap();
        found.into_iter().map(|image| image.id).collect()
    }

    pub async fn remove_container(&self, id: &str) {
        let options = RemoveContainerOptionsBuilder::default().force(true).build();
        let removing = self.docker.remove_container(id, Some(options));
        removing.await.unwrap();
    }

    /// Removes all that the test made.
    pub async fn clean(&self) {
        let label = format!("shipway.app={}", self.environment.app);
        for name in self.containers(&label).await {
            self.remove_container(name.trim_start_matches('/')).await;
        }
        let options = ListVolumesOptionsBuilder::default()
            .filters(&HashMap::from([("label", vec![label])]))
            .build();
        let volumes = self.docker.list_volumes(Some(options)).await.unwrap();
        for volume in volumes.volumes.into_iter().flatten() {
            let removing = self
                .docker
                .remove_volume(&volume.name, None::<RemoveVolumeOptions>);
            removing.await.unwrap();
        }
        for id in self.images().await {
            let options = RemoveImageOptionsBuilder::default().force(true).build();
            let _in_use = self.docker.remove_image(&id, Some(options), None).await;
        }
    }
}

pub fn classic() -> DockerConfig {
    DockerConfig {
        builder: Builder::Classic,
        ..DockerConfig::default()
    }
}

pub fn commit(digit: char) -> CommitId {
    digit.to_string().repeat(40).parse().unwrap()
}

pub fn deployment() -> DeploymentId {
    DeploymentId(uuid::Uuid::now_v7())
}

/// Has the repository's own script make the base image where it is not there.
async fn base_image(docker: &Docker) {
    static MADE: OnceCell<()> = OnceCell::const_new();
    MADE.get_or_init(|| async {
        if docker.inspect_image(BASE).await.is_ok() {
            return;
        }
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        let made = Command::new("sh")
            .arg(root.join("tests/images/static-image.sh"))
            .arg(BASE)
            .arg(root.join(".cache/images"))
            .status();
        assert!(made.unwrap().success(), "{BASE} could not be made");
    })
    .await;
}

//! What a deployment and a mere plan have in common: an app, an environment, a
//! commit to look at, and the sources to ask.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::app::App;
use shipway_core::ending::{Failure, Reason};
use shipway_core::environment::Environment;
use shipway_core::file::{FILE_NAME, File};
use shipway_core::journal::{Commit, Image};
use shipway_core::name::{DeploymentId, PluginName};
use shipway_core::pipeline::Step;
use shipway_core::plan::{self, Collected, Draft, Plan, PlannedPlugin};
use shipway_core::plugin::{Enabled, Installed, Role};
use shipway_core::ports::plugins::{Call, Endpoint, ImageProbe};
use shipway_core::ports::runtime::{ImageKey, ProbeOutput, ProbeRequest, Runtime, RuntimeError};
use shipway_core::ports::source::{Checkout, CheckoutRequest, FilesError};
use shipway_core::procfile;

use crate::failures::{self, Broken};
use crate::log::Log;
use crate::world::World;

/// `Procfile` and `shipway.toml` are small; anything else is a mistake.
const FILE_LIMIT: u64 = 256 * 1024;
/// The limits of the image probe, as the plugin contract states them.
const PROBE_TIMEOUT: Duration = Duration::from_secs(60);
const PROBE_LIMIT: usize = 1024 * 1024;

#[derive(Debug)]
pub struct Scene {
    pub world: World,
    pub app: App,
    pub environment: Environment,
    pub runtime: Arc<dyn Runtime>,
    pub deployment: DeploymentId,
    pub reference: String,
    pub log: Log,
}

impl Scene {
    /// Checks the commit out. A second call with the commit's own id gives the
    /// same tree again without the network.
    pub async fn check_out(&self, reference: &str) -> Result<Checkout, Failure> {
        let request = CheckoutRequest {
            app: self.app.name.clone(),
            repository: self.app.repository.clone(),
            reference: reference.to_owned(),
            deployment: self.deployment,
        };
        self.world
            .source
            .check_out(&request)
            .await
            .map_err(|error| failures::of_source(&error))
    }

    /// What settings and files say, before any plugin is asked.
    pub fn draft(&self, step: Step, checkout: &Checkout) -> Result<Draft, Broken> {
        let bad_file = |message: String| Failure::new(step, Reason::Build, message);
        let file = match self.read(step, checkout, FILE_NAME)? {
            Some(text) => File::parse(&text).map_err(|error| bad_file(error.to_string()))?,
            None => File::default(),
        };
        let procfile = self.read(step, checkout, "Procfile")?.unwrap_or_default();
        let process_types = procfile::process_types(&procfile);
        plan::draft(&self.environment, &file, &process_types)
            .map_err(|error| failures::of_plan(step, &error).into())
    }

    fn read(&self, step: Step, checkout: &Checkout, path: &str) -> Result<Option<String>, Broken> {
        let message = match checkout.files.read(path, FILE_LIMIT).map(String::from_utf8) {
            Ok(Ok(text)) => return Ok(Some(text)),
            Err(FilesError::NotFound(_)) => return Ok(None),
            Ok(Err(_)) => format!("{path} is not UTF-8 text"),
            Err(error) => failures::sentence(&error),
        };
        Err(Failure::new(step, Reason::Build, message).into())
    }

    /// An image of the same commit and build settings: the app's own, from
    /// whichever environment, or that of the app it mirrors.
    pub async fn find_image(
        &self,
        commit: &Commit,
        draft: &Draft,
    ) -> Result<Option<Image>, RuntimeError> {
        for app in std::iter::once(&self.app.name).chain(&self.app.mirror_of) {
            let key = ImageKey {
                app: app.clone(),
                commit: commit.id.clone(),
                build: draft.build.clone(),
            };
            if let Some(image) = self.runtime.find_image(&key).await? {
                return Ok(Some(Image {
                    reused: true,
                    ..image
                }));
            }
        }
        Ok(None)
    }

    /// Asks the release sources and completes the plan.
    pub async fn complete(
        &self,
        draft: Draft,
        checkout: &Checkout,
        image: Option<&Image>,
    ) -> Result<Plan, Broken> {
        let sources = self.release_sources(&draft).await?;
        let mut collected = Vec::new();
        for source in &sources {
            let gift = self.collect(source, checkout, image).await?;
            collected.push((source.name().clone(), gift));
        }
        let mut plugins: Vec<_> = sources.iter().map(|plugin| planned(plugin)).collect();
        for name in &draft.self_tests {
            let plugin = self.plugin(Step::Plan, name, Role::SelfTest).await?;
            plugins.push(planned(&plugin));
        }
        draft
            .complete(checkout.commit.clone(), collected, plugins)
            .map_err(|error| failures::of_plan(Step::Plan, &error).into())
    }

    async fn collect(
        &self,
        source: &Arc<Installed>,
        checkout: &Checkout,
        image: Option<&Image>,
    ) -> Result<Collected, Failure> {
        let mut call = self.call(source.clone());
        call.commit = Some(checkout.commit.id.clone());
        call.files = Some(checkout.files.clone());
        call.image = image.map(|image| self.probe(image));
        let collected = self.world.plugins.collect(&call).await;
        collected.map_err(|error| failures::of_plugin(Step::Plan, source.name(), &error))
    }

    /// The sources that were chosen, or every one that is installed.
    async fn release_sources(&self, draft: &Draft) -> Result<Vec<Arc<Installed>>, Broken> {
        let Some(chosen) = &draft.release_sources else {
            let installed = self.world.store.plugins().await?;
            let speaks = |plugin: &Installed| {
                plugin.has(Role::ReleaseSource) && plugin.enabled == Enabled::Yes
            };
            return Ok(installed.into_iter().filter(speaks).map(Arc::new).collect());
        };
        let mut sources = Vec::new();
        for name in chosen {
            sources.push(self.plugin(Step::Plan, name, Role::ReleaseSource).await?);
        }
        Ok(sources)
    }

    /// A plugin that was chosen for a role; it must be there and switched on.
    pub async fn plugin(
        &self,
        step: Step,
        name: &PluginName,
        role: Role,
    ) -> Result<Arc<Installed>, Broken> {
        let problem = |message: String, hint: String| {
            let mut failure = Failure::new(step, Reason::Plugin, message).with_hint(hint);
            failure.plugin = Some(name.clone());
            failure
        };
        let Some(plugin) = self.world.store.plugin(name).await? else {
            let message = format!("plugin {name} is chosen as {role} and is not installed");
            return Err(problem(message, "install it: shipway plugin add FILE".to_owned()).into());
        };
        if plugin.enabled == Enabled::No {
            let message = format!("plugin {name} is chosen as {role} and is disabled");
            return Err(problem(message, format!("shipway plugin enable {name}")).into());
        }
        if !plugin.has(role) {
            let message = format!("plugin {name} is chosen as {role} and does not have that role");
            return Err(problem(message, format!("shipway plugin show {name}")).into());
        }
        Ok(Arc::new(plugin))
    }

    /// A call of a plugin with nothing to look at yet.
    pub fn call(&self, plugin: Arc<Installed>) -> Call {
        let (environment, reference) = (&self.environment, &self.reference);
        call(plugin, environment, self.deployment, reference, &self.log)
    }

    fn probe(&self, image: &Image) -> Arc<dyn ImageProbe> {
        Arc::new(Probe {
            runtime: self.runtime.clone(),
            deployment: self.deployment,
            image: image.clone(),
        })
    }
}

/// A call of a plugin about a deployment. An environment's own settings win over
/// the plugin's.
pub fn call(
    plugin: Arc<Installed>,
    environment: &Environment,
    deployment: DeploymentId,
    reference: &str,
    log: &Log,
) -> Call {
    let mut settings = plugin.settings.clone();
    if let Some(own) = environment.plugin_settings.get(plugin.name()) {
        settings.extend(own.clone());
    }
    Call {
        settings,
        variables: environment.variables.clone(),
        deployment,
        environment: environment.key.clone(),
        commit: None,
        reference: reference.to_owned(),
        files: None,
        image: None,
        candidate: Vec::<Endpoint>::new(),
        exec: None,
        log: Arc::new(log.clone()),
        plugin,
    }
}

fn planned(plugin: &Installed) -> PlannedPlugin {
    PlannedPlugin {
        name: plugin.name().clone(),
        version: plugin.description.version.clone(),
        digest: plugin.description.digest.clone(),
    }
}

/// The image probe of one deployment.
#[derive(Debug)]
struct Probe {
    runtime: Arc<dyn Runtime>,
    deployment: DeploymentId,
    image: Image,
}

#[async_trait]
impl ImageProbe for Probe {
    async fn run(
        &self,
        argv: Vec<String>,
        variables: Vec<(String, String)>,
    ) -> Result<ProbeOutput, RuntimeError> {
        let request = ProbeRequest {
            deployment: self.deployment,
            image: self.image.clone(),
            argv,
            variables,
            timeout: PROBE_TIMEOUT,
            limit: PROBE_LIMIT,
        };
        self.runtime.probe(&request).await
    }
}

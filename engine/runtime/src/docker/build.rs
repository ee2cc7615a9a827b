//! Builds an image from the working directory.
//!
//! BuildKit first, since repositories use what it alone understands; the
//! classic builder where the engine has no BuildKit. No base image is pulled
//! that the engine has, and a `# syntax=` line whose frontend cannot be fetched
//! does not fail a build that the engine's own frontend can do.

use std::collections::HashMap;
use std::sync::Arc;

use bollard::body_try_stream;
use bollard::errors::Error;
use bollard::query_parameters::{
    BuildImageOptions, BuildImageOptionsBuilder, BuilderVersion, RemoveImageOptionsBuilder,
};
use futures::StreamExt;
use shipway_core::environment::LayerCache;
use shipway_core::journal::Image;
use shipway_core::ports::runtime::{BuildRequest, RuntimeError};
use shipway_core::ports::{Output, Stream};

use super::Builder;
use super::context::Context;
use super::engine::Engine;
use super::failure::{explain, is_disk_full, message};
use super::label::{image_labels, nonce, tag};
use super::progress::Progress;

pub async fn build(
    engine: &Engine,
    request: &BuildRequest,
    output: Arc<dyn Output>,
) -> Result<Image, RuntimeError> {
    let dockerfile = request.key.build.dockerfile.as_deref();
    let context = Context::open(&request.directory, dockerfile)?;
    let build = Build {
        engine,
        request,
        output,
    };
    // To drop the request is to cancel the build: the engine stops with it.
    let building = build.with_fallbacks(context);
    match tokio::time::timeout(request.timeout, building).await {
        Ok(built) => built,
        Err(_) => Err(RuntimeError::Timeout {
            what: "the build".into(),
            seconds: request.timeout.as_secs(),
        }),
    }
}

struct Build<'a> {
    engine: &'a Engine,
    request: &'a BuildRequest,
    output: Arc<dyn Output>,
}

/// A build that failed, and how far it came.
struct Failed {
    progress: Progress,
    error: Error,
}

impl Build<'_> {
    async fn with_fallbacks(&self, mut context: Context) -> Result<Image, RuntimeError> {
        let first = match self.engine.config.builder {
            Builder::Auto | Builder::BuildKit => BuilderVersion::BuilderBuildKit,
            Builder::Classic => {
                let attempt = self.attempt(&context, classic()).await?;
                return self.ended(attempt).await;
            }
        };
        let mut attempt = self.attempt(&context, first).await?;
        if let Err(failed) = &attempt
            && !failed.progress.began
            && let Some(plain) = without_syntax(&context.dockerfile_text)
        {
            self.say(&format!(
                "the builder that `# syntax=` names does not work here ({}); using the engine's own",
                message(&failed.error)
            ));
            context.replace_dockerfile(plain);
            attempt = self.attempt(&context, first).await?;
        }
        if let Err(failed) = &attempt
            && self.engine.config.builder == Builder::Auto
            && failed.has_no_buildkit()
        {
            self.say("this engine has no BuildKit; using its classic builder");
            attempt = self.attempt(&context, classic()).await?;
        }
        self.ended(attempt).await
    }

    /// One build with one builder. The outer error is ours, the inner one the
    /// builder's.
    async fn attempt(
        &self,
        context: &Context,
        version: BuilderVersion,
    ) -> Result<Result<Image, Failed>, RuntimeError> {
        let docker = self.engine.patient(self.request.timeout).await?;
        let options = self.options(context, version);
        let body = body_try_stream(context.stream()?);
        let mut progress = Progress::new(self.output.clone());
        let mut building = docker.build_image(options, None, Some(body));
        let mut failed = None;
        while let Some(report) = building.next().await {
            match report {
                Ok(info) => progress.hear(info),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        progress.finish();
        let image = match failed {
            Some(error) => Err(Failed { progress, error }),
            None => Ok(self.image(progress).await?),
        };
        Ok(image)
    }

    fn options(&self, context: &Context, version: BuilderVersion) -> BuildImageOptions {
        let build = &self.request.key.build;
        let args: HashMap<String, String> = build.args.clone().into_iter().collect();
        BuildImageOptionsBuilder::default()
            .dockerfile(&context.dockerfile)
            .t(&tag(&self.request.key))
            .nocache(build.cache.unwrap_or_default() == LayerCache::Off)
            .buildargs(&args)
            .labels(&image_labels(self.request))
            .rm(true)
            .forcerm(true)
            .version(version)
            .session(&nonce())
            .build()
    }

    async fn image(&self, progress: Progress) -> Result<Image, RuntimeError> {
        let tag = tag(&self.request.key);
        let reference = match progress.image {
            Some(id) => id,
            None => self.id_of(&tag).await?,
        };
        let mut layers = progress.layers;
        layers.retain(|layer| !reference.contains(layer.as_str()));
        self.remove_layers(&layers).await;
        Ok(Image {
            reference,
            tag,
            reused: false,
        })
    }

    async fn id_of(&self, tag: &str) -> Result<String, RuntimeError> {
        let docker = self.engine.docker().await?;
        let found = self
            .engine
            .call("look at the built image", docker.inspect_image(tag))
            .await?;
        found.id.ok_or_else(|| RuntimeError::BuildFailed {
            message: "the engine reports no image".into(),
        })
    }

    async fn ended(&self, attempt: Result<Image, Failed>) -> Result<Image, RuntimeError> {
        match attempt {
            Ok(image) => Ok(image),
            Err(failed) => Err(self.failure(failed).await),
        }
    }

    async fn failure(&self, failed: Failed) -> RuntimeError {
        self.remove_layers(&failed.progress.layers).await;
        let said = message(&failed.error);
        match failed.error {
            _ if is_disk_full(&said) => RuntimeError::DiskFull {
                what: "the Docker engine could not build the image".into(),
            },
            Error::DockerStreamError { .. } | Error::DockerResponseServerError { .. } => {
                RuntimeError::BuildFailed {
                    message: failed.progress.failure(&said),
                }
            }
            error => explain("build the image", self.request.timeout, error),
        }
    }

    /// What a classic build without cache leaves is of no use to anyone.
    async fn remove_layers(&self, layers: &[String]) {
        let cached = self.request.key.build.cache == Some(LayerCache::On);
        let Ok(docker) = self.engine.docker().await else {
            return;
        };
        let options = RemoveImageOptionsBuilder::default().build();
        for layer in layers.iter().rev().filter(|_| !cached) {
            let removing = docker.remove_image(layer, Some(options.clone()), None);
            // One that the image stands on stays: the engine refuses.
            let _refused = self.engine.call("remove a layer", removing).await;
        }
    }

    fn say(&self, line: &str) {
        self.output.line(Stream::Engine, line);
    }
}

fn classic() -> BuilderVersion {
    BuilderVersion::BuilderV1
}

impl Failed {
    fn has_no_buildkit(&self) -> bool {
        let said = message(&self.error).to_lowercase();
        !self.progress.began
            && ["buildkit", "no active session", "unknown builder version"]
                .iter()
                .any(|sign| said.contains(sign))
    }
}

/// The Dockerfile without its `syntax` directive, if it has one. Directives are
/// the comments of the form `# name=value` at its very top.
fn without_syntax(dockerfile: &str) -> Option<String> {
    let directive = |line: &str| {
        let (name, _) = line.trim().strip_prefix('#')?.split_once('=')?;
        Some(name.trim().to_lowercase())
    };
    let at = dockerfile
        .lines()
        .map_while(directive)
        .position(|name| name == "syntax")?;
    let kept = dockerfile.split_inclusive('\n').enumerate();
    Some(
        kept.filter(|(number, _)| *number != at)
            .map(|(_, line)| line)
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_syntax_line_goes() {
        let with = "# escape=`\n# Syntax = docker/dockerfile:1\nFROM scratch\n# syntax=no\n";
        assert_eq!(
            without_syntax(with).as_deref(),
            Some("# escape=`\nFROM scratch\n# syntax=no\n")
        );
        assert_eq!(without_syntax("FROM scratch\n# syntax=x\n"), None);
        assert_eq!(without_syntax("# a comment\n# syntax=x\n"), None);
    }
}

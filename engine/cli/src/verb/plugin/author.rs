//! What authors of plugins do. None of it needs an engine.

pub mod build;
pub mod dev;
pub mod inspect;
pub mod new;
pub mod test;

use std::path::PathBuf;

use clap::Subcommand;
use shipway_plugin_tools::toolbox::Toolbox;
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::Failure;

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Begin a plugin: a project that builds, tests and runs as it stands
    New(new::Arguments),
    /// Make a component of a plugin's project, with its language's own tools
    Build(build::Arguments),
    /// Run a plugin in its sandbox against cases, and show every host call
    ///
    /// A case says what is there (files, settings, grants, an image, a candidate,
    /// what the world outside answers) and what must come of it. Nothing leaves
    /// this machine.
    #[command(verbatim_doc_comment)]
    Test(test::Arguments),
    /// Show what a component is and what it asks for, without an engine
    Inspect(inspect::Arguments),
    /// Build and test a plugin again whenever a source changes
    Dev(dev::Arguments),
}

/// How much of what a toolchain prints is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Detail {
    Steps,
    Lines,
}

pub async fn run(action: Action, detail: Detail) -> Result<(), Failure> {
    match action {
        Action::New(arguments) => new::run(arguments),
        Action::Build(arguments) => build::run(arguments, detail).await,
        Action::Test(arguments) => test::run(arguments, detail).await,
        Action::Inspect(arguments) => inspect::run(arguments).await,
        Action::Dev(arguments) => dev::run(arguments, detail).await,
    }
}

/// Somebody wants it to end. What was started is ended with it then, which
/// nobody else would do.
async fn interrupted() {
    let Ok(mut end) = signal(SignalKind::terminate()) else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = end.recv() => {}
    }
}

/// The tools, with the user's own caches.
fn toolbox() -> Result<Toolbox, Failure> {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let caches = Toolbox::usual_caches(variable).ok_or_else(|| {
        Failure::new("there is no place for what toolchains keep")
            .with_hint("set HOME or XDG_CACHE_HOME")
    })?;
    Ok(Toolbox::new(caches))
}

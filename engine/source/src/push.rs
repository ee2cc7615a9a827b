//! Git push to deploy. The engine keeps one bare repository for each app that
//! is pushed to it; each environment has a namespace of references of its own
//! in it, so that one commit can be pushed to several.
//!
//! The program `git receive-pack` takes what comes, checks every object, and
//! starts the hook ([`hook`]), which is this program again. The hook asks at
//! the desk ([`desk`]), a socket of the engine, whether the branch may move, and
//! passes on what the deployment says meanwhile. The engine moves the branch
//! itself, so that a pusher who went away changes nothing.

mod command;
mod desk;
pub mod hook;
mod packet;
mod repository;

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::AppName;
use shipway_core::ports::pushes::{Chunks, Push, PushError, Pushes};
use tokio::sync::Semaphore;

use command::{Answer, ReceivePack};
use desk::Desk;
pub(crate) use repository::Pushed;

/// Pushes that are taken at once; each holds a process of Git.
const MOST_AT_ONCE: usize = 8;

#[derive(Debug, Clone)]
pub struct PushConfig {
    /// Where the source has its folders too.
    pub state_dir: PathBuf,
    /// The command that is the hook: a program and its arguments.
    pub hook: Vec<std::ffi::OsString>,
    /// Bytes that one push may bring. 512 MiB unless set.
    pub push_limit: u64,
    /// Bytes of one app's repository, beyond which nothing is pushed to it. 4
    /// GiB unless set.
    pub repository_limit: u64,
}

impl PushConfig {
    pub fn new(state_dir: impl Into<PathBuf>, hook: Vec<std::ffi::OsString>) -> Self {
        Self {
            state_dir: state_dir.into(),
            hook,
            push_limit: 512 << 20,
            repository_limit: 4 << 30,
        }
    }
}

/// The repositories that apps are pushed to, on this machine.
#[derive(Debug)]
pub struct GitPushes {
    config: PushConfig,
    pushed: Pushed,
    desk: Desk,
    places: Arc<Semaphore>,
}

impl GitPushes {
    /// Makes the folders and the hook, and opens the desk.
    pub async fn open(config: PushConfig) -> Result<Self, PushError> {
        let failed = |what| move |source: std::io::Error| failed(what, source);
        let pushed = Pushed::new(&config.state_dir);
        let (folder, hooks) = (pushed.clone(), config.hook.clone());
        blocking(move || folder.prepare(&hooks))
            .await
            .map_err(failed("prepare the folder of pushed repositories"))?;
        let desk = Desk::open(config.state_dir.join("push.sock"));
        let desk = desk.await.map_err(failed("open the socket for pushes"))?;
        Ok(Self {
            config,
            pushed,
            desk,
            places: Arc::new(Semaphore::new(MOST_AT_ONCE)),
        })
    }

    /// The app's repository, made when there is none, with room for more.
    async fn repository(&self, app: &AppName) -> Result<PathBuf, PushError> {
        let (pushed, name) = (self.pushed.clone(), app.clone());
        let limit = self.config.repository_limit;
        let made = blocking(move || {
            let path = pushed.open_or_make(&name)?;
            Ok((repository::size(&path)?, path))
        });
        let (size, path) = made
            .await
            .map_err(|error| failed("open the app's repository", error))?;
        if size > limit {
            let app = app.clone();
            return Err(PushError::Full { app, limit });
        }
        Ok(path)
    }

    fn receive_pack(&self, key: &EnvironmentKey, path: PathBuf) -> ReceivePack {
        ReceivePack {
            path,
            hooks: self.pushed.hooks(),
            namespace: key.environment.to_string(),
            push_limit: self.config.push_limit,
        }
    }
}

#[async_trait]
impl Pushes for GitPushes {
    async fn advertise(&self, key: &EnvironmentKey) -> Result<Vec<u8>, PushError> {
        let path = self.repository(&key.app).await?;
        self.receive_pack(key, path).advertise().await
    }

    async fn receive(
        &self,
        push: Push,
        sent: Box<dyn Chunks>,
    ) -> Result<Box<dyn Chunks>, PushError> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| PushError::Busy)?;
        let path = self.repository(&push.key.app).await?;
        let command = self.receive_pack(&push.key, path.clone());
        let ticket = self.desk.expect(push, path);
        let child = command.start(self.desk.address(), ticket.text(), sent)?;
        Ok(Box::new(Answer::new(child, (ticket, place))))
    }

    async fn forget(&self, app: &AppName) -> Result<(), PushError> {
        let (pushed, app) = (self.pushed.clone(), app.clone());
        blocking(move || pushed.remove(&app))
            .await
            .map_err(|error| failed("remove the app's repository", error))
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
) -> std::io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(std::io::Error::other)?
}

fn failed(what: &'static str, source: impl Into<shipway_core::ports::BoxError>) -> PushError {
    let source = source.into();
    PushError::Failed { what, source }
}

//! The executor's ports over a line: each one's calls act on the world, if
//! their fate lets them.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::health::HealthRule;
use shipway_core::journal::{Commit, Entry};
use shipway_core::name::{DeploymentId, Digest, Domain, Timestamp};
use shipway_core::plan::Collected;
use shipway_core::plugin::Description;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::{Call, Check, PluginError, PluginErrorKind, Plugins};
use shipway_core::ports::prober::{Healthy, Prober, ServiceDown, Unhealthy};
use shipway_core::ports::router::{Drained, Route, Router, RouterError, Switched};
use shipway_core::ports::source::{
    Checkout, CheckoutRequest, Files, FilesError, Source, SourceError,
};
use shipway_core::secret::Secret;

use crate::faults::Fate;
use crate::line::{Line, Refused};
use crate::mutant::Mutant;

mod runtime;

/// 14 November 2023.
const BEGINNING: i64 = 1_700_000_000_000;

impl Clock for Line {
    fn now(&self) -> Timestamp {
        let millis = i64::try_from(self.world.elapsed().as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(BEGINNING.saturating_add(millis))
    }

    fn new_deployment_id(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::from_u128(
            u128::from(self.world.next_id()) << 64,
        ))
    }
}

#[async_trait]
impl Source for Line {
    async fn check_out(&self, request: &CheckoutRequest) -> Result<Checkout, SourceError> {
        self.call(|state| state.working_directories.insert(request.deployment))
            .await
            .map_err(|refused| SourceError::Other {
                what: "fetch".to_owned(),
                source: refused.into(),
            })?;
        Ok(Checkout {
            commit: commit(&request.reference),
            directory: PathBuf::from("/nowhere"),
            files: Arc::new(Tree),
        })
    }

    async fn discard(&self, deployment: DeploymentId) -> Result<(), SourceError> {
        self.call(|state| state.working_directories.remove(&deployment))
            .await
            .map(drop)
            .map_err(|refused| SourceError::Other {
                what: "remove the working directory".to_owned(),
                source: refused.into(),
            })
    }
}

/// A reference that is a commit is that commit; any other is the one there is.
fn commit(reference: &str) -> Commit {
    let only = "c".repeat(40).parse();
    let id = reference.parse().or(only);
    Commit {
        id: match id {
            Ok(id) => id,
            Err(_) => unreachable!("forty letters are a commit"),
        },
        subject: "A change".to_owned(),
        author: "Somebody".to_owned(),
    }
}

#[derive(Debug)]
struct Tree;

impl Files for Tree {
    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, FilesError> {
        match path {
            "Procfile" => Ok(b"web: serve\n".to_vec()),
            _ => Err(FilesError::NotFound(path.to_owned())),
        }
    }

    fn find(&self, _: &str, _: usize) -> Result<Vec<String>, FilesError> {
        Ok(Vec::new())
    }
}

impl From<Refused> for RouterError {
    fn from(refused: Refused) -> Self {
        Self::Unreachable {
            message: refused.to_string(),
        }
    }
}

#[async_trait]
impl Router for Line {
    async fn switch(&self, route: &Route) -> Result<Switched, RouterError> {
        match self.call(|state| state.switch(route)).await? {
            true => Ok(Switched {
                in_flight_on_old: 0,
            }),
            false => Err(RouterError::Refused {
                message: "of an older generation".to_owned(),
            }),
        }
    }

    async fn route(
        &self,
        _: &shipway_core::environment::EnvironmentKey,
    ) -> Result<Option<Route>, RouterError> {
        Ok(self.call(|state| state.route.clone()).await?)
    }

    async fn drain(
        &self,
        _: &[std::net::SocketAddr],
        limit: Duration,
    ) -> Result<Drained, RouterError> {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let time = self.world.faults().number(millis);
        self.call(|_| ()).await?;
        tokio::time::sleep(Duration::from_millis(time)).await;
        Ok(Drained { unfinished: 0 })
    }

    async fn remove(
        &self,
        key: &shipway_core::environment::EnvironmentKey,
    ) -> Result<(), RouterError> {
        Ok(self.call(|state| state.remove_route(key)).await?)
    }
}

#[async_trait]
impl Prober for Line {
    async fn wait_healthy(
        &self,
        target: std::net::SocketAddr,
        _: Option<&Domain>,
        _: &HealthRule,
    ) -> Result<Healthy, Unhealthy> {
        let took = Duration::from_millis(self.world.faults().number(20_000));
        let healthy = Healthy {
            tries: 1,
            answer: "200 OK".to_owned(),
            took,
        };
        if self.world.mutant() == Some(Mutant::SwitchBeforeHealthy) {
            return Ok(healthy);
        }
        tokio::time::sleep(took).await;
        let is_sick = self.world.faults().number(25) == 0;
        let outcome = self
            .call(|state| !is_sick && state.becomes_healthy(target))
            .await;
        match outcome {
            Ok(true) => Ok(healthy),
            _ => Err(Unhealthy::BadAnswer {
                target,
                status: 503,
            }),
        }
    }

    async fn service(&self, _: &Secret, _: Duration) -> Result<String, ServiceDown> {
        let answer = self.call(|_| "ready".to_owned()).await;
        answer.map_err(|refused| ServiceDown(refused.to_string()))
    }
}

#[async_trait]
impl Plugins for Line {
    async fn inspect(&self, _: &[u8]) -> Result<Description, PluginError> {
        Err(trouble(PluginErrorKind::Malformed, Retry::Never))
    }

    async fn collect(&self, _: &Call) -> Result<Collected, PluginError> {
        Ok(Collected::default())
    }

    async fn self_test(&self, _: &Call) -> Result<Vec<Check>, PluginError> {
        Ok(Vec::new())
    }

    /// Heard, refused for now, or heard and its answer lost.
    async fn deliver(&self, call: &Call, entry: &Entry) -> Result<(), PluginError> {
        let heard = (call.plugin.name().clone(), entry.deployment, entry.sequence);
        let fate = self.fate().await;
        if !matches!(fate, Fate::Fails) {
            self.world.state().told.push(heard);
        }
        self.after(fate).await;
        match fate {
            Fate::Fails | Fate::AnswerLost => Err(trouble(PluginErrorKind::Failure, Retry::Later)),
            _ => Ok(()),
        }
    }

    async fn forget(&self, _: &Digest) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    Later,
    Never,
}

fn trouble(kind: PluginErrorKind, retry: Retry) -> PluginError {
    PluginError {
        kind,
        message: Refused.to_string(),
        hint: None,
        retryable: retry == Retry::Later,
        answered: None,
        backtrace: None,
    }
}

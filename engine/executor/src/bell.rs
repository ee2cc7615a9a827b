//! Tells watchers that a deployment's journal or log has grown. A ring carries
//! no data: whoever hears it reads the store, so a ring that is missed or
//! repeated does no harm.

use shipway_core::name::DeploymentId;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::TryRecvError;

/// Rings that a slow listener may fall behind by; beyond it, it simply looks.
const BACKLOG: usize = 1024;

/// The sending side; the executor holds it and rings after each write.
#[derive(Debug, Clone)]
pub struct Bell(broadcast::Sender<DeploymentId>);

impl Default for Bell {
    fn default() -> Self {
        Self(broadcast::channel(BACKLOG).0)
    }
}

impl Bell {
    pub fn ring(&self, deployment: DeploymentId) {
        // Nobody listening is the usual case, not an error.
        let _ = self.0.send(deployment);
    }

    /// Listen before the first read of the store, or a write between the two
    /// is missed.
    pub fn listen(&self, deployment: DeploymentId) -> Listener {
        Listener {
            deployment: Some(deployment),
            rings: self.0.subscribe(),
        }
    }

    /// Likewise, of all deployments.
    pub fn listen_to_all(&self) -> Listener {
        Listener {
            deployment: None,
            rings: self.0.subscribe(),
        }
    }
}

#[derive(Debug)]
pub struct Listener {
    /// None: whichever changes.
    deployment: Option<DeploymentId>,
    rings: broadcast::Receiver<DeploymentId>,
}

impl Listener {
    /// Ends when the deployment has changed, or may have. Rings that came
    /// meanwhile count as one: whoever reads now sees what all of them meant.
    pub async fn heard(&mut self) {
        self.first().await;
        while !matches!(
            self.rings.try_recv(),
            Err(TryRecvError::Empty | TryRecvError::Closed)
        ) {}
    }

    async fn first(&mut self) {
        loop {
            match self.rings.recv().await {
                Ok(rung) if self.deployment.is_some_and(|ours| ours != rung) => {}
                Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => return,
                // The engine is going down; the watcher's own timeout decides.
                Err(broadcast::error::RecvError::Closed) => std::future::pending().await,
            }
        }
    }
}

//! WebSocket and other upgrades: once both sides agree, bytes pass through.

use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Request, Version};
use hyper::body::Incoming;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tokio::io::copy_bidirectional;

use crate::target::InFlight;
use crate::worker::Worker;

/// A client's wish to speak another protocol.
pub(crate) struct Wish {
    protocol: HeaderValue,
    client: OnUpgrade,
}

impl Wish {
    /// HTTP/2 is never asked of a target: its frames would carry requests
    /// past the proxy.
    pub fn of(request: &mut Request<Incoming>) -> Option<Self> {
        if request.version() != Version::HTTP_11 || !names_upgrade(request.headers()) {
            return None;
        }
        let protocol = request.headers().get(UPGRADE)?.clone();
        if protocol.to_str().ok()?.to_ascii_lowercase().contains("h2c") {
            return None;
        }
        let client = hyper::upgrade::on(request);
        Some(Self { protocol, client })
    }

    /// Says the wish again, after the client's own headers were taken off.
    pub fn repeat(&self, headers: &mut HeaderMap) {
        headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
        headers.insert(UPGRADE, self.protocol.clone());
    }

    /// Joins both sides; the request stays in flight until one has closed.
    pub fn join(self, target: OnUpgrade, in_flight: InFlight, worker: &Worker) {
        let client = self.client;
        worker.tasks.spawn(async move {
            let _counted = in_flight;
            if let Err(error) = carry(client, target).await {
                tracing::debug!(%error, "an upgraded connection ended early");
            }
        });
    }
}

async fn carry(
    client: OnUpgrade,
    target: OnUpgrade,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let mut target = TokioIo::new(target.await?);
    let mut client = TokioIo::new(client.await?);
    copy_bidirectional(&mut client, &mut target).await?;
    Ok(())
}

fn names_upgrade(headers: &HeaderMap) -> bool {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|word| word.trim().eq_ignore_ascii_case("upgrade"))
}

//! What a service manager is told, if one asks (`Type=notify` of systemd):
//! that the engine is ready, that it stops, and again and again that it is
//! alive.

use std::sync::Arc;

use sd_notify::NotifyState;
use shipway_api::vitals::Vitals;

/// What the manager gave this process; the proxy is a service of its own.
pub const VARIABLES: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"];

pub fn ready() {
    tell(&[NotifyState::Ready]);
}

pub fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// Feeds the watchdog for as long as the loops of the engine turn; without one
/// it ends at once.
pub async fn feed_watchdog(vitals: Arc<dyn Vitals>) {
    let Some(limit) = sd_notify::watchdog_enabled() else {
        return;
    };
    let mut ticks = tokio::time::interval(limit / 3);
    loop {
        ticks.tick().await;
        let stuck: Vec<_> = vitals
            .alive()
            .into_iter()
            .filter(|part| part.is_failing())
            .collect();
        match stuck.is_empty() {
            true => tell(&[NotifyState::Watchdog]),
            false => tracing::error!(?stuck, "the watchdog is not fed"),
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::warn!(%error, "the service manager could not be told");
    }
}

//! Old logs are taken out by the store's policy, at the start and every hour.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::ports::store::LogPolicy;

use crate::engine::Inner;
use crate::failures::sentence;
use crate::pulse::Loop;

const EVERY: Duration = Duration::from_secs(60 * 60);

/// Never ends; whoever spawns it ends it.
pub async fn keep_pruned(engine: Arc<Inner>) {
    let world = &engine.world;
    let policy = LogPolicy::default();
    loop {
        engine.pulse.beat(Loop::Pruning);
        let now = world.clock.now();
        match world.store.prune_logs(now, &policy).await {
            Ok(pruned) if pruned.logs > 0 => {
                let (logs, bytes) = (pruned.logs, pruned.bytes);
                tracing::info!(logs, bytes, "old logs were removed");
            }
            Ok(_) => {}
            // There is a next time.
            Err(error) => {
                tracing::warn!(error = sentence(&error), "old logs could not be removed");
            }
        }
        tokio::time::sleep(EVERY).await;
    }
}

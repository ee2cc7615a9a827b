//! Looks whether targets that were put aside are back: a connection is opened
//! and closed, at growing intervals. Targets in use are not asked; requests
//! tell.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, timeout};

use crate::table::Routing;
use crate::target::Target;

const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Looks at once; the next ones wait for the next round.
const AT_ONCE: usize = 64;

pub(crate) async fn watch(routing: Arc<Routing>, limit: Duration) {
    let mut ticks = interval(LOOK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let table = routing.table();
        let targets = table.entries.iter().flat_map(|entry| &entry.targets);
        let due = targets.filter(|target| target.is_to_be_looked_at());
        let mut looks: JoinSet<()> = due
            .take(AT_ONCE)
            .map(|target| look(Arc::clone(target), limit))
            .collect();
        while looks.join_next().await.is_some() {}
    }
}

async fn look(target: Arc<Target>, limit: Duration) {
    match timeout(limit, TcpStream::connect(target.address())).await {
        Ok(Ok(_)) => target.answered(),
        _ => target.still_refuses(),
    }
}

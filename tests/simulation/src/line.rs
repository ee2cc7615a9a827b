//! How one engine reaches what is outside: every call goes through here, and
//! meets its fate. A dead engine's calls never return, and a stalled one's wait,
//! so nothing of it happens any more, as with a process that was killed or
//! stopped.

use std::sync::Arc;

use tokio::time::{sleep, sleep_until};

use crate::faults::Fate;
use crate::world::{Standing, State, World};

#[derive(Debug, Clone)]
pub struct Line {
    pub world: Arc<World>,
    pub engine: usize,
}

/// A call that was made to fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("made to fail")]
pub struct Refused;

impl Line {
    /// A call that does the same when it is heard twice.
    pub async fn call<T>(&self, mut act: impl FnMut(&mut State) -> T) -> Result<T, Refused> {
        let fate = self.fate().await;
        let outcome = match fate {
            Fate::Fails => Err(Refused),
            Fate::AnswerLost => {
                act(&mut self.world.state());
                Err(Refused)
            }
            Fate::Repeated => {
                act(&mut self.world.state());
                Ok(act(&mut self.world.state()))
            }
            _ => Ok(act(&mut self.world.state())),
        };
        self.after(fate).await;
        outcome
    }

    /// What happens before a call acts. It returns when the call may act.
    pub async fn fate(&self) -> Fate {
        self.alive().await;
        let fate = self.world.faults().draw();
        match fate {
            Fate::Late(time) => sleep(time).await,
            Fate::Stall(time) => {
                let until = tokio::time::Instant::now() + time;
                self.world.put(self.engine, Standing::StalledUntil(until));
            }
            Fate::CrashBefore => self.world.put(self.engine, Standing::Dead),
            _ => {}
        }
        self.alive().await;
        fate
    }

    /// What happens after a call has acted.
    pub async fn after(&self, fate: Fate) {
        if fate == Fate::CrashAfter {
            self.world.put(self.engine, Standing::Dead);
        }
        self.alive().await;
    }

    /// Returns while the engine is alive; a dead one waits for ever.
    pub async fn alive(&self) {
        loop {
            match self.world.standing(self.engine) {
                Standing::Alive => return,
                Standing::Dead => std::future::pending().await,
                Standing::StalledUntil(until) => {
                    sleep_until(until).await;
                    let now = self.world.standing(self.engine);
                    if now == Standing::StalledUntil(until) {
                        self.world.put(self.engine, Standing::Alive);
                    }
                }
            }
        }
    }
}

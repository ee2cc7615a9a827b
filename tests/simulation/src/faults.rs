//! What goes wrong: drawn from the seed for every call that an engine makes, or
//! one fault at one call.

use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::sync::Notify;

/// What becomes of one call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Passes,
    /// It takes its time, then passes.
    Late(Duration),
    /// It is refused and does nothing.
    Fails,
    /// It acts, and says that it did not.
    AnswerLost,
    /// It acts twice.
    Repeated,
    /// The engine stands still for a while, in the middle of everything.
    Stall(Duration),
    CrashBefore,
    CrashAfter,
}

/// How often each thing happens, in calls of 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    pub late: u32,
    pub fails: u32,
    pub answer_lost: u32,
    pub repeated: u32,
    pub stall: u32,
    pub crash: u32,
}

impl Rates {
    pub const CALM: Self = Self {
        late: 0,
        fails: 0,
        answer_lost: 0,
        repeated: 0,
        stall: 0,
        crash: 0,
    };

    /// A climate for a run: some are nearly calm, some are wild.
    pub fn draw(rng: &mut StdRng) -> Self {
        let mut up_to = |most: u32| match rng.random_range(0..3) {
            0 => 0,
            _ => rng.random_range(0..=most),
        };
        Self {
            late: up_to(3_000),
            fails: up_to(300),
            answer_lost: up_to(200),
            repeated: up_to(1_000),
            stall: up_to(200),
            crash: up_to(300),
        }
    }
}

/// The only thing that goes wrong in a run: at this call of the last deployment,
/// counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub at: usize,
    pub what: Trouble,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    Fate(Fate),
    /// Somebody cancels just then.
    Cancel,
}

/// How far the one fault is.
#[derive(Debug)]
struct Script {
    fault: Fault,
    /// None while they do not count.
    calls: Option<usize>,
    came: bool,
    cancel: Arc<Notify>,
}

impl Script {
    fn draw(&mut self) -> Fate {
        let Some(calls) = &mut self.calls else {
            return Fate::Passes;
        };
        *calls += 1;
        if *calls != self.fault.at {
            return Fate::Passes;
        }
        self.came = true;
        match self.fault.what {
            Trouble::Fate(fate) => fate,
            Trouble::Cancel => {
                self.cancel.notify_one();
                Fate::Passes
            }
        }
    }
}

/// The faults of one run.
#[derive(Debug)]
pub struct Faults {
    script: Option<Script>,
    rng: StdRng,
    rates: Rates,
    /// Crashes and stalls that may still come; then the run calms down.
    upheavals: u32,
}

/// So that every run comes to its end.
const MOST_UPHEAVALS: u32 = 12;

impl Faults {
    pub fn new(seed: u64, rates: Rates, fault: Option<Fault>) -> Self {
        let script = |fault| Script {
            fault,
            calls: None,
            came: false,
            cancel: Arc::default(),
        };
        Self {
            script: fault.map(script),
            rng: StdRng::seed_from_u64(seed),
            rates,
            upheavals: MOST_UPHEAVALS,
        }
    }

    /// From now on calls count for the one fault.
    pub fn arm(&mut self) {
        if let Some(script) = &mut self.script {
            script.calls = Some(0);
        }
    }

    /// Rung when somebody is to cancel, if ever.
    pub fn cancel(&self) -> Option<Arc<Notify>> {
        let script = self.script.as_ref()?;
        (script.fault.what == Trouble::Cancel).then(|| script.cancel.clone())
    }

    /// Whether there was such a call as that of the one fault.
    pub fn came(&self) -> bool {
        self.script.as_ref().is_some_and(|script| script.came)
    }

    pub fn calm_down(&mut self) {
        self.rates = Rates::CALM;
        if let Some(script) = &mut self.script {
            script.calls = None;
        }
    }

    /// A whole number for whoever needs one, below `below`.
    pub fn number(&mut self, below: u64) -> u64 {
        self.rng.random_range(0..below.max(1))
    }

    pub fn draw(&mut self) -> Fate {
        if let Some(script) = &mut self.script {
            return script.draw();
        }
        let rates = self.rates;
        let mut left = self.rng.random_range(0..10_000_u32);
        let mut is = |rate: u32| {
            let hit = left < rate;
            left = left.saturating_sub(rate);
            hit
        };
        if is(rates.late) {
            return Fate::Late(self.delay());
        }
        if is(rates.fails) {
            return Fate::Fails;
        }
        if is(rates.answer_lost) {
            return Fate::AnswerLost;
        }
        if is(rates.repeated) {
            return Fate::Repeated;
        }
        if is(rates.stall) {
            return self.upheaval(|faults| Fate::Stall(faults.long()));
        }
        if is(rates.crash) {
            return self.upheaval(|faults| match faults.number(2) {
                0 => Fate::CrashBefore,
                _ => Fate::CrashAfter,
            });
        }
        Fate::Passes
    }

    fn upheaval(&mut self, fate: impl FnOnce(&mut Self) -> Fate) -> Fate {
        if self.upheavals == 0 {
            return Fate::Passes;
        }
        self.upheavals -= 1;
        fate(self)
    }

    /// Mostly short; now and then longer than a lease.
    fn delay(&mut self) -> Duration {
        match self.number(50) {
            0 => self.long(),
            _ => Duration::from_millis(self.number(400)),
        }
    }

    fn long(&mut self) -> Duration {
        Duration::from_millis(self.number(120_000))
    }
}

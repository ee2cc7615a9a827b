//! The executor over a simulated world. A seed decides everything: the app, its
//! commands, who deploys and cancels when, and what goes wrong at every call
//! that an engine makes: it fails, it is late, it is heard twice, its answer is
//! lost, the engine stands still, or it dies before or after the call. Time is
//! not waited for. After each run the promises are checked as sentences, and
//! the same seed gives the same run.
//!
//! Start at [`run::run`]. In reading order:
//!
//! - [`scenario`]: what a run is about
//! - [`faults`]: what goes wrong, and when
//! - [`world`]: what is outside the engines: instances, routes, containers
//! - `line`: how one engine reaches it, through the faults
//! - `ports`, `store`: the executor's ports over such a line
//! - [`run`]: engines, people and time, until every deployment has ended
//! - [`promises`]: what must be true then
//! - [`mutant`]: rules broken on purpose, to test the promises themselves
//! - [`campaign`]: many runs, on all cores

pub mod scenario;

pub mod faults;

pub mod world;

mod line;

mod ports;

mod store;

pub mod run;

pub mod promises;

pub mod mutant;

pub mod campaign;

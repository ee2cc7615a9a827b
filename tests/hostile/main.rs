//! The hostile suite: every attack class that the sandbox is built against, as
//! real components, each contained, while an honest plugin and a real engine
//! beside it are served all the time and memory stays bounded.
//!
//! `cargo xtask hostile` shows it as a table; `cargo test --test hostile` as
//! tests, one an attack. Words after `--` choose attacks by their names.
//!
//! * [`attack`]: what an attack is, and the check that it was contained;
//! * [`suite`]: runs them, watches the bystanders, and tells;
//! * [`world`]: the real plugin host, servers, names;
//! * then one module a class of attacks.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::process::ExitCode;

mod attack;
mod suite;

mod bench;
mod commit;
mod names;
mod raw;
mod server;
mod watch;
mod world;

mod code;
mod engine;
mod files;
mod growth;
mod http;
mod neighbours;
mod output;
mod results;
mod secrets;
mod time;
mod traps;
mod wasi;

fn main() -> ExitCode {
    if std::env::args().nth(1).as_deref() == Some(world::COMPILE) {
        return shipway_plugin_host::compile_child();
    }
    let wish = suite::Wish::read(std::env::args().skip(1));
    let attacks = [
        code::attacks(),
        time::attacks(),
        growth::attacks(),
        traps::attacks(),
        results::attacks(),
        output::attacks(),
        files::attacks(),
        http::attacks(),
        secrets::attacks(),
        wasi::attacks(),
        neighbours::attacks(),
        engine::attacks(),
    ];
    suite::run(attacks.into_iter().flatten().collect(), &wish)
}

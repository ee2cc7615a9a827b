//! Signals as events: blocked everywhere, taken one by one by a thread that
//! does nothing else.

use std::io;
use std::sync::mpsc::{Receiver, channel};

use nix::sys::signal::{SigSet, Signal};

/// The supervisor ends its side by ending; the thread then goes with it.
pub fn listen() -> io::Result<Receiver<Signal>> {
    let mut set = SigSet::empty();
    // A hang-up means nothing to who has no terminal, so it is taken and dropped.
    for signal in [
        Signal::SIGTERM,
        Signal::SIGINT,
        Signal::SIGCHLD,
        Signal::SIGHUP,
        // By which the engine cancels a command.
        Signal::SIGUSR1,
    ] {
        set.add(signal);
    }
    set.thread_block()?;
    let (sender, receiver) = channel();
    std::thread::Builder::new()
        .name("signals".to_owned())
        .spawn(move || {
            while let Ok(signal) = set.wait() {
                if sender.send(signal).is_err() {
                    return;
                }
            }
        })?;
    Ok(receiver)
}

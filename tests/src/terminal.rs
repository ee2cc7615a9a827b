//! A verb on a real pseudo-terminal: what is on its screen, and keys for it.

use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};
use vt100::Parser;

use crate::wait::{until, until_true};

const PATIENCE: Duration = Duration::from_secs(120);
/// High enough that nothing scrolls away.
const ROWS: u16 = 120;
const COLUMNS: u16 = 100;
/// Ctrl-C, as a keyboard sends it.
const INTERRUPT: &str = "\u{3}";

pub struct Terminal {
    child: Box<dyn Child + Send + Sync>,
    keys: Box<dyn Write + Send>,
    seen: Arc<Mutex<Seen>>,
    reader: Option<JoinHandle<()>>,
    _master: Box<dyn MasterPty + Send>,
}

impl std::fmt::Debug for Terminal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Terminal").finish_non_exhaustive()
    }
}

struct Seen {
    screen: Parser,
    bytes: Vec<u8>,
}

impl Terminal {
    pub fn run(command: CommandBuilder) -> Self {
        let size = PtySize {
            rows: ROWS,
            cols: COLUMNS,
            ..PtySize::default()
        };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let child = pair.slave.spawn_command(command).expect("it starts");
        // Ours is closed, so that reading ends with the program.
        drop(pair.slave);
        let mut output = pair.master.try_clone_reader().expect("its output");
        let keys = pair.master.take_writer().expect("its keyboard");
        let seen = Arc::new(Mutex::new(Seen {
            screen: Parser::new(ROWS, COLUMNS, 0),
            bytes: Vec::new(),
        }));
        let shared = seen.clone();
        let reader = std::thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut chunk) {
                let mut seen = shared.lock().expect("the screen");
                seen.screen.process(&chunk[..count]);
                seen.bytes.extend_from_slice(&chunk[..count]);
            }
        });
        Self {
            child,
            keys,
            seen,
            reader: Some(reader),
            _master: pair.master,
        }
    }

    /// What stands on the screen now.
    pub fn screen(&self) -> String {
        self.seen
            .lock()
            .expect("the screen")
            .screen
            .screen()
            .contents()
    }

    /// Everything that was ever written to it.
    pub fn bytes(&self) -> String {
        let seen = self.seen.lock().expect("the screen");
        String::from_utf8_lossy(&seen.bytes).into_owned()
    }

    /// Waits until the screen is as it is wanted.
    #[track_caller]
    pub fn until(&self, what: &str, is_it: impl Fn(&str) -> bool) {
        until_true(&format!("{what}, on\n{}", self.screen()), PATIENCE, || {
            is_it(&self.screen())
        });
    }

    #[track_caller]
    pub fn until_shown(&self, text: &str) {
        self.until(&format!("{text:?} is shown"), |screen| {
            screen.contains(text)
        });
    }

    pub fn type_keys(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("it takes keys");
        self.keys.flush().expect("it takes keys");
    }

    pub fn interrupt(&mut self) {
        self.type_keys(INTERRUPT);
    }

    /// Waits for the end; gives the exit code.
    #[track_caller]
    pub fn ended(&mut self) -> u32 {
        let what = format!("it ends, on\n{}", self.screen());
        let status = until(&what, PATIENCE, || {
            self.child.try_wait().expect("its status")
        });
        if let Some(reader) = self.reader.take() {
            reader.join().expect("all its output");
        }
        status.exit_code()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // What a failed test left running.
        let _ = self.child.kill();
    }
}

//! A new file under `migrations/` must be seen by `sqlx::migrate!`.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    writeln!(io::stdout(), "cargo:rerun-if-changed=migrations")
}

//! The toolchain for WebAssembly components: what rustup has or gives, and
//! where it refuses, Debian's own Rust with the standard library's source.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::{parts, run, say};

pub const TARGET: &str = "wasm32-wasip2";
const ADD_LIMIT: Duration = Duration::from_secs(180);
const DEBIAN_PACKAGES: [&str; 4] = ["rustc-web", "cargo-web", "rust-web-src", "wasi-libc"];

/// Which way components are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Way {
    /// What works, rustup first
    Auto,
    /// The target that rustup adds
    Rustup,
    /// Debian's rustc-web, the standard library built from its source
    Debian,
}

/// A toolchain that makes components.
#[derive(Debug)]
pub enum Toolchain {
    Rustup,
    Debian { tools: PathBuf },
}

impl Toolchain {
    /// Finds one, or brings one onto this machine.
    pub fn find(house: &House, way: Way) -> Result<Self> {
        match way {
            Way::Rustup => rustup(house),
            Way::Debian => debian(),
            Way::Auto => rustup(house).or_else(|refused| {
                say::note(format_args!(
                    "{refused:#}; taking Debian's rustc-web instead"
                ));
                debian().with_context(|| {
                    format!(
                        "no toolchain makes {TARGET} components here; \
                         run `rustup target add {TARGET}` where rustup may download"
                    )
                })
            }),
        }
    }

    /// `cargo build` for components, without packages named yet.
    pub fn build(&self, house: &House) -> Command {
        let mut command = match self {
            Self::Rustup => house.cargo(),
            Self::Debian { tools } => debian_cargo(house, tools),
        };
        command.arg("build");
        if let Self::Debian { .. } = self {
            command.arg("-Zbuild-std=std,panic_abort");
        }
        command.args(["--profile", "plugin", "--target", TARGET]);
        command
    }

    /// Where cargo leaves the components.
    pub fn artifacts(&self, house: &House) -> PathBuf {
        let target = match self {
            Self::Rustup => house.target.clone(),
            Self::Debian { .. } => debian_target(house),
        };
        target.join(TARGET).join("plugin")
    }
}

fn rustup(house: &House) -> Result<Toolchain> {
    if has_target(house) {
        return Ok(Toolchain::Rustup);
    }
    say::note(format_args!("adding the target {TARGET} with rustup"));
    let mut add = Command::new("rustup");
    add.args(["target", "add", TARGET]).current_dir(&house.root);
    run::output(&mut add, ADD_LIMIT).context("rustup cannot add the target")?;
    if !has_target(house) {
        bail!("rustup added the target to another toolchain than the one in use");
    }
    Ok(Toolchain::Rustup)
}

/// Whether the compiler in use has the target's standard library.
fn has_target(house: &House) -> bool {
    let mut command = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    command
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(&house.root);
    run::output(&mut command, Duration::from_secs(30))
        .is_ok_and(|folder| Path::new(folder.trim()).is_dir())
}

/// Debian's compiler with the linkers of the one in use, which it comes without.
fn debian() -> Result<Toolchain> {
    parts::apt_install(&DEBIAN_PACKAGES)?;
    let mut command = Command::new("rustc");
    command.args(["--print", "sysroot"]);
    let sysroot = run::output(&mut command, Duration::from_secs(30))?;
    let host = format!(
        "lib/rustlib/{}-unknown-linux-gnu/bin",
        std::env::consts::ARCH
    );
    Ok(Toolchain::Debian {
        tools: Path::new(sysroot.trim()).join(host),
    })
}

fn debian_cargo(house: &House, tools: &Path) -> Command {
    let linker = tools.join("wasm-component-ld");
    let inner = tools.join("gcc-ld/wasm-ld");
    // This libc has no names to look up; whoever asks for one all the same traps.
    let flags = format!(
        "-Lnative=/usr/lib/wasm32-wasi -Clink-arg=--wasm-ld-path={} \
         -Clink-arg=--unresolved-symbols=ignore-all",
        inner.display()
    );
    let mut command = Command::new("/usr/bin/cargo");
    command
        .current_dir(&house.root)
        .env("RUSTC", "/usr/bin/rustc")
        // Building the standard library is not stable; this compiler is asked all the same.
        .env("RUSTC_BOOTSTRAP", "1")
        .env("CARGO_TARGET_DIR", debian_target(house))
        .env("CARGO_TARGET_WASM32_WASIP2_LINKER", linker)
        .env("CARGO_TARGET_WASM32_WASIP2_RUSTFLAGS", flags);
    command
}

/// Two compilers in one target directory would undo each other's work.
fn debian_target(house: &House) -> PathBuf {
    house.target.join("debian-rust")
}

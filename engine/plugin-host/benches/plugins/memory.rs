//! The memory of plugins that are loaded and do nothing.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shipway_core::name::Digest;
use shipway_core::plugin::Installed;
use shipway_core::ports::plugins::{Call, Plugins};
use std::sync::Arc;
use tokio::runtime::Runtime;

use crate::ours::{Ours, Setup};
use crate::stage::Plugin;

const MANY: u64 = 1_000;

/// One plugin, and then a thousand, each with a compiled file of its own, each
/// called once.
pub fn measure(runtime: &Runtime, rust: &Plugin) -> Result<Value> {
    let before = Memory::now()?;
    let setup = Setup {
        ready: Some(2 * usize::try_from(MANY)?),
        ..Setup::default()
    };
    let ours = Ours::new(runtime, rust, setup)?;
    runtime.block_on(ours.once())?;
    let one = Memory::now()?;
    let compiled = compiled(&ours.cache.path().join("compiled"))?;
    for number in 0..MANY {
        let call = another(&ours.call, &compiled, number)?;
        let collected = runtime.block_on(ours.host.collect(&call))?;
        ensure!(collected.commands.len() == 3, "{collected:?}");
    }
    let many = Memory::now()?;
    let each = |after: u64, before: u64| after.saturating_sub(before) / MANY;
    Ok(json!({
        "host_and_one_plugin_bytes": one.resident.saturating_sub(before.resident),
        "plugins": MANY,
        "resident_bytes_each": each(many.resident, one.resident),
        "own_bytes_each": each(many.own, one.own),
        "compiled_file_bytes": fs::metadata(&compiled)?.len(),
    }))
}

/// The one compiled file that there is.
fn compiled(cache: &Path) -> Result<std::path::PathBuf> {
    let mut files = fs::read_dir(cache)?;
    Ok(files.next().context("nothing was compiled")??.path())
}

/// A call to another plugin of the same code.
fn another(call: &Call, compiled: &Path, number: u64) -> Result<Call> {
    let digest: Digest = format!("{number:064x}").parse()?;
    let name = compiled.file_name().and_then(|name| name.to_str());
    let (_, engine) = name
        .and_then(|name| name.split_once('-'))
        .context("its name")?;
    fs::copy(
        compiled,
        compiled.with_file_name(format!("{digest}-{engine}")),
    )?;
    let mut plugin = Installed::clone(&call.plugin);
    plugin.description.digest = digest;
    Ok(Call {
        plugin: Arc::new(plugin),
        ..call.clone()
    })
}

/// What this process has, in bytes.
#[derive(Debug, Clone, Copy)]
struct Memory {
    /// All that is in memory, files that are mapped too.
    resident: u64,
    /// What stands in no file: the compiled code's pages can be given back and
    /// read again, these cannot.
    own: u64,
}

impl Memory {
    fn now() -> Result<Self> {
        let text = fs::read_to_string("/proc/self/smaps_rollup")?;
        let of = |name: &str| -> Result<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name));
            let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
            Ok(kilobytes.context("smaps_rollup")?.parse::<u64>()? * 1024)
        };
        Ok(Self {
            resident: of("Rss:")?,
            own: of("Anonymous:")?,
        })
    }
}

//! Calls a release source in a fresh instance of Extism's, as often as it is
//! told to on its standard input, and answers each line with the nanoseconds
//! of each call as a JSON array.

use std::io::{BufRead, Write, stdin, stdout};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use extism::{CompiledPlugin, Manifest, PluginBuilder, UserData, ValType, Wasm, host_fn};

const SOURCE: &[u8] = include_bytes!("source.wat");
const RELEASEFILE: &str = include_str!("../../Releasefile");
/// As much as Shipway tells a release source of its deployment.
const DEPLOYMENT: &str = r#"{"id":"00000000-0000-0000-0000-000000000000","app":"guestbook","environment":"live","commit":"cccccccccccccccccccccccccccccccccccccccc","reference":"main"}"#;

host_fn!(settings_get(_name: String) -> String { Ok(String::new()) });
host_fn!(source_read(path: String) -> String {
    match path.as_str() {
        "Releasefile" => Ok(RELEASEFILE.to_owned()),
        other => Err(anyhow::anyhow!("there is no {other}")),
    }
});
host_fn!(source_find(_glob: String) -> String { Ok(String::new()) });

fn main() -> Result<()> {
    let compiled = compiled()?;
    ensure!(call(&compiled)? == RELEASEFILE, "it answers something else");
    let mut answers = stdout().lock();
    for line in stdin().lock().lines() {
        let calls: usize = line?
            .trim()
            .parse()
            .context("a line is a number of calls")?;
        let times = (0..calls).map(|_| {
            let started = Instant::now();
            call(&compiled)?;
            Ok(started.elapsed().as_nanos().to_string())
        });
        let times = times.collect::<Result<Vec<_>>>()?;
        writeln!(answers, "[{}]", times.join(","))?;
        answers.flush()?;
    }
    Ok(())
}

fn compiled() -> Result<CompiledPlugin> {
    let manifest = Manifest::new([Wasm::data(SOURCE)]);
    let text = || [ValType::I64];
    PluginBuilder::new(manifest)
        .with_wasi(true)
        .with_cache_disabled()
        .with_function(
            "settings_get",
            text(),
            text(),
            UserData::new(()),
            settings_get,
        )
        .with_function(
            "source_read",
            text(),
            text(),
            UserData::new(()),
            source_read,
        )
        .with_function(
            "source_find",
            text(),
            text(),
            UserData::new(()),
            source_find,
        )
        .compile()
}

fn call(compiled: &CompiledPlugin) -> Result<String> {
    extism::Plugin::new_from_compiled(compiled)?.call("collect", DEPLOYMENT)
}

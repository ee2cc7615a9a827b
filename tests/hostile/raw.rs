//! Components made from text, for what no compiler would write.

use std::path::PathBuf;

use anyhow::{Context, Result};
use shipway_core::ports::plugins::Plugins;
use shipway_tests::{parts, wait::block};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use crate::attack::Seen;
use crate::bench::{Bench, Role};
use crate::world::World;

/// Where the core modules below put what they return.
pub const RESULT: u32 = 2048;
/// Where strings may stand: 60 KiB that nothing else is in.
pub const FREE: u32 = 4096;

/// The parts of a release source whose `collect` is ours.
#[derive(Debug)]
pub struct Source {
    /// What `collect` does before it returns [`RESULT`].
    pub collect: String,
    /// What `cabi_realloc` does with its local `$new`, the bytes asked for.
    pub realloc: String,
    /// Fields of the module: imports, memories, data, a start function.
    pub fields: String,
    /// Pages of memory.
    pub pages: u32,
}

impl Default for Source {
    fn default() -> Self {
        Self {
            collect: String::new(),
            realloc: BUMP.to_owned(),
            fields: String::new(),
            pages: 2,
        }
    }
}

/// An honest allocator without an end.
const BUMP: &str =
    "(global.set $top (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
    (global.get $top)
    (global.set $top (i32.add (global.get $top) (local.get $new)))";

impl Source {
    pub fn collecting(collect: impl Into<String>) -> Self {
        Self {
            collect: collect.into(),
            ..Self::default()
        }
    }

    /// The component: it calls itself `raw`, 1.0.0.
    pub fn component(&self) -> Result<Vec<u8>> {
        let module = self.module();
        let mut module = wat::parse_str(&module).with_context(|| module.clone())?;
        let mut resolve = Resolve::default();
        let (package, _) = resolve.push_dir(contract())?;
        let world = resolve.select_world(&[package], Some("release-source"))?;
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)?;
        ComponentEncoder::default().module(&module)?.encode()
    }

    /// A description stands at 1024: six lists, of which the first three are
    /// its name, its version and its summary.
    fn module(&self) -> String {
        let parameters = "(param i32) ".repeat(12);
        format!(
            r#"(module
                {fields_first}
                (memory (export "memory") {pages})
                (global $top (mut i32) (i32.const 65536))
                (data (i32.const 1024) "\80\04\00\00\03\00\00\00\84\04\00\00\05\00\00\00\80\04\00\00\03\00\00\00")
                (data (i32.const 1152) "raw\001.0.0")
                {fields}
                (func (export "shipway:plugin/manifest@0.1.0#describe") (result i32)
                    (i32.const 1024))
                (func (export "cabi_realloc")
                    (param $old i32) (param $size i32) (param $align i32) (param $new i32) (result i32)
                    {realloc})
                (func (export "shipway:release/commands@0.1.0#collect") {parameters} (result i32)
                    {collect}
                    (i32.const {RESULT})))"#,
            fields_first = imports(&self.fields),
            fields = rest(&self.fields),
            pages = self.pages,
            realloc = self.realloc,
            collect = self.collect,
        )
    }

    /// Takes it in and calls it.
    pub fn go(&self, world: &World) -> Result<Vec<Seen>> {
        Ok(vec![self.bench(world)?.go_as(Role::Source)])
    }

    pub fn bench(&self, world: &World) -> Result<Bench> {
        let component = self.component()?;
        let description = block(world.host.inspect(&component))?;
        Ok(Bench::of(world, description))
    }
}

/// Imports stand before everything else in a module.
fn imports(fields: &str) -> String {
    let lines = fields.lines().filter(|line| is_import(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn rest(fields: &str) -> String {
    let lines = fields.lines().filter(|line| !is_import(line));
    lines.collect::<Vec<_>>().join("\n")
}

fn is_import(line: &str) -> bool {
    line.trim_start().starts_with("(import")
}

fn contract() -> PathBuf {
    parts::root().join("wit")
}

/// Writes a number into the result, so many bytes from its beginning.
pub fn put(offset: u32, value: u32) -> String {
    let at = RESULT + offset;
    format!("(i32.store (i32.const {at}) (i32.const {value}))\n")
}

/// Fills memory with pairs of pointer and length, all the same: a list of
/// strings that costs its guest 8 bytes each.
pub fn pairs(at: u32, count: u32, pointer: u32, length: u32) -> String {
    let end = at + count * 8;
    format!(
        "(local $i i32)
        (local.set $i (i32.const {at}))
        (loop $more
            (i32.store (local.get $i) (i32.const {pointer}))
            (i32.store offset=4 (local.get $i) (i32.const {length}))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $more (i32.lt_u (local.get $i) (i32.const {end}))))
        "
    )
}

/// A component whose core module is this, with the exports that every plugin
/// has, though not with their types: what is in it runs when it starts.
pub fn starting(module: &str) -> Vec<u8> {
    let text = format!(
        r#"(component
            (core module $m {module} (func (export "f")))
            (core instance $c (instantiate $m))
            {ROLES})"#
    );
    wat::parse_str(&text).unwrap_or_else(|error| panic!("{error}"))
}

/// The exports of a release source, of a function `f` of the instance `$c`.
pub const ROLES: &str = r#"(func $f (canon lift (core func $c "f")))
    (instance $manifest (export "describe" (func $f)))
    (instance $commands (export "collect" (func $f)))
    (export "shipway:plugin/manifest@0.1.0" (instance $manifest))
    (export "shipway:release/commands@0.1.0" (instance $commands))"#;

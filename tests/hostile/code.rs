//! Files that are no plugins, or that harm whoever reads or compiles them.

use std::fs;

use anyhow::{Context, Result, bail, ensure};
use shipway_core::ports::plugins::PluginErrorKind;
use shipway_core::ports::plugins::Plugins;
use shipway_plugin_host::Limits;
use shipway_tests::wait::block;
use std::fmt::Write;
use std::time::Duration;

use crate::attack::{Attack, Outcome, Seen, fails};
use crate::bench::inspect;
use crate::raw;
use crate::world::World;

const CLASS: &str = "code";
const MALFORMED: PluginErrorKind = PluginErrorKind::Malformed;

pub fn attacks() -> Vec<Attack> {
    let mut attacks = files();
    attacks.extend(features());
    attacks.extend(imports());
    attacks.extend(bombs());
    attacks
}

fn files() -> Vec<Attack> {
    let file = |bytes: &'static [u8]| move |world: &World| Ok(vec![inspect(world, bytes)]);
    vec![
        fails(CLASS, "an empty file", (MALFORMED, "empty"), file(b"")),
        fails(
            CLASS,
            "a script",
            (MALFORMED, "no WebAssembly"),
            file(b"#!/bin/sh\nexit 0\n"),
        ),
        fails(
            CLASS,
            "a core module",
            (MALFORMED, "core WebAssembly module"),
            file(b"\0asm\x01\0\0\0"),
        ),
        fails(
            CLASS,
            "a WebAssembly of the future",
            (MALFORMED, "version of WebAssembly"),
            file(b"\0asm\xff\0\x01\0"),
        ),
        fails(
            CLASS,
            "a plugin cut off, at forty places",
            (MALFORMED, ""),
            |world| {
                let size = world.guest.len();
                let places = (1..40).map(|part| size * part / 40).chain([size - 1]);
                Ok(places
                    .map(|end| inspect(world, &world.guest[..end]))
                    .collect())
            },
        ),
        fails(
            CLASS,
            "a plugin with a byte changed, at twenty places",
            (MALFORMED, ""),
            changed,
        ),
        fails(
            CLASS,
            "machine code, made by the host itself",
            (MALFORMED, "machine code"),
            |world| {
                let files = world.compiled()?;
                let file = files.first().context("nothing is compiled")?;
                Ok(vec![inspect(world, &fs::read(file)?)])
            },
        ),
        fails(
            CLASS,
            "a program for this machine",
            (MALFORMED, "no WebAssembly"),
            |world| {
                Ok(vec![inspect(
                    world,
                    &fs::read("/proc/self/exe")?[..1 << 20],
                )])
            },
        ),
        fails(
            CLASS,
            "a file of more than 64 MiB",
            (MALFORMED, "too large"),
            |world| {
                let mut file = world.guest.clone();
                file.resize((64 << 20) + 1, 0);
                Ok(vec![inspect(world, &file)])
            },
        ),
    ]
}

/// One byte is turned over, at twenty places. Most make it malformed; a few,
/// in data or in names, make another plugin, and that is none of our business
/// as long as whoever reads it stands.
fn changed(world: &World) -> Result<Vec<Seen>> {
    let size = world.guest.len();
    let mut refused = Vec::new();
    for part in 0..20 {
        let mut file = world.guest.clone();
        let place = 8 + (size - 9) * part / 20;
        file[place] ^= 0xff;
        let seen = inspect(world, &file);
        match &seen.outcome {
            Outcome::Failed(error) if error.kind == MALFORMED => refused.push(seen),
            Outcome::Failed(error) if error.kind == PluginErrorKind::Host => bail!("{error}"),
            _ => {}
        }
    }
    ensure!(refused.len() > 4, "only {} were malformed", refused.len());
    Ok(refused)
}

/// What WebAssembly has, and a plugin has not.
fn features() -> Vec<Attack> {
    let module = |fields: &'static str| {
        move |world: &World| Ok(vec![inspect(world, &raw::starting(fields))])
    };
    vec![
        fails(
            CLASS,
            "memory of 64 bits",
            (MALFORMED, "memory64"),
            module("(memory i64 1)"),
        ),
        fails(
            CLASS,
            "memory that threads share",
            (MALFORMED, "threads"),
            module("(memory 1 1 shared)"),
        ),
        fails(
            CLASS,
            "atomic instructions",
            (MALFORMED, "threads"),
            module("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"),
        ),
        fails(
            CLASS,
            "garbage-collected types",
            (MALFORMED, "gc types"),
            module("(type $s (struct (field i32)))"),
        ),
        fails(
            CLASS,
            "the types of another contract",
            (MALFORMED, "not the contract's"),
            module(""),
        ),
    ]
}

fn imports() -> Vec<Attack> {
    let unknown = PluginErrorKind::UnknownImport;
    let text =
        |text: &'static str| move |world: &World| Ok(vec![inspect(world, &wat::parse_str(text)?)]);
    vec![
        fails(
            CLASS,
            "an import that nobody has",
            (
                unknown,
                "imports acme:shell/run@1.0.0, which Shipway does not have",
            ),
            text(r#"(component (import "acme:shell/run@1.0.0" (instance (export "run" (func)))))"#),
        ),
        fails(
            CLASS,
            "a function that an interface has not",
            (unknown, "in another version or form"),
            text(
                r#"(component (import "shipway:plugin/settings@0.1.0" (instance (export "set" (func)))))"#,
            ),
        ),
        fails(
            CLASS,
            "terminal escapes in the name of an import",
            (MALFORMED, "no valid component"),
            |world| {
                let plain = b"acme-title-x";
                let mut file = wat::parse_str(r#"(component (import "acme-title-x" (func)))"#)?;
                let place = file.windows(12).position(|part| part == plain);
                let place = place.context("the name")?;
                file[place..place + 12].copy_from_slice(b"\x1b]0;hackedx\x07");
                Ok(vec![inspect(world, &file)])
            },
        ),
        fails(
            CLASS,
            "five thousand imports",
            (MALFORMED, "count exceeds limit"),
            |world| {
                let mut text = String::from("(component");
                for n in 0..5_000 {
                    write!(text, r#"(import "a:b/i{n}" (instance))"#)?;
                }
                text.push(')');
                Ok(vec![inspect(world, &wat::parse_str(text)?)])
            },
        ),
        fails(
            CLASS,
            "five thousand exports",
            (MALFORMED, "count exceeds limit"),
            |world| {
                let mut text = String::from("(component (instance $i)");
                for n in 0..5_000 {
                    write!(text, r#"(export "a:b/i{n}" (instance $i))"#)?;
                }
                text.push(')');
                Ok(vec![inspect(world, &wat::parse_str(text)?)])
            },
        ),
    ]
}

fn bombs() -> Vec<Attack> {
    vec![
        fails(
            CLASS,
            "a type that doubles thirty times",
            (MALFORMED, "type size"),
            |world| {
                let mut text = String::from("(component (type $t0 (tuple u8 u8))");
                for n in 1..30 {
                    write!(text, "(type $t{n} (tuple $t{m} $t{m}))", m = n - 1)?;
                }
                text.push_str(r#"(import "f" (func (param "x" $t29))))"#);
                Ok(vec![inspect(world, &wat::parse_str(text)?)])
            },
        ),
        fails(
            CLASS,
            "ten thousand components, each in the other",
            (
                PluginErrorKind::Memory,
                "could not be compiled with 1024 MiB",
            ),
            |world| Ok(vec![inspect(world, &nested(10_000))]),
        ),
        fails(
            CLASS,
            "a module that promises four billion functions",
            (MALFORMED, ""),
            |world| {
                // A function section with a count and nothing behind it.
                let module = [
                    b"\0asm\x01\0\0\0".as_slice(),
                    &[3, 5, 0xff, 0xff, 0xff, 0xff, 0x0f],
                ]
                .concat();
                let component = [b"\0asm\x0d\0\x01\0".as_slice(), &[1, 15], &module].concat();
                Ok(vec![inspect(world, &component)])
            },
        ),
        fails(
            CLASS,
            "blocks in blocks, thirty thousand deep",
            (MALFORMED, "not the contract's"),
            |world| {
                let deep = 30_000;
                let code = format!("(func {} {})", "block ".repeat(deep), "end ".repeat(deep));
                let component = raw::starting(&code);
                let seen = inspect(world, &component);
                Ok(vec![seen])
            },
        ),
        fails(
            CLASS,
            "a function that needs more memory to compile than there may be",
            (
                PluginErrorKind::Memory,
                "could not be compiled with 1024 MiB",
            ),
            |world| {
                Ok(vec![inspect(
                    world,
                    &raw::starting(&long_function(900_000)),
                )])
            },
        ),
        fails(
            CLASS,
            "a function that compiles for longer than it may",
            (PluginErrorKind::Host, "could not be compiled in 1 s"),
            |world| {
                let limits = Limits {
                    compile: Duration::from_secs(1),
                    ..Limits::default()
                };
                let host = world.host_with(limits)?;
                let bomb = raw::starting(&long_function(600_000));
                let refused = block(host.inspect(&bomb));
                Ok(vec![Seen {
                    outcome: match refused {
                        Ok(description) => Outcome::Brought(description.name.to_string()),
                        Err(error) => Outcome::Failed(error),
                    },
                    log: String::new(),
                }])
            },
        ),
        fails(
            CLASS,
            "an endless start",
            (PluginErrorKind::Timeout, "it may"),
            |world| {
                let module = "(func $start (loop $l (br $l))) (start $start)";
                Ok(vec![inspect(world, &raw::starting(module))])
            },
        ),
        fails(
            CLASS,
            "an endless describe",
            (PluginErrorKind::Timeout, "it may"),
            |world| Ok(vec![inspect(world, &world.describing("loop"))]),
        ),
    ]
}

/// Straight code of so many instructions, each with a value of its own.
fn long_function(instructions: usize) -> String {
    let mut code = String::from("(memory 1) (func (local i32 i32 i32 i32 i32 i32 i32 i32)\n");
    for n in 0..instructions / 4 {
        let (a, b) = (n % 8, (n * 5 + 3) % 8);
        code.push_str(&format!(
            "local.get {a} i32.load local.get {b} i32.add local.set {a}\n"
        ));
    }
    code.push(')');
    code
}

/// Components in components, made from the innermost.
fn nested(depth: usize) -> Vec<u8> {
    let head = b"\0asm\x0d\0\x01\0";
    let mut reversed: Vec<u8> = head.iter().rev().copied().collect();
    for _ in 0..depth {
        let size = number(reversed.len());
        reversed.extend(size.iter().rev());
        // The section of components.
        reversed.push(4);
        reversed.extend(head.iter().rev());
    }
    reversed.reverse();
    reversed
}

/// A number as WebAssembly writes it: seven bits a byte.
fn number(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(value & 0x7f).unwrap_or_default();
        value >>= 7;
        match value {
            0 => {
                bytes.push(low);
                return bytes;
            }
            _ => bytes.push(low | 0x80),
        }
    }
}

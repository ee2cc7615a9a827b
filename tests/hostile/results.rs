//! Answers that are huge, or no answers at all.

use anyhow::Result;
use shipway_core::grant::Permission;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, fails};
use crate::bench::{Bench, Role, inspect};
use crate::raw::{FREE, Source, pairs, put};
use crate::traps::allocates;
use crate::world::World;

const CLASS: &str = "result";
const TRAP: PluginErrorKind = PluginErrorKind::Trap;
const NONSENSE: PluginErrorKind = PluginErrorKind::Nonsense;
const TOO_MUCH: (PluginErrorKind, &str) = (NONSENSE, "it may hand over 4 MiB in one call");
/// Where the list of warnings stands in what `collect` returns.
const WARNINGS: u32 = 20;
const ATTRIBUTES: u32 = 28;

pub fn attacks() -> Vec<Attack> {
    let mut attacks = sizes();
    attacks.extend(shapes());
    attacks.extend(words());
    attacks
}

fn sizes() -> Vec<Attack> {
    vec![
        fails(CLASS, "a string of 8 MiB", TOO_MUCH, |world| {
            acts(world, "huge")
        }),
        fails(CLASS, "a description of 8 MiB", TOO_MUCH, |world| {
            Ok(vec![inspect(world, &world.describing("huge"))])
        }),
        fails(
            CLASS,
            "a list of eight million empty strings",
            TOO_MUCH,
            |world| many(world, WARNINGS, 8 << 20, 0),
        ),
        fails(
            CLASS,
            "a list of four million empty records",
            TOO_MUCH,
            |world| many(world, ATTRIBUTES, 4 << 20, 0),
        ),
        fails(
            CLASS,
            "a thousand strings that are the same megabyte",
            TOO_MUCH,
            |world| many(world, WARNINGS, 1_000, 1 << 20),
        ),
        fails(
            CLASS,
            "megabyte after megabyte for the log",
            (NONSENSE, "32 MiB in all"),
            |world| acts(world, "hand-over"),
        ),
        fails(
            CLASS,
            "a command of 2,000 words for the image",
            (PluginErrorKind::Failure, "(invalid)"),
            |world| {
                let bench = Bench::new(world, "image-words 2000");
                let bench = bench.grant(|grants| grants.image = Permission::Granted);
                Ok(vec![bench.go()])
            },
        ),
        fails(
            CLASS,
            "a command of 200,000 words for the image",
            TOO_MUCH,
            |world| {
                let bench = Bench::new(world, "image-words 200000");
                let bench = bench.grant(|grants| grants.image = Permission::Granted);
                Ok(vec![bench.go()])
            },
        ),
    ]
}

/// What no compiler would let its author return.
fn shapes() -> Vec<Attack> {
    vec![
        fails(
            CLASS,
            "a string beyond memory",
            (TRAP, "out of bounds"),
            |world| {
                let string = store(FREE, 0x7fff_0000) + &store(FREE + 4, 0x1000);
                Source::collecting(string + &list(FREE, 1)).go(world)
            },
        ),
        fails(
            CLASS,
            "a list longer than memory",
            (TRAP, "out of bounds"),
            |world| Source::collecting(list(FREE, u32::MAX)).go(world),
        ),
        fails(
            CLASS,
            "a list at an odd address",
            (TRAP, "aligned"),
            |world| Source::collecting(list(FREE + 1, 1)).go(world),
        ),
        fails(
            CLASS,
            "a string that is no text",
            (TRAP, "utf-8"),
            |world| {
                let text = store(FREE, u32::MAX);
                let string = store(FREE + 64, FREE) + &store(FREE + 68, 4);
                Source::collecting(text + &string + &list(FREE + 64, 1)).go(world)
            },
        ),
        fails(
            CLASS,
            "a result that is neither good nor bad",
            (TRAP, "discriminant"),
            |world| Source::collecting(put(0, 7)).go(world),
        ),
        fails(
            CLASS,
            "memory that is given beyond memory",
            (TRAP, "beyond end of memory"),
            |world| allocates(world, "(i32.const 0x7fffff00)"),
        ),
        fails(
            CLASS,
            "a host call from where none may be",
            (TRAP, "cannot leave component"),
            |world| {
                let source = Source {
                    realloc: "(call $write (i32.const 1) (i32.const 1152) (i32.const 3)) unreachable"
                        .to_owned(),
                    fields: r#"(import "shipway:plugin/log@0.1.0" "write" (func $write (param i32 i32 i32)))"#
                        .to_owned(),
                    ..Source::default()
                };
                source.go(world)
            },
        ),
    ]
}

/// What the types allow and the contract does not.
fn words() -> Vec<Attack> {
    let acts = |act: &'static str| move |world: &World| acts(world, act);
    vec![
        fails(
            CLASS,
            "65 release commands",
            (NONSENSE, "65 release commands"),
            acts("many"),
        ),
        fails(
            CLASS,
            "a phase that is none",
            (NONSENSE, "unknown phase \"lunch\""),
            acts("bad-phase"),
        ),
        fails(CLASS, "a NUL in a command", (NONSENSE, "NUL"), acts("nul")),
        fails(CLASS, "1,001 checks", (NONSENSE, "1001 checks"), |world| {
            Ok(vec![Bench::new(world, "many").go_as(Role::SelfTest)])
        }),
        fails(
            CLASS,
            "a name that is a path",
            (NONSENSE, "plugin name"),
            |world| Ok(vec![inspect(world, &world.describing("bad-name"))]),
        ),
    ]
}

fn acts(world: &World, act: &str) -> Result<Vec<Seen>> {
    Ok(vec![Bench::new(world, act).go()])
}

/// A list of so many elements, all of them strings of this length.
fn many(world: &World, field: u32, count: u32, length: u32) -> Result<Vec<Seen>> {
    let at = 4 << 20;
    let pairs = match field {
        // Two strings each.
        ATTRIBUTES => pairs(at, count * 2, FREE, length),
        _ => pairs(at, count, FREE, length),
    };
    let source = Source {
        // Beside the list itself, room for what the strings are.
        pages: 2_000,
        ..Source::collecting(pairs + &put(field, at) + &put(field + 4, count))
    };
    source.go(world)
}

/// The list of warnings: where it stands, and how long it is.
fn list(at: u32, count: u32) -> String {
    put(WARNINGS, at) + &put(WARNINGS + 4, count)
}

fn store(at: u32, value: u32) -> String {
    format!("(i32.store (i32.const {at}) (i32.const {value}))\n")
}

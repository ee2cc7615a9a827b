//! A trap in each place where a component can run.

use anyhow::Result;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, fails};
use crate::bench::{Bench, Role, inspect};
use crate::raw::{self, Source};
use crate::world::World;

const CLASS: &str = "trap";
const TRAP: PluginErrorKind = PluginErrorKind::Trap;

pub fn attacks() -> Vec<Attack> {
    let panics = (TRAP, "I was told to");
    let as_role = |role| move |world: &World| Ok(vec![Bench::new(world, "trap").go_as(role)]);
    vec![
        fails(CLASS, "in describe", panics, |world| {
            Ok(vec![inspect(world, &world.describing("trap"))])
        }),
        fails(CLASS, "in collect", panics, as_role(Role::Source)),
        fails(CLASS, "in deliver", panics, as_role(Role::Notifier)),
        fails(CLASS, "in a self-test", panics, as_role(Role::SelfTest)),
        fails(CLASS, "when it starts", (TRAP, "unreachable"), |world| {
            let module = "(func $start unreachable) (start $start)";
            Ok(vec![inspect(world, &raw::starting(module))])
        }),
        fails(
            CLASS,
            "when memory is asked for",
            (TRAP, "unreachable"),
            |world| allocates(world, "unreachable"),
        ),
        fails(
            CLASS,
            "at the end of the process",
            (TRAP, "it ended itself"),
            |world| Ok(vec![Bench::new(world, "exit").go()]),
        ),
        fails(
            CLASS,
            "a division by zero",
            (TRAP, "divide by zero"),
            |world| collects(world, "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
        ),
        fails(
            CLASS,
            "an address beyond memory",
            (TRAP, "out of bounds"),
            |world| collects(world, "(drop (i32.load (i32.const -4)))"),
        ),
        fails(
            CLASS,
            "a function that is none",
            (TRAP, "uninitialized element"),
            |world| {
                let source = Source {
                    fields: "(table $none 1 funcref)\n(type $t (func))".to_owned(),
                    ..Source::collecting("(call_indirect $none (type $t) (i32.const 0))")
                };
                source.go(world)
            },
        ),
    ]
}

fn collects(world: &World, code: &str) -> Result<Vec<Seen>> {
    Source::collecting(code).go(world)
}

pub fn allocates(world: &World, code: &str) -> Result<Vec<Seen>> {
    let source = Source {
        realloc: code.to_owned(),
        ..Source::default()
    };
    source.go(world)
}

//! Memory, tables, handles, instances, the stack: what grows until it is
//! stopped.

use anyhow::Result;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, fails};
use crate::bench::{Bench, inspect};
use crate::raw::{self, Source};
use crate::world::World;

const CLASS: &str = "growth";
const MEMORY: (PluginErrorKind, &str) =
    (PluginErrorKind::Memory, "more than its 128 MiB of memory");

pub fn attacks() -> Vec<Attack> {
    vec![
        fails(CLASS, "memory without an end", MEMORY, |world| {
            Ok(vec![Bench::new(world, "grow").go()])
        }),
        fails(CLASS, "memory in one step, to 2 GiB", MEMORY, |world| {
            let grow =
                "(if (i32.eq (memory.grow (i32.const 32768)) (i32.const -1)) (then unreachable))";
            Source::collecting(grow).go(world)
        }),
        fails(
            CLASS,
            "three memories that together are too large",
            MEMORY,
            |world| {
                // Each alone would be allowed.
                together(world, "(memory 1000)")
            },
        ),
        fails(
            CLASS,
            "two memories in one module",
            (PluginErrorKind::Host, "could not be loaded"),
            |world| starts(world, "(memory 1) (memory 1)"),
        ),
        fails(
            CLASS,
            "memory that is too large from the beginning",
            MEMORY,
            |world| starts(world, "(memory 3000)"),
        ),
        fails(CLASS, "a table without an end", MEMORY, |world| {
            starts(
                world,
                "(table $t 1 funcref)
                (func $grow
                    (loop $more
                        (if (i32.eq (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))
                            (then unreachable))
                        (br $more)))
                (start $grow)",
            )
        }),
        fails(
            CLASS,
            "three tables that together are too large",
            MEMORY,
            |world| together(world, "(table 30000 funcref)"),
        ),
        fails(
            CLASS,
            "handles without an end",
            (PluginErrorKind::Trap, "trapped"),
            |world| Ok(vec![Bench::new(world, "handles").go()]),
        ),
        fails(
            CLASS,
            "a stack without an end",
            (PluginErrorKind::Trap, "call stack exhausted"),
            |world| Ok(vec![Bench::new(world, "stack").go()]),
        ),
        fails(
            CLASS,
            "a thousand instances of a module",
            (PluginErrorKind::Malformed, "instances count exceeds limit"),
            |world| {
                let instances: String = (0..1_000)
                    .map(|n| format!("(core instance $i{n} (instantiate $m))"))
                    .collect();
                let text = format!(
                    r#"(component
                        (core module $m (memory 1) (func (export "f")))
                        {instances}
                        (core instance $c (instantiate $m))
                        {})"#,
                    raw::ROLES
                );
                Ok(vec![inspect(world, &wat::parse_str(text)?)])
            },
        ),
    ]
}

/// Three modules in one component, each with the same in it.
fn together(world: &World, fields: &str) -> Result<Vec<Seen>> {
    let text = format!(
        r#"(component
            (core module $m {fields} (func (export "f")))
            (core instance (instantiate $m))
            (core instance (instantiate $m))
            (core instance $c (instantiate $m))
            {})"#,
        raw::ROLES
    );
    Ok(vec![inspect(world, &wat::parse_str(text)?)])
}

fn starts(world: &World, module: &str) -> Result<Vec<Seen>> {
    Ok(vec![inspect(world, &raw::starting(module))])
}

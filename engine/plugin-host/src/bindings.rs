//! The bindings that are generated from the contract in `wit/`. One world with
//! every role, so that all roles share one set of types. Nothing of it is
//! visible outside this crate.

wasmtime::component::bindgen!({
    path: "../../wit",
    inline: "
        package shipway:host;
        world every-role {
            include shipway:worlds/plugin@0.1.0;
            export shipway:release/commands@0.1.0;
            export shipway:notify/notifier@0.1.0;
            export shipway:self-test/checks@0.1.0;
        }
    ",
    imports: { default: async | trappable },
    exports: { default: async },
});

pub(crate) use exports::shipway::notify::notifier;
pub(crate) use exports::shipway::plugin::manifest;
pub(crate) use exports::shipway::release::commands;
pub(crate) use exports::shipway::self_test::checks;
pub(crate) use shipway::plugin::{candidate, http, image, log, model, settings, source, variables};

pub(crate) mod wasi {
    wasmtime::component::bindgen!({
        path: "wit",
        world: "wasi:logging/imports",
        imports: { default: async | trappable },
    });
}

pub(crate) use wasi::wasi::logging::logging as wasi_logging;

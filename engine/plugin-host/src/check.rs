//! Looks at a component before it runs: is the file one, does it import only
//! what there is, does it export a role.

use shipway_core::ports::plugins::PluginErrorKind;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::config::Limits;
use crate::fault::Fault;
use crate::lines::printable;

const MAGIC: &[u8] = b"\0asm";
/// Version and layer of a component.
const COMPONENT: &[u8] = &[0x0d, 0x00, 0x01, 0x00];
/// Version and layer of a core module.
const MODULE: &[u8] = &[0x01, 0x00, 0x00, 0x00];

const HOW_TO_BUILD: &str = "build it as a component, for example with \
                            `cargo build --release --target wasm32-wasip2`";

/// The packages that a component may import from. All of their interfaces
/// are linked; what they do, the sandbox decides.
const OFFERED: &[&str] = &[
    "shipway:plugin/",
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:config/",
    "wasi:filesystem/",
    "wasi:http/",
    "wasi:io/",
    "wasi:logging/",
    "wasi:random/",
    "wasi:sockets/",
];

/// Refuses what is no component, by its first bytes and its size.
pub(crate) fn file(bytes: &[u8], limits: &Limits) -> Result<(), Fault> {
    if bytes.len() > limits.component_bytes {
        let (size, most) = (bytes.len() >> 20, limits.component_bytes >> 20);
        return Err(malformed(format!(
            "is too large: {size} MiB, and a component has at most {most} MiB"
        )));
    }
    if Engine::detect_precompiled(bytes).is_some() {
        return Err(malformed(
            "is compiled to machine code already, which Shipway takes from nobody",
        ));
    }
    match bytes.split_at_checked(8) {
        Some((head, _)) if head.starts_with(MAGIC) && head.ends_with(COMPONENT) => Ok(()),
        Some((head, _)) if head.starts_with(MAGIC) && head.ends_with(MODULE) => Err(malformed(
            "is a core WebAssembly module and not a component",
        )),
        Some((head, _)) if head.starts_with(MAGIC) => Err(malformed(
            "has a version of WebAssembly that Shipway does not know",
        )),
        Some(_) => Err(malformed(
            "is no WebAssembly: the file begins with other bytes",
        )),
        None => Err(malformed(
            "is no WebAssembly: the file is empty or has a few bytes only",
        )),
    }
}

/// What the compiler said of a file that begins like a component.
pub(crate) fn not_compiled(cause: &str) -> Fault {
    // Some of the compiler's sentences go over lines.
    let cause = printable(&cause.split_whitespace().collect::<Vec<_>>().join(" "));
    let cut_off = ["unexpected end", "unexpected-end", "out of bounds"];
    let what = match cut_off.iter().any(|sign| cause.contains(sign)) {
        true => format!("is truncated: {cause}"),
        false => format!("is no valid component: {cause}"),
    };
    malformed(what)
}

/// Refuses what the linker does not have, by name.
pub(crate) fn not_linked(engine: &Engine, component: &Component, error: &wasmtime::Error) -> Fault {
    let ty = component.component_type();
    let unknown = ty
        .imports(engine)
        .map(|(name, _)| name.to_owned())
        .find(|name| !OFFERED.iter().any(|package| name.starts_with(package)));
    let what = match unknown {
        Some(name) => format!("imports {name}, which Shipway does not have"),
        None => format!(
            "imports what Shipway has in another version or form: {}",
            causes(error)
        ),
    };
    Fault::new(PluginErrorKind::UnknownImport, what).with_hint(
        "a plugin may import shipway:plugin 0.1 and, of WASI 0.2, cli, clocks, config, filesystem, \
         http, io, logging, random and sockets; build it against these",
    )
}

/// The component exports none of the roles, or one of another version.
pub(crate) fn no_role(engine: &Engine, component: &Component, missing: &str) -> Fault {
    let ty = component.component_type();
    let exports: Vec<String> = ty
        .exports(engine)
        .map(|(name, _)| name.to_owned())
        .collect();
    let seen = match exports.as_slice() {
        [] => "it exports nothing".to_owned(),
        names => format!("it exports {}", names.join(", ")),
    };
    let what = format!("exports no {missing} that Shipway knows; {seen}");
    Fault::new(PluginErrorKind::NoRole, what).with_hint(
        "a plugin exports shipway:plugin/manifest@0.1.0 and one of \
         shipway:release/commands@0.1.0, shipway:notify/notifier@0.1.0 and \
         shipway:self-test/checks@0.1.0",
    )
}

/// All of them on one line; the innermost alone says too little here.
fn causes(error: &wasmtime::Error) -> String {
    format!("{error:#}").replace('\n', " ")
}

fn malformed(what: impl Into<String>) -> Fault {
    Fault::new(PluginErrorKind::Malformed, what).with_hint(HOW_TO_BUILD)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        file(bytes, &Limits::default()).unwrap_err().what
    }

    #[test]
    fn what_is_no_component_is_refused_by_its_first_bytes() {
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b"#!/bin/sh\necho").contains("no WebAssembly"));
        assert!(refusal(b"\0asm\x01\0\0\0").contains("core WebAssembly module"));
        assert!(refusal(b"\0asm\x09\0\0\0").contains("version"));
        assert!(file(b"\0asm\x0d\0\x01\0", &Limits::default()).is_ok());
    }

    #[test]
    fn a_large_file_is_refused_before_it_is_read() {
        let limits = Limits {
            component_bytes: 1 << 20,
            ..Limits::default()
        };
        let fault = file(&vec![0; (1 << 20) + 1], &limits).unwrap_err();
        assert!(fault.what.contains("too large"), "{}", fault.what);
    }

    #[test]
    fn machine_code_is_taken_from_nobody() {
        let engine = Engine::default();
        let component = wat::parse_str("(component)").unwrap();
        let compiled = engine.precompile_component(&component).unwrap();
        assert!(refusal(&compiled).contains("machine code"));
    }
}

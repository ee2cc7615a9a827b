//! WASI, around the contract: everything is there to be called, and nothing
//! is behind it.

use anyhow::{Result, ensure};
use shipway_core::grant::Addresses;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, brings, fails};
use crate::bench::Bench;
use crate::http::granted;
use crate::world::World;

const CLASS: &str = "wasi";

pub fn attacks() -> Vec<Attack> {
    vec![
        brings(
            CLASS,
            "folders, variables, arguments, a terminal, standard input",
            &[
                "folders 0",
                "variables 0",
                "arguments 0",
                "directory None",
                "terminal false",
                "input Ok(\"\")",
                "a file false",
                "etc false",
            ],
            |world| {
                let seen = Bench::new(world, "pry").go();
                ensure!(
                    !std::path::Path::new("/tmp/hostile").exists(),
                    "a file was made"
                );
                Ok(vec![seen])
            },
        ),
        brings(
            CLASS,
            "sockets and names",
            &[
                "tcp false",
                "tcp6 false",
                "listen false",
                "udp false",
                "name false",
            ],
            |world| {
                let port = world.victim.address.port().to_string();
                Ok(vec![Bench::new(world, "sockets").set("port", &port).go()])
            },
        ),
        brings(
            CLASS,
            "what Rust's own library reaches for",
            &["files false", "network false", "names false"],
            |world| Ok(vec![Bench::new(world, "ambient").go()]),
        ),
        fails(
            CLASS,
            "a terabyte of random numbers at once",
            (PluginErrorKind::Trap, "trapped"),
            |world| Ok(vec![Bench::new(world, "random").go()]),
        ),
        brings(
            CLASS,
            "wasi:http to a host that is not granted",
            &["refused ErrorCode::HttpRequestDenied"],
            |world| wasi_http(world, &world.victim.address.to_string(), "", |bench| bench),
        )
        .logs("is not granted"),
        brings(
            CLASS,
            "wasi:http to loopback by a public name",
            &["refused ErrorCode::HttpRequestDenied"],
            |world| {
                let origin = world.victim_at("inside.example.test");
                let authority = origin.trim_start_matches("http://").to_owned();
                wasi_http(world, &authority, "", |bench| {
                    bench
                        .set("url", &origin)
                        .http(&origin, Addresses::Public, &[])
                })
            },
        )
        .logs("no public address"),
        brings(
            CLASS,
            "wasi:http with another's host header",
            &["answered 200"],
            |world| {
                let count = world.hook.count();
                let authority = world.hook.address.to_string();
                let seen = wasi_http(world, &authority, "host: internal.example.test", |bench| {
                    bench.http(&world.hook.origin(), Addresses::Any, &[])
                })?;
                let sent = world.hook.since(count);
                let own = format!("host: {}", world.hook.address);
                ensure!(sent.len() == 1 && sent[0].head.contains(&own), "{sent:?}");
                ensure!(!sent[0].head.contains("internal"), "{sent:?}");
                Ok(seen)
            },
        ),
        brings(
            CLASS,
            "wasi:http with a secret that is not granted",
            &["refused ErrorCode::HttpRequestDenied"],
            |world| {
                let count = world.hook.count();
                let authority = world.hook.address.to_string();
                let seen = wasi_http(
                    world,
                    &authority,
                    "authorization: Bearer {token}",
                    |bench| bench.http(&world.hook.origin(), Addresses::Any, &[]),
                )?;
                ensure!(world.hook.count() == count, "it was sent");
                Ok(seen)
            },
        )
        .logs("--send token"),
    ]
}

/// A request through `wasi:http`, with its headers.
fn wasi_http(
    world: &World,
    authority: &str,
    headers: &str,
    grants: impl FnOnce(Bench) -> Bench,
) -> Result<Vec<Seen>> {
    let bench = granted(world)
        .grant(|grants| grants.http.clear())
        .set("act", "wasi-http")
        .set("authority", authority)
        .set("headers", headers);
    Ok(vec![grants(bench).go()])
}

//! A secret, sent, told and kept where it may not be.

use anyhow::{Context, Result, ensure};
use shipway_core::grant::Addresses;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Outcome, Seen, brings, fails};
use crate::bench::{Bench, Role, SECRET};
use crate::server::Request;
use crate::world::World;

const CLASS: &str = "secret";
const DENIED: (PluginErrorKind, &str) = (PluginErrorKind::Failure, "(denied)");

pub fn attacks() -> Vec<Attack> {
    let mut attacks = sent();
    attacks.extend(told());
    attacks.push(
        brings(
            CLASS,
            "granted to hooks.example.test, searched for in all that there is",
            &["200", "shipway-secret-", "bytes"],
            searched_for,
        )
        .logs("bytes away in"),
    );
    attacks
}

fn sent() -> Vec<Attack> {
    vec![
        fails(
            CLASS,
            "to a host that is not granted at all",
            DENIED,
            |world| {
                let bench = Bench::new(world, "http").set("url", &world.victim.origin());
                Ok(vec![bench.set("body", "{token}").go()])
            },
        ),
        fails(
            CLASS,
            "to a granted host, without a grant of the secret",
            DENIED,
            |world| {
                nothing_sent(world, |world| {
                    at_hook(world, &[]).set("body", "{token}").go()
                })
            },
        )
        .logs("--send token"),
        fails(
            CLASS,
            "to a granted host, in another place than it is granted for",
            DENIED,
            |world| {
                let in_header = ["token@header:authorization"];
                let path = format!("{}/{{token}}", world.hook.origin());
                let query = format!("{}/?key={{token}}", world.hook.origin());
                let mut seen = Vec::new();
                for (name, value) in [
                    ("body", "{token}"),
                    ("url", &path),
                    ("url", &query),
                    ("headers", "x-token: {token}"),
                ] {
                    seen.extend(nothing_sent(world, |world| {
                        at_hook(world, &in_header).set(name, value).go()
                    })?);
                }
                Ok(seen)
            },
        ),
        fails(
            CLASS,
            "in a place that the manifest does not name",
            DENIED,
            |world| {
                nothing_sent(world, |world| {
                    at_hook(world, &["token"])
                        .set("headers", "x-other: {token}")
                        .go()
                })
            },
        )
        .logs("does not ask for it"),
        brings(CLASS, "as the name of a header", &["200"], |world| {
            not_filled_in(
                world,
                at_hook(world, &["token"]).set("headers", "{token}: x"),
            )
        }),
        fails(CLASS, "as a part of the host's name", DENIED, |world| {
            let url = format!(
                "http://{{token}}.example.test:{}/",
                world.victim.address.port()
            );
            Ok(vec![at_hook(world, &["token"]).set("url", &url).go()])
        }),
        fails(
            CLASS,
            "as a user in the URL",
            (PluginErrorKind::Failure, "(invalid)"),
            |world| {
                let url = format!("http://u:{{token}}@{}/", world.hook.address);
                nothing_sent(world, |world| {
                    at_hook(world, &["token"]).set("url", &url).go()
                })
            },
        ),
        brings(
            CLASS,
            "by a placeholder that was kept from an earlier call",
            &["200"],
            |world| {
                let kept = placeholder(world)?;
                not_filled_in(world, at_hook(world, &["token"]).set("body", &kept))
            },
        ),
        brings(
            CLASS,
            "by another plugin that was told the placeholder",
            &["200"],
            |world| {
                let kept = placeholder(world)?;
                let other = at_hook(world, &["token"]).secret("token", "its own secret");
                not_filled_in(world, other.set("body", &kept))
            },
        ),
        brings(CLASS, "by a placeholder in pieces", &["200"], |world| {
            let bench = at_hook(world, &["token"]).set("body", "shipway-secret-");
            not_filled_in(world, bench)
        }),
    ]
}

fn told() -> Vec<Attack> {
    vec![
        brings(CLASS, "in the log and on both outputs", &[], |world| {
            let act = format!("log {SECRET}");
            Ok(vec![Bench::new(world, &act).go()])
        })
        .logs("[secret] [secret]"),
        fails(
            CLASS,
            "in the plugin's own failure",
            (PluginErrorKind::Failure, "[secret]"),
            |world| {
                Ok(vec![
                    Bench::new(world, &format!("fail it is {SECRET}")).go(),
                ])
            },
        ),
        fails(
            CLASS,
            "in the message about a URL that is secret and does not answer",
            (
                PluginErrorKind::Failure,
                "a request with a secret in it failed",
            ),
            |world| {
                let origin = format!(
                    "http://{}.example.test",
                    SECRET.to_ascii_lowercase().replace('/', ".")
                );
                let bench = Bench::new(world, "http").secret("url", &format!("{origin}/x"));
                let seen = bench.http(&origin, Addresses::Public, &["url"]).go();
                Ok(vec![seen])
            },
        ),
        brings(
            CLASS,
            "in an answer that repeats it, in header and body",
            &["200", "Bearer shipway-secret-"],
            |world| {
                let count = world.hook.count();
                let url = format!("{}/echo?key={{token}}", world.hook.origin());
                let seen = at_hook(world, &["token"])
                    .set("url", &url)
                    .set(
                        "headers",
                        "authorization: Bearer {token}\ncontent-type: application/json",
                    )
                    .set("body", "{\"key\": \"{token}\"}")
                    .go();
                let sent = world.hook.since(count);
                ensure!(
                    sent.len() == 1 && sent[0].head.contains(SECRET),
                    "it was not sent: {sent:?}"
                );
                Ok(vec![seen])
            },
        ),
        brings(
            CLASS,
            "in a setting of the guest",
            &["shipway-secret-"],
            |world| Ok(vec![Bench::new(world, "remember token").go()]),
        ),
    ]
}

/// The issue's own words: a secret granted to `hooks.example.test` never
/// appears in guest memory, logs, errors, events, or in a request to another
/// host. So the guest sends it there, is answered with its echo, logs all it
/// has, tries it elsewhere, and carries all of its memory away.
fn searched_for(world: &World) -> Result<Vec<Seen>> {
    let (hooks, other) = (
        world.hook_at("hooks.example.test"),
        world.hook_at("other.example.test"),
    );
    let spying = || {
        Bench::new(world, "spy")
            .set("url", &format!("{hooks}/echo"))
            .set("headers", "authorization: Bearer {token}")
            .set("canary", "a value that is no secret")
            .set("collector", &format!("{other}/memory"))
            .http(&hooks, Addresses::Any, &["token"])
            .http(&other, Addresses::Any, &[])
    };
    let count = world.hook.count();
    let mut all = Vec::new();
    for role in [Role::Source, Role::SelfTest] {
        all.push(spying().go_as(role));
    }
    spying().go_as(Role::Notifier);
    // The same to the other host is refused, and the refusal tells nothing.
    let elsewhere = spying()
        .set("act", "http")
        .set("url", &format!("{other}/echo"));
    let refused = elsewhere.set("body", "{token}").go();
    let Outcome::Failed(error) = &refused.outcome else {
        anyhow::bail!("{refused:?}");
    };
    ensure!(error.message.contains("(denied)"), "{error}");

    let requests = world.hook.since(count);
    let (memory, at_hooks): (Vec<_>, Vec<_>) = requests
        .iter()
        .partition(|request| request.head.contains("other.example.test"));
    ensure!(
        at_hooks.len() == 3 && at_hooks.iter().all(|request| request.head.contains(SECRET)),
        "hooks.example.test was to get it three times: {at_hooks:?}"
    );
    for seen in all.iter().chain([&refused]) {
        no_trace("the call", format!("{seen:?}").as_bytes())?;
    }
    memory_has_no_trace(&memory)?;
    Ok(all)
}

/// What was carried away is memory indeed, and has no trace of the secret.
fn memory_has_no_trace(parts: &[&Request]) -> Result<()> {
    let mut memory = Vec::new();
    for part in parts {
        no_trace("a request to another host", part.text().as_bytes())?;
        let at = part
            .head
            .lines()
            .find_map(|line| line.strip_prefix("x-at: "));
        let at: u32 = at.context("a part of memory without its place")?.parse()?;
        let bytes = (at..).zip(&part.body);
        memory.extend(bytes.map(|(address, byte)| byte ^ mask(address)));
    }
    ensure!(memory.len() > 3 << 20, "only {} bytes came", memory.len());
    for known in ["shipway-secret-", "/echo", "x-heard"] {
        ensure!(
            has(&memory, known.as_bytes()),
            "no {known:?} in memory: it is none"
        );
    }
    no_trace("the guest's memory", &memory)
}

/// What the guest disguises the byte of an address with.
fn mask(address: u32) -> u8 {
    let [.., high] = address.wrapping_mul(0x9e37_79b1).to_le_bytes();
    high
}

/// The value, its parts, and the forms that it could stand in.
fn no_trace(place: &str, bytes: &[u8]) -> Result<()> {
    let reversed: Vec<u8> = SECRET.bytes().rev().collect();
    let wide: Vec<u8> = SECRET.bytes().flat_map(|byte| [byte, 0]).collect();
    let hexadecimal: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let (one, two) = SECRET.split_at(SECRET.len() / 2);
    let forms: [(&str, &[u8]); 7] = [
        ("the secret", SECRET.as_bytes()),
        ("its first half", one.as_bytes()),
        ("its second half", two.as_bytes()),
        ("its encoded form", b"hunter22%2FValue"),
        ("its reverse", &reversed),
        ("its wide form", &wide),
        ("its digits", hexadecimal.as_bytes()),
    ];
    for (what, form) in forms {
        ensure!(!has(bytes, form), "{place} has {what}");
    }
    Ok(())
}

fn has(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A call to the hook with these uses of secrets granted.
fn at_hook(world: &World, secrets: &[&str]) -> Bench {
    let origin = world.hook.origin();
    Bench::new(world, "http")
        .set("url", &format!("{origin}/"))
        .http(&origin, Addresses::Any, secrets)
}

/// The placeholder of a call that is over.
fn placeholder(world: &World) -> Result<String> {
    match Bench::new(world, "remember token").go().outcome {
        Outcome::Brought(placeholder) if placeholder.starts_with("shipway-secret-") => {
            Ok(placeholder)
        }
        other => anyhow::bail!("no placeholder: {other:?}"),
    }
}

fn nothing_sent(world: &World, go: impl FnOnce(&World) -> Seen) -> Result<Vec<Seen>> {
    let count = world.hook.count();
    let seen = go(world);
    ensure!(
        world.hook.count() == count,
        "it was sent: {:?}",
        world.hook.since(count)
    );
    Ok(vec![seen])
}

/// It is sent, with the placeholder as it stands.
fn not_filled_in(world: &World, bench: Bench) -> Result<Vec<Seen>> {
    let count = world.hook.count();
    let seen = bench.go();
    let sent = world.hook.since(count);
    ensure!(sent.len() == 1, "{} requests came: {seen:?}", sent.len());
    let text = sent[0].text();
    ensure!(text.contains("shipway-secret-"), "{text}");
    ensure!(
        !text.contains(SECRET) && !text.contains("its own secret"),
        "{text}"
    );
    Ok(vec![seen])
}

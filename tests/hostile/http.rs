//! Requests to where nobody is granted to send any.

use anyhow::{Result, ensure};
use shipway_core::grant::Addresses;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Outcome, Seen, brings, fails};
use crate::bench::Bench;
use crate::world::World;

const CLASS: &str = "http";
const FAILURE: PluginErrorKind = PluginErrorKind::Failure;
const DENIED: (PluginErrorKind, &str) = (FAILURE, "(denied)");
const INVALID: (PluginErrorKind, &str) = (FAILURE, "(invalid)");

pub fn attacks() -> Vec<Attack> {
    let mut attacks = hosts();
    attacks.extend(addresses());
    attacks.extend(names());
    attacks.extend(requests());
    attacks.extend(answers());
    attacks
}

/// Around the grant itself.
fn hosts() -> Vec<Attack> {
    vec![
        fails(CLASS, "a host that is not granted", DENIED, |world| {
            let bench = Bench::new(world, "http").set("url", &world.victim.origin());
            Ok(vec![bench.go()])
        })
        .logs("shipway plugin grant hostile --http http://127.0.0.1:"),
        fails(CLASS, "another port of a granted host", DENIED, |world| {
            Ok(vec![
                granted(world)
                    .set("url", &world.victim_at("127.0.0.1"))
                    .go(),
            ])
        }),
        fails(CLASS, "another scheme of a granted host", DENIED, |world| {
            let url = world.hook.origin().replace("http:", "https:");
            Ok(vec![granted(world).set("url", &url).go()])
        }),
        fails(CLASS, "a method that is not granted", DENIED, |world| {
            let bench = granted(world).set("method", "DELETE");
            let bench = bench.grant(|grants| grants.http[0].methods = vec!["POST".to_owned()]);
            Ok(vec![bench.go()])
        })
        .logs("--methods POST,DELETE"),
        fails(
            CLASS,
            "a granted host as the user of another",
            INVALID,
            |world| {
                let victim = world.victim.address;
                let urls = [
                    format!("http://{}@{victim}/", world.hook.address),
                    format!("http://x:{}@{victim}/", world.hook.address.port()),
                ];
                each(world, &urls)
            },
        ),
        fails(CLASS, "slashes that some read otherwise", DENIED, |world| {
            let victim = world.victim.address;
            let urls = [
                format!("http:\\\\{victim}\\@{}", world.hook.address),
                format!("http:///{victim}/"),
                format!("http:{victim}"),
                format!("ht\ttp://{victim}/"),
            ];
            each(world, &urls)
        }),
        fails(CLASS, "schemes that are no HTTP", INVALID, |world| {
            let urls = [
                "file:///etc/passwd",
                "ftp://127.0.0.1/",
                "gopher://127.0.0.1/",
                "unix:/x",
                "",
            ];
            each(world, &urls.map(str::to_owned))
        }),
    ]
}

/// Every spelling of an address that is granted as a host, and not as a
/// private address.
fn addresses() -> Vec<Attack> {
    let spelled = |hosts: &'static [&'static str]| {
        move |world: &World| {
            let urls: Vec<String> = hosts.iter().map(|host| world.victim_at(host)).collect();
            each_granted(world, &urls)
        }
    };
    let loopback = &["127.0.0.1", "127.0.0.2", "127.1", "localhost", "LOCALHOST"];
    let numbers = &[
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "0177.1",
        "127.0.1",
    ];
    let six = &["[::1]", "[0:0:0:0:0:0:0:1]"];
    let mapped = &["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]"];
    let translated = &[
        "[64:ff9b::127.0.0.1]",
        "[64:ff9b::7f00:1]",
        "[64:ff9b:1::7f00:1]",
    ];
    let tunnels = &["[2002:7f00:1::]", "[2001:0:7f00:1::]"];
    let metadata = &[
        "169.254.169.254",
        "2852039166",
        "[::ffff:169.254.169.254]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "168.63.129.16",
    ];
    let private = &[
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "[fc00::1]",
        "[fe80::1]",
    ];
    let nobody = &[
        "0.0.0.0",
        "0",
        "[::]",
        "255.255.255.255",
        "224.0.0.1",
        "240.0.0.1",
        "[ff02::1]",
    ];
    let wide = &["１２７.0.0.1", "127。0。0。1", "ⓛocalhost"];
    let told = "no public address";
    vec![
        fails(CLASS, "loopback", DENIED, spelled(loopback)).logs(told),
        fails(
            CLASS,
            "loopback in decimal, octal and hexadecimal",
            DENIED,
            spelled(numbers),
        )
        .logs(told),
        fails(
            CLASS,
            "loopback in letters of other scripts",
            DENIED,
            spelled(wide),
        )
        .logs(told),
        fails(CLASS, "loopback of IPv6", DENIED, spelled(six)).logs(told),
        fails(CLASS, "loopback mapped into IPv6", DENIED, spelled(mapped)).logs(told),
        fails(CLASS, "loopback through NAT64", DENIED, spelled(translated)).logs(told),
        fails(
            CLASS,
            "loopback through 6to4 and Teredo",
            DENIED,
            spelled(tunnels),
        )
        .logs(told),
        fails(
            CLASS,
            "the metadata service of a cloud",
            DENIED,
            spelled(metadata),
        )
        .logs(told),
        fails(
            CLASS,
            "private and link-local networks",
            DENIED,
            spelled(private),
        )
        .logs(told),
        fails(
            CLASS,
            "this host, everybody, and groups",
            DENIED,
            spelled(nobody),
        )
        .logs(told),
    ]
}

/// Names that lead elsewhere than they seem to.
fn names() -> Vec<Attack> {
    // Refused or unanswered, as the machine's own network has it.
    let unreachable = (FAILURE, "): no ");
    let named = |names: &'static [&'static str]| {
        move |world: &World| {
            let urls: Vec<String> = names.iter().map(|name| world.victim_at(name)).collect();
            each_granted(world, &urls)
        }
    };
    vec![
        fails(
            CLASS,
            "a public name of a private address",
            DENIED,
            named(&[
                "inside.example.test",
                "private.example.test",
                "metadata.example.test",
                "six.example.test",
            ]),
        )
        .logs("no public address"),
        fails(
            CLASS,
            "a name that is public when it is checked and loopback after",
            unreachable,
            |world| {
                world.names.begin();
                let seen = each_granted(world, &[world.victim_at("rebind.example.test")])?;
                ensure!(
                    world.names.asked() == 1,
                    "it was looked up {} times",
                    world.names.asked()
                );
                Ok(seen)
            },
        ),
        fails(
            CLASS,
            "the same name in the next request",
            DENIED,
            |world| {
                // It has changed since the attack before, as its owner wished.
                world.names.begin();
                let url = world.victim_at("rebind.example.test");
                each_granted(world, std::slice::from_ref(&url))?;
                each_granted(world, &[url])
            },
        ),
        fails(
            CLASS,
            "a name with a public and a private address",
            unreachable,
            named(&["mixed.example.test"]),
        ),
        fails(
            CLASS,
            "a name with ten thousand addresses",
            unreachable,
            named(&["many.example.test"]),
        ),
        brings(
            CLASS,
            "a redirect to loopback",
            &["302", "location: http://127.0.0.1:"],
            |world| {
                let url = format!("{}/redirect", world.hook.origin());
                Ok(vec![granted(world).set("url", &url).go()])
            },
        ),
    ]
}

/// Requests that say more than they seem to.
fn requests() -> Vec<Attack> {
    let headers = |headers: &'static [&'static str]| {
        move |world: &World| {
            let count = world.hook.count();
            let sent = headers
                .iter()
                .map(|header| granted(world).set("headers", header).go());
            let seen = sent.collect();
            ensure!(world.hook.count() == count, "it was sent");
            Ok(seen)
        }
    };
    vec![
        fails(
            CLASS,
            "a host header that names another",
            INVALID,
            headers(&["host: internal.example.test", "Host: 127.0.0.1"]),
        ),
        fails(
            CLASS,
            "headers of the connection",
            INVALID,
            headers(&[
                "connection: upgrade",
                "transfer-encoding: chunked",
                "content-length: 3",
                "upgrade: h2c",
                "te: trailers",
                "proxy-authorization: x",
                "keep-alive: 1",
                "expect: 100-continue",
            ]),
        ),
        fails(
            CLASS,
            "a second request inside a header",
            INVALID,
            |world| {
                let count = world.hook.count();
                let values = ["a\rb: c", "a\u{0}b"];
                let sent = values
                    .map(|value| granted(world).set("headers", &format!("x-a: {value}")).go());
                let seen = sent.into_iter().collect();
                ensure!(world.hook.count() == count, "it was sent");
                Ok(seen)
            },
        ),
        fails(
            CLASS,
            "a method that is a request of its own",
            INVALID,
            |world| {
                let methods = ["CONNECT", "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET", "GE T"];
                Ok(methods
                    .map(|method| granted(world).set("method", method).go())
                    .into_iter()
                    .collect())
            },
        ),
        brings(CLASS, "a second request inside a path", &["200"], |world| {
            let count = world.hook.count();
            let url = format!("{}/a b\r\nx-smuggled: 1\r\n\r\nGET /", world.hook.origin());
            let seen = granted(world).set("url", &url).go();
            let sent = world.hook.since(count);
            ensure!(
                sent.len() == 1 && !sent[0].head.contains("\nx-smuggled"),
                "{sent:?}"
            );
            Ok(vec![seen])
        }),
        fails(
            CLASS,
            "a body of more than 1 MiB",
            (FAILURE, "(too-large)"),
            |world| {
                Ok(vec![
                    granted(world).set("body", &"x".repeat((1 << 20) + 1)).go(),
                ])
            },
        ),
        brings(
            CLASS,
            "seventy requests in a call",
            &["64 x 200", "6 x limit"],
            |world| Ok(vec![granted(world).set("act", "http-often").go()]),
        ),
    ]
}

/// Answers that are too much.
fn answers() -> Vec<Attack> {
    let asks = |path: &'static str| {
        move |world: &World| {
            let url = format!("{}{path}", world.hook.origin());
            Ok(vec![granted(world).set("url", &url).go()])
        }
    };
    vec![
        fails(
            CLASS,
            "an answer of more than 1 MiB",
            (FAILURE, "(too-large)"),
            asks("/large"),
        ),
        fails(
            CLASS,
            "an answer with five thousand headers",
            (FAILURE, "(unavailable)"),
            asks("/headers"),
        ),
        fails(
            CLASS,
            "an answer with a header of 1 MiB",
            (FAILURE, "(unavailable)"),
            asks("/wide"),
        ),
    ]
}

/// A call that may send anything to the hook, though it is on loopback.
pub fn granted(world: &World) -> Bench {
    let origin = world.hook.origin();
    Bench::new(world, "http")
        .set("url", &format!("{origin}/"))
        .http(&origin, Addresses::Any, &["token"])
}

/// A request to each, with the hook granted and nothing else.
fn each(world: &World, urls: &[String]) -> Result<Vec<Seen>> {
    let sent = urls.iter().map(|url| granted(world).set("url", url).go());
    Ok(sent.collect())
}

/// A request to each, with its origin granted as a public one. Some spellings
/// are no origin at all, and then nothing grants them.
fn each_granted(world: &World, urls: &[String]) -> Result<Vec<Seen>> {
    let sent = urls.iter().map(|url| {
        let bench = Bench::new(world, "http")
            .set("url", url)
            .set("timeout", "500")
            .http(url, Addresses::Public, &[]);
        let seen = bench.go();
        if let Outcome::Brought(answer) = &seen.outcome {
            panic!("{url} answered {answer}");
        }
        seen
    });
    Ok(sent.collect())
}

//! A plugin that is called for one app and asks for another's. What one call
//! is given is all there is in it; these attacks look beside it. The same
//! between two apps of a real engine: [`engine`](crate::engine).

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Result;
use shipway_core::environment::Variable;
use shipway_core::grant::Permission;
use shipway_core::ports::plugins::{Endpoint, PluginErrorKind};
use shipway_core::secret::Secret;

use crate::attack::{Attack, Seen, brings, fails};
use crate::bench::{Bench, Role};
use crate::world::World;

const CLASS: &str = "neighbour";
const DENIED: (PluginErrorKind, &str) = (PluginErrorKind::Failure, "(denied)");

pub fn attacks() -> Vec<Attack> {
    vec![
        fails(
            CLASS,
            "a request to another app's candidate",
            DENIED,
            |world| {
                let bench = beside(world)
                    .set("act", "http")
                    .set("url", &world.victim.origin());
                Ok(vec![bench.go_as(Role::SelfTest)])
            },
        ),
        fails(
            CLASS,
            "the candidate's address on another port",
            DENIED,
            |world| {
                let bench = beside(world).set("act", "http").set("method", "GET");
                Ok(vec![
                    bench
                        .set("url", &world.victim_at("127.0.0.1"))
                        .go_as(Role::SelfTest),
                ])
            },
        ),
        fails(
            CLASS,
            "a command in a candidate that is not there",
            (PluginErrorKind::Failure, "(unavailable)"),
            |world| {
                let bench =
                    Bench::new(world, "exec id").grant(|grants| grants.exec = Permission::Granted);
                Ok(vec![bench.go()])
            },
        ),
        fails(
            CLASS,
            "a command in the candidate, without a grant",
            DENIED,
            |world| Ok(vec![Bench::new(world, "exec id").go_as(Role::SelfTest)]),
        )
        .logs("shipway plugin grant hostile --exec"),
        fails(CLASS, "the image, without a grant", DENIED, |world| {
            Ok(vec![Bench::new(world, "image id").go()])
        })
        .logs("shipway plugin grant hostile --image"),
        fails(CLASS, "a variable that is not granted", DENIED, |world| {
            variable(world, "STAGE", &[])
        })
        .logs("shipway plugin grant hostile --variables STAGE"),
        fails(
            CLASS,
            "a variable that is secret, though it is granted",
            DENIED,
            |world| variable(world, "API_KEY", &["API_KEY"]),
        )
        .logs("no plugin may have it"),
        fails(
            CLASS,
            "a variable that the manifest does not ask for",
            DENIED,
            |world| variable(world, "PATH", &["PATH"]),
        ),
        brings(
            CLASS,
            "a setting of another environment",
            &["None"],
            |world| Ok(vec![Bench::new(world, "settings collector").go()]),
        ),
    ]
}

/// A self-test whose candidate is the hook; the victim is its neighbour.
fn beside(world: &World) -> Bench {
    let endpoint = |address: SocketAddr| Endpoint {
        process: "web".to_owned(),
        address,
        host: Some("shop.example.test".to_owned()),
    };
    let candidate = vec![endpoint(world.hook.address)];
    Bench::new(world, "candidate").change(|call| call.candidate = candidate)
}

fn variable(world: &World, name: &str, granted: &[&str]) -> Result<Vec<Seen>> {
    let secret = Variable::Secret(Secret::new("of the app"));
    let plain = |text: &str| Variable::Plain(text.to_owned());
    let variables = [
        ("STAGE", plain("live")),
        ("API_KEY", secret),
        ("PATH", plain("/bin")),
    ];
    let variables = variables.map(|(name, value)| (name.parse().expect("a name"), value));
    let bench = Bench::new(world, &format!("variable {name}"))
        .change(|call| call.variables = BTreeMap::from(variables))
        .grant(|grants| grants.variables = granted.iter().map(|name| (*name).to_owned()).collect());
    Ok(vec![bench.go()])
}

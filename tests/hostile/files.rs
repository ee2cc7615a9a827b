//! Files of the commit that nobody is granted, and files that are not in it.
//! The commit in memory has them all and keeps no rule itself; what a real
//! checkout does about links, [`engine`](crate::engine) tries.

use anyhow::Result;
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, brings, fails};
use crate::bench::Bench;
use crate::world::World;

const CLASS: &str = "files";
const DENIED: (PluginErrorKind, &str) = (PluginErrorKind::Failure, "(denied)");
const COMMIT: &[(&str, &str)] = &[
    ("Procfile", "web: serve"),
    ("addons/a/addon.json", "{}"),
    (".git/config", "victim"),
    (".GIT/config", "victim"),
    ("vendor/.git/config", "victim"),
    (".env", "victim"),
    ("app/.env.production", "victim"),
    ("../neighbour/Procfile", "victim"),
    ("a/../../neighbour/Procfile", "victim"),
    ("./Procfile", "victim"),
    ("/etc/passwd", "victim"),
    ("//etc/passwd", "victim"),
    ("..\\neighbour", "victim"),
    ("C:\\victim", "victim"),
    ("Procfile\0.json", "victim"),
    ("", "victim"),
];

pub fn attacks() -> Vec<Attack> {
    let reads = |paths: &'static [&'static str]| move |world: &World| read(world, "**", paths);
    let never = "no plugin may have it";
    vec![
        fails(
            CLASS,
            "../ out of the commit",
            DENIED,
            reads(&[
                "../neighbour/Procfile",
                "a/../../neighbour/Procfile",
                "./Procfile",
            ]),
        )
        .logs(never),
        fails(
            CLASS,
            "absolute paths",
            DENIED,
            reads(&["/etc/passwd", "//etc/passwd"]),
        )
        .logs(never),
        fails(
            CLASS,
            "the repository itself: .git, in every case and folder",
            DENIED,
            reads(&[".git/config", ".GIT/config", "vendor/.git/config"]),
        )
        .logs(never),
        fails(
            CLASS,
            ".env files",
            DENIED,
            reads(&[".env", "app/.env.production"]),
        )
        .logs(never),
        fails(
            CLASS,
            "backslashes, a NUL, and no path at all",
            DENIED,
            reads(&["..\\neighbour", "C:\\victim", "Procfile\0.json", ""]),
        )
        .logs(never),
        fails(CLASS, "a file that is not granted", DENIED, |world| {
            read(world, "addons/**", &["Procfile"])
        })
        .logs("shipway plugin grant hostile --files 'Procfile'"),
        brings(
            CLASS,
            "a search for everything",
            &["Procfile\naddons/a/addon.json"],
            |world| {
                let seen = Bench::new(world, "find **").files(COMMIT).go();
                let text = format!("{seen:?}");
                anyhow::ensure!(!text.contains("git") && !text.contains("env"), "{text}");
                Ok(vec![seen])
            },
        ),
        fails(
            CLASS,
            "a glob that is a bomb",
            (PluginErrorKind::Failure, "(invalid)"),
            |world| {
                let bombs = ["{a,b}".repeat(1_000), "[".repeat(4_000), "{".repeat(4_000)];
                let globs = bombs.iter().map(|glob| find(world, glob));
                Ok(globs.collect())
            },
        ),
    ]
}

fn read(world: &World, granted: &str, paths: &[&str]) -> Result<Vec<Seen>> {
    let reads = paths.iter().map(|path| {
        let bench = Bench::new(world, &format!("read {path}")).files(COMMIT);
        bench
            .grant(|grants| grants.files = vec![granted.to_owned()])
            .go()
    });
    Ok(reads.collect())
}

fn find(world: &World, glob: &str) -> Seen {
    Bench::new(world, &format!("find {glob}"))
        .files(COMMIT)
        .go()
}

//! Which crate of ours may need which: the arrow of dependencies points at core.

use anyhow::{Result, bail};

use crate::house::{House, Member};

const CORE: &str = "shipway-core";
const EXECUTOR: &str = "shipway-executor";
const SDK: &str = "shipway-sdk";

/// What a crate may need, and why.
enum Rule {
    Only(&'static [&'static str], &'static str),
    /// It wires everything.
    Anything,
}

/// The rule for a folder; a new folder needs one.
fn rule(folder: &str) -> Option<Rule> {
    let rule = match folder {
        "engine/core" => Rule::Only(&[], "core decides and stands on nothing"),
        "engine/executor" => Rule::Only(&[CORE], "the executor acts through core's ports"),
        "engine/plugin-host"
        | "engine/plugin-registry"
        | "engine/runtime"
        | "engine/source"
        | "engine/store"
        | "engine/proxy" => Rule::Only(&[CORE], "adapters never need each other"),
        "engine/plugin-tools" => Rule::Only(&[CORE], "authors need no engine"),
        "engine/api" => Rule::Only(
            &[CORE, EXECUTOR],
            "the API knows the executor's commands, and no adapter",
        ),
        "engine/cli" => Rule::Anything,
        "sdk/rust" => Rule::Only(&[], "the SDK stands on the contract alone"),
        "xtask" => Rule::Only(&[], "xtask builds before everything else"),
        "tests" | "tests/crash" => Rule::Anything,
        "tests/simulation" => Rule::Only(
            &[CORE, EXECUTOR, "shipway-store"],
            "the simulation drives the executor over fakes, and the store in memory",
        ),
        _ if folder.starts_with("plugins/") || folder.starts_with("examples/") => {
            Rule::Only(&[SDK], "plugins are written on the SDK alone")
        }
        _ if folder.starts_with("tests/") => Rule::Only(&[SDK], "guests are plugins"),
        _ => return None,
    };
    Some(rule)
}

pub fn check(house: &House) -> Result<()> {
    let broken = broken(&house.members());
    if broken.is_empty() {
        return Ok(());
    }
    bail!("{}", broken.join("\n"))
}

fn broken(members: &[Member]) -> Vec<String> {
    let tests: Vec<&str> = members
        .iter()
        .filter(|one| one.folder == "tests")
        .map(|one| one.name.as_str())
        .collect();
    members
        .iter()
        .flat_map(|member| breaches(member, &tests))
        .collect()
}

fn breaches(member: &Member, tests: &[&str]) -> Vec<String> {
    let Some(rule) = rule(&member.folder) else {
        return vec![format!(
            "{} has no rule for what it may need; give it one beside the others in {}",
            member.folder,
            file!()
        )];
    };
    let allowed = |need: &&String| match &rule {
        Rule::Only(allowed, _) => allowed.contains(&need.as_str()),
        // What is for the tests is for the tests.
        Rule::Anything => member.folder.starts_with("tests/") || !tests.contains(&need.as_str()),
    };
    let why = match &rule {
        Rule::Only(_, why) => why,
        Rule::Anything => "only tests need the tests",
    };
    let wrong = member.needs.iter().filter(|need| !allowed(need));
    wrong
        .map(|need| format!("{} must not need {need}: {why}", member.folder))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(folder: &str, needs: &[&str]) -> Member {
        Member {
            name: format!("shipway-{}", folder.rsplit('/').next().unwrap()),
            folder: folder.to_owned(),
            needs: needs.iter().map(|&need| need.to_owned()).collect(),
        }
    }

    #[test]
    fn the_house_as_it_is_meant_to_be_is_in_order() {
        let members = [
            member("engine/core", &[]),
            member("engine/store", &[CORE]),
            member("engine/api", &[CORE, EXECUTOR]),
            member(
                "engine/cli",
                &[CORE, EXECUTOR, "shipway-store", "shipway-api"],
            ),
            member("plugins/procfile", &[SDK]),
            member("tests", &[CORE, "shipway-store"]),
            member("tests/crash", &[CORE, "shipway-tests"]),
        ];
        assert_eq!(broken(&members), [] as [&str; 0]);
    }

    #[test]
    fn each_wrong_arrow_is_named_with_its_reason() {
        let members = [
            member("engine/core", &["shipway-store"]),
            member("engine/runtime", &[CORE, "shipway-source"]),
            member("engine/cli", &["shipway-tests"]),
            member("plugins/webhook", &[SDK, CORE]),
            member("tests", &[]),
        ];
        assert_eq!(
            broken(&members),
            [
                "engine/core must not need shipway-store: core decides and stands on nothing",
                "engine/runtime must not need shipway-source: adapters never need each other",
                "engine/cli must not need shipway-tests: only tests need the tests",
                "plugins/webhook must not need shipway-core: plugins are written on the SDK alone",
            ]
        );
    }

    #[test]
    fn a_new_folder_needs_a_rule() {
        let found = broken(&[member("engine/scheduler", &[])]);
        assert!(
            found[0].starts_with("engine/scheduler has no rule"),
            "{found:?}"
        );
    }
}

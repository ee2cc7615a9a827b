//! A Procfile: its types run as they stand; its hooks become release commands.

use shipway_core::procfile::{hooks, process_types};

use super::{Found, Once, Repository};

pub fn survey(repository: &Repository, found: &mut Found) {
    let Some(text) = repository.read("Procfile") else {
        return;
    };
    found.in_procfile = process_types(&text)
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    let names: Vec<&str> = found.in_procfile.iter().map(|name| name.as_str()).collect();
    found.saw(format!("Procfile with {}", names.join(", ")));
    if found.plugin.is_some() {
        return;
    }
    for (hook, run) in hooks(&text) {
        // The other hooks are for frameworks whose plugins read them.
        let (label, phase, why) = match hook.as_str() {
            "release" => (
                "Release",
                "release",
                "`release:` of the Procfile, as Heroku runs it: once, before the new version starts.",
            ),
            "postdeploy" => (
                "Postdeploy",
                "gate",
                "`postdeploy:` of the Procfile, as Scalingo runs it: the new version is up and not yet routed.",
            ),
            _ => continue,
        };
        found.release.push(Once {
            label,
            run,
            phase,
            why: why.to_owned(),
        });
    }
}

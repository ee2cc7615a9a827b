//! JavaScript: the scripts of package.json.

use serde::Deserialize;

use super::{Found, Repository};

#[derive(Deserialize)]
struct Package {
    #[serde(default)]
    scripts: std::collections::BTreeMap<String, String>,
}

/// Scripts that people give to what runs once per deployment. `release` is none
/// of them: it publishes.
const RELEASE: [&str; 4] = ["migrate", "db:migrate", "migrate:deploy", "migrations"];

pub fn survey(repository: &Repository, found: &mut Found) {
    let Some(text) = repository.read("package.json") else {
        return;
    };
    // What npm cannot read, npm complains of.
    let Ok(package) = serde_json::from_str::<Package>(&text) else {
        return;
    };
    let (manager, install, lock) = manager(repository);
    found.saw(format!("package.json ({manager})"));
    let has = |name: &str| package.scripts.contains_key(name);
    let build = match has("build") {
        true => format!("{install} && {manager} run build"),
        false => install.to_owned(),
    };
    let why = match lock {
        Some(lock) => format!("{lock} says what to install. For `--runtime process`."),
        None => "package.json says what to install. For `--runtime process`.".to_owned(),
    };
    found.build_with(build, why);
    if has("start") {
        let why = "The script `start` of package.json; it must listen on $PORT.";
        found.run_with(format!("{manager} run start"), why);
    }
    if let Some(script) = RELEASE.into_iter().find(|name| has(name)) {
        found.release_with(
            "Migrate",
            &format!("{manager} run {script}"),
            "A script of package.json, once per deployment, before the new version starts.",
        );
    }
}

/// The package manager, its way to install what the lock file says, and that file.
fn manager(repository: &Repository) -> (&'static str, &'static str, Option<&'static str>) {
    let known = [
        ("pnpm-lock.yaml", "pnpm", "pnpm install --frozen-lockfile"),
        ("yarn.lock", "yarn", "yarn install --frozen-lockfile"),
        ("bun.lock", "bun", "bun install --frozen-lockfile"),
        ("package-lock.json", "npm", "npm ci"),
    ];
    let found = known.into_iter().find(|(lock, ..)| repository.has(lock));
    match found {
        Some((lock, manager, install)) => (manager, install, Some(lock)),
        None => ("npm", "npm install", None),
    }
}

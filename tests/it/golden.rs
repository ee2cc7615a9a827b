//! Components that were built for each released version of the contract, and
//! lie in tests/golden/ as they were built: they load, and they answer as then.

use std::fs;
use std::path::{Path, PathBuf};

use shipway_tests::ship::Ship;

#[test]
fn components_of_every_released_contract_load_and_answer_as_then() {
    let Some(ship) = Ship::start() else { return };
    let cli = ship.cli();
    let versions = inside(&root().join("wit/released"));
    assert!(!versions.is_empty(), "no version was ever released");
    for version in versions {
        let golden = root()
            .join("tests/golden")
            .join(version.file_name().unwrap());
        let cases = golden.join("cases");
        let mut components = inside(&golden);
        components.retain(|path| path.extension().is_some_and(|end| end == "wasm"));
        assert!(!components.is_empty(), "nothing golden in {golden:?}");
        for component in components {
            let (component, cases) = (component.to_str().unwrap(), cases.to_str().unwrap());
            let report = cli.json(&["plugin", "test", "--json", component, cases]);
            let played = report["cases"].as_array().unwrap();
            for role in ["release-source", "notifier", "self-test"] {
                let asked = played.iter().any(|case| case["role"] == role);
                assert!(asked, "{component} is not asked as a {role}");
            }
            assert!(
                played.iter().all(|case| case["passed"] == true),
                "{report:#}"
            );

            cli.ok(&["plugin", "add", component, "--grant-requested"]);
            cli.ok(&["plugin", "remove", "example", "--yes"]);
        }
    }
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

//! Runs the scripts in `release.d`, one after the other.

use shipway_sdk::prelude::*;
use shipway_sdk::release::Skipped;

/// Which files are release commands. `*` stays within one name.
const SCRIPTS: &str = "release.d/*.sh";

struct Scripts;

impl Plugin for Scripts {
    fn describe() -> Manifest {
        Manifest::new(
            "{{name}}",
            env!("CARGO_PKG_VERSION"),
            "Runs the scripts in release.d, one after the other.",
        )
        // The operator grants this, or does not: a request is never a grant.
        .request(Request::files([SCRIPTS], "They are the release commands."))
    }
}

impl ReleaseSource for Scripts {
    fn collect(_: &Deployment) -> Result<Collected, Failure> {
        let mut collected = Collected::nothing();
        for path in source::find(SCRIPTS)? {
            let text = source::read_text(&path)?;
            collected = if text.trim().is_empty() {
                // What is left out is said, so that nobody wonders.
                collected.skip(Skipped::new(&path, "the script is empty").at(&path, "line 1"))
            } else {
                let command = Command::argv(["sh", &path]).label(label(&text, &path));
                collected.command(command.at(&path, "line 1"))
            };
        }
        Ok(collected)
    }
}

/// The script's first comment, or its path.
fn label(text: &str, path: &str) -> String {
    text.lines()
        .filter_map(|line| line.strip_prefix('#'))
        .find(|comment| !comment.starts_with('!') && !comment.trim().is_empty())
        .map_or_else(|| path.to_owned(), |comment| comment.trim().to_owned())
}

shipway_sdk::export!(Scripts: release-source);

#[cfg(test)]
mod tests {
    use super::*;
    use shipway_sdk::testing::{self, Host};

    #[test]
    fn a_script_is_called_by_its_first_comment() {
        assert_eq!(label("#!/bin/sh\n# Migrate\n# b\n", "x.sh"), "Migrate");
        assert_eq!(label("./migrate\n", "x.sh"), "x.sh");
    }

    #[test]
    fn scripts_run_in_the_order_of_their_names() {
        let host = Host::of::<Scripts>()
            .file("release.d/20-b.sh", "./b")
            .file("release.d/10-a.sh", "./a");
        let collected = host
            .run(|| Scripts::collect(&testing::deployment()))
            .unwrap();
        let labels: Vec<&str> = collected
            .commands()
            .iter()
            .map(|c| c.label.as_str())
            .collect();
        assert_eq!(labels, ["release.d/10-a.sh", "release.d/20-b.sh"]);
    }
}

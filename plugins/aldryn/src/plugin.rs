//! What the plugin answers: nothing, the list, or the one command that stands
//! for it.

use shipway_sdk::prelude::*;
use shipway_sdk::release::{Provenance, Skipped};

use crate::probe::{self, Found};
use crate::signs;

/// What runs all of them, on Aldryn's own terms.
const ALL: &str = "aldryn-django migrate";

/// The plugin.
#[derive(Debug)]
pub struct Aldryn;

impl Plugin for Aldryn {
    fn describe() -> Manifest {
        Manifest::new(
            "aldryn",
            env!("CARGO_PKG_VERSION"),
            "The MIGRATION_COMMANDS of Aldryn Django projects, one by one.",
        )
        .request(Request::files(
            signs::GLOBS,
            "To see whether the app is an Aldryn project.",
        ))
        .request(Request::image(
            "The list exists only once the app's settings have run in its image.",
        ))
    }
}

impl ReleaseSource for Aldryn {
    fn collect(_: &Deployment) -> Result<Collected, Failure> {
        let Some(sign) = signs::find()? else {
            return Ok(Collected::nothing().skip(not_aldryn()));
        };
        Ok(match probe::ask() {
            Ok(found) if found.is_empty() => Collected::nothing().skip(empty(sign)),
            Ok(found) => found.into_iter().enumerate().map(listed).collect(),
            Err(reason) => all_at_once(sign, &reason),
        })
    }
}

fn listed((index, found): (usize, Found)) -> Command {
    let entry = format!("MIGRATION_COMMANDS[{index}]");
    let (file, place) = match (found.file, found.addon) {
        (Some(file), _) => (file, entry),
        (None, Some(addon)) => (String::new(), format!("{entry} of the addon {addon}")),
        (None, None) => (String::new(), entry),
    };
    Command::shell(found.command).at(file, place)
}

fn all_at_once(sign: Provenance, reason: &str) -> Collected {
    Collected::nothing()
        .command(Command::shell(ALL).at(sign.file, sign.place))
        .warning(format!(
            "the image cannot tell MIGRATION_COMMANDS, since {reason}; \
             `{ALL}` runs them all as one command instead"
        ))
}

fn not_aldryn() -> Skipped {
    Skipped::new(
        "Aldryn Django",
        "this is no Aldryn project: settings.py loads no addons, there is no addons/aldryn-django/, \
         and the requirements name neither aldryn-addons nor aldryn-django",
    )
}

fn empty(sign: Provenance) -> Skipped {
    Skipped::new("MIGRATION_COMMANDS", "the list is empty").at(sign.file, sign.place)
}

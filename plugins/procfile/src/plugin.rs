//! What is taken from the `Procfile`, and what is skipped and why.

use shipway_sdk::prelude::*;
use shipway_sdk::release::Skipped;

use crate::platform::Platform;
use crate::reader::{self, Entry};

const PROCFILE: &str = "Procfile";

/// The plugin.
#[derive(Debug)]
pub struct Procfile;

impl Plugin for Procfile {
    fn describe() -> Manifest {
        Manifest::new(
            "procfile",
            env!("CARGO_PKG_VERSION"),
            "Release commands of a Procfile, as Heroku (release:) or Scalingo (postdeploy:) run them.",
        )
        .setting(Setting::optional(
            "platform",
            "Whose entry to run: heroku (release:) or scalingo (postdeploy:); heroku unless set.",
        ))
        .request(Request::files(
            [PROCFILE],
            "The release commands stand in this file.",
        ))
    }
}

impl ReleaseSource for Procfile {
    fn collect(_: &Deployment) -> Result<Collected, Failure> {
        let platform = settings::parse::<Platform>("platform")?.unwrap_or_default();
        let Some(text) = source::read_text_if_there(PROCFILE)? else {
            return Ok(Collected::nothing());
        };
        let text = reader::normalise(&text);
        let collected = take(Collected::nothing(), &text, platform);
        Ok(leave(collected, &text, platform))
    }
}

/// Takes the chosen platform's entry.
fn take(collected: Collected, text: &str, platform: Platform) -> Collected {
    let mut entries: Vec<Entry> = of(text, platform.entry()).collect();
    let Some(last) = entries.pop() else {
        return match reader::near_miss(text, platform.entry()) {
            Some(line) => collected.warning(format!(
                "Procfile line {line} has no white space after `{0}:`, so {platform} ignores it; \
                 write `{0}: COMMAND` to have it run",
                platform.entry()
            )),
            None => collected,
        };
    };
    let replaced = |collected: Collected, entry: &Entry| {
        let reason = format!("line {} has the same name and replaces it", last.line);
        collected.skip(skipped(entry, reason))
    };
    let collected = entries.iter().fold(collected, replaced);
    if last.command.is_empty() {
        return collected.skip(skipped(&last, "it has no command".to_owned()));
    }
    collected.command(
        Command::shell(last.command)
            .phase(platform.phase())
            .timeout(platform.limit())
            .at(PROCFILE, place(last.line)),
    )
}

/// Says what the other platform would have run.
fn leave(collected: Collected, text: &str, platform: Platform) -> Collected {
    let other = platform.other();
    of(text, other.entry()).fold(collected, |collected, entry| {
        let reason = format!(
            "only {other} runs `{}:`, and the setting `platform` is `{}`",
            other.entry(),
            platform.as_str()
        );
        collected.skip(skipped(&entry, reason))
    })
}

fn of<'a>(text: &'a str, name: &'static str) -> impl Iterator<Item = Entry<'a>> {
    reader::entries(text).filter(move |entry| entry.name == name)
}

fn skipped(entry: &Entry, reason: String) -> Skipped {
    let what = format!("{}: {}", entry.name, entry.command);
    Skipped::new(what.trim_end(), reason).at(PROCFILE, place(entry.line))
}

fn place(line: usize) -> String {
    format!("line {line}")
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use shipway_sdk::failure::Code;
    use shipway_sdk::testing::{self, Host};

    use super::*;

    const BOTH: &str = "web: serve\nrelease: migrate && warm\npostdeploy: notify $X\n";

    fn collect(host: &Host) -> Result<Collected, Failure> {
        host.run(|| Procfile::collect(&testing::deployment()))
    }

    fn host(procfile: &str) -> Host {
        Host::of::<Procfile>().file(PROCFILE, procfile)
    }

    #[test]
    fn heroku_is_the_default_and_its_entry_is_a_release_command() {
        let collected = collect(&host(BOTH)).unwrap();
        let expected = Command::shell("migrate && warm")
            .phase(Phase::Release)
            .timeout(Duration::from_secs(3600))
            .at("Procfile", "line 2");
        assert_eq!(collected.commands(), [expected]);
        let [skipped] = collected.skipped() else {
            panic!("{collected:?}")
        };
        assert_eq!(skipped.what, "postdeploy: notify $X");
        assert_eq!(
            skipped.reason,
            "only Scalingo runs `postdeploy:`, and the setting `platform` is `heroku`"
        );
        assert_eq!(skipped.provenance.place, "line 3");
    }

    #[test]
    fn scalingos_entry_is_a_gate_command() {
        let collected = collect(&host(BOTH).setting("platform", "scalingo")).unwrap();
        let expected = Command::shell("notify $X")
            .phase(Phase::Gate)
            .timeout(Duration::from_secs(1200))
            .at("Procfile", "line 3");
        assert_eq!(collected.commands(), [expected]);
        assert_eq!(collected.skipped().len(), 1);
    }

    #[test]
    fn no_procfile_and_no_entry_ask_for_nothing() {
        let absent = collect(&Host::of::<Procfile>()).unwrap();
        assert_eq!(absent, Collected::nothing());
        assert_eq!(
            collect(&host("web: serve\n")).unwrap(),
            Collected::nothing()
        );
    }

    #[test]
    fn the_last_of_a_repeated_name_counts() {
        let collected = collect(&host("release: a\nrelease: b\n")).unwrap();
        assert_eq!(collected.commands()[0].label, "b");
        assert_eq!(
            collected.skipped()[0].reason,
            "line 2 has the same name and replaces it"
        );
    }

    #[test]
    fn an_entry_that_nobody_would_run_is_said() {
        let collected = collect(&host("release:migrate\n")).unwrap();
        assert!(collected.commands().is_empty());
        assert!(collected.warnings()[0].contains("no white space after `release:`"));
        let empty = collect(&host("release:   \n")).unwrap();
        assert!(empty.commands().is_empty());
        assert_eq!(empty.skipped()[0].reason, "it has no command");
    }

    #[test]
    fn a_wrong_platform_says_what_to_set() {
        let failure = collect(&host(BOTH).setting("platform", "dokku")).unwrap_err();
        assert_eq!(failure.code, Code::INVALID);
        assert_eq!(
            failure.message,
            "setting `platform`: `dokku` is no platform known here; set `heroku` or `scalingo`"
        );
    }

    #[test]
    fn a_procfile_in_another_encoding_says_so() {
        let host = Host::of::<Procfile>().file(PROCFILE, [b'x', 0xFF]);
        let failure = collect(&host).unwrap_err();
        assert_eq!(
            failure.message,
            "`Procfile` is not UTF-8 text; save it as UTF-8"
        );
    }
}

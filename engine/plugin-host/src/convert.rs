//! Between the contract's types and the engine's. What a guest returns is
//! checked here, once: what comes out of this module can be trusted.

use std::time::Duration;

use shipway_core::journal::{CheckOutcome, Entry};
use shipway_core::name::{Label, PluginName};
use shipway_core::plan::{self, Collected};
use shipway_core::ports::plugins::{Call, Check, PluginErrorKind, PluginFailure};
use shipway_core::release::{
    CancelPolicy, DEFAULT_TIMEOUT_SECONDS, Entrypoint, Invocation, LONGEST_TIMEOUT_SECONDS, Origin,
    Phase, Provenance, ReleaseCommand, When,
};

use crate::bindings::{checks, commands, model, notifier};
use crate::fault::Fault;
use crate::host::Event;
use crate::lines::{Lines, printable, shortened};
use crate::sandbox::Seen;

const MOST_COMMANDS: usize = 64;
const MOST_SKIPPED: usize = 256;
const MOST_WARNINGS: usize = 64;
const MOST_CHECKS: usize = 1_000;
const MOST_ARGUMENTS: usize = 128;
/// Bytes of one argument.
const LONGEST_ARGUMENT: usize = 8 << 10;
/// Bytes of a path or a place.
const LONGEST_PLACE: usize = 1_024;
/// Bytes of a sentence for people.
const LONGEST_SENTENCE: usize = 2_000;
/// Characters of a label that is made from a command.
const DERIVED_LABEL: usize = 80;

pub(crate) fn deployment(call: &Call) -> model::Deployment {
    model::Deployment {
        id: call.deployment.to_string(),
        app: call.environment.app.to_string(),
        environment: call.environment.environment.to_string(),
        commit: call
            .commit
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reference: call.reference.clone(),
        attributes: Vec::new(),
    }
}

/// The event's data is what the API shows of the entry.
pub(crate) fn event(call: &Call, entry: &Entry) -> Result<notifier::Event, Fault> {
    let shown = serde_json::to_value(&entry.event)
        .map_err(|error| Fault::host(format!("could not be told of an event: {error}")))?;
    let data = shown.get("data").unwrap_or(&serde_json::Value::Null);
    Ok(notifier::Event {
        id: format!("{}/{}", entry.deployment, entry.sequence),
        sequence: entry.sequence,
        time: entry.at.to_string(),
        kind: entry.event.kind().to_owned(),
        deployment: deployment(call),
        summary: entry.event.summary(),
        data: data.to_string(),
        attributes: Vec::new(),
    })
}

pub(crate) fn made_up(call: &Call, event: &Event) -> notifier::Event {
    notifier::Event {
        id: event.id.clone(),
        sequence: event.sequence,
        time: event.time.clone(),
        kind: event.kind.clone(),
        deployment: deployment(call),
        summary: event.summary.clone(),
        data: event.data.clone(),
        attributes: Vec::new(),
    }
}

/// The guest answered with a failure of its own.
pub(crate) fn failed(failure: model::Failure, seen: &Seen, lines: &Lines) -> Fault {
    let said = shortened(lines.clean(&failure.message), LONGEST_SENTENCE);
    let code = shortened(printable(&failure.code), 64);
    let hint = match &seen.denied {
        Some(denied) if code == "denied" => denied.remedy.to_string(),
        _ => "see the plugin's lines in the log".to_owned(),
    };
    let what = match code.as_str() {
        "" => format!("failed: {said}"),
        code => format!("failed ({code}): {said}"),
    };
    Fault {
        retryable: failure.retryable,
        answered: Some(Box::new(PluginFailure {
            code,
            message: said,
        })),
        ..Fault::new(PluginErrorKind::Failure, what)
    }
    .with_hint(hint)
}

pub(crate) fn collected(
    gave: commands::Collected,
    plugin: &PluginName,
) -> Result<Collected, Fault> {
    few(gave.commands.len(), MOST_COMMANDS, "release commands")?;
    few(gave.skipped.len(), MOST_SKIPPED, "skipped commands")?;
    few(gave.warnings.len(), MOST_WARNINGS, "warnings")?;
    let mut numbered = gave.commands.into_iter().zip(1..);
    Ok(Collected {
        commands: numbered.try_fold(Vec::new(), |mut taken, (command, number)| {
            taken.push(release_command(command, number, plugin)?);
            Ok::<_, Fault>(taken)
        })?,
        skipped: gave
            .skipped
            .into_iter()
            .map(|skipped| plan::Skipped {
                what: sentence(&skipped.what),
                reason: sentence(&skipped.reason),
                provenance: provenance(skipped.provenance, plugin),
            })
            .collect(),
        warnings: gave
            .warnings
            .iter()
            .map(|warning| sentence(warning))
            .collect(),
    })
}

fn release_command(
    gave: commands::ReleaseCommand,
    number: usize,
    plugin: &PluginName,
) -> Result<ReleaseCommand, Fault> {
    let wrong = |what: String| {
        Fault::nonsense(format!(
            "returned nonsense: release command {number} {what}"
        ))
    };
    let run = invocation(gave.run).map_err(wrong)?;
    let undo = gave.undo.map(invocation).transpose();
    let timeout_seconds = gave.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS);
    if !(1..=LONGEST_TIMEOUT_SECONDS).contains(&timeout_seconds) {
        return Err(wrong(format!(
            "has a timeout of {timeout_seconds} s; it must be between 1 second and 24 hours"
        )));
    }
    Ok(ReleaseCommand {
        label: label(&gave.label, &run).map_err(wrong)?,
        run,
        phase: phase(&gave.phase).map_err(wrong)?,
        entrypoint: entrypoint(&gave.entrypoint).map_err(wrong)?,
        timeout_seconds,
        when: when(&gave.when).map_err(wrong)?,
        // The contract does not speak of it: the operator decides, in settings.
        cancel: CancelPolicy::Allowed,
        undo: undo.map_err(|what| wrong(format!("has an undo that {what}")))?,
        provenance: provenance(gave.provenance, plugin),
    })
}

fn invocation(gave: commands::Invocation) -> Result<Invocation, String> {
    let invocation = match gave {
        commands::Invocation::Shell(script) => Invocation::Shell(script),
        commands::Invocation::Argv(argv) => Invocation::Argv(argv),
    };
    if let Invocation::Argv(argv) = &invocation {
        if argv.len() > MOST_ARGUMENTS {
            return Err(format!(
                "has {} arguments, and may have {MOST_ARGUMENTS}",
                argv.len()
            ));
        }
        if argv
            .iter()
            .any(|argument| argument.len() > LONGEST_ARGUMENT)
        {
            return Err("has an argument of more than 8 KiB".to_owned());
        }
    }
    match invocation.problem() {
        Some(problem) => Err(format!("cannot be run: {problem}")),
        None => Ok(invocation),
    }
}

/// A label is for people: one that is missing is made from the command, one
/// with line ends or too long is mended.
fn label(gave: &str, run: &Invocation) -> Result<Label, String> {
    let text = match printable(&spaced(gave)).trim() {
        "" => {
            let command = printable(&spaced(&run.to_string()));
            cut(command.trim(), DERIVED_LABEL)
        }
        label => cut(label, 200),
    };
    text.parse::<Label>()
        .map_err(|error| format!("has no good label: {error}"))
}

fn spaced(text: &str) -> String {
    text.replace(['\n', '\r', '\t'], " ")
}

fn cut(text: &str, characters: usize) -> String {
    if text.chars().count() <= characters {
        return text.to_owned();
    }
    let kept: String = text.chars().take(characters - 1).collect();
    format!("{}…", kept.trim_end())
}

fn phase(word: &str) -> Result<Phase, String> {
    let known = Phase::ALL.into_iter().find(|phase| phase.as_str() == word);
    known.ok_or_else(|| unknown("phase", word, "release, gate, after or failed"))
}

fn entrypoint(word: &str) -> Result<Entrypoint, String> {
    match word {
        "keep" => Ok(Entrypoint::Keep),
        "bypass" => Ok(Entrypoint::Bypass),
        _ => Err(unknown("entrypoint", word, "keep or bypass")),
    }
}

fn when(word: &str) -> Result<When, String> {
    match word {
        "always" => Ok(When::Always),
        "first-deploy" => Ok(When::FirstDeploy),
        "once" => Ok(When::Once),
        _ => Err(unknown("when", word, "always, first-deploy or once")),
    }
}

fn unknown(what: &str, word: &str, known: &str) -> String {
    let word = shortened(printable(word), 80);
    format!("has the unknown {what} {word:?}; it is one of {known}")
}

fn provenance(gave: model::Provenance, plugin: &PluginName) -> Provenance {
    Provenance {
        origin: Origin::Plugin(plugin.clone()),
        file: shortened(printable(&gave.file), LONGEST_PLACE),
        place: shortened(printable(&gave.place), LONGEST_PLACE),
    }
}

pub(crate) fn report(gave: checks::Report) -> Result<Vec<Check>, Fault> {
    few(gave.checks.len(), MOST_CHECKS, "checks")?;
    gave.checks.into_iter().map(check).collect()
}

fn check(gave: checks::Check) -> Result<Check, Fault> {
    let name = shortened(printable(gave.name.trim()), 200);
    if name.is_empty() {
        return Err(Fault::nonsense("returned nonsense: a check without a name"));
    }
    Ok(Check {
        name,
        outcome: match gave.outcome {
            checks::Outcome::Pass => CheckOutcome::Pass,
            checks::Outcome::Warn => CheckOutcome::Warn,
            checks::Outcome::Fail => CheckOutcome::Fail,
            checks::Outcome::Skip => CheckOutcome::Skip,
        },
        message: sentence(&gave.message),
        took: Duration::from_millis(u64::from(gave.duration_ms)),
    })
}

fn few(number: usize, most: usize, what: &str) -> Result<(), Fault> {
    match number > most {
        true => Err(Fault::nonsense(format!(
            "returned {number} {what}, and may return {most}"
        ))),
        false => Ok(()),
    }
}

fn sentence(text: &str) -> String {
    shortened(printable(&spaced(text.trim())), LONGEST_SENTENCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command() -> commands::ReleaseCommand {
        commands::ReleaseCommand {
            label: "Migrate".into(),
            run: commands::Invocation::Shell("python manage.py migrate".into()),
            phase: "release".into(),
            entrypoint: "bypass".into(),
            timeout_seconds: None,
            when: "always".into(),
            undo: None,
            provenance: model::Provenance {
                file: "Procfile".into(),
                place: "line 3".into(),
            },
            attributes: vec![("unknown".into(), "ignored".into())],
        }
    }

    fn take(command: commands::ReleaseCommand) -> Result<ReleaseCommand, String> {
        release_command(command, 1, &"p".parse().unwrap()).map_err(|fault| fault.what)
    }

    #[test]
    fn a_command_keeps_its_bytes_and_gets_its_provenance() {
        let taken = take(command()).unwrap();
        assert_eq!(taken.timeout_seconds, 1_800);
        assert_eq!(taken.provenance.to_string(), "plugin p, Procfile line 3");
        assert_eq!(
            taken.run,
            Invocation::Shell("python manage.py migrate".into())
        );
    }

    #[test]
    fn a_label_is_mended_or_made() {
        let labelled = |label: &str| {
            let mut command = command();
            command.label = label.into();
            take(command).unwrap().label.to_string()
        };
        assert_eq!(labelled(""), "python manage.py migrate");
        assert_eq!(labelled(" two\nlines\u{7} "), "two lines");
        assert_eq!(labelled(&"x".repeat(500)).chars().count(), 200);
    }

    #[test]
    fn unknown_words_and_bad_commands_are_nonsense() {
        type Spoil = fn(&mut commands::ReleaseCommand);
        let cases: [(Spoil, &str); 8] = [
            (|c| c.phase = "lunch".into(), "unknown phase \"lunch\""),
            (|c| c.when = "never".into(), "unknown when"),
            (|c| c.entrypoint = "".into(), "unknown entrypoint"),
            (|c| c.timeout_seconds = Some(0), "timeout of 0 s"),
            (|c| c.timeout_seconds = Some(u32::MAX), "timeout"),
            (
                |c| c.run = commands::Invocation::Shell("a\0b".into()),
                "NUL",
            ),
            (|c| c.run = commands::Invocation::Argv(vec![]), "empty"),
            (
                |c| c.run = commands::Invocation::Argv(vec!["x".into(); 129]),
                "129 arguments",
            ),
        ];
        for (spoil, expected) in cases {
            let mut command = command();
            spoil(&mut command);
            let error = take(command).unwrap_err();
            assert!(error.contains(expected), "{error}");
            assert!(error.contains("release command 1"), "{error}");
        }
    }

    #[test]
    fn more_commands_than_allowed_are_nonsense() {
        let gave = commands::Collected {
            commands: vec![command(); 65],
            skipped: vec![],
            warnings: vec![],
            attributes: vec![],
        };
        let fault = collected(gave, &"p".parse().unwrap()).unwrap_err();
        assert!(fault.what.contains("65 release commands"), "{}", fault.what);
    }
}

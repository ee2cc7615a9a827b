//! Release commands from a Releasefile: one `LABEL: COMMAND` a line.

use shipway_sdk::failure::Code;
use shipway_sdk::prelude::*;
use shipway_sdk::release::Skipped;

use crate::Example;

/// What a label may begin with, and the phase that it names.
const PHASES: [(&str, Phase); 3] = [
    ("gate ", Phase::Gate),
    ("after ", Phase::After),
    ("failed ", Phase::Failed),
];
const BLANK: [char; 2] = [' ', '\t'];

impl ReleaseSource for Example {
    fn collect(_: &Deployment) -> Result<Collected, Failure> {
        let main = settings::get("file").unwrap_or_else(|| "Releasefile".to_owned());
        let collected = match read(&main) {
            Ok(text) => take(Collected::nothing(), &main, &text),
            Err(failure) if failure.code == Code::NOT_FOUND => {
                Collected::nothing().warning(format!("there is no {main}"))
            }
            Err(failure) => return Err(failure),
        };
        source::find("Releasefile.d/*")?
            .iter()
            .try_fold(collected, |collected, file| {
                Ok(take(collected, file, &read(file)?))
            })
    }
}

fn read(file: &str) -> Result<String, Failure> {
    String::from_utf8(source::read(file)?)
        .map_err(|_| Failure::invalid(format!("{file} is not text")))
}

/// Adds what a file says.
fn take(collected: Collected, file: &str, text: &str) -> Collected {
    let lines = text.split('\n').enumerate();
    lines.fold(collected, |collected, (index, line)| {
        let place = format!("line {}", index + 1);
        match entry(line) {
            Entry::Nothing => collected,
            Entry::Command(command) => collected.command(command.at(file, place)),
            Entry::Other(line) => {
                let skipped = Skipped::new(line, "a line is LABEL: COMMAND");
                collected.skip(skipped.at(file, place))
            }
        }
    })
}

/// What a line is.
#[derive(Debug, PartialEq)]
enum Entry<'a> {
    Nothing,
    Command(Command),
    /// Something else than a command, trimmed.
    Other(&'a str),
}

fn entry(line: &str) -> Entry<'_> {
    let line = line.strip_suffix('\r').unwrap_or(line).trim_matches(BLANK);
    if line.is_empty() || line.starts_with('#') {
        return Entry::Nothing;
    }
    let Some((label, command)) = line.split_once(':') else {
        return Entry::Other(line);
    };
    let (label, command) = (label.trim_matches(BLANK), command.trim_matches(BLANK));
    if label.is_empty() || command.is_empty() {
        return Entry::Other(line);
    }
    let (label, phase) = phase(label);
    let command = Command::new(invocation(command))
        .label(label)
        .phase(phase)
        .entrypoint(Entrypoint::Keep);
    Entry::Command(command)
}

fn phase(label: &str) -> (&str, Phase) {
    let named = PHASES.iter().find_map(|(prefix, phase)| {
        let rest = label.strip_prefix(prefix)?;
        Some((rest.trim_matches(BLANK), *phase))
    });
    named.unwrap_or((label, Phase::Release))
}

fn invocation(command: &str) -> Invocation {
    let Some(argv) = command.strip_prefix("exec ") else {
        return Invocation::Shell(command.to_owned());
    };
    let words = argv.split(' ').filter(|word| !word.is_empty());
    Invocation::Argv(words.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_may_name_a_phase() {
        let Entry::Command(command) = entry(" gate  Check:\texec curl  -f x \r") else {
            panic!("no command");
        };
        assert_eq!(command.label, "Check");
        assert_eq!(command.phase, Phase::Gate);
        let argv = ["curl", "-f", "x"].map(str::to_owned);
        assert_eq!(command.run, Invocation::Argv(argv.into()));
    }

    #[test]
    fn only_the_first_colon_parts_label_and_command() {
        let Entry::Command(command) = entry("Tell: echo a: b") else {
            panic!("no command");
        };
        assert_eq!(command.run, Invocation::Shell("echo a: b".to_owned()));
    }

    #[test]
    fn remarks_and_what_is_no_command_are_told_apart() {
        assert_eq!(entry("  # a remark"), Entry::Nothing);
        assert_eq!(entry("\t\r"), Entry::Nothing);
        assert_eq!(entry(" : nobody "), Entry::Other(": nobody"));
        assert_eq!(entry("Nothing:"), Entry::Other("Nothing:"));
    }
}

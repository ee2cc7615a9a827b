//! A command line that is not understood, told as every other error is.

use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::failure::Failure;
use crate::output::note;

/// Help and the version are asked for in the same way; they are no errors.
pub fn tell(error: &clap::Error) -> ExitCode {
    let asked = !error.use_stderr();
    if asked || error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // With nobody to tell, the exit code has to do.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let failure = failure(&error.to_string());
    let _ = note(failure.to_string());
    failure.exit.into()
}

/// The paragraphs of the parser's own text: what is wrong, tips, the usage.
fn failure(text: &str) -> Failure {
    let mut paragraphs = text.trim().split("\n\n");
    let heading = paragraphs.next().unwrap_or_default();
    let heading = heading.strip_prefix("error: ").unwrap_or(heading);
    let mut to_do: Vec<String> = Vec::new();
    for paragraph in paragraphs {
        let line = on_one_line(paragraph);
        if let Some(tip) = line.strip_prefix("tip: ") {
            to_do.push(tip.to_owned());
        } else if let Some(usage) = line.strip_prefix("Usage: ") {
            to_do.push(format!("write it as: {usage}"));
        }
    }
    to_do.push("--help shows what is known, and examples".to_owned());
    Failure::usage(on_one_line(heading)).with_hint(to_do.join("\n"))
}

fn on_one_line(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    lines.join(" ")
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn told(words: &[&str]) -> String {
        let error = crate::Arguments::try_parse_from(words).unwrap_err();
        failure(&error.to_string()).to_string()
    }

    #[test]
    fn what_is_wrong_comes_first_and_then_what_to_do() {
        insta::assert_snapshot!(told(&["shipway", "deplyo"]), @r"
        error: unrecognized subcommand 'deplyo'
          to do: a similar subcommand exists: 'deploy'
                 write it as: shipway <COMMAND>
                 --help shows what is known, and examples
        ");
        insta::assert_snapshot!(told(&["shipway", "deploy"]), @r"
        error: the following required arguments were not provided: <APP/ENV>
          to do: write it as: shipway deploy <APP/ENV>
                 --help shows what is known, and examples
        ");
        insta::assert_snapshot!(told(&["shipway", "deploy", "a/b", "--jsn"]), @r"
        error: unexpected argument '--jsn' found
          to do: a similar argument exists: '--json'
                 write it as: shipway deploy --json <APP/ENV>
                 --help shows what is known, and examples
        ");
    }
}

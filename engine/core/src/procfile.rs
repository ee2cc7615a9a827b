//! A Procfile as Heroku reads it: `name: command` a line, the colon optional,
//! the white space after it not; a later line of the same name wins; a line
//! that does not match is ignored.

use crate::name::ProcessName;

/// Names in a Procfile that are no process types: hooks of Heroku, Scalingo,
/// piku and Aldryn, which release-source plugins read.
const HOOKS: [&str; 4] = ["release", "postdeploy", "preflight", "migrate"];

/// The process types of a Procfile and their commands, in the file's order.
pub fn process_types(text: &str) -> Vec<(ProcessName, String)> {
    let entries = entries(text).into_iter();
    entries
        .filter(|(name, _)| !HOOKS.contains(&name.as_str()))
        .collect()
}

/// The other entries: what platforms run once per deployment.
pub fn hooks(text: &str) -> Vec<(ProcessName, String)> {
    let entries = entries(text).into_iter();
    entries
        .filter(|(name, _)| HOOKS.contains(&name.as_str()))
        .collect()
}

fn entries(text: &str) -> Vec<(ProcessName, String)> {
    let mut types: Vec<(ProcessName, String)> = Vec::new();
    for line in text.replace("\r\n", "\n").replace('\r', "\n").lines() {
        let Some((name, command)) = entry(line) else {
            continue;
        };
        match types.iter_mut().find(|(known, _)| *known == name) {
            Some((_, earlier)) => *earlier = command.to_owned(),
            None => types.push((name, command.to_owned())),
        }
    }
    types
}

fn entry(line: &str) -> Option<(ProcessName, &str)> {
    let line = line.trim_start();
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))?;
    let (name, rest) = line.split_at_checked(end)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    if !rest.starts_with(char::is_whitespace) || rest.trim().is_empty() {
        return None;
    }
    Some((name.parse().ok()?, rest.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_commands(text: &str) -> Vec<(String, String)> {
        process_types(text)
            .into_iter()
            .map(|(name, command)| (name.to_string(), command))
            .collect()
    }

    #[test]
    fn process_types_are_read_as_heroku_reads_them() {
        let text = "# comment\r\nweb: echo \"X: ${X}\"\r\n\r\nworker   run it\nweb: later\nrelease: migrate\npostdeploy: a && b\nnocolon:x\n";
        assert_eq!(
            names_and_commands(text),
            [
                ("web".to_owned(), "later".to_owned()),
                ("worker".to_owned(), "run it".to_owned())
            ]
        );
    }

    #[test]
    fn lines_without_a_command_are_ignored() {
        assert!(process_types("web:\nweb: \n: x\n\n").is_empty());
    }
}

//! Heroku's reader of a `Procfile`, as a regular expression
//! `^\s*([A-Za-z0-9_-]+):?\s+(.*)\s*`, matched against each line.

/// One line that counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// From 1.
    pub line: usize,
    pub name: &'a str,
    /// Byte for byte; may be empty.
    pub command: &'a str,
}

/// The text with every end of line as one line feed.
pub fn normalise(text: &str) -> String {
    text.replace("\r\n", "\n").replace('\r', "\n")
}

/// The lines that count, in their order, of a text that [`normalise`] made.
pub fn entries(text: &str) -> impl Iterator<Item = Entry<'_>> {
    (1..)
        .zip(text.split('\n'))
        .filter_map(|(line, content)| entry(line, content))
}

/// The line on which `NAME:` stands with no white space after the colon, which
/// people write and Heroku's reader ignores.
pub fn near_miss(text: &str, name: &str) -> Option<usize> {
    (1..)
        .zip(text.split('\n'))
        .filter(|&(line, content)| entry(line, content).is_none())
        .find(|(_, content)| {
            content
                .trim_start_matches(is_space)
                .strip_prefix(name)
                .is_some_and(|rest| rest.starts_with(':'))
        })
        .map(|(line, _)| line)
}

fn entry(line: usize, content: &str) -> Option<Entry<'_>> {
    let content = content.trim_start_matches(is_space);
    let end = content
        .find(|character| !is_name(character))
        .unwrap_or(content.len());
    let (name, rest) = content.split_at_checked(end)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let command = rest.trim_start_matches(is_space);
    let counts = !name.is_empty() && command.len() < rest.len();
    counts.then_some(Entry {
        line,
        name,
        command,
    })
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// What `\s` means there: not the spaces of other scripts.
fn is_space(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\x0B' | '\x0C' | '\r')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(usize, String, String)> {
        entries(&normalise(text))
            .map(|entry| (entry.line, entry.name.to_owned(), entry.command.to_owned()))
            .collect()
    }

    fn one(text: &str) -> Option<(String, String)> {
        read(text)
            .into_iter()
            .next()
            .map(|(_, name, command)| (name, command))
    }

    #[test]
    fn commands_are_kept_byte_for_byte() {
        let cases = [
            ("release: a && b", "a && b"),
            ("release: echo \"X: ${X}\"", "echo \"X: ${X}\""),
            (
                "release: 'quoted' # not a comment",
                "'quoted' # not a comment",
            ),
            ("release: trailing  \t", "trailing  \t"),
            ("release:\t tabs", "tabs"),
            ("release: back\\", "back\\"),
            ("release:  ünïcode", "ünïcode"),
        ];
        for (line, command) in cases {
            assert_eq!(
                one(line),
                Some(("release".into(), command.into())),
                "{line}"
            );
        }
    }

    #[test]
    fn the_colon_is_optional_and_the_white_space_is_not() {
        assert_eq!(
            one("release migrate"),
            Some(("release".into(), "migrate".into()))
        );
        assert_eq!(one("  web: x"), Some(("web".into(), "x".into())));
        for ignored in [
            "release:migrate",
            "release:",
            "release",
            "",
            "# release: x",
            "a.b: x",
            ": x",
        ] {
            assert_eq!(one(ignored), None, "{ignored}");
        }
    }

    #[test]
    fn every_end_of_line_counts() {
        assert_eq!(
            read("web: a\r\nrelease: b\rworker: c\n"),
            [
                (1, "web".into(), "a".into()),
                (2, "release".into(), "b".into()),
                (3, "worker".into(), "c".into()),
            ]
        );
    }

    #[test]
    fn a_name_followed_by_white_space_alone_has_an_empty_command() {
        assert_eq!(one("release: "), Some(("release".into(), String::new())));
    }

    #[test]
    fn near_misses_are_found() {
        assert_eq!(near_miss("web: x\n release:migrate", "release"), Some(2));
        assert_eq!(near_miss("release:", "release"), Some(1));
        assert_eq!(near_miss("release: x", "release"), None);
        assert_eq!(near_miss("releases:x", "release"), None);
    }
}

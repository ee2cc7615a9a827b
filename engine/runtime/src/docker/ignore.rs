//! `.dockerignore`, by the rules that Docker documents: the last pattern that
//! matches a path or one of its folders wins, `!` takes an exclusion back, `**`
//! stands for any number of folders. They are unlike git's: a pattern without a
//! slash means the top folder only.

use std::path::{Component, Path};

use regex::Regex;

/// The rules of one file.
#[derive(Debug, Default)]
pub struct Ignore {
    patterns: Vec<Pattern>,
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    effect: Effect,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Exclude,
    /// `!pattern`
    Keep,
}

#[derive(Debug, thiserror::Error)]
#[error("line {line}: {pattern:?} is no pattern of .dockerignore")]
pub struct BadPattern {
    line: usize,
    pattern: String,
}

impl Ignore {
    pub fn parse(text: &str) -> Result<Self, BadPattern> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut patterns = Vec::new();
        for (number, line) in text.lines().enumerate() {
            let bad = || BadPattern {
                line: number + 1,
                pattern: line.to_owned(),
            };
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            patterns.push(Pattern::parse(line.trim()).ok_or_else(bad)?);
        }
        Ok(Self { patterns })
    }

    /// Whether this path, relative and with `/`, stays out of the build.
    pub fn excludes(&self, path: &str) -> bool {
        self.patterns.iter().fold(false, |excluded, pattern| {
            let decides = match pattern.effect {
                Effect::Exclude => !excluded,
                Effect::Keep => excluded,
            };
            if decides && pattern.matches(path) {
                !excluded
            } else {
                excluded
            }
        })
    }

    /// Whether something inside an excluded folder may still be kept.
    pub fn has_exceptions(&self) -> bool {
        self.patterns
            .iter()
            .any(|pattern| pattern.effect == Effect::Keep)
    }
}

impl Pattern {
    fn parse(line: &str) -> Option<Self> {
        let (effect, pattern) = match line.strip_prefix('!') {
            Some(rest) => (Effect::Keep, rest.trim()),
            None => (Effect::Exclude, line),
        };
        if pattern.is_empty() {
            return None;
        }
        let regex = Regex::new(&to_regex(&clean(pattern))).ok()?;
        Some(Self { regex, effect })
    }

    /// The path itself or any folder above it.
    fn matches(&self, path: &str) -> bool {
        let folders = path.match_indices('/').map(|(at, _)| at);
        folders
            .chain([path.len()])
            .filter_map(|end| path.get(..end))
            .any(|part| self.regex.is_match(part))
    }
}

/// Without `.`, empty parts and the leading slash; `..` takes a folder back.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for component in Path::new(pattern).components() {
        match component {
            Component::Normal(part) => parts.extend(part.to_str()),
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir | Component::RootDir | Component::Prefix(_) => {}
        }
    }
    if parts.is_empty() {
        return ".".to_owned();
    }
    parts.join("/")
}

fn to_regex(pattern: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut rest = pattern.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '*' if rest.next_if_eq(&'*').is_some() => {
                // `**/` is the same as `**`.
                let _slash = rest.next_if_eq(&'/');
                let last = rest.peek().is_none();
                regex.push_str(if last { ".*" } else { "(.*/)?" });
            }
            '*' => regex.push_str("[^/]*"),
            '?' => regex.push_str("[^/]"),
            '[' => class(&mut rest, &mut regex),
            '\\' => literal(rest.next().unwrap_or('\\'), &mut regex),
            other => literal(other, &mut regex),
        }
    }
    regex.push_str(")$");
    regex
}

/// `[a-z]` and `[^a-z]`; one that is never closed makes the regex invalid, and
/// so the pattern.
fn class(rest: &mut impl Iterator<Item = char>, regex: &mut String) {
    regex.push('[');
    let mut first = true;
    while let Some(character) = rest.next() {
        match character {
            ']' => {
                regex.push(']');
                return;
            }
            '^' if first => regex.push('^'),
            '-' => regex.push('-'),
            '\\' => literal(rest.next().unwrap_or('\\'), regex),
            other => literal(other, regex),
        }
        first = false;
    }
}

fn literal(character: char, regex: &mut String) {
    regex.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rules: &str, excluded: &[&str], kept: &[&str]) {
        let ignore = Ignore::parse(rules).unwrap();
        for path in excluded {
            assert!(ignore.excludes(path), "{rules:?} keeps {path}");
        }
        for path in kept {
            assert!(!ignore.excludes(path), "{rules:?} excludes {path}");
        }
    }

    #[test]
    fn the_documented_examples() {
        check(
            "# comment\n*/temp*\n*/*/temp*\ntemp?\n",
            &[
                "somedir/temporary.txt",
                "somedir/temp",
                "somedir/subdir/temporary.txt",
                "tempa",
                "tempb",
            ],
            &["temp", "tempab", "temporary.txt", "a/b/c/temporary.txt"],
        );
        check("*.md\n!README.md\n", &["a.md"], &["README.md", "docs/a.md"]);
        check(
            "*.md\n!README*.md\nREADME-secret.md\n",
            &["README-secret.md", "x.md"],
            &["README.md", "README-public.md"],
        );
        check(
            "*.md\nREADME-secret.md\n!README*.md\n",
            &["x.md"],
            &["README-secret.md"],
        );
        check("**/*.go", &["a.go", "a/b/c.go"], &["a.gone", "go"]);
    }

    #[test]
    fn a_folder_takes_all_that_is_in_it() {
        check(
            "node_modules\n/dist/\n./tmp/./x",
            &[
                "node_modules",
                "node_modules/a/b.js",
                "dist/a",
                "tmp/x",
                "tmp/x/y",
            ],
            &["web/node_modules/a", "src/dist", "tmp/y", "node_modules2"],
        );
        check(
            "**/node_modules",
            &["a/b/node_modules/c", "node_modules"],
            &["a"],
        );
        check("docs/**", &["docs/a", "docs/a/b"], &["docs", "docs2/a"]);
        check("a/**/z", &["a/z", "a/b/z", "a/b/c/z"], &["a/b", "az"]);
    }

    #[test]
    fn everything_but_some() {
        check(
            "*\n!src\n!Dockerfile\nsrc/secret",
            &["a", "lib/x", "src/secret", "src/secret/deep"],
            &["src", "src/main.py", "Dockerfile"],
        );
        check("**\n!app/**/*.py", &["app/x.txt", "x.py"], &["app/a/b.py"]);
    }

    #[test]
    fn special_characters_stand_for_themselves() {
        check(
            "a.b\nc+d\n(e)\n\\*x\n{f}\n$g",
            &["a.b", "c+d", "(e)", "*x", "{f}", "$g"],
            &["aXb", "ccd", "yx"],
        );
        check("[a-c]x\n[^0-9]y", &["ax", "by", "cx"], &["dx", "1y"]);
        check("  spaced  \n\r\n#no\n", &["spaced"], &["#no", ""]);
        check("\u{feff}bom", &["bom"], &[]);
    }

    #[test]
    fn what_is_no_pattern_is_named_with_its_line() {
        let error = Ignore::parse("ok\n[a").unwrap_err();
        assert!(error.to_string().starts_with("line 2"), "{error}");
        assert!(Ignore::parse("!").is_err());
    }
}

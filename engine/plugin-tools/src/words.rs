//! Placeholders: `{project}` in the words of a step, `{{name}}` in templates.

use std::path::{Path, PathBuf};

/// What the placeholders of a language's steps stand for.
#[derive(Debug, Clone)]
pub struct Words(Vec<(&'static str, String)>);

/// The world that every project is built for.
pub const WORLD: &str = "plugin";

/// The folders of one build.
#[derive(Debug, Clone)]
pub struct Folders {
    pub project: PathBuf,
    pub sdk: PathBuf,
    /// Scratch space in the project.
    pub work: PathBuf,
    /// The language's own, shared by all projects of a user.
    pub cache: PathBuf,
}

impl Folders {
    pub fn wit(&self) -> PathBuf {
        self.work.join("wit")
    }

    pub fn bindings(&self) -> PathBuf {
        self.work.join("bindings")
    }
}

impl Words {
    /// Fails with the folder whose path is not UTF-8, since most toolchains
    /// cannot name it.
    pub fn new(folders: &Folders, name: &str, roles: &str) -> Result<Self, PathBuf> {
        let text = |path: &Path| {
            path.to_str()
                .map(str::to_owned)
                .ok_or_else(|| path.to_owned())
        };
        Ok(Self(vec![
            ("project", text(&folders.project)?),
            ("sdk", text(&folders.sdk)?),
            ("work", text(&folders.work)?),
            ("cache", text(&folders.cache)?),
            ("wit", text(&folders.wit())?),
            ("bindings", text(&folders.bindings())?),
            ("world", WORLD.to_owned()),
            ("name", name.to_owned()),
            ("snake", snake(name)),
            ("roles", roles.to_owned()),
        ]))
    }

    /// Replaces what it knows and leaves every other brace alone, a shell's
    /// `${name}` too.
    pub fn fill(&self, text: &str) -> String {
        let mut filled = String::with_capacity(text.len());
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            filled.push_str(before);
            let found = after
                .split_once('}')
                .filter(|_| !before.ends_with('$'))
                .and_then(|(word, tail)| Some((self.value(word)?, tail)));
            match found {
                Some((value, tail)) => {
                    filled.push_str(value);
                    rest = tail;
                }
                None => {
                    filled.push('{');
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn value(&self, word: &str) -> Option<&str> {
        let (_, value) = self.0.iter().find(|(name, _)| *name == word)?;
        Some(value)
    }
}

/// Replaces the placeholders of a template.
pub fn fill_template(text: &str, name: &str) -> String {
    text.replace("{{name}}", name)
        .replace("{{snake}}", &snake(name))
        .replace("{{title}}", &title(name))
}

pub fn snake(name: &str) -> String {
    name.replace('-', "_")
}

/// `team-hook` → `Team hook`.
fn title(name: &str) -> String {
    let text = name.replace('-', " ");
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words() -> Words {
        let folders = Folders {
            project: "/p".into(),
            sdk: "/p/sdk".into(),
            work: "/p/build".into(),
            cache: "/c".into(),
        };
        Words::new(&folders, "team-hook", "notifier").unwrap()
    }

    #[test]
    fn known_words_are_replaced_and_other_braces_stay() {
        let words = words();
        assert_eq!(words.fill("{work}/{snake}.wasm"), "/p/build/team_hook.wasm");
        assert_eq!(words.fill("{wit}:{world}"), "/p/build/wit:plugin");
        assert_eq!(
            words.fill("x() { echo ${name} {}; }"),
            "x() { echo ${name} {}; }"
        );
        assert_eq!(words.fill("{nothing} {{name}}"), "{nothing} {team-hook}");
        assert_eq!(words.fill("{unfinished"), "{unfinished");
        assert_eq!(words.fill("{ {cache}"), "{ /c");
    }

    #[test]
    fn templates_know_three_spellings_of_the_name() {
        assert_eq!(
            fill_template("{{name}} {{snake}} {{title}} {{other}}", "team-hook"),
            "team-hook team_hook Team hook {{other}}"
        );
    }
}

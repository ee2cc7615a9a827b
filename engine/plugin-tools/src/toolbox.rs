//! The languages there are, and the two things done with them.

use std::path::{Path, PathBuf};

use crate::build::{self, BuildError, Built};
use crate::embedded;
use crate::language::Language;
use crate::progress::Listener;
use crate::scaffold::{self, Created, NewError, NewProject};

#[derive(Debug, thiserror::Error)]
#[error("there is no language `{0}`")]
pub struct NoLanguage(String);

/// Makes and builds plugin projects.
#[derive(Debug, Clone)]
pub struct Toolbox {
    caches: PathBuf,
}

impl Toolbox {
    /// Keeps what toolchains share in a folder of each language below `caches`.
    pub fn new(caches: impl Into<PathBuf>) -> Self {
        Self {
            caches: caches.into(),
        }
    }

    /// Where the caches of the languages lie.
    pub fn caches(&self) -> &Path {
        &self.caches
    }

    /// The usual place for caches under a user's own:
    /// `$XDG_CACHE_HOME/shipway/toolchains`, or the same in `~/.cache`.
    /// `None` where neither variable is set.
    pub fn usual_caches(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
        let absolute = |name: &str| variable(name).filter(|path| path.is_absolute());
        let user = absolute("XDG_CACHE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".cache")))?;
        Some(user.join("shipway/toolchains"))
    }

    /// The names of the languages that projects can be written in.
    pub fn languages() -> &'static [&'static str] {
        embedded::LANGUAGES
    }

    /// How a language makes components.
    ///
    /// # Errors
    /// When there is no such language.
    pub fn language(name: &str) -> Result<Language, NoLanguage> {
        embedded::text(&format!("sdk/{name}/language.toml"))
            .and_then(|text| toml::from_str(text).ok())
            .ok_or_else(|| NoLanguage(name.to_owned()))
    }

    /// Makes a new project.
    ///
    /// # Errors
    /// When the place is taken, the name will not do, or it cannot be written;
    /// then nothing is left of it.
    pub fn create(&self, wish: &NewProject) -> Result<Created, NewError> {
        scaffold::create(&Self::language(&wish.language)?, wish)
    }

    /// Builds the project of a folder into a checked component. Dropping the
    /// future ends whatever still runs.
    ///
    /// # Errors
    /// When the project, a tool, a step or its result is not as it must be.
    pub async fn build(
        &self,
        folder: &Path,
        listener: &mut Listener<'_>,
    ) -> Result<Built, BuildError> {
        build::run(folder, &self.caches, listener).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn caches_lie_where_the_user_keeps_them() {
        let caches = |xdg: &str, home: &str| {
            let (xdg, home) = (xdg.to_owned(), home.to_owned());
            Toolbox::usual_caches(move |name| {
                let value = if name == "HOME" { &home } else { &xdg };
                (!value.is_empty()).then(|| value.into())
            })
        };
        let of = |path: &str| Some(PathBuf::from(path));
        assert_eq!(caches("/x", "/h"), of("/x/shipway/toolchains"));
        assert_eq!(caches("", "/h"), of("/h/.cache/shipway/toolchains"));
        assert_eq!(caches("relative", "/h"), of("/h/.cache/shipway/toolchains"));
        assert_eq!(caches("", ""), None);
    }

    #[test]
    fn every_language_is_understood() {
        for name in Toolbox::languages() {
            let language = Toolbox::language(name).unwrap();
            assert_eq!(&language.name, name);
        }
        assert!(Toolbox::language("cobol").is_err());
    }
}

//! What tells an Aldryn project, without running anything.

use shipway_sdk::failure::{Code, Failure};
use shipway_sdk::release::Provenance;
use shipway_sdk::source;

/// The files that are looked at.
pub const GLOBS: [&str; 8] = [
    SETTINGS,
    PROCFILE,
    "addons/aldryn-django/*",
    "addons-dev/aldryn-django/*",
    "requirements*.in",
    "requirements*.txt",
    "requirements/*.in",
    "requirements/*.txt",
];

const SETTINGS: &str = "settings.py";
const PROCFILE: &str = "Procfile";
/// Those of [`GLOBS`] whose being there is a sign.
const ADDONS: [&str; 2] = ["addons/aldryn-django/*", "addons-dev/aldryn-django/*"];
/// Those of [`GLOBS`] that list packages.
const REQUIREMENTS: [&str; 4] = [
    "requirements*.in",
    "requirements*.txt",
    "requirements/*.in",
    "requirements/*.txt",
];
/// The loader of addons, and the addon that runs the commands.
const PACKAGES: [&str; 2] = ["aldryn-addons", "aldryn-django"];

/// Where the first sign is, if there is one.
///
/// # Errors
/// When the commit's files cannot be read.
pub fn find() -> Result<Option<Provenance>, Failure> {
    if let Some(place) = line_of(SETTINGS, loads_addons)? {
        return Ok(Some(place));
    }
    for glob in ADDONS {
        if let Some(path) = source::find(glob)?.into_iter().next() {
            return Ok(Some(Provenance::new(path, "")));
        }
    }
    for glob in REQUIREMENTS {
        for path in source::find(glob)? {
            if let Some(place) = line_of(&path, requires_aldryn)? {
                return Ok(Some(place));
            }
        }
    }
    line_of(PROCFILE, migrates_with_aldryn)
}

/// The first line of a file that is a sign. A file that is not there has none.
fn line_of(path: &str, is_sign: impl Fn(&str) -> bool) -> Result<Option<Provenance>, Failure> {
    let bytes = match source::read(path) {
        Ok(bytes) => bytes,
        Err(failure) if failure.code == Code::NOT_FOUND => return Ok(None),
        Err(failure) => return Err(failure.context(format_args!("looking for Aldryn in `{path}`"))),
    };
    let text = String::from_utf8_lossy(&bytes);
    let found = (1..).zip(text.lines()).find(|(_, line)| is_sign(line));
    Ok(found.map(|(number, _)| Provenance::new(path, format!("line {number}"))))
}

/// `INSTALLED_ADDONS = [`, or an import of the loader.
fn loads_addons(line: &str) -> bool {
    let line = line.trim();
    if let Some(rest) = line.strip_prefix("INSTALLED_ADDONS") {
        let rest = rest.trim_start();
        return ["=", "+=", ":"].iter().any(|sign| rest.starts_with(sign))
            && !rest.starts_with("==");
    }
    let mut words = line.split(|character: char| character.is_whitespace() || character == '.');
    matches!(words.next(), Some("import" | "from")) && words.next() == Some("aldryn_addons")
}

/// A requirement as pip reads it, in the forms that Divio writes: `name==1`,
/// `name @ URL`, and `URL#egg=name==1`.
fn requires_aldryn(line: &str) -> bool {
    let line = line.trim();
    let requirement = match line.split_once("#egg=") {
        Some((_, egg)) if !line.starts_with('#') => egg,
        _ => line,
    };
    let end = requirement
        .find(|character: char| {
            !character.is_ascii_alphanumeric() && !matches!(character, '-' | '_' | '.')
        })
        .unwrap_or(requirement.len());
    let name: String = requirement
        .chars()
        .take(end)
        .map(|character| match character {
            '_' | '.' => '-',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    PACKAGES.contains(&name.as_str())
}

/// The entry that `start migrate` runs on Divio's base images.
fn migrates_with_aldryn(line: &str) -> bool {
    line.strip_prefix("migrate:")
        .is_some_and(|command| command.contains("aldryn-django"))
}

#[cfg(test)]
mod tests {
    use shipway_sdk::testing::Host;

    use super::*;
    use crate::plugin::Aldryn;

    fn found(path: &str, content: &str) -> Option<String> {
        Host::of::<Aldryn>()
            .file(path, content)
            .run(find)
            .unwrap()
            .map(|place| format!("{} {}", place.file, place.place))
    }

    #[test]
    fn each_sign_is_found_where_it_stands() {
        for (path, content, place) in [
            (
                "settings.py",
                "\nINSTALLED_ADDONS = [\n",
                "settings.py line 2",
            ),
            (
                "settings.py",
                "INSTALLED_ADDONS: list = []",
                "settings.py line 1",
            ),
            (
                "settings.py",
                "import aldryn_addons.settings",
                "settings.py line 1",
            ),
            (
                "settings.py",
                "from aldryn_addons import x",
                "settings.py line 1",
            ),
            (
                "addons/aldryn-django/addon.json",
                "{}",
                "addons/aldryn-django/addon.json ",
            ),
            (
                "requirements.in",
                "# <X>\naldryn-django==5.1",
                "requirements.in line 2",
            ),
            (
                "requirements.txt",
                "Aldryn_Addons>=2 # loader",
                "requirements.txt line 1",
            ),
            (
                "requirements/base.txt",
                "aldryn.addons",
                "requirements/base.txt line 1",
            ),
            (
                "requirements.in",
                "https://example.com/serve/aldryn-django-5.1.tar.gz#egg=aldryn-django==5.1",
                "requirements.in line 1",
            ),
            (
                "requirements.txt",
                "aldryn-django @ https://example.com/x",
                "requirements.txt line 1",
            ),
            (
                "Procfile",
                "web: x\nmigrate: aldryn-django migrate",
                "Procfile line 2",
            ),
        ] {
            assert_eq!(found(path, content).as_deref(), Some(place), "{content}");
        }
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for (path, content) in [
            ("settings.py", "if INSTALLED_ADDONS == []:"),
            ("settings.py", "# INSTALLED_ADDONS = []"),
            ("settings.py", "import aldryn_addons_not"),
            ("requirements.txt", "# aldryn-django"),
            ("requirements.txt", "#aldryn-django #egg=aldryn-django"),
            ("requirements.txt", "aldryn-django-cms-theme==1"),
            ("other/addons/aldryn-django/x", ""),
            ("Procfile", "migrate: python manage.py migrate"),
        ] {
            assert_eq!(found(path, content), None, "{content}");
        }
    }
}

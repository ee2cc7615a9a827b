//! `shipway plugin new`: a project that builds, tests and runs as it stands.

use std::fmt::Write;
use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use shipway_core::name::PluginName;
use shipway_core::plugin::Role;
use shipway_plugin_tools::scaffold::{Created, NewProject};
use shipway_plugin_tools::toolbox::Toolbox;

use super::toolbox;
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::place;

const ROLES: [&str; 3] = ["release-source", "notifier", "self-test"];

#[derive(Debug, Args)]
pub struct Arguments {
    /// What the plugin is called: lower-case letters, digits and dashes
    name: PluginName,
    /// Which question it answers: which commands does a release need, who must
    /// be told, is the new version fit to serve?
    #[arg(long, value_parser = role())]
    role: Role,
    /// What it is written in
    #[arg(long, value_name = "LANGUAGE", value_parser = PossibleValuesParser::new(Toolbox::languages()))]
    lang: String,
    /// Where it goes [default: a folder of its name, here]
    #[arg(long, value_name = "FOLDER")]
    directory: Option<PathBuf>,
    #[command(flatten)]
    json: JsonFlag,
}

fn role() -> impl TypedValueParser<Value = Role> {
    PossibleValuesParser::new(ROLES).try_map(|word| place::word::<Role>(&word))
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let directory = arguments.directory;
    let wish = NewProject {
        directory: directory.unwrap_or_else(|| arguments.name.as_str().into()),
        language: arguments.lang,
        role: arguments.role,
        name: arguments.name,
    };
    let created = toolbox()?.create(&wish).map_err(|error| {
        let hint = error.hint();
        Failure {
            hint,
            ..Failure::from(anyhow::Error::new(error))
        }
    })?;
    show(arguments.json.form(), &created, |created| {
        text(created, wish.name.as_str())
    })
}

fn text(created: &Created, name: &str) -> String {
    let folder = created.directory.display();
    let mut text = format!("{folder} is a {} in {}\n", created.role, created.title);
    for file in &created.files {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "  {}", file.display());
    }
    let _ = write!(
        text,
        "  shipway-sdk/ (the SDK; keep it with the project)\n\n\
         Next, in {folder}:\n  \
         shipway plugin build\n  \
         shipway plugin test\n  \
         shipway plugin add build/{name}.wasm"
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_project_says_what_comes_next() {
        let created = Created {
            directory: "hook".into(),
            language: "rust".to_owned(),
            title: "Rust".to_owned(),
            role: Role::Notifier,
            files: vec!["Cargo.toml".into(), "src/lib.rs".into()],
        };
        insta::assert_snapshot!(text(&created, "hook"), @r"
        hook is a notifier in Rust
          Cargo.toml
          src/lib.rs
          shipway-sdk/ (the SDK; keep it with the project)

        Next, in hook:
          shipway plugin build
          shipway plugin test
          shipway plugin add build/hook.wasm
        ");
    }
}

//! `language.toml`: how a language makes components. It lies in the language's
//! SDK, and a copy of it in every project, so that a project still builds when
//! the tools have moved on.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Deserialize;

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Language {
    /// As in `--lang`.
    pub name: String,
    /// As people write it.
    pub title: String,
    /// Names that no project may have, such as the language's keywords.
    #[serde(default)]
    pub reserved_names: Vec<String>,
    #[serde(default)]
    pub tools: Vec<Tool>,
    pub sdk: Sdk,
    /// Which bindings are generated before the steps.
    pub bindings: Option<Bindings>,
    #[serde(default)]
    pub steps: Vec<Step>,
    pub output: Output,
}

/// A program that must be on the machine.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tool {
    /// Prints the version, somewhere in what it prints.
    pub command: Vec<String>,
    pub at_least: Option<String>,
    /// How a person gets it.
    pub install: String,
}

/// What of the SDK's folder goes into a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Sdk {
    /// Files and folders. `language.toml` and the contract are added to them.
    pub files: Vec<String>,
    /// What is different in a project.
    #[serde(default)]
    pub replace: Vec<Replacement>,
}

/// A text that stands in a file of the SDK, and what stands there in a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Replacement {
    pub file: String,
    pub text: String,
    pub with: String,
}

/// Bindings that are generated here. The other languages' tools make their
/// own, or need none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bindings {
    C,
}

/// A command of the language's toolchain.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Step {
    /// What people read while it runs.
    pub say: String,
    /// Skipped when this is there already.
    pub creates: Option<String>,
    /// Skipped when this command succeeds.
    #[serde(default)]
    pub unless: Vec<String>,
    pub run: Vec<String>,
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    #[serde(default = "usual_patience")]
    timeout_seconds: u64,
    /// What a person may try when it fails.
    pub hint: Option<String>,
}

impl Step {
    pub fn limit(&self) -> Duration {
        Duration::from_secs(self.timeout_seconds)
    }
}

fn usual_patience() -> u64 {
    600
}

/// What the steps leave. A `*` in the file's name stands for any text.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// A component.
    Component(String),
    /// A core module, which is made into a component here.
    Module(String),
}

impl Output {
    pub fn path(&self) -> &str {
        match self {
            Self::Component(path) | Self::Module(path) => path,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"
        name = "x"
        title = "X"
        bindings = "c"
        [[tools]]
        command = ["x", "--version"]
        at-least = "3.10"
        install = "apt install x"
        [sdk]
        files = ["lib"]
        [[steps]]
        say = "Compiling"
        run = ["x", "{project}"]
        env = { A = "{cache}" }
        [[steps]]
        say = "Linking"
        creates = "{work}/x"
        run = ["x"]
        timeout-seconds = 5
        [output]
        module = "{work}/x.wasm"
    "#;

    #[test]
    fn a_description_is_read_with_its_defaults() {
        let language: Language = toml::from_str(TEXT).unwrap();
        assert_eq!(language.steps[0].limit(), Duration::from_secs(600));
        assert_eq!(language.steps[1].limit(), Duration::from_secs(5));
        assert_eq!(language.steps[0].env["A"], "{cache}");
        assert!(matches!(language.output, Output::Module(path) if path == "{work}/x.wasm"));
        assert_eq!(language.bindings, Some(Bindings::C));
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = TEXT.replace("timeout-seconds", "timeout-second");
        let error = toml::from_str::<Language>(&text).unwrap_err();
        assert!(error.to_string().contains("timeout-second"), "{error}");
    }
}

//! What is deployed, and how it must end.

use serde_json::{Value, json};

/// The word that only commands of the stories have in their command lines.
pub const NOTES: &str = "crash-notes";

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Story {
    /// Release commands, a gate command, one after the switch.
    Succeeds,
    /// The gate refuses: what ran is undone, and the old version serves.
    Fails,
}

impl Story {
    pub const ALL: [Self; 2] = [Self::Succeeds, Self::Fails];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Fails => "fails",
        }
    }

    /// Each command says two lines, and leaves a note of its effect.
    pub fn commands(self, notes: &str) -> Vec<Value> {
        let run = |name: &str| {
            format!(
                "echo {name} one; echo \"$SHIPWAY_DEPLOYMENT {name}\" >> {notes}/{NOTES}; echo {name} two"
            )
        };
        let command =
            |name: &str, phase: &str| json!({ "label": name, "run": run(name), "phase": phase });
        let mut migrate = command("migrate", "release");
        migrate["undo"] = json!(run("unmigrate"));
        let mut all = vec![
            migrate,
            command("collect", "release"),
            command("check", "gate"),
        ];
        match self {
            Self::Succeeds => all.push(command("announce", "after")),
            Self::Fails => {
                all.push(json!({ "label": "refuse", "run": "exit 3", "phase": "gate" }));
                all.push(command("tidy", "failed"));
            }
        }
        all
    }

    /// The effects of a deployment that was never killed, in order.
    pub fn effects(self) -> &'static [&'static str] {
        match self {
            Self::Succeeds => &["migrate", "collect", "check", "announce"],
            Self::Fails => &["migrate", "collect", "check", "unmigrate", "tidy"],
        }
    }

    /// Why a deployment fails that was never killed.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::Succeeds => None,
            Self::Fails => Some("hook-error"),
        }
    }
}

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
    /// Somebody cancels while a release command runs.
    Cancelled,
    /// As the first, with two instances.
    Scaled,
}

impl Story {
    pub const ALL: [Self; 4] = [Self::Succeeds, Self::Fails, Self::Cancelled, Self::Scaled];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Succeeds => "succeeds",
            Self::Fails => "fails",
            Self::Cancelled => "cancelled",
            Self::Scaled => "scaled",
        }
    }

    /// Of the app's one process.
    pub fn instances(self) -> usize {
        match self {
            Self::Succeeds | Self::Fails | Self::Cancelled => 1,
            Self::Scaled => 2,
        }
    }

    /// The command that runs until somebody cancels.
    pub fn cancelled_in(self) -> Option<&'static str> {
        (self == Self::Cancelled).then_some("wait")
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
            Self::Succeeds | Self::Scaled => all.push(command("announce", "after")),
            Self::Cancelled => {
                let wait = format!("echo {NOTES} waits; sleep 600");
                let wait = json!({ "label": "wait", "run": wait, "phase": "release" });
                all.insert(1, wait);
            }
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
            Self::Succeeds | Self::Scaled => &["migrate", "collect", "check", "announce"],
            Self::Cancelled => &["migrate", "unmigrate"],
            Self::Fails => &["migrate", "collect", "check", "unmigrate", "tidy"],
        }
    }

    /// How a deployment ends that was never killed.
    pub fn status(self) -> &'static str {
        match self {
            Self::Succeeds | Self::Scaled => "succeeded",
            Self::Fails => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Why, if it fails.
    pub fn reason(self) -> Option<&'static str> {
        (self == Self::Fails).then_some("hook-error")
    }
}

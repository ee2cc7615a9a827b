//! The journal: the append-only record of a deployment. Its entries are the
//! deployment's events; the pipeline is a fold of them.

use serde::{Deserialize, Serialize};

use crate::ending::{Ending, Failure};
use crate::environment::EnvironmentKey;
use crate::name::{
    CommitId, DeploymentId, EnvironmentName, Label, PluginName, ProcessName, Timestamp,
};
use crate::pipeline::Step;
use crate::plan::Plan;
use crate::release::Phase;

/// One entry: an event with its number and its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Entry {
    pub deployment: DeploymentId,
    /// From 1, without a gap.
    pub sequence: u64,
    pub at: Timestamp,
    #[serde(flatten)]
    pub event: Event,
}

/// What was decided, started or done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", content = "data")]
pub enum Event {
    #[serde(rename = "deployment.queued")]
    Queued(Trigger),
    #[serde(rename = "deployment.cancel-requested")]
    CancelRequested { by: String },
    #[serde(rename = "step.started")]
    StepStarted { step: Step },
    #[serde(rename = "step.succeeded")]
    StepSucceeded { output: Box<Output>, millis: u64 },
    #[serde(rename = "step.failed")]
    StepFailed { failure: Failure },
    /// The step that ran was stopped because somebody cancelled.
    #[serde(rename = "step.cancelled")]
    StepCancelled { step: Step },
    #[serde(rename = "command.started")]
    CommandStarted {
        label: Label,
        phase: Phase,
        /// What the log had of each output before it.
        #[serde(default)]
        logged: Logged,
    },
    #[serde(rename = "command.finished")]
    CommandFinished {
        label: Label,
        phase: Phase,
        exit: Exit,
        millis: u64,
    },
    #[serde(rename = "command.undone")]
    CommandUndone { label: Label, exit: Exit },
    #[serde(rename = "instance.started")]
    InstanceStarted { instance: Instance },
    #[serde(rename = "instance.healthy")]
    InstanceHealthy {
        id: String,
        tries: u32,
        answer: String,
        millis: u64,
    },
    #[serde(rename = "check.reported")]
    CheckReported {
        plugin: PluginName,
        name: String,
        outcome: CheckOutcome,
        message: String,
        millis: u64,
    },
    #[serde(rename = "warning")]
    Warning {
        message: String,
        plugin: Option<PluginName>,
    },
    #[serde(rename = "deployment.ended")]
    Ended(Ending),
}

impl Event {
    /// The event's kind, as in the API and as a notifier gets it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Queued(_) => "deployment.queued",
            Self::CancelRequested { .. } => "deployment.cancel-requested",
            Self::StepStarted { .. } => "step.started",
            Self::StepSucceeded { .. } => "step.succeeded",
            Self::StepFailed { .. } => "step.failed",
            Self::StepCancelled { .. } => "step.cancelled",
            Self::CommandStarted { .. } => "command.started",
            Self::CommandFinished { .. } => "command.finished",
            Self::CommandUndone { .. } => "command.undone",
            Self::InstanceStarted { .. } => "instance.started",
            Self::InstanceHealthy { .. } => "instance.healthy",
            Self::CheckReported { .. } => "check.reported",
            Self::Warning { .. } => "warning",
            Self::Ended(_) => "deployment.ended",
        }
    }

    /// The event in one sentence, for people.
    pub fn summary(&self) -> String {
        match self {
            Self::Queued(trigger) => format!("queued {} by {}", trigger.reference, trigger.by),
            Self::CancelRequested { by } => format!("{by} asked to cancel"),
            Self::StepStarted { step } => format!("{step} started"),
            Self::StepSucceeded { output, millis } => {
                format!("{} done in {millis} ms{}", output.step(), output.detail())
            }
            Self::StepFailed { failure } => {
                format!(
                    "{} failed ({}): {}",
                    failure.step, failure.reason, failure.message
                )
            }
            Self::StepCancelled { step } => format!("{step} cancelled"),
            Self::CommandStarted { label, phase, .. } => {
                format!("{phase} command {label:?} started", label = label.as_str())
            }
            Self::CommandFinished {
                label,
                exit,
                millis,
                ..
            } => {
                format!("command {:?} {exit} after {millis} ms", label.as_str())
            }
            Self::CommandUndone { label, exit } => format!("undo of {:?} {exit}", label.as_str()),
            Self::InstanceStarted { instance } => {
                format!("{} instance {} started", instance.process, instance.id)
            }
            Self::InstanceHealthy {
                id,
                tries,
                answer,
                millis,
            } => {
                format!("instance {id} healthy: {answer} (try {tries}, {millis} ms)")
            }
            Self::CheckReported {
                plugin,
                name,
                outcome,
                message,
                ..
            } => {
                format!("{plugin}: {name}: {outcome}: {message}")
            }
            Self::Warning {
                message,
                plugin: Some(plugin),
            } => format!("{plugin}: {message}"),
            Self::Warning {
                message,
                plugin: None,
            } => message.clone(),
            Self::Ended(ending) => ending.summary(),
        }
    }
}

impl Ending {
    /// `succeeded`, `failed`, `cancelled` or `superseded`.
    pub fn status(&self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Failed(_) => "failed",
            Self::Cancelled(_) => "cancelled",
            Self::Superseded { .. } => "superseded",
        }
    }

    pub fn summary(&self) -> String {
        match self {
            Self::Succeeded => "deployment succeeded".to_owned(),
            Self::Failed(failed) => {
                let failure = &failed.failure;
                format!(
                    "deployment failed at {}: {} ({})",
                    failure.step, failure.message, failure.reason
                )
            }
            Self::Cancelled(_) => "deployment cancelled".to_owned(),
            Self::Superseded { by } => format!("deployment superseded by {by}"),
        }
    }
}

/// Who asked for a deployment, and for what.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Trigger {
    pub key: EnvironmentKey,
    /// A branch, a tag or a commit.
    pub reference: String,
    /// The token's name, or where it came from.
    pub by: String,
    /// The same key gives the same deployment.
    pub idempotency_key: Option<String>,
    pub build: BuildWish,
    /// Journals from before there were others know only commits.
    #[serde(default)]
    pub subject: Subject,
}

/// What is deployed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Subject {
    /// The commit that the reference names.
    #[default]
    Commit,
    /// An earlier deployment of the environment: its image, and its plan as it
    /// was frozen.
    Rollback {
        to: DeploymentId,
        release_commands: ReleaseCommands,
    },
    /// What serves another environment of the app: its commit and its image.
    /// The plan is made anew, from this environment's settings.
    Promotion {
        from: EnvironmentName,
        deployment: DeploymentId,
    },
}

impl Subject {
    /// The deployment whose image is taken.
    pub fn earlier(&self) -> Option<DeploymentId> {
        match self {
            Self::Commit => None,
            Self::Rollback { to, .. } => Some(*to),
            Self::Promotion { deployment, .. } => Some(*deployment),
        }
    }
}

/// Whether a rollback runs the release commands of its plan.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReleaseCommands {
    #[default]
    Skip,
    Run,
}

/// Whether an image of the same commit may be reused.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BuildWish {
    #[default]
    Reuse,
    Fresh,
}

/// What a step gave, for the steps after it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "step", rename_all = "kebab-case")]
pub enum Output {
    Services { answered: Vec<String> },
    Checkout(Commit),
    Build(Image),
    Plan { plan: Box<Plan> },
    Release,
    Start { instances: Vec<Instance> },
    SelfTest { checks: u32, warnings: u32 },
    Gate,
    Switch(Serving),
    Retire(Retired),
}

impl Output {
    pub fn step(&self) -> Step {
        match self {
            Self::Services { .. } => Step::Services,
            Self::Checkout(_) => Step::Checkout,
            Self::Build(_) => Step::Build,
            Self::Plan { .. } => Step::Plan,
            Self::Release => Step::Release,
            Self::Start { .. } => Step::Start,
            Self::SelfTest { .. } => Step::SelfTest,
            Self::Gate => Step::Gate,
            Self::Switch(_) => Step::Switch,
            Self::Retire(_) => Step::Retire,
        }
    }

    /// What a person wants to know of it beyond that it is done: nothing, or
    /// words after a colon.
    pub fn detail(&self) -> String {
        match self {
            Self::Checkout(commit) => format!(": commit {}", commit.id.short()),
            Self::Build(image) if image.reused => format!(": reused {}", image.reference),
            Self::Build(image) => format!(": {}", image.reference),
            Self::Plan { plan } => format!(": {} release commands", plan.commands.len()),
            Self::Start { instances } => format!(": {} instances", instances.len()),
            Self::SelfTest { checks, .. } => format!(": {checks} checks"),
            Self::Retire(retired) => format!(": {} old instances stopped", retired.stopped.len()),
            Self::Services { answered } => format!(": {} answered", answered.len()),
            Self::Release | Self::Gate | Self::Switch(_) => String::new(),
        }
    }
}

/// The commit that is deployed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Commit {
    pub id: CommitId,
    /// The first line of its message, at most 200 characters.
    pub subject: String,
    pub author: String,
}

/// What a build made: an image of the container engine, or the release
/// directory of the process runtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Image {
    /// The runtime's own immutable name for it: an image id, or a path.
    pub reference: String,
    /// The name people know it by: `shipway/app:commit`, or the path.
    pub tag: String,
    /// Made by an earlier deployment, and taken as it is.
    pub reused: bool,
}

/// One running copy of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Instance {
    /// The runtime's own name for it.
    pub id: String,
    pub process: ProcessName,
    /// Where it answers, `address:port`; none for a type without a port.
    #[cfg_attr(feature = "schema", schema(value_type = Option<String>))]
    pub address: Option<std::net::SocketAddr>,
}

/// What serves an environment after a switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Serving {
    pub deployment: DeploymentId,
    pub commit: CommitId,
    pub image: Image,
    pub instances: Vec<Instance>,
}

/// What became of the instances that served before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Retired {
    pub stopped: Vec<String>,
    /// Requests that had not finished when the drain time was over.
    pub cut_off: u64,
    /// What went wrong; none of it undoes the success.
    pub problems: Vec<String>,
}

/// Lines of a deployment's log, by output.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Logged {
    pub stdout: u64,
    pub stderr: u64,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Exit {
    Code {
        code: i32,
    },
    Signal {
        signal: i32,
    },
    TimedOut {
        after_seconds: u32,
    },
    /// The program is not there or cannot be executed.
    NotStarted,
    /// Stopped because the deployment was cancelled.
    Cancelled,
    /// The engine stopped while it ran, and nothing tells how it ended.
    Interrupted,
}

impl Exit {
    pub fn is_success(self) -> bool {
        matches!(self, Self::Code { code: 0 })
    }
}

impl std::fmt::Display for Exit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code { code: 0 } => f.write_str("succeeded"),
            Self::Code { code: 127 } => f.write_str("exited with code 127 (command not found)"),
            Self::Code { code: 126 } => f.write_str("exited with code 126 (not executable)"),
            Self::Code { code: 137 } => {
                f.write_str("exited with code 137 (killed, perhaps for want of memory)")
            }
            Self::Code { code } => write!(f, "exited with code {code}"),
            Self::Signal { signal } => write!(f, "was killed by signal {signal}"),
            Self::TimedOut { after_seconds } => {
                write!(f, "passed its limit of {after_seconds} s and was stopped")
            }
            Self::NotStarted => f.write_str("could not be started"),
            Self::Cancelled => f.write_str("was cancelled"),
            Self::Interrupted => {
                f.write_str("was running when the engine stopped; how it ended is not known")
            }
        }
    }
}

/// The outcome of one check of a self-test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CheckOutcome {
    Pass,
    Warn,
    Fail,
    Skip,
}

impl std::fmt::Display for CheckOutcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Fail => "fail",
            Self::Skip => "skip",
        })
    }
}

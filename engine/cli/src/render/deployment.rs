//! Deployments as people read them.

use std::fmt::{self, Write};

use shipway_api::wire::deployment::Deployment;
use shipway_api::wire::environment::EnvironmentStatus;
use shipway_api::words::{ago, took};
use shipway_core::ending::{Aftermath, Ending, Failed};
use shipway_core::journal::Entry;
use shipway_core::name::Timestamp;

use crate::exit::Exit;
use crate::output::{or_dash, table};

/// A list, newest first.
pub fn list(deployments: &[Deployment], now: Timestamp) -> String {
    if deployments.is_empty() {
        return "no deployments yet".to_owned();
    }
    table(
        [
            "DEPLOYMENT",
            "PLACE",
            "STATUS",
            "REFERENCE",
            "COMMIT",
            "BY",
            "WHEN",
            "TOOK",
        ],
        deployments.iter().map(|deployment| {
            [
                deployment.id.to_string(),
                format!("{}/{}", deployment.app, deployment.environment),
                status(deployment),
                deployment.reference.clone(),
                or_dash(deployment.commit.as_ref().map(|commit| commit.id.short())),
                deployment.by.clone(),
                ago(deployment.created_at, now),
                or_dash(duration(deployment).map(took)),
            ]
        }),
    )
}

/// `failed (release-command)`, `running (build)`.
fn status(deployment: &Deployment) -> String {
    match (&deployment.ending, &deployment.step) {
        (Some(Ending::Failed(failed)), _) => format!("failed ({})", failed.failure.reason),
        (None, Some(step)) => format!("{} ({step})", deployment.status),
        _ => deployment.status.to_string(),
    }
}

fn duration(deployment: &Deployment) -> Option<u64> {
    let (started, ended) = (deployment.started_at?, deployment.ended_at?);
    u64::try_from(ended.as_millis() - started.as_millis()).ok()
}

/// What an environment does now.
pub fn environment_status(status: &EnvironmentStatus, now: Timestamp) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_status(&mut text, status, now);
    text
}

fn write_status(out: &mut String, status: &EnvironmentStatus, now: Timestamp) -> fmt::Result {
    match &status.serving {
        Some(serving) => {
            let (commit, id) = (serving.commit.short(), serving.deployment);
            writeln!(out, "serving  commit {commit} since deployment {id}")?;
            for instance in &serving.instances {
                let address = or_dash(instance.address);
                writeln!(
                    out,
                    "         {}  {address}  {}",
                    instance.process, instance.id
                )?;
            }
        }
        None => writeln!(out, "serving  nothing: no deployment has succeeded yet")?,
    }
    for domain in &status.domains {
        writeln!(out, "domain   {domain}")?;
    }
    match &status.latest {
        Some(latest) => write!(out, "latest   {}", one(latest, now)),
        None => write!(out, "latest   none"),
    }
}

/// One deployment, in full.
pub fn one(deployment: &Deployment, now: Timestamp) -> String {
    let mut text = format!(
        "deployment {} of {} by {}: {} ({})",
        deployment.id,
        deployment.reference,
        deployment.by,
        status(deployment),
        ago(deployment.created_at, now)
    );
    if let Some(end) = &deployment.ending
        && *end != Ending::Succeeded
    {
        let _ = write!(text, "\n{}", ending(end));
    }
    text
}

/// An ending: what failed, what is left behind, what still serves.
pub fn ending(ending: &Ending) -> String {
    let mut text = ending.summary();
    let _ = match ending {
        Ending::Succeeded | Ending::Superseded { .. } => Ok(()),
        Ending::Failed(failed) => write_failure(&mut text, failed),
        Ending::Cancelled(aftermath) => write_aftermath(&mut text, aftermath),
    };
    text
}

fn write_failure(out: &mut String, failed: &Failed) -> fmt::Result {
    let failure = &failed.failure;
    if let Some(command) = &failure.command {
        write!(out, "\n  command: {command}")?;
    }
    if let Some(plugin) = &failure.plugin {
        write!(out, "\n  plugin: {plugin}")?;
    }
    for line in &failure.last_lines {
        write!(out, "\n  | {line}")?;
    }
    if let Some(hint) = &failure.hint {
        write!(out, "\n  to do: {hint}")?;
    }
    write_aftermath(out, &failed.aftermath)
}

fn write_aftermath(out: &mut String, aftermath: &Aftermath) -> fmt::Result {
    let labels = |labels: &[shipway_core::name::Label]| {
        let labels: Vec<&str> = labels.iter().map(|label| label.as_str()).collect();
        labels.join(", ")
    };
    match aftermath.serving {
        Some(serving) => write!(out, "\n  still serving: deployment {serving}")?,
        None => write!(out, "\n  serving: nothing")?,
    }
    if !aftermath.release_commands_ran.is_empty() {
        let ran = labels(&aftermath.release_commands_ran);
        write!(
            out,
            "\n  the data may be ahead of the code, because these ran: {ran}"
        )?;
    }
    if !aftermath.undone.is_empty() {
        write!(out, "\n  undone: {}", labels(&aftermath.undone))?;
    }
    if !aftermath.undo_failed.is_empty() {
        let failed = labels(&aftermath.undo_failed);
        write!(out, "\n  somebody has to look: the undo failed of {failed}")?;
    }
    Ok(())
}

/// One event, on one line.
pub fn event(entry: &Entry) -> String {
    format!(
        "{:>4}  {}  {}",
        entry.sequence,
        entry.at,
        entry.event.summary()
    )
}

/// The exit code that tells an ending.
pub fn exit(ending: &Ending) -> Exit {
    match ending {
        Ending::Succeeded => Exit::Success,
        Ending::Failed(_) => Exit::Failed,
        Ending::Cancelled(_) | Ending::Superseded { .. } => Exit::Stopped,
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::ending::{Failure, Reason};
    use shipway_core::name::DeploymentId;
    use shipway_core::pipeline::Step;

    use super::*;

    fn id(text: &str) -> DeploymentId {
        text.parse().unwrap()
    }

    const OLD: &str = "01890000-0000-7000-8000-000000000001";
    const NEW: &str = "01890000-0000-7000-8000-000000000002";

    fn failed() -> Ending {
        let mut failure = Failure::new(
            Step::Release,
            Reason::ReleaseCommand,
            "\"Migrate\" exited with code 3",
        )
        .with_hint("run it locally against a copy of the data");
        failure.command = Some("Migrate".parse().unwrap());
        failure.last_lines = vec!["no such table: comment".into()];
        Ending::Failed(Failed {
            failure,
            aftermath: Aftermath {
                release_commands_ran: vec!["Back up".parse().unwrap()],
                serving: Some(id(OLD)),
                ..Aftermath::default()
            },
        })
    }

    fn deployment(ending: Option<Ending>) -> Deployment {
        Deployment {
            id: id(NEW),
            app: "guestbook".parse().unwrap(),
            environment: "live".parse().unwrap(),
            status: shipway_api::wire::deployment::Status::Running,
            step: ending.is_none().then_some(Step::Build),
            reference: "main".into(),
            commit: None,
            build: Default::default(),
            subject: shipway_core::journal::Subject::Commit,
            by: "ci".into(),
            created_at: Timestamp::from_millis(0),
            started_at: Some(Timestamp::from_millis(1000)),
            ended_at: ending.as_ref().map(|_| Timestamp::from_millis(13_300)),
            ending,
            sequence: 4,
        }
    }

    #[test]
    fn an_ending_says_what_failed_and_what_still_serves() {
        insta::assert_snapshot!(ending(&failed()), @r#"
        deployment failed at release: "Migrate" exited with code 3 (release-command)
          command: Migrate
          | no such table: comment
          to do: run it locally against a copy of the data
          still serving: deployment 01890000-0000-7000-8000-000000000001
          the data may be ahead of the code, because these ran: Back up
        "#);
        assert_eq!(exit(&failed()), Exit::Failed);
        let superseded = Ending::Superseded { by: id(OLD) };
        assert_eq!(exit(&superseded), Exit::Stopped);
    }

    #[test]
    fn a_history_is_a_table() {
        let now = Timestamp::from_millis(120_000);
        let all = [deployment(None), deployment(Some(failed()))];
        insta::assert_snapshot!(list(&all, now), @r"
        DEPLOYMENT                            PLACE           STATUS                    REFERENCE  COMMIT  BY  WHEN       TOOK
        01890000-0000-7000-8000-000000000002  guestbook/live  running (build)           main       -       ci  2 min ago  -
        01890000-0000-7000-8000-000000000002  guestbook/live  failed (release-command)  main       -       ci  2 min ago  12.3 s
        ");
    }
}

//! A plan as people read it: what will run, and who asked for it.

use std::fmt::{self, Write};

use shipway_core::environment::{BuildSettings, LayerCache, RuntimeKind};
use shipway_core::health::{HealthRule, Preset};
use shipway_core::plan::Plan;
use shipway_core::process::Process;
use shipway_core::release::{Phase, ReleaseCommand, When};

pub fn plan(plan: &Plan) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, plan);
    text
}

fn write(out: &mut String, plan: &Plan) -> fmt::Result {
    let commit = &plan.commit;
    let (id, subject, author) = (commit.id.short(), &commit.subject, &commit.author);
    writeln!(out, "commit     {id}  {subject} ({author})")?;
    writeln!(out, "runtime    {}", plan.runtime)?;
    writeln!(out, "build      {}", build(plan.runtime, &plan.build))?;
    list(out, "domains", &plan.domains)?;
    list(out, "variables", &plan.variables)?;
    for service in &plan.services {
        let seconds = service.timeout_seconds;
        writeln!(
            out,
            "service    {}  {} within {seconds} s",
            service.name, service.url
        )?;
    }
    commands(out, plan)?;
    processes(out, plan)?;
    list_lines(out, "Self-tests", plan.self_tests.iter())?;
    let plugins = plan.plugins.iter().map(|plugin| {
        let digest: String = plugin.digest.as_str().chars().take(12).collect();
        format!("{} {} ({digest})", plugin.name, plugin.version)
    });
    list_lines(out, "Plugins", plugins)?;
    list_lines(out, "Warnings", plan.warnings.iter())
}

fn commands(out: &mut String, plan: &Plan) -> fmt::Result {
    writeln!(out, "\nRelease commands")?;
    if plan.commands.is_empty() {
        writeln!(out, "  none")?;
    }
    let in_order = Phase::ALL.into_iter().flat_map(|phase| plan.phase(phase));
    for (index, each) in in_order.enumerate() {
        command(out, index + 1, each)?;
    }
    if !plan.skipped.is_empty() {
        writeln!(out, "\nSkipped")?;
    }
    for skipped in &plan.skipped {
        writeln!(out, "  {}", skipped.what)?;
        writeln!(out, "      because  {}", skipped.reason)?;
        writeln!(out, "      from     {}", skipped.provenance)?;
    }
    Ok(())
}

fn command(out: &mut String, number: usize, command: &ReleaseCommand) -> fmt::Result {
    writeln!(out, "  {number:>2}  {}", command.label)?;
    writeln!(out, "      phase    {}", phase(command.phase))?;
    writeln!(out, "      run      {}", indented(&command.run.to_string()))?;
    if let Some(undo) = &command.undo {
        writeln!(out, "      undo     {}", indented(&undo.to_string()))?;
    }
    match command.when {
        When::Always => {}
        When::FirstDeploy => writeln!(out, "      when     first deployment only")?,
        When::Once => writeln!(out, "      when     once per image")?,
    }
    writeln!(out, "      limit    {}", limit(command.timeout_seconds))?;
    writeln!(out, "      from     {}", command.provenance)
}

fn processes(out: &mut String, plan: &Plan) -> fmt::Result {
    writeln!(out, "\nProcesses")?;
    if plan.processes.is_empty() {
        writeln!(out, "  none")?;
    }
    for process in &plan.processes {
        writeln!(
            out,
            "  {}  {}",
            process.name,
            details(plan.runtime, process)
        )?;
        let command = process.command.as_deref();
        let command = command.unwrap_or("the image's own command");
        writeln!(out, "      run      {}", indented(command))?;
        writeln!(out, "      from     {}", process.decided_by)?;
    }
    Ok(())
}

fn details(runtime: RuntimeKind, process: &Process) -> String {
    let instances = match process.instances {
        1 => "1 instance".to_owned(),
        n => format!("{n} instances"),
    };
    let healthy = health(&process.health);
    match (runtime, process.port) {
        // Each instance is given a free port of its own.
        (RuntimeKind::Process, Some(_)) => format!("{instances}, port $PORT, {healthy}"),
        (RuntimeKind::Docker, Some(port)) => format!("{instances}, port {port}, {healthy}"),
        (_, None) => format!(
            "{instances}, no port, healthy when up for {} s",
            process.health.settle_seconds
        ),
    }
}

fn health(rule: &HealthRule) -> String {
    let path = &rule.path;
    match rule.preset {
        Preset::Divio => format!("healthy when {path} answers 1xx to 4xx or 500"),
        Preset::Success => format!("healthy when {path} answers 2xx"),
        Preset::SuccessOrRedirect => format!("healthy when {path} answers 2xx or 3xx"),
        Preset::Tcp => "healthy when it accepts a connection".to_owned(),
        Preset::Image => "healthy when the image's HEALTHCHECK says so".to_owned(),
    }
}

fn build(runtime: RuntimeKind, build: &BuildSettings) -> String {
    let what = match runtime {
        RuntimeKind::Process => build.command.as_deref().unwrap_or("nothing to run"),
        RuntimeKind::Docker => build.dockerfile.as_deref().unwrap_or("Dockerfile"),
    };
    match (runtime, build.cache.unwrap_or_default()) {
        (RuntimeKind::Docker, LayerCache::On) => format!("{what}, with layer cache"),
        (RuntimeKind::Docker, LayerCache::Off) => format!("{what}, without layer cache"),
        (RuntimeKind::Process, _) => what.to_owned(),
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Release => "release (before the new version starts)",
        Phase::Gate => "gate (new version up, not yet routed)",
        Phase::After => "after (new version routed)",
        Phase::Failed => "failed (only if the deployment fails)",
    }
}

fn limit(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn list(out: &mut String, name: &str, items: &[impl ToString]) -> fmt::Result {
    if items.is_empty() {
        return Ok(());
    }
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    writeln!(out, "{name:<10} {}", items.join(", "))
}

fn list_lines(
    out: &mut String,
    heading: &str,
    items: impl Iterator<Item = impl ToString>,
) -> fmt::Result {
    let mut items = items.peekable();
    if items.peek().is_some() {
        writeln!(out, "\n{heading}")?;
    }
    items.try_for_each(|item| writeln!(out, "  {}", item.to_string()))
}

/// Further lines of a command stand below its first.
fn indented(text: &str) -> String {
    text.trim_end().replace('\n', "\n               ")
}

#[cfg(test)]
mod tests {
    use shipway_core::environment::Service;
    use shipway_core::journal::Commit;
    use shipway_core::plan::{PlannedPlugin, Skipped};
    use shipway_core::process::DecidedBy;
    use shipway_core::release::{Entrypoint, Invocation, Origin, Provenance};

    use super::*;

    fn from(plugin: &str, place: &str) -> Provenance {
        Provenance {
            origin: Origin::Plugin(plugin.parse().unwrap()),
            file: "settings.py".into(),
            place: place.into(),
        }
    }

    fn command(label: &str, run: &str, phase: Phase, provenance: Provenance) -> ReleaseCommand {
        ReleaseCommand {
            label: label.parse().unwrap(),
            run: Invocation::Shell(run.into()),
            phase,
            entrypoint: Entrypoint::Bypass,
            timeout_seconds: 1800,
            when: When::Always,
            cancel: shipway_core::release::CancelPolicy::Allowed,
            undo: None,
            provenance,
        }
    }

    fn example() -> Plan {
        let settings = Provenance {
            origin: Origin::Settings,
            file: String::new(),
            place: "release command 1".into(),
        };
        Plan {
            commit: Commit {
                id: "0123456789abcdef".repeat(3)[..40].parse().unwrap(),
                subject: "Add comments".into(),
                author: "Ann".into(),
            },
            runtime: RuntimeKind::Docker,
            build: BuildSettings::default(),
            processes: vec![Process {
                name: "web".parse().unwrap(),
                command: Some("gunicorn site.wsgi".into()),
                port: Some(8000),
                instances: 2,
                health: HealthRule::default(),
                decided_by: DecidedBy::Procfile,
            }],
            domains: vec!["site.example.com".parse().unwrap()],
            services: vec![Service {
                name: "database".into(),
                url: "$DATABASE_URL".into(),
                timeout_seconds: 5,
            }],
            variables: vec!["DATABASE_URL".parse().unwrap()],
            commands: vec![
                command("Warm up", "curl /", Phase::Gate, settings),
                ReleaseCommand {
                    undo: Some(Invocation::Argv(vec!["restore".into()])),
                    ..command(
                        "Migrate",
                        "python manage.py migrate\nexit 0",
                        Phase::Release,
                        from("aldryn", "MIGRATION_COMMANDS[0]"),
                    )
                },
            ],
            skipped: vec![Skipped {
                what: "postdeploy: ./hook".into(),
                reason: "the settings choose Heroku".into(),
                provenance: from("procfile", "line 3"),
            }],
            warnings: vec!["aldryn: DEBUG is on".into()],
            plugins: vec![PlannedPlugin {
                name: "aldryn".parse().unwrap(),
                version: "0.1.0".into(),
                digest: "ab".repeat(32).parse().unwrap(),
            }],
            self_tests: vec!["http-check".parse().unwrap()],
        }
    }

    #[test]
    fn a_plan_says_what_runs_and_who_asked_for_it() {
        insta::assert_snapshot!(plan(&example()), @r#"
        commit     0123456789ab  Add comments (Ann)
        runtime    docker
        build      Dockerfile, without layer cache
        domains    site.example.com
        variables  DATABASE_URL
        service    database  $DATABASE_URL within 5 s

        Release commands
           1  Migrate
              phase    release (before the new version starts)
              run      python manage.py migrate
                       exit 0
              undo     ["restore"]
              limit    30 min
              from     plugin aldryn, settings.py MIGRATION_COMMANDS[0]
           2  Warm up
              phase    gate (new version up, not yet routed)
              run      curl /
              limit    30 min
              from     settings, release command 1

        Skipped
          postdeploy: ./hook
              because  the settings choose Heroku
              from     plugin procfile, settings.py line 3

        Processes
          web  2 instances, port 8000, healthy when / answers 1xx to 4xx or 500
              run      gunicorn site.wsgi
              from     Procfile

        Self-tests
          http-check

        Plugins
          aldryn 0.1.0 (abababababab)

        Warnings
          aldryn: DEBUG is on
        "#);
    }

    #[test]
    fn an_empty_plan_says_so() {
        let empty = Plan {
            processes: vec![],
            domains: vec![],
            services: vec![],
            variables: vec![],
            commands: vec![],
            skipped: vec![],
            warnings: vec![],
            plugins: vec![],
            self_tests: vec![],
            ..example()
        };
        insta::assert_snapshot!(plan(&empty), @r"
        commit     0123456789ab  Add comments (Ann)
        runtime    docker
        build      Dockerfile, without layer cache

        Release commands
          none

        Processes
          none
        ");
    }
}

//! Apps, environments, variables, release commands and tokens as people read
//! them.

use std::fmt::{self, Write};

use shipway_api::wire::app::{App, CredentialsKind};
use shipway_api::wire::environment::Environment;
use shipway_api::wire::token::Token;
use shipway_api::wire::variable::Variable;
use shipway_api::words::ago;
use shipway_core::environment::{PluginChoice, ProcessSettings};
use shipway_core::name::{PluginName, Timestamp};
use shipway_core::release::SettingsCommand;

use crate::output::{or_dash, table};

pub fn apps(apps: &[App]) -> String {
    if apps.is_empty() {
        return "no apps; `shipway app create NAME --repository URL` makes one".to_owned();
    }
    table(
        ["APP", "REPOSITORY", "REFERENCE", "MIRROR OF"],
        apps.iter().map(|app| {
            [
                app.name.to_string(),
                app.repository.clone(),
                app.default_reference.clone(),
                or_dash(app.mirror_of.as_ref()),
            ]
        }),
    )
}

pub fn app(app: &App) -> String {
    let credentials = match &app.credentials {
        None => "none".to_owned(),
        Some(CredentialsKind::Password { username }) => format!("password of {username}"),
        Some(CredentialsKind::Key { username }) => format!("SSH key of {username}"),
    };
    let mut text = format!(
        "app          {}\nrepository   {}\nreference    {}\ncredentials  {credentials}",
        app.name, app.repository, app.default_reference
    );
    if let Some(original) = &app.mirror_of {
        // Writing to a string cannot fail.
        let _ = write!(text, "\nmirror of    {original}");
    }
    text
}

pub fn environments(environments: &[Environment]) -> String {
    if environments.is_empty() {
        return "no environments; `shipway env create APP/ENV` makes one".to_owned();
    }
    table(
        ["ENVIRONMENT", "RUNTIME", "REFERENCE", "DOMAINS"],
        environments.iter().map(|environment| {
            let settings = &environment.settings;
            let domains: Vec<&str> = settings.domains.iter().map(|d| d.as_str()).collect();
            [
                format!("{}/{}", environment.app, environment.name),
                settings.runtime.to_string(),
                or_dash(settings.reference.as_ref()),
                domains.join(", "),
            ]
        }),
    )
}

pub fn environment(environment: &Environment) -> String {
    let mut text = String::new();
    let _ = write_environment(&mut text, environment);
    text
}

fn write_environment(out: &mut String, environment: &Environment) -> fmt::Result {
    let settings = &environment.settings;
    writeln!(out, "environment  {}/{}", environment.app, environment.name)?;
    writeln!(out, "runtime      {}", settings.runtime)?;
    let reference = settings.reference.as_deref();
    writeln!(out, "reference    {}", reference.unwrap_or("the app's"))?;
    for domain in &settings.domains {
        writeln!(out, "domain       {domain}")?;
    }
    for (name, process) in &settings.processes {
        writeln!(out, "process      {name}: {}", process_settings(process))?;
    }
    let build = &settings.build;
    if let Some(dockerfile) = &build.dockerfile {
        writeln!(out, "dockerfile   {dockerfile}")?;
    }
    if let Some(command) = &build.command {
        writeln!(out, "build        {command}")?;
    }
    for (name, value) in &build.args {
        writeln!(out, "build arg    {name}={value}")?;
    }
    for service in &settings.services {
        let seconds = service.timeout_seconds;
        writeln!(
            out,
            "service      {}: {} within {seconds} s",
            service.name, service.url
        )?;
    }
    if let Some(choice) = &settings.plugins {
        write_choice(out, choice)?;
    }
    if let Some(mib) = settings.limits.memory_mib {
        writeln!(out, "memory       {mib} MiB an instance")?;
    }
    if let Some(millis) = settings.limits.cpu_millis {
        writeln!(out, "cpu          {millis}/1000 of a core an instance")?;
    }
    let queue = serde_json::to_value(settings.queue).unwrap_or_default();
    writeln!(out, "queue        {}", queue.as_str().unwrap_or("-"))?;
    writeln!(out, "drain        {} s", settings.drain_seconds)?;
    let kept = settings.keep_failed_seconds;
    write!(out, "keep failed  {kept} s")
}

fn process_settings(process: &ProcessSettings) -> String {
    let parts = [
        process
            .command
            .as_ref()
            .map(|command| format!("{command:?}")),
        process.port.map(|port| format!("port {port}")),
        process.instances.map(|count| format!("{count} instances")),
        process.health.as_ref().map(|rule| {
            let preset = serde_json::to_value(rule.preset).unwrap_or_default();
            format!("health {} {}", preset.as_str().unwrap_or("-"), rule.path)
        }),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    parts.join(", ")
}

fn write_choice(out: &mut String, choice: &PluginChoice) -> fmt::Result {
    let mut role = |name: &str, plugins: &Option<Vec<PluginName>>| match plugins {
        None => Ok(()),
        Some(plugins) => {
            let names: Vec<&str> = plugins.iter().map(|plugin| plugin.as_str()).collect();
            let names = if names.is_empty() {
                "none".to_owned()
            } else {
                names.join(", ")
            };
            writeln!(out, "{name:<12} {names}")
        }
    };
    role("sources", &choice.release_sources)?;
    role("self-tests", &choice.self_tests)?;
    role("notifiers", &choice.notifiers)
}

pub fn variables(variables: &[Variable]) -> String {
    if variables.is_empty() {
        return "nothing is set".to_owned();
    }
    table(
        ["NAME", "VALUE"],
        variables.iter().map(|variable| {
            let value = variable.value.as_deref().unwrap_or("[secret]");
            [variable.name.clone(), value.replace('\n', "\\n")]
        }),
    )
}

pub fn release_commands(commands: &[SettingsCommand]) -> String {
    if commands.is_empty() {
        return "no release commands in the settings".to_owned();
    }
    table(
        ["#", "LABEL", "PHASE", "RUN", "LIMIT"],
        commands.iter().enumerate().map(|(index, command)| {
            [
                (index + 1).to_string(),
                command.label.to_string(),
                command.phase.to_string(),
                command.run.to_string().replace('\n', "\\n"),
                or_dash(
                    command
                        .timeout_seconds
                        .map(|seconds| format!("{seconds} s")),
                ),
            ]
        }),
    )
}

pub fn tokens(tokens: &[Token], now: Timestamp) -> String {
    table(
        ["TOKEN", "SCOPE", "APPS", "MADE", "LAST USED", "EXPIRES"],
        tokens.iter().map(|token| {
            let apps: Vec<&str> = token.apps.iter().map(|app| app.as_str()).collect();
            [
                token.name.clone(),
                token.scope.to_string(),
                if apps.is_empty() {
                    "all".to_owned()
                } else {
                    apps.join(", ")
                },
                ago(token.created_at, now),
                or_dash(token.last_used_at.map(|at| ago(at, now))),
                or_dash(token.expires_at.map(Timestamp::to_the_second)),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_environment_is_shown_with_what_is_set() {
        let shown: Environment = serde_json::from_value(serde_json::json!({
            "app": "guestbook", "name": "live", "created_at": "2026-01-01T00:00:00Z",
            "runtime": "docker", "domains": ["guestbook.example.com"],
            "processes": {"web": {"command": "serve", "instances": 2, "health": {"preset": "2xx"}}},
            "services": [{"name": "database", "url": "$DATABASE_URL"}],
            "plugins": {"release-sources": ["aldryn"], "notifiers": []},
            "limits": {"memory_mib": 256}
        }))
        .unwrap();
        insta::assert_snapshot!(environment(&shown), @r#"
        environment  guestbook/live
        runtime      docker
        reference    the app's
        domain       guestbook.example.com
        process      web: "serve", 2 instances, health 2xx /
        service      database: $DATABASE_URL within 5 s
        sources      aldryn
        notifiers    none
        memory       256 MiB an instance
        queue        latest-wins
        drain        30 s
        keep failed  3600 s
        "#);
    }

    #[test]
    fn a_secret_is_listed_without_its_value() {
        let listed: Vec<Variable> = serde_json::from_value(serde_json::json!([
            {"name": "DEBUG", "type": "plain", "value": "a\nb"},
            {"name": "KEY", "type": "secret"}
        ]))
        .unwrap();
        insta::assert_snapshot!(variables(&listed), @r"
        NAME   VALUE
        DEBUG  a\nb
        KEY    [secret]
        ");
    }
}

//! The text of a `shipway.toml`: what was found, each with its reason.

use std::fmt::{self, Write};

use toml::Value;

use super::{Found, Once};

/// The whole file.
pub fn file(found: &Found) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write(&mut text, found);
    text
}

fn write(out: &mut String, found: &Found) -> fmt::Result {
    writeln!(
        out,
        "# How Shipway builds, runs and releases this app, read from the commit that is deployed.\n\
         # All of it is optional, and settings of the environment win over it:\n\
         # `shipway plan APP/ENV` shows which won."
    )?;
    build(out, found)?;
    processes(out, found)?;
    found
        .release
        .iter()
        .try_for_each(|command| once(out, command))?;
    backing(out, found)?;
    plugins(out, found)
}

fn build(out: &mut String, found: &Found) -> fmt::Result {
    if found.dockerfile.is_none() && found.build.is_none() {
        return Ok(());
    }
    writeln!(out, "\n[build]")?;
    if let Some(dockerfile) = &found.dockerfile {
        comment(out, &dockerfile.why)?;
        writeln!(out, "dockerfile = {}", quoted(&dockerfile.text))?;
    }
    if let Some(build) = &found.build {
        comment(out, &build.why)?;
        writeln!(out, "command = {}", quoted(&build.text))?;
    }
    Ok(())
}

fn processes(out: &mut String, found: &Found) -> fmt::Result {
    writeln!(out, "\n[processes.web]")?;
    let in_procfile = found.in_procfile.iter().any(|name| name.as_str() == "web");
    match (&found.web, &found.dockerfile) {
        _ if in_procfile => comment(out, "Its command is in the Procfile.")?,
        (_, Some(_)) => comment(
            out,
            "Its command is the image's own. With `--runtime process` it needs one here.",
        )?,
        (Some(web), None) => {
            comment(out, &web.why)?;
            writeln!(out, "command = {}", quoted(&web.text))?;
        }
        (None, None) => {
            comment(
                out,
                "What serves requests, listening on 0.0.0.0:$PORT. Nothing here tells it; say it yourself.",
            )?;
            writeln!(out, "# command = \"./serve --port $PORT\"")?;
        }
    }
    if let Some((port, why)) = &found.port {
        comment(out, why)?;
        writeln!(out, "port = {port}")?;
    }
    comment(
        out,
        "How many run at once; a new version is proven with as many before it is routed.",
    )?;
    writeln!(out, "instances = 1")?;
    comment(
        out,
        "What is asked before it serves: 1xx to 4xx and 500 are healthy. `2xx` is stricter.",
    )?;
    writeln!(out, "health = {{ path = \"/\", preset = \"divio\" }}")?;
    others(out, found)
}

fn others(out: &mut String, found: &Found) -> fmt::Result {
    let others = found.in_procfile.iter();
    for name in others.filter(|name| name.as_str() != "web") {
        writeln!(out, "\n[processes.{name}]")?;
        comment(
            out,
            "Its command is in the Procfile. Without a port it is healthy when it stays up.",
        )?;
        writeln!(out, "instances = 1")?;
    }
    Ok(())
}

fn once(out: &mut String, command: &Once) -> fmt::Result {
    writeln!(out, "\n[[release]]")?;
    comment(out, &command.why)?;
    writeln!(out, "label = {}", quoted(command.label))?;
    writeln!(out, "run = {}", quoted(&command.run))?;
    writeln!(out, "phase = {}", quoted(command.phase))?;
    writeln!(out, "timeout = \"30m\"")
}

/// A service whose variable is not set fails the deployment, so this is for a
/// person to switch on.
fn backing(out: &mut String, found: &Found) -> fmt::Result {
    for backing in &found.backing {
        let variable = &backing.variable;
        writeln!(out)?;
        comment(out, &backing.why)?;
        comment(
            out,
            &format!(
                "A deployment begins only when it answers. Set its URL, then take the signs away:\n\
                 shipway var set APP/ENV {variable} --secret"
            ),
        )?;
        writeln!(out, "# [[services]]")?;
        writeln!(out, "# name = {}", quoted(&backing.name))?;
        writeln!(out, "# url = {}", quoted(&format!("${variable}")))?;
    }
    Ok(())
}

fn plugins(out: &mut String, found: &Found) -> fmt::Result {
    if let Some(plugin) = &found.plugin {
        writeln!(out, "\n[plugins]")?;
        comment(out, &plugin.why)?;
        return writeln!(out, "release-sources = [{}]", quoted(&plugin.text));
    }
    if found.release.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n[plugins]")?;
    comment(
        out,
        "The commands above are all; a plugin that is installed (such as `procfile`) would add its own.",
    )?;
    writeln!(out, "release-sources = []")
}

fn comment(out: &mut String, text: &str) -> fmt::Result {
    text.lines().try_for_each(|line| writeln!(out, "# {line}"))
}

fn quoted(text: &str) -> String {
    Value::String(text.to_owned()).to_string()
}

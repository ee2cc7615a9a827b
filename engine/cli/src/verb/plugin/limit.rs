//! `shipway plugin limit`: limits of one plugin, in place of the host's own.

use std::time::Duration;

use clap::Args;
use reqwest::Method;
use serde_json::json;
use shipway_api::wire::plugin::Plugin;
use shipway_core::name::PluginName;
use shipway_core::plugin::PluginLimits;

use super::grant;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::render;

#[derive(Debug, Args)]
pub struct Arguments {
    plugin: PluginName,
    #[command(flatten)]
    limits: Limits,
    /// Back to the host's own; with other options, only those are set then
    #[arg(long)]
    reset: bool,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Default, Args)]
struct Limits {
    /// Processor time of a call, such as 500ms or 5s: 1ms to 60s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    cpu: Option<Duration>,
    /// How long a call may take in all, such as 60s: 1s to 10m
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wall: Option<Duration>,
    /// Memory, such as 128MiB: 1MiB to 256MiB
    #[arg(long, value_name = "SIZE", value_parser = mebibytes)]
    memory: Option<u32>,
    /// HTTP requests of a call: 0 to 10000
    #[arg(long, value_name = "N")]
    http_requests: Option<u32>,
    /// Commands in the image and in the candidate of a call: 0 to 100
    #[arg(long, value_name = "N")]
    commands: Option<u32>,
    /// KiB of log and output of a call: 0 to 16384
    #[arg(long, value_name = "N")]
    output_kib: Option<u32>,
}

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let Arguments {
        plugin,
        limits,
        reset,
        json,
    } = arguments;
    let before = match reset {
        true => PluginLimits::default(),
        false => grant::fetch(client, &plugin).await?.limits,
    };
    let limits = limits.over(before)?;
    if !reset && limits == before {
        return Err(Failure::usage("no limit is changed by this")
            .with_hint("say one, such as --cpu 5s, or --reset"));
    }
    let at = client.at(&["plugins", plugin.as_str()]);
    let shown: Plugin = at.send(Method::PATCH, &json!({ "limits": limits })).await?;
    show(json.form(), &shown, |plugin| {
        format!(
            "{}: {}",
            plugin.description.name,
            render::update::limits(&plugin.limits)
        )
    })
}

impl Limits {
    /// These, and where nothing is said the others. Bounds are the engine's to
    /// check.
    fn over(self, before: PluginLimits) -> Result<PluginLimits, Failure> {
        let cpu = self.cpu.map(|time| time.as_millis());
        let wall = self.wall.map(|time| {
            // Never less than what was said.
            u128::from(time.as_secs()) + u128::from(time.subsec_nanos() > 0)
        });
        let number = |value: Option<u128>| {
            let number = value.map(u32::try_from).transpose();
            number.map_err(|_| Failure::usage("such a long time is no limit"))
        };
        Ok(PluginLimits {
            cpu_ms: number(cpu)?.or(before.cpu_ms),
            wall_seconds: number(wall)?.or(before.wall_seconds),
            memory_mib: self.memory.or(before.memory_mib),
            http_requests: self.http_requests.or(before.http_requests),
            commands: self.commands.or(before.commands),
            output_kib: self.output_kib.or(before.output_kib),
        })
    }
}

/// `500ms`, `5s`, `2m`; a number alone is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let (number, unit) = split(text);
    let number: u64 = number
        .parse()
        .map_err(|_| format!("{text:?} is no time such as 500ms, 5s or 2m"))?;
    match unit {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" | "min" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("{unit:?} is no unit of time: ms, s or m")),
    }
}

/// `128MiB` or `128M`; a number alone is MiB.
fn mebibytes(text: &str) -> Result<u32, String> {
    let (number, unit) = split(text);
    if !matches!(unit, "MiB" | "M" | "") {
        return Err(format!("{unit:?} is no unit of this limit: MiB"));
    }
    number
        .parse()
        .map_err(|_| format!("{text:?} is no size such as 128MiB"))
}

fn split(text: &str) -> (&str, &str) {
    let end = text.find(|c: char| !c.is_ascii_digit());
    text.split_at(end.unwrap_or(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_are_read_with_their_units() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("5"), Ok(Duration::from_secs(5)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(mebibytes("256MiB"), Ok(256));
        for wrong in ["5h", "-1s", "fast", ""] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
        assert!(mebibytes("1GiB").is_err());
    }

    #[test]
    fn what_is_not_said_stays() {
        let before = PluginLimits {
            memory_mib: Some(64),
            cpu_ms: Some(10),
            ..PluginLimits::default()
        };
        let said = Limits {
            cpu: Some(Duration::from_millis(1500)),
            wall: Some(Duration::from_millis(1500)),
            ..Limits::default()
        };
        let limits = said.over(before).unwrap();
        assert_eq!((limits.cpu_ms, limits.wall_seconds), (Some(1500), Some(2)));
        assert_eq!((limits.memory_mib, limits.commands), (Some(64), None));
    }
}

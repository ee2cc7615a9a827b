//! An environment's settings as flags, and the merge patch that they make.

use clap::Args;
use serde_json::{Map, Value, json};
use shipway_core::environment::{LayerCache, QueuePolicy, RuntimeKind};
use shipway_core::health::Preset;
use shipway_core::name::{Domain, PluginName, ProcessName};

use crate::failure::Failure;
use crate::place::{pair, seconds, word};

#[derive(Debug, Default, Args)]
pub struct Settings {
    /// Where instances run: process or docker
    #[arg(long, value_parser = word::<RuntimeKind>)]
    runtime: Option<RuntimeKind>,
    /// Branch, tag or commit that is deployed here [default: the app's]
    #[arg(long)]
    reference: Option<String>,
    /// A domain; repeat it for more. Takes the place of all before
    #[arg(long)]
    domain: Vec<Domain>,

    /// The process type that the next five are about
    #[arg(
        long,
        value_name = "TYPE",
        default_value = "web",
        help_heading = "Process types"
    )]
    process: Option<ProcessName>,
    /// How it is started, through a shell
    #[arg(long, help_heading = "Process types")]
    command: Option<String>,
    /// The port that it opens
    #[arg(long, help_heading = "Process types")]
    port: Option<u16>,
    /// How many of it run; 0 switches it off
    #[arg(long, help_heading = "Process types")]
    instances: Option<u32>,
    /// Which answers are healthy: divio, 2xx, 2xx-3xx, tcp or image
    #[arg(long, value_parser = word::<Preset>, value_name = "PRESET", help_heading = "Process types")]
    health: Option<Preset>,
    /// The path that is asked
    #[arg(long, value_name = "PATH", help_heading = "Process types")]
    health_path: Option<String>,

    /// The build command of the process runtime
    #[arg(long, value_name = "COMMAND", help_heading = "Build")]
    build_command: Option<String>,
    /// Path of the Dockerfile in the repository
    #[arg(long, value_name = "PATH", help_heading = "Build")]
    dockerfile: Option<String>,
    /// A build argument of the Dockerfile
    #[arg(long, value_parser = pair, value_name = "NAME=VALUE", help_heading = "Build")]
    build_arg: Vec<(String, String)>,
    /// Whether layers of earlier builds are reused: on or off
    #[arg(long, value_parser = word::<LayerCache>, value_name = "ON|OFF", help_heading = "Build")]
    layer_cache: Option<LayerCache>,

    /// A backing service that must answer first, such as database=$DATABASE_URL; repeat it for more. Takes the place of all before
    #[arg(long, value_parser = pair, value_name = "NAME=URL")]
    service: Vec<(String, String)>,

    /// A volume and the path where instances and commands find it, such as data=/data; repeat it for more. Takes the place of all before
    #[arg(long, value_parser = pair, value_name = "NAME=PATH")]
    volume: Vec<(String, String)>,

    /// A release source that is asked; repeat it for more, or say `none`
    #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
    release_source: Vec<PluginName>,
    /// A self-test that must pass; repeat it for more, or say `none`
    #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
    self_test: Vec<PluginName>,
    /// A notifier that is told; repeat it for more, or say `none`
    #[arg(long, value_name = "PLUGIN", help_heading = "Plugins")]
    notifier: Vec<PluginName>,

    /// What happens to a trigger while a deployment runs: latest-wins, queue or reject
    #[arg(long, value_parser = word::<QueuePolicy>, value_name = "POLICY")]
    queue: Option<QueuePolicy>,
    /// Memory of an instance, in MiB
    #[arg(long, value_name = "MIB")]
    memory: Option<u32>,
    /// Cores of an instance, in thousandths
    #[arg(long, value_name = "MILLIS")]
    cpu: Option<u32>,
    /// How long old instances may finish their requests, such as 30s
    #[arg(long, value_parser = seconds, value_name = "TIME")]
    drain: Option<u32>,
    /// How long the containers of a failed deployment are kept for a look inside, such as 1h
    #[arg(long, value_parser = seconds, value_name = "TIME")]
    keep_failed: Option<u32>,
}

impl Settings {
    /// What was said, as a merge patch; what was not said is not in it.
    pub fn into_patch(self) -> Result<Map<String, Value>, Failure> {
        let mut patch = Map::new();
        let mut set = |path: &str, value: Option<Value>| {
            if let Some(value) = value {
                put(&mut patch, path, value);
            }
        };
        set("runtime", self.runtime.map(|kind| json!(kind)));
        set("reference", self.reference.map(Value::from));
        set("domains", many(&self.domain));
        let process = self.process.map_or_else(|| "web".to_owned(), String::from);
        let of_process = |field: &str| format!("processes.{process}.{field}");
        set(&of_process("command"), self.command.map(Value::from));
        set(&of_process("port"), self.port.map(Value::from));
        set(&of_process("instances"), self.instances.map(Value::from));
        set(
            &of_process("health.preset"),
            self.health.map(|preset| json!(preset)),
        );
        set(
            &of_process("health.path"),
            self.health_path.map(Value::from),
        );
        set("build.command", self.build_command.map(Value::from));
        set("build.dockerfile", self.dockerfile.map(Value::from));
        set("build.cache", self.layer_cache.map(|cache| json!(cache)));
        let arguments: Map<String, Value> = self
            .build_arg
            .into_iter()
            .map(|(name, value)| (name, value.into()))
            .collect();
        set(
            "build.args",
            (!arguments.is_empty()).then_some(arguments.into()),
        );
        let services: Vec<Value> = self
            .service
            .into_iter()
            .map(|(name, url)| json!({"name": name, "url": url}))
            .collect();
        set(
            "services",
            (!services.is_empty()).then_some(services.into()),
        );
        let volumes: Vec<Value> = self
            .volume
            .into_iter()
            .map(|(name, path)| json!({"name": name, "path": path}))
            .collect();
        set("volumes", (!volumes.is_empty()).then_some(volumes.into()));
        set("plugins.release-sources", chosen(&self.release_source));
        set("plugins.self-tests", chosen(&self.self_test));
        set("plugins.notifiers", chosen(&self.notifier));
        set("queue", self.queue.map(|policy| json!(policy)));
        set("limits.memory_mib", self.memory.map(Value::from));
        set("limits.cpu_millis", self.cpu.map(Value::from));
        set("drain_seconds", self.drain.map(Value::from));
        let keep_failed = self.keep_failed.map(Value::from);
        set("keep_failed_seconds", keep_failed);
        Ok(patch)
    }
}

fn many(items: &[impl serde::Serialize]) -> Option<Value> {
    (!items.is_empty()).then(|| json!(items))
}

/// `none` alone chooses no plugin at all.
fn chosen(plugins: &[PluginName]) -> Option<Value> {
    match plugins {
        [] => None,
        [only] if only.as_str() == "none" => Some(json!([])),
        plugins => Some(json!(plugins)),
    }
}

/// Puts a value at a dotted path.
pub fn put(patch: &mut Map<String, Value>, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            patch.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            let inner = patch.entry(first).or_insert_with(|| json!({}));
            if !inner.is_object() {
                *inner = json!({});
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        settings: Settings,
    }

    fn patch(line: &[&str]) -> Value {
        let line = Line::try_parse_from(std::iter::once(&"set").chain(line)).unwrap();
        Value::Object(line.settings.into_patch().unwrap())
    }

    #[test]
    fn only_what_is_said_is_changed() {
        assert_eq!(patch(&[]), json!({}));
        assert_eq!(
            patch(&["--command", "serve", "--instances", "2", "--health", "2xx"]),
            json!({"processes": {"web": {"command": "serve", "instances": 2,
                "health": {"preset": "2xx"}}}})
        );
        assert_eq!(
            patch(&["--process", "worker", "--command", "work", "--drain", "1m"]),
            json!({"processes": {"worker": {"command": "work"}}, "drain_seconds": 60})
        );
    }

    #[test]
    fn no_plugin_at_all_is_a_choice() {
        assert_eq!(
            patch(&["--release-source", "none", "--notifier", "webhook"]),
            json!({"plugins": {"release-sources": [], "notifiers": ["webhook"]}})
        );
    }

    #[test]
    fn a_wrong_word_is_wrong_usage() {
        assert!(Line::try_parse_from(["set", "--runtime", "heroku"]).is_err());
        assert!(Line::try_parse_from(["set", "--domain", "HTTP://x"]).is_err());
    }
}

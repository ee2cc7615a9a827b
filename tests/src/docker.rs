//! The Docker engine as a bystander sees it, by its own command line.

use std::process::Command;

/// What `docker` says, or nothing when it fails.
pub fn docker(arguments: &[&str]) -> Option<String> {
    let output = Command::new("docker").args(arguments).output().ok()?;
    if !output.status.success() {
        return None;
    }
    Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The containers that carry an app's label, running or not.
pub fn containers_of(app: &str) -> Vec<String> {
    let filter = format!("label=shipway.app={app}");
    lines(docker(&["ps", "-aq", "--filter", &filter]))
}

/// Those of them that run.
pub fn running_containers_of(app: &str) -> Vec<String> {
    let filter = format!("label=shipway.app={app}");
    lines(docker(&["ps", "-q", "--filter", &filter]))
}

/// Removes what carries the label of one of these apps, and nothing else.
pub(crate) fn remove_all_of(apps: &[String]) {
    for app in apps {
        let filter = format!("label=shipway.app={app}");
        remove(&["rm", "-f"], containers_of(app));
        remove(
            &["rmi", "-f"],
            lines(docker(&["images", "-q", "--filter", &filter])),
        );
        remove(
            &["volume", "rm", "-f"],
            lines(docker(&["volume", "ls", "-q", "--filter", &filter])),
        );
    }
}

fn remove(verb: &[&str], mut ids: Vec<String>) {
    ids.sort();
    ids.dedup();
    if ids.is_empty() {
        return;
    }
    let arguments: Vec<&str> = verb
        .iter()
        .copied()
        .chain(ids.iter().map(String::as_str))
        .collect();
    let _ = docker(&arguments);
}

fn lines(text: Option<String>) -> Vec<String> {
    text.unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// A container of the test's own, removed with it.
#[derive(Debug)]
pub struct Container(String);

impl Container {
    /// `docker run -d` with these arguments.
    pub fn run(arguments: &[&str]) -> Self {
        let arguments: Vec<&str> = ["run", "-d"]
            .iter()
            .copied()
            .chain(arguments.iter().copied())
            .collect();
        Self(docker(&arguments).expect("a container starts"))
    }

    pub fn address(&self) -> String {
        let format = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        docker(&["inspect", "-f", format, &self.0]).expect("its address")
    }

    /// Runs a command in it.
    pub fn exec(&self, argv: &[&str]) -> Option<String> {
        let arguments: Vec<&str> = ["exec", &self.0]
            .iter()
            .copied()
            .chain(argv.iter().copied())
            .collect();
        docker(&arguments)
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        let _ = docker(&["rm", "-f", "-v", &self.0]);
    }
}

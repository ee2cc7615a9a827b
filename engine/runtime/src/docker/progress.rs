//! What a builder reports, as lines for the log and as the facts that remain:
//! the image, the step that failed, the layers left behind.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use bollard::moby::buildkit::v1::{StatusResponse, Vertex, VertexLog};
use bollard::models::{BuildInfo, BuildInfoAux};
use shipway_core::ports::{Output, Stream};

use crate::lines::Lines;

/// The number that BuildKit gives to a step's stderr.
const STDERR: i64 = 2;

pub struct Progress {
    output: Arc<dyn Output>,
    /// The image that the build made, by its id.
    pub image: Option<String>,
    /// Whether a step of the Dockerfile was reached.
    pub began: bool,
    /// The step that runs or ran last (classic), or that failed (BuildKit).
    step: Option<String>,
    /// What BuildKit says of the failed step.
    reason: Option<String>,
    /// Layers that the classic builder made, oldest first. It has no other
    /// place for what a failed build leaves.
    pub layers: Vec<String>,
    cached_layer: bool,
    announced: HashSet<String>,
    logs: HashMap<(String, i64), Lines>,
    classic: Lines,
}

impl Progress {
    pub fn new(output: Arc<dyn Output>) -> Self {
        Self {
            output,
            image: None,
            began: false,
            step: None,
            reason: None,
            layers: Vec::new(),
            cached_layer: false,
            announced: HashSet::new(),
            logs: HashMap::new(),
            classic: Lines::default(),
        }
    }

    pub fn hear(&mut self, info: BuildInfo) {
        match info.aux {
            Some(BuildInfoAux::BuildKit(status)) => self.buildkit(status),
            Some(BuildInfoAux::Default(image)) => self.image = image.id.or(self.image.take()),
            None => {}
        }
        if let Some(text) = info.stream {
            let mut heard = Vec::new();
            let mut hear = |line: &str, _| heard.push(line.to_owned());
            self.classic.push(text.as_bytes(), &mut hear);
            heard.iter().for_each(|line| self.classic_line(line));
        }
        let moving = info
            .progress_detail
            .is_some_and(|detail| detail.current.is_some());
        if let (Some(status), false) = (info.status, moving) {
            let id = info.id.map_or(String::new(), |id| format!("{id}: "));
            self.output.line(Stream::Stdout, &format!("{id}{status}"));
        }
    }

    /// Lines that never ended.
    pub fn finish(&mut self) {
        self.hear(BuildInfo {
            stream: Some("\n".into()),
            ..BuildInfo::default()
        });
        for ((_, stream), lines) in &mut self.logs {
            lines.finish(&mut |line: &str, end| self.output.piece(log_stream(*stream), line, end));
        }
    }

    /// The failing step and its message, for the error.
    pub fn failure(&self, message: &str) -> String {
        let reason = self.reason.as_deref().unwrap_or(message).trim();
        match &self.step {
            Some(step) => format!("{step}: {reason}"),
            None => reason.to_owned(),
        }
    }

    fn buildkit(&mut self, status: StatusResponse) {
        for vertex in &status.vertexes {
            self.vertex(vertex);
        }
        for log in status.logs {
            self.log(log);
        }
    }

    fn vertex(&mut self, vertex: &Vertex) {
        let name = vertex.name.lines().next().unwrap_or_default();
        let internal = name.starts_with("[internal]");
        let seen = vertex.started.is_some() || vertex.cached;
        let hidden = internal || name == "copy /context /";
        if seen && !hidden && self.announced.insert(vertex.digest.clone()) {
            // Fetching the frontend comes before any step of the Dockerfile.
            self.began |= name.starts_with('[');
            let cached = if vertex.cached { "CACHED " } else { "" };
            self.output.line(Stream::Stdout, &format!("{cached}{name}"));
        }
        let cancelled = vertex.error.ends_with("context canceled");
        if !vertex.error.is_empty() && !cancelled && self.reason.is_none() {
            let step = name.strip_prefix("[internal] ").unwrap_or(name);
            self.step = Some(step.to_owned());
            self.reason = Some(vertex.error.clone());
        }
    }

    fn log(&mut self, log: VertexLog) {
        let lines = self.logs.entry((log.vertex, log.stream)).or_default();
        let output = &self.output;
        lines.push(&log.msg, &mut |line: &str, end| {
            output.piece(log_stream(log.stream), line, end)
        });
    }

    fn classic_line(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        if let Some(step) = line.strip_prefix("Step ") {
            // The first step names the base image, which is not ours.
            self.began |= !step.starts_with("1/");
            self.step = Some(step.to_owned());
            self.cached_layer = step
                .split_once(": ")
                .is_some_and(|(_, instruction)| instruction.starts_with("FROM"));
        } else if line == " ---> Using cache" {
            self.cached_layer = true;
        } else if let Some(layer) = line.strip_prefix(" ---> ")
            && !self.cached_layer
            && layer.bytes().all(|byte| byte.is_ascii_hexdigit())
        {
            self.layers.push(layer.to_owned());
        }
        self.output.line(Stream::Stdout, line);
    }
}

fn log_stream(number: i64) -> Stream {
    match number {
        STDERR => Stream::Stderr,
        _ => Stream::Stdout,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Default)]
    struct Heard(Mutex<Vec<String>>);

    impl Output for Heard {
        fn line(&self, _: Stream, line: &str) {
            self.0.lock().unwrap().push(line.to_owned());
        }
    }

    #[test]
    fn the_classic_builders_steps_and_layers() {
        let heard = Arc::new(Heard::default());
        let mut progress = Progress::new(heard.clone());
        for text in [
            "Step 1/4 : FROM base\n",
            " ---> aaaaaaaaaaaa\n",
            "Step 2/4 : COPY . /\n",
            " ---> Using cache\n ---> bbbbbbbbbbbb\n",
            "Step 3/4 : RUN make",
            "\n ---> Running in cccccccccccc\nmade\n ---> dddddddddddd\n",
            "Step 4/4 : RUN exit 3\n",
        ] {
            progress.hear(BuildInfo {
                stream: Some(text.into()),
                ..BuildInfo::default()
            });
        }
        assert_eq!(progress.layers, ["dddddddddddd"]);
        assert_eq!(
            progress.failure("returned a non-zero code: 3"),
            "4/4 : RUN exit 3: returned a non-zero code: 3"
        );
        assert!(heard.0.lock().unwrap().contains(&"made".to_owned()));
    }

    #[test]
    fn buildkits_failed_step_is_named_once() {
        let heard = Arc::new(Heard::default());
        let mut progress = Progress::new(heard.clone());
        let vertex = |name: &str, error: &str| Vertex {
            digest: name.into(),
            name: name.into(),
            started: Some(Default::default()),
            error: error.into(),
            ..Vertex::default()
        };
        let status = |vertexes| BuildInfo {
            aux: Some(BuildInfoAux::BuildKit(StatusResponse {
                vertexes,
                ..StatusResponse::default()
            })),
            ..BuildInfo::default()
        };
        progress.hear(status(vec![
            vertex("[internal] load build definition", ""),
            vertex("[2/2] RUN exit 3", ""),
        ]));
        progress.hear(status(vec![
            vertex("[1/2] FROM base", "context canceled"),
            vertex("[2/2] RUN exit 3", "exit code: 3"),
        ]));
        assert_eq!(progress.failure("?"), "[2/2] RUN exit 3: exit code: 3");
        assert_eq!(
            *heard.0.lock().unwrap(),
            ["[2/2] RUN exit 3", "[1/2] FROM base"]
        );
    }
}

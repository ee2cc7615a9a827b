//! What a case says is there: files, an image, a candidate, the world outside.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use async_trait::async_trait;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use globset::GlobBuilder;
use shipway_core::name::PluginName;
use shipway_core::plugin::Role;
use shipway_core::ports::plugins::{CandidateExec, Endpoint, ImageProbe, Level, PluginLog};
use shipway_core::ports::runtime::{ProbeOutput, RuntimeError};
use shipway_core::ports::source::{Files, FilesError};
use shipway_plugin_host::{HostCall, Outside, OutsideAnswer, OutsideRequest, Recorder};
use shipway_source::Tree;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::case::{Candidate, Case, CommandAnswer, HttpAnswer, PageAnswer, Repository};

/// What a shell answers for a program that is not there.
const NOT_FOUND: i32 = 127;

/// The files of a case. A notifier has none; for the other roles a case without
/// a repository is an empty commit.
pub fn files(case: &Case, role: Role, beside: &Path) -> anyhow::Result<Option<Arc<dyn Files>>> {
    if role == Role::Notifier {
        return Ok(None);
    }
    let repository = &case.repository;
    match &repository.directory {
        Some(folder) => {
            let folder = beside.join(folder);
            let tree = Tree::open(&folder);
            let tree = tree.with_context(|| format!("could not open {}", folder.display()))?;
            Ok(Some(Arc::new(tree)))
        }
        None => Ok(Some(Arc::new(Written::new(repository)?))),
    }
}

/// Files that are written in the case.
#[derive(Debug)]
struct Written(BTreeMap<String, Vec<u8>>);

impl Written {
    fn new(repository: &Repository) -> anyhow::Result<Self> {
        let text = repository.files.iter();
        let mut files: BTreeMap<String, Vec<u8>> = text
            .map(|(path, text)| (path.clone(), text.clone().into_bytes()))
            .collect();
        for (path, digits) in &repository.hex {
            let bytes = bytes(digits);
            let bytes = bytes.with_context(|| format!("{path}: no hexadecimal digits"))?;
            files.insert(path.clone(), bytes);
        }
        Ok(Self(files))
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2);
    let bytes = pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect()
}

impl Files for Written {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        let found = self.0.get(path);
        let bytes = found.ok_or_else(|| FilesError::NotFound(path.to_owned()))?;
        match u64::try_from(bytes.len()).is_ok_and(|size| size <= limit) {
            true => Ok(bytes.clone()),
            false => Err(FilesError::TooLarge {
                path: path.to_owned(),
                limit,
            }),
        }
    }

    fn find(&self, glob: &str, limit: usize) -> Result<Vec<String>, FilesError> {
        let matcher = GlobBuilder::new(glob).literal_separator(true).build();
        let matcher = matcher.map_err(|error| FilesError::BadGlob {
            glob: glob.to_owned(),
            message: error.to_string(),
        })?;
        let matcher = matcher.compile_matcher();
        let found = self.0.keys().filter(|path| matcher.is_match(path));
        Ok(found.take(limit).cloned().collect())
    }
}

/// Commands with the answers that a case gives them.
#[derive(Debug)]
pub struct Commands {
    image: Vec<CommandAnswer>,
    exec: Vec<CommandAnswer>,
    processes: Vec<String>,
}

impl Commands {
    pub fn of(case: &Case) -> Arc<Self> {
        let processes = case.candidate.iter();
        Arc::new(Self {
            image: case.image.clone(),
            exec: case.exec.clone(),
            processes: processes.map(|instance| instance.process.clone()).collect(),
        })
    }
}

#[async_trait]
impl ImageProbe for Commands {
    async fn run(
        &self,
        argv: Vec<String>,
        _: Vec<(String, String)>,
    ) -> Result<ProbeOutput, RuntimeError> {
        Ok(answer(self.image.iter(), &argv))
    }
}

#[async_trait]
impl CandidateExec for Commands {
    async fn run(
        &self,
        process: &str,
        argv: Vec<String>,
    ) -> Result<Option<ProbeOutput>, RuntimeError> {
        if !self.processes.iter().any(|own| own == process) {
            return Ok(None);
        }
        let fitting = |answer: &&CommandAnswer| {
            let wanted = answer.process.as_deref();
            wanted.is_none_or(|wanted| wanted == process)
        };
        Ok(Some(answer(self.exec.iter().filter(fitting), &argv)))
    }
}

fn answer<'a>(
    mut answers: impl Iterator<Item = &'a CommandAnswer>,
    argv: &[String],
) -> ProbeOutput {
    let found = answers.find(|answer| answer.argv == argv);
    ProbeOutput {
        exit_code: found.map_or(NOT_FOUND, |answer| answer.exit_code),
        stdout: found.map_or_else(Vec::new, |answer| answer.stdout.clone().into_bytes()),
        stderr: match found {
            Some(answer) => answer.stderr.clone().into_bytes(),
            None => b"the case has no answer for this command\n".to_vec(),
        },
        truncated: false,
    }
}

/// The candidate's servers. They end with it.
#[derive(Debug, Default)]
pub struct Servers {
    pub endpoints: Vec<Endpoint>,
    running: JoinSet<()>,
}

impl Servers {
    pub async fn start(candidates: &[Candidate]) -> anyhow::Result<Self> {
        let mut servers = Self::default();
        for candidate in candidates {
            let listener = TcpListener::bind(("127.0.0.1", 0)).await;
            let listener = listener.context("could not listen on loopback")?;
            let address: SocketAddr = listener.local_addr()?;
            let answers = Arc::new(candidate.answer.clone());
            let app = axum::Router::new().fallback(move |request: Request<Body>| {
                let answers = Arc::clone(&answers);
                async move { page(&answers, &request) }
            });
            servers.running.spawn(async move {
                // Ends when it is aborted.
                let _ended = axum::serve(listener, app).await;
            });
            servers.endpoints.push(Endpoint {
                process: candidate.process.clone(),
                address,
                host: candidate.host.clone(),
            });
        }
        Ok(servers)
    }
}

fn page(answers: &[PageAnswer], request: &Request<Body>) -> Response<Body> {
    let path = request
        .uri()
        .path_and_query()
        .map_or("/", |path| path.as_str());
    let fits = |answer: &&PageAnswer| {
        let method = answer.method.as_deref();
        answer.path == path && method.is_none_or(|own| own == request.method().as_str())
    };
    let Some(answer) = answers.iter().find(fits) else {
        return plain(StatusCode::NOT_FOUND);
    };
    let mut response = Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    response
        .body(Body::from(answer.body.clone()))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR))
}

fn plain(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The world outside: what it answers, and what it was sent.
#[derive(Debug)]
pub struct World {
    answers: Vec<HttpAnswer>,
    sent: Mutex<Vec<OutsideRequest>>,
}

impl World {
    pub fn of(case: &Case) -> Arc<Self> {
        Arc::new(Self {
            answers: case.http.clone(),
            sent: Mutex::default(),
        })
    }

    pub fn sent(&self) -> Vec<OutsideRequest> {
        locked(&self.sent).clone()
    }
}

#[async_trait]
impl Outside for World {
    async fn answer(&self, request: OutsideRequest) -> Option<OutsideAnswer> {
        let fits = |answer: &&HttpAnswer| {
            let method = answer.method.as_deref();
            answer.url == request.url && method.is_none_or(|own| own == request.method)
        };
        let found = self.answers.iter().find(fits).cloned();
        locked(&self.sent).push(request);
        found.map(|answer| OutsideAnswer {
            status: answer.status,
            headers: answer.headers.into_iter().collect(),
            body: answer.body.into_bytes(),
        })
    }
}

/// What was heard: host calls, and lines of the log.
#[derive(Debug, Default)]
pub struct Heard {
    calls: Mutex<Vec<HostCall>>,
    lines: Mutex<Vec<(Level, String)>>,
}

impl Heard {
    pub fn calls(&self) -> Vec<HostCall> {
        locked(&self.calls).clone()
    }

    pub fn lines(&self) -> Vec<(Level, String)> {
        locked(&self.lines).clone()
    }
}

impl Recorder for Heard {
    fn heard(&self, call: HostCall) {
        locked(&self.calls).push(call);
    }
}

impl PluginLog for Heard {
    fn line(&self, _: &PluginName, level: Level, message: &str) {
        locked(&self.lines).push((level, message.to_owned()));
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

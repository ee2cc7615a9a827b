//! Where hooks ask. A hook shows the ticket of its push, which is good once and
//! known to that push alone, and the references that are to move.

use std::collections::HashMap;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use shipway_core::name::CommitId;
use shipway_core::ports::pushes::{Push, Pusher};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};

use super::repository::move_branch;

/// A hook asks at once when it has started.
const PATIENCE: Duration = Duration::from_secs(10);
/// Who does not listen for so long is taken for gone.
const WRITE_PATIENCE: Duration = Duration::from_secs(30);
const LONGEST_QUESTION: u64 = 4 << 20;
/// The socket's queue is full, or the process has no descriptor left.
const BREATHER: Duration = Duration::from_millis(100);

/// What a hook asks, on one line.
#[derive(Debug, Serialize, Deserialize)]
pub struct Question {
    pub ticket: String,
    pub moves: Vec<Move>,
}

/// A reference that is to move.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Move {
    pub reference: String,
    /// All zeros when it is to go.
    pub to: String,
}

/// What it is told, each on one line; the verdicts come last.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    Say(String),
    Verdicts(Vec<Verdict>),
}

#[derive(Debug, Serialize, Deserialize)]
pub struct Verdict {
    pub reference: String,
    /// Why it may not move.
    pub refused: Option<String>,
}

/// A push that is under way.
#[derive(Debug)]
struct Expected {
    push: Push,
    repository: PathBuf,
}

type Waiting = Arc<Mutex<HashMap<String, Expected>>>;

#[derive(Debug)]
pub struct Desk {
    address: PathBuf,
    waiting: Waiting,
    listening: tokio::task::JoinHandle<()>,
}

impl Desk {
    pub async fn open(address: PathBuf) -> io::Result<Self> {
        match tokio::fs::remove_file(&address).await {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let listener = UnixListener::bind(&address)?;
        let mode = std::fs::Permissions::from_mode(0o600);
        tokio::fs::set_permissions(&address, mode).await?;
        let waiting = Waiting::default();
        let listening = tokio::spawn(listen(listener, waiting.clone()));
        Ok(Self {
            address,
            waiting,
            listening,
        })
    }

    pub fn address(&self) -> &Path {
        &self.address
    }

    pub fn expect(&self, push: Push, repository: PathBuf) -> Ticket {
        let bits: [u8; 32] = rand::random();
        let text: String = bits.iter().map(|byte| format!("{byte:02x}")).collect();
        let expected = Expected { push, repository };
        lock(&self.waiting).insert(text.clone(), expected);
        Ticket {
            text,
            waiting: self.waiting.clone(),
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// Good once, and no longer than the push.
#[derive(Debug)]
pub struct Ticket {
    text: String,
    waiting: Waiting,
}

impl Ticket {
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        lock(&self.waiting).remove(&self.text);
    }
}

fn lock(waiting: &Waiting) -> std::sync::MutexGuard<'_, HashMap<String, Expected>> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Each hook has a task of its own, which ends when its deployment does.
async fn listen(listener: UnixListener, waiting: Waiting) {
    loop {
        match listener.accept().await {
            Ok((connection, _)) => {
                tokio::spawn(serve(connection, waiting.clone()));
            }
            Err(error) => {
                tracing::warn!(%error, "a push could not be attended to");
                tokio::time::sleep(BREATHER).await;
            }
        }
    }
}

async fn serve(connection: UnixStream, waiting: Waiting) {
    let (reader, writer) = connection.into_split();
    let question = tokio::time::timeout(PATIENCE, read(reader)).await;
    let Some(question) = question.ok().flatten() else {
        return;
    };
    let Some(expected) = lock(&waiting).remove(&question.ticket) else {
        tracing::warn!("a hook came with a ticket that nobody expects");
        return;
    };
    let hook = Hook(tokio::sync::Mutex::new(Some(writer)));
    let verdicts = judge(&expected, &question.moves, &hook).await;
    hook.tell(&Told::Verdicts(verdicts)).await;
}

async fn read(reader: OwnedReadHalf) -> Option<Question> {
    let mut line = Vec::new();
    let mut reader = BufReader::new(reader.take(LONGEST_QUESTION));
    reader.read_until(b'\n', &mut line).await.ok()?;
    serde_json::from_slice(&line).ok()
}

/// One branch deploys; nothing else moves.
async fn judge(expected: &Expected, moves: &[Move], hook: &Hook) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for one in moves {
        let refused = match wanted(&expected.push, one) {
            Ok(commit) => deploy(expected, &commit, hook).await.err(),
            Err(why) => Some(why),
        };
        verdicts.push(Verdict {
            reference: one.reference.clone(),
            refused,
        });
    }
    verdicts
}

fn wanted(push: &Push, one: &Move) -> Result<CommitId, String> {
    let (key, branch) = (&push.key, &push.branch);
    if one.reference != format!("refs/heads/{branch}") {
        return Err(format!("{key} deploys branch {branch}; push HEAD:{branch}"));
    }
    if one.to.bytes().all(|byte| byte == b'0') {
        return Err(format!("{key} serves it; nothing is deleted by a push"));
    }
    one.to.parse().map_err(|_| "it is no commit".to_owned())
}

async fn deploy(expected: &Expected, commit: &CommitId, hook: &Hook) -> Result<(), String> {
    let push = &expected.push;
    push.deployer.deploy(commit, hook).await?;
    let (path, environment) = (expected.repository.clone(), push.key.environment.clone());
    let (branch, commit) = (push.branch.clone(), commit.clone());
    let moved = super::blocking(move || move_branch(&path, &environment, &branch, &commit)).await;
    moved.map_err(|error| {
        tracing::error!(%error, key = %push.key, "the branch of a push did not move");
        "it is deployed, and the branch could not be moved; push again".to_owned()
    })
}

/// The hook, until it goes away.
struct Hook(tokio::sync::Mutex<Option<OwnedWriteHalf>>);

impl Hook {
    async fn tell(&self, told: &Told) {
        let mut there = self.0.lock().await;
        let Some(writer) = there.as_mut() else { return };
        let mut line = serde_json::to_vec(told).unwrap_or_default();
        line.push(b'\n');
        let written = tokio::time::timeout(WRITE_PATIENCE, writer.write_all(&line)).await;
        if !matches!(written, Ok(Ok(()))) {
            *there = None;
        }
    }
}

#[async_trait]
impl Pusher for Hook {
    async fn hear(&self, line: &str) {
        self.tell(&Told::Say(line.to_owned())).await;
    }
}

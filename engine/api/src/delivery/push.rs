//! What each host writes of a push, as its documentation shows it. Of a body
//! that is mostly about people and files only the references are read.

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use shipway_core::name::CommitId;
use shipway_core::webhook::{Change, Head};

use super::{Message, header};
use crate::extract::from_json;
use crate::problem::{Kind, Problem};

/// GitHub, and Gitea after it.
#[derive(Deserialize)]
struct Push {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    #[serde(default)]
    deleted: bool,
    head_commit: Option<HeadCommit>,
    repository: Repository,
}

#[derive(Deserialize)]
struct HeadCommit {
    id: String,
}

#[derive(Deserialize)]
struct Repository {
    clone_url: Option<String>,
    ssh_url: Option<String>,
    html_url: Option<String>,
}

pub fn github(headers: &HeaderMap, body: &[u8]) -> Result<Message, Problem> {
    let body = unwrapped(headers, body)?;
    match header(headers, "x-github-event") {
        Some("ping") => Ok(Message::Ping),
        Some("push") => pushed(&body),
        event => Ok(other(event)),
    }
}

pub fn gitea(headers: &HeaderMap, body: &[u8]) -> Result<Message, Problem> {
    let body = unwrapped(headers, body)?;
    let names = ["x-forgejo-event", "x-gitea-event", "x-gogs-event"];
    match names.iter().find_map(|name| header(headers, name)) {
        Some("push") => pushed(&body),
        // Branches and tags that appear or go are told as pushes too.
        event => Ok(other(event)),
    }
}

/// A form that holds the JSON in its field `payload`: how GitHub sends unless
/// it is told otherwise.
fn unwrapped(headers: &HeaderMap, body: &[u8]) -> Result<Vec<u8>, Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if !is_form {
        return Ok(body.to_vec());
    }
    let mut fields = form_urlencoded::parse(body);
    let payload = fields.find(|(name, _)| name == "payload");
    payload
        .map(|(_, json)| json.into_owned().into_bytes())
        .ok_or_else(|| {
            Problem::new(Kind::InvalidBody, "the form has no field `payload`")
                .with_hint("let the Git host send application/json")
        })
}

fn pushed(body: &[u8]) -> Result<Message, Problem> {
    let push: Push = from_json(body)?;
    // What a tag names may be a tag itself; its commit is told beside it.
    let head = push.head_commit.map(|commit| commit.id);
    let is_tag = push.reference.starts_with("refs/tags/");
    let head = match push.deleted || is_nothing(&push.after) {
        true => Head::Deleted,
        false if is_tag => head.map_or(Ok(Head::Unsaid), |id| commit(&id))?,
        false => commit(&push.after)?,
    };
    let repository = push.repository;
    Ok(Message::Push {
        repositories: [
            repository.clone_url,
            repository.ssh_url,
            repository.html_url,
        ]
        .into_iter()
        .flatten()
        .collect(),
        changes: vec![Change {
            reference: push.reference,
            head,
        }],
    })
}

#[derive(Deserialize)]
struct GitlabEvent {
    object_kind: Option<String>,
    event_name: Option<String>,
}

#[derive(Deserialize)]
struct GitlabPush {
    #[serde(rename = "ref")]
    reference: String,
    after: String,
    checkout_sha: Option<String>,
    project: Project,
}

#[derive(Deserialize)]
struct Project {
    git_http_url: Option<String>,
    git_ssh_url: Option<String>,
    web_url: Option<String>,
}

pub fn gitlab(body: &[u8]) -> Result<Message, Problem> {
    let event: GitlabEvent = from_json(body)?;
    let kind = event.object_kind.or(event.event_name);
    if !matches!(kind.as_deref(), Some("push" | "tag_push")) {
        return Ok(other(kind.as_deref()));
    }
    let push: GitlabPush = from_json(body)?;
    let head = match (is_nothing(&push.after), push.checkout_sha) {
        (true, _) => Head::Deleted,
        (false, Some(id)) => commit(&id)?,
        (false, None) if kind.as_deref() == Some("tag_push") => Head::Unsaid,
        (false, None) => commit(&push.after)?,
    };
    let project = push.project;
    Ok(Message::Push {
        repositories: [project.git_http_url, project.git_ssh_url, project.web_url]
            .into_iter()
            .flatten()
            .collect(),
        changes: vec![Change {
            reference: push.reference,
            head,
        }],
    })
}

#[derive(Deserialize)]
struct BitbucketPush {
    push: Moves,
    repository: BitbucketRepository,
}

#[derive(Deserialize)]
struct Moves {
    changes: Vec<Move>,
}

#[derive(Deserialize)]
struct Move {
    old: Option<Place>,
    new: Option<Place>,
}

#[derive(Deserialize)]
struct Place {
    #[serde(rename = "type")]
    kind: String,
    name: String,
    target: Target,
}

#[derive(Deserialize)]
struct Target {
    hash: String,
}

#[derive(Deserialize)]
struct BitbucketRepository {
    links: Links,
}

#[derive(Deserialize)]
struct Links {
    html: Link,
}

#[derive(Deserialize)]
struct Link {
    href: String,
}

pub fn bitbucket(headers: &HeaderMap, body: &[u8]) -> Result<Message, Problem> {
    match header(headers, "x-event-key") {
        Some("diagnostics:ping") => Ok(Message::Ping),
        Some("repo:push") => bitbucket_cloud(body),
        Some("repo:refs_changed") => bitbucket_data_center(body),
        event => Ok(other(event)),
    }
}

fn bitbucket_cloud(body: &[u8]) -> Result<Message, Problem> {
    let push: BitbucketPush = from_json(body)?;
    let changes = push.push.changes.into_iter().filter_map(moved);
    Ok(Message::Push {
        repositories: vec![push.repository.links.html.href],
        changes: changes.collect::<Result<_, _>>()?,
    })
}

fn moved(change: Move) -> Option<Result<Change, Problem>> {
    let (place, head) = match (change.new, change.old) {
        (Some(new), _) => {
            let head = commit(&new.target.hash);
            (new, head)
        }
        (None, Some(old)) => (old, Ok(Head::Deleted)),
        (None, None) => return None,
    };
    let folder = match place.kind.as_str() {
        "branch" | "named_branch" => "heads",
        "tag" | "annotated_tag" => "tags",
        other => other,
    };
    let reference = format!("refs/{folder}/{}", place.name);
    Some(head.map(|head| Change { reference, head }))
}

/// Bitbucket Data Center, once called Server.
#[derive(Deserialize)]
struct RefsChanged {
    repository: DataCenterRepository,
    changes: Vec<RefChange>,
}

#[derive(Deserialize)]
struct DataCenterRepository {
    links: DataCenterLinks,
}

#[derive(Deserialize)]
struct DataCenterLinks {
    clone: Vec<Link>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefChange {
    ref_id: String,
    to_hash: String,
}

fn bitbucket_data_center(body: &[u8]) -> Result<Message, Problem> {
    let push: RefsChanged = from_json(body)?;
    let clones = push.repository.links.clone.into_iter();
    let changes = push.changes.into_iter().map(|change| {
        let head = match is_nothing(&change.to_hash) {
            true => Head::Deleted,
            // What a tag names may be a tag itself.
            false if change.ref_id.starts_with("refs/tags/") => Head::Unsaid,
            false => commit(&change.to_hash)?,
        };
        let reference = change.ref_id;
        Ok(Change { reference, head })
    });
    Ok(Message::Push {
        repositories: clones.map(|link| link.href).collect(),
        changes: changes.collect::<Result<_, Problem>>()?,
    })
}

#[derive(Deserialize)]
struct Plain {
    #[serde(rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct PlainPush {
    data: PlainData,
}

#[derive(Deserialize)]
struct PlainData {
    repository: String,
    reference: String,
    /// Null when the reference is gone.
    commit: Option<String>,
}

pub fn plain(body: &[u8]) -> Result<Message, Problem> {
    let plain: Plain = from_json(body)?;
    match plain.kind.as_str() {
        "ping" => Ok(Message::Ping),
        "push" => {
            let PlainPush { data: push } = from_json(body)?;
            Ok(Message::Push {
                repositories: vec![push.repository],
                changes: vec![Change {
                    reference: push.reference,
                    head: push.commit.map_or(Ok(Head::Deleted), |id| commit(&id))?,
                }],
            })
        }
        kind => Ok(other(Some(kind))),
    }
}

fn commit(id: &str) -> Result<Head, Problem> {
    let id: CommitId = id.parse()?;
    Ok(Head::Commit(id))
}

/// The id that Git gives to what is not there.
fn is_nothing(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte == b'0')
}

fn other(event: Option<&str>) -> Message {
    let short: String = event.unwrap_or("the event").chars().take(60).collect();
    Message::Other(short)
}

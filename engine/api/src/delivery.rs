//! A delivery of a Git host: is it genuine, and what does it say. Nothing of
//! the body is read before its signature holds.
//!
//! * [`proof`]: signatures and times;
//! * [`push`]: what each host writes.

pub mod proof;
pub mod push;

use http::HeaderMap;
use shipway_core::name::{Digest, Timestamp};
use shipway_core::webhook::{Change, Provider, Webhook};

use crate::bearer;
use crate::problem::{Kind, Problem, internal};

const LONGEST_ID: usize = 128;

/// A delivery that is what it says it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Genuine {
    /// The host's own id of it, the same when it is sent again.
    pub id: String,
    /// Of what the host vouches for. Where it signs the body alone that is the
    /// body: whoever saw one could send it under another id.
    pub digest: Digest,
    pub message: Message,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    Push {
        /// Addresses of the repository; any of them may be the app's.
        repositories: Vec<String>,
        changes: Vec<Change>,
    },
    Ping,
    /// Something that no deployment comes of, by the host's own name for it.
    Other(String),
}

/// Checks, then reads.
pub fn read(
    webhook: &Webhook,
    headers: &HeaderMap,
    body: &[u8],
    now: Timestamp,
) -> Result<Genuine, Problem> {
    proof::check(webhook, headers, body, now)?;
    let id = id(webhook.provider, headers)?;
    let vouched = match webhook.provider {
        Provider::Github | Provider::Gitea | Provider::Bitbucket => bearer::digest_of(body),
        Provider::Gitlab | Provider::Plain => bearer::digest_of(&[id.as_bytes(), body].concat()),
    };
    let message = match webhook.provider {
        Provider::Github => push::github(headers, body),
        Provider::Gitlab => push::gitlab(body),
        Provider::Gitea => push::gitea(headers, body),
        Provider::Bitbucket => push::bitbucket(headers, body),
        Provider::Plain => push::plain(body),
    }?;
    Ok(Genuine {
        id,
        digest: vouched.map_err(|error| internal(&error))?,
        message,
    })
}

/// The first of these headers is the delivery's id.
fn id_headers(provider: Provider) -> &'static [&'static str] {
    match provider {
        Provider::Github => &["x-github-delivery"],
        // Sent again, a delivery keeps the first two; the event's own id is
        // older.
        Provider::Gitlab => &["webhook-id", "idempotency-key", "x-gitlab-event-uuid"],
        Provider::Gitea => &["x-forgejo-delivery", "x-gitea-delivery", "x-gogs-delivery"],
        Provider::Bitbucket => &["x-request-uuid", "x-request-id"],
        Provider::Plain => &["webhook-id"],
    }
}

fn id(provider: Provider, headers: &HeaderMap) -> Result<String, Problem> {
    let names = id_headers(provider);
    let given = names.iter().find_map(|name| header(headers, name));
    let fits = |id: &&str| {
        (1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())
    };
    given.filter(fits).map(str::to_owned).ok_or_else(|| {
        let names = names.join(" or ");
        let detail = format!("the delivery has no id in {names} of 1 to {LONGEST_ID} characters");
        Problem::new(Kind::InvalidHeader, detail)
    })
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

//! Looking at the guestbook through the proxy, as its visitors do.

use anyhow::{Context, Result, ensure};

use super::load::{Site, form_post};
use crate::http::{Client, Request};

/// What `/version` answers.
#[derive(Debug, PartialEq, Eq)]
pub struct Version {
    pub version: u32,
    pub commit: String,
    /// Migrations that the database has had.
    pub schema: u64,
}

pub fn version(site: &Site) -> Result<Version> {
    let answer = Client::new(site.address).send(&Request::get(&site.host, "/version"))?;
    ensure!(
        answer.status == 200,
        "/version answered {}: {}",
        answer.status,
        answer.text()
    );
    let facts = answer.json()?;
    let version = facts["version"].as_str().and_then(|text| text.parse().ok());
    Ok(Version {
        version: version.context("/version names no version")?,
        commit: facts["commit"].as_str().unwrap_or_default().to_owned(),
        schema: facts["schema"].as_u64().unwrap_or_default(),
    })
}

pub fn sign(site: &Site, author: &str, message: &str) -> Result<()> {
    let form = format!(
        "author={}&message={}",
        author.replace(' ', "+"),
        message.replace(' ', "+")
    );
    let answer = Client::new(site.address).send(&form_post(&site.host, &form))?;
    ensure!(
        answer.status == 303,
        "signing answered {}: {}",
        answer.status,
        answer.text()
    );
    Ok(())
}

/// How many entries the first page speaks of.
pub fn entries(site: &Site) -> Result<u64> {
    let answer = Client::new(site.address).send(&Request::get(&site.host, "/"))?;
    let text = answer.text();
    let before = text.split(" written so far.").next().unwrap_or_default();
    let count = before.rsplit(|char: char| !char.is_ascii_digit()).next();
    count
        .and_then(|digits| digits.parse().ok())
        .with_context(|| format!("the first page does not say how much was written: {text:.300}"))
}

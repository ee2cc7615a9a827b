//! What a form or a query says, field by field. A refusal names the field.

use std::convert::Infallible;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Request};
use http::header::{CONTENT_TYPE, HOST, ORIGIN};
use http::request::Parts;
use shipway_core::secret::Secret;
use url::form_urlencoded;

use super::session::{FORM_TOKEN, Signed, Visitor};
use crate::access::Level;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// Names with values, as they came; a name may come several times.
#[derive(Clone, Default)]
pub struct Fields(Vec<(String, String)>);

impl std::fmt::Debug for Fields {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fields(…)")
    }
}

impl Fields {
    /// Browsers end the lines of a text area with CR and LF, whatever was
    /// written there.
    pub fn read(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes);
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")))
                .collect(),
        )
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(known, _)| known == name);
        named.map(|(_, value)| value.as_str())
    }

    /// As it came; empty when it did not.
    pub fn text(&self, name: &str) -> &str {
        let named = self.0.iter().find(|(known, _)| known == name);
        named.map_or("", |(_, value)| value.as_str())
    }

    /// Without white space around it; none when nothing is left.
    pub fn given(&self, name: &str) -> Option<&str> {
        Some(self.text(name).trim()).filter(|text| !text.is_empty())
    }

    pub fn secret(&self, name: &str) -> Secret {
        Secret::new(self.text(name))
    }

    /// Whether a box is ticked.
    pub fn is_on(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// A value with rules of its own.
    pub fn parse<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, Problem> {
        let text = self.text(name).trim();
        text.parse()
            .map_err(|error| Problem::new(Kind::InvalidBody, format!("{name}: {error}")))
    }

    /// The same, if there is one.
    pub fn parse_given<T: FromStr<Err: Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        self.given(name).map(|_| self.parse(name)).transpose()
    }

    /// One of the words that a type has in JSON.
    pub fn word<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Problem> {
        let word = serde_json::Value::String(self.text(name).to_owned());
        serde_json::from_value(word)
            .map_err(|error| Problem::new(Kind::InvalidBody, format!("{name}: {error}")))
    }
}

/// The query.
impl<S: Send + Sync> FromRequestParts<S> for Fields {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::read(parts.uri.query().unwrap_or_default().as_bytes()))
    }
}

/// A form of our own, sent by somebody who may do what it asks for.
#[derive(Debug)]
pub struct Posted<L> {
    pub signed: Signed<L>,
    pub fields: Fields,
}

impl<L: Level> FromRequest<ApiState> for Posted<L> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        let signed = Signed::from_request_parts(&mut parts, state).await;
        // A foreign form hears nothing about what its sender may do.
        let request = Request::from_parts(parts, body);
        let PostedBy { fields, .. } = PostedBy::from_request(request, state).await?;
        Ok(Self {
            signed: signed?,
            fields,
        })
    }
}

/// A form of our own; what its sender may do is known only later.
#[derive(Debug)]
pub struct PostedBy {
    pub visitor: Visitor,
    pub fields: Fields,
}

impl FromRequest<ApiState> for PostedBy {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &ApiState) -> Result<Self, Problem> {
        let (mut parts, body) = request.into_parts();
        check_origin(&parts, state)?;
        let visitor = Visitor::from_request_parts(&mut parts, state).await?;
        let fields = read_form(Request::from_parts(parts, body), state).await?;
        visitor.check_form(fields.text(FORM_TOKEN))?;
        Ok(Self { visitor, fields })
    }
}

pub(super) async fn read_form(request: Request, state: &ApiState) -> Result<Fields, Problem> {
    let kind = request.headers().get(CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.starts_with("application/x-www-form-urlencoded") {
        let detail = "this takes a form of the console";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail)
            .with_hint("programs use the API: /openapi.json describes it"));
    }
    let read = Bytes::from_request(request, state).await;
    let bytes = read.map_err(crate::extract::unread)?;
    Ok(Fields::read(&bytes))
}

/// A browser says which site a form comes from; no other may send us one.
pub(super) fn check_origin(parts: &Parts, state: &ApiState) -> Result<(), Problem> {
    let header = |name| {
        parts
            .headers
            .get(name)
            .and_then(|value| value.to_str().ok())
    };
    let origin = header(ORIGIN).unwrap_or("null");
    let from = origin.split_once("://").map(|(_, authority)| authority);
    let host = header(HOST).or_else(|| parts.uri.authority().map(http::uri::Authority::as_str));
    let ours = [host, state.console().authority()];
    if from.is_some() && ours.contains(&from) {
        return Ok(());
    }
    let detail = format!("the form comes from {origin}, not from this console");
    Err(Problem::new(Kind::ForeignForm, detail).with_hint(
        "if a proxy stands in front of the engine, tell `shipway serve` its address with \
         --public-url",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_browsers_write_them() {
        let fields = Fields::read(b"run=a%0D%0Ab&label=+x+&one=1&one=2&empty=");
        assert_eq!(fields.text("run"), "a\nb");
        assert_eq!(fields.given("label"), Some("x"));
        assert_eq!(fields.given("empty"), None);
        assert_eq!(fields.all("one").collect::<Vec<_>>(), ["1", "2"]);
        assert!(fields.is_on("empty") && !fields.is_on("nothing"));
        assert_eq!(format!("{fields:?}"), "Fields(…)");
    }

    #[test]
    fn a_field_that_breaks_a_rule_is_named() {
        let fields = Fields::read(b"phase=never&app=A");
        let app = fields.parse::<shipway_core::name::AppName>("app");
        assert!(
            app.unwrap_err()
                .detail
                .starts_with("app: \"A\" is no app name")
        );
        let phase = fields.word::<shipway_core::release::Phase>("phase");
        assert!(
            phase
                .unwrap_err()
                .detail
                .starts_with("phase: unknown variant")
        );
    }
}

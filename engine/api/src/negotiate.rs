//! Which form of an answer the caller accepts.

use axum::extract::FromRequestParts;
use http::header::ACCEPT;
use http::request::Parts;

use crate::problem::{Kind, Problem};

/// The `Accept` header.
#[derive(Debug, Clone)]
pub struct Accepts(String);

impl<S: Send + Sync> FromRequestParts<S> for Accepts {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let values: Vec<&str> = parts
            .headers
            .get_all(ACCEPT)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .collect();
        Ok(Self(values.join(",")))
    }
}

impl Accepts {
    /// For a caller who takes just this.
    pub(crate) fn just(form: &str) -> Self {
        Self(form.to_owned())
    }

    /// The best of the forms that a route offers; the first when the caller
    /// does not mind.
    pub fn choose<'a>(&self, offers: &[&'a str]) -> Result<&'a str, Problem> {
        let mut best: Option<(u32, &'a str)> = None;
        for offer in offers {
            let quality = self.quality(offer);
            if quality > best.map_or(0, |(known, _)| known) {
                best = Some((quality, offer));
            }
        }
        best.map(|(_, offer)| offer).ok_or_else(|| {
            let detail = format!("this answers as {}", offers.join(", "));
            Problem::new(Kind::NotAcceptable, detail)
        })
    }

    /// In thousandths; the most specific range that fits decides.
    fn quality(&self, offer: &str) -> u32 {
        if self.0.trim().is_empty() {
            return 1000;
        }
        let ranges = self.0.split(',').filter_map(|range| {
            let mut parts = range.split(';').map(str::trim);
            let specific = specificity(parts.next()?, offer)?;
            let quality = parts.find_map(|part| part.strip_prefix("q="));
            Some((specific, thousandths(quality)))
        });
        ranges.max().map_or(0, |(_, quality)| quality)
    }
}

fn specificity(range: &str, offer: &str) -> Option<u8> {
    let range = range.to_ascii_lowercase();
    let family = offer.split('/').next().unwrap_or(offer);
    if range == offer {
        return Some(2);
    }
    if range == format!("{family}/*") {
        return Some(1);
    }
    (range == "*/*").then_some(0)
}

fn thousandths(quality: Option<&str>) -> u32 {
    let Some(text) = quality else { return 1000 };
    let value: f64 = text.parse().unwrap_or(0.0);
    (1..=1000)
        .rev()
        .find(|step| f64::from(*step) <= value * 1000.0 + 1e-6)
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORMS: [&str; 3] = ["application/json", "text/event-stream", "text/plain"];

    fn chosen(accept: &str) -> Option<&'static str> {
        Accepts(accept.into()).choose(&FORMS).ok()
    }

    #[test]
    fn the_best_accepted_form_is_chosen() {
        assert_eq!(chosen(""), Some("application/json"));
        assert_eq!(chosen("*/*"), Some("application/json"));
        assert_eq!(chosen("text/event-stream"), Some("text/event-stream"));
        assert_eq!(chosen("TEXT/Plain; q=0.5, image/png"), Some("text/plain"));
        assert_eq!(
            chosen("application/json;q=0.2, text/*;q=0.8"),
            Some("text/event-stream")
        );
        assert_eq!(
            chosen("text/plain;q=0, */*;q=0.1"),
            Some("application/json")
        );
        assert_eq!(chosen("image/png"), None);
    }
}

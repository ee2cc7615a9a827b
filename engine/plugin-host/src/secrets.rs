//! Secrets of a call. A guest sees a placeholder, random and new in each call;
//! the value goes in on the way out, and comes out again on the way back.

use aho_corasick::AhoCorasick;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shipway_core::redact::Redactor;
use shipway_core::secret::Secret;

/// Shorter values are not looked for in answers: they would be found anywhere.
const SHORTEST: usize = 4;

/// What stays as it is inside a URL.
const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

#[derive(Debug, Default)]
pub(crate) struct Secrets(Vec<Held>);

#[derive(Debug)]
struct Held {
    setting: String,
    placeholder: String,
    value: Secret,
}

/// The settings whose values went into a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Used(Vec<String>);

impl Used {
    pub(crate) fn settings(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    fn note(&mut self, setting: &str) {
        if !self.0.iter().any(|known| known == setting) {
            self.0.push(setting.to_owned());
        }
    }
}

/// How a value is written into a body, so that it cannot break out of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BodyForm {
    Json,
    UrlEncoded,
    Other,
}

impl Secrets {
    /// Keeps a value and gives what stands for it.
    pub(crate) fn hold(&mut self, setting: &str, value: &str) -> String {
        let placeholder = format!("shipway-secret-{:032x}", rand::random::<u128>());
        self.0.push(Held {
            setting: setting.to_owned(),
            placeholder: placeholder.clone(),
            value: Secret::new(value),
        });
        placeholder
    }

    /// Masks values and placeholders.
    pub(crate) fn redactor(&self) -> Redactor {
        let placeholders: Vec<Secret> = self
            .0
            .iter()
            .map(|held| Secret::new(held.placeholder.clone()))
            .collect();
        let values = self.0.iter().map(|held| &held.value);
        Redactor::new(values.chain(&placeholders))
    }

    /// A URL: a value that begins it is taken as it is, because a whole URL
    /// may be secret; anywhere else it is encoded.
    pub(crate) fn fill_url(&self, url: &str, used: &mut Used) -> String {
        self.fill_text(url, used, |value, at| match at {
            0 => value.to_owned(),
            _ => utf8_percent_encode(value, &UNRESERVED).to_string(),
        })
    }

    pub(crate) fn fill_header(&self, header: &str, used: &mut Used) -> String {
        self.fill_text(header, used, |value, _| value.to_owned())
    }

    pub(crate) fn fill_body(&self, body: Vec<u8>, form: BodyForm, used: &mut Used) -> Vec<u8> {
        self.fill(&body, used, |value, _| match form {
            BodyForm::Json => json_inner(value),
            BodyForm::UrlEncoded => utf8_percent_encode(value, &UNRESERVED).to_string(),
            BodyForm::Other => value.to_owned(),
        })
        .unwrap_or(body)
    }

    /// Puts the placeholders back where an answer repeats what was sent.
    pub(crate) fn hide(&self, bytes: Vec<u8>, used: &Used) -> Vec<u8> {
        let sent: Vec<&Held> = self
            .0
            .iter()
            .filter(|held| used.settings().any(|setting| setting == held.setting))
            .filter(|held| held.value.reveal().len() >= SHORTEST)
            .collect();
        let values = sent.iter().map(|held| held.value.reveal());
        let placeholders: Vec<&str> = sent.iter().map(|held| held.placeholder.as_str()).collect();
        match AhoCorasick::new(values) {
            Ok(finder) if !sent.is_empty() => finder.replace_all_bytes(&bytes, &placeholders),
            _ => bytes,
        }
    }

    fn fill_text(
        &self,
        text: &str,
        used: &mut Used,
        render: impl Fn(&str, usize) -> String,
    ) -> String {
        self.fill(text.as_bytes(), used, render)
            .and_then(|filled| String::from_utf8(filled).ok())
            .unwrap_or_else(|| text.to_owned())
    }

    /// None when there is nothing to fill in.
    fn fill(
        &self,
        bytes: &[u8],
        used: &mut Used,
        render: impl Fn(&str, usize) -> String,
    ) -> Option<Vec<u8>> {
        let finder = AhoCorasick::new(self.0.iter().map(|held| &held.placeholder)).ok()?;
        if !finder.is_match(bytes) {
            return None;
        }
        let mut filled = Vec::with_capacity(bytes.len());
        finder.replace_all_with_bytes(bytes, &mut filled, |found, _, out| {
            if let Some(held) = self.0.get(found.pattern().as_usize()) {
                used.note(&held.setting);
                out.extend(render(held.value.reveal(), found.start()).into_bytes());
            }
            true
        });
        Some(filled)
    }
}

/// The value as it stands between the quotes of a JSON string.
fn json_inner(value: &str) -> String {
    let quoted = serde_json::Value::from(value).to_string();
    let inner = quoted.strip_prefix('"').and_then(|q| q.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(value: &str) -> (Secrets, String) {
        let mut secrets = Secrets::default();
        let placeholder = secrets.hold("token", value);
        (secrets, placeholder)
    }

    #[test]
    fn a_placeholder_says_nothing_and_is_new_each_time() {
        let (_, one) = held("hunter22");
        let (_, two) = held("hunter22");
        assert_ne!(one, two);
        assert!(!one.contains("hunter22"));
    }

    #[test]
    fn a_value_cannot_break_out_of_where_it_stands() {
        let (secrets, p) = held("a\"b&c=d/e");
        let mut used = Used::default();
        assert_eq!(
            secrets.fill_url(&format!("https://x.org/?k={p}"), &mut used),
            "https://x.org/?k=a%22b%26c%3Dd%2Fe"
        );
        let json = secrets.fill_body(
            format!("{{\"k\":\"{p}\"}}").into_bytes(),
            BodyForm::Json,
            &mut used,
        );
        assert_eq!(json, br#"{"k":"a\"b&c=d/e"}"#);
        let form = secrets.fill_body(p.into_bytes(), BodyForm::UrlEncoded, &mut used);
        assert_eq!(form, b"a%22b%26c%3Dd%2Fe");
        assert_eq!(used, Used(vec!["token".into()]));
    }

    #[test]
    fn a_whole_url_may_be_secret() {
        let (secrets, p) = held("https://hooks.example.com/T0/B0");
        let mut used = Used::default();
        let url = secrets.fill_url(&p, &mut used);
        assert_eq!(url, "https://hooks.example.com/T0/B0");
    }

    #[test]
    fn an_answer_that_repeats_a_secret_gives_the_placeholder_back() {
        let (secrets, p) = held("hunter22");
        let mut used = Used::default();
        secrets.fill_header(&p, &mut used);
        let hidden = secrets.hide(b"you sent hunter22".to_vec(), &used);
        assert_eq!(hidden, format!("you sent {p}").into_bytes());
        let other = secrets.hide(b"hunter22".to_vec(), &Used::default());
        assert_eq!(other, b"hunter22");
    }
}

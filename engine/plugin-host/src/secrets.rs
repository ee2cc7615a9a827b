//! Secrets of a call. A guest sees a placeholder, random and new in each call;
//! the value goes in on the way out, and comes out again on the way back.

use aho_corasick::{AhoCorasick, MatchKind};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use shipway_core::grant::Place;
use shipway_core::redact::Redactor;
use shipway_core::secret::Secret;
use url::{ParseError, Url};

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

/// Which secrets went into a request, and where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Used(Vec<(String, Place)>);

impl Used {
    pub(crate) fn places(&self) -> impl Iterator<Item = (&str, &Place)> {
        self.0
            .iter()
            .map(|(setting, place)| (setting.as_str(), place))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn note(&mut self, setting: &str, place: &Place) {
        if !self.places().any(|known| known == (setting, place)) {
            self.0.push((setting.to_owned(), place.clone()));
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

    /// The text with a name in place of each placeholder, the same in every
    /// call: for a tape.
    pub(crate) fn named(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for held in &self.0 {
            if text.contains(&held.placeholder) {
                text = text.replace(&held.placeholder, &format!("<secret {}>", held.setting));
            }
        }
        text
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
    /// may be secret. Else path and query are filled, encoded, and the host is
    /// not: it is looked up, and named in messages.
    pub(crate) fn fill_url(&self, url: &str, used: &mut Used) -> Result<Url, ParseError> {
        if self.0.iter().any(|held| url.starts_with(&held.placeholder)) {
            let mut note = |setting: &str, at| match at {
                0 => used.note(setting, &Place::Url),
                _ => used.note(setting, &Place::Path),
            };
            let filled = self.fill(url.as_bytes(), &mut note, |value, at| match at {
                0 => value.to_owned(),
                _ => encoded(value),
            });
            return Url::parse(&or_as_it_was(filled, url));
        }
        let mut url = Url::parse(url)?;
        let path = self.fill_encoded(url.path(), &Place::Path, used);
        let query = url.query();
        let query = query.map(|query| self.fill_encoded(query, &Place::Query, used));
        url.set_path(&path);
        url.set_query(query.as_deref());
        Ok(url)
    }

    fn fill_encoded(&self, part: &str, place: &Place, used: &mut Used) -> String {
        let mut note = |setting: &str, _| used.note(setting, place);
        let filled = self.fill(part.as_bytes(), &mut note, |value, _| encoded(value));
        or_as_it_was(filled, part)
    }

    /// The name is the header's, in lower case.
    pub(crate) fn fill_header(&self, name: &str, value: &str, used: &mut Used) -> String {
        let place = Place::Header(name.to_owned());
        let mut note = |setting: &str, _| used.note(setting, &place);
        let filled = self.fill(value.as_bytes(), &mut note, |value, _| value.to_owned());
        or_as_it_was(filled, value)
    }

    pub(crate) fn fill_body(&self, body: Vec<u8>, form: BodyForm, used: &mut Used) -> Vec<u8> {
        let mut note = |setting: &str, _| used.note(setting, &Place::Body);
        self.fill(&body, &mut note, |value, _| match form {
            BodyForm::Json => json_inner(value),
            BodyForm::UrlEncoded => encoded(value),
            BodyForm::Other => value.to_owned(),
        })
        .unwrap_or(body)
    }

    /// Puts the placeholders back where an answer repeats one of these settings.
    pub(crate) fn hide(&self, bytes: Vec<u8>, settings: &[String]) -> Vec<u8> {
        let of_sent = self
            .0
            .iter()
            .filter(|held| settings.contains(&held.setting));
        let (values, placeholders): (Vec<String>, Vec<&str>) = of_sent
            .flat_map(|held| forms(held.value.reveal()).map(|form| (form, &*held.placeholder)))
            .unzip();
        let finder = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .build(&values);
        match finder {
            Ok(finder) if !values.is_empty() => finder.replace_all_bytes(&bytes, &placeholders),
            _ => bytes,
        }
    }

    /// None when there is nothing to fill in.
    fn fill(
        &self,
        bytes: &[u8],
        note: &mut dyn FnMut(&str, usize),
        render: impl Fn(&str, usize) -> String,
    ) -> Option<Vec<u8>> {
        let finder = AhoCorasick::new(self.0.iter().map(|held| &held.placeholder)).ok()?;
        if !finder.is_match(bytes) {
            return None;
        }
        let mut filled = Vec::with_capacity(bytes.len());
        finder.replace_all_with_bytes(bytes, &mut filled, |found, _, out| {
            if let Some(held) = self.0.get(found.pattern().as_usize()) {
                note(&held.setting, found.start());
                out.extend(render(held.value.reveal(), found.start()).into_bytes());
            }
            true
        });
        Some(filled)
    }
}

/// The forms in which an answer may repeat a value: as it is, as it was
/// encoded, and of a URL what a server sees of it.
fn forms(value: &str) -> impl Iterator<Item = String> {
    let target = Url::parse(value).ok().map(|url| {
        let query = url.query().map(|query| format!("?{query}"));
        format!("{}{}", url.path(), query.unwrap_or_default())
    });
    let mut forms = vec![value.to_owned(), encoded(value), json_inner(value)];
    forms.extend(target);
    forms.retain(|form| form.len() >= SHORTEST);
    forms.into_iter()
}

fn encoded(value: &str) -> String {
    utf8_percent_encode(value, &UNRESERVED).to_string()
}

fn or_as_it_was(filled: Option<Vec<u8>>, text: &str) -> String {
    filled
        .and_then(|filled| String::from_utf8(filled).ok())
        .unwrap_or_else(|| text.to_owned())
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
        let url = format!("https://x.org/{p}/?k={p}");
        let url = secrets.fill_url(&url, &mut used).unwrap();
        assert_eq!(
            url.as_str(),
            "https://x.org/a%22b%26c%3Dd%2Fe/?k=a%22b%26c%3Dd%2Fe"
        );
        let json = secrets.fill_body(
            format!("{{\"k\":\"{p}\"}}").into_bytes(),
            BodyForm::Json,
            &mut used,
        );
        assert_eq!(json, br#"{"k":"a\"b&c=d/e"}"#);
        let form = secrets.fill_body(p.into_bytes(), BodyForm::UrlEncoded, &mut used);
        assert_eq!(form, b"a%22b%26c%3Dd%2Fe");
        let places: Vec<String> = used.places().map(|(_, place)| place.to_string()).collect();
        assert_eq!(places, ["path", "query", "body"]);
    }

    #[test]
    fn a_whole_url_may_be_secret() {
        let (secrets, p) = held("https://hooks.example.com/T0/B0");
        let mut used = Used::default();
        let url = secrets.fill_url(&p, &mut used).unwrap();
        assert_eq!(url.as_str(), "https://hooks.example.com/T0/B0");
    }

    #[test]
    fn a_host_is_never_filled_in() {
        let (secrets, p) = held("hunter22");
        let spellings = [
            "http://{}.example.com/",
            "http://u:{}@x/",
            "http:{}/",
            "http:/{}/",
            "http:\\\\{}\\",
            "ht\ttp:///{}",
            " http://{}",
        ];
        for url in spellings {
            let mut used = Used::default();
            let url = secrets.fill_url(&url.replace("{}", &p), &mut used).unwrap();
            assert!(!url.as_str().contains("hunter22"), "{url}");
            assert!(used.is_empty());
        }
    }

    #[test]
    fn an_answer_is_searched_for_every_form() {
        let (secrets, p) = held("https://hooks.example.com/T0/B0?k=a\"b");
        let mut used = Used::default();
        secrets.fill_url(&p, &mut used).unwrap();
        let echo = b"cannot POST /T0/B0?k=a%22b".to_vec();
        assert_eq!(
            secrets.hide(echo, &["token".into()]),
            format!("cannot POST {p}").into_bytes()
        );
    }

    #[test]
    fn an_answer_that_repeats_a_secret_gives_the_placeholder_back() {
        let (secrets, p) = held("hunter22");
        let hidden = secrets.hide(b"you sent hunter22".to_vec(), &["token".into()]);
        assert_eq!(hidden, format!("you sent {p}").into_bytes());
        let other = secrets.hide(b"hunter22".to_vec(), &[]);
        assert_eq!(other, b"hunter22");
    }
}

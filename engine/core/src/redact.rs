//! Redaction: values that are marked secret never reach journal, log, event,
//! error or plan.

use aho_corasick::{AhoCorasick, MatchKind};

use crate::secret::Secret;

/// What stands in the place of a secret.
pub const MASK: &str = "[secret]";
/// Shorter values are masked nowhere: they would mask what is not secret.
const SHORTEST: usize = 4;

/// Masks a set of secrets in lines of text.
#[derive(Debug, Clone, Default)]
pub struct Redactor(Option<AhoCorasick>);

impl Redactor {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut patterns: Vec<String> = secrets.into_iter().flat_map(forms).collect();
        patterns.retain(|pattern| pattern.len() >= SHORTEST);
        patterns.sort();
        patterns.dedup();
        if patterns.is_empty() {
            return Self(None);
        }
        Self(
            AhoCorasick::builder()
                .match_kind(MatchKind::LeftmostLongest)
                .build(patterns)
                .ok(),
        )
    }

    /// The line with each secret masked.
    pub fn line(&self, line: &str) -> String {
        match &self.0 {
            None => line.to_owned(),
            Some(matcher) => {
                let mut masked = String::with_capacity(line.len());
                matcher.replace_all_with(line, &mut masked, |_, _, out| {
                    out.push_str(MASK);
                    true
                });
                masked
            }
        }
    }
}

/// The forms in which a secret shows up: as it is, each of its lines, in URLs,
/// and the password inside a URL.
fn forms(secret: &Secret) -> Vec<String> {
    let value = secret.reveal();
    let mut forms = vec![value.to_owned()];
    forms.extend(value.lines().map(|line| line.trim().to_owned()));
    forms.push(url::form_urlencoded::byte_serialize(value.as_bytes()).collect());
    if let Ok(url) = url::Url::parse(value)
        && let Some(password) = url.password()
    {
        forms.push(password.to_owned());
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_in_each_form_and_nothing_else_is() {
        let secrets = [
            Secret::new("hunter22"),
            Secret::new("a b&c=d"),
            Secret::new("-----BEGIN\nline-one-of-key\nline-two-of-key\n"),
            Secret::new("postgres://user:s3cretpw@db/x"),
            Secret::new("no"),
        ];
        let redactor = Redactor::new(&secrets);
        assert_eq!(redactor.line("pw=hunter22!"), "pw=[secret]!");
        assert_eq!(redactor.line("?q=a+b%26c%3Dd"), "?q=[secret]");
        assert_eq!(redactor.line("x line-two-of-key"), "x [secret]");
        assert_eq!(
            redactor.line("auth s3cretpw failed"),
            "auth [secret] failed"
        );
        assert_eq!(
            redactor.line("there is no such thing"),
            "there is no such thing"
        );
    }
}

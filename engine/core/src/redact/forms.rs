//! The forms in which a secret shows up in what programs write.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::MASK;
use crate::secret::Secret;

/// Shorter values are masked nowhere: they would mask what is not secret.
const SHORTEST: usize = 4;
/// A line of a secret of several lines is secret when it has as many letters
/// and digits.
const SIGNIFICANT: usize = 6;
/// A user name without a password, as long as this, is a token.
const TOKEN: usize = 16;

/// RFC 3986: what has to be escaped wherever it stands.
const STRICT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// As paths and Python's `quote` have it.
const PATH: &AsciiSet = &STRICT.remove(b'/');
/// As browsers' `encodeURIComponent` has it.
const COMPONENT: &AsciiSet = &STRICT
    .remove(b'!')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// What to look for.
#[derive(Default)]
pub struct Forms {
    /// Masked where the whole of it stands.
    pub whole: BTreeSet<String>,
    /// Encodings that programs wrap into lines: long runs of them are masked
    /// too.
    pub wrapped: BTreeSet<String>,
}

impl Forms {
    pub fn is_empty(&self) -> bool {
        self.whole.is_empty()
    }

    fn add(&mut self, form: impl Into<String>) {
        let form = form.into();
        if form.len() >= SHORTEST {
            self.whole.insert(form);
        }
    }

    fn add_wrapped(&mut self, form: impl Into<String>) {
        let form = form.into();
        self.wrapped.insert(form.clone());
        self.add(form);
    }
}

pub fn of<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Forms {
    let mut forms = Forms::default();
    for secret in secrets {
        // White space around it keeps no secret.
        let value = secret.reveal().trim();
        for value in std::iter::once(value.to_owned()).chain(inside_url(value)) {
            if value.chars().count() >= SHORTEST {
                encodings(&mut forms, &value);
            }
        }
        lines(&mut forms, value);
    }
    // Who sees the mask sees nothing.
    forms.whole.remove(MASK);
    forms
}

/// What is secret inside a URL, as it stands there and decoded.
fn inside_url(value: &str) -> Vec<String> {
    let Ok(url) = url::Url::parse(value) else {
        return Vec::new();
    };
    let user_is_token = matches!(url.scheme(), "http" | "https") && url.username().len() >= TOKEN;
    let found = match url.password() {
        Some(password) => password,
        None if user_is_token => url.username(),
        None => return Vec::new(),
    };
    let decoded = percent_encoding::percent_decode_str(found).decode_utf8_lossy();
    vec![found.to_owned(), decoded.into_owned()]
}

/// Each line of a secret of several lines.
fn lines(forms: &mut Forms, value: &str) {
    for line in value.lines().map(str::trim) {
        let significant = line.chars().filter(|c| c.is_alphanumeric()).count();
        if line != value && significant >= SIGNIFICANT && !is_boundary(line) {
            forms.add(line);
            quotations(forms, line);
        }
    }
}

/// `-----BEGIN …-----` and `-----END …-----`.
fn is_boundary(line: &str) -> bool {
    line.starts_with("-----") && line.ends_with("-----")
}

fn encodings(forms: &mut Forms, value: &str) {
    forms.add(value);
    quotations(forms, value);
    for set in [NON_ALPHANUMERIC, STRICT, PATH, COMPONENT] {
        add_percent(forms, utf8_percent_encode(value, set).to_string());
    }
    add_percent(
        forms,
        url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
    );
    base64(forms, value);
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    forms.add_wrapped(hex.to_uppercase());
    forms.add_wrapped(hex);
}

/// With upper and with lower hexadecimal digits.
fn add_percent(forms: &mut Forms, upper: String) {
    let mut digits = 0;
    let lower = upper.chars().map(|c| match (c, digits) {
        ('%', _) => {
            digits = 2;
            c
        }
        (_, 0) => c,
        _ => {
            digits -= 1;
            c.to_ascii_lowercase()
        }
    });
    let lower: String = lower.collect();
    forms.add(lower);
    forms.add(upper);
}

/// As a string of JSON, a shell or a programming language.
fn quotations(forms: &mut Forms, value: &str) {
    let json = serde_json::to_string(value).unwrap_or_default();
    let json = unquoted(&json);
    forms.add(json);
    forms.add(json.replace('/', "\\/"));
    forms.add(ascii(json));
    forms.add(ascii(json).replace('/', "\\/"));
    forms.add(unquoted(&format!("{value:?}")));
    forms.add(c_string(value));
    forms.add(c_string(value).replace('\'', "\\'"));
    // In a shell: 'it'\''s', 'it'"'"'s', "it's", it\'s.
    forms.add(value.replace('\'', r"'\''"));
    forms.add(value.replace('\'', r#"'"'"'"#));
    forms.add(escaped(value, |c| matches!(c, '"' | '\\' | '$' | '`')));
    forms.add(escaped(value, |c| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && !"_@%+:./-\n".contains(c)
    }));
    forms.add(escaped(value, |c| {
        c.is_ascii() && !c.is_ascii_alphanumeric() && !"_@%+=:,./-\n".contains(c)
    }));
}

fn unquoted(text: &str) -> &str {
    let inner = text.strip_prefix('"').unwrap_or(text);
    inner.strip_suffix('"').unwrap_or(inner)
}

/// JSON for those who keep to ASCII.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            text.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            text.push_str(&format!("\\u{unit:04x}"));
        }
    }
    text
}

/// The escapes that C, Python and `$'…'` of a shell share.
fn c_string(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            _ => text.push(c),
        }
    }
    text
}

fn escaped(value: &str, special: impl Fn(char) -> bool) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        if special(c) {
            text.push('\\');
        }
        text.push(c);
    }
    text
}

/// At each of the three places that a value may have in a larger text that is
/// encoded: what is left out at the ends is made of the neighbours' bits too.
fn base64(forms: &mut Forms, value: &str) {
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        for (before, first) in [(0, 0), (1, 2), (2, 3)] {
            let mut bytes = vec![0; before];
            bytes.extend_from_slice(value.as_bytes());
            let whole = bytes.len() * 8 / 6;
            let encoded = engine.encode(bytes);
            let Some(own) = encoded.get(first..whole) else {
                continue;
            };
            forms.add_wrapped(own);
            // The same at the very end, with the last bits and the padding.
            if let Some(own) = encoded.get(first..).filter(|_| whole < encoded.len()) {
                forms.add(own);
                forms.add(format!("{own}{}", "=".repeat(4 - encoded.len() % 4)));
            }
        }
    }
}

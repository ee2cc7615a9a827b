//! What holds for any secret, any text, and any way to cut it.

use base64::Engine;
use base64::engine::GeneralPurpose;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::super::{MASK, Redactor, forms};
use super::redactor;
use crate::ports::LineEnd;
use crate::secret::Secret;

/// Secrets as people have them; none that reads like the mask.
fn secret() -> impl Strategy<Value = String> {
    let any = prop_oneof![
        "[A-Za-z0-9_-]{4,40}",
        "[ -~]{4,60}",
        "\\PC{4,24}",
        "([A-Za-z0-9+/]{8,64}\n){2,40}[A-Za-z0-9+/]{8}==",
        "[ab]{4,30}",
    ];
    any.prop_filter("a secret", |text| {
        let trimmed = text.trim();
        trimmed.chars().count() >= 4
            && trimmed == text
            && !MASK.contains(trimmed)
            && !trimmed.contains(MASK)
    })
}

/// How a program may write a value down, by other means than those under test.
#[derive(Debug, Clone, Copy)]
enum Written {
    Plain,
    Json,
    Debug,
    SingleQuoted,
    Form,
    Percent,
    PercentLower,
    Hex,
    HexUpper,
}

impl Written {
    fn of(self, value: &str) -> String {
        let hex = |byte: u8| format!("{byte:02x}");
        let percent = |byte: u8| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        };
        match self {
            Self::Plain => value.to_owned(),
            Self::Json => serde_json::to_string(value).unwrap(),
            Self::Debug => format!("{value:?}"),
            Self::SingleQuoted => format!("'{}'", value.replace('\'', r"'\''")),
            Self::Form => url::form_urlencoded::byte_serialize(value.as_bytes()).collect(),
            Self::Percent => value.bytes().map(percent).collect(),
            Self::PercentLower => {
                let escaped = |byte| match percent(byte) {
                    text if text.starts_with('%') => text.to_lowercase(),
                    text => text,
                };
                value.bytes().map(escaped).collect()
            }
            Self::Hex => value.bytes().map(hex).collect(),
            Self::HexUpper => value.bytes().map(hex).collect::<String>().to_uppercase(),
        }
    }
}

fn form() -> impl Strategy<Value = Written> {
    use Written::*;
    prop::sample::select(vec![
        Plain,
        Json,
        Debug,
        SingleQuoted,
        Form,
        Percent,
        PercentLower,
        Hex,
        HexUpper,
    ])
}

/// Cuts a text at places that are given as parts of a thousand.
fn pieces<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut at: Vec<usize> = cuts
        .iter()
        .map(|cut| text.floor_char_boundary(text.len() * cut / 1000))
        .collect();
    at.push(text.len());
    at.sort_unstable();
    let mut begin = 0;
    at.iter()
        .map(|end| &text[std::mem::replace(&mut begin, *end)..*end])
        .collect()
}

fn streamed(redactor: &Redactor, pieces: &[&str]) -> String {
    let mut stream = redactor.stream();
    let (last, first) = pieces.split_last().unwrap();
    let mut shown: String = first
        .iter()
        .map(|piece| stream.push(piece, LineEnd::Cut))
        .collect();
    shown.push_str(&stream.push(last, LineEnd::Newline));
    shown
}

/// Whether some part of the text is base64 of something that holds the value.
fn holds_base64(text: &str, engine: &GeneralPurpose, value: &str) -> bool {
    let fragments = text.split(|c: char| !(c.is_ascii_alphanumeric() || "+/-_".contains(c)));
    fragments.into_iter().any(|fragment| {
        (0..4).any(|from| {
            let rest = fragment.get(from..).unwrap_or_default();
            let rest = &rest[..rest.len() - usize::from(rest.len() % 4 == 1)];
            let lenient = engine.decode(rest).unwrap_or_default();
            lenient
                .windows(value.len())
                .any(|part| part == value.as_bytes())
        })
    })
}

/// Accepts any last bits: a fragment may end anywhere.
fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

proptest! {
    #[test]
    fn no_form_of_a_secret_is_shown_however_it_is_cut(
        secret in secret(),
        other in secret(),
        form in form(),
        before in "\\PC{0,60}",
        after in "\\PC{0,60}",
        cuts in prop::collection::vec(0usize..=1000, 0..6),
    ) {
        let redactor = redactor(&[&secret, &other]);
        let written = form.of(&secret);
        let text = format!("{before}{written}{after}");
        let whole = redactor.line(&text);
        prop_assert!(!whole.contains(&written), "{text:?} -> {whole:?}");
        prop_assert!(whole.contains(MASK));
        let cut = streamed(&redactor, &pieces(&text, &cuts));
        prop_assert_eq!(cut, whole);
    }

    #[test]
    fn base64_hides_no_secret_wherever_it_stands(
        secret in secret(),
        before in prop::collection::vec(any::<u8>(), 0..20),
        after in prop::collection::vec(any::<u8>(), 0..20),
        url in any::<bool>(),
        pad in any::<bool>(),
        cuts in prop::collection::vec(0usize..=1000, 0..6),
    ) {
        let redactor = redactor(&[&secret]);
        let engine = match (url, pad) {
            (true, true) => URL_SAFE,
            (true, false) => URL_SAFE_NO_PAD,
            (false, true) => STANDARD,
            (false, false) => STANDARD_NO_PAD,
        };
        let text = engine.encode([before, secret.clone().into_bytes(), after].concat());
        let lenient = lenient(match url {
            true => &base64::alphabet::URL_SAFE,
            false => &base64::alphabet::STANDARD,
        });
        prop_assert!(holds_base64(&text, &lenient, &secret));
        let whole = redactor.line(&text);
        prop_assert!(!holds_base64(&whole, &lenient, &secret), "{text} -> {whole}");
        prop_assert_eq!(streamed(&redactor, &pieces(&text, &cuts)), whole);
    }

    #[test]
    fn text_without_a_secret_is_left_as_it_is(
        secret in secret(),
        text in prop_oneof!["\\PC{0,200}", "[a-c ]{0,200}", "[A-Za-z0-9+/=]{0,200}"],
        cuts in prop::collection::vec(0usize..=1000, 0..6),
    ) {
        let forms = forms::of(&[Secret::new(secret.as_str())]);
        prop_assume!(!forms.whole.iter().any(|form| text.contains(form.as_str())));
        let redactor = redactor(&[&secret]);
        prop_assert_eq!(redactor.line(&text), text.clone());
        prop_assert_eq!(streamed(&redactor, &pieces(&text, &cuts)), text);
    }

    #[test]
    fn each_line_of_a_secret_of_several_lines_is_masked(
        secret in "([A-Za-z0-9+/]{8,64}\n){2,20}[A-Za-z0-9+/]{8}",
        before in "[ >|]{0,4}",
    ) {
        let redactor = redactor(&[&secret]);
        for line in secret.lines().filter(|line| line.chars().filter(|c| c.is_alphanumeric()).count() >= 6) {
            let shown = redactor.line(&format!("{before}{line}"));
            prop_assert!(!shown.contains(line), "{shown}");
        }
    }
}

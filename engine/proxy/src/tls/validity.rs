//! From when until when a certificate is valid: the one part of it that TLS
//! itself does not tell.

use std::time::{Duration, SystemTime};

use time::PrimitiveDateTime;
use time::macros::format_description;

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Validity {
    pub from: SystemTime,
    pub until: SystemTime,
}

impl Validity {
    /// Of a certificate in DER (RFC 5280, 4.1).
    pub fn of(certificate: &[u8]) -> Option<Self> {
        let (SEQUENCE, certificate, _) = element(certificate)? else {
            return None;
        };
        let (SEQUENCE, mut rest, _) = element(certificate)? else {
            return None;
        };
        if let (VERSION, _, after) = element(rest)? {
            rest = after;
        }
        // Serial number, algorithm, issuer.
        for expected in [INTEGER, SEQUENCE, SEQUENCE] {
            let (tag, _, after) = element(rest)?;
            if tag != expected {
                return None;
            }
            rest = after;
        }
        let (SEQUENCE, validity, _) = element(rest)? else {
            return None;
        };
        let (from_tag, from, rest) = element(validity)?;
        let (until_tag, until, _) = element(rest)?;
        Some(Self {
            from: moment(from_tag, from)?,
            until: moment(until_tag, until)?,
        })
    }

    /// When a third of its time is left.
    pub fn renewal(&self) -> SystemTime {
        let whole = self.until.duration_since(self.from);
        self.until - whole.unwrap_or(Duration::ZERO) / 3
    }
}

/// The first element: its tag, what is in it, and what comes after it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (tag, rest) = bytes.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        short @ 0..=0x7f => (usize::from(*short), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            let add = |all: usize, digit: &u8| all << 8 | usize::from(*digit);
            (digits.iter().fold(0, add), rest)
        }
        _ => return None,
    };
    let (content, after) = rest.split_at_checked(length)?;
    Some((*tag, content, after))
}

fn moment(tag: u8, text: &[u8]) -> Option<SystemTime> {
    let text = std::str::from_utf8(text).ok()?;
    let long = match tag {
        GENERALIZED_TIME => text.to_owned(),
        // Two digits of the year: 1950 to 2049.
        UTC_TIME if *text.as_bytes().first()? >= b'5' => format!("19{text}"),
        UTC_TIME => format!("20{text}"),
        _ => return None,
    };
    let form = format_description!("[year][month][day][hour][minute][second]Z");
    let moment = PrimitiveDateTime::parse(&long, form).ok()?;
    Some(moment.assume_utc().into())
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    #[test]
    fn it_is_read_from_a_certificate() {
        for (from, until) in [(2026, 2027), (1999, 2051)] {
            let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
            params.not_before = date_time_ymd(from, 1, 2);
            params.not_after = date_time_ymd(until, 3, 4);
            let certificate = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            let validity = Validity::of(certificate.der()).unwrap();
            assert_eq!(validity.from, date_time_ymd(from, 1, 2));
            assert_eq!(validity.until, date_time_ymd(until, 3, 4));
            assert!(validity.renewal() > validity.from && validity.renewal() < validity.until);
        }
    }

    #[test]
    fn what_is_cut_short_is_no_certificate() {
        let made = rcgen::generate_simple_self_signed(vec!["a.test".to_owned()]).unwrap();
        let der = made.cert.der();
        for length in 0..200 {
            assert_eq!(Validity::of(der.get(..length).unwrap()), None);
        }
    }
}

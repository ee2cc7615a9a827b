//! Redaction of text that comes in pieces.

use super::{Knows, MASK, Redactor};
use crate::ports::LineEnd;

/// Masks the secrets in what one program writes to one of its outputs, however
/// it is cut. All pieces together give what [`Redactor::line`] gives for the
/// whole line. It holds back at most the length of the longest form of a
/// secret.
#[derive(Debug)]
pub struct RedactedStream {
    redactor: Redactor,
    /// What is not given out yet: a secret may begin in it.
    held: String,
    /// Bytes of `held` that belong to a secret whose mask is given out.
    covered: usize,
}

impl RedactedStream {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self {
            redactor,
            held: String::new(),
            covered: 0,
        }
    }

    /// Takes the next piece and gives what can be shown by now: nothing is held
    /// back over the end of a line.
    pub fn push(&mut self, piece: &str, end: LineEnd) -> String {
        let matcher = match &self.redactor.0 {
            Knows::Nothing => return piece.to_owned(),
            Knows::TooMuch => return self.redactor.line(piece),
            Knows::Secrets(matcher) => matcher.clone(),
        };
        if self.held.is_empty() && end == LineEnd::Newline {
            return self.redactor.line(piece);
        }
        self.held.push_str(piece);
        let places = matcher.places(&self.held, self.covered);
        let cut = match end {
            LineEnd::Newline => self.held.len(),
            // What is shorter than a form may be the beginning of one.
            LineEnd::Cut => {
                let safe = self.held.len().saturating_sub(matcher.longest - 1);
                self.held.floor_char_boundary(safe)
            }
        };
        let mut shown = String::with_capacity(cut);
        let mut at = 0;
        for place in places {
            let is_known = place.start == 0 && self.covered > 0;
            if place.start >= cut && !is_known {
                break;
            }
            shown.push_str(self.held.get(at..place.start).unwrap_or_default());
            if !is_known {
                shown.push_str(MASK);
            }
            at = place.end;
        }
        shown.push_str(self.held.get(at..cut).unwrap_or_default());
        self.covered = at.saturating_sub(cut);
        self.held.drain(..cut);
        shown
    }

    /// How many bytes are held back: none between lines.
    pub fn held_back(&self) -> usize {
        self.held.len()
    }
}

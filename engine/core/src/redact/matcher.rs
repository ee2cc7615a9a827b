//! Finds every place where a form of a secret stands, in one pass.
//!
//! Short forms are looked for as they are. Of a long one a few bytes are looked
//! for, its seed, and what stands around a seed is compared: the automaton
//! stays small however long a secret is.

use std::ops::Range;

use aho_corasick::{AhoCorasick, BuildError, Input, MatchKind};

use super::forms::Forms;

/// Forms up to this length are looked for whole.
const SHORT: usize = 32;
/// Bytes of a long form that are looked for.
const SEED: usize = 12;
/// As many characters of a wrapped form are masked wherever they stand. Any
/// such run holds a seed: seeds follow each other without a gap.
const RUN: usize = 2 * SEED;

pub struct Matcher {
    automaton: AhoCorasick,
    /// By the automaton's pattern numbers.
    patterns: Vec<Pattern>,
    long: Vec<Long>,
    /// The length of the longest form.
    pub longest: usize,
}

#[derive(Clone, Copy)]
enum Pattern {
    Whole,
    /// The bytes of a long form from `at` on.
    Seed {
        long: usize,
        at: usize,
    },
}

/// A form that is found by its seeds.
struct Long {
    form: Vec<u8>,
    /// How much of it has to stand there.
    least: usize,
}

impl Matcher {
    pub fn new(forms: Forms) -> Result<Self, BuildError> {
        let longest = forms.whole.iter().map(String::len).max().unwrap_or(1);
        let mut searched: Vec<Vec<u8>> = Vec::new();
        let mut patterns = Vec::new();
        let mut long = Vec::new();
        let mut seed = |form: &[u8], at: usize, long: usize| {
            if let Some(bytes) = form.get(at..at + SEED) {
                searched.push(bytes.to_vec());
                patterns.push(Pattern::Seed { long, at });
            }
        };
        for form in forms.whole.iter().filter(|form| form.len() > SHORT) {
            seed(form.as_bytes(), 0, long.len());
            long.push(Long::of(form, form.len()));
        }
        for form in forms.wrapped.iter().filter(|form| form.len() > RUN) {
            for at in (0..form.len()).step_by(SEED) {
                seed(form.as_bytes(), at, long.len());
            }
            long.push(Long::of(form, RUN));
        }
        for form in forms.whole.iter().filter(|form| form.len() <= SHORT) {
            searched.push(form.as_bytes().to_vec());
            patterns.push(Pattern::Whole);
        }
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(searched)?;
        Ok(Self {
            automaton,
            patterns,
            long,
            longest,
        })
    }

    /// The places that are secret, in order; those that overlap are one. The
    /// first `covered` bytes belong to a place that was found before.
    pub fn places(&self, text: &str, covered: usize) -> Vec<Range<usize>> {
        let mut places = Places::default();
        if covered > 0 {
            places.add(0..covered);
        }
        // The kind of match that was built allows overlapping ones.
        let Ok(found) = self.automaton.try_find_overlapping_iter(Input::new(text)) else {
            places.add(0..text.len());
            return places.0;
        };
        for found in found {
            match self.patterns.get(found.pattern().as_usize()) {
                Some(Pattern::Whole) => places.add(found.range()),
                Some(&Pattern::Seed { long, at }) => {
                    let run = self
                        .long
                        .get(long)
                        .and_then(|long| long.around(text.as_bytes(), found.start(), at));
                    if let Some(run) = run {
                        places.add(run);
                    }
                }
                None => {}
            }
        }
        places.0
    }
}

impl Long {
    fn of(form: &str, least: usize) -> Self {
        Self {
            form: form.as_bytes().to_vec(),
            least,
        }
    }

    /// As much of the form as stands around its seed, if that is enough.
    fn around(&self, text: &[u8], start: usize, at: usize) -> Option<Range<usize>> {
        let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
        let left = text.get(..start)?.iter().rev();
        let left = left.zip(self.form.get(..at)?.iter().rev());
        let left = left.take_while(same).count();
        let right = text.get(start..)?.iter().zip(self.form.get(at..)?);
        let right = right.take_while(same).count();
        (left + right >= self.least).then_some(start - left..start + right)
    }
}

/// Places in order that do not overlap. They are added by their ends, nearly:
/// one that is added begins after the end of the last or overlaps with it.
#[derive(Default)]
struct Places(Vec<Range<usize>>);

impl Places {
    fn add(&mut self, mut place: Range<usize>) {
        while let Some(last) = self.0.last() {
            if last.end <= place.start {
                break;
            }
            place = place.start.min(last.start)..place.end.max(last.end);
            self.0.pop();
        }
        self.0.push(place);
    }
}

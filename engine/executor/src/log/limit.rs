//! How much of a log is kept: its beginning and its end. What is in between is
//! left out once the limit is reached.

use std::collections::VecDeque;

use shipway_core::ports::store::{Gap, LogSize};

/// The most that one deployment's log may hold; bytes are counted as
/// [`shipway_core::ports::store::NewLine::cost`] does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogLimit {
    pub lines: u64,
    pub bytes: u64,
    /// Of the end of the log at least so much is kept, whichever is reached
    /// first; twice as much is part of the limit.
    pub last_lines: u64,
    pub last_bytes: u64,
}

impl Default for LogLimit {
    fn default() -> Self {
        Self {
            lines: 2_000_000,
            bytes: 200 << 20,
            last_lines: 20_000,
            last_bytes: 8 << 20,
        }
    }
}

impl LogLimit {
    /// What stands in the place of the lines that were left out.
    pub fn notice(&self, gap: Gap) -> String {
        format!(
            "… {} lines left out: the log's limit of {} MiB or {} lines is reached",
            gap.through - gap.after,
            self.bytes >> 20,
            self.lines
        )
    }
}

/// Lines and what they cost.
#[derive(Debug, Clone, Copy, Default)]
struct Amount {
    lines: u64,
    bytes: u64,
}

impl Amount {
    fn plus(self, other: Self) -> Self {
        Self {
            lines: self.lines.saturating_add(other.lines),
            bytes: self.bytes.saturating_add(other.bytes),
        }
    }

    fn minus(self, other: Self) -> Self {
        Self {
            lines: self.lines.saturating_sub(other.lines),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }
}

/// A log as it grows.
#[derive(Debug)]
pub struct Shape {
    limit: LogLimit,
    last: u64,
    beginning: Amount,
    /// The last line of the beginning, once the beginning is complete.
    after: Option<u64>,
    end: Amount,
    /// The end in the portions in which it came, with each one's last line.
    portions: VecDeque<(u64, Amount)>,
}

impl Shape {
    pub fn new(limit: LogLimit, size: LogSize) -> Self {
        let mut shape = Self {
            limit,
            last: size.last,
            beginning: Amount::default(),
            after: None,
            end: Amount::default(),
            portions: VecDeque::new(),
        };
        match size.gap {
            None => {
                shape.begin(Amount {
                    lines: size.last,
                    bytes: size.bytes,
                });
            }
            Some(gap) => {
                shape.after = Some(gap.after);
                let full = shape.most_at_the_beginning().bytes;
                shape.go_on(Amount {
                    lines: size.last - gap.through.min(size.last),
                    bytes: size.bytes.saturating_sub(full),
                });
            }
        }
        shape
    }

    /// Takes note of lines that were stored. Gives what has to be left out now.
    pub fn grew(&mut self, lines: u64, bytes: u64) -> Option<Gap> {
        let amount = Amount { lines, bytes };
        self.last += lines;
        let Some(after) = self.after else {
            self.begin(amount);
            return None;
        };
        self.go_on(amount);
        let through = self.leave_out()?;
        Some(Gap { after, through })
    }

    fn most_at_the_beginning(&self) -> Amount {
        let most = Amount {
            lines: self.limit.lines,
            bytes: self.limit.bytes,
        };
        let end = Amount {
            lines: self.limit.last_lines,
            bytes: self.limit.last_bytes,
        };
        most.minus(end).minus(end)
    }

    fn begin(&mut self, amount: Amount) {
        self.beginning = self.beginning.plus(amount);
        let most = self.most_at_the_beginning();
        if self.beginning.lines >= most.lines || self.beginning.bytes >= most.bytes {
            self.after = Some(self.last);
        }
    }

    fn go_on(&mut self, amount: Amount) {
        self.end = self.end.plus(amount);
        self.portions.push_back((self.last, amount));
    }

    /// Once the end is twice as long as it has to be, its first portions go.
    fn leave_out(&mut self) -> Option<u64> {
        let (lines, bytes) = (self.limit.last_lines, self.limit.last_bytes);
        if self.end.lines <= 2 * lines && self.end.bytes <= 2 * bytes {
            return None;
        }
        let mut through = None;
        while let Some((last, amount)) = self.portions.front().copied() {
            let rest = self.end.minus(amount);
            if rest.lines < lines && rest.bytes < bytes {
                break;
            }
            self.portions.pop_front();
            self.end = rest;
            through = Some(last);
        }
        through
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: LogLimit = LogLimit {
        lines: 100,
        bytes: 1 << 20,
        last_lines: 10,
        last_bytes: 1 << 16,
    };

    /// The gap after so many portions of five lines.
    fn gap_after(portions: usize, shape: &mut Shape) -> Option<Gap> {
        (0..portions).filter_map(|_| shape.grew(5, 500)).last()
    }

    #[test]
    fn a_log_within_its_limit_is_kept_whole() {
        let mut shape = Shape::new(SMALL, LogSize::default());
        assert_eq!(gap_after(20, &mut shape), None);
    }

    #[test]
    fn beyond_it_the_beginning_and_the_last_lines_are_kept() {
        let mut shape = Shape::new(SMALL, LogSize::default());
        let gap = gap_after(1000, &mut shape).unwrap();
        assert_eq!(gap.after, 80);
        let kept = 5000 - gap.through;
        assert!((10..=20).contains(&kept), "{kept}");
        assert!(
            SMALL.notice(gap).starts_with("… 49"),
            "{}",
            SMALL.notice(gap)
        );
    }

    #[test]
    fn few_long_lines_reach_it_too() {
        let mut shape = Shape::new(SMALL, LogSize::default());
        let gap = (0..100).filter_map(|_| shape.grew(1, 1 << 15)).last();
        let gap = gap.unwrap();
        assert_eq!(gap.after, 28);
        assert!((2..=4).contains(&(100 - gap.through)), "{gap:?}");
    }

    #[test]
    fn a_log_that_is_taken_up_goes_on_as_it_was() {
        let gap = Gap {
            after: 80,
            through: 4985,
        };
        let size = LogSize {
            last: 5000,
            bytes: 9000,
            gap: Some(gap),
            ..LogSize::default()
        };
        let mut shape = Shape::new(SMALL, size);
        let next = gap_after(2, &mut shape).unwrap();
        assert_eq!((next.after, next.through), (80, 5000));
    }
}

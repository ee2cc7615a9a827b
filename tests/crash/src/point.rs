//! Where the engine dies.

use std::fmt;
use std::str::FromStr;

use anyhow::{Context, bail};

/// Just before or just after the engine writes its entry of this number, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Before(usize),
    After(usize),
}

impl Point {
    /// Of a deployment that the engine writes so many entries about.
    pub fn all(entries: usize) -> impl Iterator<Item = Self> {
        (1..=entries).flat_map(|entry| [Self::Before(entry), Self::After(entry)])
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Before(entry) => write!(f, "before:{entry}"),
            Self::After(entry) => write!(f, "after:{entry}"),
        }
    }
}

impl FromStr for Point {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (side, number) = text.split_once(':').context("no colon")?;
        let entry = number.parse().context("no number")?;
        match side {
            "before" => Ok(Self::Before(entry)),
            "after" => Ok(Self::After(entry)),
            _ => bail!("{side:?} is neither before nor after"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_written_as_they_are_read() {
        for point in Point::all(3) {
            assert_eq!(point.to_string().parse::<Point>().unwrap(), point);
        }
        assert_eq!(Point::all(3).count(), 6);
        for bad in ["12", "within:12", "after:", "before:x"] {
            assert!(bad.parse::<Point>().is_err(), "{bad}");
        }
    }
}

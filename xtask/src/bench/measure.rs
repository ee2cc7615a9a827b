//! Numbers of a process, and of a row of numbers.

use std::fs;

/// The value that so many of a hundred do not pass; 0 of none.
pub fn at(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

/// A process's resident memory, in megabytes.
pub fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    kilobytes(&status, "VmRSS:")
}

fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1_000_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        assert_eq!(at(&[1.0, 2.0, 3.0, 4.0], 50), 2.0);
        assert_eq!(at(&[1.0, 2.0, 3.0, 4.0], 90), 4.0);
        assert_eq!(at(&[], 50), 0.0);
    }

    #[test]
    fn our_own_memory_can_be_read() {
        assert!(resident(std::process::id()).unwrap() > 0.5);
    }
}

//! Numbers of a process, and of a row of numbers.

use std::fs;
use std::path::PathBuf;

/// The value that so many of a hundred do not pass; 0 of none.
pub fn at(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let above = at(&values, 51);
    match values.len() % 2 {
        0 => f64::midpoint(at(&values, 50), above),
        _ => above,
    }
}

/// A process's resident memory, in megabytes.
pub fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    kilobytes(&status, "VmRSS:")
}

/// Memory of all processes of a group, in megabytes; what several of them
/// share is counted once.
pub fn memory_of_group(group: u32) -> f64 {
    let shares = members(group).into_iter().filter_map(|member| {
        let rollup = fs::read_to_string(member.join("smaps_rollup")).ok()?;
        kilobytes(&rollup, "Pss:")
    });
    shares.sum()
}

/// Processor time of all processes of a group since they started, in seconds.
/// Its grain is a hundredth.
pub fn processor_of_group(group: u32) -> f64 {
    let ticks = members(group).into_iter().filter_map(|member| {
        let fields = stat(&member)?;
        // After the name, field 3 of proc(5) is the first.
        let time = |number: usize| fields.get(number - 3)?.parse::<f64>().ok();
        Some(time(14)? + time(15)?)
    });
    // What the kernel tells programs, whatever it ticks with itself.
    ticks.sum::<f64>() / 100.0
}

fn kilobytes(text: &str, name: &str) -> Option<f64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1_000_000.0)
}

fn members(group: u32) -> Vec<PathBuf> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let group = group.to_string();
    let is_member = |process: &PathBuf| {
        // A process's group is field 5.
        stat(process).is_some_and(|fields| fields.get(2) == Some(&group))
    };
    entries
        .map(|entry| entry.path())
        .filter(|path| path.join("stat").is_file())
        .filter(is_member)
        .collect()
}

/// The fields after the name, which may hold anything.
fn stat(process: &std::path::Path) -> Option<Vec<String>> {
    let text = fs::read_to_string(process.join("stat")).ok()?;
    let (_, fields) = text.rsplit_once(") ")?;
    Some(fields.split_whitespace().map(str::to_owned).collect())
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
    fn medians() {
        assert_eq!(median(vec![3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(vec![4.0, 1.0, 2.0, 3.0]), 2.5);
        assert_eq!(median(vec![7.0]), 7.0);
        assert_eq!(median(Vec::new()), 0.0);
    }

    #[test]
    fn our_own_memory_can_be_read() {
        assert!(resident(std::process::id()).unwrap() > 0.5);
    }

    #[test]
    fn a_group_has_memory_and_processor_time() {
        let group = nix::unistd::getpgrp().as_raw().cast_unsigned();
        assert!(memory_of_group(group) > 0.5);
        while processor_of_group(group) < 0.02 {}
    }
}

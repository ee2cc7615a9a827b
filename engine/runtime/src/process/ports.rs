//! A free port for an instance.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::ops::RangeInclusive;

/// Below the ports that Linux and macOS give to outgoing connections, so that
/// none of these takes a port between our choice and the app's start, or while
/// an instance is being restarted.
pub const RANGE: RangeInclusive<u16> = 20_000..=29_999;

/// A port that nothing listens on and that no instance was given. Starts
/// looking at `seed`, so that two engines on one machine seldom meet.
pub fn free(taken: &BTreeSet<u16>, range: &RangeInclusive<u16>, seed: u16) -> Option<u16> {
    let count = range.len();
    let skipped = usize::from(seed) % count.max(1);
    range
        .clone()
        .cycle()
        .skip(skipped)
        .take(count)
        .find(|port| !taken.contains(port) && can_be_opened(*port))
}

fn can_be_opened(port: u16) -> bool {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_open_or_given_is_passed_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let open = listener.local_addr().unwrap().port();
        assert_eq!(free(&BTreeSet::new(), &(open..=open), 7), None);
        let given = BTreeSet::from([25_000]);
        assert_ne!(free(&given, &(25_000..=25_050), 0), Some(25_000));
    }
}

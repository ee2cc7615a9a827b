//! The contract and the SDKs that the binary carries, as `build.rs` collected
//! them. Paths are those of the repository.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The files of a folder, with their paths in it, sorted.
pub fn under(folder: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    FILES.iter().filter_map(move |(path, bytes)| {
        let inside = path.strip_prefix(folder)?.strip_prefix('/')?;
        Some((inside, *bytes))
    })
}

pub fn text(path: &str) -> Option<&'static str> {
    let (_, bytes) = FILES.iter().find(|(name, _)| *name == path)?;
    std::str::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contract_is_there_and_nothing_that_tools_leave() {
        let contract: Vec<_> = under("wit").map(|(path, _)| path).collect();
        assert!(contract.contains(&"shipway.wit"), "{contract:?}");
        assert!(contract.contains(&"deps/plugin/plugin.wit"), "{contract:?}");
        assert!(text("wit/shipway.wit").unwrap().contains("world plugin"));
        for (path, _) in FILES {
            assert!(!path.contains("node_modules"), "{path}");
            assert!(!path.contains("__pycache__"), "{path}");
        }
    }
}

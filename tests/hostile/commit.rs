//! A commit of files in memory.

use std::collections::BTreeMap;

use globset::GlobBuilder;
use shipway_core::ports::source::{Files, FilesError};

#[derive(Debug)]
pub struct Tree(BTreeMap<String, Vec<u8>>);

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Self {
        let own = |(path, text): &(&str, &str)| ((*path).to_owned(), text.as_bytes().to_vec());
        Self(files.iter().map(own).collect())
    }
}

/// It keeps no rule of its own: whatever is in it, it gives.
impl Files for Tree {
    fn read(&self, path: &str, _: u64) -> Result<Vec<u8>, FilesError> {
        let bytes = self.0.get(path);
        bytes
            .cloned()
            .ok_or_else(|| FilesError::NotFound(path.to_owned()))
    }

    fn find(&self, glob: &str, _: usize) -> Result<Vec<String>, FilesError> {
        let matcher = GlobBuilder::new(glob).literal_separator(true).build();
        let matcher = matcher
            .map_err(|error| FilesError::BadGlob {
                glob: glob.to_owned(),
                message: error.to_string(),
            })?
            .compile_matcher();
        let found = self.0.keys().filter(|path| matcher.is_match(path));
        Ok(found.cloned().collect())
    }
}

//! `source`: the commit's files, as far as they are granted.

use std::sync::Arc;

use serde_json::json;
use shipway_core::grant::is_never_readable;
use shipway_core::ports::source::{Files, FilesError};

use super::{Code, failure};
use crate::bindings::model::Failure;
use crate::bindings::source::Host;
use crate::sandbox::Sandbox;
use crate::tape::Taped;

const FILE_LIMIT: u64 = 1 << 20;
const MOST_PATHS: usize = 1_000;
/// A glob is matched before rights are looked at, so it may match more.
const MOST_MATCHES: usize = 50_000;
/// Bytes of a path or a glob.
const LONGEST_PATH: usize = 4_096;

impl Host for Sandbox {
    async fn read(&mut self, path: String) -> wasmtime::Result<Result<Vec<u8>, Failure>> {
        self.hand_over(path.len())?;
        let arguments = || json!({ "path": path });
        match self.tape.begin("source.read", arguments)? {
            Taped::Answer(answer) => Ok(answer),
            Taped::Ask(pen) => Ok(pen.write(self.read_file(path).await)),
        }
    }

    async fn find(&mut self, glob: String) -> wasmtime::Result<Result<Vec<String>, Failure>> {
        self.hand_over(glob.len())?;
        let arguments = || json!({ "glob": glob });
        match self.tape.begin("source.find", arguments)? {
            Taped::Answer(answer) => Ok(answer),
            Taped::Ask(pen) => Ok(pen.write(self.find_files(glob).await)),
        }
    }
}

impl Sandbox {
    async fn read_file(&mut self, path: String) -> Result<Vec<u8>, Failure> {
        if path.len() > LONGEST_PATH {
            return Err(failure(Code::Invalid, "the path is longer than 4 KiB"));
        }
        if let Err(denied) = self.scene.rights.file(&path) {
            return Err(self.denials.refuse(denied));
        }
        self.with_files(move |files| files.read(&path, FILE_LIMIT))
            .await
    }

    async fn find_files(&mut self, glob: String) -> Result<Vec<String>, Failure> {
        if glob.len() > LONGEST_PATH {
            return Err(failure(Code::Invalid, "the glob is longer than 4 KiB"));
        }
        let mut found = self
            .with_files(move |files| files.find(&glob, MOST_MATCHES))
            .await?;
        let refused = self.keep_granted(&mut found);
        match (found.len(), refused) {
            (0, Some(path)) => match self.scene.rights.file(&path) {
                Err(denied) => Err(self.denials.refuse(denied)),
                Ok(()) => Ok(found),
            },
            (number, _) if number > MOST_PATHS => {
                let message =
                    format!("the glob matches {number} files, and may match {MOST_PATHS}");
                Err(failure(Code::Limit, message))
            }
            _ => Ok(found),
        }
    }

    /// Leaves out what is not granted, and says one path that would have to be.
    fn keep_granted(&self, found: &mut Vec<String>) -> Option<String> {
        let mut refused = None;
        found.retain(|path| {
            let granted = self.scene.rights.file(path).is_ok();
            if !granted && refused.is_none() && !is_never_readable(path) {
                refused = Some(path.clone());
            }
            granted
        });
        refused
    }

    /// Files are read on a thread of their own, because a disk may be slow,
    /// unless there is no disk.
    async fn with_files<T: Send + 'static>(
        &mut self,
        act: impl FnOnce(&dyn Files) -> Result<T, FilesError> + Send + 'static,
    ) -> Result<T, Failure> {
        let Some(files) = &self.scene.files else {
            let message = "there is no commit to read from here";
            return Err(failure(Code::Unavailable, message));
        };
        if files.in_memory() {
            return act(files.as_ref()).map_err(refused);
        }
        let files = Arc::clone(files);
        match tokio::task::spawn_blocking(move || act(files.as_ref())).await {
            Ok(outcome) => outcome.map_err(refused),
            Err(_) => Err(failure(Code::Unavailable, "the files could not be read")),
        }
    }
}

fn refused(error: FilesError) -> Failure {
    let code = match &error {
        FilesError::NotFound(_) => Code::NotFound,
        FilesError::Outside(_) => Code::Denied,
        FilesError::TooLarge { .. } => Code::TooLarge,
        FilesError::TooMany { .. } => Code::Limit,
        FilesError::BadGlob { .. } => Code::Invalid,
        FilesError::Read { .. } => Code::Unavailable,
    };
    failure(code, error.to_string())
}

//! What is sent to the builder: the working directory as a tar stream, without
//! what `.dockerignore` excludes.
//!
//! As `docker build` does it, with one difference: `.git` is never sent, at any
//! depth, because a working directory has only a link to the mirror there.
//! Symbolic links stay links; owners and times are not sent, and modes are
//! 755 or 644, since this is all that git keeps.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};

use bollard::errors::Error;
use futures::Stream;
use hyper::body::Bytes;
use shipway_core::ports::runtime::RuntimeError;
use tar::{Builder, EntryType, Header};
use tokio::sync::mpsc;

use super::ignore::Ignore;
use super::label::DEFAULT_DOCKERFILE;

const CHUNK: usize = 64 * 1024;
/// Chunks that wait for a slow engine.
const WAITING: usize = 16;

#[derive(Debug)]
pub struct Context {
    directory: PathBuf,
    /// Relative, with `/`.
    pub dockerfile: String,
    /// What the Dockerfile says, for a look at its first lines.
    pub dockerfile_text: String,
    ignore_file: Option<String>,
    /// Sent in the Dockerfile's place.
    replacement: Option<String>,
}

impl Context {
    /// Looks for the Dockerfile; nothing else is read yet.
    pub fn open(directory: &Path, dockerfile: Option<&str>) -> Result<Self, RuntimeError> {
        let named = dockerfile.unwrap_or(DEFAULT_DOCKERFILE);
        let missing = || RuntimeError::NoDockerfile {
            path: named.to_owned(),
        };
        let relative = inside(named).ok_or_else(missing)?;
        let text = read_inside(directory, &relative).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::IsADirectory => missing(),
            _ => unreadable(named, error),
        })?;
        let ignore_file = [format!("{relative}.dockerignore"), ".dockerignore".into()]
            .into_iter()
            .find(|name| directory.join(name).is_file());
        Ok(Self {
            directory: directory.to_owned(),
            dockerfile: relative,
            dockerfile_text: text,
            ignore_file,
            replacement: None,
        })
    }

    pub fn replace_dockerfile(&mut self, text: String) {
        self.replacement = Some(text);
    }

    /// The tar as a stream; it ends early, with the error, when a file cannot
    /// be read.
    pub fn stream(
        &self,
    ) -> Result<impl Stream<Item = io::Result<Bytes>> + Send + 'static, RuntimeError> {
        let ignore = self.ignore()?;
        let packer = Packer {
            directory: self.directory.clone(),
            ignore,
            always: self.always_sent(),
            replacement: self
                .replacement
                .clone()
                .map(|text| (self.dockerfile.clone(), text)),
        };
        let (sender, receiver) = mpsc::channel(WAITING);
        tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks::new(sender);
            if let Err(error) = packer.pack(&mut chunks) {
                // A receiver that has gone has its answer already.
                let _gone = chunks.sender.blocking_send(Err(error));
            }
        });
        Ok(futures::stream::unfold(receiver, async |mut receiver| {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        }))
    }

    fn ignore(&self) -> Result<Ignore, RuntimeError> {
        let Some(name) = &self.ignore_file else {
            return Ok(Ignore::default());
        };
        let text = read_inside(&self.directory, name).map_err(|error| unreadable(name, error))?;
        Ignore::parse(&text).map_err(|error| RuntimeError::BuildFailed {
            message: format!("{name}, {error}"),
        })
    }

    /// The builder reads these itself, whatever is excluded.
    fn always_sent(&self) -> Vec<String> {
        let mut always = vec![self.dockerfile.clone()];
        always.extend(self.ignore_file.clone());
        always
    }
}

/// A path of the repository in its plainest form; none if it leads out.
fn inside(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    (!parts.is_empty()).then(|| parts.join("/"))
}

/// Follows links only as long as they stay in the directory.
fn read_inside(directory: &Path, relative: &str) -> io::Result<String> {
    let path = directory.join(relative).canonicalize()?;
    if !path.starts_with(directory.canonicalize()?) {
        return Err(io::Error::from(io::ErrorKind::NotFound));
    }
    Ok(String::from_utf8_lossy(&fs::read(path)?).into_owned())
}

fn unreadable(name: &str, error: io::Error) -> RuntimeError {
    RuntimeError::Other {
        what: format!("read {name}"),
        source: Box::new(Error::from(error)),
    }
}

/// Writes the tar; it runs on a thread of its own.
struct Packer {
    directory: PathBuf,
    ignore: Ignore,
    always: Vec<String>,
    replacement: Option<(String, String)>,
}

impl Packer {
    fn pack(&self, writer: &mut Chunks) -> io::Result<()> {
        let mut tar = Builder::new(writer);
        for name in &self.always {
            match &self.replacement {
                Some((replaced, text)) if replaced == name => append_text(&mut tar, name, text)?,
                _ => self.append(&mut tar, name)?,
            }
        }
        self.walk(&mut tar, "")?;
        tar.into_inner()?.flush()
    }

    fn walk(&self, tar: &mut Builder<&mut Chunks>, folder: &str) -> io::Result<()> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.directory.join(folder))? {
            names.push(entry?.file_name());
        }
        names.sort();
        for name in names {
            let Some(name) = name.to_str() else {
                return Err(io::Error::other(format!(
                    "a file name in /{folder} is no UTF-8: {name:?}"
                )));
            };
            if name == ".git" {
                continue;
            }
            let path = match folder {
                "" => name.to_owned(),
                folder => format!("{folder}/{name}"),
            };
            self.visit(tar, &path)?;
        }
        Ok(())
    }

    fn visit(&self, tar: &mut Builder<&mut Chunks>, path: &str) -> io::Result<()> {
        let excluded = self.ignore.excludes(path);
        let is_folder = fs::symlink_metadata(self.directory.join(path))?.is_dir();
        if !excluded && !self.always.iter().any(|sent| sent == path) {
            self.append(tar, path)?;
        }
        if is_folder && (!excluded || self.ignore.has_exceptions()) {
            self.walk(tar, path)?;
        }
        Ok(())
    }

    fn append(&self, tar: &mut Builder<&mut Chunks>, path: &str) -> io::Result<()> {
        let full = self.directory.join(path);
        let metadata = fs::symlink_metadata(&full)?;
        let mut header = header(&metadata);
        if metadata.is_symlink() {
            return tar.append_link(&mut header, path, fs::read_link(full)?);
        }
        if metadata.is_dir() {
            return tar.append_data(&mut header, path, io::empty());
        }
        // Sockets and pipes have no place in an image.
        if !metadata.is_file() {
            return Ok(());
        }
        tar.append_data(&mut header, path, File::open(full)?)
    }
}

fn header(metadata: &Metadata) -> Header {
    let mut header = Header::new_gnu();
    let (kind, mode, size) = match metadata {
        link if link.is_symlink() => (EntryType::Symlink, 0o777, 0),
        folder if folder.is_dir() => (EntryType::Directory, 0o755, 0),
        file if is_executable(file) => (EntryType::Regular, 0o755, file.len()),
        file => (EntryType::Regular, 0o644, file.len()),
    };
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header
}

#[cfg(unix)]
fn is_executable(metadata: &Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn is_executable(_: &Metadata) -> bool {
    false
}

fn append_text(tar: &mut Builder<&mut Chunks>, name: &str, text: &str) -> io::Result<()> {
    let mut header = Header::new_gnu();
    header.set_mode(0o644);
    header.set_size(text.len() as u64);
    tar.append_data(&mut header, name, text.as_bytes())
}

/// Collects what is written and sends it on in chunks.
struct Chunks {
    sender: mpsc::Sender<io::Result<Bytes>>,
    held: Vec<u8>,
}

impl Chunks {
    fn new(sender: mpsc::Sender<io::Result<Bytes>>) -> Self {
        Self {
            sender,
            held: Vec::with_capacity(CHUNK),
        }
    }
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.held.extend_from_slice(bytes);
        if self.held.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = std::mem::replace(&mut self.held, Vec::with_capacity(CHUNK));
        if chunk.is_empty() {
            return Ok(());
        }
        self.sender
            .blocking_send(Ok(chunk.into()))
            .map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use futures::TryStreamExt;

    use super::*;

    fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
        let directory = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = directory.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        directory
    }

    /// What the tar holds: each path with its text, or with its link's target.
    async fn packed(context: &Context) -> BTreeMap<String, String> {
        let chunks: Vec<Bytes> = context.stream().unwrap().try_collect().await.unwrap();
        let bytes = chunks.concat();
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut found = BTreeMap::new();
        for entry in archive.entries().unwrap() {
            let mut entry = entry.unwrap();
            let path = entry.path().unwrap().to_str().unwrap().to_owned();
            let text = match entry.link_name().unwrap() {
                Some(target) => format!("-> {}", target.display()),
                None => io::read_to_string(&mut entry).unwrap(),
            };
            assert!(found.insert(path.clone(), text).is_none(), "{path} twice");
        }
        found
    }

    #[tokio::test]
    async fn the_context_holds_what_is_not_ignored() {
        let directory = directory(&[
            ("Dockerfile", "FROM scratch"),
            (".dockerignore", "*\n!src\nsrc/secret\n"),
            (".git", "gitdir: elsewhere"),
            ("README.md", "no"),
            ("src/main.py", "print()"),
            ("src/sub/.git", "gitdir: elsewhere"),
            ("src/secret/key", "no"),
        ]);
        let link = directory.path().join("src/link");
        std::os::unix::fs::symlink("../nowhere", link).unwrap();
        let long = format!("src/{}/{}", "a".repeat(120), "b".repeat(120));
        fs::create_dir_all(directory.path().join(&long)).unwrap();

        let context = Context::open(directory.path(), None).unwrap();
        let found = packed(&context).await;
        assert_eq!(found["src/main.py"], "print()");
        assert_eq!(found["src/link"], "-> ../nowhere");
        assert_eq!(found["Dockerfile"], "FROM scratch");
        assert!(found.contains_key(&format!("{long}/")) || found.contains_key(&long));
        for absent in ["README.md", "src/secret/key", ".git", "src/sub/.git"] {
            assert!(!found.contains_key(absent), "{absent}: {found:?}");
        }
    }

    #[tokio::test]
    async fn a_dockerfile_may_have_an_ignore_file_of_its_own() {
        let directory = directory(&[
            ("deploy/app.Dockerfile", "FROM scratch"),
            ("deploy/app.Dockerfile.dockerignore", "deploy\nb"),
            (".dockerignore", "a"),
            ("a", "1"),
            ("b", "2"),
        ]);
        let named = Some("./deploy/app.Dockerfile");
        let mut context = Context::open(directory.path(), named).unwrap();
        context.replace_dockerfile("FROM other".into());
        let found = packed(&context).await;
        let names: Vec<&str> = found.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                ".dockerignore",
                "a",
                "deploy/app.Dockerfile",
                "deploy/app.Dockerfile.dockerignore"
            ]
        );
        assert_eq!(found["deploy/app.Dockerfile"], "FROM other");
    }

    #[test]
    fn a_dockerfile_that_is_not_in_the_commit_is_named() {
        let outside = directory(&[("Dockerfile", "FROM scratch")]);
        let directory = directory(&[("folder/x", "")]);
        let link = directory.path().join("link");
        std::os::unix::fs::symlink(outside.path().join("Dockerfile"), link).unwrap();
        for name in [
            None,
            Some("folder"),
            Some("../x"),
            Some("/etc/passwd"),
            Some("link"),
        ] {
            let error = Context::open(directory.path(), name).unwrap_err();
            assert!(
                matches!(error, RuntimeError::NoDockerfile { .. }),
                "{name:?}: {error}"
            );
        }
    }
}

//! What the manifest asks for, taken as granted.

use globset::{GlobBuilder, GlobMatcher};
use url::Url;

use crate::failure::{Code, Failure};
use crate::plugin::{Capability, Manifest};

/// A glob as the engine reads it: `*` and `?` stay within one name.
pub(super) fn glob(text: &str) -> Result<GlobMatcher, Failure> {
    GlobBuilder::new(text)
        .literal_separator(true)
        .build()
        .map(|glob| glob.compile_matcher())
        .map_err(|reason| Failure::invalid(reason.to_string()))
}

/// Whether the plugin may read a file.
pub(super) fn file(manifest: &Manifest, path: &str) -> Result<(), Failure> {
    if path.starts_with('/') || path.split('/').any(is_never_readable) {
        return Err(denied(format!("`{path}` is never readable")));
    }
    for target in targets(manifest, Capability::Files) {
        if glob(target)?.is_match(path) {
            return Ok(());
        }
    }
    Err(denied(format!(
        "`{path}` is in none of the globs that the manifest requests"
    )))
}

/// Whether the plugin may read a variable of the environment.
pub(super) fn variable(manifest: &Manifest, name: &str) -> Result<(), Failure> {
    if targets(manifest, Capability::Variables).any(|target| target == name) {
        return Ok(());
    }
    Err(denied(format!(
        "the manifest does not request the variable `{name}`"
    )))
}

/// Whether the plugin may run a command in the image.
pub(super) fn image(manifest: &Manifest) -> Result<(), Failure> {
    asked(manifest, Capability::Image)
}

/// Whether the plugin may run a command in the candidate.
pub(super) fn exec(manifest: &Manifest) -> Result<(), Failure> {
    asked(manifest, Capability::Exec)
}

fn asked(manifest: &Manifest, capability: Capability) -> Result<(), Failure> {
    let asked = manifest
        .requests
        .iter()
        .any(|request| request.capability == capability);
    if asked {
        return Ok(());
    }
    Err(denied(format!(
        "the manifest does not request `{}`",
        capability.as_str()
    )))
}

/// Whether the plugin may send a request to a URL. `setting` looks up a
/// setting, for targets such as `setting:url`.
pub(super) fn http(
    manifest: &Manifest,
    method: &str,
    url: &str,
    endpoints: &[String],
    setting: impl Fn(&str) -> Option<String>,
) -> Result<(), Failure> {
    let wanted = origin(url)
        .ok_or_else(|| Failure::invalid(format!("`{url}` is no http:// or https:// URL")))?;
    let of_method = |target: &'_ str| match target.split_once(' ') {
        Some((methods, origin)) if methods.split(',').any(|own| own == method) => {
            Some(origin.to_owned())
        }
        Some(_) => None,
        None => Some(target.to_owned()),
    };
    let asked = targets(manifest, Capability::Http).filter_map(of_method);
    let asked = asked.filter_map(|target| match target.strip_prefix("setting:") {
        Some(name) => setting(name),
        None => Some(target),
    });
    let mut granted = asked.chain(endpoints.iter().cloned());
    if granted.any(|target| origin(&target).as_deref() == Some(wanted.as_str())) {
        return Ok(());
    }
    Err(denied(format!(
        "the manifest does not request {method} {wanted}"
    )))
}

fn targets(manifest: &Manifest, capability: Capability) -> impl Iterator<Item = &str> {
    manifest
        .requests
        .iter()
        .filter(move |request| request.capability == capability)
        .flat_map(|request| request.targets.iter().map(String::as_str))
}

fn is_never_readable(name: &str) -> bool {
    matches!(name, "" | "." | ".." | ".git") || name.starts_with(".env")
}

fn origin(url: &str) -> Option<String> {
    let url = Url::parse(url).ok()?;
    matches!(url.scheme(), "http" | "https").then(|| url.origin().ascii_serialization())
}

fn denied(message: String) -> Failure {
    Failure::new(Code::DENIED, message)
}

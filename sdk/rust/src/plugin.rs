//! The trait every plugin has, and the manifest it returns.

use crate::deployment::Attributes;

/// A plugin. Implement it once, and then one trait for each role:
/// [`ReleaseSource`](crate::release::ReleaseSource),
/// [`Notifier`](crate::notify::Notifier), [`SelfTest`](crate::self_test::SelfTest).
pub trait Plugin {
    /// Who the plugin is and what it would like.
    ///
    /// Called when the plugin is installed, with nothing granted: whatever it
    /// asks the host here is denied, and a request is never a grant.
    fn describe() -> Manifest;
}

/// Who a plugin is, what it can be set to, and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// Lower-case letters, digits and dashes, at most 63.
    pub name: String,
    /// Semantic version, usually `env!("CARGO_PKG_VERSION")`.
    pub version: String,
    /// One sentence for a person.
    pub summary: String,
    pub settings: Vec<Setting>,
    pub requests: Vec<Request>,
    pub attributes: Attributes,
}

impl Manifest {
    pub fn new(
        name: impl Into<String>,
        version: impl Into<String>,
        summary: impl Into<String>,
    ) -> Self {
        Self {
            name: name.into(),
            version: version.into(),
            summary: summary.into(),
            settings: Vec::new(),
            requests: Vec::new(),
            attributes: Attributes::new(),
        }
    }

    /// Adds a setting that the plugin reads.
    pub fn setting(mut self, setting: Setting) -> Self {
        self.settings.push(setting);
        self
    }

    /// Adds something that the plugin asks for.
    pub fn request(mut self, request: Request) -> Self {
        self.requests.push(request);
        self
    }
}

/// One setting that a plugin reads through [`settings`](crate::settings).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    pub name: String,
    /// What it does, and what holds when it is not set.
    pub summary: String,
    pub required: bool,
    /// A secret reaches the plugin as an opaque placeholder; the host puts the
    /// value in on the way out, to the hosts that it is granted for.
    pub secret: bool,
    /// Where in a request the plugin puts a value that is secret; anywhere else
    /// it is refused.
    pub places: Vec<Place>,
    pub attributes: Attributes,
}

/// Where in a request a secret stands.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Place {
    /// The value of this header.
    Header(String),
    /// The URL's path.
    Path,
    /// The URL's query.
    Query,
    Body,
    /// The URL as a whole is secret.
    Url,
}

impl Place {
    pub fn header(name: impl Into<String>) -> Self {
        Self::Header(name.into())
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Body => f.write_str("body"),
            Self::Url => f.write_str("url"),
        }
    }
}

impl Setting {
    pub fn required(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            required: true,
            ..Self::optional(name, summary)
        }
    }

    pub fn optional(name: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            summary: summary.into(),
            required: false,
            secret: false,
            places: Vec::new(),
            attributes: Attributes::new(),
        }
    }

    /// Says where in a request the value stands, for operators who make it a
    /// secret although it is not marked as one.
    pub fn sent_in(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.places.extend(places);
        self
    }

    /// Marks the setting as a secret that the plugin puts in these places of a
    /// request.
    pub fn secret(mut self, places: impl IntoIterator<Item = Place>) -> Self {
        self.secret = true;
        self.places.extend(places);
        self
    }
}

/// One capability that a plugin asks for, with the reason an operator reads
/// before granting it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub capability: Capability,
    /// Globs for files, names for variables, origins for HTTP, else empty.
    pub targets: Vec<String>,
    pub reason: String,
    pub attributes: Attributes,
}

impl Request {
    /// Asks to read the files of the commit that match one of these globs.
    pub fn files<T: Into<String>>(
        globs: impl IntoIterator<Item = T>,
        reason: impl Into<String>,
    ) -> Self {
        Self::new(Capability::Files, globs, reason)
    }

    /// Asks to read plain variables of the environment, by name.
    pub fn variables<T: Into<String>>(
        names: impl IntoIterator<Item = T>,
        reason: impl Into<String>,
    ) -> Self {
        Self::new(Capability::Variables, names, reason)
    }

    /// Asks to run one bounded command in the image that was built.
    pub fn image(reason: impl Into<String>) -> Self {
        Self::new(Capability::Image, [""; 0], reason)
    }

    /// Asks to run bounded commands in the candidate, in a self-test.
    pub fn exec(reason: impl Into<String>) -> Self {
        Self::new(Capability::Exec, [""; 0], reason)
    }

    /// Asks for HTTP to these origins: `https://example.com`, or
    /// `setting:NAME` for the origin of the URL in that setting; each perhaps
    /// after its methods, as in `POST,PUT setting:url`.
    pub fn http<T: Into<String>>(
        origins: impl IntoIterator<Item = T>,
        reason: impl Into<String>,
    ) -> Self {
        Self::new(Capability::Http, origins, reason)
    }

    fn new<T: Into<String>>(
        capability: Capability,
        targets: impl IntoIterator<Item = T>,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            capability,
            targets: targets.into_iter().map(Into::into).collect(),
            reason: reason.into(),
            attributes: Attributes::new(),
        }
    }
}

/// What a plugin can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Capability {
    Files,
    Variables,
    Image,
    Http,
    Exec,
}

impl Capability {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Variables => "variables",
            Self::Image => "image",
            Self::Http => "http",
            Self::Exec => "exec",
        }
    }
}

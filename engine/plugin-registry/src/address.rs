//! `oci://REGISTRY/NAME[:TAG][@sha256:DIGEST]`.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use oci_client::Reference;

const SCHEME: &str = "oci://";

/// Where a component lies in a registry. Without a tag and a digest the tag is
/// `latest`; with both the digest decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Box<Reference>);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no address such as oci://registry.example.com/team/hook:1.0: {why}")]
pub struct NoAddress {
    text: String,
    why: String,
}

impl Address {
    /// Whether a text is meant to be one.
    pub fn is_meant_by(text: &str) -> bool {
        text.starts_with(SCHEME)
    }

    /// Host and port.
    pub fn registry(&self) -> &str {
        self.0.registry()
    }

    /// Without the port.
    pub(crate) fn host(&self) -> &str {
        host(self.registry())
    }

    /// Whether the registry is on this machine.
    pub fn is_local(&self) -> bool {
        let host = self.host();
        host == "localhost" || host.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }

    pub fn digest(&self) -> Option<&str> {
        self.0.digest()
    }

    /// The same, held to what it names now.
    pub(crate) fn pinned(&self, digest: &str) -> Self {
        let (registry, name) = (self.0.registry(), self.0.repository());
        let (registry, name, digest) = (registry.into(), name.into(), digest.to_owned());
        Self(Box::new(match self.0.tag() {
            // The tag is for people; the digest decides.
            Some(tag) => Reference::with_tag_and_digest(registry, name, tag.into(), digest),
            None => Reference::with_digest(registry, name, digest),
        }))
    }

    pub(crate) fn reference(&self) -> &Reference {
        &self.0
    }
}

fn host(registry: &str) -> &str {
    if let Some(rest) = registry.strip_prefix('[') {
        return rest.split(']').next().unwrap_or(rest);
    }
    registry.split(':').next().unwrap_or(registry)
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reference = &self.0;
        write!(
            f,
            "{SCHEME}{}/{}",
            reference.registry(),
            reference.repository()
        )?;
        if let Some(tag) = reference.tag() {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = reference.digest() {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Address {
    type Err = NoAddress;

    fn from_str(text: &str) -> Result<Self, NoAddress> {
        let wrong = |why: &str| NoAddress {
            text: text.to_owned(),
            why: why.to_owned(),
        };
        let rest = text.strip_prefix(SCHEME);
        let rest = rest.ok_or_else(|| wrong("it does not begin with oci://"))?;
        if rest.contains("://") || rest.split('@').next().is_some_and(|r| r.is_empty()) {
            return Err(wrong("it has no registry"));
        }
        let (registry, _) = rest
            .split_once('/')
            .ok_or_else(|| wrong("it has no name behind the registry"))?;
        if registry.contains('@') {
            return Err(wrong(
                "a name and a password do not belong in it; see --username",
            ));
        }
        // Without this the first word would be a name at some well-known hub.
        if !registry.contains(['.', ':']) && registry != "localhost" {
            return Err(wrong("its first part is no host"));
        }
        let reference: Reference = rest.parse().map_err(|error| wrong(&format!("{error}")))?;
        match reference.digest() {
            Some(digest) if !digest.starts_with("sha256:") => {
                Err(wrong("a digest is sha256: and 64 hex digits"))
            }
            _ => Ok(Self(Box::new(reference))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_shown() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (text, shown) in [
            ("oci://r.test/a/b:1.0", "oci://r.test/a/b:1.0".to_owned()),
            ("oci://localhost/b", "oci://localhost/b:latest".to_owned()),
            (
                &*format!("oci://r.test:5000/b@{digest}"),
                format!("oci://r.test:5000/b@{digest}"),
            ),
            (
                &*format!("oci://r.test/b:1@{digest}"),
                format!("oci://r.test/b:1@{digest}"),
            ),
        ] {
            let address: Address = text.parse().unwrap();
            assert_eq!(address.to_string(), shown);
        }
    }

    #[test]
    fn what_is_none_is_refused_with_why() {
        for (text, why) in [
            ("hook.wasm", "oci://"),
            ("oci://hook", "no name"),
            ("oci://team/hook", "no host"),
            ("oci://user:pass@r.test/hook", "password"),
            ("oci://r.test/Hook:1", "invalid reference"),
            ("oci://r.test/hook@sha512:abc", ""),
            ("oci:///hook", "no host"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn this_machine_is_known_by_its_names() {
        for (registry, local) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.3.2.1", true),
            ("10.0.0.1:5000", false),
            ("localhost.example.com", false),
            ("127.0.0.1.example.com", false),
        ] {
            let address: Address = format!("oci://{registry}/a").parse().unwrap();
            assert_eq!(address.is_local(), local, "{registry}");
        }
    }
}

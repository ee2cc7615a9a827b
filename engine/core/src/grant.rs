//! Grants: what an operator lets a plugin do. The effective right is what the
//! plugin asks for and what the operator grants, and this module alone decides.
//!
//! * [`Grants`] is what the operator said,
//! * [`target`] is what a manifest may ask for, read,
//! * [`Rights`] is both, intersected, and answers each single question.

pub mod rights;
pub mod target;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::environment::Variable;
use crate::plugin::{Description, Request};

pub use rights::{Denied, Remedy, Rights, is_never_readable};
pub use target::{HttpTarget, Place, SecretUse};

/// What the operator granted. The default grants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Globs of the commit's files.
    pub files: Vec<String>,
    /// Names of plain variables of the environment.
    pub variables: Vec<String>,
    /// Whether it may run the image probe.
    pub image: Permission,
    /// Whether a self-test may run commands in the candidate.
    pub exec: Permission,
    pub http: Vec<HttpGrant>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Permission {
    #[default]
    Denied,
    Granted,
}

/// One origin that a plugin may talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// `https://host[:port]`.
    pub origin: String,
    /// Upper-case; empty means all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Whether the host may be a private, loopback or link-local address.
    #[serde(default)]
    pub addresses: Addresses,
    /// Secret settings that may be sent there: `NAME` wherever the manifest
    /// says, or `NAME@PLACE` in that place only.
    #[serde(default)]
    pub secrets: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Addresses {
    #[default]
    Public,
    /// Private ones too.
    Any,
}

impl Grants {
    /// Grants that allow all that a plugin asks for, as far as it can be told:
    /// an origin that stands in a setting is known once the setting has a value.
    pub fn requested(description: &Description, settings: &BTreeMap<String, Variable>) -> Self {
        let mut grants = Self::default();
        for request in &description.requests {
            match request.capability.as_str() {
                "files" => grants.files.extend(request.targets.iter().cloned()),
                "variables" => grants.variables.extend(request.targets.iter().cloned()),
                "image" => grants.image = Permission::Granted,
                "exec" => grants.exec = Permission::Granted,
                "http" => grants.http.extend(
                    HttpTarget::all(request, settings)
                        .map(|target| HttpGrant::full(target, description, settings)),
                ),
                _ => {}
            }
        }
        grants
    }

    /// The requests that these grants do not allow, or allow in part.
    pub fn lacks(
        &self,
        description: &Description,
        settings: &BTreeMap<String, Variable>,
    ) -> Vec<Request> {
        let lacking = |request: &&Request| match request.capability.as_str() {
            "files" => !request.targets.iter().all(|t| self.files.contains(t)),
            "variables" => !request.targets.iter().all(|t| self.variables.contains(t)),
            "image" => self.image == Permission::Denied,
            "exec" => self.exec == Permission::Denied,
            "http" => !request.targets.iter().all(|text| {
                HttpTarget::read(text, settings).is_some_and(|target| self.covers(&target))
            }),
            _ => false,
        };
        description
            .requests
            .iter()
            .filter(lacking)
            .cloned()
            .collect()
    }

    fn covers(&self, target: &HttpTarget) -> bool {
        let of_origin = || {
            self.http
                .iter()
                .filter(|grant| grant.is_for(&target.origin))
        };
        match target.methods.as_slice() {
            [] => of_origin().any(|grant| grant.methods.is_empty()),
            methods => methods
                .iter()
                .all(|method| of_origin().any(|grant| grant.allows(method))),
        }
    }

    /// The first thing wrong with them, in words.
    pub fn problem(&self) -> Option<String> {
        if let Some(glob) = self.files.iter().find(|glob| !target::is_glob(glob)) {
            return Some(format!("files: {glob:?} is no glob"));
        }
        let mut uses = self.http.iter().flat_map(|grant| &grant.secrets);
        if let Some(used) = uses.find(|text| text.parse::<SecretUse>().is_err()) {
            return Some(format!(
                "http: {used:?} is neither the name of a secret setting nor NAME@PLACE, with a \
                 place such as header:authorization, path, query, body or url"
            ));
        }
        let is_origin = |text: &str| {
            Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.origin().ascii_serialization() == text.trim_end_matches('/')
            })
        };
        self.http
            .iter()
            .find(|grant| !is_origin(&grant.origin))
            .map(|grant| {
                format!(
                    "http: {:?} is no origin such as https://hooks.example.com, without a path",
                    grant.origin
                )
            })
    }
}

impl HttpGrant {
    /// What is asked for, at public addresses, with the plugin's own secrets.
    fn full(
        target: HttpTarget,
        description: &Description,
        settings: &BTreeMap<String, Variable>,
    ) -> Self {
        let is_secret = |name: &str| matches!(settings.get(name), Some(Variable::Secret(_)));
        let all = description.settings.iter();
        let secrets = all.filter(|setting| setting.secret || is_secret(&setting.name));
        Self {
            origin: target.origin,
            methods: target.methods,
            addresses: Addresses::Public,
            secrets: secrets.map(|setting| setting.name.clone()).collect(),
        }
    }

    fn bare(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            methods: Vec::new(),
            addresses: Addresses::Public,
            secrets: Vec::new(),
        }
    }

    fn is_for(&self, origin: &str) -> bool {
        let own = Url::parse(&self.origin).map(|url| url.origin().ascii_serialization());
        own.is_ok_and(|own| own == origin)
    }

    fn allows(&self, method: &str) -> bool {
        self.methods.is_empty() || self.methods.iter().any(|granted| granted == method)
    }

    /// As arguments of `shipway plugin grant`, which replaces what was granted
    /// to the origin before.
    fn arguments(&self) -> String {
        let mut arguments = format!("--http {}", self.origin);
        if !self.methods.is_empty() {
            arguments += &format!(" --methods {}", self.methods.join(","));
        }
        if self.addresses == Addresses::Any {
            arguments += " --private";
        }
        if !self.secrets.is_empty() {
            arguments += &format!(" --send {}", self.secrets.join(","));
        }
        arguments
    }
}

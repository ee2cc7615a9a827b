//! Variables and settings with values, on the wire. A secret goes in and
//! never comes out.

use serde::{Deserialize, Serialize};
use shipway_core::environment;
use shipway_core::secret::Secret;
use utoipa::ToSchema;

/// Whether a value may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Visibility {
    Plain,
    Secret,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Variable {
    pub name: String,
    #[serde(rename = "type")]
    pub visibility: Visibility,
    /// Absent for a secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// A value to set.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Value {
    pub value: Secret,
    /// Unless given, what was a secret stays one and what is new is plain.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
}

impl Value {
    /// The variable to keep, over the one that had the name before.
    pub(crate) fn over(self, earlier: Option<&environment::Variable>) -> environment::Variable {
        let was_secret = matches!(earlier, Some(environment::Variable::Secret(_)));
        match (self.visibility, was_secret) {
            (Some(Visibility::Secret), _) | (None, true) => {
                environment::Variable::Secret(self.value)
            }
            (Some(Visibility::Plain), _) | (None, false) => {
                environment::Variable::Plain(self.value.reveal().to_owned())
            }
        }
    }
}

impl Variable {
    pub(crate) fn new(name: &str, variable: &environment::Variable) -> Self {
        let (visibility, value) = match variable {
            environment::Variable::Plain(value) => (Visibility::Plain, Some(value.clone())),
            environment::Variable::Secret(_) => (Visibility::Secret, None),
        };
        Self {
            name: name.to_owned(),
            visibility,
            value,
        }
    }
}

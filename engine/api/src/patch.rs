//! Changes to settings as JSON merge patches (RFC 7396): what is absent stays,
//! `null` goes back to the default, objects are merged.

use std::borrow::Cow;
use std::marker::PhantomData;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::openapi::schema::{Schema, SchemaType, Type};
use utoipa::openapi::{ObjectBuilder, OneOfBuilder, RefOr};
use utoipa::{PartialSchema, ToSchema};

use crate::extract::{refuse_lists_for_objects, unfit};
use crate::problem::Problem;

/// A merge patch of a `T`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Patch<T> {
    changes: Map<String, Value>,
    #[serde(skip)]
    of: PhantomData<fn() -> T>,
}

impl<T> Patch<T> {
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

impl<T> From<Map<String, Value>> for Patch<T> {
    fn from(changes: Map<String, Value>) -> Self {
        Self {
            changes,
            of: PhantomData,
        }
    }
}

impl<T: Serialize + DeserializeOwned> Patch<T> {
    /// The value with the changes made.
    pub fn apply(self, current: &T) -> Result<T, Problem> {
        let mut value =
            serde_json::to_value(current).map_err(|error| crate::problem::internal(&error))?;
        merge(&mut value, Value::Object(self.changes));
        let read = serde_path_to_error::deserialize(&value).map_err(|error| {
            let path = error.path().to_string();
            unfit(&path, &error.into_inner())
        })?;
        refuse_lists_for_objects(&value, &read)?;
        Ok(read)
    }
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(changes) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(fields) = target else {
        return;
    };
    for (name, change) in changes {
        match change {
            Value::Null => {
                fields.remove(&name);
            }
            change => merge(fields.entry(name).or_insert(Value::Null), change),
        }
    }
}

/// The schema of `T` in which nothing is required, and what has a default may
/// be null.
impl<T: ToSchema> PartialSchema for Patch<T> {
    fn schema() -> RefOr<Schema> {
        match T::schema() {
            RefOr::T(Schema::Object(mut object)) => {
                let required = std::mem::take(&mut object.required);
                for (name, property) in &mut object.properties {
                    if !required.contains(name) {
                        or_null(property);
                    }
                }
                object.description = Some(
                    "A JSON merge patch: what is absent stays, null goes back to the default."
                        .to_owned(),
                );
                RefOr::T(Schema::Object(object))
            }
            _ => RefOr::T(Schema::Object(ObjectBuilder::new().build())),
        }
    }
}

/// In the forms that an `Option` has.
fn or_null(schema: &mut RefOr<Schema>) {
    let nothing = || RefOr::T(Schema::from(ObjectBuilder::new().schema_type(Type::Null)));
    match schema {
        RefOr::T(Schema::Object(object)) => also_null(&mut object.schema_type),
        RefOr::T(Schema::Array(array)) => also_null(&mut array.schema_type),
        RefOr::T(Schema::OneOf(one)) if !one.items.contains(&nothing()) => {
            one.items.push(nothing());
        }
        RefOr::T(_) => {}
        RefOr::Ref(_) => {
            let either = OneOfBuilder::new().item(nothing()).item(schema.clone());
            *schema = RefOr::T(Schema::OneOf(either.build()));
        }
    }
}

fn also_null(kind: &mut SchemaType) {
    if let SchemaType::Type(only) = kind {
        *kind = SchemaType::from_iter([only.clone(), Type::Null]);
    }
}

impl<T: ToSchema> ToSchema for Patch<T> {
    fn name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Patch", T::name()))
    }

    fn schemas(schemas: &mut Vec<(String, RefOr<Schema>)>) {
        T::schemas(schemas);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::environment::EnvironmentPatch;

    #[test]
    fn what_has_a_default_may_be_null_and_nothing_is_required() {
        let schema = serde_json::to_value(EnvironmentPatch::schema()).unwrap();
        assert!(schema["required"].is_null(), "{schema:#}");
        let field = |name: &str| schema["properties"][name].clone();
        assert_eq!(field("drain_seconds")["type"], json!(["integer", "null"]));
        assert_eq!(field("domains")["type"], json!(["array", "null"]));
        assert_eq!(field("build")["oneOf"][0], json!({"type": "null"}));
        assert!(field("runtime")["oneOf"].is_null(), "it has no default");
    }

    #[test]
    fn a_patch_merges_as_rfc_7396_says() {
        let cases = [
            (json!({"a":"b"}), json!({"a":"c"}), json!({"a":"c"})),
            (json!({"a":"b"}), json!({"b":"c"}), json!({"a":"b","b":"c"})),
            (json!({"a":"b"}), json!({"a":null}), json!({})),
            (json!({"a":["b"]}), json!({"a":"c"}), json!({"a":"c"})),
            (
                json!({"a":{"b":"c"}}),
                json!({"a":{"b":"d","c":null}}),
                json!({"a":{"b":"d"}}),
            ),
            (json!({"e":null}), json!({"a":1}), json!({"e":null,"a":1})),
            (
                json!({}),
                json!({"a":{"bb":{"ccc":null}}}),
                json!({"a":{"bb":{}}}),
            ),
        ];
        for (mut target, patch, expected) in cases {
            merge(&mut target, patch);
            assert_eq!(target, expected);
        }
    }
}

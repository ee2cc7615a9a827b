//! Schemas in their plainest form, so that every generator of clients
//! understands them. An object that takes no other fields is of no use as a
//! part of a larger one, since it would refuse those of the other parts; so the
//! parts become one object. And each object has a name of its own, those within
//! others and each alternative too.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use utoipa::openapi::schema::{AllOf, ArrayItems, Components, Object, OneOf, Schema, Type};
use utoipa::openapi::{OneOfBuilder, Paths, Ref, RefOr};

type Schemas = BTreeMap<String, RefOr<Schema>>;

pub(super) fn simplify(components: &mut Components, paths: &Paths) {
    let mut simple = Simple {
        all: std::mem::take(&mut components.schemas),
        named: Schemas::new(),
    };
    for (name, mut schema) in simple.all.clone() {
        simple.plain(&mut schema, &name);
        simple.named.insert(name, schema);
    }
    let used = used(paths, &simple.named);
    simple.named.retain(|name, _| used.contains(name));
    components.schemas = simple.named;
}

struct Simple {
    /// As the types say it.
    all: Schemas,
    /// Those that are done.
    named: Schemas,
}

impl Simple {
    fn plain(&mut self, schema: &mut RefOr<Schema>, name: &str) {
        let RefOr::T(inner) = schema else { return };
        if let Schema::AllOf(parts) = inner
            && let Some(whole) = joined(parts, &self.all)
        {
            *inner = whole;
        }
        match inner {
            Schema::OneOf(alternatives) => self.name_each(alternatives, name),
            Schema::Object(object) => {
                for (field, property) in &mut object.properties {
                    self.within(property, &format!("{name}{}", capitalised(field)));
                }
            }
            Schema::Array(array) => {
                if let ArrayItems::RefOrSchema(items) = &mut array.items {
                    self.within(items, &format!("{name}Item"));
                }
            }
            _ => {}
        }
    }

    /// Below another one: an object is found by its name there.
    fn within(&mut self, schema: &mut RefOr<Schema>, name: &str) {
        let known = self.all.iter().find(|(_, known)| *known == schema);
        match known.filter(|_| is_object(schema)) {
            // Items of pages are written out.
            Some((known, _)) => *schema = Ref::from_schema_name(known).into(),
            None => {
                self.plain(schema, name);
                if is_object(schema) {
                    let done = std::mem::replace(schema, Ref::from_schema_name(name).into());
                    self.named.insert(name.to_owned(), done);
                }
            }
        }
    }

    fn name_each(&mut self, alternatives: &mut OneOf, name: &str) {
        for alternative in &mut alternatives.items {
            let tag = match alternative {
                RefOr::T(Schema::AllOf(parts)) => objects_of(parts, &self.all)
                    .as_deref()
                    .and_then(<[Object]>::first)
                    .and_then(tag),
                RefOr::T(Schema::Object(object)) => tag(object),
                _ => None,
            };
            if let Some(tag) = tag {
                self.within(alternative, &format!("{name}{}", capitalised(&tag)));
            }
        }
    }
}

fn is_object(schema: &RefOr<Schema>) -> bool {
    matches!(schema, RefOr::T(Schema::Object(object)) if !object.properties.is_empty())
}

/// What a field says that has the same value in all objects of this kind.
fn tag(object: &Object) -> Option<String> {
    object.properties.values().find_map(|property| {
        let RefOr::T(Schema::Object(property)) = property else {
            return None;
        };
        match property.enum_values.as_deref() {
            Some([Value::String(only)]) => Some(only.clone()),
            _ => None,
        }
    })
}

fn capitalised(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    words
        .filter_map(|word| {
            let (first, rest) = word.split_at_checked(1)?;
            Some(first.to_ascii_uppercase() + rest)
        })
        .collect()
}

/// None where one part is no object.
fn joined(parts: &AllOf, all: &Schemas) -> Option<Schema> {
    let mut objects = objects_of(parts, all)?;
    if let [_] = objects.as_slice() {
        let mut whole = objects.pop()?;
        whole.description = parts.description.clone();
        return Some(Schema::Object(whole));
    }
    let alternatives = objects
        .into_iter()
        .fold(OneOfBuilder::new(), OneOfBuilder::item);
    let alternatives = alternatives.description(parts.description.clone());
    Some(Schema::OneOf(alternatives.build()))
}

/// The objects that have what all parts have: several where a part is one of
/// several.
fn objects_of(parts: &AllOf, all: &Schemas) -> Option<Vec<Object>> {
    let nothing_yet = vec![Object::with_type(Type::Object)];
    parts.items.iter().try_fold(nothing_yet, |wholes, part| {
        let alternatives = alternatives_of(part, all)?;
        let both = |whole: &Object| -> Vec<Object> {
            let with = |part: &Object| with_part(whole.clone(), part);
            alternatives.iter().map(with).collect()
        };
        Some(wholes.iter().flat_map(both).collect())
    })
}

fn alternatives_of(part: &RefOr<Schema>, all: &Schemas) -> Option<Vec<Object>> {
    match part {
        RefOr::T(Schema::Object(object)) => Some(vec![object.clone()]),
        RefOr::T(Schema::AllOf(parts)) => objects_of(parts, all),
        RefOr::T(Schema::OneOf(alternatives)) => {
            let each = alternatives.items.iter();
            let each: Option<Vec<_>> = each.map(|one| alternatives_of(one, all)).collect();
            each.map(|each| each.concat())
        }
        RefOr::T(_) => None,
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next()?;
            alternatives_of(all.get(name)?, all)
        }
    }
}

fn with_part(mut whole: Object, part: &Object) -> Object {
    whole.properties.extend(part.properties.clone());
    whole.required.extend(part.required.iter().cloned());
    let closed = part.additional_properties.clone();
    whole.additional_properties = whole.additional_properties.or(closed);
    whole.description = part.description.clone().or(whole.description);
    whole
}

/// The names that something leads to; parts that went into a whole are needed
/// by nobody.
fn used(paths: &Paths, named: &Schemas) -> BTreeSet<String> {
    let value = |found: Result<Value, _>| found.unwrap_or_default();
    let named = value(serde_json::to_value(named));
    let mut used = BTreeSet::new();
    let mut open = vec![value(serde_json::to_value(paths))];
    while let Some(part) = open.pop() {
        match part {
            Value::Object(fields) => {
                let reference = fields.get("$ref").and_then(Value::as_str);
                if let Some(name) = reference.and_then(|path| path.rsplit('/').next())
                    && used.insert(name.to_owned())
                {
                    open.push(named[name].clone());
                }
                open.extend(fields.into_iter().map(|(_, value)| value));
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    used
}

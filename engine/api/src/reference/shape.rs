//! What a body or a part of it looks like.

use std::collections::BTreeSet;

use maud::{Markup, html};
use serde_json::{Map, Value};

/// All shapes that have a name.
#[derive(Debug)]
pub struct Shapes<'a> {
    named: Option<&'a Map<String, Value>>,
}

impl<'a> Shapes<'a> {
    pub fn of(description: &'a Value) -> Self {
        Self {
            named: description["components"]["schemas"].as_object(),
        }
    }

    /// Those that these parts of a description lead to, at any depth.
    pub fn used_by(&self, parts: impl Iterator<Item = &'a Value>) -> BTreeSet<&'a str> {
        let mut used = BTreeSet::new();
        let mut open: Vec<&'a Value> = parts.collect();
        while let Some(part) = open.pop() {
            match part {
                Value::Object(fields) => {
                    if let Some(name) = name_of(part)
                        && used.insert(name)
                    {
                        open.extend(self.get(name));
                    }
                    // Examples and defaults are values, not shapes; and what is
                    // refused looks the same everywhere.
                    let told = fields.iter();
                    let told =
                        told.filter(|(key, _)| !["example", "default"].contains(&key.as_str()));
                    open.extend(told.map(|(_, value)| value));
                }
                Value::Array(items) => open.extend(items),
                _ => {}
            }
        }
        used
    }

    /// One with all that it leads to.
    pub fn with(&self, name: &'a str) -> BTreeSet<&'a str> {
        let mut all = self.used_by(self.get(name).into_iter());
        all.insert(name);
        all
    }

    fn get(&self, name: &str) -> Option<&'a Value> {
        self.named?.get(name)
    }

    pub fn section(&self, name: &str) -> Markup {
        let Some(shape) = self.get(name) else {
            return html! {};
        };
        html! {
            section.card id={ "shape-" (name) } {
                h3 { (readable(name)) }
                @if let Some(about) = shape["description"].as_str() { p { (about) } }
                @if shape["properties"].is_object() { (self.fields(shape)) }
                @else { p { (self.kind(shape)) } }
            }
        }
    }

    /// The fields of an object, if it is one that has no name.
    pub fn fields(&self, shape: &Value) -> Markup {
        let required = |field: &String| {
            let all = shape["required"].as_array().into_iter().flatten();
            all.into_iter().any(|one| one.as_str() == Some(field))
        };
        let properties = shape["properties"].as_object();
        html! {
            @if properties.is_some_and(|properties| !properties.is_empty()) {
                dl.facts {
                    @for (field, property) in properties.into_iter().flatten() {
                        dt { code { (field) } }
                        dd {
                            (self.kind(property))
                            @if required(field) { ", required" }
                            (within(property))
                            @if let Some(about) = property["description"].as_str() { ". " (about) }
                            @if !property["default"].is_null() {
                                ". Unless set: " code { (property["default"].to_string()) }
                            }
                            (self.fields(property))
                        }
                    }
                }
            }
        }
    }

    /// In a few words.
    pub fn kind(&self, shape: &Value) -> Markup {
        if let Some(name) = name_of(shape) {
            return html! { a href={ "#shape-" (name) } { (readable(name)) } };
        }
        if let Some(all) = several(shape) {
            let some = all.iter().filter(|one| one["type"] != "null");
            let nothing = all.iter().any(|one| one["type"] == "null");
            return html! {
                @for (index, one) in some.enumerate() {
                    @if index > 0 { " or " }
                    (self.kind(one))
                }
                @if nothing { ", or null" }
            };
        }
        if let Some(values) = shape["enum"].as_array() {
            return html! {
                @for (index, value) in values.iter().enumerate() {
                    @if index > 0 { " or " }
                    code { (value.to_string()) }
                }
            };
        }
        match plain_type(shape) {
            ("array", nothing) => html! { "list of " (self.kind(&shape["items"])) (nothing) },
            ("object", nothing) if shape["additionalProperties"].is_object() => html! {
                "by name: " (self.kind(&shape["additionalProperties"])) (nothing)
            },
            (kind, nothing) => html! { (kind) (nothing) },
        }
    }
}

/// A type may be `null` as well.
fn plain_type(shape: &Value) -> (&str, &'static str) {
    match &shape["type"] {
        Value::String(kind) => (kind, ""),
        Value::Array(kinds) => {
            let mut some = kinds.iter().filter_map(Value::as_str);
            (
                some.find(|kind| *kind != "null").unwrap_or("null"),
                ", or null",
            )
        }
        _ => ("anything", ""),
    }
}

/// The limits of a value.
fn within(shape: &Value) -> Markup {
    let told = [
        ("minimum", "at least"),
        ("maximum", "at most"),
        ("minLength", "characters at least"),
        ("maxLength", "characters at most"),
        ("pattern", "matches"),
    ];
    html! {
        @for (key, words) in told {
            @if !shape[key].is_null() && shape[key] != 0 {
                ", " (words) " " code { (shape[key].as_str().map_or_else(|| shape[key].to_string(), str::to_owned)) }
            }
        }
    }
}

fn several(shape: &Value) -> Option<&Vec<Value>> {
    shape["oneOf"].as_array().or(shape["anyOf"].as_array())
}

fn name_of(shape: &Value) -> Option<&str> {
    shape["$ref"].as_str()?.rsplit('/').next()
}

/// `Page_App` is a page of what is called App.
fn readable(name: &str) -> String {
    name.replace('_', " of ")
}

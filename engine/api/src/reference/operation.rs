//! One request: what it takes, what it gives, and how `curl` asks.

use std::fmt::Write;

use maud::{Markup, html};
use serde_json::Value;

use super::PATH;
use super::shape::Shapes;

const JSON: &str = "application/json";

#[derive(Debug)]
pub struct Operation<'a> {
    method: String,
    path: &'a str,
    id: &'a str,
    /// Its part of the description.
    pub told: &'a Value,
}

impl<'a> Operation<'a> {
    pub fn new(method: &str, path: &'a str, told: &'a Value) -> Self {
        Self {
            method: method.to_uppercase(),
            path,
            id: told["operationId"].as_str().unwrap_or_default(),
            told,
        }
    }

    /// For a list of requests; `page` is where its section stands.
    pub fn line(&self, page: &str) -> Markup {
        html! {
            span.serves { a href={ (page) "#" (self.id) } { code { (self.method) " " (self.path) } } }
            span.note { (self.summary()) }
        }
    }

    pub fn section(&self, shapes: &Shapes<'_>) -> Markup {
        html! {
            section.card id=(self.id) {
                h2 { code { (self.method) " " (self.path) } }
                p { (self.summary()) }
                @if let Some(more) = self.told["description"].as_str() { p { (more) } }
                (self.parameters(shapes))
                (self.asked(shapes))
                (self.answers(shapes))
                @if self.has_example() {
                    h3 { "Example" }
                    pre tabindex="0" { (self.curl()) }
                    @if let Some(answer) = self.answer() { pre tabindex="0" { (answer) } }
                }
            }
        }
    }

    fn summary(&self) -> &str {
        self.told["summary"].as_str().unwrap_or_default()
    }

    fn all_parameters(&self) -> impl Iterator<Item = &'a Value> {
        self.told["parameters"].as_array().into_iter().flatten()
    }

    fn parameters(&self, shapes: &Shapes<'_>) -> Markup {
        html! {
            @if self.all_parameters().next().is_some() {
                h3 { "Parameters" }
                dl.facts {
                    @for parameter in self.all_parameters() {
                        dt {
                            code { (text(&parameter["name"])) }
                            " " span.note { "in the " (text(&parameter["in"])) }
                        }
                        dd {
                            (shapes.kind(&parameter["schema"]))
                            @if parameter["in"] != "path" && parameter["required"] == true { ", required" }
                            @if let Some(about) = parameter["description"].as_str() { ". " (about) }
                        }
                    }
                }
            }
        }
    }

    fn asked(&self, shapes: &Shapes<'_>) -> Markup {
        let content = self.told["requestBody"]["content"].as_object();
        html! {
            @for (kind, content) in content.into_iter().flatten() {
                h3 { "Body" }
                p { (shapes.kind(&content["schema"])) " as " code { (kind) } }
                (shapes.fields(&content["schema"]))
            }
        }
    }

    fn answers(&self, shapes: &Shapes<'_>) -> Markup {
        let answers = self.told["responses"].as_object().into_iter().flatten();
        html! {
            h3 { "Answers" }
            dl.facts {
                @for (status, answer) in answers {
                    dt { @if status == "default" { "refused" } @else { code { (status) } } }
                    dd {
                        @let content = answer["content"].as_object();
                        @if status == "default" {
                            p { a href={ (PATH) "#shape-Problem" } { "Problem" } " as " code { "application/problem+json" } }
                        } @else {
                            @for (kind, content) in content.into_iter().flatten() {
                                p { (shapes.kind(&content["schema"])) " as " code { (kind) } }
                            }
                        }
                        @if let Some(about) = answer["description"].as_str().filter(|a| !a.is_empty()) {
                            p.note { (about) }
                        } @else if content.is_none() { p.note { "without a body" } }
                    }
                }
            }
        }
    }

    /// A path can be written out when there is a value for each of its parts.
    fn has_example(&self) -> bool {
        let known = |parameter: &Value| !parameter["example"].is_null();
        let mut in_path = self.all_parameters().filter(|p| p["in"] == "path");
        in_path.all(known)
    }

    fn curl(&self) -> String {
        let mut path = self.path.to_owned();
        let mut query = Vec::new();
        for parameter in self.all_parameters() {
            let Some(example) = parameter["example"].as_str() else {
                continue;
            };
            let name = text(&parameter["name"]);
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), example),
                Some("query") => query.push(format!("{name}={example}")),
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", query.join("&"));
        }
        let mut line = String::from("curl");
        if self.method != "GET" {
            let _ = write!(line, " -X {}", self.method);
        }
        let _ = write!(line, " \"$SHIPWAY_SERVER{path}\"");
        line.push_str(" \\\n  -H \"Authorization: Bearer $SHIPWAY_TOKEN\"");
        let content = self.told["requestBody"]["content"].as_object();
        for (kind, content) in content.into_iter().flatten() {
            let _ = write!(line, " \\\n  -H 'Content-Type: {kind}'");
            match pretty(&content["example"]) {
                Some(body) => drop(write!(line, " \\\n  -d '{}'", body.replace('\'', "'\\''"))),
                None => line.push_str(" \\\n  --data-binary @FILE"),
            }
        }
        line
    }

    fn answer(&self) -> Option<String> {
        let mut answers = self.told["responses"].as_object()?.values();
        answers.find_map(|answer| pretty(&answer["content"][JSON]["example"]))
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn pretty(value: &Value) -> Option<String> {
    (!value.is_null()).then(|| serde_json::to_string_pretty(value).unwrap_or_default())
}

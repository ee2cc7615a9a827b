//! Whether what came is what the case expects, and where it is not.

use serde_json::Value;

use super::case::{Expect, ExpectedRequest};
use super::outcome::{Outcome, Sent};

/// Each difference, in words; none when all is as expected.
pub fn mismatches(expect: &Expect, outcome: &Outcome) -> Vec<String> {
    let mut found = Vec::new();
    let said = [
        ("result", &expect.result, &outcome.result),
        ("failure", &expect.failure, &outcome.failure),
        ("error", &expect.error, &outcome.error),
    ];
    for (what, wanted, came) in said {
        if let Some(wanted) = wanted {
            compare(what, wanted, came.as_ref(), &mut found);
        }
    }
    let expects_trouble = expect.failure.is_some() || expect.error.is_some();
    if let (false, Some(message)) = (expects_trouble, outcome.trouble()) {
        found.push(format!("it failed: {message}"));
    }
    for wanted in &expect.log {
        if !outcome.log.iter().any(|line| line.message.contains(wanted)) {
            found.push(format!("log: no line contains {wanted:?}"));
        }
    }
    if let Some(wanted) = &expect.requests {
        requests(wanted, &outcome.requests, &mut found);
    }
    found
}

/// Of an object the keys that are named, of a list every element.
fn compare(at: &str, wanted: &Value, came: Option<&Value>, found: &mut Vec<String>) {
    let Some(came) = came else {
        found.push(format!("{at}: expected {wanted}, and there is none"));
        return;
    };
    match (wanted, came) {
        (Value::Object(wanted), Value::Object(came)) => {
            for (key, value) in wanted {
                compare(&format!("{at}.{key}"), value, came.get(key), found);
            }
        }
        (Value::Array(wanted), Value::Array(came)) => {
            if wanted.len() != came.len() {
                let (wanted, came) = (wanted.len(), came.len());
                found.push(format!(
                    "{at}: expected {wanted} elements, and there are {came}"
                ));
            }
            for (index, (wanted, came)) in wanted.iter().zip(came).enumerate() {
                compare(&format!("{at}[{index}]"), wanted, Some(came), found);
            }
        }
        _ if wanted == came => {}
        _ => found.push(format!("{at}: expected {wanted}, and it is {came}")),
    }
}

fn requests(wanted: &[ExpectedRequest], sent: &[Sent], found: &mut Vec<String>) {
    if wanted.len() != sent.len() {
        let (wanted, sent) = (wanted.len(), sent.len());
        found.push(format!("requests: expected {wanted}, and {sent} were sent"));
    }
    for (index, (wanted, sent)) in wanted.iter().zip(sent).enumerate() {
        request(&format!("requests[{index}]"), wanted, sent, found);
    }
}

fn request(at: &str, wanted: &ExpectedRequest, sent: &Sent, found: &mut Vec<String>) {
    let mut same = |what: &str, wanted: Option<&str>, sent: Option<&str>| {
        if let Some(wanted) = wanted.filter(|wanted| Some(*wanted) != sent) {
            let sent = sent.unwrap_or("none");
            found.push(format!(
                "{at}.{what}: expected {wanted:?}, and it is {sent:?}"
            ));
        }
    };
    same("method", wanted.method.as_deref(), Some(&sent.method));
    same("url", wanted.url.as_deref(), Some(&sent.url));
    same("body", wanted.body.as_deref(), Some(&sent.body));
    for (name, value) in &wanted.headers {
        let mut headers = sent.headers.iter();
        let header = headers.find(|(own, _)| own.eq_ignore_ascii_case(name));
        let header = header.map(|(_, value)| value.as_str());
        same(&format!("headers.{name}"), Some(value), header);
    }
    if let Some(wanted) = &wanted.body_json {
        let body: Option<Value> = serde_json::from_str(&sent.body).ok();
        compare(&format!("{at}.body-json"), wanted, body.as_ref(), found);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differences(wanted: Value, came: Value) -> Vec<String> {
        let mut found = Vec::new();
        compare("result", &wanted, Some(&came), &mut found);
        found
    }

    #[test]
    fn an_object_may_have_more_and_a_list_may_not() {
        assert!(differences(json!({"a": 1}), json!({"a": 1, "b": 2})).is_empty());
        assert_eq!(
            differences(json!([1]), json!([1, 2])),
            ["result: expected 1 elements, and there are 2"]
        );
    }

    #[test]
    fn a_difference_says_where_it_is() {
        assert_eq!(
            differences(
                json!({"commands": [{"label": "Migrate"}]}),
                json!({"commands": [{"label": "migrate"}]})
            ),
            [r#"result.commands[0].label: expected "Migrate", and it is "migrate""#]
        );
        assert_eq!(
            differences(json!({"x": null}), json!({})),
            ["result.x: expected null, and there is none"]
        );
    }

    #[test]
    fn an_unexpected_failure_is_a_mismatch() {
        let outcome = Outcome {
            failure: Some(json!({"code": "denied", "message": "No."})),
            ..Outcome::default()
        };
        assert_eq!(
            mismatches(&Expect::default(), &outcome),
            ["it failed: denied: No."]
        );
        let expected = Expect {
            failure: Some(json!({"code": "denied"})),
            ..Expect::default()
        };
        assert!(mismatches(&expected, &outcome).is_empty());
    }
}

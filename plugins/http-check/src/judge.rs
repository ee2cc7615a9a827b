//! Whether an answer is the wanted one.

use shipway_sdk::http::Response;

use crate::wanted::Wanted;

/// How much of a body is shown, in characters.
const SHOWN: usize = 120;

/// Everything that is wrong with an answer, in words. Empty when nothing is.
pub fn faults(wanted: &Wanted, response: &Response) -> Vec<String> {
    let mut faults = Vec::new();
    faults.extend(status_fault(wanted, response));
    faults.extend(header_faults(wanted, response));
    faults.extend(body_fault(wanted, response));
    faults
}

fn status_fault(wanted: &Wanted, response: &Response) -> Option<String> {
    if wanted.status.accepts(response.status) {
        return None;
    }
    let leads = match response.headers("location").next() {
        Some(location) => format!(" (to {})", shown(location)),
        None => String::new(),
    };
    Some(format!(
        "answered {}{leads}, expected {}",
        response.status, wanted.status
    ))
}

fn header_faults(wanted: &Wanted, response: &Response) -> impl Iterator<Item = String> {
    wanted.header.iter().filter_map(|(name, expected)| {
        let seen: Vec<&str> = response.headers(name).collect();
        if seen.contains(&expected.as_str()) {
            return None;
        }
        Some(if seen.is_empty() {
            format!("has no header `{name}`, expected `{expected}`")
        } else {
            format!(
                "header `{name}` is `{}`, expected `{expected}`",
                shown(&seen.join(", "))
            )
        })
    })
}

fn body_fault(wanted: &Wanted, response: &Response) -> Option<String> {
    let expected = wanted.contains.as_deref()?;
    let body = response.text();
    if body.contains(expected) {
        return None;
    }
    if body.trim().is_empty() {
        return Some(format!("the body is empty, expected `{expected}` in it"));
    }
    Some(format!(
        "the body does not contain `{expected}`; it begins `{}`",
        shown(&body)
    ))
}

/// A text on one line, shortened.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let start: String = line.chars().take(SHOWN).collect();
    format!("{start}…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(json: &str) -> Wanted {
        serde_json::from_str(json).unwrap()
    }

    fn response(status: u16, headers: &[(&str, &str)], body: &str) -> Response {
        Response {
            status,
            headers: headers
                .iter()
                .map(|&(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
            body: body.into(),
        }
    }

    #[test]
    fn the_wanted_answer_has_no_faults() {
        let wanted = wanted(
            r#"{"path": "/", "status": [200, 204], "header": {"Content-Type": "text/plain"},
                "contains": "ok"}"#,
        );
        let good = response(204, &[("content-type", "text/plain")], "it is ok");
        assert!(faults(&wanted, &good).is_empty());
    }

    #[test]
    fn every_fault_is_named() {
        let wanted =
            wanted(r#"{"path": "/", "header": {"x-a": "1", "x-b": "2"}, "contains": "welcome"}"#);
        let bad = response(
            302,
            &[("Location", "/login"), ("x-a", "3")],
            "Found\n\n elsewhere",
        );
        assert_eq!(
            faults(&wanted, &bad),
            [
                "answered 302 (to /login), expected 200",
                "header `x-a` is `3`, expected `1`",
                "has no header `x-b`, expected `2`",
                "the body does not contain `welcome`; it begins `Found elsewhere`",
            ]
        );
    }

    #[test]
    fn a_long_body_is_shortened() {
        let wanted = wanted(r#"{"path": "/", "contains": "x"}"#);
        let long = response(200, &[], &"a".repeat(1000));
        assert!(faults(&wanted, &long)[0].chars().count() < 200);
        let empty = response(200, &[], " ");
        assert_eq!(
            faults(&wanted, &empty),
            ["the body is empty, expected `x` in it"]
        );
    }
}

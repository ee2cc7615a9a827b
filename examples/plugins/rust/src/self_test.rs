//! Asks every web instance of the new version for one page.

use shipway_sdk::candidate::Endpoint;
use shipway_sdk::prelude::*;

use crate::Example;

impl SelfTest for Example {
    fn run(_: &Deployment) -> Result<Report, Failure> {
        let path = settings::get("path").unwrap_or_else(|| "/".to_owned());
        let mut checks: Vec<Check> = candidate::endpoints()
            .iter()
            .filter(|endpoint| endpoint.process == "web")
            .map(|endpoint| visit(endpoint, &path))
            .collect();
        if checks.is_empty() {
            checks.push(Check::skip("web", "there is no web process"));
        }
        Ok(Report::from_iter(checks))
    }
}

fn visit(endpoint: &Endpoint, path: &str) -> Check {
    let name = format!("GET {path}");
    let mut request = http::Request::new("GET", endpoint.join(path));
    if !endpoint.host.is_empty() {
        request = request.header("host", &endpoint.host);
    }
    match request.send() {
        Ok(response) => judge(name, &response, settings::get("text").as_deref()),
        Err(failure) => Check::fail(name, failure.code.as_str()),
    }
}

fn judge(name: String, response: &http::Response, text: Option<&str>) -> Check {
    let answered = format!("answered {}", response.status);
    if !(200..400).contains(&response.status) {
        return Check::fail(name, answered);
    }
    match text {
        Some(text) if !response.text().contains(text) => {
            Check::fail(name, format!("the page does not contain {text}"))
        }
        _ => Check::pass(name, answered),
    }
}

#[cfg(test)]
mod tests {
    use shipway_sdk::self_test::Outcome;

    use super::*;

    #[test]
    fn a_page_answers_and_has_the_text() {
        let page = |status, text| {
            let response = http::Response::new(status, "hello, world");
            judge("GET /".to_owned(), &response, text).outcome
        };
        assert_eq!(page(302, None), Outcome::Pass);
        assert_eq!(page(200, Some("hello")), Outcome::Pass);
        assert_eq!(page(200, Some("welcome")), Outcome::Fail);
        assert_eq!(page(404, None), Outcome::Fail);
    }
}

//! Asks the new version for a page before anybody else does.

use shipway_sdk::candidate::Endpoint;
use shipway_sdk::prelude::*;

struct Page;

impl Plugin for Page {
    fn describe() -> Manifest {
        // The candidate's own endpoints are granted without asking.
        Manifest::new(
            "{{name}}",
            env!("CARGO_PKG_VERSION"),
            "Asks every instance of the new version for a page.",
        )
        .setting(Setting::optional(
            "path",
            "What is asked for; / unless set.",
        ))
        .setting(Setting::optional("text", "What the page must contain."))
    }
}

impl SelfTest for Page {
    fn run(_: &Deployment) -> Result<Report, Failure> {
        let path = settings::get("path").unwrap_or_else(|| "/".to_owned());
        let text = settings::get("text");
        Ok(candidate::endpoints()
            .iter()
            .filter(|endpoint| endpoint.process == "web")
            .map(|endpoint| check(endpoint, &path, text.as_deref()))
            .collect())
    }
}

/// One failed check fails the deployment, and the old version stays.
fn check(endpoint: &Endpoint, path: &str, text: Option<&str>) -> Check {
    let name = format!("GET {path}");
    let mut request = http::Request::new("GET", endpoint.join(path));
    if !endpoint.host.is_empty() {
        request = request.header("host", &endpoint.host);
    }
    match request.send() {
        Err(failure) => Check::fail(name, failure.message),
        Ok(page) if !(200..400).contains(&page.status) => {
            Check::fail(name, format!("answered {}", page.status))
        }
        Ok(page) => match text.filter(|text| !page.text().contains(text)) {
            Some(text) => Check::fail(name, format!("the page does not contain {text}")),
            None => Check::pass(name, format!("answered {}", page.status)),
        },
    }
}

shipway_sdk::export!(Page: self-test);

#[cfg(test)]
mod tests {
    use super::*;
    use shipway_sdk::testing::{self, Host};

    #[test]
    fn without_a_web_process_there_is_nothing_to_ask() {
        let report = Host::of::<Page>().run(|| Page::run(&testing::deployment()));
        assert_eq!(report.unwrap().checks, []);
    }
}

//! Every check, asked of every instance.

use std::time::Instant;

use shipway_sdk::candidate::Endpoint;
use shipway_sdk::failure::Code;
use shipway_sdk::prelude::*;

use crate::judge;
use crate::wanted::{self, Wanted};

/// The plugin.
#[derive(Debug)]
pub struct HttpCheck;

impl Plugin for HttpCheck {
    fn describe() -> Manifest {
        Manifest::new(
            "http-check",
            env!("CARGO_PKG_VERSION"),
            "Asks paths of the new version for status, headers and body text before it is routed.",
        )
        .setting(Setting::optional(
            "paths",
            "Paths separated by commas that must answer 200; `/` below 500 unless set.",
        ))
        .setting(Setting::optional(
            "checks",
            "A JSON list of {path, method, status, header, contains, process, timeout_ms, name}, \
             instead of `paths`.",
        ))
    }
}

impl SelfTest for HttpCheck {
    fn run(_: &Deployment) -> Result<Report, Failure> {
        let wanted = wanted::from_settings()?;
        let endpoints = candidate::endpoints();
        if endpoints.is_empty() {
            let message = "no process of the new version has a port that could be asked";
            return Ok(Report::from_iter([Check::skip("http-check", message)]));
        }
        let mut checks = Vec::new();
        for wanted in &wanted {
            checks.extend(ask_all(wanted, &endpoints)?);
        }
        Ok(Report::from_iter(checks))
    }
}

/// Asks every instance that the check is meant for.
fn ask_all(wanted: &Wanted, endpoints: &[Endpoint]) -> Result<Vec<Check>, Failure> {
    let meant = |endpoint: &&Endpoint| {
        let process = wanted.process.as_deref();
        process.is_none_or(|process| process == endpoint.process)
    };
    let asked: Vec<&Endpoint> = endpoints.iter().filter(meant).collect();
    if asked.is_empty() {
        return Ok(vec![nobody(wanted, endpoints)]);
    }
    asked
        .iter()
        .enumerate()
        .map(|(index, endpoint)| {
            let peers = asked.iter().filter(|peer| peer.process == endpoint.process);
            let instance = match peers.count() {
                1 => endpoint.process.clone(),
                _ => format!("{} {}", endpoint.process, number(&asked, index)),
            };
            ask(wanted, endpoint, format!("{instance}: {}", wanted.name()))
        })
        .collect()
}

/// The instance's number among those of its process type, from 1.
fn number(asked: &[&Endpoint], index: usize) -> usize {
    let process = asked.get(index).map(|endpoint| &endpoint.process);
    asked
        .iter()
        .take(index.saturating_add(1))
        .filter(|peer| Some(&peer.process) == process)
        .count()
}

/// A check that names a process type nobody has does not pass in silence.
fn nobody(wanted: &Wanted, endpoints: &[Endpoint]) -> Check {
    let mut known: Vec<&str> = endpoints
        .iter()
        .map(|endpoint| endpoint.process.as_str())
        .collect();
    known.dedup();
    Check::fail(
        wanted.name(),
        format!(
            "no instance of the process `{}` has a port; those that have: {}",
            wanted.process.as_deref().unwrap_or_default(),
            known.join(", ")
        ),
    )
}

fn ask(wanted: &Wanted, endpoint: &Endpoint, name: String) -> Result<Check, Failure> {
    let url = endpoint.join(&wanted.path);
    let mut request = http::Request::new(&wanted.method, &url);
    if !endpoint.host.is_empty() {
        request = request.header("host", &endpoint.host);
    }
    request.timeout = wanted.timeout();
    let started = Instant::now();
    let answer = request.send();
    let took = started.elapsed();
    let mut check = match answer {
        Ok(response) => {
            let faults = judge::faults(wanted, &response);
            if faults.is_empty() {
                Check::pass(name, format!("answered {}", response.status))
            } else {
                Check::fail(name, faults.join("; "))
            }
        }
        Err(failure) if is_ours(&failure) => return Err(failure.context(name)),
        Err(failure) => Check::fail(name, format!("no answer: {failure}")),
    };
    check.attributes.push(("url".to_owned(), url));
    Ok(check.took(took))
}

/// Whether the request was refused before the candidate was asked at all.
fn is_ours(failure: &Failure) -> bool {
    [Code::DENIED, Code::LIMIT, Code::INVALID].contains(&failure.code)
}

#[cfg(test)]
mod tests {
    use shipway_sdk::http::Response;
    use shipway_sdk::self_test::Outcome;
    use shipway_sdk::testing::{self, Host};

    use super::*;

    fn two() -> Host {
        Host::of::<HttpCheck>()
            .endpoint("web", "http://10.0.0.2:8000", "example.com")
            .endpoint("web", "http://10.0.0.3:8000", "example.com")
            .endpoint("api", "http://10.0.0.4:9000", "")
    }

    fn run(host: &Host) -> Result<Vec<Check>, Failure> {
        host.run(|| HttpCheck::run(&testing::deployment()))
            .map(|report| report.checks)
    }

    fn names(checks: &[Check]) -> Vec<&str> {
        checks.iter().map(|check| check.name.as_str()).collect()
    }

    #[test]
    fn every_instance_is_asked_with_its_host() {
        let host = two().http(|_| Ok(Response::new(404, "")));
        let checks = run(&host).unwrap();
        assert_eq!(
            names(&checks),
            ["web 1: GET /", "web 2: GET /", "api: GET /"]
        );
        assert!(checks.iter().all(|check| check.outcome == Outcome::Pass));
        let requests = host.requests();
        assert_eq!(requests[0].url, "http://10.0.0.2:8000/");
        assert_eq!(
            requests[0].headers,
            [("host".to_owned(), "example.com".to_owned())]
        );
        assert!(requests[2].headers.is_empty());
    }

    #[test]
    fn one_sick_instance_is_told_from_the_others() {
        let host = two().setting("paths", "/health").http(|request| {
            let sick = request.url.contains("10.0.0.3");
            Ok(Response::new(if sick { 503 } else { 200 }, ""))
        });
        let checks = run(&host).unwrap();
        assert_eq!(checks[0].message, "answered 200");
        assert_eq!(checks[1].outcome, Outcome::Fail);
        assert_eq!(checks[1].message, "answered 503, expected 200");
        assert_eq!(
            checks[1].attributes,
            [("url".to_owned(), "http://10.0.0.3:8000/health".to_owned())]
        );
    }

    #[test]
    fn a_check_may_name_its_process() {
        let checks = r#"[{"path": "/m", "process": "api"}, {"path": "/n", "process": "worker"}]"#;
        let host = two()
            .setting("checks", checks)
            .http(|_| Ok(Response::new(200, "")));
        let checks = run(&host).unwrap();
        assert_eq!(names(&checks), ["api: GET /m", "GET /n"]);
        assert_eq!(
            checks[1].message,
            "no instance of the process `worker` has a port; those that have: web, api"
        );
    }

    #[test]
    fn no_answer_fails_the_check_and_a_limit_fails_the_test() {
        let silent = two().http(|_| Err(Failure::new(Code::TIMEOUT, "nothing came in 10 s")));
        let checks = run(&silent).unwrap();
        assert_eq!(checks[0].outcome, Outcome::Fail);
        assert_eq!(checks[0].message, "no answer: nothing came in 10 s");
        let limited = two().http(|_| Err(Failure::new(Code::LIMIT, "64 requests are the limit")));
        let failure = run(&limited).unwrap_err();
        assert_eq!(failure.message, "web 1: GET /: 64 requests are the limit");
    }

    #[test]
    fn without_a_port_the_check_is_skipped() {
        let checks = run(&Host::of::<HttpCheck>()).unwrap();
        assert_eq!(checks[0].outcome, Outcome::Skip);
    }
}

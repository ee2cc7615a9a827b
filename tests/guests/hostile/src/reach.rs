//! What a guest reaches for, and what it gets: its lines come back as warnings
//! or checks.

use crate::bindings::exports::shipway::notify::notifier::Event;
use crate::bindings::shipway::plugin::model::{Deployment, Failure};
use crate::bindings::shipway::plugin::{candidate, http, image, log, settings, source, variables};
use crate::{setting, spy, wasi};

pub fn on_demand(act: &str, deployment: &Deployment) -> Result<Vec<String>, Failure> {
    let (act, argument) = act.split_once(' ').unwrap_or((act, ""));
    match act {
        "settings" => Ok(vec![format!("{:?}", settings::get(argument))]),
        "read" => source::read(argument).map(|bytes| vec![text(&bytes)]),
        "find" => source::find(argument),
        "image" => run(argument),
        "image-often" => (0..9).try_fold(Vec::new(), |_, _| run(argument)),
        "image-words" => run(&"x ".repeat(argument.parse().unwrap_or(0))),
        "http" => send(),
        "http-often" => Ok(send_often()),
        "candidate" => ask_candidate(),
        "variable" => variables::get(argument).map(|value| vec![format!("{value:?}")]),
        "exec" => exec(argument),
        "remember" => Ok(vec![setting(argument)]),
        "spy" => send().and_then(spy),
        "pry" => Ok(wasi::pry()),
        "sockets" => Ok(wasi::sockets()),
        "wasi-http" => Ok(wasi::http()),
        "log" => Ok(speak(argument)),
        "ambient" => Ok(ambient()),
        "deployment" => Ok(vec![format!("{deployment:?}")]),
        "fail" => Err(Failure {
            code: "broken".to_owned(),
            message: argument.to_owned(),
            retryable: true,
            attributes: Vec::new(),
        }),
        _ => Ok(Vec::new()),
    }
}

pub fn tell(event: &Event) {
    let line = format!(
        "{} {} {}: {}",
        event.id, event.sequence, event.kind, event.data
    );
    log::write(log::Level::Info, &line);
}

fn run(command: &str) -> Result<Vec<String>, Failure> {
    let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let output = image::run(&argv, &[("A".to_owned(), "b".to_owned())])?;
    Ok(vec![format!(
        "{} {:?} {}",
        output.exit_code,
        text(&output.stdout).chars().take(200).collect::<String>(),
        output.truncated
    )])
}

fn exec(command: &str) -> Result<Vec<String>, Failure> {
    let argv: Vec<String> = command.split(' ').map(str::to_owned).collect();
    let output = candidate::exec("web", &argv)?;
    Ok(vec![text(&output.stdout)])
}

/// The answer in memory, and in the log, before memory is carried away.
fn spy(mut seen: Vec<String>) -> Result<Vec<String>, Failure> {
    for line in &seen {
        log::write(log::Level::Info, line);
    }
    seen.extend(spy::dump()?);
    Ok(seen)
}

/// `{token}` in url, header and body becomes what the setting says.
fn request() -> http::Request {
    let filled = |name: &str| setting(name).replace("{token}", &setting("token"));
    let headers = filled("headers");
    let headers = headers.lines().filter_map(|line| line.split_once(": "));
    http::Request {
        method: match setting("method") {
            method if method.is_empty() => "POST".to_owned(),
            method => method,
        },
        url: filled("url"),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: filled("body").into_bytes(),
        timeout_ms: setting("timeout").parse().ok(),
        attributes: Vec::new(),
    }
}

fn send() -> Result<Vec<String>, Failure> {
    let response = http::send(&request())?;
    let mut lines = vec![response.status.to_string()];
    lines.extend(
        response
            .headers
            .iter()
            .map(|(name, value)| format!("{name}: {value}")),
    );
    lines.push(format!("{} bytes", response.body.len()));
    lines.push(text(&response.body).chars().take(500).collect());
    Ok(lines)
}

fn send_often() -> Vec<String> {
    let answers = (0..70).map(|_| match http::send(&request()) {
        Ok(response) => response.status.to_string(),
        Err(failure) => failure.code,
    });
    let mut counted: Vec<(String, u32)> = Vec::new();
    for answer in answers {
        match counted.iter_mut().find(|(known, _)| *known == answer) {
            Some((_, number)) => *number += 1,
            None => counted.push((answer, 1)),
        }
    }
    counted
        .into_iter()
        .map(|(answer, number)| format!("{number} x {answer}"))
        .collect()
}

fn ask_candidate() -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for endpoint in candidate::endpoints() {
        let response = http::send(&http::Request {
            method: "GET".to_owned(),
            url: format!("{}/health", endpoint.url),
            headers: vec![("host".to_owned(), endpoint.host.clone())],
            body: Vec::new(),
            timeout_ms: None,
            attributes: Vec::new(),
        })?;
        let body = text(&response.body);
        lines.push(format!("{} {} {body}", endpoint.process, response.status));
    }
    Ok(lines)
}

#[expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "this is the point"
)]
fn speak(argument: &str) -> Vec<String> {
    let secret = setting("token");
    log::write(log::Level::Warn, &format!("{argument} {secret}"));
    println!("to stdout {secret}");
    eprint!("to stderr without an end");
    Vec::new()
}

/// What WASI has: nothing.
fn ambient() -> Vec<String> {
    let connected = std::net::TcpStream::connect("127.0.0.1:80").is_ok();
    let resolved = std::net::ToSocketAddrs::to_socket_addrs(&("localhost", 80)).is_ok();
    vec![
        format!("variables {}", std::env::vars().count()),
        format!("arguments {}", std::env::args().count()),
        format!("files {}", std::fs::read_dir("/").is_ok()),
        format!("network {connected}"),
        format!("names {resolved}"),
    ]
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

//! The host's functions, as this crate calls them.

use std::time::Duration;

use super::imports::shipway::plugin::{
    candidate, http as wire_http, image as wire_image, log as wire_log, model, settings, source,
    variables,
};
use crate::candidate::Endpoint;
use crate::failure::Failure;
use crate::http::{Request, Response};
use crate::image::Output;
use crate::log::Level;

pub(crate) fn read(path: &str) -> Result<Vec<u8>, Failure> {
    Ok(source::read(path)?)
}

pub(crate) fn find(glob: &str) -> Result<Vec<String>, Failure> {
    Ok(source::find(glob)?)
}

pub(crate) fn setting(name: &str) -> Option<String> {
    settings::get(name)
}

pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    Ok(variables::get(name)?)
}

pub(crate) fn log(level: Level, message: &str) {
    let level = match level {
        Level::Debug => wire_log::Level::Debug,
        Level::Info => wire_log::Level::Info,
        Level::Warn => wire_log::Level::Warn,
        Level::Error => wire_log::Level::Error,
    };
    wire_log::write(level, message);
}

pub(crate) fn run_image(argv: &[&str], variables: &[(&str, &str)]) -> Result<Output, Failure> {
    let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
    let variables: Vec<(String, String)> = variables
        .iter()
        .map(|&(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Ok(output(wire_image::run(&argv, &variables)?))
}

pub(crate) fn exec(process: &str, argv: &[&str]) -> Result<Output, Failure> {
    let argv: Vec<String> = argv.iter().map(|&word| word.to_owned()).collect();
    Ok(output(candidate::exec(process, &argv)?))
}

fn output(output: model::Output) -> Output {
    Output {
        exit_code: output.exit_code,
        stdout: output.stdout,
        stderr: output.stderr,
        truncated: output.truncated,
    }
}

pub(crate) fn send(request: Request) -> Result<Response, Failure> {
    let response = wire_http::send(&wire_http::Request {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body,
        timeout_ms: request.timeout.map(whole_milliseconds),
        attributes: Vec::new(),
    })?;
    Ok(Response {
        status: response.status,
        headers: response.headers,
        body: response.body,
    })
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    candidate::endpoints()
        .into_iter()
        .map(|endpoint| Endpoint {
            process: endpoint.process,
            url: endpoint.url,
            host: endpoint.host,
        })
        .collect()
}

pub(super) fn whole_milliseconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_millis()).unwrap_or(u32::MAX)
}

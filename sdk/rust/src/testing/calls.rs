//! The host's functions in a native build: they ask the host that this thread
//! has entered.

use std::cell::RefCell;
use std::rc::Rc;

use super::grants;
use super::host::{ExecCall, ImageCall, Line, State};
use crate::candidate::Endpoint;
use crate::failure::{Code, Failure};
use crate::http::{Request, Response};
use crate::image::Output;
use crate::log::Level;

thread_local! {
    /// The hosts that this thread has entered, the innermost last.
    static HOSTS: RefCell<Vec<Rc<State>>> = const { RefCell::new(Vec::new()) };
}

/// The largest file that `source.read` hands over.
const FILE_BYTES: usize = 1 << 20;
/// The most paths that `source.find` hands over.
const FOUND_PATHS: usize = 1000;

/// Leaves the host when it is dropped, also by a panic of the test.
pub(super) struct Entered;

impl Entered {
    pub(super) fn enter(state: Rc<State>) -> Self {
        HOSTS.with_borrow_mut(|hosts| hosts.push(state));
        Self
    }
}

impl Drop for Entered {
    fn drop(&mut self) {
        HOSTS.with_borrow_mut(Vec::pop);
    }
}

pub(crate) fn read(path: &str) -> Result<Vec<u8>, Failure> {
    let host = host()?;
    grants::file(&host.manifest, path)?;
    let content = host.files.borrow().get(path).cloned();
    let content =
        content.ok_or_else(|| Failure::new(Code::NOT_FOUND, format!("there is no `{path}`")))?;
    if content.len() > FILE_BYTES {
        return Err(Failure::new(
            Code::TOO_LARGE,
            format!("`{path}` is over 1 MiB"),
        ));
    }
    Ok(content)
}

pub(crate) fn find(glob: &str) -> Result<Vec<String>, Failure> {
    let host = host()?;
    let matcher = grants::glob(glob)?;
    let found: Vec<String> = host
        .files
        .borrow()
        .keys()
        .filter(|path| matcher.is_match(path) && grants::file(&host.manifest, path).is_ok())
        .cloned()
        .collect();
    if found.len() > FOUND_PATHS {
        return Err(Failure::new(
            Code::LIMIT,
            format!("`{glob}` matches over {FOUND_PATHS} paths"),
        ));
    }
    Ok(found)
}

pub(crate) fn setting(name: &str) -> Option<String> {
    let host = host().ok()?;
    let value = value_of(&host, name)?;
    let secret = host
        .manifest
        .settings
        .iter()
        .any(|setting| setting.name == name && setting.secret);
    Some(if secret {
        format!("secret:{name}")
    } else {
        value
    })
}

pub(crate) fn variable(name: &str) -> Result<Option<String>, Failure> {
    let host = host()?;
    grants::variable(&host.manifest, name)?;
    Ok(host.variables.borrow().get(name).cloned())
}

pub(crate) fn log(level: Level, message: &str) {
    if let Ok(host) = host() {
        host.log.borrow_mut().push(Line {
            level,
            message: message.to_owned(),
        });
    }
}

pub(crate) fn run_image(argv: &[&str], variables: &[(&str, &str)]) -> Result<Output, Failure> {
    let host = host()?;
    grants::image(&host.manifest)?;
    let call = ImageCall {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        variables: variables
            .iter()
            .map(|&(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
    };
    host.image_calls.borrow_mut().push(call.clone());
    (host.image.borrow())(&call)
}

pub(crate) fn exec(process: &str, argv: &[&str]) -> Result<Output, Failure> {
    let host = host()?;
    grants::exec(&host.manifest)?;
    let call = ExecCall {
        process: process.to_owned(),
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
    };
    host.exec_calls.borrow_mut().push(call.clone());
    (host.exec.borrow())(&call)
}

pub(crate) fn send(request: Request) -> Result<Response, Failure> {
    let host = host()?;
    let candidate: Vec<String> = host
        .endpoints
        .borrow()
        .iter()
        .map(|endpoint| endpoint.url.clone())
        .collect();
    grants::http(
        &host.manifest,
        &request.method,
        &request.url,
        &candidate,
        |name| value_of(&host, name),
    )?;
    host.requests.borrow_mut().push(request.clone());
    (host.http.borrow())(&request)
}

pub(crate) fn endpoints() -> Vec<Endpoint> {
    host().map_or_else(|_| Vec::new(), |host| host.endpoints.borrow().clone())
}

fn value_of(host: &State, name: &str) -> Option<String> {
    host.settings.borrow().get(name).cloned()
}

fn host() -> Result<Rc<State>, Failure> {
    HOSTS
        .with_borrow(|hosts| hosts.last().cloned())
        .ok_or_else(|| {
            Failure::unavailable(
                "this is no component and no host is entered; call the plugin in \
             `shipway_sdk::testing::Host::run`",
            )
        })
}

//! The host that a test sets up and looks at afterwards.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use super::calls::Entered;
use crate::candidate::Endpoint;
use crate::deployment::Deployment;
use crate::failure::Failure;
use crate::http::{Request, Response};
use crate::image::Output;
use crate::log::Level;
use crate::notify::Event;
use crate::plugin::{Manifest, Plugin};

/// An in-memory host for one plugin.
pub struct Host(Rc<State>);

/// One command that the plugin ran in the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageCall {
    pub argv: Vec<String>,
    pub variables: Vec<(String, String)>,
}

/// One command that the plugin ran in the candidate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecCall {
    pub process: String,
    pub argv: Vec<String>,
}

/// One line that the plugin wrote to the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    pub level: Level,
    pub message: String,
}

type Answer<Q, A> = Box<dyn Fn(&Q) -> Result<A, Failure>>;

/// What the calls of a plugin read and write.
pub(super) struct State {
    pub(super) manifest: Manifest,
    pub(super) files: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(super) settings: RefCell<BTreeMap<String, String>>,
    pub(super) variables: RefCell<BTreeMap<String, String>>,
    pub(super) endpoints: RefCell<Vec<Endpoint>>,
    pub(super) image: RefCell<Answer<ImageCall, Output>>,
    pub(super) exec: RefCell<Answer<ExecCall, Output>>,
    pub(super) http: RefCell<Answer<Request, Response>>,
    pub(super) image_calls: RefCell<Vec<ImageCall>>,
    pub(super) exec_calls: RefCell<Vec<ExecCall>>,
    pub(super) requests: RefCell<Vec<Request>>,
    pub(super) log: RefCell<Vec<Line>>,
}

impl Host {
    /// A host that grants the plugin what its manifest asks for. It has no
    /// files and no settings, there is no image yet, and no host answers.
    pub fn of<P: Plugin>() -> Self {
        Self(Rc::new(State {
            manifest: P::describe(),
            files: RefCell::default(),
            settings: RefCell::default(),
            variables: RefCell::default(),
            endpoints: RefCell::default(),
            image: RefCell::new(Box::new(|_| {
                Err(Failure::unavailable("there is no image yet"))
            })),
            exec: RefCell::new(Box::new(|_| {
                Err(Failure::unavailable("there is no candidate here"))
            })),
            http: RefCell::new(Box::new(|request| {
                Err(Failure::unavailable(format!("{} does not answer", request.url)).retryable())
            })),
            image_calls: RefCell::default(),
            exec_calls: RefCell::default(),
            requests: RefCell::default(),
            log: RefCell::default(),
        }))
    }

    /// Puts a file into the commit.
    pub fn file(self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.0
            .files
            .borrow_mut()
            .insert(path.into(), content.into());
        self
    }

    /// Sets a setting. A secret's value never reaches the plugin: it gets
    /// `secret:NAME`.
    pub fn setting(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0
            .settings
            .borrow_mut()
            .insert(name.into(), value.into());
        self
    }

    /// Sets a variable of the environment.
    pub fn variable(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.0
            .variables
            .borrow_mut()
            .insert(name.into(), value.into());
        self
    }

    /// Adds an instance of the candidate.
    pub fn endpoint(
        self,
        process: impl Into<String>,
        url: impl Into<String>,
        host: impl Into<String>,
    ) -> Self {
        self.0.endpoints.borrow_mut().push(Endpoint {
            process: process.into(),
            url: url.into(),
            host: host.into(),
        });
        self
    }

    /// Says what commands in the image answer. From then on there is an image.
    pub fn image(self, answer: impl Fn(&ImageCall) -> Result<Output, Failure> + 'static) -> Self {
        *self.0.image.borrow_mut() = Box::new(answer);
        self
    }

    /// Says what commands in the candidate answer.
    pub fn exec(self, answer: impl Fn(&ExecCall) -> Result<Output, Failure> + 'static) -> Self {
        *self.0.exec.borrow_mut() = Box::new(answer);
        self
    }

    /// Says what HTTP requests are answered.
    pub fn http(self, answer: impl Fn(&Request) -> Result<Response, Failure> + 'static) -> Self {
        *self.0.http.borrow_mut() = Box::new(answer);
        self
    }

    /// Runs a call of the plugin on this host, in this thread.
    pub fn run<T>(&self, call: impl FnOnce() -> T) -> T {
        let _entered = Entered::enter(Rc::clone(&self.0));
        call()
    }

    /// The commands that were run in the image, in order.
    pub fn image_calls(&self) -> Vec<ImageCall> {
        self.0.image_calls.borrow().clone()
    }

    /// The commands that were run in the candidate, in order.
    pub fn exec_calls(&self) -> Vec<ExecCall> {
        self.0.exec_calls.borrow().clone()
    }

    /// The HTTP requests that were sent, in order.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests.borrow().clone()
    }

    /// The lines that were logged, in order.
    pub fn log(&self) -> Vec<Line> {
        self.0.log.borrow().clone()
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Host")
            .field("plugin", &self.0.manifest.name)
            .finish_non_exhaustive()
    }
}

/// A deployment to call a plugin with.
pub fn deployment() -> Deployment {
    Deployment {
        id: "01939b5e-0000-7000-8000-000000000001".into(),
        app: "guestbook".into(),
        environment: "live".into(),
        commit: "3b18e512dba79e4c8300dd08aeb37f8e728b8dad".into(),
        reference: "main".into(),
        attributes: Vec::new(),
    }
}

/// An event of [`deployment`] to call a notifier with.
pub fn event(kind: impl Into<String>) -> Event {
    Event {
        id: "01939b5e-0000-7000-8000-000000000002".into(),
        sequence: 1,
        time: "2026-11-20T10:00:00Z".into(),
        kind: kind.into(),
        deployment: deployment(),
        summary: "The deployment is queued.".into(),
        data: "{}".into(),
        attributes: Vec::new(),
    }
}

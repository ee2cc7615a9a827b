//! Host calls on tape: recorded as they happen, or answered from a tape
//! instead of by the host. One JSON object a call, at the contract's border,
//! so that a tape fits every language's plugin.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bindings::candidate::Endpoint;
use crate::bindings::http::{Request, Response};
use crate::bindings::model::{Failure, Output};

/// One call of a guest to the host, and what it was answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HostCall {
    /// Interface and function: `source.read`.
    pub call: String,
    pub arguments: Value,
    /// `{"ok": …}` or `{"failure": …}`; null of a call without an answer.
    pub answer: Value,
}

/// Hears each host call when it is over.
pub trait Recorder: Send + Sync + std::fmt::Debug {
    fn heard(&self, call: HostCall);
}

/// Answers from a tape, in its order.
#[derive(Debug)]
pub struct Player(Mutex<VecDeque<HostCall>>);

impl Player {
    pub fn new(tape: impl IntoIterator<Item = HostCall>) -> Self {
        Self(Mutex::new(tape.into_iter().collect()))
    }

    /// The calls that nobody asked for yet.
    pub fn rest(&self) -> usize {
        self.tape().len()
    }

    fn next(&self, call: &str, arguments: &Value) -> Result<Value, OffTape> {
        let mut tape = self.tape();
        let Some(next) = tape.pop_front() else {
            return Err(OffTape(format!("calls {call}, and the tape is at its end")));
        };
        match next.call == call && next.arguments == *arguments {
            true => Ok(next.answer),
            false => Err(OffTape(format!(
                "calls {call} with {arguments}, and the tape goes on with {} with {}",
                next.call, next.arguments
            ))),
        }
    }

    fn tape(&self) -> std::sync::MutexGuard<'_, VecDeque<HostCall>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The guest does not do what it did when the tape was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct OffTape(String);

/// What becomes of host calls: answered by the host, and perhaps heard, or
/// answered from a tape.
#[derive(Debug, Clone, Default)]
pub enum Tape {
    #[default]
    Off,
    Record(Arc<dyn Recorder>),
    Play(Arc<Player>),
}

/// What is to be done about one call.
pub(crate) enum Taped<T> {
    /// The tape has the answer.
    Answer(T),
    /// The host must answer, and tell the pen.
    Ask(Pen),
}

/// Writes the answer of one call onto the tape, if there is one.
pub(crate) struct Pen(Option<(Arc<dyn Recorder>, &'static str, Value)>);

impl Pen {
    /// Writes something else than the guest is answered.
    pub(crate) fn write_as<T: OnTape>(self, answer: T, shown: impl FnOnce(&T) -> T) -> T {
        if self.0.is_some() {
            self.write(shown(&answer));
        }
        answer
    }

    pub(crate) fn write<T: OnTape>(self, answer: T) -> T {
        if let Some((recorder, call, arguments)) = self.0 {
            recorder.heard(HostCall {
                call: call.to_owned(),
                arguments,
                answer: answer.write(),
            });
        }
        answer
    }
}

impl Tape {
    pub(crate) fn begin<T: OnTape>(
        &self,
        call: &'static str,
        arguments: impl FnOnce() -> Value,
    ) -> wasmtime::Result<Taped<T>> {
        match self {
            Self::Off => Ok(Taped::Ask(Pen(None))),
            Self::Record(recorder) => {
                let pen = Pen(Some((Arc::clone(recorder), call, arguments())));
                Ok(Taped::Ask(pen))
            }
            Self::Play(player) => {
                let answer = player.next(call, &arguments());
                let answer = answer.map_err(wasmtime::Error::from)?;
                let read = T::read(&answer).ok_or_else(|| {
                    OffTape(format!(
                        "is answered nonsense by the tape: {call}: {answer}"
                    ))
                });
                Ok(Taped::Answer(read.map_err(wasmtime::Error::from)?))
            }
        }
    }
}

/// A type of the contract as JSON.
pub(crate) trait OnTape: Sized {
    fn write(&self) -> Value;
    fn read(value: &Value) -> Option<Self>;
}

impl<T: OnTape> OnTape for Result<T, Failure> {
    fn write(&self) -> Value {
        match self {
            Ok(value) => json!({ "ok": value.write() }),
            Err(failure) => json!({ "failure": {
                "code": failure.code,
                "message": failure.message,
                "retryable": failure.retryable,
            }}),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        if let Some(ok) = value.get("ok") {
            return T::read(ok).map(Ok);
        }
        let failure = value.get("failure")?;
        Some(Err(Failure {
            code: text(failure, "code")?,
            message: text(failure, "message")?,
            retryable: failure.get("retryable")?.as_bool()?,
            attributes: Vec::new(),
        }))
    }
}

impl OnTape for () {
    fn write(&self) -> Value {
        Value::Null
    }

    fn read(value: &Value) -> Option<Self> {
        value.is_null().then_some(())
    }
}

impl OnTape for Option<String> {
    fn write(&self) -> Value {
        json!(self)
    }

    fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
}

impl OnTape for Vec<String> {
    fn write(&self) -> Value {
        json!(self)
    }

    fn read(value: &Value) -> Option<Self> {
        serde_json::from_value(value.clone()).ok()
    }
}

/// Text where it is text, and hexadecimal digits where it is not.
impl OnTape for Vec<u8> {
    fn write(&self) -> Value {
        match std::str::from_utf8(self) {
            Ok(text) => json!(text),
            Err(_) => json!({ "hex": self.iter().map(|b| format!("{b:02x}")).collect::<String>() }),
        }
    }

    fn read(value: &Value) -> Option<Self> {
        if let Some(text) = value.as_str() {
            return Some(text.as_bytes().to_vec());
        }
        let digits = value.get("hex")?.as_str()?.as_bytes();
        let bytes = digits.chunks(2).map(|pair| {
            let pair = std::str::from_utf8(pair).ok()?;
            u8::from_str_radix(pair, 16).ok()
        });
        bytes.collect()
    }
}

impl OnTape for Output {
    fn write(&self) -> Value {
        json!({
            "exit-code": self.exit_code,
            "stdout": self.stdout.write(),
            "stderr": self.stderr.write(),
            "truncated": self.truncated,
        })
    }

    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            exit_code: i32::try_from(value.get("exit-code")?.as_i64()?).ok()?,
            stdout: Vec::read(value.get("stdout")?)?,
            stderr: Vec::read(value.get("stderr")?)?,
            truncated: value.get("truncated")?.as_bool()?,
            attributes: Vec::new(),
        })
    }
}

impl OnTape for Response {
    fn write(&self) -> Value {
        json!({
            "status": self.status,
            "headers": self.headers,
            "body": self.body.write(),
        })
    }

    fn read(value: &Value) -> Option<Self> {
        Some(Self {
            status: u16::try_from(value.get("status")?.as_u64()?).ok()?,
            headers: serde_json::from_value(value.get("headers")?.clone()).ok()?,
            body: Vec::read(value.get("body")?)?,
            attributes: Vec::new(),
        })
    }
}

impl OnTape for Vec<Endpoint> {
    fn write(&self) -> Value {
        let endpoints = self.iter().map(|endpoint| {
            json!({
                "process": endpoint.process,
                "url": endpoint.url,
                "host": endpoint.host,
            })
        });
        endpoints.collect()
    }

    fn read(value: &Value) -> Option<Self> {
        let endpoints = value.as_array()?.iter().map(|endpoint| {
            Some(Endpoint {
                process: text(endpoint, "process")?,
                url: text(endpoint, "url")?,
                host: text(endpoint, "host")?,
                attributes: Vec::new(),
            })
        });
        endpoints.collect()
    }
}

/// A request as it stands on tape, with names in place of the placeholders,
/// which are new in each call.
pub(crate) fn request(request: &Request, named: impl Fn(&str) -> String) -> Value {
    let headers = request.headers.iter();
    json!({
        "method": request.method,
        "url": named(&request.url),
        "headers": headers.map(|(name, value)| (name, named(value))).collect::<Vec<_>>(),
        "body": match std::str::from_utf8(&request.body) {
            Ok(text) => json!(named(text)),
            Err(_) => request.body.write(),
        },
    })
}

fn text(value: &Value, key: &str) -> Option<String> {
    value.get(key)?.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn there_and_back<T: OnTape>(value: &T) -> Value {
        let written = value.write();
        assert_eq!(T::read(&written).unwrap().write(), written);
        written
    }

    #[test]
    fn what_is_written_can_be_read() {
        there_and_back(&Some("x".to_owned()));
        there_and_back(&vec![0xff_u8, 0]);
        assert_eq!(there_and_back(&b"text".to_vec()), json!("text"));
        let failed: Result<Vec<u8>, Failure> = Err(Failure {
            code: "denied".into(),
            message: "No.".into(),
            retryable: false,
            attributes: vec![],
        });
        there_and_back(&failed);
    }

    #[test]
    fn a_guest_that_leaves_the_tape_is_told_where() {
        let call = HostCall {
            call: "source.read".into(),
            arguments: json!({"path": "a"}),
            answer: json!({"ok": "text"}),
        };
        let player = Player::new([call]);
        let off = player
            .next("source.read", &json!({"path": "b"}))
            .unwrap_err();
        assert!(
            off.to_string().contains("goes on with source.read"),
            "{off}"
        );
        let end = player
            .next("source.read", &json!({"path": "a"}))
            .unwrap_err();
        assert!(end.to_string().contains("at its end"), "{end}");
    }
}

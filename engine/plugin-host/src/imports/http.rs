//! `http`: requests to granted hosts, and in a self-test to the candidate.

use crate::bindings::http::{Host, Request, Response};
use crate::bindings::model::Failure;
use crate::http::Wish;
use crate::sandbox::Sandbox;
use crate::tape::{self, Taped};

impl Host for Sandbox {
    async fn send(&mut self, request: Request) -> wasmtime::Result<Result<Response, Failure>> {
        let headers = request
            .headers
            .iter()
            .map(|(name, value)| name.len() + value.len());
        let size = request.url.len() + request.body.len() + headers.sum::<usize>();
        self.hand_over(size)?;
        let shown = |text: &str| self.outward.named(text);
        let pen = match self
            .tape
            .begin("http.send", || tape::request(&request, shown))?
        {
            Taped::Answer(answer) => return Ok(answer),
            Taped::Ask(pen) => pen,
        };
        let wish = Wish {
            method: request.method,
            url: request.url,
            headers: request.headers,
            body: request.body,
            timeout_ms: request.timeout_ms,
        };
        let answer = self.outward.send(wish).await;
        Ok(pen.write(answer.map(|answer| Response {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
            attributes: Vec::new(),
        })))
    }
}

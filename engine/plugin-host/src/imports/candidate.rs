//! `candidate`: where the new instances answer, and commands in them. Empty
//! outside self-tests.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shipway_core::ports::plugins::CandidateExec;

use super::command::{bounded, in_time, is_fit, refused};
use super::{Code, failure};
use crate::bindings::candidate::{Endpoint, Host};
use crate::bindings::model::{Failure, Output};
use crate::sandbox::Sandbox;
use crate::tape::Taped;

/// The runtime ends a command after 60 s; this is for a runtime that does not.
const LONGEST: Duration = Duration::from_secs(65);

impl Host for Sandbox {
    async fn endpoints(&mut self) -> wasmtime::Result<Vec<Endpoint>> {
        match self.tape.begin("candidate.endpoints", || json!({}))? {
            Taped::Answer(answer) => Ok(answer),
            Taped::Ask(pen) => Ok(pen.write(self.endpoints_now())),
        }
    }

    async fn exec(
        &mut self,
        process: String,
        argv: Vec<String>,
    ) -> wasmtime::Result<Result<Output, Failure>> {
        self.hand_over(process.len() + argv.iter().map(String::len).sum::<usize>())?;
        let arguments = || json!({ "process": process, "argv": argv });
        let pen = match self.tape.begin("candidate.exec", arguments)? {
            Taped::Answer(answer) => return Ok(answer),
            Taped::Ask(pen) => pen,
        };
        Ok(pen.write(match self.may_exec(&argv) {
            Ok(exec) => self.exec_in(exec, &process, argv).await,
            Err(refused) => Err(refused),
        }))
    }
}

impl Sandbox {
    fn endpoints_now(&self) -> Vec<Endpoint> {
        let endpoints = self.scene.candidate.iter().map(|endpoint| Endpoint {
            process: endpoint.process.clone(),
            url: format!("http://{}", endpoint.address),
            host: endpoint.host.clone().unwrap_or_default(),
            attributes: Vec::new(),
        });
        endpoints.collect()
    }

    fn may_exec(&mut self, argv: &[String]) -> Result<Arc<dyn CandidateExec>, Failure> {
        let granted = self.scene.rights.exec();
        granted.map_err(|denied| self.denials.refuse(denied))?;
        is_fit(argv, &[])?;
        self.count_command()?;
        let none = || failure(Code::Unavailable, "there is no candidate here");
        self.scene.exec.clone().ok_or_else(none)
    }

    async fn exec_in(
        &mut self,
        exec: Arc<dyn CandidateExec>,
        process: &str,
        argv: Vec<String>,
    ) -> Result<Output, Failure> {
        match in_time(LONGEST, &self.grace, exec.run(process, argv)).await? {
            Ok(Some(output)) => Ok(bounded(output)),
            Ok(None) => {
                let message = format!("the candidate has no process type {process:?}");
                Err(failure(Code::NotFound, message))
            }
            Err(error) => Err(refused(&error)),
        }
    }
}

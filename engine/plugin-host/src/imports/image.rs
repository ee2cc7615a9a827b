//! `image`: the probe, one bounded command in the image that was built.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use shipway_core::ports::plugins::ImageProbe;

use super::command::{bounded, in_time, is_fit, refused, size};
use super::{Code, failure};
use crate::bindings::image::Host;
use crate::bindings::model::{Failure, Output};
use crate::sandbox::Sandbox;
use crate::tape::Taped;

/// The runtime ends a probe after 60 s; this is for a runtime that does not.
const LONGEST: Duration = Duration::from_secs(65);

type Variables = Vec<(String, String)>;

impl Host for Sandbox {
    async fn run(
        &mut self,
        argv: Vec<String>,
        variables: Variables,
    ) -> wasmtime::Result<Result<Output, Failure>> {
        self.hand_over(size(&argv, &variables))?;
        let arguments = || json!({ "argv": argv, "variables": variables });
        let pen = match self.tape.begin("image.run", arguments)? {
            Taped::Answer(answer) => return Ok(answer),
            Taped::Ask(pen) => pen,
        };
        Ok(pen.write(match self.may_run(&argv, &variables) {
            Ok(probe) => self.probe(probe, argv, variables).await,
            Err(refused) => Err(refused),
        }))
    }
}

impl Sandbox {
    fn may_run(
        &mut self,
        argv: &[String],
        variables: &Variables,
    ) -> Result<Arc<dyn ImageProbe>, Failure> {
        let granted = self.scene.rights.image();
        granted.map_err(|denied| self.denials.refuse(denied))?;
        is_fit(argv, variables)?;
        self.count_command()?;
        let none = || failure(Code::Unavailable, "there is no image yet");
        self.scene.image.clone().ok_or_else(none)
    }

    async fn probe(
        &mut self,
        probe: Arc<dyn ImageProbe>,
        argv: Vec<String>,
        variables: Variables,
    ) -> Result<Output, Failure> {
        match in_time(LONGEST, &self.grace, probe.run(argv, variables)).await? {
            Ok(output) => Ok(bounded(output)),
            Err(error) => Err(refused(&error)),
        }
    }
}

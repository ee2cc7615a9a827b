//! `variables`: plain variables of the environment, by name.

use serde_json::json;
use shipway_core::environment::Variable;
use shipway_core::grant::{Denied, Remedy};

use crate::bindings::model::Failure;
use crate::bindings::variables::Host;
use crate::sandbox::Sandbox;
use crate::tape::Taped;

impl Host for Sandbox {
    async fn get(&mut self, name: String) -> wasmtime::Result<Result<Option<String>, Failure>> {
        self.hand_over(name.len())?;
        let arguments = || json!({ "name": name });
        let pen = match self.tape.begin("variables.get", arguments)? {
            Taped::Answer(answer) => return Ok(answer),
            Taped::Ask(pen) => pen,
        };
        Ok(pen.write(self.variable(&name)))
    }
}

impl Sandbox {
    fn variable(&self, name: &str) -> Result<Option<String>, Failure> {
        let granted = self.scene.rights.variable(name);
        granted.map_err(|denied| self.denials.refuse(denied))?;
        let mut variables = self.scene.variables.iter();
        match variables.find(|(own, _)| own.as_str() == name) {
            None => Ok(None),
            Some((_, Variable::Plain(value))) => Ok(Some(value.clone())),
            Some((_, Variable::Secret(_))) => Err(self.denials.refuse(Denied {
                what: format!("the variable {name:?}, which is secret,"),
                remedy: Remedy::Never,
            })),
        }
    }
}

//! `settings`: the plugin's own; a secret comes as a placeholder.

use serde_json::json;

use crate::bindings::settings::Host;
use crate::sandbox::Sandbox;
use crate::tape::Taped;

impl Host for Sandbox {
    async fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.hand_over(name.len())?;
        let arguments = || json!({ "name": name });
        match self.tape.begin("settings.get", arguments)? {
            Taped::Answer(answer) => Ok(answer),
            Taped::Ask(pen) => {
                let value = self.scene.settings.get(&name).cloned();
                let named = |value: &Option<String>| value.as_ref().map(|v| self.outward.named(v));
                Ok(pen.write_as(value, named))
            }
        }
    }
}

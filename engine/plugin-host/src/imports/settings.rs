//! `settings`: the plugin's own; a secret comes as a placeholder.

use crate::bindings::settings::Host;
use crate::sandbox::Sandbox;

impl Host for Sandbox {
    async fn get(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.hand_over(name.len())?;
        Ok(self.scene.settings.get(&name).cloned())
    }
}

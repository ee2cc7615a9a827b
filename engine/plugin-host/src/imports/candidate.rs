//! `candidate`: where the new instances answer. Empty outside self-tests.

use crate::bindings::candidate::{Endpoint, Host};
use crate::sandbox::Sandbox;

impl Host for Sandbox {
    async fn endpoints(&mut self) -> wasmtime::Result<Vec<Endpoint>> {
        let endpoints = self.scene.candidate.iter().map(|endpoint| Endpoint {
            process: endpoint.process.clone(),
            url: format!("http://{}", endpoint.address),
            host: endpoint.host.clone().unwrap_or_default(),
        });
        Ok(endpoints.collect())
    }
}

//! A component of a core module.

use std::error::Error;

use wasi_preview1_component_adapter_provider::{
    WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME, WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
};
use wasmparser::{Parser, Payload};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::contract::Contract;

/// How the metadata of a world is called in a module.
const METADATA: &str = "component-type";

/// Makes a component of the contract's world out of a core module. A module
/// without the world's metadata gets it; what it asks of the older WASI is
/// adapted.
pub fn encode(
    mut module: Vec<u8>,
    contract: &Contract,
) -> Result<Vec<u8>, Box<dyn Error + Send + Sync>> {
    if !has_metadata(&module)? {
        embed_component_metadata(
            &mut module,
            &contract.resolve,
            contract.world,
            StringEncoding::UTF8,
        )?;
    }
    Ok(ComponentEncoder::default()
        .validate(true)
        .module(&module)?
        .adapter(
            WASI_SNAPSHOT_PREVIEW1_ADAPTER_NAME,
            WASI_SNAPSHOT_PREVIEW1_REACTOR_ADAPTER,
        )?
        .encode()?)
}

fn has_metadata(module: &[u8]) -> Result<bool, wasmparser::BinaryReaderError> {
    for payload in Parser::new(0).parse_all(module) {
        if let Payload::CustomSection(section) = payload?
            && section.name().starts_with(METADATA)
        {
            return Ok(true);
        }
    }
    Ok(false)
}

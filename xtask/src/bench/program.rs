//! The build that is measured: made now, or one that lies there already.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::house::{House, Profile};

#[derive(Debug, clap::Args)]
pub struct Program {
    /// Measure this `shipway`, with the `shipway-proxy` beside it, in place of
    /// a new release build
    #[arg(long, value_name = "PATH")]
    program: Option<PathBuf>,
}

impl Program {
    /// Where `shipway` lies, with `shipway-proxy` beside it.
    pub fn bring(&self, house: &House) -> Result<PathBuf> {
        let Some(given) = &self.program else {
            return house.build_shipway(Profile::Release);
        };
        let path = given
            .canonicalize()
            .with_context(|| format!("there is no {}", given.display()))?;
        ensure!(
            proxy_beside(&path).is_file(),
            "beside {} there is no shipway-proxy; build both",
            path.display()
        );
        Ok(path)
    }
}

pub fn proxy_beside(shipway: &std::path::Path) -> PathBuf {
    shipway.with_file_name("shipway-proxy")
}

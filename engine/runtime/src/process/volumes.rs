//! Volumes: folders of an environment that outlive its deployments. Nothing
//! removes them but a person.

use std::io;

use shipway_core::environment::{EnvironmentKey, Volume};
use shipway_core::ports::runtime::RuntimeError;
use shipway_core::secret::Secret;

use super::state::{State, failed, make_private};

/// Makes those that are not there yet, and gives the variables that tell where
/// they are. A volume's own path is for containers and means nothing here.
pub fn make(
    state: &State,
    environment: &EnvironmentKey,
    volumes: &[Volume],
) -> Result<Vec<(String, Secret)>, RuntimeError> {
    let make_one = |volume: &Volume| {
        let folder = state.volumes_of(environment).join(volume.name.as_str());
        make_private(&folder)?;
        Ok((volume.variable(), Secret::new(folder.to_string_lossy())))
    };
    let made: io::Result<Vec<_>> = volumes.iter().map(make_one).collect();
    made.map_err(|error| failed(format!("make the volumes of {environment}"), error))
}

//! Plain variables of the environment that is deployed, as far as they are
//! granted by name. One that is secret is never readable.

use crate::failure::Failure;
use crate::host;

/// The value of a variable, if it is set.
///
/// # Errors
/// `denied` when it is not granted, or is secret.
pub fn get(name: &str) -> Result<Option<String>, Failure> {
    host::variable(name)
}

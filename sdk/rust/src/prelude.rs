//! Everything that most plugins use, for `use shipway_sdk::prelude::*`.

pub use crate::deployment::Deployment;
pub use crate::failure::Failure;
pub use crate::notify::{Event, Notifier};
pub use crate::plugin::{Manifest, Place, Plugin, Request, Setting};
pub use crate::release::{Collected, Command, Entrypoint, Invocation, Phase, ReleaseSource, When};
pub use crate::self_test::{Check, Report, SelfTest};
pub use crate::{candidate, http, image, log, settings, source, variables};

//! The release commands of Divio's Aldryn Django: the setting
//! `MIGRATION_COMMANDS`, which the project and its addons fill.
//!
//! **Whether it is an Aldryn project** is read from the commit: the settings
//! load addons, `addons/aldryn-django/` is there, or the requirements name
//! `aldryn-addons` or `aldryn-django`. Where none of these is so, there is no
//! command, and the plan says why.
//!
//! **Which commands** it has exists only once the settings have run, since each
//! addon's `aldryn_config.py` may append to the list or insert into it. So the
//! built image is asked: Python in it loads the settings, as `aldryn-django`
//! itself does, with `DJANGO_MODE=build` and without network and the
//! environment's variables, and writes the list down. Each command is then
//! listed on its own, in its order, byte for byte, for a shell of its own, with
//! the addon that put it there, or the settings, as its provenance.
//!
//! **Where the image cannot tell**, since there is none yet, Python is not in
//! it or the settings fail, the single command `aldryn-django migrate` stands
//! for them all, and a warning says why.
//!
//! An addon that adds a command only when some variable of the environment is
//! set adds none here: the probe has no variables of the environment, so that
//! no secret of it reaches a build's output. Add such a command to the app's
//! own release commands.
//!
//! * [`plugin`]: the three answers above;
//! * [`signs`]: what tells an Aldryn project;
//! * [`probe`]: asking the image; `probe.py` is what runs in it.

pub mod plugin;
pub mod probe;
pub mod signs;

shipway_sdk::export!(plugin::Aldryn: release-source);

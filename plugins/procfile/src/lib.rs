//! The release commands of a `Procfile`, as Heroku or Scalingo run them.
//!
//! | platform | entry | when it runs | limit |
//! |---|---|---|---|
//! | `heroku` | `release:` | `release`: the image is built, the new version not started | 1 h |
//! | `scalingo` | `postdeploy:` | `gate`: the new version is up and not yet routed | 20 min |
//!
//! One setting, `platform`, chooses: `heroku` (the default) or `scalingo`. The
//! other platform's entry is not run; the plan lists it as skipped. Without a
//! `Procfile`, and without the entry, there is no command.
//!
//! The file is read by Heroku's own rule: after the ends of lines are
//! normalised, a line counts when it has a name of letters, digits, `_` and
//! `-`, a colon that may be missing, white space that may not, and a command.
//! The command is kept byte for byte, also the white space at its end. Of a
//! repeated name the last line counts. Nothing is YAML, nothing is unquoted, no
//! line is continued.
//!
//! * [`plugin`]: what is taken, and what is skipped and why;
//! * [`platform`]: the platforms;
//! * [`reader`]: the file.

pub mod platform;
pub mod plugin;
pub mod reader;

shipway_sdk::export!(plugin::Procfile: release-source);

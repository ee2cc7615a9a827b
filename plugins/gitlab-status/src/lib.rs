//! Tells GitLab what becomes of a deployment: a status of the commit, and a
//! deployment of GitLab's own.
//!
//! | setting | |
//! |---|---|
//! | `project` | its path, such as `team/hello`, or its number; required |
//! | `token` | secret, required: a project access token with scope `api` |
//! | `url` | `https://gitlab.com` unless set |
//! | `ref` | the branch that statuses are shown with when a deployment names only a commit; `main` unless set |
//! | `link` | a URL that the statuses lead to; `{deployment}`, `{app}` and `{environment}` in it are replaced |
//!
//! | event | status of the commit, as `shipway/ENVIRONMENT` | deployment |
//! |---|---|---|
//! | `deployment.queued`, if the commit is known | `pending` | |
//! | the checkout is done | `running` | made, `running` |
//! | `deployment.ended`, succeeded | `success` | `success` |
//! | failed | `failed` | `failed` |
//! | cancelled, superseded | `canceled` | `canceled` |
//!
//! A deployment of GitLab has no place for the id of Shipway's: it is the
//! newest of the commit and environment that runs. A status that is what it
//! was, which GitLab refuses, is a delivery.
//!
//! 429, 5xx and no answer ask for another try later; any other refusal gives
//! the event up.
//!
//! * [`plugin`]: settings and the main flow;
//! * [`gitlab`]: GitLab's API.

pub mod gitlab;
pub mod plugin;

shipway_sdk::export!(plugin::GitlabStatus: notifier);

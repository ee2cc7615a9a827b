//! Tells GitHub what becomes of a deployment: a deployment with its statuses,
//! and a status of the commit.
//!
//! | setting | |
//! |---|---|
//! | `repository` | `owner/name`; required |
//! | `token` | secret, required: a fine-grained token with write access to deployments and commit statuses |
//! | `api` | `https://api.github.com` unless set; `https://HOST/api/v3` of a GitHub of your own |
//! | `link` | a URL that the statuses lead to; `{deployment}`, `{app}` and `{environment}` in it are replaced |
//! | `site` | the URL where the environment is seen |
//!
//! | event | deployment | status of the commit, as `shipway/ENVIRONMENT` |
//! |---|---|---|
//! | `deployment.queued`, if the commit is known | `queued` | `pending` |
//! | the checkout is done | `in_progress` | `pending` |
//! | `deployment.ended`, succeeded | `success` | `success` |
//! | failed | `failure` | `failure` |
//! | cancelled, superseded | `inactive` | `error` |
//!
//! GitHub's deployment carries the id of Shipway's in its payload, and is found
//! by it: an event that is sent again makes no second one.
//!
//! 429, a used-up rate limit, 5xx and no answer ask for another try later; any
//! other refusal gives the event up.
//!
//! * [`plugin`]: settings and the main flow;
//! * [`github`]: GitHub's API.

pub mod github;
pub mod plugin;

shipway_sdk::export!(plugin::GithubStatus: notifier);

//! Asks the candidate for paths, and looks at status, headers and body, before
//! the new version is routed.
//!
//! Every check is asked of every new instance that has a port, with the
//! domain of the environment as `Host`. With nothing set, `GET /` must answer
//! below 500: an app that greets strangers with a login or a 404 is well, one
//! that fails at its front door is not.
//!
//! | setting | |
//! |---|---|
//! | `paths` | paths separated by commas, each of which must answer 200: `/, /health` |
//! | `checks` | a JSON list, for everything else; not together with `paths` |
//!
//! ```json
//! [
//!   {"path": "/health", "contains": "ok"},
//!   {"path": "/api/items", "method": "HEAD", "status": [200, 204]},
//!   {"path": "/", "header": {"content-type": "text/html; charset=utf-8"}},
//!   {"path": "/metrics", "process": "api", "timeout_ms": 2000, "name": "metrics"}
//! ]
//! ```
//!
//! | member | |
//! |---|---|
//! | `path` | begins with `/`; may have a query; required |
//! | `method` | `GET` unless set |
//! | `status` | a status or a list of them; 200 unless set |
//! | `header` | names and the exact values expected; names are compared without case |
//! | `contains` | text that the body must have in it |
//! | `process` | ask only instances of this process type; all unless set |
//! | `timeout_ms` | 10,000 unless set; at most 60,000 |
//! | `name` | what the report calls it; method and path unless set |
//!
//! Redirects are not followed: ask for the status 302 and the header
//! `location` to check one.
//!
//! * [`plugin`]: every check, asked of every instance;
//! * [`wanted`]: what is asked, from the settings;
//! * [`judge`]: whether an answer is the wanted one.

pub mod judge;
pub mod plugin;
pub mod wanted;

shipway_sdk::export!(plugin::HttpCheck: self-test);

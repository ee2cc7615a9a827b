//! Tells a URL of everything that happens: POSTs every event as CloudEvents 1.0
//! in JSON.
//!
//! | setting | |
//! |---|---|
//! | `url` | where to POST; required, `http://` or `https://` |
//! | `token` | secret, optional: sent as `Authorization: Bearer TOKEN` |
//!
//! The plugin asks for HTTP to the origin of `url` alone. It never sees the
//! token: it gets a placeholder, and the host puts the value in.
//!
//! ```json
//! {
//!   "specversion": "1.0",
//!   "id": "01939b5e-0000-7000-8000-000000000002",
//!   "source": "/apps/guestbook/environments/live",
//!   "type": "dev.shipway.deployment.queued",
//!   "subject": "01939b5e-0000-7000-8000-000000000001",
//!   "time": "2026-11-20T10:00:00Z",
//!   "datacontenttype": "application/json",
//!   "data": {
//!     "summary": "The deployment is queued.",
//!     "sequence": 1,
//!     "deployment": {
//!       "id": "01939b5e-0000-7000-8000-000000000001",
//!       "app": "guestbook",
//!       "environment": "live",
//!       "commit": "3b18e512dba79e4c8300dd08aeb37f8e728b8dad",
//!       "reference": "main"
//!     },
//!     "details": {}
//!   }
//! }
//! ```
//!
//! `type` is `dev.shipway.` and the event's kind, `subject` the deployment,
//! `data.sequence` the event's number in its deployment, `data.details` the
//! event's own data as in the API. An event that is sent again has the same
//! `id`.
//!
//! A 2xx answer is a delivery. 408, 429, 5xx and no answer ask for another try
//! later; any other answer gives the event up. Redirects are not followed.
//!
//! * [`plugin`]: the POST and what its answer means;
//! * [`cloud_event`]: the body.

pub mod cloud_event;
pub mod plugin;

shipway_sdk::export!(plugin::Webhook: notifier);

//! The example of the author's guide: a plugin of all three roles.
//!
//! * [`release_source`]: commands from a Releasefile;
//! * [`notifier`]: tells an HTTP address how deployments ended;
//! * [`self_test`]: asks the new version for one page.

use shipway_sdk::prelude::*;

mod notifier;
mod release_source;
mod self_test;

struct Example;

impl Plugin for Example {
    fn describe() -> Manifest {
        let file = "Where the release commands stand; Releasefile unless set.";
        let path = "What is asked of the new version; / unless set.";
        let token = Setting::optional("token", "Sent as a bearer token.");
        Manifest::new(
            "example",
            env!("CARGO_PKG_VERSION"),
            "The example of the author's guide, in every language.",
        )
        .setting(Setting::optional("file", file))
        .setting(Setting::optional("url", "Where endings are sent."))
        .setting(token.secret([Place::header("authorization")]))
        .setting(Setting::optional("path", path))
        .setting(Setting::optional("text", "What the page must contain."))
        .request(Request::files(
            ["Releasefile", "Releasefile.d/*"],
            "The release commands stand in these files.",
        ))
        .request(Request::http(
            ["POST setting:url"],
            "Endings are sent to this address.",
        ))
    }
}

shipway_sdk::export!(Example: release-source, notifier, self-test);

//! What serves an environment.

use maud::{Markup, html};
use shipway_core::journal::Serving;
use shipway_core::name::Domain;

use super::words::{count, short};

pub fn serving(serving: Option<&Serving>, domains: &[Domain]) -> Markup {
    html! {
        dl.facts {
            dt { "Serving" }
            dd { (what(serving)) }
            @if !domains.is_empty() {
                dt { "Domains" }
                dd { @for domain in domains { span.domain { (domain) } " " } }
            }
        }
    }
}

/// In one line.
pub fn what(serving: Option<&Serving>) -> Markup {
    let Some(serving) = serving else {
        return html! { "nothing: no deployment has succeeded yet" };
    };
    html! {
        "commit " code { (serving.commit.short()) } " since deployment "
        a href={ "/deployments/" (serving.deployment) } { (short(&serving.deployment)) }
        ", " (count(serving.instances.len(), "instance", "instances"))
    }
}

/// For a page that asks: what goes on meanwhile.
pub fn meanwhile(serving: Option<&Serving>) -> Markup {
    html! {
        h2 { "Meanwhile" }
        @match serving {
            Some(now) => p {
                "Commit " code { (now.commit.short()) } " (deployment "
                a href={ "/deployments/" (now.deployment) } { (short(&now.deployment)) }
                ") goes on serving until the new version is proven, and keeps serving if anything fails."
            }
            None => p { "Nothing serves this environment yet, so nobody will notice if it fails." }
        }
    }
}

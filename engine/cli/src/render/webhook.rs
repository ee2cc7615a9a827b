//! Webhooks as people read them.

use shipway_api::wire::webhook::{CreatedWebhook, Webhook};
use shipway_api::words::{ago, where_to_enter};
use shipway_core::name::Timestamp;
use shipway_core::webhook::Rule;

use crate::output::{or_dash, table};

/// What to enter at the Git host.
pub fn created(made: &CreatedWebhook, server: &str) -> String {
    let kept = &made.kept;
    format!(
        "address  {server}{}\nsecret   {}\n\nEnter both at {}. The secret is shown this once.",
        kept.path,
        made.secret.reveal(),
        where_to_enter(kept.provider),
    )
}

pub fn list(webhooks: &[Webhook], now: Timestamp) -> String {
    if webhooks.is_empty() {
        return "no webhooks".to_owned();
    }
    table(
        ["WEBHOOK", "PROVIDER", "RULES", "REPOSITORY", "MADE"],
        webhooks.iter().map(|webhook| {
            let rules: Vec<String> = webhook.rules.iter().map(Rule::to_string).collect();
            [
                webhook.id.to_string(),
                webhook.provider.to_string(),
                rules.join(", "),
                or_dash(webhook.repository.as_ref()),
                ago(webhook.created_at, now),
            ]
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_webhook_says_what_deploys_where_and_shows_no_secret() {
        let webhooks: Vec<Webhook> = serde_json::from_value(serde_json::json!([{
            "id": "0123456789abcdef0123456789abcdef",
            "path": "/v1/webhooks/0123456789abcdef0123456789abcdef",
            "provider": "github", "repository": null,
            "rules": [{"on": "branch", "pattern": "main", "environment": "live"},
                      {"on": "tag", "pattern": "v*", "environment": "test"}],
            "created_at": "2026-11-20T10:00:00Z"
        }]))
        .unwrap();
        let now = Timestamp(webhooks[0].created_at.0 + std::time::Duration::from_secs(90));
        insta::assert_snapshot!(list(&webhooks, now), @r"
        WEBHOOK                           PROVIDER  RULES                                REPOSITORY  MADE
        0123456789abcdef0123456789abcdef  github    branch main to live, tag v* to test  -           1 min ago
        ");
    }
}

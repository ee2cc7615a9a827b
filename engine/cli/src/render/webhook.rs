//! Webhooks as people read them.

use shipway_api::wire::webhook::{CreatedWebhook, Webhook};
use shipway_api::words::ago;
use shipway_core::name::Timestamp;
use shipway_core::webhook::{Provider, Rule};

use crate::output::{or_dash, table};

/// What to enter at the Git host.
pub fn created(made: &CreatedWebhook, server: &str) -> String {
    let kept = &made.kept;
    format!(
        "address  {server}{}\nsecret   {}\n\nEnter both at {}. The secret is shown this once.",
        kept.path,
        made.secret.reveal(),
        where_to(kept.provider),
    )
}

fn where_to(provider: Provider) -> &'static str {
    match provider {
        Provider::Github => {
            "the repository's Settings, Webhooks (content type application/json, the push event)"
        }
        Provider::Gitlab => {
            "the project's Settings, Webhooks (signing token, or secret token; push and tag push events)"
        }
        Provider::Gitea => {
            "the repository's Settings, Webhooks (POST, application/json, push events)"
        }
        Provider::Bitbucket => "Repository settings, Webhooks (trigger: repository push)",
        Provider::Plain => "whatever sends; it signs as Standard Webhooks says",
    }
}

pub fn list(webhooks: &[Webhook], now: Timestamp) -> String {
    if webhooks.is_empty() {
        return "no webhooks".to_owned();
    }
    table(
        ["WEBHOOK", "PROVIDER", "RULES", "REPOSITORY", "MADE"],
        webhooks.iter().map(|webhook| {
            let rules: Vec<String> = webhook.rules.iter().map(rule).collect();
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

fn rule(rule: &Rule) -> String {
    format!("{} {} to {}", rule.kind, rule.pattern, rule.environment)
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

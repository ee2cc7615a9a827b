//! The description is complete and holds together.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::world::World;

async fn description() -> Value {
    let world = World::new().await;
    let request = http::Request::get("/openapi.json");
    let request = request.body(axum::body::Body::empty()).unwrap();
    world.send(request).await.expect(200).json()
}

fn references(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(target)) = fields.get("$ref") {
                into.insert(target.clone());
            }
            fields.values().for_each(|value| references(value, into));
        }
        Value::Array(items) => items.iter().for_each(|value| references(value, into)),
        _ => {}
    }
}

#[tokio::test]
async fn every_reference_leads_somewhere() {
    let api = description().await;
    let mut targets = BTreeSet::new();
    references(&api, &mut targets);
    assert!(targets.len() > 40);
    for target in targets {
        let pointer = target.strip_prefix('#').unwrap();
        assert!(api.pointer(pointer).is_some(), "{target}");
    }
}

#[tokio::test]
async fn every_operation_has_a_name_of_its_own_and_its_parameters() {
    let api = description().await;
    assert!(api["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut ids = BTreeSet::new();
    for (path, item) in api["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let id = operation["operationId"].as_str().unwrap().to_owned();
            assert!(ids.insert(id.clone()), "{id} stands twice");
            assert!(operation["summary"].is_string(), "{method} {path}");
            assert!(operation["responses"]["default"].is_object());
            let none = Vec::new();
            let named = operation["parameters"].as_array().unwrap_or(&none).iter();
            let in_path = named.filter(|p| p["in"] == "path").count();
            assert_eq!(in_path, path.matches('{').count(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn every_route_is_described() {
    let api = description().await;
    let paths: Vec<&str> = api["paths"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    insta::assert_snapshot!(paths.join("\n"), @"
    /healthz
    /metrics
    /readyz
    /v1/apps
    /v1/apps/{app}
    /v1/apps/{app}/environments
    /v1/apps/{app}/environments/{environment}
    /v1/apps/{app}/environments/{environment}/deployments
    /v1/apps/{app}/environments/{environment}/plan
    /v1/apps/{app}/environments/{environment}/plugins/{plugin}/settings
    /v1/apps/{app}/environments/{environment}/promote
    /v1/apps/{app}/environments/{environment}/release-commands
    /v1/apps/{app}/environments/{environment}/release-commands/{label}
    /v1/apps/{app}/environments/{environment}/release-commands/{label}/move
    /v1/apps/{app}/environments/{environment}/rollback
    /v1/apps/{app}/environments/{environment}/status
    /v1/apps/{app}/environments/{environment}/variables
    /v1/apps/{app}/environments/{environment}/variables/{variable}
    /v1/apps/{app}/webhooks
    /v1/apps/{app}/webhooks/{webhook}
    /v1/audit
    /v1/deployments
    /v1/deployments/{deployment}
    /v1/deployments/{deployment}/cancel
    /v1/deployments/{deployment}/events
    /v1/deployments/{deployment}/log
    /v1/deployments/{deployment}/plan
    /v1/plugins
    /v1/plugins/inspect
    /v1/plugins/{plugin}
    /v1/plugins/{plugin}/grants
    /v1/plugins/{plugin}/settings
    /v1/token
    /v1/tokens
    /v1/tokens/{token}
    /v1/webhooks/{webhook}
    ");
}

#[tokio::test]
async fn a_patch_requires_nothing() {
    let api = description().await;
    let patch = &api["components"]["schemas"]["EnvironmentSettingsPatch"];
    assert!(patch["properties"]["runtime"].is_object(), "{patch}");
    assert_eq!(patch["required"], Value::Null);
}

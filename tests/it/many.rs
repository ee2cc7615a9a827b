//! Many things at once.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{on_static_image, quick, serves};

#[test]
fn apps_are_deployed_side_by_side() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let environments: Vec<_> = (1..=5)
        .map(|number| {
            let app = ship.app(&format!("app{number}"), &repo);
            app.environment("live", quick("process"))
        })
        .collect();
    all_at_once(&environments);
}

#[test]
fn environments_of_one_commit_are_built_at_the_same_moment() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let app = ship.app("tiny", &repo);
    let mut settings = quick("process");
    settings["build"] = json!({"command": "sleep 0.5"});
    all_at_once(&["test", "stage", "live"].map(|name| app.environment(name, settings.clone())));
}

#[test]
fn images_of_one_commit_are_built_at_the_same_moment() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny-image");
    let app = ship.app("tiny", &repo);
    all_at_once(&["test", "stage", "live"].map(|name| app.environment(name, on_static_image())));
}

fn all_at_once(environments: &[Environment<'_>]) {
    let triggered: Vec<Deployment<'_>> = environments
        .iter()
        .map(|environment| environment.trigger(json!({})))
        .collect();
    for deployment in triggered {
        deployment.ended().succeeded();
    }
    for environment in environments {
        serves(environment, "1");
    }
}

#[test]
fn a_burst_of_triggers_ends_with_the_newest() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    let triggered: Vec<_> = (0..30).map(|_| live.trigger(json!({}))).collect();
    let newest = triggered.last().expect("one").id.clone();
    let ended: Vec<_> = triggered.into_iter().map(Deployment::ended).collect();
    for deployment in &ended {
        let status = deployment.now()["status"].clone();
        assert!(
            status == "succeeded" || status == "superseded",
            "{}",
            deployment.log()
        );
    }
    assert_eq!(live.serving(), Some(newest));
    serves(&live, "1");
}

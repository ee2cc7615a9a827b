//! A real Aldryn Django project on a real PostgreSQL, on Docker.

use serde_json::{Value, json};
use shipway_tests::api::Answer;
use shipway_tests::app::Environment;
use shipway_tests::docker::Container;
use shipway_tests::load::Load;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until_true;

use crate::apps::said;

const PASSWORD: &str = "not-so-secret-pg";

/// In the order in which the project's addons and settings make the list.
const COMMANDS: [&str; 4] = [
    "CACHE_URL=\"locmem://\" python manage.py createcachetable django_dbcache; exit 0",
    "python manage.py check --database default",
    "python manage.py migrate --noinput",
    "python manage.py seed_notes",
];

#[test]
fn its_commands_are_found_listed_and_run_and_a_failing_one_changes_nothing() {
    let Some(()) = parts::image(parts::ALDRYN_IMAGE) else {
        return;
    };
    let Some(()) = parts::image(parts::POSTGRES_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start_with_plugins(&["aldryn"]) else {
        return;
    };
    let database = postgres();
    let repo = Repo::of("examples/apps/aldryn-site/v1");
    let live = environment(&ship, &repo, &database);

    before_there_is_an_image_one_command_stands_for_all(&live);
    people_see_each(&ship.cli().ok(&["plan", &live.key(), "--build"]).stdout);
    the_built_image_tells_each(&live.plan(json!({})).ok());

    let first = live.deploy();
    first.succeeded();
    the_built_image_tells_each(&first.plan());
    assert_eq!(first.commands_finished(), COMMANDS);
    assert!(
        first
            .section("docker release commands")
            .contains("Applying notes.0001_initial... OK")
    );
    assert_eq!(version(&live), ("1".to_owned(), 1));

    repo.copy("examples/apps/aldryn-site/v2")
        .commit("Version 2: authors");
    let load = Load::on(&live, "/version", 2, answers);
    let second = live.deploy();
    second.succeeded();
    assert!(
        second
            .section("docker release commands")
            .contains("Applying notes.0002_note_author... OK")
    );
    load.stop().assert_none_failed();
    assert_eq!(version(&live), ("2".to_owned(), 2));

    repo.copy("examples/apps/aldryn-site/v3-broken")
        .commit("Version 3: short titles");
    let load = Load::on(&live, "/version", 2, answers);
    let third = live.deploy();
    load.until_answered(20);
    load.stop().assert_none_failed();
    let failure = third.failed("release", "release-command");
    assert_eq!(failure["command"], COMMANDS[2]);
    assert_eq!(failure["exit_code"], 1);
    assert!(
        said(&failure).contains("RuntimeError: titles of more than 10 characters: 1"),
        "{failure:#}"
    );
    assert_eq!(third.ending()["release_commands_ran"], json!(COMMANDS[..2]));
    assert_eq!(third.ending()["serving"], json!(second.id));
    let log = third.log();
    for shown in [
        "failed at: release (release-command)",
        "goes on serving",
        "the data may be ahead",
    ] {
        assert!(log.contains(shown), "{shown:?} in\n{log}");
    }
    assert!(!log.contains(PASSWORD), "{log}");
    assert_eq!(version(&live), ("2".to_owned(), 2));
}

fn before_there_is_an_image_one_command_stands_for_all(live: &Environment<'_>) {
    let plan = live.plan(json!({})).ok();
    let commands = plan["commands"].as_array().expect("commands");
    assert_eq!(commands.len(), 1, "{plan:#}");
    assert_eq!(commands[0]["run"], "aldryn-django migrate");
    let warnings = plan["warnings"].to_string();
    assert!(
        warnings.contains("the image cannot tell MIGRATION_COMMANDS"),
        "{plan:#}"
    );
}

fn the_built_image_tells_each(plan: &Value) {
    let commands = plan["commands"].as_array().expect("commands");
    let runs: Vec<&str> = commands
        .iter()
        .filter_map(|command| command["run"].as_str())
        .collect();
    assert_eq!(runs, COMMANDS, "{plan:#}");
    let files = [
        "addons/site-cache/aldryn_config.py",
        "settings.py",
        "addons/site-database/aldryn_config.py",
        "settings.py",
    ];
    for (index, (command, file)) in commands.iter().zip(files).enumerate() {
        assert_eq!(command["phase"], "release");
        assert_eq!(command["label"], COMMANDS[index]);
        let provenance = &command["provenance"];
        assert_eq!(
            provenance["origin"],
            json!({"type": "plugin", "name": "aldryn"})
        );
        assert_eq!(provenance["file"], file, "{command:#}");
        assert_eq!(provenance["place"], format!("MIGRATION_COMMANDS[{index}]"));
    }
}

/// What `shipway plan` prints: each command with its label, phase and place.
fn people_see_each(plan: &str) {
    for (index, command) in COMMANDS.iter().enumerate() {
        let line = format!("{}  {command}\n", index + 1);
        assert!(plan.contains(&line), "{line:?} in\n{plan}");
        let place = format!("MIGRATION_COMMANDS[{index}]\n");
        assert!(plan.contains(&place), "{place:?} in\n{plan}");
    }
    let times = |text: &str| plan.matches(text).count();
    assert_eq!(times("from     plugin aldryn, "), COMMANDS.len(), "{plan}");
    assert_eq!(times("phase    release"), COMMANDS.len(), "{plan}");
}

fn postgres() -> Container {
    let password = format!("POSTGRES_PASSWORD={PASSWORD}");
    let container = Container::run(&[
        "--label",
        "shipway.test=1",
        "-e",
        &password,
        "-e",
        "POSTGRES_DB=site",
        parts::POSTGRES_IMAGE,
    ]);
    until_true(
        "PostgreSQL answers",
        std::time::Duration::from_secs(60),
        || std::net::TcpStream::connect((container.address(), 5432)).is_ok(),
    );
    container
}

fn environment<'a>(ship: &'a Ship, repo: &Repo, database: &Container) -> Environment<'a> {
    let settings = json!({
        "runtime": "docker",
        "drain_seconds": 5,
        "build": {"args": {"PYTHON_IMAGE": parts::ALDRYN_IMAGE}},
    });
    let live = ship.app("aldryn", repo).environment("live", settings);
    let url = format!("postgres://postgres:{PASSWORD}@{}/site", database.address());
    live.secret("DATABASE_URL", &url);
    live.secret("SECRET_KEY", "a-secret-key-of-the-tests");
    live
}

fn version(live: &Environment<'_>) -> (String, usize) {
    let said = live.get("/version").ok();
    let migrations = said["migrations"].as_array().map_or(0, Vec::len);
    (
        said["version"].as_str().unwrap_or_default().to_owned(),
        migrations,
    )
}

fn answers(answer: &Answer) -> Result<String, String> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, said["version"].as_str()) {
        (200, Some(version)) => Ok(version.to_owned()),
        _ => Err(format!("{}: {}", answer.status, answer.text())),
    }
}

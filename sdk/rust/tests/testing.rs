//! The in-memory host grants what the manifest asks for, and nothing else.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::time::Duration;

use shipway_sdk::failure::Code;
use shipway_sdk::http::Response;
use shipway_sdk::image::Output;
use shipway_sdk::log::Level;
use shipway_sdk::prelude::*;
use shipway_sdk::testing::{Host, Line};

struct Asking;

impl Plugin for Asking {
    fn describe() -> Manifest {
        Manifest::new("asking", "1.0.0", "Asks for one of each.")
            .setting(Setting::required("url", "Where to send."))
            .setting(
                Setting::optional("token", "A secret.").secret([Place::header("authorization")]),
            )
            .setting(Setting::optional("count", "A number."))
            .request(Request::files(["app/*.txt", "**/*.toml", ".env"], "tests"))
            .request(Request::image("tests"))
            .request(Request::http(["setting:url", "https://b.example"], "tests"))
    }
}

struct Modest;

impl Plugin for Modest {
    fn describe() -> Manifest {
        Manifest::new("modest", "1.0.0", "Asks for nothing.")
    }
}

fn code<T>(result: Result<T, Failure>) -> Code {
    result.err().unwrap().code
}

#[test]
fn files_are_read_where_a_glob_asks_for_them() {
    let host = Host::of::<Asking>()
        .file("app/a.txt", "a")
        .file("app/deep/b.txt", "b")
        .file("deep/er/c.toml", "c")
        .file(".env", "SECRET=1")
        .file("app/large.txt", vec![0; (1 << 20) + 1])
        .file("app/raw.txt", [0xFF]);
    host.run(|| {
        assert_eq!(source::read_text("app/a.txt").unwrap(), "a");
        assert_eq!(source::read_text_if_there("app/none.txt").unwrap(), None);
        assert_eq!(code(source::read("app/none.txt")), Code::NOT_FOUND);
        assert_eq!(code(source::read("app/deep/b.txt")), Code::DENIED);
        assert_eq!(code(source::read("app/../x.toml")), Code::DENIED);
        assert_eq!(code(source::read("/x.toml")), Code::DENIED);
        assert_eq!(code(source::read(".env")), Code::DENIED);
        assert_eq!(code(source::read("app/large.txt")), Code::TOO_LARGE);
        assert_eq!(code(source::read_text("app/raw.txt")), Code::INVALID);
        assert_eq!(
            source::find("**").unwrap(),
            [
                "app/a.txt",
                "app/large.txt",
                "app/raw.txt",
                "deep/er/c.toml"
            ]
        );
        assert_eq!(code(source::find("[")), Code::INVALID);
    });
}

#[test]
fn settings_parse_and_a_secret_stays_with_the_host() {
    let host = Host::of::<Asking>()
        .setting("token", "s3cret")
        .setting("count", " 3 ")
        .setting("url", " ");
    host.run(|| {
        assert_eq!(settings::get("token").unwrap(), "secret:token");
        assert_eq!(settings::parse::<u8>("count").unwrap(), Some(3));
        assert_eq!(settings::json::<u8>("count").unwrap(), Some(3));
        assert_eq!(settings::parse::<u8>("absent").unwrap(), None);
        assert_eq!(code(settings::require("url")), Code::INVALID);
        let failure = settings::json::<Vec<u8>>("count").unwrap_err();
        assert!(
            failure
                .message
                .starts_with("setting `count`: is not the JSON expected")
        );
    });
}

#[test]
fn http_goes_where_the_manifest_asks_and_to_the_candidate() {
    let host = Host::of::<Asking>()
        .setting("url", "https://a.example/hooks?x=1")
        .endpoint("web", "http://10.0.0.2:8000", "")
        .http(|request| Ok(Response::new(200, request.method.clone())));
    host.run(|| {
        assert_eq!(http::get("https://a.example/").unwrap().text(), "GET");
        assert!(http::get("https://b.example:443/x").unwrap().is_success());
        assert!(
            http::get(candidate::endpoints()[0].join("/x"))
                .unwrap()
                .is_success()
        );
        assert_eq!(code(http::get("https://b.example:8443/")), Code::DENIED);
        assert_eq!(code(http::get("http://a.example/")), Code::DENIED);
        assert_eq!(code(http::get("a.example")), Code::INVALID);
    });
    assert_eq!(host.requests().len(), 3);
}

#[test]
fn the_image_answers_once_there_is_one() {
    let host = Host::of::<Asking>();
    assert_eq!(
        code(host.run(|| image::run(&["id"], &[]))),
        Code::UNAVAILABLE
    );
    let host = host.image(|call| Ok(Output::success(call.argv.join(" "))));
    let output = host
        .run(|| image::run(&["echo", "x"], &[("A", "b")]))
        .unwrap();
    assert_eq!(output.stdout_text(), "echo x");
    assert_eq!(host.image_calls()[1].variables, [("A".into(), "b".into())]);
}

#[test]
fn a_plugin_that_asks_for_nothing_gets_nothing() {
    let host = Host::of::<Modest>()
        .file("a", "b")
        .image(|_| Ok(Output::default()));
    host.run(|| {
        assert_eq!(code(source::read("a")), Code::DENIED);
        assert!(source::find("**").unwrap().is_empty());
        assert_eq!(code(image::run(&["id"], &[])), Code::DENIED);
        assert_eq!(code(http::get("https://a.example")), Code::DENIED);
    });
}

#[test]
fn hosts_nest_and_outside_of_one_nothing_answers() {
    let outer = Host::of::<Asking>().file("app/a.txt", "outer");
    let inner = Host::of::<Asking>().file("app/a.txt", "inner");
    outer.run(|| {
        inner.run(|| log::warn!("{}", source::read_text("app/a.txt").unwrap()));
        log::info!("{}", source::read_text("app/a.txt").unwrap());
    });
    let line = |level, message: &str| {
        [Line {
            level,
            message: message.into(),
        }]
    };
    assert_eq!(inner.log(), line(Level::Warn, "inner"));
    assert_eq!(outer.log(), line(Level::Info, "outer"));
    let failure = source::read("app/a.txt").unwrap_err();
    assert!(failure.message.contains("testing::Host::run"));
}

#[test]
fn a_command_carries_everything_that_was_said_of_it() {
    let command = Command::argv(["bin/migrate", "--now"])
        .label("Migrate")
        .phase(Phase::Gate)
        .timeout(Duration::from_secs(60))
        .entrypoint(Entrypoint::Keep)
        .when(When::FirstDeploy)
        .undo(Invocation::Shell("bin/migrate --back".into()))
        .at("app/a.txt", "line 1");
    assert_eq!(command.label, "Migrate");
    assert_eq!(command.phase.as_str(), "gate");
    assert_eq!(command.entrypoint.as_str(), "keep");
    assert_eq!(command.when.as_str(), "first-deploy");
    assert_eq!(command.run.readable(), "bin/migrate --now");
}

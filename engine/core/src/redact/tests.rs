mod properties;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::app::{App, Credentials, Repository};
use crate::ending::{Aftermath, Ending, Failed, Failure, Reason};
use crate::environment::{Environment, EnvironmentKey, RuntimeKind, Variable};
use crate::file::File;
use crate::journal::{CheckOutcome, Commit, Entry, Event, Output, Retired};
use crate::name::{DeploymentId, Timestamp};
use crate::pipeline::Step;
use crate::plan::{Plan, Skipped};
use crate::ports::LineEnd;
use crate::release::{
    CancelPolicy, Entrypoint, Invocation, Origin, Phase, Provenance, ReleaseCommand, When,
};

const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n\
    b3RoZXIgaGFsZg==\n{\n-----END PRIVATE KEY-----\n";

fn redactor(values: &[&str]) -> Redactor {
    let secrets: Vec<Secret> = values.iter().copied().map(Secret::new).collect();
    Redactor::new(&secrets)
}

#[test]
fn secrets_are_masked_in_each_form_and_nothing_else_is() {
    let redactor = redactor(&[
        "hunter22",
        "a b&c=d",
        "postgres://user:s3cr%2Ftpw@db/x",
        "no",
    ]);
    for (line, masked) in [
        ("pw=hunter22!", "pw=[secret]!"),
        ("?q=a+b%26c%3Dd", "?q=[secret]"),
        ("?q=a%20b%26c%3dd", "?q=[secret]"),
        ("68756e7465723232", "[secret]"),
        ("auth s3cr%2Ftpw failed", "auth [secret] failed"),
        ("auth s3cr/tpw failed", "auth [secret] failed"),
        ("there is no such thing", "there is no such thing"),
    ] {
        assert_eq!(redactor.line(line), masked);
    }
}

#[test]
fn what_is_quoted_is_found() {
    let redactor = redactor(&["it's \"a\\b\" $é/x"]);
    for line in [
        r#"{"v":"it's \"a\\b\" $é/x"}"#,
        r#"{"v":"it's \"a\\b\" $\u00e9\/x"}"#,
        r#"+ run 'it'\''s "a\b" $é/x'"#,
        r#"+ run "it's \"a\\b\" \$é/x""#,
        r#"it\'s\ \"a\\b\"\ \$é/x"#,
        r#"argv: ["it's \"a\\b\" $é/x"]"#,
    ] {
        let masked = redactor.line(line);
        assert!(masked.contains(MASK), "{line} -> {masked}");
        assert!(!masked.contains('$'), "{line} -> {masked}");
    }
}

#[test]
fn each_line_of_a_key_is_masked_but_not_what_only_frames_it() {
    let redactor = redactor(&[KEY]);
    let shown: Vec<String> = KEY.lines().map(|line| redactor.line(line)).collect();
    assert_eq!(
        shown,
        [
            "-----BEGIN PRIVATE KEY-----",
            MASK,
            MASK,
            "{",
            "-----END PRIVATE KEY-----"
        ]
    );
    assert_eq!(redactor.line(&format!("<{}>", KEY.trim())), "<[secret]>");
    let json = serde_json::json!({ "key": KEY }).to_string();
    assert_eq!(redactor.line(&json), r#"{"key":"[secret]\n"}"#);
}

#[test]
fn base64_that_was_wrapped_into_lines_is_masked() {
    let redactor = redactor(&[KEY]);
    for (before, width) in [("", 76), ("", 64), ("user:", 76), ("x", 64)] {
        let encoded = STANDARD.encode(format!("{before}{KEY}"));
        let lines: Vec<&[u8]> = encoded.as_bytes().chunks(width).collect();
        let shown: String = lines
            .iter()
            .map(|line| redactor.line(std::str::from_utf8(line).unwrap()))
            .collect();
        let rest = shown.replace(MASK, "");
        assert!(rest.len() < 40, "{before:?} {width}: {shown}");
    }
}

#[test]
fn what_overlaps_is_masked_as_one() {
    let redactor = redactor(&["abcdef", "defghi"]);
    assert_eq!(redactor.line("<abcdefghi>"), "<[secret]>");
    assert_eq!(redactor.line("<abcdefdefghi>"), "<[secret][secret]>");
}

#[test]
fn short_values_and_white_space_are_masked_nowhere() {
    let redactor = redactor(&["abc", "     ", "  xy ", "é€ß", ""]);
    let text = "abc      xy é€ß";
    assert_eq!(redactor.line(text), text);
}

#[test]
fn half_a_secret_at_a_cut_is_kept_back() {
    let mut stream = redactor(&["hunter22"]).stream();
    assert!(!stream.push("password: hunt", LineEnd::Cut).contains("hunt"));
    assert!(stream.held_back() > 0);
    assert!(
        stream
            .push("er22 and so on", LineEnd::Newline)
            .ends_with("[secret] and so on")
    );
    assert_eq!(stream.held_back(), 0);
    assert_eq!(stream.push("hunt", LineEnd::Newline), "hunt");
}

#[test]
fn a_stream_holds_back_no_more_than_a_secret_is_long() {
    let redactor = redactor(&["aaaaaaaa"]);
    let longest = match &redactor.0 {
        Knows::Secrets(matcher) => matcher.longest,
        _ => 0,
    };
    let mut stream = redactor.stream();
    let mut shown = String::new();
    for _ in 0..1000 {
        shown.push_str(&stream.push(&"a".repeat(1000), LineEnd::Cut));
        assert!(stream.held_back() < longest);
    }
    shown.push_str(&stream.push("", LineEnd::Newline));
    assert_eq!(shown, MASK);
}

#[test]
fn it_does_not_show_what_it_knows() {
    let redactor = redactor(&["hunter22"]);
    assert_eq!(format!("{redactor:?}"), "Redactor(…)");
    assert!(!format!("{:?}", redactor.stream()).contains("hunter"));
}

const SECRET: &str = "hunter22-of-the-test";

/// An event whose every free text holds the secret.
fn failure() -> Failure {
    let mut failure = Failure::new(Step::Build, Reason::Build, format!("said {SECRET}"))
        .with_hint(format!("not {SECRET}"));
    failure.last_lines = vec![format!("pw={SECRET}")];
    failure
}

fn plan() -> Plan {
    let text = || format!("x {SECRET}");
    let provenance = || Provenance {
        origin: Origin::Settings,
        file: String::new(),
        place: String::new(),
    };
    let command = ReleaseCommand {
        label: "migrate".parse().unwrap(),
        run: Invocation::Shell(text()),
        phase: Phase::Release,
        entrypoint: Entrypoint::Bypass,
        timeout_seconds: 60,
        when: When::Always,
        cancel: CancelPolicy::Allowed,
        undo: Some(Invocation::Argv(vec!["undo".into(), text()])),
        provenance: provenance(),
    };
    let environment = environment();
    let mut plan = crate::plan::draft(&environment, &File::default(), &[])
        .unwrap()
        .complete(commit(), Vec::new(), Vec::new())
        .unwrap();
    plan.commands.push(command);
    plan.warnings.push(text());
    plan.skipped.push(Skipped {
        what: text(),
        reason: text(),
        provenance: provenance(),
    });
    plan.build.args.insert("ARG".into(), text());
    plan.build.command = Some(text());
    plan
}

fn commit() -> Commit {
    Commit {
        id: "0".repeat(40).parse().unwrap(),
        subject: format!("use {SECRET}"),
        author: SECRET.into(),
    }
}

fn environment() -> Environment {
    let key = EnvironmentKey {
        app: "shop".parse().unwrap(),
        environment: "live".parse().unwrap(),
    };
    let mut environment = Environment::new(key, RuntimeKind::Docker, Timestamp::from_millis(0));
    let secret = Variable::Secret(Secret::new(SECRET));
    environment
        .variables
        .insert("TOKEN".parse().unwrap(), secret);
    let plain = Variable::Plain("migrate".into());
    environment
        .variables
        .insert("PLAIN".parse().unwrap(), plain);
    environment
}

fn events() -> Vec<Event> {
    let text = || format!("x {SECRET}");
    let succeeded = |output| Event::StepSucceeded {
        output: Box::new(output),
        millis: 1,
    };
    vec![
        succeeded(Output::Services {
            answered: vec![text()],
        }),
        succeeded(Output::Checkout(commit())),
        succeeded(Output::Retire(Retired {
            problems: vec![text()],
            ..Retired::default()
        })),
        Event::StepFailed { failure: failure() },
        Event::InstanceHealthy {
            id: "a".into(),
            tries: 1,
            answer: text(),
            millis: 1,
        },
        Event::CheckReported {
            plugin: "check".parse().unwrap(),
            name: text(),
            outcome: CheckOutcome::Fail,
            message: text(),
            millis: 1,
        },
        Event::Warning {
            message: text(),
            plugin: None,
        },
        Event::Ended(Ending::Failed(Failed {
            failure: failure(),
            aftermath: Aftermath::default(),
        })),
    ]
}

#[test]
fn no_event_holds_a_secret() {
    let redactor = redactor(&[SECRET]);
    for event in events() {
        let json = serde_json::to_string(&event).unwrap();
        assert!(json.contains(SECRET), "the test is broken: {json}");
        let json = serde_json::to_string(&event.redacted(&redactor)).unwrap();
        assert!(!json.contains(SECRET), "{json}");
        assert!(json.contains(MASK), "{json}");
    }
}

#[test]
fn a_plan_is_shown_without_secrets_and_run_as_it_was_written() {
    let redactor = redactor(&[SECRET]);
    let event = Event::StepSucceeded {
        output: Box::new(Output::Plan {
            plan: Box::new(plan()),
        }),
        millis: 1,
    };
    let entry = Entry {
        deployment: DeploymentId(uuid::Uuid::nil()),
        sequence: 1,
        at: Timestamp::from_millis(0),
        event: event.redacted(&redactor),
    };
    let Event::StepSucceeded { output, .. } = &entry.event else {
        panic!("another event")
    };
    let Output::Plan { plan: kept } = output.as_ref() else {
        panic!("another output")
    };
    assert_eq!(kept.commands, plan().commands);
    assert_eq!(kept.warnings, ["x [secret]"]);
    let shown = serde_json::to_string(&entry.shown(&redactor)).unwrap();
    assert!(!shown.contains(SECRET), "{shown}");
    let shown = serde_json::to_string(&plan().shown(&redactor)).unwrap();
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn the_secrets_of_an_app_are_its_credentials_variables_and_settings() {
    let app = App {
        name: "shop".parse().unwrap(),
        repository: Repository {
            url: "https://git.example.com/shop.git".into(),
            default_reference: "main".into(),
            credentials: Some(Credentials::Password {
                username: "deploy".into(),
                password: Secret::new("swordfish"),
            }),
        },
        mirror_of: None,
        created_at: Timestamp::from_millis(0),
    };
    let redactor = Redactor::of(&app, &environment(), &[]);
    assert_eq!(
        redactor.line(&format!("{SECRET} swordfish migrate")),
        "[secret] [secret] migrate"
    );
}

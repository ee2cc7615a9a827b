//! What the two planes count, and the dashboard and the alerts that stand on
//! it.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::numbers::Numbers;
use shipway_tests::parts;
use shipway_tests::prometheus::{self, Prometheus};
use shipway_tests::receiver::Receiver;
use shipway_tests::ship::{Ship, free_address};
use shipway_tests::stream::EventStream;
use shipway_tests::wait::until;

use crate::apps::{serves, tiny};

const PATIENCE: Duration = Duration::from_secs(30);

/// An engine whose proxy tells its numbers too.
fn start() -> Option<(Ship, SocketAddr)> {
    let webhook = parts::plugin("webhook")?;
    let address = free_address();
    let ship = Ship::start_with_arguments(&["--proxy-metrics-listen", &address.to_string()])?;
    ship.install(webhook);
    Some((ship, address))
}

fn of_proxy(address: SocketAddr) -> Numbers {
    until("the proxy tells its numbers", PATIENCE, || {
        Numbers::of_proxy(address)
    })
}

/// A deployment that succeeds, told to a notifier; one that fails at a limit;
/// and visitors, some of whom find nobody.
fn live_through(live: &Environment<'_>, receiver: &Receiver) {
    let ship = live.ship;
    live.change(json!({"plugins": {"notifiers": ["webhook"]}}));
    live.plugin_setting("webhook", "url", &receiver.url());
    let grant = json!({"http": [{"origin": receiver.origin(), "addresses": "any"}]});
    ship.api.put("/v1/plugins/webhook/grants", &grant).ok();
    live.command("Say hello", "echo hello");
    let deployment = live.deploy();
    deployment.succeeded();
    receiver.until_received(deployment.events().len());
    serves(live, "1");
    assert_eq!(ship.get("nobody.example.com", "/").status, 404);

    live.command_with(json!({"label": "Wait too long", "run": "sleep 60", "timeout_seconds": 1}));
    let failed = live.deploy();
    failed.failed("release", "timeout");
    receiver.until_received(deployment.events().len() + failed.events().len());
}

#[test]
fn each_plane_tells_what_happened_and_promtool_finds_no_fault() {
    let Some((ship, address)) = start() else {
        return;
    };
    let receiver = Receiver::start(204);
    let (_repo, live) = tiny(&ship);
    live_through(&live, &receiver);

    let numbers = Numbers::of_engine(&ship);
    let app = format!("app=\"{}\"", live.app);
    let deployments = |labels: &[&str]| {
        let labels = [&[app.as_str(), "environment=\"live\""], labels].concat();
        numbers.value("shipway_deployments_total", &labels)
    };
    assert_eq!(
        deployments(&["ending=\"succeeded\"", "reason=\"none\""]),
        1.0
    );
    assert_eq!(
        deployments(&["ending=\"failed\"", "reason=\"timeout\""]),
        1.0
    );
    for (name, labels, least) in [
        (
            "shipway_step_duration_seconds_count",
            &["step=\"switch\"", "outcome=\"succeeded\""][..],
            1.0,
        ),
        (
            "shipway_step_duration_seconds_count",
            &["step=\"release\"", "outcome=\"failed\""],
            1.0,
        ),
        (
            "shipway_deployment_duration_seconds_count",
            &["ending=\"succeeded\""],
            1.0,
        ),
        ("shipway_deployment_wait_seconds_count", &[], 2.0),
        (
            "shipway_commands_total",
            &["phase=\"release\"", "result=\"timed-out\""],
            1.0,
        ),
        ("shipway_limits_hit_total", &["limit=\"command-time\""], 1.0),
        ("shipway_leases_total", &["event=\"taken\""], 2.0),
        (
            "shipway_deliveries_total",
            &["notifier=\"webhook\"", "result=\"delivered\""],
            20.0,
        ),
        (
            "shipway_plugin_calls_total",
            &["plugin=\"webhook\"", "role=\"notifier\"", "result=\"ok\""],
            20.0,
        ),
        (
            "shipway_plugin_call_duration_seconds_count",
            &["plugin=\"webhook\""],
            20.0,
        ),
        ("shipway_log_lines_total", &["stream=\"stdout\""], 1.0),
        (
            "shipway_api_requests_total",
            &["route=\"/v1/apps\"", "method=\"POST\"", "status=\"201\""],
            1.0,
        ),
        (
            "shipway_api_request_duration_seconds_count",
            &["route=\"/v1/apps\""],
            1.0,
        ),
        ("shipway_store_up", &[], 1.0),
        ("shipway_build_info", &["program=\"shipway\""], 1.0),
        ("process_resident_memory_bytes", &[], 1_000_000.0),
        ("process_open_fds", &[], 5.0),
    ] {
        let value = numbers.value(name, labels);
        assert!(
            value >= least,
            "{name} {labels:?} is {value}\n{}",
            numbers.text()
        );
    }
    assert_eq!(numbers.value("shipway_deployments_running", &[]), 0.0);
    assert_eq!(numbers.value("shipway_deployments_queued", &[]), 0.0);

    let of_proxy = of_proxy(address);
    let requests = |class: &str| {
        let status = format!("status=\"{class}\"");
        of_proxy.value("shipway_proxy_requests_total", &[&app, &status])
    };
    assert!(requests("2xx") >= 1.0, "{}", of_proxy.text());
    assert_eq!(requests("5xx"), 0.0, "{}", of_proxy.text());
    assert_eq!(of_proxy.value("shipway_proxy_own_pages_total", &[]), 1.0);
    assert_eq!(of_proxy.value("shipway_proxy_switches_total", &[]), 1.0);
    let received = of_proxy.value("shipway_proxy_requests_received_total", &[]);
    let timed = of_proxy.value("shipway_proxy_request_duration_seconds_count", &[]);
    assert!(
        received >= 2.0 && (timed - received).abs() < 0.5,
        "{}",
        of_proxy.text()
    );

    for numbers in [&numbers, &of_proxy] {
        let Some(()) = prometheus::check(numbers) else {
            return;
        };
    }
}

#[test]
fn what_waits_and_who_watches_is_counted_while_it_does() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let door = ship.state_dir().join("door");
    live.command(
        "Wait",
        &format!("until test -e {}; do sleep 0.05; done", door.display()),
    );
    let running = live.trigger(json!({}));
    running.until_event("the command runs", |event| {
        event["kind"] == "command.started"
    });
    let waiting = live.trigger(json!({"reference": "main"}));
    let stream = EventStream::open(&ship.api, &running.id, None).expect("a stream");
    until("one runs, one waits, one watches", PATIENCE, || {
        let numbers = Numbers::of_engine(&ship);
        let is = |name: &str, labels: &[&str]| numbers.value(name, labels) == 1.0;
        let all = is("shipway_deployments_running", &[])
            && is("shipway_deployments_queued", &[])
            && is("shipway_api_streams_open", &["kind=\"events\""]);
        all.then_some(())
    });
    std::fs::write(door, "").expect("the door opens");
    running.ended().succeeded();
    waiting.ended().succeeded();
    drop(stream);
    until("nobody watches", PATIENCE, || {
        let numbers = Numbers::of_engine(&ship);
        (numbers.value("shipway_api_streams_open", &[]) == 0.0).then_some(())
    });
}

#[test]
fn the_proxys_numbers_move_with_the_proxy_that_leads() {
    let Some((ship, address)) = start() else {
        return;
    };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    serves(&live, "1");
    let before = ship.proxy_pid().expect("a proxy");
    assert_eq!(of_proxy(address).value("shipway_proxy_routes", &[]), 1.0);
    // With the settings that it has.
    shipway_tests::machine::hang_up(before);
    until("another proxy leads", PATIENCE, || {
        ship.proxy_pid().filter(|pid| *pid != before)
    });
    until("its numbers begin anew", PATIENCE, || {
        let numbers = Numbers::of_proxy(address)?;
        let begun = numbers.value("shipway_proxy_requests_received_total", &[]) == 0.0;
        (begun && numbers.value("shipway_proxy_routes", &[]) == 1.0).then_some(())
    });
    serves(&live, "1");
}

/// A file of the documentation.
fn docs(name: &str) -> PathBuf {
    parts::root().join("docs/observability").join(name)
}

/// Every query of the dashboard, with what its variables stand for.
fn queries() -> Vec<(String, String)> {
    let text = std::fs::read_to_string(docs("grafana-dashboard.json")).expect("the dashboard");
    let dashboard: Value = serde_json::from_str(&text).expect("JSON");
    let mut queries = Vec::new();
    for panel in dashboard["panels"].as_array().expect("panels") {
        let title = panel["title"].as_str().expect("a title").to_owned();
        for target in panel["targets"].as_array().into_iter().flatten() {
            let query = target["expr"].as_str().expect("a query");
            queries.push((title.clone(), given(query)));
        }
    }
    for variable in dashboard["templating"]["list"]
        .as_array()
        .expect("variables")
    {
        if let Some(query) = variable["query"].as_str()
            && let Some(series) = query.strip_prefix("label_values(")
        {
            let series = series.split(", ").next().expect("a series");
            queries.push((format!("${}", variable["name"]), given(series)));
        }
    }
    assert!(queries.len() > 20, "{queries:?}");
    queries
}

fn given(query: &str) -> String {
    let query = query
        .replace("$__rate_interval", "1m")
        .replace("$__range", "10m");
    let query = query.replace("$app", ".*").replace("$environment", ".*");
    assert!(!query.contains('$'), "an unknown variable: {query}");
    query
}

/// The names of series in a query: words that are ours or of the process.
fn names(query: &str) -> BTreeSet<String> {
    let words = query.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words
        .filter(|word| word.starts_with("shipway_") || word.starts_with("process_"))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_query_of_the_dashboard_and_of_the_alerts_finds_what_it_asks_for() {
    let Some((ship, address)) = start() else {
        return;
    };
    let receiver = Receiver::start(204);
    let (_repo, live) = tiny(&ship);
    let rules = docs("alerts.yml");
    let prometheus = Prometheus::start(&ship, address, &rules);
    // A rate needs a number from before.
    if let Some(prometheus) = &prometheus {
        prometheus.until_scraped(2);
    }
    live_through(&live, &receiver);

    let mut known = Numbers::of_engine(&ship).names();
    known.extend(of_proxy(address).names());
    let alerts = std::fs::read_to_string(&rules).expect("the alerts");
    let mut asked: BTreeSet<String> = names(&alerts);
    for (_, query) in queries() {
        asked.extend(names(&query));
    }
    let unknown: Vec<_> = asked.difference(&known).collect();
    assert!(unknown.is_empty(), "nobody exports {unknown:?}");

    let Some(prometheus) = prometheus else { return };
    let Some(()) = prometheus::check_rules(&rules) else {
        return;
    };
    prometheus.until_scraped(8);
    for (title, query) in queries() {
        until(
            &format!("{title:?} has a result: {query}"),
            PATIENCE,
            || Some(prometheus.query(&query)).filter(|found| !found.is_empty()),
        );
    }
    until("every alert was looked at", PATIENCE, || {
        let rules = prometheus.rules();
        let looked = rules.iter().all(|rule| rule["health"] == "ok");
        (looked && !rules.is_empty()).then_some(())
    });
    for rule in prometheus.rules() {
        // What a comparison is about is there, whether it fires or not.
        let query = rule["query"].as_str().expect("a query");
        let side = query.split(['>', '<']).next().expect("a side");
        let side = side.split(" == ").next().expect("a side");
        assert!(
            !prometheus.query(side).is_empty(),
            "{} asks for nothing: {side}",
            rule["name"]
        );
    }
}

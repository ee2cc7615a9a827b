//! The proxy's numbers, as Prometheus reads them, on an address of their own.
//! They are asked for on the admin socket, so that after a restart they are
//! those of the proxy that leads.

use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use metrics::{counter, describe_counter, describe_gauge, gauge};
use metrics_exporter_prometheus::PrometheusBuilder;
use metrics_process::Collector;
use shipway_proxy::protocol::{BUCKETS, Durations, RouteStats, Stats, TargetState};
use shipway_proxy::{ProxyHandle, ProxyRouter};
use tokio::net::TcpListener;
use tokio::time::{Instant, sleep};

/// How long a proxy that takes over waits for the address.
const PATIENCE: Duration = Duration::from_secs(60);
const AGAIN_AFTER: Duration = Duration::from_millis(100);
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";
const SECONDS: &str = "shipway_proxy_request_duration_seconds";

/// Which proxy asks for the address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// The first: nobody else has it, or that is an error.
    Fresh,
    /// The one that ran has it until this one leads.
    TakesOver,
}

/// Serves `/metrics` until another proxy has taken over.
pub async fn serve(listener: TcpListener, socket: ProxyRouter, proxy: ProxyHandle) {
    let answer = get(move || async move { answer(&socket).await });
    let app = Router::new().route("/metrics", answer);
    let serving = axum::serve(listener, app);
    tokio::select! {
        served = serving.into_future() => tracing::error!(?served, "metrics are no longer served"),
        () = proxy.gone() => {}
    }
}

pub async fn listen(address: SocketAddr, start: Start) -> anyhow::Result<TcpListener> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match TcpListener::bind(address).await {
            Ok(listener) => return Ok(listener),
            Err(_) if start == Start::TakesOver && Instant::now() < deadline => {
                sleep(AGAIN_AFTER).await;
            }
            Err(error) => {
                return Err(error)
                    .with_context(|| format!("could not listen on {address} for metrics"));
            }
        }
    }
}

async fn answer(socket: &ProxyRouter) -> Response {
    match socket.stats().await {
        Ok(stats) => ([(CONTENT_TYPE, TEXT)], text(&stats)).into_response(),
        Err(error) => {
            tracing::warn!(%error, "the metrics could not be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

/// A recorder for each time: what a route has counted goes with the route.
fn text(stats: &Stats) -> String {
    let recorder = PrometheusBuilder::new().build_recorder();
    metrics::with_local_recorder(&recorder, || {
        let process = Collector::default();
        process.describe();
        process.collect();
        describe();
        whole(stats);
        for route in &stats.routes {
            of_route(route);
        }
    });
    let mut text = recorder.handle().render();
    durations(&mut text, &stats.counts.durations);
    text
}

fn describe() {
    describe_gauge!(
        "shipway_build_info",
        "Always 1; the program and its version"
    );
    describe_gauge!(
        "shipway_proxy_connections_open",
        "Connections of clients that are open now"
    );
    describe_gauge!("shipway_proxy_routes", "Environments that are routed");
    describe_counter!(
        "shipway_proxy_requests_received_total",
        "Requests begun, for whichever host"
    );
    describe_counter!(
        "shipway_proxy_own_pages_total",
        "Requests answered with a page of the proxy's own"
    );
    describe_counter!(
        "shipway_proxy_retries_total",
        "Requests sent once more, because the first try reached no instance"
    );
    describe_counter!(
        "shipway_proxy_upstream_errors_total",
        "Requests that no instance answered, by kind"
    );
    describe_counter!("shipway_proxy_switches_total", "Routes set");
    describe_counter!(
        "shipway_proxy_drains_total",
        "Drains of old instances that ended"
    );
    describe_counter!(
        "shipway_proxy_drain_cut_off_total",
        "Requests that had not finished when their drain's time was over"
    );
    describe_counter!(
        "shipway_proxy_requests_total",
        "Requests answered for an environment, by class of status"
    );
    describe_gauge!(
        "shipway_proxy_requests_in_flight",
        "Requests that are on an environment's routed instances now"
    );
    describe_gauge!(
        "shipway_proxy_targets",
        "Routed instances: in use, or put aside because they accept no connection"
    );
}

fn whole(stats: &Stats) {
    let (counts, changes) = (&stats.counts, &stats.changes);
    gauge!("shipway_build_info", "program" => "shipway-proxy", "version" => env!("CARGO_PKG_VERSION"))
        .set(1.0);
    gauge!("shipway_proxy_connections_open").set(counts.connections as f64);
    gauge!("shipway_proxy_routes").set(stats.routes.len() as f64);
    counter!("shipway_proxy_requests_received_total").absolute(counts.requests);
    counter!("shipway_proxy_own_pages_total").absolute(counts.own_pages);
    counter!("shipway_proxy_retries_total").absolute(counts.retries);
    let failures = &counts.failures;
    for (kind, count) in [
        ("no-target", failures.no_target),
        ("refused", failures.refused),
        ("connect-timeout", failures.connect_timeout),
        ("broken", failures.broken),
        ("answer-timeout", failures.answer_timeout),
    ] {
        counter!("shipway_proxy_upstream_errors_total", "kind" => kind).absolute(count);
    }
    counter!("shipway_proxy_switches_total").absolute(changes.switches);
    counter!("shipway_proxy_drains_total").absolute(changes.drains);
    counter!("shipway_proxy_drain_cut_off_total").absolute(changes.cut_off);
}

fn of_route(route: &RouteStats) {
    let labels = [
        ("app", route.key.app.to_string()),
        ("environment", route.key.environment.to_string()),
    ];
    let classes = ["1xx", "2xx", "3xx", "4xx", "5xx"];
    for (class, count) in classes.into_iter().zip(route.answers) {
        let mut labels = labels.to_vec();
        labels.push(("status", class.to_owned()));
        counter!("shipway_proxy_requests_total", &labels).absolute(count);
    }
    let in_flight: u64 = route.targets.iter().map(|target| target.in_flight).sum();
    gauge!("shipway_proxy_requests_in_flight", &labels).set(in_flight as f64);
    for (word, state) in [
        ("in-use", TargetState::InUse),
        ("aside", TargetState::Aside),
    ] {
        let count = route
            .targets
            .iter()
            .filter(|target| target.state == state)
            .count();
        let mut labels = labels.to_vec();
        labels.push(("state", word.to_owned()));
        gauge!("shipway_proxy_targets", &labels).set(count as f64);
    }
}

/// Counted by the proxy's workers, bucket by bucket.
fn durations(text: &mut String, durations: &Durations) {
    let mut sum = 0;
    let mut write = || {
        writeln!(
            text,
            "# HELP {SECONDS} From a request to the head of its answer"
        )?;
        writeln!(text, "# TYPE {SECONDS} histogram")?;
        for (bucket, micros) in durations.buckets.iter().zip(BUCKETS) {
            sum += bucket;
            let most = micros as f64 / 1e6;
            writeln!(text, "{SECONDS}_bucket{{le=\"{most}\"}} {sum}")?;
        }
        sum += durations.buckets.get(BUCKETS.len()).unwrap_or(&0);
        writeln!(text, "{SECONDS}_bucket{{le=\"+Inf\"}} {sum}")?;
        writeln!(text, "{SECONDS}_sum {}", durations.micros as f64 / 1e6)?;
        writeln!(text, "{SECONDS}_count {sum}")
    };
    // A string always has room.
    let _: std::fmt::Result = write();
}

#[cfg(test)]
mod tests {
    use super::*;
    use shipway_proxy::protocol::{Changes, Counts};

    #[test]
    fn a_histogram_counts_up_and_ends_with_all() {
        let mut durations = Durations {
            buckets: vec![0; BUCKETS.len() + 1],
            micros: 2_500_400,
        };
        durations.buckets[0] = 3;
        durations.buckets[1] = 1;
        *durations.buckets.last_mut().unwrap() = 2;
        let stats = Stats {
            counts: Counts {
                durations,
                ..Counts::default()
            },
            routes: Vec::new(),
            changes: Changes::default(),
        };
        let text = text(&stats);
        for line in [
            "shipway_proxy_request_duration_seconds_bucket{le=\"0.0005\"} 3",
            "shipway_proxy_request_duration_seconds_bucket{le=\"0.001\"} 4",
            "shipway_proxy_request_duration_seconds_bucket{le=\"60\"} 4",
            "shipway_proxy_request_duration_seconds_bucket{le=\"+Inf\"} 6",
            "shipway_proxy_request_duration_seconds_sum 2.5004",
            "shipway_proxy_request_duration_seconds_count 6",
        ] {
            assert!(text.lines().any(|one| one == line), "{line}\n{text}");
        }
    }
}

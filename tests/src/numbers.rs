//! What an engine and its proxy have counted, in Prometheus' text format.

use std::collections::BTreeSet;
use std::net::SocketAddr;

use crate::api::client;
use crate::ship::Ship;
use crate::wait::block;

/// One scrape.
#[derive(Debug, Clone)]
pub struct Numbers(String);

impl Numbers {
    /// The engine's, with the token of its first start.
    pub fn of_engine(ship: &Ship) -> Self {
        let answer = ship.api.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.header("content-type").starts_with("text/plain"));
        Self(answer.text())
    }

    /// The proxy's, if it answers there.
    pub fn of_proxy(address: SocketAddr) -> Option<Self> {
        let request = client().get(format!("http://{address}/metrics"));
        let text = block(async { request.send().await?.error_for_status()?.text().await });
        text.ok().map(Self)
    }

    pub fn text(&self) -> &str {
        &self.0
    }

    /// The sum of the series that have all these labels, given as
    /// `name="value"`; nought when there is none.
    pub fn value(&self, name: &str, labels: &[&str]) -> f64 {
        let series = self.samples().filter(|(series, _)| {
            let (own, rest) = series.split_once('{').unwrap_or((series, ""));
            own == name && labels.iter().all(|label| rest.contains(label))
        });
        series.map(|(_, value)| value).sum()
    }

    /// The names of all series.
    pub fn names(&self) -> BTreeSet<String> {
        self.samples()
            .map(|(series, _)| series.split('{').next().unwrap_or(series).to_owned())
            .collect()
    }

    fn samples(&self) -> impl Iterator<Item = (&str, f64)> {
        let lines = self
            .0
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a series and its value");
            (series, value.parse().expect("a number"))
        })
    }
}

//! How long the last deployments took, as bars. The list beside it says the
//! same in words.

use maud::{Markup, html};

use super::words::{duration, short};
use crate::wire::deployment::Deployment;
use crate::words::took;

const BAR: usize = 14;
const GAP: usize = 4;
const HEIGHT: u64 = 64;
/// A short one is seen too.
const LEAST: u64 = 3;

/// Deployments as they come from a list, newest first; the chart reads from
/// left to right. Nothing when none has ended.
pub fn chart(deployments: &[Deployment]) -> Markup {
    let ended: Vec<(&Deployment, u64)> = deployments
        .iter()
        .rev()
        .filter_map(|one| Some((one, duration(one)?)))
        .collect();
    let Some(longest) = ended.iter().map(|(_, millis)| *millis).max() else {
        return html! {};
    };
    let width = ended.len() * (BAR + GAP);
    html! {
        figure.chart {
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } width=(width) height=(HEIGHT) role="img"
                aria-labelledby="chart-title" {
                title #chart-title {
                    "How long the last " (ended.len()) " deployments took, at most " (took(longest))
                }
                @for (index, (deployment, millis)) in ended.iter().enumerate() {
                    (bar(index, deployment, *millis, longest))
                }
            }
            figcaption { "Durations; the longest took " (took(longest)) }
        }
    }
}

fn bar(index: usize, deployment: &Deployment, millis: u64, longest: u64) -> Markup {
    let height = (millis * HEIGHT / longest.max(1)).max(LEAST);
    html! {
        rect class={ "bar " (deployment.status) } x=(index * (BAR + GAP)) y=(HEIGHT - height)
            width=(BAR) height=(height) rx="2" {
            title { (short(&deployment.id)) " " (deployment.status) ", " (took(millis)) }
        }
    }
}

//! All points, one after another, on each runtime and in each story.

use anyhow::{Context, Result};
use clap::Args;
use indicatif::{ProgressBar, ProgressStyle};
use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::look::{self, Way};
use crate::point::Point;
use crate::site::{Runtime, Site};
use crate::story::Story;

#[derive(Debug, Args)]
pub struct Choice {
    /// Only on this runtime
    #[arg(long, value_enum)]
    runtime: Option<Runtime>,
    /// Only this story
    #[arg(long, value_enum)]
    story: Option<Story>,
    /// Only this point, such as `before:12` or `after:12`
    #[arg(long)]
    point: Option<Point>,
}

#[derive(Debug, Default)]
pub struct Outcome {
    pub points: usize,
    pub interrupted: usize,
    pub broken: Vec<Broken>,
    /// What could not run, and why.
    pub lacks: Vec<String>,
}

/// A point after which something was wrong.
#[derive(Debug)]
pub struct Broken {
    pub runtime: &'static str,
    pub story: Story,
    pub point: Point,
    pub what: Vec<String>,
}

pub fn run(choice: &Choice) -> Result<Outcome> {
    let mut outcome = Outcome::default();
    let runtimes = Runtime::ALL.into_iter();
    for runtime in runtimes.filter(|one| choice.runtime.is_none_or(|only| only == *one)) {
        if runtime == Runtime::Docker && parts::image(parts::STATIC_IMAGE).is_none() {
            outcome
                .lacks
                .push("docker: no engine, or no image".to_owned());
            continue;
        }
        let stories = Story::ALL.into_iter();
        for story in stories.filter(|one| choice.story.is_none_or(|only| only == *one)) {
            tell(runtime, story, choice.point, &mut outcome)?;
        }
    }
    Ok(outcome)
}

/// Tells a story again and again, killed at another point each time.
fn tell(runtime: Runtime, story: Story, only: Option<Point>, outcome: &mut Outcome) -> Result<()> {
    let ship = Ship::start().context("no ship")?;
    let mut site = Site::open(&ship, runtime, story);
    let mut serving = 1;
    // Once undisturbed: how many entries does it write beside that of the trigger?
    let version = site.next_version();
    let entries = site.deploy_undisturbed();
    if story.status() == "succeeded" {
        serving = version;
    }
    let points: Vec<Point> = Point::all(entries)
        .filter(|point| only.is_none_or(|only| only == *point))
        .collect();
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} points, {eta} left")?;
    let bar = ProgressBar::new(points.len() as u64).with_style(style);
    bar.set_message(format!("{} {}", runtime.as_str(), story.as_str()));
    for point in points {
        let version = site.next_version();
        let (way, what) = match site.deploy_and_die(point) {
            Ok(deployment) => look::look(&site, &deployment, version, serving),
            Err(error) => (Way::ToItsEnd, vec![format!("{error:#}")]),
        };
        outcome.points += 1;
        outcome.interrupted += usize::from(way == Way::Interrupted);
        if site.live.get("/").text().trim() == format!("version {version}") {
            serving = version;
        }
        if !what.is_empty() {
            bar.println(format!("{point}: {}", what.join("; ")));
            let runtime = runtime.as_str();
            outcome.broken.push(Broken {
                runtime,
                story,
                point,
                what,
            });
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

//! A plan as people read it: what will run, and who asked for it.

use maud::{Markup, html};
use shipway_core::environment::{LayerCache, RuntimeKind};
use shipway_core::plan::Plan;
use shipway_core::process::Process;
use shipway_core::release::{Phase, ReleaseCommand};

use super::words::{count, limit, phase, run, when};

/// What becomes of the plan's release commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Commands {
    Run,
    Skipped,
}

/// In full, for a deployment that has it.
pub fn whole(plan: &Plan) -> Markup {
    html! {
        (facts(plan))
        (commands(plan, Commands::Run))
        (processes(plan))
        (remarks(plan))
    }
}

/// What somebody has to know who is asked.
pub fn brief(plan: &Plan, commands_do: Commands) -> Markup {
    html! { (commands(plan, commands_do)) (remarks(plan)) }
}

fn facts(plan: &Plan) -> Markup {
    html! {
        dl.facts {
            dt { "Commit" }
            dd { code { (plan.commit.id.short()) } " " (plan.commit.subject) " (" (plan.commit.author) ")" }
            dt { "Runtime" }
            dd { (plan.runtime) }
            dt { "Build" }
            dd { (build(plan)) }
            @if !plan.domains.is_empty() {
                dt { "Domains" }
                dd { (listed(&plan.domains)) }
            }
            @if !plan.variables.is_empty() {
                dt { "Variables" }
                dd { (listed(&plan.variables)) }
            }
            @for service in &plan.services {
                dt { "Service " (service.name) }
                dd { code { (service.url) } " within " (service.timeout_seconds) " s" }
            }
            @if !plan.self_tests.is_empty() {
                dt { "Self-tests" }
                dd { (listed(&plan.self_tests)) }
            }
            @for plugin in &plan.plugins {
                dt { "Plugin " (plugin.name) }
                dd { (plugin.version) " " code { (plugin.digest.as_str().chars().take(12).collect::<String>()) } }
            }
        }
    }
}

fn listed(items: &[impl ToString]) -> String {
    let items: Vec<String> = items.iter().map(ToString::to_string).collect();
    items.join(", ")
}

fn build(plan: &Plan) -> String {
    let build = &plan.build;
    match (plan.runtime, build.cache.unwrap_or_default()) {
        (RuntimeKind::Process, _) => build.command.clone().unwrap_or("nothing to run".into()),
        (RuntimeKind::Docker, cache) => {
            let file = build.dockerfile.as_deref().unwrap_or("Dockerfile");
            match cache {
                LayerCache::On => format!("{file}, with layer cache"),
                LayerCache::Off => format!("{file}, without layer cache"),
            }
        }
    }
}

fn commands(plan: &Plan, what: Commands) -> Markup {
    html! {
        h3 { (heading(plan, what)) }
        @if plan.commands.is_empty() {
            p.nothing { "No release commands." }
        }
        @for each in Phase::ALL {
            @if plan.phase(each).next().is_some() {
                h4 { (phase(each)) }
                ol.commands.plan {
                    @for command in plan.phase(each) { (one(command, what)) }
                }
            }
        }
    }
}

fn heading(plan: &Plan, what: Commands) -> String {
    let number = plan.commands.len();
    match what {
        Commands::Run => count(number, "release command", "release commands"),
        Commands::Skipped => format!(
            "{}, skipped",
            count(number, "release command", "release commands")
        ),
    }
}

fn one(command: &ReleaseCommand, what: Commands) -> Markup {
    html! {
        li.skipped[what == Commands::Skipped] {
            strong { (command.label) }
            @if what == Commands::Skipped { " (skipped)" }
            pre { (run(&command.run)) }
            @if let Some(undo) = &command.undo {
                p { "Undone by" }
                pre { (run(undo)) }
            }
            p.note {
                "From " (command.provenance) "; limit " (limit(command.timeout_seconds))
                @if let Some(when) = when(command.when) { "; " (when) }
            }
        }
    }
}

fn processes(plan: &Plan) -> Markup {
    html! {
        h3 { "Processes" }
        @if plan.processes.is_empty() { p.nothing { "None." } }
        ul.commands {
            @for process in &plan.processes { (process_of(process)) }
        }
    }
}

fn process_of(process: &Process) -> Markup {
    html! {
        li {
            strong { (process.name) } ", "
            (count(usize::try_from(process.instances).unwrap_or(0), "instance", "instances"))
            pre { (process.command.as_deref().unwrap_or("the image's own command")) }
            p.note { "From " (process.decided_by) }
        }
    }
}

fn remarks(plan: &Plan) -> Markup {
    html! {
        @if !plan.skipped.is_empty() {
            h3 { "Left out" }
            ul.commands {
                @for skipped in &plan.skipped {
                    li { (skipped.what) p.note { "Because " (skipped.reason) "; from " (skipped.provenance) } }
                }
            }
        }
        @if !plan.warnings.is_empty() {
            h3 { "Warnings" }
            ul.commands { @for warning in &plan.warnings { li { (warning) } } }
        }
    }
}

//! The process runtime with real processes. This binary has its own `main`,
//! because it is also what the tests run: the supervisor, a small web server,
//! an engine that is killed.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

use std::process::ExitCode;

use libtest_mimic::{Arguments, Completion, Trial};

#[path = "../conformance/mod.rs"]
mod conformance;

mod builds;
mod crashes;
mod fixture;
mod instances;
mod probes;
mod runs;
mod web;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    match arguments.next().as_deref() {
        Some("supervise") => shipway_runtime::supervise::run(),
        Some("web") => web::serve(),
        Some("engine") => crashes::engine(arguments.next()),
        _ => libtest_mimic::run(&Arguments::from_args(), trials()).exit_code(),
    }
}

/// One line a test: its name is its function's.
macro_rules! trials {
    ($($module:ident :: { $($test:ident),+ $(,)? }),+ $(,)?) => {
        vec![$($(trial(
            concat!(stringify!($module), "::", stringify!($test)),
            $module::$test,
        )),+),+]
    };
}

fn trials() -> Vec<Trial> {
    let mut trials = trials![
        fixture::{ passes_the_conformance_suite },
        builds::{
            a_build_sees_none_of_the_variables,
            a_build_that_fails_says_how,
            a_build_that_never_ends_is_stopped,
            a_virtual_environment_stays_valid,
            a_half_built_image_is_not_found_and_is_cleaned_up,
            other_settings_are_another_image,
            an_image_in_use_is_not_pruned,
            an_image_is_read_only,
        },
        instances::{
            they_survive_the_engine_and_are_found_again,
            stopping_lets_the_app_finish,
            what_ignores_sigterm_is_killed,
            nothing_of_the_group_is_left,
            what_crashes_later_is_started_again,
            what_loses_its_supervisor_can_be_stopped,
            a_memory_limit_is_kept_or_said_not_to_be,
            a_memory_limit_holds_for_what_runs_inside,
            a_command_inside_ends_with_its_instance,
            a_process_without_a_command_is_refused,
            a_supervisor_that_is_not_there,
            programs_of_the_build_are_found,
        },
        runs::{
            variables_are_these_and_no_others,
            a_run_that_nobody_waits_for_goes_on_until_it_is_cleaned_up,
            what_left_its_session_is_killed_too,
            a_command_that_ignores_sigterm_is_killed,
            an_image_that_is_not_there,
        },
        crashes::{
            a_run_of_a_killed_engine_is_cleaned_up,
            a_run_of_a_killed_engine_is_gone_on_with,
            a_command_that_lost_its_supervisor_is_lost,
        },
    ];
    trials.push(builds::trial_on_a_full_disk());
    trials.extend(probes::trials());
    trials
}

/// A test that this machine cannot run: said aloud, and counted as not run.
pub fn not_here(name: &str, why: &'static str) -> Trial {
    Trial::ignorable_test(name, move || Ok(Completion::ignored_with(why)))
}

/// Each on an async runtime of its own, as the engine has one.
pub fn trial<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
    Trial::test(name, move || {
        let threads = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        threads.block_on(test());
        Ok(())
    })
}

//! What ends a call, and that nothing else suffers.

use std::time::{Duration, Instant};

use shipway_core::ports::plugins::{PluginErrorKind, Plugins};
use shipway_plugin_host::Limits;

use crate::harness::{Bench, assert_fault};

/// Short, so that the tests are quick.
fn short() -> Limits {
    Limits {
        cpu: Duration::from_millis(200),
        collect: Duration::from_secs(20),
        ..Limits::default()
    }
}

#[tokio::test]
async fn a_trap_is_told_with_the_guests_last_words() {
    let error = Bench::new("trap").await.fail().await;
    assert_fault(&error, PluginErrorKind::Trap, "trapped after");
    assert!(error.message.contains("I was told to"), "{error}");
    assert!(
        error
            .message
            .starts_with("plugin hostile 1.0.0 (release-source)")
    );
    assert!(error.hint.as_deref().unwrap().contains("author"));
    assert!(!error.retryable);
}

#[tokio::test]
async fn every_role_traps_alone() {
    let bench = Bench::new("trap").await;
    let test = bench.self_test().await.unwrap_err();
    assert_fault(&test, PluginErrorKind::Trap, "(self-test) trapped");
    let deliver = bench
        .host
        .deliver(&bench.call(), &crate::results::entry())
        .await;
    assert_fault(
        &deliver.unwrap_err(),
        PluginErrorKind::Trap,
        "(notifier) trapped",
    );
}

#[tokio::test]
async fn an_endless_loop_ends_with_its_processor_time() {
    let bench = Bench::with("loop", short()).await;
    let began = Instant::now();
    let error = bench.fail().await;
    assert_fault(&error, PluginErrorKind::Timeout, "200 ms of processor time");
    assert!(began.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_loop_of_host_calls_ends_too() {
    let error = Bench::with("loop-of-calls", short()).await.fail().await;
    assert_fault(&error, PluginErrorKind::Timeout, "processor time");
}

#[tokio::test]
async fn a_guest_that_waits_for_ever_ends_with_its_wall_time() {
    let limits = Limits {
        collect: Duration::from_millis(300),
        ..Limits::default()
    };
    let error = Bench::with("sleep", limits).await.fail().await;
    assert_fault(&error, PluginErrorKind::Timeout, "it may take 300 ms");
    assert!(error.retryable);
}

#[tokio::test]
async fn other_calls_go_on_while_one_loops() {
    let limits = Limits {
        cpu: Duration::from_millis(500),
        ..Limits::default()
    };
    let looping = Bench::with("loop", limits.clone()).await;
    let honest = Bench::with("honest", limits).await;
    let (error, collected) = tokio::join!(looping.fail(), honest.collect());
    assert_eq!(error.kind, PluginErrorKind::Timeout);
    assert_eq!(collected.unwrap().commands.len(), 1);
}

#[tokio::test]
async fn memory_ends_at_its_limit() {
    let error = Bench::new("grow").await.fail().await;
    assert_fault(
        &error,
        PluginErrorKind::Memory,
        "more than its 128 MiB of memory",
    );
}

#[tokio::test]
async fn a_stack_that_overflows_is_a_trap() {
    let error = Bench::new("stack").await.fail().await;
    assert_fault(&error, PluginErrorKind::Trap, "trapped");
}

#[tokio::test]
async fn a_guest_that_exits_ends_its_call_alone() {
    let error = Bench::new("exit").await.fail().await;
    assert_fault(&error, PluginErrorKind::Trap, "ended itself");
}

#[tokio::test]
async fn floods_are_cut_and_that_is_said_once() {
    for act in ["log-flood", "print-flood"] {
        let bench = Bench::new(act).await;
        bench.collect().await.unwrap();
        let lines = bench.log.lines();
        // A slow machine may spread the flood over several seconds.
        assert!(lines.len() < 3_000, "{act}: {}", lines.len());
        let dropped = lines
            .iter()
            .filter(|(_, line)| line.contains("lines were dropped"));
        assert_eq!(dropped.count(), 1, "{act}");
        assert!(!bench.log.text().contains('\u{1b}'), "{act}");
    }
}

#[tokio::test]
async fn what_a_guest_hands_over_is_summed() {
    let limits = Limits {
        run_bytes: 8 << 20,
        ..Limits::default()
    };
    let error = Bench::with("hand-over", limits).await.fail().await;
    assert_fault(&error, PluginErrorKind::Nonsense, "8 MiB in all");
}

#[tokio::test]
async fn a_host_that_saw_harm_serves_the_next_call() {
    let harmed = Bench::with("trap", short()).await;
    for act in ["trap", "loop", "grow", "stack", "exit"] {
        let mut call = harmed.call();
        let act = shipway_core::environment::Variable::Plain(act.to_owned());
        call.settings.insert("act".to_owned(), act);
        harmed.host.collect(&call).await.unwrap_err();
    }
    let honest = harmed.set("act", "honest");
    assert_eq!(honest.collect().await.unwrap().commands.len(), 1);
}

//! What ends a call, one way or another.

use std::time::Duration;

use crate::bindings::shipway::plugin::{log, settings};

pub fn on_demand(act: &str) {
    match act {
        "trap" => fail(),
        "loop" => spin(),
        "loop-of-calls" => call_forever(),
        "sleep" => std::thread::sleep(Duration::from_secs(3600)),
        "grow" => grow(),
        "stack" => drop(std::hint::black_box(descend(u64::MAX).to_string())),
        "exit" => leave(),
        "log-flood" => flood(),
        "print-flood" => print(),
        "hand-over" => hand_over(),
        _ => {}
    }
}

#[expect(clippy::panic, reason = "this is the point")]
fn fail() {
    panic!("I was told to");
}

fn spin() {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

fn call_forever() {
    loop {
        std::hint::black_box(settings::get("nothing"));
    }
}

fn grow() {
    let mut kept: Vec<Vec<u8>> = Vec::new();
    loop {
        kept.push(std::hint::black_box(vec![1; 1 << 20]));
    }
}

fn descend(depth: u64) -> u64 {
    match std::hint::black_box(depth) {
        0 => 0,
        depth => descend(depth - 1) + std::hint::black_box(1),
    }
}

#[expect(clippy::disallowed_methods, reason = "this is the point")]
fn leave() {
    std::process::exit(3);
}

fn flood() {
    for number in 0..5_000 {
        log::write(log::Level::Info, &format!("flood {number}"));
    }
}

#[expect(clippy::print_stdout, reason = "this is the point")]
fn print() {
    for number in 0..5_000 {
        println!("\u{1b}[31mprinted {number}\u{7}");
    }
}

/// More than a run may hand over, in calls that are each allowed.
fn hand_over() {
    let text = "x".repeat(1 << 20);
    loop {
        log::write(log::Level::Debug, &text);
    }
}

//! What ends a call, one way or another.

use std::time::Duration;

use crate::bindings::shipway::plugin::{log, settings, source};
use crate::wasi;

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
        "long-log" => log::write(log::Level::Info, &"x".repeat(8 << 20)),
        "long-line" => print_without_an_end(),
        "escapes" => obey_me(),
        "requests" => request_forever(),
        _ => wasi::harm(act),
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

#[expect(clippy::print_stdout, reason = "this is the point")]
fn print_without_an_end() {
    print!("{}", "y".repeat(4 << 20));
}

/// What a terminal would obey: a new title, the clipboard, a cleared screen,
/// text in another order, a line over another.
#[expect(clippy::print_stdout, reason = "this is the point")]
fn obey_me() {
    for text in [
        "\u{1b}]0;title\u{7}",
        "\u{1b}]52;c;ZXZpbA==\u{7}",
        "\u{1b}[2J\u{1b}[H",
        "\u{9b}31m",
        "\u{202e}desrever",
        "over\rwritten",
        "nul\0 back\u{8}space",
        "===== release =====",
    ] {
        log::write(log::Level::Info, text);
        println!("{text}");
    }
}

fn request_forever() {
    loop {
        std::hint::black_box(source::find("**").is_ok());
    }
}

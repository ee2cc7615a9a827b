//! Runs attacks one after another, with the bystanders watched, and tells how
//! each was contained: as tests, or as a table.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, ensure};
use shipway_tests::parts;

use crate::attack::Attack;
use crate::engine;
use crate::watch::{Bystander, Memory};
use crate::world::World;

/// MiB that this process may take beside what it has at rest, while a guest
/// fills the 128 MiB that it may have, and another compiles.
const MOST_GROWTH: u64 = 320;
/// MiB that may stay when all attacks are over.
const MOST_KEPT: u64 = 160;
/// No attack may go on for longer.
const LONGEST: Duration = Duration::from_secs(60);
/// Characters of a row's last column.
const WIDTH: usize = 110;

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Wish {
    words: Vec<String>,
    table: bool,
    list: bool,
}

impl Wish {
    /// Options of the usual test programs are taken, and change nothing here.
    pub fn read(arguments: impl Iterator<Item = String>) -> Self {
        let mut wish = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--table" => wish.table = true,
                "--list" => wish.list = true,
                option if option.starts_with('-') => {}
                word => wish.words.push(word.to_owned()),
            }
        }
        wish
    }

    fn wants(&self, attack: &Attack) -> bool {
        let name = title(attack);
        self.words.is_empty() || self.words.iter().any(|word| name.contains(word))
    }
}

fn title(attack: &Attack) -> String {
    format!("{}: {}", attack.class, attack.name)
}

/// How one attack ended.
struct Row {
    title: String,
    took: Duration,
    outcome: Result<String>,
}

pub fn run(attacks: Vec<Attack>, wish: &Wish) -> ExitCode {
    let attacks: Vec<Attack> = attacks.into_iter().filter(|one| wish.wants(one)).collect();
    if wish.list {
        for attack in &attacks {
            println!("{}: test", title(attack));
        }
        return ExitCode::SUCCESS;
    }
    println!("\nrunning {} tests", attacks.len());
    let Some(guest) = parts::guest("hostile") else {
        return not_run(&attacks);
    };
    let began = Instant::now();
    let rows = match World::new(guest) {
        Ok(world) => all(&world, &attacks, wish),
        Err(error) => vec![Row {
            title: "the world of the attacks".to_owned(),
            took: began.elapsed(),
            outcome: Err(error),
        }],
    };
    conclude(&rows, began.elapsed())
}

fn not_run(attacks: &[Attack]) -> ExitCode {
    for attack in attacks {
        println!("test {} ... ignored, the guest is not built", title(attack));
    }
    let number = attacks.len();
    println!("\ntest result: ok. 0 passed; 0 failed; {number} ignored; 0 measured; 0 filtered out");
    println!("hostile: failed, the guest is not built: run `cargo xtask plugins`");
    ExitCode::FAILURE
}

fn all(world: &World, attacks: &[Attack], wish: &Wish) -> Vec<Row> {
    let memory = Memory::of("self");
    let bystander = Bystander::start(world);
    bystander.still_served().expect("an honest plugin at rest");
    let at_rest = memory.now();
    let mut rows = Vec::new();
    for attack in attacks {
        let row = one(world, attack, &bystander, &memory, at_rest);
        tell(&row, wish);
        rows.push(row);
    }
    let engine = engine::summary(world);
    let served = bystander.served();
    println!(
        "\nan honest plugin on the same host: {} calls, the slowest took {} ms\n\
         memory of the host's process: {at_rest} MiB at rest, {} MiB when all was over\n{engine}",
        served.calls,
        served.slowest.as_millis(),
        memory.now(),
    );
    // No attack of its own: it counts when it fails.
    if let Err(error) = kept(memory.now(), at_rest) {
        rows.push(Row {
            title: "all of them: memory is given back".to_owned(),
            took: Duration::ZERO,
            outcome: Err(error),
        });
    }
    rows
}

fn kept(now: u64, at_rest: u64) -> Result<()> {
    ensure!(
        now <= at_rest + MOST_KEPT,
        "{now} MiB are left, and there were {at_rest} at first"
    );
    Ok(())
}

fn one(
    world: &World,
    attack: &Attack,
    bystander: &Bystander,
    memory: &Memory,
    at_rest: u64,
) -> Row {
    memory.highest();
    let began = Instant::now();
    let guarded = AssertUnwindSafe(|| {
        let how = attack.run(world)?;
        bystander.still_served()?;
        engine::still_serves(world)?;
        Ok(how)
    });
    let outcome = catch_unwind(guarded).unwrap_or_else(|panic| Err(words_of(&*panic)));
    let (took, highest) = (began.elapsed(), memory.highest());
    let outcome = outcome.and_then(|how| {
        ensure!(took < LONGEST, "it went on for {} s", took.as_secs());
        ensure!(
            highest <= at_rest + MOST_GROWTH,
            "memory went up to {highest} MiB, from {at_rest} MiB at rest"
        );
        Ok(how)
    });
    Row {
        title: title(attack),
        took,
        outcome,
    }
}

fn words_of(panic: &(dyn std::any::Any + Send)) -> anyhow::Error {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    anyhow!("the check panicked: {}", text.unwrap_or_default())
}

fn tell(row: &Row, wish: &Wish) {
    let took = row.took.as_millis();
    match (&row.outcome, wish.table) {
        (Ok(how), true) => println!("{:<72} {took:>6} ms  {}", row.title, cut(how)),
        (Ok(_), false) => println!("test {} ... ok", row.title),
        (Err(error), true) => println!("{:<72} {took:>6} ms  NOT CONTAINED: {error:#}", row.title),
        (Err(error), false) => println!("test {} ... FAILED\n{error:#}", row.title),
    }
}

fn cut(text: &str) -> String {
    let text: String = text
        .chars()
        .map(|c| if c == '\n' { ' ' } else { c })
        .collect();
    match text.char_indices().nth(WIDTH) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn conclude(rows: &[Row], took: Duration) -> ExitCode {
    let lost: Vec<&Row> = rows.iter().filter(|row| row.outcome.is_err()).collect();
    for row in &lost {
        if let Err(error) = &row.outcome {
            println!("\nnot contained: {}\n  {error:#}", row.title);
        }
    }
    let (all, failed) = (rows.len(), lost.len());
    let contained = all - failed;
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {contained} passed; {failed} failed; 0 ignored; 0 measured; \
         0 filtered out; finished in {:.2}s",
        took.as_secs_f64()
    );
    match failed {
        0 => println!("hostile: ok, {contained} of {all} contained"),
        _ => println!("hostile: failed, {contained} of {all} contained"),
    }
    match failed {
        0 => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

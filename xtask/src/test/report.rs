//! Reads what `cargo test` writes: suites, their results, and what tests say
//! that they did not run.

use std::collections::BTreeMap;
use std::mem;

/// How a test says that a part was missing: `not run: WHY`, in any case.
const NOT_RUN: &str = "not run: ";
/// So many of a failed test's last lines are told again at the end.
const LAST_LINES: usize = 30;

/// The tests of one program.
#[derive(Debug, Default)]
struct Suite {
    name: String,
    lines: Vec<String>,
    /// The test whose output follows.
    test: String,
    skipped: Vec<String>,
}

#[derive(Debug, Default)]
pub struct Report {
    /// A test program's name and file to the crates that have one such.
    targets: BTreeMap<String, Vec<String>>,
    /// The crate of the suite before: a crate's suites follow each other.
    package: String,
    suite: Option<Suite>,
    passed: u64,
    failed: u64,
    not_run: u64,
    skipped: Vec<String>,
    failures: Vec<String>,
}

/// What a suite of its own found.
#[derive(Debug, Default)]
pub struct Sums {
    pub passed: u64,
    /// What failed, and how.
    pub failures: Vec<String>,
    /// What did not run, each with its reason.
    pub not_run: Vec<String>,
}

/// The numbers of a `test result:` line.
#[derive(Debug, PartialEq, Eq)]
struct Numbers {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Report {
    pub fn new(targets: BTreeMap<String, Vec<String>>) -> Self {
        Self {
            targets,
            ..Self::default()
        }
    }

    pub fn passed(&self) -> u64 {
        self.passed
    }

    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// Tests that were there and did not do their work.
    pub fn not_run(&self) -> u64 {
        self.not_run
    }

    /// Those tests, each with its reason.
    pub fn skipped(&self) -> &[String] {
        &self.skipped
    }

    /// What failed: its name, and the last of what it wrote.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Takes a line; returns what is to be told of it.
    pub fn read(&mut self, line: &str) -> Vec<String> {
        if let Some(name) = self.heading(line) {
            let told = self.end_suite();
            self.suite = Some(Suite {
                name,
                ..Suite::default()
            });
            return told;
        }
        let Some(suite) = &mut self.suite else {
            let told = Some(line).filter(|line| !line.trim().is_empty());
            return told.map(str::to_owned).into_iter().collect();
        };
        suite.lines.push(line.to_owned());
        if let Some(test) = section(line) {
            suite.test = test.to_owned();
        }
        if let Some(why) = not_run(line) {
            let why = why.trim_start_matches(&format!("{}: ", suite.test));
            let skipped = format!("{} {}: {why}", suite.name, suite.test);
            suite.skipped.push(skipped);
        }
        match numbers(line) {
            Some(numbers) => self.result(&numbers, line),
            None => Vec::new(),
        }
    }

    /// Counts what another suite found, which is no test program.
    pub fn add(&mut self, suite: Sums) {
        self.passed += suite.passed;
        self.failed += suite.failures.len() as u64;
        self.failures.extend(suite.failures);
        self.not_run += suite.not_run.len() as u64;
        self.skipped.extend(suite.not_run);
    }

    /// The last line was read; `ok` is what cargo itself says.
    pub fn end(&mut self, ok: bool) {
        self.end_suite();
        if !ok && self.failed == 0 {
            self.failed = 1;
            self.failures.push("cargo test itself".to_owned());
        }
    }

    fn result(&mut self, numbers: &Numbers, line: &str) -> Vec<String> {
        let Some(suite) = self.suite.take() else {
            return Vec::new();
        };
        let skipped = suite.skipped.len() as u64;
        self.passed += numbers.passed.saturating_sub(skipped);
        self.failed += numbers.failed;
        self.not_run += numbers.ignored + skipped;
        if numbers.failed > 0 {
            self.failures.extend(suite.failures());
        }
        self.skipped.extend(suite.skipped);
        if numbers.ignored > 0 {
            let ignored = suite.lines.iter().filter_map(|line| ignored(line));
            self.skipped
                .extend(ignored.map(|test| format!("{} {test}", suite.name)));
        }
        let mut told = Vec::new();
        if numbers.failed > 0 {
            told.extend(suite.lines);
        } else if numbers.passed + numbers.ignored == 0 {
            return told;
        }
        let result = line.trim_start_matches("test result: ");
        told.push(format!("{:<44} {result}", suite.name));
        told
    }

    /// A suite without a result line crashed.
    fn end_suite(&mut self) -> Vec<String> {
        let Some(suite) = self.suite.take() else {
            return Vec::new();
        };
        self.failed += 1;
        let last = last_lines(&suite.lines);
        self.failures
            .push(format!("{}: it ended without a result{last}", suite.name));
        let mut told = suite.lines;
        told.push(format!(
            "{:<44} FAILED. It ended without a result",
            suite.name
        ));
        told
    }

    /// `Running tests/x.rs (target/debug/deps/x-0123)` and `Doc-tests x`.
    fn heading(&mut self, line: &str) -> Option<String> {
        let line = line.trim_start();
        if let Some(name) = line.strip_prefix("Doc-tests ") {
            return Some(format!("{} docs", name.replace('_', "-")));
        }
        let (what, program) = line.strip_prefix("Running ")?.split_once(" (")?;
        let program = program.trim_end_matches(')').rsplit('/').next()?;
        let name = program.rsplit_once('-').map_or(program, |(name, _)| name);
        let file = what.trim_start_matches("unittests ");
        let package = self.package(name, file);
        self.package.clone_from(&package);
        Some(format!("{package} {file}"))
    }

    fn package(&self, program: &str, file: &str) -> String {
        let crates = self.targets.get(&format!("{program} {file}"));
        let crates = crates.map(Vec::as_slice).unwrap_or_default();
        let same = crates.iter().find(|one| **one == self.package);
        let package = same.or(crates.first()).map(String::as_str);
        package.unwrap_or(program).to_owned()
    }
}

impl Suite {
    fn failures(&self) -> Vec<String> {
        let failed = self.lines.iter().filter_map(|line| failed(line));
        failed
            .map(|test| format!("{} {test}{}", self.name, self.written_by(test)))
            .collect()
    }

    /// The last lines of what a test wrote.
    fn written_by(&self, test: &str) -> String {
        let lines = self
            .lines
            .iter()
            .skip_while(|line| section(line) != Some(test));
        let lines = lines.skip(1).take_while(|line| {
            let is_list = ["failures:", "successes:"].contains(&line.as_str());
            !is_list && section(line).is_none()
        });
        last_lines(&lines.cloned().collect::<Vec<_>>())
    }
}

/// Each on a line of its own, indented.
pub fn last_lines(lines: &[String]) -> String {
    let lines: Vec<&String> = lines
        .iter()
        .filter(|line| !line.trim().is_empty())
        .collect();
    let last = &lines[lines.len().saturating_sub(LAST_LINES)..];
    last.iter().map(|line| format!("\n    {line}")).collect()
}

/// `test NAME ... FAILED`
fn failed(line: &str) -> Option<&str> {
    let name = line.strip_prefix("test ")?.strip_suffix(" ... FAILED")?;
    // A test that is bound to panic says so behind its name.
    Some(
        name.split_once(" - should panic")
            .map_or(name, |(name, _)| name),
    )
}

/// `---- name stdout ----`
fn section(line: &str) -> Option<&str> {
    line.strip_prefix("---- ")?.strip_suffix(" stdout ----")
}

fn not_run(line: &str) -> Option<&str> {
    let (start, why) = line.trim().split_at_checked(NOT_RUN.len())?;
    start.eq_ignore_ascii_case(NOT_RUN).then_some(why)
}

/// `test NAME ... ignored`, or with a reason after a comma.
fn ignored(line: &str) -> Option<String> {
    let (name, outcome) = line.strip_prefix("test ")?.split_once(" ... ")?;
    let rest = outcome.strip_prefix("ignored")?;
    let why = rest.strip_prefix(", ").unwrap_or("ignored");
    Some(format!("{}: {why}", name.trim_end()))
}

fn numbers(line: &str) -> Option<Numbers> {
    let mut counts = BTreeMap::new();
    let rest = line.strip_prefix("test result: ")?.split_once(". ")?.1;
    for part in rest.split(';') {
        let mut words = part.split_whitespace();
        if let (Some(Ok(count)), Some(what)) = (words.next().map(str::parse), words.next()) {
            counts.insert(what.to_owned(), count);
        }
    }
    let mut count = |what| counts.get_mut(what).map(mem::take);
    Some(Numbers {
        passed: count("passed")?,
        failed: count("failed")?,
        ignored: count("ignored").unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: &str = "
     Running unittests src/lib.rs (target/debug/deps/shipway_core-08c2af45e7b0d1aa)

running 2 tests
test name::slug ... ok
test result: ok. 2 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s

     Running tests/sqlite.rs (/house/target/debug/deps/sqlite-1b)
successes:
---- a_full_disk stdout ----
NOT RUN: a full disk needs root
test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 1.20s
   Doc-tests shipway_core
test engine/core/src/lib.rs - (line 3) ... ignored
test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s";

    fn read(text: &str, ok: bool) -> (Report, Vec<String>) {
        let targets = [
            ("ship_api src/lib.rs", vec!["ship-api"]),
            ("ship_host src/lib.rs", vec!["ship-host"]),
            ("it tests/it.rs", vec!["ship-api", "ship-host"]),
            ("sqlite tests/sqlite.rs", vec!["shipway-store"]),
        ];
        let owned = |crates: Vec<&str>| crates.into_iter().map(str::to_owned).collect();
        let targets = targets.map(|(target, crates)| (target.to_owned(), owned(crates)));
        let mut report = Report::new(targets.into());
        let told = text.lines().flat_map(|line| report.read(line)).collect();
        report.end(ok);
        (report, told)
    }

    #[test]
    fn results_are_summed_and_suites_named_by_their_crate() {
        let (report, told) = read(RUN, true);
        let numbers = (report.passed(), report.failed(), report.not_run());
        assert_eq!(numbers, (4, 0, 2));
        assert!(told[0].starts_with("shipway_core src/lib.rs"), "{told:?}");
        assert!(
            told[1].starts_with("shipway-store tests/sqlite.rs"),
            "{told:?}"
        );
        assert_eq!(
            report.skipped(),
            [
                "shipway-store tests/sqlite.rs a_full_disk: a full disk needs root",
                "shipway-core docs engine/core/src/lib.rs - (line 3): ignored",
            ]
        );
    }

    #[test]
    fn a_failing_suite_is_shown_whole() {
        let output = "---- name::slug stdout ----\n\nslug is Ä\n\nfailures:\n    name::slug\n";
        let text = RUN
            .replace("slug ... ok\n", &format!("slug ... FAILED\n{output}"))
            .replace("ok. 2 passed; 0 failed", "FAILED. 1 passed; 1 failed");
        let (report, told) = read(&text, false);
        assert_eq!((report.passed(), report.failed()), (3, 1));
        assert_eq!(
            report.failures(),
            ["shipway_core src/lib.rs name::slug\n    slug is Ä"]
        );
        assert!(
            told.contains(&"test name::slug ... FAILED".to_owned()),
            "{told:?}"
        );
    }

    #[test]
    fn a_suite_that_crashes_counts_as_failed() {
        let (report, told) = read(
            &RUN.replace("test result: ok. 2", "Segmentation fault "),
            false,
        );
        assert_eq!(report.failed(), 1);
        assert!(
            told.iter().any(|line| line.contains("without a result")),
            "{told:?}"
        );
    }

    #[test]
    fn a_suite_of_its_own_counts_too() {
        let (mut report, _) = read(RUN, true);
        report.add(Sums {
            passed: 280,
            failures: vec!["go: page: no answer".to_owned()],
            not_run: vec!["conformance go: no go here".to_owned()],
        });
        let numbers = (report.passed(), report.failed(), report.not_run());
        assert_eq!(numbers, (284, 1, 3));
        assert!(
            report
                .skipped()
                .iter()
                .any(|why| why.contains("no go here"))
        );
    }

    #[test]
    fn cargo_failing_alone_is_a_failure() {
        assert_eq!(read("error: could not compile `x`", false).0.failed(), 1);
    }

    #[test]
    fn two_crates_may_have_a_test_program_of_one_name() {
        let ok = "test result: ok. 1 passed; 0 failed";
        let text = format!(
            "Running unittests src/lib.rs (deps/ship_host-1)\n{ok}\n\
             Running tests/it.rs (deps/it-2)\n{ok}\n"
        );
        let (_, told) = read(&text, true);
        assert!(told[1].starts_with("ship-host tests/it.rs"), "{told:?}");
    }
}

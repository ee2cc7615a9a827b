//! What people see: every case in every language, and the sums.

use super::case::{Case, ROLES};
use super::outcome::{Outcome, Spoken};

/// A line for each case, by role, with a column for each language.
pub fn every_case(outcome: &Outcome) -> String {
    let languages = &outcome.languages;
    let names = languages.iter().map(|one| one.language.name.to_owned());
    let mut lines = Vec::new();
    for role in ROLES {
        lines.push(format!("\n{role:<32}{}", columns(names.clone())));
        for case in cases(outcome, role) {
            let marks = languages.iter().map(|one| mark(one, case));
            lines.push(format!("  {case:<30}{}", columns(marks)));
        }
    }
    lines.join("\n")
}

/// A line for each language, and below what failed and what did not run.
pub fn summary(outcome: &Outcome) -> String {
    let heads = ROLES.iter().map(|role| (*role).to_owned());
    let heads = heads.chain(["templates", "deploys"].map(str::to_owned));
    let mut lines = vec![format!("\n{:<10}{}", "", wide(heads))];
    for one in &outcome.languages {
        let sums = ROLES.iter().map(|role| share(one.of_role(role)));
        let tried = one.templates.len();
        let good = one.templates.iter().filter(|t| t.outcome.is_ok()).count();
        let deployed = match &one.deployed {
            Some(Ok(())) => "ok",
            Some(Err(_)) => "FAIL",
            None => "-",
        };
        let rest = [share((good, tried)), deployed.to_owned()];
        lines.push(format!(
            "{:<10}{}",
            one.language.name,
            wide(sums.chain(rest))
        ));
    }
    lines.push(String::new());
    let failures = outcome.failures();
    lines.extend(failures.iter().map(|failure| format!("FAILED {failure}")));
    let lacks = outcome.lacks();
    lines.extend(lacks.map(|(name, why)| format!("not run: {name}: {why}")));
    lines.join("\n").trim_end().to_owned()
}

/// The names of a role's cases, in the order in which they were played.
fn cases<'a>(outcome: &'a Outcome, role: &str) -> Vec<&'a str> {
    let mut names: Vec<&str> = Vec::new();
    for case in outcome.languages.iter().flat_map(|one| &one.cases) {
        if case.role == role && !names.contains(&case.name.as_str()) {
            names.push(&case.name);
        }
    }
    names
}

fn mark(one: &Spoken, name: &str) -> String {
    let case = one.cases.iter().find(|case| case.name == name);
    let mark = match case.map(Case::passed) {
        Some(true) => "ok",
        Some(false) => "FAIL",
        None => "-",
    };
    mark.to_owned()
}

fn share((passed, all): (usize, usize)) -> String {
    match all {
        0 => "-".to_owned(),
        _ => format!("{passed}/{all}"),
    }
}

fn columns(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:<8}")).collect();
    cells.concat().trim_end().to_owned()
}

fn wide(cells: impl Iterator<Item = String>) -> String {
    let cells: Vec<String> = cells.map(|cell| format!("{cell:<16}")).collect();
    cells.concat().trim_end().to_owned()
}

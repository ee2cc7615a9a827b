//! What `--help` says: examples that are understood, and snapshots of it all.

use clap::{Command, CommandFactory, Parser};

/// The verbs, and the actions below them, that people see.
fn all() -> Vec<Command> {
    let mut top = crate::Arguments::command().term_width(100);
    top.build();
    let verbs = top.get_subcommands().filter(|verb| is_shown(verb));
    verbs.cloned().collect()
}

fn is_shown(command: &Command) -> bool {
    !command.is_hide_set() && command.get_name() != "help"
}

#[test]
fn every_verb_has_examples_and_each_is_understood() {
    for verb in all() {
        let after = verb.get_after_help().map(ToString::to_string);
        let after = after.unwrap_or_default();
        let examples: Vec<Vec<String>> = after.lines().filter_map(example).collect();
        assert!(!examples.is_empty(), "{} has none", verb.get_name());
        for words in examples {
            let parsed = crate::Arguments::try_parse_from(&words);
            assert!(parsed.is_ok(), "{words:?}: {}", parsed.unwrap_err());
            assert!(
                words.iter().any(|word| word == verb.get_name()),
                "{words:?} is no example of {}",
                verb.get_name()
            );
        }
    }
}

/// The words of a line that is one, up to what a shell takes for itself.
fn example(line: &str) -> Option<Vec<String>> {
    let line = line.strip_prefix("  ")?;
    let line = line.strip_prefix("source <(").unwrap_or(line);
    if !line.starts_with("shipway ") {
        return None;
    }
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            '#' | '|' | '<' | '>' | ')' if !quoted => break,
            c => words.last_mut().unwrap().push(c),
        }
    }
    words.retain(|word| !word.is_empty());
    Some(words)
}

#[test]
fn help_is_as_it_was() {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    settings.set_snapshot_path("../snapshots/help");
    settings.bind(|| {
        let mut top = crate::Arguments::command().term_width(100);
        insta::assert_snapshot!("shipway", top.render_help());
        for mut verb in all() {
            let mut text = verb.render_long_help().to_string();
            let name = verb.get_name().to_owned();
            for action in verb.get_subcommands_mut().filter(|it| is_shown(it)) {
                text.push_str(&format!("\n\n----- {name} {} -----\n", action.get_name()));
                text.push_str(&action.render_long_help().to_string());
            }
            insta::assert_snapshot!(format!("shipway-{name}"), text);
        }
    });
}

#[test]
fn every_shell_gets_completions() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let words = ["shipway", "completions", shell];
        assert!(crate::Arguments::try_parse_from(words).is_ok(), "{shell}");
        let script = crate::complete::script(shell.parse().unwrap()).unwrap();
        let script = String::from_utf8(script).unwrap();
        assert!(script.contains("SHIPWAY_COMPLETE"), "{shell}: {script}");
    }
}

#[test]
fn every_verb_has_a_man_page() {
    let folder = tempfile::tempdir().unwrap();
    clap_mangen::generate_to(crate::Arguments::command(), folder.path()).unwrap();
    for verb in all() {
        let name = format!("shipway-{}.1", verb.get_name());
        let page = std::fs::read_to_string(folder.path().join(&name)).unwrap();
        assert!(page.contains(".SH SYNOPSIS"), "{name}");
        assert!(page.contains("Examples:"), "{name}");
    }
    assert!(!folder.path().join("shipway-supervise.1").exists());
}

//! What the shell offers at Tab, by the script that it was given.

use std::process::Command;

use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::apps::tiny;

/// Presses Tab in bash after these words, of which the last is begun.
fn tab(ship: &Ship, words: &[&str]) -> Vec<String> {
    let programs = parts::shipway();
    let programs = programs.parent().expect("a folder").display();
    let current = words.last().expect("a word");
    let script = format!(
        "source <(shipway completions bash) || exit 9
         COMP_WORDS=({}); COMP_CWORD={}; COMP_TYPE=9
         _clap_complete_shipway shipway '{current}' ''
         printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        words
            .iter()
            .map(|word| format!("'{word}' "))
            .collect::<String>(),
        words.len() - 1,
    );
    let ran = Command::new("bash")
        .args(["--norc", "-c", &script])
        .env("PATH", format!("{programs}:/usr/bin:/bin"))
        .env("SHIPWAY_CREDENTIALS", ship.credentials())
        .output()
        .expect("bash");
    assert!(ran.status.success(), "{ran:?}");
    let said = String::from_utf8(ran.stdout).expect("text");
    said.lines().map(str::to_owned).collect()
}

#[test]
fn the_shell_offers_verbs_options_and_names() {
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let (_repo, live) = tiny(&ship);
    let app = live.app.as_str();
    assert_eq!(tab(&ship, &["shipway", "roll"]), ["rollback"]);
    assert_eq!(tab(&ship, &["shipway", "deploy", "--det"]), ["--detach"]);
    assert_eq!(tab(&ship, &["shipway", "app", "show", app]), [app]);
    let place = format!("{app}/live");
    let begun = app.get(..3).expect("a beginning");
    assert_eq!(tab(&ship, &["shipway", "deploy", begun]), [place.as_str()]);
    let slash = format!("{app}/l");
    assert_eq!(tab(&ship, &["shipway", "logs", &slash]), [place.as_str()]);
    let plugins = tab(&ship, &["shipway", "plugin", "show", "proc"]);
    assert_eq!(plugins, ["procfile"]);

    // Nobody there: no names, and no noise.
    let words = ["shipway", "deploy", "--server", "http://127.0.0.1:1", begun];
    assert_eq!(tab(&ship, &words).concat(), "");
}

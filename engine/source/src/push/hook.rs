//! The hook that Git starts for a push: a small client of the desk. Git shows
//! the pusher what it writes to standard error, and moves no reference itself.

use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::process::ExitCode;

use super::desk::{Move, Question, Told, Verdict};
use super::packet;

/// Where the desk is, and what to show there.
pub const ADDRESS: &str = "SHIPWAY_PUSH_SOCKET";
pub const TICKET: &str = "SHIPWAY_PUSH_TICKET";

/// Runs to the end of the deployment. Without an answer of the engine every
/// reference is refused.
pub fn run() -> ExitCode {
    match attend(&mut io::stdin().lock(), &mut io::stdout().lock()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("the push could not be taken: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn attend(git: &mut impl io::Read, to_git: &mut impl Write) -> io::Result<()> {
    packet::read_all(git)?;
    packet::write(to_git, b"version=1\n")?;
    packet::flush(to_git)?;
    let moves: Vec<Move> = packet::read_all(git)?
        .iter()
        .filter_map(|line| a_move(line))
        .collect();
    let verdicts = ask(&moves).unwrap_or_else(|error| {
        let why = format!("the engine did not answer: {error}");
        let refuse = |one: &Move| Verdict {
            reference: one.reference.clone(),
            refused: Some(why.clone()),
        };
        moves.iter().map(refuse).collect()
    });
    for verdict in verdicts {
        let line = match verdict.refused {
            None => format!("ok {}\n", verdict.reference),
            Some(why) => format!("ng {} {}\n", verdict.reference, why.replace('\n', " ")),
        };
        packet::write(to_git, line.as_bytes())?;
    }
    packet::flush(to_git)
}

/// `OLD NEW REFERENCE`
fn a_move(line: &[u8]) -> Option<Move> {
    let text = std::str::from_utf8(line).ok()?.trim_end_matches('\n');
    let mut words = text.splitn(3, ' ').skip(1);
    Some(Move {
        to: words.next()?.to_owned(),
        reference: words.next()?.to_owned(),
    })
}

fn ask(moves: &[Move]) -> io::Result<Vec<Verdict>> {
    let variable = |name| std::env::var(name).map_err(io::Error::other);
    let mut engine = UnixStream::connect(variable(ADDRESS)?)?;
    let question = Question {
        ticket: variable(TICKET)?,
        moves: moves.to_vec(),
    };
    let mut line = serde_json::to_vec(&question)?;
    line.push(b'\n');
    engine.write_all(&line)?;
    for line in BufReader::new(engine).lines() {
        match serde_json::from_str(&line?)? {
            Told::Say(text) => say(&text),
            Told::Verdicts(verdicts) => return Ok(verdicts),
        }
    }
    Err(io::Error::other("it stopped; the deployment may go on"))
}

/// Nobody listening is no reason to stop.
fn say(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_is_read() {
        let one = a_move(b"0000 1234 refs/heads/a b\n").unwrap();
        assert_eq!((&*one.to, &*one.reference), ("1234", "refs/heads/a b"));
        assert!(a_move(b"0000 1234").is_none());
    }

    #[test]
    fn without_an_engine_every_reference_is_refused() {
        let mut asked = Vec::new();
        packet::write(&mut asked, b"version=1\0push-options").unwrap();
        packet::flush(&mut asked).unwrap();
        packet::write(&mut asked, b"0 1 refs/heads/main\n").unwrap();
        packet::flush(&mut asked).unwrap();
        let mut answer = Vec::new();
        attend(&mut asked.as_slice(), &mut answer).unwrap();
        let text = String::from_utf8(answer).unwrap();
        assert!(text.starts_with("000eversion=1\n0000"), "{text}");
        assert!(
            text.contains("ng refs/heads/main the engine did not answer"),
            "{text}"
        );
    }
}

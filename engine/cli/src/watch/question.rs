//! What Ctrl-C means: asked once, answered by a letter and Enter.

use std::io::{self, BufRead};
use std::thread;

use tokio::sync::oneshot;

use crate::output::note;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Detach,
    Cancel,
    GoOn,
}

/// A question that stands on the screen.
#[derive(Debug)]
pub struct Question(oneshot::Receiver<Answer>);

impl Question {
    /// The answer is read by a thread of its own, which ends with the program:
    /// nothing can end a read from a terminal.
    pub fn put() -> io::Result<Self> {
        note("\nDetach and let the deployment go on, or cancel it?")?;
        note("d: detach   c: cancel   Enter: keep following   Ctrl-C: detach")?;
        let (said, answer) = oneshot::channel();
        thread::Builder::new()
            .name("question".to_owned())
            .spawn(move || {
                let _ = said.send(read());
            })?;
        Ok(Self(answer))
    }
}

/// The answer, once there is a question and somebody answered it.
pub async fn answer(question: &mut Option<Question>) -> Answer {
    match question {
        Some(Question(answer)) => answer.await.unwrap_or(Answer::Detach),
        None => std::future::pending().await,
    }
}

fn read() -> Answer {
    let mut line = String::new();
    loop {
        line.clear();
        match io::stdin().lock().read_line(&mut line) {
            Ok(0) | Err(_) => return Answer::Detach,
            Ok(_) => {}
        }
        if let Some(answer) = understood(&line) {
            return answer;
        }
        let _ = note("d, c or Enter?");
    }
}

fn understood(line: &str) -> Option<Answer> {
    match line.trim().to_ascii_lowercase().as_str() {
        "" => Some(Answer::GoOn),
        "d" | "detach" => Some(Answer::Detach),
        "c" | "cancel" => Some(Answer::Cancel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_answers_are_understood() {
        assert_eq!(understood("c\n"), Some(Answer::Cancel));
        assert_eq!(understood(" Detach \n"), Some(Answer::Detach));
        assert_eq!(understood("\n"), Some(Answer::GoOn));
        assert_eq!(understood("y\n"), None);
    }
}

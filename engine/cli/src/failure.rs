//! What went wrong, for people: a heading, its causes, what to do, and an exit
//! code. Details are for `--verbose`.

use std::fmt::{self, Write};

use shipway_api::wire::problem::Problem;

use crate::exit::Exit;

/// Whether the same may work later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    No,
    Later,
}

#[derive(Debug)]
pub struct Failure {
    /// Empty when there is nobody to tell.
    pub heading: String,
    pub causes: Vec<String>,
    pub hint: Option<String>,
    pub details: Vec<String>,
    pub again: Again,
    pub exit: Exit,
}

impl Failure {
    pub fn new(heading: impl Into<String>) -> Self {
        Self {
            heading: heading.into(),
            causes: Vec::new(),
            hint: None,
            details: Vec::new(),
            again: Again::No,
            exit: Exit::Trouble,
        }
    }

    /// The command line itself is wrong.
    pub fn usage(heading: impl Into<String>) -> Self {
        Self {
            exit: Exit::Usage,
            ..Self::new(heading)
        }
    }

    #[must_use]
    pub fn because(mut self, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            if self.causes.last() != Some(&text) {
                self.causes.push(text);
            }
            next = cause.source();
        }
        self
    }

    #[must_use]
    pub fn for_now(mut self) -> Self {
        self.again = Again::Later;
        self
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With everything that is known.
    pub fn verbose(&self) -> String {
        let mut text = self.to_string();
        for detail in &self.details {
            // Writing to a string cannot fail.
            let _ = write!(text, "\n  detail: {detail}");
        }
        text
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.heading)?;
        for cause in &self.causes {
            write!(f, "\n  because: {}", cause.replace('\n', "\n           "))?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  to do: {}", hint.replace('\n', "\n         "))?;
        }
        Ok(())
    }
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let unknown = problem.r#type.ends_with("/not-found");
        let all = "`shipway app list` and `shipway env list APP` show what there is";
        Self {
            heading: problem.title,
            causes: vec![problem.detail],
            hint: problem.hint.or_else(|| unknown.then(|| all.to_owned())),
            details: vec![format!("HTTP {} {}", problem.status, problem.r#type)],
            again: match problem.status {
                // The engine's own trouble, or too many requests for now.
                500.. | 429 | 408 => Again::Later,
                _ => Again::No,
            },
            exit: Exit::Trouble,
        }
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        let mut chain = error.chain().map(ToString::to_string);
        let heading = chain.next().unwrap_or_default();
        Self {
            causes: chain.collect(),
            ..Self::new(heading)
        }
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        // Whoever read our output has enough of it: nobody to tell.
        if error.kind() == std::io::ErrorKind::BrokenPipe {
            return Self::new("");
        }
        Self::new("could not write to the terminal").because(&error)
    }
}

impl From<serde_json::Error> for Failure {
    fn from(error: serde_json::Error) -> Self {
        Self::new("could not write JSON").because(&error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_shown_with_cause_and_hint() {
        let failure = Failure::from(Problem {
            r#type: "/problems/domain-taken".into(),
            title: "The domain belongs to another environment".into(),
            status: 409,
            detail: "domain a.example.com belongs to shop/live already".into(),
            hint: Some("remove the domain from shop/live first, or choose another".into()),
            failure: None,
            difference: None,
            parts: Vec::new(),
        });
        insta::assert_snapshot!(failure.to_string(), @r"
        error: The domain belongs to another environment
          because: domain a.example.com belongs to shop/live already
          to do: remove the domain from shop/live first, or choose another
        ");
        assert!(
            failure
                .verbose()
                .ends_with("HTTP 409 /problems/domain-taken")
        );
    }

    #[test]
    fn causes_stand_one_below_the_other() {
        let error = anyhow::anyhow!("no such file").context("could not read x.wasm");
        insta::assert_snapshot!(Failure::from(error).to_string(), @r"
        error: could not read x.wasm
          because: no such file
        ");
    }
}

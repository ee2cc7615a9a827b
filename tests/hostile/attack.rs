//! One attack: what it is, how it must be contained, and the check that it
//! was exactly so.

use anyhow::{Context, Result, bail, ensure};
use shipway_core::ports::plugins::{PluginError, PluginErrorKind};

use crate::bench::SECRET;
use crate::world::World;

/// What an attacker got to see, and what people were told.
#[derive(Debug, Default)]
pub struct Seen {
    /// What the guest came home with, or the error of the call.
    pub outcome: Outcome,
    /// The log of the call.
    pub log: String,
}

#[derive(Debug)]
pub enum Outcome {
    /// The call went well; what the guest brought back, a line each.
    Brought(String),
    Failed(PluginError),
    /// Refused or failed through the engine's API: its reason and its words.
    Told {
        reason: String,
        words: String,
    },
}

impl Default for Outcome {
    fn default() -> Self {
        Self::Brought(String::new())
    }
}

/// How an attack is contained.
#[derive(Debug, Clone, Copy)]
pub enum Must {
    /// The call ends with an error of this kind, which says this.
    Fail(PluginErrorKind, &'static str),
    /// The engine refuses or fails it for this reason, and says this.
    Tell(&'static str, &'static str),
    /// The call goes well, and brings back these words.
    Bring(&'static [&'static str]),
}

type Run = Box<dyn Fn(&World) -> Result<Vec<Seen>>>;

pub struct Attack {
    pub class: &'static str,
    pub name: &'static str,
    must: Must,
    log: Vec<&'static str>,
    run: Run,
}

/// An attack that must end with an error of this kind and these words.
pub fn fails(
    class: &'static str,
    name: &'static str,
    (kind, says): (PluginErrorKind, &'static str),
    run: impl Fn(&World) -> Result<Vec<Seen>> + 'static,
) -> Attack {
    Attack::new(class, name, Must::Fail(kind, says), run)
}

/// An attack after which the call goes well, with these words in what the
/// guest brought back.
pub fn brings(
    class: &'static str,
    name: &'static str,
    words: &'static [&'static str],
    run: impl Fn(&World) -> Result<Vec<Seen>> + 'static,
) -> Attack {
    Attack::new(class, name, Must::Bring(words), run)
}

impl Attack {
    pub fn new(
        class: &'static str,
        name: &'static str,
        must: Must,
        run: impl Fn(&World) -> Result<Vec<Seen>> + 'static,
    ) -> Self {
        Self {
            class,
            name,
            must,
            log: Vec::new(),
            run: Box::new(run),
        }
    }

    /// The log must hold these words.
    pub fn logs(mut self, words: &'static str) -> Self {
        self.log.push(words);
        self
    }

    /// Runs it, and says how it was contained; an error when it was not.
    pub fn run(&self, world: &World) -> Result<String> {
        let reached = world.victim.count();
        let all = (self.run)(world)?;
        ensure!(
            world.victim.count() == reached,
            "it reached a server that it may not reach"
        );
        let mut how = Err(anyhow::anyhow!("it did nothing"));
        for seen in &all {
            how = Ok(self.contained(seen)?);
        }
        how
    }

    fn contained(&self, seen: &Seen) -> Result<String> {
        let how = self.as_it_must(seen)?;
        for words in &self.log {
            ensure!(
                seen.log.contains(words),
                "the log does not say {words:?}: {:?}",
                seen.log
            );
        }
        harmless("the log", &seen.log)?;
        let told = self
            .log
            .first()
            .and_then(|words| line_with(&seen.log, words));
        Ok(match (self.must, told) {
            (Must::Bring(_), Some(line)) => format!("log: {line}"),
            _ => how,
        })
    }

    fn as_it_must(&self, seen: &Seen) -> Result<String> {
        match (&seen.outcome, self.must) {
            (Outcome::Failed(error), Must::Fail(kind, says)) => {
                failed(error, kind, says).with_context(|| format!("the log: {:?}", seen.log))
            }
            (Outcome::Told { reason, words }, Must::Tell(must, says)) => {
                harmless("what people are told", words)?;
                ensure!(reason == must, "it was {reason} and not {must}: {words}");
                ensure!(words.contains(says), "nothing says {says:?}: {words}");
                Ok(format!("{reason}: {words}"))
            }
            (Outcome::Brought(brought), Must::Bring(must)) => {
                ensure!(!brought.contains(SECRET), "it knows the secret: {brought}");
                let missing = must.iter().find(|words| !brought.contains(**words));
                if let Some(words) = missing {
                    bail!("it did not bring {words:?} but {brought:?}");
                }
                let lines = must.iter().filter_map(|words| line_with(brought, words));
                let lines: Vec<String> = lines.collect();
                Ok(match lines.is_empty() {
                    true => "harmless: the call went well".to_owned(),
                    false => lines.join(", "),
                })
            }
            (other, must) => bail!("{other:?} is not {must:?}; the log: {:?}", seen.log),
        }
    }
}

/// An error of that plugin alone: of its kind, one line, its name, no secret.
fn failed(error: &PluginError, kind: PluginErrorKind, says: &str) -> Result<String> {
    ensure!(
        error.kind == kind,
        "{:?} and not {kind:?}: {error}",
        error.kind
    );
    ensure!(
        error.message.contains(says),
        "nothing says {says:?}: {error}"
    );
    ensure!(!error.message.contains('\n'), "more than a line: {error:?}");
    ensure!(error.message.len() < 5_000, "endless: {error}");
    harmless("the error", &format!("{error} {:?}", error.hint))?;
    harmless("what the plugin answered", &format!("{:?}", error.answered))?;
    let subjects = [
        "plugin hostile 1.0.0 (",
        "plugin raw 1.0.0 (",
        "the component ",
    ];
    ensure!(
        subjects.iter().any(|who| error.message.starts_with(who)),
        "nobody is named: {error}"
    );
    let message = subjects.iter().fold(error.message.as_str(), |rest, who| {
        rest.strip_prefix(who).unwrap_or(rest)
    });
    let message = message.split_once(") ").map_or(message, |(_, rest)| rest);
    Ok(format!("{}: {message}", error.kind))
}

/// No secret, and nothing that a terminal obeys.
fn harmless(what: &str, text: &str) -> Result<()> {
    ensure!(!text.contains(SECRET), "{what} has the secret: {text}");
    let obeyed = |c: &char| (c.is_control() && *c != '\n') || ('\u{202a}'..='\u{202e}').contains(c);
    if let Some(found) = text.chars().find(obeyed) {
        bail!("{what} has the character {found:?}: {text:?}");
    }
    Ok(())
}

fn line_with(log: &str, words: &str) -> Option<String> {
    log.lines()
        .find(|line| line.contains(words))
        .map(str::to_owned)
}

//! `shipway doctor`: what may be wrong, and what to do about it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use console::style;

use crate::doctor::{self, Check, Patient, Verdict};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::state_dir;
use crate::whereabouts::{Connection, Whereabouts};

/// Look what may be wrong with this machine and with the server
///
/// Nothing is changed. Without an engine on this machine only the server that
/// verbs ask is looked at.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The engine's state directory
    #[arg(long, env = "SHIPWAY_STATE_DIR", value_name = "DIR")]
    state_dir: Option<PathBuf>,
    /// Where the API answers, or is to answer
    #[arg(long, default_value = "127.0.0.1:7766", value_name = "ADDRESS")]
    listen: SocketAddr,
    /// Where the proxy answers, or is to answer
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    proxy_listen: SocketAddr,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway doctor
  shipway doctor --context team
  shipway doctor --json

Exit codes:
  0    nothing wrong, or warnings alone
  1    a problem";

pub async fn run(arguments: Arguments) -> Result<Exit, Failure> {
    let patient = Patient {
        state: arguments.state_dir.unwrap_or_else(state_dir::default_path),
        listen: arguments.listen,
        proxy_listen: arguments.proxy_listen,
        server: Whereabouts::find(&arguments.connection)?,
    };
    let checks = doctor::examine(&patient).await;
    show(arguments.json.form(), &checks, |checks| render(checks))?;
    let worst = checks.iter().map(|check| check.verdict).max();
    Ok(match worst {
        Some(Verdict::Problem) => Exit::Failed,
        _ => Exit::Success,
    })
}

fn render(checks: &[Check]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for check in checks {
        let verdict = format!("{:8}", check.verdict);
        let verdict = match check.verdict {
            Verdict::Ok => style(verdict).green(),
            Verdict::Warning => style(verdict).yellow(),
            Verdict::Problem => style(verdict).red(),
        };
        lines.push(format!("{verdict} {:16} {}", check.name, check.said));
        if let Some(to_do) = &check.to_do {
            lines.push(format!("{:26}to do: {to_do}", ""));
        }
    }
    let count = |verdict| checks.iter().filter(|c| c.verdict == verdict).count();
    lines.push(format!(
        "\n{} problems, {} warnings",
        count(Verdict::Problem),
        count(Verdict::Warning)
    ));
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_check_is_a_line_and_what_to_do_another() {
        let check = |name, verdict, to_do: Option<&str>| Check {
            name,
            verdict,
            said: "it is so".into(),
            to_do: to_do.map(str::to_owned),
        };
        let checks = [
            check("git", Verdict::Ok, None),
            check("state directory", Verdict::Problem, Some("chmod 700 it")),
        ];
        insta::assert_snapshot!(console::strip_ansi_codes(&render(&checks)), @r"
        ok       git              it is so
        problem  state directory  it is so
                                  to do: chmod 700 it

        1 problems, 0 warnings
        ");
    }
}

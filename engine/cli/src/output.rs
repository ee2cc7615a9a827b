//! What is printed: columns for people, JSON for programs.

use std::io::{self, IsTerminal, Write};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use crate::failure::Failure;

/// For whom a listing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    People,
    Json,
}

/// The flag that every listing has.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct JsonFlag {
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

impl JsonFlag {
    pub fn form(self) -> Form {
        if self.json { Form::Json } else { Form::People }
    }
}

/// Prints a text and a line end.
pub fn say(text: impl AsRef<str>) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{}", text.as_ref().trim_end_matches('\n'))?;
    out.flush()
}

/// Prints something that is no result: a question, a notice.
pub fn note(text: impl AsRef<str>) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{}", text.as_ref())
}

/// Prints a value: rendered for people, as it is for programs.
pub fn show<T: Serialize>(
    form: Form,
    value: &T,
    render: impl FnOnce(&T) -> String,
) -> Result<(), Failure> {
    let text = match form {
        Form::People => render(value),
        Form::Json => serde_json::to_string_pretty(value)?,
    };
    Ok(say(text)?)
}

/// Columns with a heading; as wide as the terminal, or as they need.
pub fn table<const N: usize>(
    heading: [&str; N],
    rows: impl IntoIterator<Item = [String; N]>,
) -> String {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING);
    if io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    table.set_header(heading);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    trimmed(&table.to_string())
}

/// No white space at the ends of lines.
fn trimmed(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

/// A dash where there is nothing.
pub fn or_dash(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| value.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_and_have_no_trailing_space() {
        let rows = [
            ["guestbook".to_owned(), "main".to_owned()],
            ["a".to_owned(), "-".to_owned()],
        ];
        insta::assert_snapshot!(table(["APP", "REFERENCE"], rows), @r"
        APP        REFERENCE
        guestbook  main
        a          -
        ");
    }
}

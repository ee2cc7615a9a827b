//! What the executor needs from the world, one small trait per intention.
//! Adapters implement them, are siblings, and are chosen once, at the wiring.

pub mod clock;
pub mod plugins;
pub mod prober;
pub mod pushes;
pub mod router;
pub mod runtime;
pub mod source;
pub mod store;

/// A cause that an adapter passes on.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Which of its two outputs a program wrote a line to; the engine's own lines
/// are told apart from both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Stream {
    Stdout,
    Stderr,
    Engine,
}

/// How a piece of a program's output ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineEnd {
    /// The program ended the line, or its output.
    Newline,
    /// The line goes on in the next piece of the same stream: it is longer than
    /// a piece may be.
    Cut,
}

/// Takes the lines that a program writes, without their line ends. A line is at
/// most 16 KiB; an adapter cuts a longer one into several.
pub trait Output: Send + Sync {
    /// A whole line.
    fn line(&self, stream: Stream, line: &str);

    /// A line or a part of one. A secret that is cut in two is found only by
    /// those who are told of the cut.
    fn piece(&self, stream: Stream, piece: &str, end: LineEnd) {
        let _not_needed = end;
        self.line(stream, piece);
    }
}

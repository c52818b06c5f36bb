//! Standard output: buffered, coloured on request, and safe for recorded text.

use clap::ValueEnum;
use std::io::{BufWriter, IsTerminal, StdoutLock, Write};

/// Width if standard output is not a terminal.
const PLAIN_WIDTH: usize = 120;

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Everywhere
    Always,
    /// Nowhere
    Never,
}

/// Buffered standard output.
pub(crate) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    coloured: bool,
    width: usize,
}

/// An invalid command line that clap does not detect. The exit code is 2.
#[derive(Debug)]
pub(crate) struct WrongCommandLine(pub(crate) String);

impl std::fmt::Display for WrongCommandLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for WrongCommandLine {}

/// The role of a piece of text, which determines its colour.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Plain,
    Faint,
    Strong,
    Failed,
    Note,
    Bar,
    Match,
}

impl Output {
    pub(crate) fn new(color: Color) -> Output {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let coloured = match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && !no_color,
        };
        let width = if is_terminal { terminal_size::terminal_size().map(|(width, _)| usize::from(width.0)) } else { None };
        // Scripts and tests set the width with COLUMNS, like shells.
        let said = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        let width = width.or(said).unwrap_or(PLAIN_WIDTH).clamp(40, 400);
        Output { out: BufWriter::new(stdout.lock()), coloured, width }
    }

    /// Width of a line in columns.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    pub(crate) fn text(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(self.out.write_all(text.as_bytes())?)
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> anyhow::Result<()> {
        Ok(self.out.write_all(bytes)?)
    }

    pub(crate) fn line(&mut self, text: &str) -> anyhow::Result<()> {
        Ok(writeln!(self.out, "{text}")?)
    }

    /// Adds the colour codes of `ink` to `text`, if colours are enabled.
    pub(crate) fn ink(&self, text: &str, ink: Ink) -> String {
        let code = match ink {
            Ink::Faint => "2",
            Ink::Strong => "1",
            Ink::Failed => "31",
            Ink::Note => "33",
            Ink::Bar => "36",
            Ink::Match => "1;33",
            Ink::Plain => return text.to_owned(),
        };
        if self.coloured && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }

    pub(crate) fn flush(&mut self) -> anyhow::Result<()> {
        Ok(self.out.flush()?)
    }
}

/// Whether the error is a closed pipe.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe))
}

/// Makes recorded text safe for a terminal: replaces control characters, which could move the cursor or worse.
pub(crate) fn clean(text: &str) -> String {
    let show = |letter: char| match letter {
        '\n' => '\n',
        '\t' => ' ',
        // Bidirectional controls would reorder the line.
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => '\u{fffd}',
        control if control.is_control() => {
            char::from_u32(0x2400 + control as u32).filter(|_| (control as u32) < 0x20).unwrap_or('\u{fffd}')
        }
        other => other,
    };
    text.chars().map(show).collect()
}

/// Like [`clean`], with line breaks replaced.
pub(crate) fn clean_line(text: &str) -> String {
    clean(text).replace('\n', "␊")
}

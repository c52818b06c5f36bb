//! Grows large files from real ones: repeats the traces of fixture databases with new ids, times and words.
//!
//! Schema, formats and row order are those of the source. The same plan gives the same file, byte for byte.
//!
//! Modules in reading order: `time` and `text` renew values, `source` reads the templates, `shape` arranges spans, `target` writes rows.
//! The command is `bin/grow.rs`; damaged files are in `hostile`.

mod shape;
mod source;
mod target;
mod text;
mod time;

use crate::random::Random;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// The shape of a grown file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Whole traces with at least this many spans in total.
    Spans(u64),
    /// Whole traces, until the file has at least this many bytes.
    Bytes(u64),
    /// A single trace with exactly this many spans: requests side by side below one root.
    OneTrace(u64),
    /// A single trace with exactly this many spans, each the child of the previous one.
    Deep(u64),
    /// Each trace of the source once.
    Once,
}

/// How to grow a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The files to repeat, in order.
    pub sources: Vec<PathBuf>,
    /// The shape of the result.
    pub shape: Shape,
    /// Adds a trace with a span that has an attribute of about this many bytes.
    pub attribute_bytes: Option<usize>,
    /// Seed for ids, times and words.
    pub seed: u64,
}

/// Contents of a grown file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    /// Rows of `traces`.
    pub traces: u64,
    /// Rows of `spans`.
    pub spans: u64,
    /// Rows of `span_events`.
    pub events: u64,
    /// Size in bytes.
    pub bytes: u64,
}

/// Writes the file. An existing file at `to` is replaced once the new one is complete.
///
/// # Errors
/// If a source can't be read or contains no traces, or the file can't be written.
pub fn grow(plan: &Plan, to: &Path) -> Result<Grown> {
    let source = source::Source::read(&plan.sources)?;
    ensure!(!source.traces.is_empty(), "The source holds no trace with spans and times, so there is nothing to repeat.");
    if let Some(dir) = to.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made.", dir.display()))?;
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    // Left by an interrupted run.
    let _ = std::fs::remove_file(&unfinished);
    let mut grown = target::write(&unfinished, &source, |target| shape::fill(plan, &source, target))
        .with_context(|| format!("{} cannot be written.", unfinished.display()))?;
    std::fs::rename(&unfinished, to).with_context(|| format!("{} cannot be replaced.", to.display()))?;
    grown.bytes = std::fs::metadata(to)?.len();
    Ok(grown)
}

/// A hash that looks random and only depends on `number`.
fn mixed(number: u64) -> u64 {
    Random::new(number).next_u64()
}

#[cfg(test)]
mod tests;

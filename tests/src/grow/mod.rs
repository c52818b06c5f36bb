//! Big files from real ones: the traces of fixture databases again and again, each time with ids, times and words of their own.
//!
//! Schema, text forms and the order of rows are the source's. The same plan gives the same file, byte for byte.
//! Reading order: `time` and `text` say how one value is renewed, `source` reads what is repeated, `shape` decides which spans come
//! where, `target` writes rows.
//!
//! What is not here: the command (`bin/grow.rs`), and files that are broken (`hostile`).

mod shape;
mod source;
mod target;
mod text;
mod time;

use crate::random::Random;
use anyhow::{Context, Result, ensure};
use std::path::{Path, PathBuf};

/// What a grown file looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Whole traces until there are at least so many spans.
    Spans(u64),
    /// Whole traces until the file has at least so many bytes.
    Bytes(u64),
    /// One trace of exactly so many spans: requests beside each other below one root.
    OneTrace(u64),
    /// One trace of exactly so many spans, each the child of the one before.
    Deep(u64),
    /// Every trace of the source once.
    Once,
}

/// How to grow a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// What is repeated, one file after the other.
    pub sources: Vec<PathBuf>,
    /// What comes out.
    pub shape: Shape,
    /// One trace more, with a span that has an attribute of about so many bytes.
    pub attribute_bytes: Option<usize>,
    /// Another seed gives other ids, times and words.
    pub seed: u64,
}

/// What a grown file holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    /// Rows of `traces`.
    pub traces: u64,
    /// Rows of `spans`.
    pub spans: u64,
    /// Rows of `span_events`.
    pub events: u64,
    /// The file's size.
    pub bytes: u64,
}

/// Writes the file. One that lies at `to` is replaced when the new one is complete.
///
/// # Errors
/// When a source cannot be read or holds no traces, or the file cannot be written.
pub fn grow(plan: &Plan, to: &Path) -> Result<Grown> {
    let source = source::Source::read(&plan.sources)?;
    ensure!(!source.traces.is_empty(), "The source holds no trace with spans and times, so there is nothing to repeat.");
    if let Some(dir) = to.parent() {
        std::fs::create_dir_all(dir).with_context(|| format!("{} cannot be made.", dir.display()))?;
    }
    let mut unfinished = to.as_os_str().to_owned();
    unfinished.push(".unfinished");
    let unfinished = PathBuf::from(unfinished);
    // Left by a run that was ended.
    let _ = std::fs::remove_file(&unfinished);
    let mut grown = target::write(&unfinished, &source, |target| shape::fill(plan, &source, target))
        .with_context(|| format!("{} cannot be written.", unfinished.display()))?;
    std::fs::rename(&unfinished, to).with_context(|| format!("{} cannot be replaced.", to.display()))?;
    grown.bytes = std::fs::metadata(to)?.len();
    Ok(grown)
}

/// A number that looks random and depends on this one alone.
fn mixed(number: u64) -> u64 {
    Random::new(number).next_u64()
}

#[cfg(test)]
mod tests;

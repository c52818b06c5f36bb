//! Redaction: removes private data from a trace before it is shared. Each kind can be switched separately.
//!
//! [`redact`] makes a redacted copy of a [`Recording`] and reports what it found and removed per kind; [`Redactor`] does so part by part.
//! `vocabulary` has the words that may always stay, `classify` determines the kind of a value from its key, `names` tells names of keys and
//! passwords from others, `pairs` finds their values in decoded data. `detect` finds keys, addresses, paths and ids in text: `rules` lists the
//! forms of keys, `shapes` knows what looks random, `assigned` finds what is assigned to a name. `pseudonyms` replaces ids, `sweep` finds
//! repetitions of redacted text. `walk` redacts values, `rows` the rows of the tables, `redactor` one part of a file after the other.
//!
//! Text that hides its content (ciphers, images, a private word in a sentence that is kept) is not detected: use the switch of its kind.

mod assigned;
mod classify;
mod detect;
mod names;
mod pairs;
mod pseudonyms;
mod redactor;
mod rows;
mod rules;
mod shapes;
mod sweep;
#[cfg(test)]
pub mod tests;
mod vocabulary;
mod walk;

pub use redactor::Redactor;

use quipu_model::Recording;
use quipu_protocol::{RedactOptions, RedactReport};

/// The redacted recording and the report. Time and memory are linear in the size of the recording. Never fails: unparsable values are
/// treated as text.
pub fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    redactor::redact(recording, options)
}

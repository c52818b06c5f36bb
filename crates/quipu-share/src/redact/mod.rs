//! Taking out what is private before a trace is handed on: prompts, ids, keys and the like, each by its switch.
//!
//! [`redact`] makes another [`Recording`] of one and reports, kind by kind, what it found and what it took out; the report is the
//! preview of what leaves. `vocabulary` knows the words that may always stay, `classify` tells by its key what a value is, `detect` finds
//! keys, addresses, paths and ids inside texts, `pseudonyms` names what must stay tellable apart, `sweep` finds again elsewhere what was
//! taken out once, `walk` goes through the rows.
//!
//! What is not here: reading rows (`session`), packing what is left (`share::payload`). A text that hides what it says (ciphers, images,
//! a private word in a kept sentence) is not seen through: what is private by its meaning goes by the switch of its kind.

mod classify;
mod detect;
mod pseudonyms;
mod sweep;
#[cfg(test)]
pub mod tests;
mod vocabulary;
mod walk;

use quipu_model::Recording;
use quipu_protocol::{RedactOptions, RedactReport};

/// A recording without what was to be taken out, and the report. Takes time and memory by the size of the recording; never fails: what
/// can't be read is a text like any other.
pub fn redact(recording: &Recording, options: RedactOptions) -> (Recording, RedactReport) {
    walk::redact(recording, options)
}

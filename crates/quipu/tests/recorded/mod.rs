//! Decoding of recorded values: real ones against readable snapshots, generated and hostile ones against the rules.
//!
//! The files in `tests/data/recorded` are values from real Llama Stack servers, one per shape, named by release and attribute.

#![expect(clippy::unwrap_used, reason = "helpers of tests")]

mod hostile;
mod real;
mod rules;
mod scanner;
mod support;

//! `cargo xtask fixtures`: big files from real ones. The work is done by a program of the tests, so that this one needs no SQLite.

use crate::shell::Run;
use anyhow::Result;

/// Runs the program with these words, compiled for speed: big files are millions of rows.
pub(crate) fn grow(words: &[String]) -> Result<()> {
    Run::new("cargo run --quiet --release --package quipu-tests --bin grow --").words(words).show()
}

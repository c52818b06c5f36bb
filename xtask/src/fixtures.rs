//! `cargo xtask fixtures`: big files from real ones. The work is done by a program of the tests, so that this one needs no SQLite.

use crate::shell::Run;
use anyhow::{Result, bail};

/// Runs the program with these words, compiled for speed: big files are millions of rows.
pub(crate) fn grow(words: &[String]) -> Result<()> {
    Run::new("cargo run --quiet --release --package quipu-tests --bin grow --").words(words).show()
}

/// Makes fixtures anew that need a program of others.
pub(crate) fn make_slowly(words: &[String]) -> Result<()> {
    match words {
        [one] if one == "promql" => Run::new("cargo run --quiet --package quipu-tests --bin promql_answers").show(),
        [one] if one == "serve" => crate::peers::serve(),
        _ => bail!("cargo xtask slow promql, or serve: there is nothing else that is slow."),
    }
}

//! `cargo xtask fixtures`: big files from real ones. The work is done by a program of the tests, so that this one needs no SQLite.

use crate::shell::Run;
use anyhow::{Result, bail};

/// Runs the program with these words, compiled for speed: big files are millions of rows.
pub(crate) fn grow(words: &[String]) -> Result<()> {
    Run::new("cargo run --quiet --release --package quipu-tests --bin grow --").words(words).show()
}

/// Makes fixtures anew, or checks, what needs a program of others.
pub(crate) fn make_slowly(words: &[String]) -> Result<()> {
    let [one] = words else { bail!("cargo xtask slow needs one word: promql or push.") };
    match one.as_str() {
        "promql" => Run::new("cargo run --quiet --package quipu-tests --bin promql_answers").show(),
        "push" => Run::new("cargo run --quiet --package quipu-tests --bin push_phoenix").show(),
        other => bail!("cargo xtask slow does not know {other}: promql asks a real Prometheus, push sends to a real Arize Phoenix."),
    }
}

//! `cargo xtask fixtures`: large files from real ones. A program of the tests does the work, so that xtask needs no SQLite.

use crate::paths::target;
use crate::shell::Run;
use anyhow::{Result, bail};

/// Runs the program with these arguments, optimized: large files are millions of rows.
pub(crate) fn grow(words: &[String]) -> Result<()> {
    Run::new("cargo run --quiet --release --package quipu-tests --bin grow --").words(words).show()
}

/// Runs a task that needs third-party programs or takes minutes.
pub(crate) fn make_slowly(words: &[String]) -> Result<()> {
    match words {
        [one] if one == "promql" => Run::new("cargo run --quiet --package quipu-tests --bin promql_answers").show(),
        [one, rest @ ..] if one == "collect" => {
            Run::new("cargo build --quiet --release --package quipu-cli").show()?;
            let quipu = target().join("release/quipu").display().to_string();
            Run::new("cargo run --quiet --release --package quipu-tests --bin collect_peers --").words(&[quipu]).words(rest).show()
        }
        [one, rest @ ..] if one == "soak" => {
            Run::new("cargo build --quiet --release --package quipu-cli").show()?;
            let quipu = target().join("release/quipu").display().to_string();
            Run::new("cargo run --quiet --package quipu-tests --bin soak --").words(&[quipu]).words(rest).show()
        }
        [one] if one == "push" => Run::new("cargo run --quiet --package quipu-tests --bin push_phoenix").show(),
        [one] if one == "serve" => crate::peers::serve(),
        _ => {
            bail!("cargo xtask slow knows promql, collect, serve, push and soak: what each tries is in `cargo xtask help`.")
        }
    }
}

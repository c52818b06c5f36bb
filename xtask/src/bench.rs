//! `cargo xtask bench`: builds what is measured, grows files, installs the peers, and runs the measuring program of the tests.

use crate::setup::{self, Tools};
use crate::shell::Run;
use crate::{npm, page, paths};
use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};

/// Options of `cargo xtask bench`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Bench {
    /// File sizes, as accepted by `cargo xtask fixtures --size`.
    pub(crate) sizes: Vec<String>,
    /// Number of runs.
    pub(crate) runs: usize,
    /// Whether to measure dist/ without rebuilding it.
    pub(crate) as_is: bool,
}

impl Default for Bench {
    fn default() -> Bench {
        Bench { sizes: ["100MB", "1.5GB", "2.5GB"].map(str::to_owned).into(), runs: 3, as_is: false }
    }
}

impl Bench {
    /// Parses the arguments.
    pub(crate) fn parse(words: &[String]) -> Result<Bench> {
        let mut bench = Bench::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value =
                || words.next().with_context(|| format!("{word} needs a value: cargo xtask bench --sizes 100MB,1.5GB --runs 3"));
            match word.as_str() {
                "--sizes" => bench.sizes = value()?.split(',').map(str::to_owned).collect(),
                "--runs" => {
                    let runs = value()?;
                    bench.runs = runs.parse().ok().filter(|runs| *runs > 0).with_context(|| format!("{runs} is no number of runs."))?;
                }
                "--as-is" => bench.as_is = true,
                other => bail!("cargo xtask bench does not know {other}."),
            }
        }
        Ok(bench)
    }

    fn command(&self) -> String {
        format!("cargo xtask bench --sizes {} --runs {}", self.sizes.join(","), self.runs)
    }
}

/// Runs the benchmarks and writes docs/benchmarks.md.
pub(crate) fn run(bench: &Bench) -> Result<()> {
    let tools = setup::prepare(setup::For::Tests)?;
    match page::is_current() {
        Some(true) => {}
        Some(false) if bench.as_is => println!("dist/ was built of other sources than these; it is measured as it lies."),
        _ => page::build(&tools)?,
    }
    // The peers' pages, next to the npm packages they use.
    let site = npm::install("tests/bench/page", "bench/page")?;
    let files = bench.sizes.iter().map(|size| grow(size)).collect::<Result<Vec<_>>>()?;
    Run::new("cargo build --quiet --release --package quipu-tests --bin measure").show()?;
    measure(&tools, bench, &site, &files)
}

fn measure(tools: &Tools, bench: &Bench, site: &Path, files: &[PathBuf]) -> Result<()> {
    let browser = tools.browsers()?;
    let program = paths::target().join("release").join(format!("measure{}", std::env::consts::EXE_SUFFIX));
    Run::new("cargo test --quiet --package quipu-tests --bench page")
        .env("QUIPU_BENCH_DIST", paths::dist())
        .env("QUIPU_BENCH_SITE", site)
        .env("QUIPU_BENCH_MEASURE", program)
        .env("QUIPU_BENCH_FILES", std::env::join_paths(files)?)
        .env("QUIPU_BENCH_RUNS", bench.runs.to_string())
        .env("QUIPU_BENCH_COMMAND", bench.command())
        .env("CHROMIUM", &browser.chromium)
        .env("CHROMEDRIVER", &browser.driver)
        .show()
}

/// The file of this size, generated once and kept.
fn grow(size: &str) -> Result<PathBuf> {
    let path = paths::target().join("bench").join(format!("{size}.db"));
    if !path.is_file() {
        crate::fixtures::grow(&["--size".to_owned(), size.to_owned(), "--out".to_owned(), path.display().to_string()])?;
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_said_stays_as_documented() {
        let parsed = |line: &str| Bench::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parsed("").ok(), Some(Bench::default()));
        let bench = parsed("--sizes 50MB --runs 1").expect("a bench");
        assert_eq!((bench.sizes, bench.runs, bench.as_is), (vec!["50MB".to_owned()], 1, false));
        assert!(parsed("--runs 0").is_err() && parsed("--sizes").is_err() && parsed("fast").is_err());
    }
}

//! Quipu beside its peers: the same file, the same browser, one run. `cargo xtask bench` sets the environment and calls this program;
//! without it there is nothing to measure.
//!
//! Reading order: `figures` is what is measured, `queries` what peers are asked, `browser` and `native` measure, `report` prints and
//! writes `docs/benchmarks.md`. `page/` is what a viewer over another SQLite would be.
//!
//! Not here: limits. Times depend on the machine; nothing fails because something was slow.

mod browser;
#[expect(dead_code, reason = "the benchmarks run in Chromium only, as the peers' figures do")]
#[path = "../tests/e2e/driver.rs"]
mod driver;
mod figures;
mod memory;
mod native;
mod queries;
mod report;

use anyhow::{Context, Result};
use figures::{Figures, Subject};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

/// What the environment names.
struct Place {
    /// The built page.
    dist: PathBuf,
    /// `page/` with what npm installed.
    site: PathBuf,
    /// The program that measures the core.
    measure: PathBuf,
    /// The files, smallest first.
    files: Vec<PathBuf>,
    /// How often everything is measured.
    runs: usize,
    /// How this was called.
    command: String,
}

fn place() -> Option<Place> {
    let path = |name| std::env::var_os(name).map(PathBuf::from);
    let files = std::env::var_os("QUIPU_BENCH_FILES")?;
    Some(Place {
        dist: path("QUIPU_BENCH_DIST")?,
        site: path("QUIPU_BENCH_SITE")?,
        measure: path("QUIPU_BENCH_MEASURE")?,
        files: std::env::split_paths(&files).collect(),
        runs: std::env::var("QUIPU_BENCH_RUNS").ok()?.parse().ok()?,
        command: std::env::var("QUIPU_BENCH_COMMAND").ok()?,
    })
}

fn main() -> ExitCode {
    let Some(place) = place() else {
        println!("Nothing was measured: `cargo xtask bench` builds what is measured and calls this program.");
        return ExitCode::SUCCESS;
    };
    match run(&place) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.chain().for_each(|sentence| eprintln!("{sentence}"));
            ExitCode::FAILURE
        }
    }
}

fn run(place: &Place) -> Result<()> {
    let driver = driver::Driver::start(driver::Browser::Chromium)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let sites = browser::Sites::start(&place.dist, &place.site)?;
    let mut sections = Vec::new();
    for file in &place.files {
        let asked = queries::Asked::of(file)?;
        // Everybody finds the file in the system's memory.
        std::io::copy(&mut std::fs::File::open(file)?, &mut std::io::sink())
            .with_context(|| format!("{} cannot be read.", file.display()))?;
        println!("\n{}: {:.0} MB, {} spans in {} traces", file.display(), asked.bytes as f64 / 1e6, asked.spans, asked.traces);
        let mut figures = Figures::default();
        for run in 1..=place.runs {
            for subject in Subject::ALL {
                let began = Instant::now();
                match subject.is_native() {
                    true => native::measure(subject, file, &asked, place, &mut figures)?,
                    false => runtime.block_on(browser::measure(subject, &driver, &sites, file, &asked, &mut figures))?,
                }
                println!("  run {run}: {:<28} {:>6.1} s", subject.name(), began.elapsed().as_secs_f64());
            }
        }
        sections.push((asked, figures));
    }
    report::publish(&sections, &place.command, place.runs)
}

//! Checks the size of the page, uncompressed and with brotli, against its budgets.

use crate::shell;
use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// WebAssembly and its JavaScript, brotli, in bytes.
// What a first visit loads: the page, and the worker's program, which comes while the reader chooses a file.
const FIRST_VISIT_BUDGET: u64 = 1_000_000;
// Loaded by who imports, shares or runs SQL: the worker's program with that code. The one file that carries all has a limit of its own (`viewer`).
const TRANSFER_BUDGET: u64 = 880_000;
// Loaded by who looks at metrics: the grammar of PromQL, and what draws charts.
const METRICS_BUDGET: u64 = 500_000;

/// Prints the sizes; an error if one exceeds its budget. Without the `brotli` command, only uncompressed sizes are known.
pub(crate) fn report(dist: &Path) -> Result<()> {
    let mut code = Vec::new();
    collect_code(dist, &mut code)?;
    let (metrics, code): (Vec<PathBuf>, Vec<PathBuf>) = code.into_iter().partition(|path| has(path, &["metrics", "uplot", "charts"]));
    let (transfer, code): (Vec<PathBuf>, Vec<PathBuf>) = code.into_iter().partition(|path| has(path, &["transfer"]));
    let (worker, page): (Vec<PathBuf>, Vec<PathBuf>) = code.into_iter().partition(|path| has(path, &["worker"]));
    let measured = shell::is_on_path("brotli");
    let mut over = Vec::new();
    println!("{:<11} {:>9} {:>9} {:>9}", "", "raw KB", "brotli KB", "budget KB");
    let first: Vec<PathBuf> = page.iter().chain(&worker).cloned().collect();
    let parts = [
        ("page", page, None),
        ("worker", worker, None),
        ("first visit", first, Some(FIRST_VISIT_BUDGET)),
        ("transfer", transfer, Some(TRANSFER_BUDGET)),
        ("metrics", metrics, Some(METRICS_BUDGET)),
    ];
    for (name, files, budget) in parts {
        if !files.iter().any(|file| file.extension().is_some_and(|ending| ending == "wasm")) {
            bail!("dist/ holds no WebAssembly of the {name}.");
        }
        let raw = sum(&files, |path| Ok(fs::metadata(path)?.len()))?;
        let packed = if measured { Some(sum(&files, brotli_size)?) } else { None };
        let shown = |bytes: Option<u64>| bytes.map_or("–".to_owned(), kb);
        println!("{name:<11} {:>9} {:>9} {:>9}", kb(raw), shown(packed), shown(budget));
        if let (Some(packed), Some(budget)) = (packed, budget)
            && packed > budget
        {
            over.push(format!("the {name} is {} KB and may be {} KB", kb(packed), kb(budget)));
        }
    }
    if !measured {
        println!("The command `brotli` is missing, so the budgets were not checked (apt-get install brotli, or brew install brotli).");
    }
    if !over.is_empty() {
        bail!("Over the size budget: {}.", over.join("; "));
    }
    Ok(())
}

fn kb(bytes: u64) -> String {
    format!("{:.0}", bytes as f64 / 1000.0)
}

/// Whether the file name contains one of these parts.
fn has(path: &Path, parts: &[&str]) -> bool {
    path.file_name().is_some_and(|name| parts.iter().any(|part| name.to_string_lossy().contains(part)))
}

fn sum(files: &[PathBuf], size: impl Fn(&Path) -> Result<u64>) -> Result<u64> {
    files.iter().map(|file| size(file)).sum()
}

fn brotli_size(path: &Path) -> Result<u64> {
    let output =
        Command::new("brotli").args(["--best", "--stdout", "--keep"]).arg(path).output().context("brotli could not be started.")?;
    if !output.status.success() {
        bail!("brotli failed on {}: {}", path.display(), String::from_utf8_lossy(&output.stderr));
    }
    Ok(output.stdout.len() as u64)
}

/// All `.wasm` and `.js` files below `dir`.
fn collect_code(dir: &Path, into: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("{} cannot be listed.", dir.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect_code(&path, into)?;
        } else if path.extension().is_some_and(|ending| ending == "wasm" || ending == "js") {
            into.push(path);
        }
    }
    Ok(())
}

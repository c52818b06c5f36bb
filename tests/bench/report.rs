//! The tables: on the screen, and in `docs/benchmarks.md` between two marks.

use crate::figures::{Figure, Figures, Subject};
use crate::queries::{AGGREGATE, Asked, FILTER, SUM};
use anyhow::{Context, Result};
use quipu_tests::fixtures::repository;
use std::fmt::Write as _;

const BEGIN: &str = "<!-- measured: begin -->";
const END: &str = "<!-- measured: end -->";
/// The rows of the browser's table.
const IN_BROWSER: [(Figure, &str); 7] = [
    (Figure::FirstRows, "file choice to first rows drawn"),
    (Figure::Indexed, "file choice to index complete"),
    (Figure::Filter, "filter, to rows drawn"),
    (Figure::Trace, "trace opened, to rows drawn"),
    (Figure::Aggregate, "sum of durations by name, to rows drawn"),
    (Figure::WasmMemory, "WebAssembly memory, peak"),
    (Figure::ProcessMemory, "memory of the renderer process, peak"),
];
const PEERS: [Subject; 2] = [Subject::SqlJs, Subject::SqliteWasm];

/// Prints the tables and writes them into the document.
pub(crate) fn publish(sections: &[(Asked, Figures)], command: &str, runs: usize) -> Result<()> {
    let text = write(sections, command, runs).context("The tables cannot be written.")?;
    println!("\n{text}");
    let path = repository().join("docs/benchmarks.md");
    let document = std::fs::read_to_string(&path).with_context(|| format!("{} cannot be read.", path.display()))?;
    let (before, rest) = document.split_once(BEGIN).with_context(|| format!("{} does not hold {BEGIN}.", path.display()))?;
    let (_, after) = rest.split_once(END).with_context(|| format!("{} does not hold {END}.", path.display()))?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{text}{END}{after}"))
        .with_context(|| format!("{} cannot be written.", path.display()))?;
    println!("Written to {}.", path.display());
    Ok(())
}

fn write(sections: &[(Asked, Figures)], command: &str, runs: usize) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "`{command}` on {}; {}.", machine(), browser())?;
    writeln!(text, "Each figure is the median of {runs} {}.", if runs == 1 { "run" } else { "runs" })?;
    for (asked, figures) in sections {
        section(&mut text, asked, figures)?;
    }
    Ok(text)
}

fn section(text: &mut String, asked: &Asked, figures: &Figures) -> std::fmt::Result {
    let megabytes = asked.bytes as f64 / 1e6;
    writeln!(text, "\n### {megabytes:.0} MB: {} spans in {} traces\n", asked.spans, asked.traces)?;
    writeln!(text, "| in the browser | Quipu | sql.js | sqlite-wasm | best peer : Quipu |\n|---|---|---|---|---|")?;
    for (figure, name) in IN_BROWSER {
        let best = PEERS.iter().filter_map(|peer| figures.median(*peer, figure)).min_by(f64::total_cmp);
        let own = figures.median(Subject::Quipu, figure);
        let cells = [Subject::Quipu, Subject::SqlJs, Subject::SqliteWasm].map(|subject| cell(figures, subject, figure));
        writeln!(text, "| {name} | {} | {} |", cells.join(" | "), ratio(best, own))?;
    }
    let rate = figures.median(Subject::Quipu, Figure::Indexed).map(|ms| megabytes * 1e3 / ms);
    let raw = figures.median(Subject::Raw, Figure::Rate);
    let per_second = |rate: Option<f64>| rate.map_or("–".to_owned(), |rate| format!("{rate:.0} MB/s"));
    writeln!(
        text,
        "\nIndexing in the browser: {}, including the first rows. Reading the file and nothing else, in the same browser: {}.\n",
        per_second(rate),
        per_second(raw)
    )?;
    writeln!(text, "| native | Quipu’s core | `sqlite3` | `sqlite3` : core |\n|---|---|---|---|")?;
    let rows = [
        (Figure::FirstRows, None, "open, to first rows"),
        (Figure::Indexed, Some(Figure::Sum), "index (`sqlite3`: total length of all attributes)"),
        (Figure::Filter, Some(Figure::Filter), "filter"),
        (Figure::Trace, Some(Figure::Trace), "trace"),
        (Figure::Aggregate, Some(Figure::Aggregate), "sum of durations by name"),
        (Figure::ProcessMemory, None, "memory of the process, peak"),
    ];
    for (own, other, name) in rows {
        let beside = other.map_or("–".to_owned(), |other| cell(figures, Subject::Shell, other));
        let shell = other.and_then(|other| figures.median(Subject::Shell, other));
        let ratio = ratio(shell, figures.median(Subject::Core, own));
        writeln!(text, "| {name} | {} | {beside} | {ratio} |", cell(figures, Subject::Core, own))?;
    }
    writeln!(text, "\nFilter: `{FILTER}`, {} traces. Sum: `{SUM}`. By name: `{AGGREGATE}`.", asked.matching)
}

fn cell(figures: &Figures, subject: Subject, figure: Figure) -> String {
    match (figures.median(subject, figure), figures.problem(subject, figure)) {
        (_, Some(problem)) => format!("fails: {}", one_line(problem)),
        (None, None) => "–".to_owned(),
        (Some(value), None) => match figure {
            Figure::WasmMemory | Figure::ProcessMemory => format!("{:.0} MB", value / 1e6),
            Figure::Rate => format!("{value:.0} MB/s"),
            _ if value < 10.0 => format!("{value:.1} ms"),
            _ if value < 1_000.0 => format!("{value:.0} ms"),
            _ => format!("{:.2} s", value / 1e3),
        },
    }
}

/// How often the second goes into the first.
fn ratio(other: Option<f64>, own: Option<f64>) -> String {
    match (other, own) {
        (Some(other), Some(own)) if own > 0.0 && other / own >= 10.0 => format!("{:.0}", other / own),
        (Some(other), Some(own)) if own > 0.0 => format!("{:.2}", other / own),
        _ => "–".to_owned(),
    }
}

/// What fits into a cell of a table.
fn one_line(text: &str) -> String {
    let line = text.replace(['\n', '|'], " ");
    let short: String = line.chars().take(120).collect();
    if short.len() < line.len() { format!("{short}…") } else { short }
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or("an unknown number of".to_owned(), |cores| cores.to_string());
    let first = |path: &str, name: &str| -> Option<String> {
        let text = std::fs::read_to_string(path).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
    };
    let memory = first("/proc/meminfo", "MemTotal").and_then(|text| text.split_whitespace().next()?.parse::<f64>().ok());
    let memory = memory.map_or("unknown memory".to_owned(), |kib| format!("{:.0} GB of memory", kib * 1024.0 / 1e9));
    let model = first("/proc/cpuinfo", "model name").map(|name| format!(" ({name})")).unwrap_or_default();
    format!("{cores} cores{model} and {memory}, {}", std::env::consts::OS)
}

fn browser() -> String {
    let program = std::env::var("CHROMIUM").unwrap_or_else(|_| "chromium".to_owned());
    let output = std::process::Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    if text.is_empty() { "an unknown browser".to_owned() } else { text.split(" built").next().unwrap_or_default().to_owned() }
}

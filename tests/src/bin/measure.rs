//! Measures the core natively on one file and prints one figure per line: `index_ms 812.4`. The benchmarks start it once per run.

use anyhow::Result;
use quipu::Session;
use quipu::protocol::{GetTrace, ListTraces, TraceQuery};
use quipu::store::OpenOptions;
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [file, trace_id, filter] = words.as_slice() else {
        eprintln!("measure FILE TRACE_ID FILTER");
        return ExitCode::from(2);
    };
    match run(Path::new(file), trace_id, filter) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error.chain().for_each(|sentence| eprintln!("{sentence}"));
            ExitCode::FAILURE
        }
    }
}

fn run(file: &Path, trace_id: &str, filter: &str) -> Result<()> {
    let began = Instant::now();
    let mut session = Session::open_path(file, OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) })?;
    list(&mut session, "")?;
    println!("first_rows_ms {}", milliseconds(began));

    let began = Instant::now();
    while !session.step(&mut || false)?.done {}
    println!("index_ms {}", milliseconds(began));

    let began = Instant::now();
    let matching = list(&mut session, filter)?;
    println!("filter_ms {}", milliseconds(began));
    println!("matching {}", matching.map_or(-1, i64::from));

    let began = Instant::now();
    session.ask(GetTrace { trace_id: trace_id.to_owned(), scope: Default::default() })?;
    println!("trace_ms {}", milliseconds(began));
    if let Some(bytes) = peak_bytes() {
        println!("peak_bytes {bytes}");
    }
    Ok(())
}

/// The first rows of a list, and the total.
fn list(session: &mut Session, filter: &str) -> Result<Option<u32>> {
    let query = TraceQuery { filter: filter.to_owned(), ..TraceQuery::default() };
    Ok(session.ask(ListTraces(query))?.total)
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Peak memory of this process, if the system reports it.
fn peak_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

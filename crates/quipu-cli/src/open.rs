//! Opening a file and building its index, with progress where somebody can see it.

use anyhow::Result;
use quipu::Session;
use quipu::store::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Opens the file. A command has all the time its user gives it: no deadline.
pub(crate) fn open(file: &Path) -> Result<Session> {
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    Ok(Session::open_path(file, options)?)
}

/// Opens the file and reads all of it once.
pub(crate) fn open_indexed(file: &Path) -> Result<Session> {
    let mut session = open(file)?;
    index(&mut session)?;
    Ok(session)
}

fn index(session: &mut Session) -> Result<()> {
    let start = Instant::now();
    let visible = std::io::stderr().is_terminal();
    let mut shown = false;
    loop {
        let until = Instant::now() + Duration::from_millis(250);
        let mut progress = session.step(&mut || Instant::now() >= until)?;
        progress.elapsed_ms = start.elapsed().as_secs_f64() * 1e3;
        if progress.done {
            break;
        }
        if visible && start.elapsed() > Duration::from_secs(1) {
            shown = true;
            eprint!("\r\u{1b}[KReading: {}", quipu::view::index_text(&progress));
            let _ = std::io::stderr().flush();
        }
    }
    if shown {
        eprint!("\r\u{1b}[K");
    }
    Ok(())
}

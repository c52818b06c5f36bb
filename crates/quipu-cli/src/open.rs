//! Opening a file, or what a link carries, and building its index, with progress where somebody can see it.

use anyhow::Result;
use quipu::Session;
use quipu::share::payload::{Form, LinkError, inflated, link_data, unseal};
use quipu::store::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

/// Files that hold a link are no longer than this.
const MAX_LINK_FILE: u64 = 16 << 20;

/// Opens the file, or what a link carries. A command has all the time its user gives it: no deadline.
pub(crate) fn open(file: &Path) -> Result<Session> {
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    match link_of(file) {
        Some(link) => open_link(&link, options),
        None => Ok(Session::open_path(file, options)?),
    }
}

/// The link that stands for the file, or in it.
fn link_of(file: &Path) -> Option<String> {
    let said = file.to_str().filter(|said| link_data(said).is_some() && !file.exists());
    said.map(str::to_owned).or_else(|| {
        let is_short = std::fs::metadata(file).is_ok_and(|facts| facts.is_file() && facts.len() <= MAX_LINK_FILE);
        let text = if is_short { std::fs::read(file).ok().filter(|bytes| !bytes.starts_with(b"SQLite format 3"))? } else { return None };
        String::from_utf8(text).ok().filter(|text| link_data(text).is_some())
    })
}

fn open_link(link: &str, options: OpenOptions) -> Result<Session> {
    let (form, body) = unseal(link_data(link).unwrap_or_default())?;
    if form == Form::Encrypted {
        return Err(LinkError::Encrypted.into());
    }
    Ok(Session::open_shared(&inflated(&body)?, options)?)
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

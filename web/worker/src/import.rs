//! Imports files that are not databases: streams them into a database in memory, with progress.
//!
//! Formats are in `quipu::transfer`. An import is cancelled by terminating the worker.

use crate::blob::explain;
use crate::memory;
use crate::messages::{now, post};
use js_sys::Uint8Array;
use quipu::Session;
use quipu::format::files_name;
use quipu::model::number::truncated;
use quipu::protocol::{Failure, Importing, Notification};
use quipu::store::{Layout, OpenOptions, SourceError, StoreError, Writer};
use quipu::transfer::{ImportError, Importer, content};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// Bytes read at a time.
const SLICE: f64 = 2_097_152.0;
/// Bytes read at a time from compressed files, which may expand considerably.
const PACKED_SLICE: f64 = 131_072.0;
/// Milliseconds between progress events.
const NOTE_MS: f64 = 100.0;

/// A running import.
struct Work {
    importer: Importer,
    progress: Importing,
    limit: u64,
    /// Total bytes of the files before the current one.
    before: f64,
    started: f64,
    noted: f64,
}

/// Imports the files, whose first bytes are `heads`, and opens the resulting database.
pub(crate) async fn import(names: Vec<String>, files: Vec<File>, heads: Vec<Vec<u8>>) -> Result<Session, Failure> {
    let limit = memory::room();
    let whole = truncated::<u64>(files.iter().map(|file| file.size()).sum::<f64>());
    let mut work = Work {
        importer: Importer::new(Writer::in_memory_with(Layout::Quipu)?)?.with_limit(limit),
        progress: Importing { bytes_expected: whole, ..Importing::default() },
        limit,
        before: 0.0,
        started: now(),
        noted: 0.0,
    };
    post(&Notification::Importing(work.progress));
    for ((name, file), head) in names.iter().zip(&files).zip(&heads) {
        work.importer.begin(name);
        read(&mut work, name, file, if content(head).is_packed() { PACKED_SLICE } else { SLICE }).await?;
        work.before += file.size();
    }
    let name = files_name(names.iter().map(String::as_str));
    let (mut session, _) = Session::open_imported(work.importer, &name, OpenOptions::with_clock(|| truncated(now())))?;
    session.set_size(whole);
    Ok(session)
}

impl Work {
    /// Imports bytes; `done` is the number of bytes of the file read so far.
    fn push(&mut self, bytes: &[u8], done: f64) -> Result<(), Failure> {
        self.importer.push(bytes)?;
        if memory::is_short() {
            return Err(ImportError::TooMuch(self.limit).into());
        }
        if now() - self.noted >= NOTE_MS {
            self.noted = now();
            self.progress.bytes = truncated(self.before + done);
            self.progress.spans = self.importer.progress().spans;
            self.progress.elapsed_ms = self.noted - self.started;
            post(&Notification::Importing(self.progress));
        }
        Ok(())
    }
}

/// Reads a file in slices; the next one is fetched while the current one is imported.
async fn read(work: &mut Work, name: &str, file: &File, slice: f64) -> Result<(), Failure> {
    let failed = |error| StoreError::Source { name: name.to_owned(), error };
    let ask = |from: f64| {
        let piece = file.slice_with_f64_and_f64(from, (from + slice).min(file.size()));
        piece.map(|piece| JsFuture::from(piece.array_buffer())).map_err(|error| failed(explain(&error)))
    };
    let (mut at, mut coming) = (0.0, ask(0.0)?);
    while at < file.size() {
        let buffer = coming.await.map_err(|error| failed(explain(&error)))?;
        let end = (at + slice).min(file.size());
        coming = ask(end)?;
        let bytes = Uint8Array::new(&buffer).to_vec();
        if bytes.len() as f64 != end - at {
            return Err(failed(SourceError::Changed).into());
        }
        work.push(&bytes, end)?;
        at = end;
    }
    Ok(work.importer.end()?)
}

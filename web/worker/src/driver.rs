//! Drives a session: answers requests as they arrive, and runs steps of the index and then of the search in between.

use crate::blob::{BlobSource, Loaded, explain};
use crate::memory;
use crate::messages::{Channel, now, post};
use crate::prewarm;
use crate::program::program;
use crate::read_ahead::{ReadAhead, Way};
use gloo_timers::future::TimeoutFuture;
use js_sys::Uint8Array;
use quipu::Session;
use quipu::model::is_companion;
use quipu::model::number::truncated;
use quipu::protocol::{
    Failure, FailureKind, FileSummary, GetFile, IndexProgress, Notification, Request, Response, SQL_SECONDS, SearchProgress, SearchState,
    ShareWhat,
};
use quipu::store::{ByteSource, NamedSource, OpenOptions, StoreError};
use quipu::transfer::are_imported;
use std::cell::{Cell, RefCell};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// Duration of a step of the index or a search in milliseconds, after which messages are processed.
const STEP_MS: f64 = 24.0;
/// Milliseconds between progress events.
const NOTE_MS: f64 = 100.0;
/// How long the index waits for the first request, in milliseconds: the user is waiting for its answer.
const FIRST_VIEW_MS: f64 = 400.0;
/// How long the page then has for drawing, in milliseconds: on a small machine, reading ahead would delay it.
const DRAWING_MS: u32 = 60;
/// Smaller files are read without read-ahead, which would not pay off.
const SMALL: u64 = 8 << 20;

struct Open {
    session: Session,
    /// The database; none while the page is prewarmed, and for a database in memory.
    main: Option<File>,
    name: String,
    /// Distinguishes the index job of this file from that of the previous one.
    generation: u32,
    /// Whether the first view was answered.
    asked: bool,
    /// Whether a job is running the search.
    searching: bool,
    /// The texts of the last search, its trace, and its duration in milliseconds.
    searched: (Vec<String>, Option<String>, f64),
}

impl Open {
    /// Adds to the duration of the search, and sets the total in its progress.
    fn note_time(&mut self, progress: &mut SearchProgress, millis: f64) {
        let (texts, trace_id, spent) = &mut self.searched;
        if *texts != progress.texts || *trace_id != progress.trace_id {
            (*texts, *trace_id, *spent) = (progress.texts.clone(), progress.trace_id.clone(), 0.0);
        }
        *spent += millis;
        progress.elapsed_ms = *spent;
    }
}

thread_local! {
    static OPEN: RefCell<Option<Open>> = const { RefCell::new(None) };
    /// Number of files opened so far, including failures.
    static GENERATIONS: Cell<u32> = const { Cell::new(0) };
}

/// Opens files, or imports them, and starts the index. `None` if they are to be imported and this program can't.
pub(crate) async fn open(names: Vec<String>, files: Vec<File>) -> Result<Option<FileSummary>, Failure> {
    OPEN.set(None);
    if files.is_empty() {
        return keep(prewarm::open()?, None).map(Some);
    }
    let mut loaded = Vec::new();
    for file in &files {
        loaded.push(Loaded::ends_of(file).await);
    }
    let heads: Vec<Vec<u8>> = loaded.iter().map(Loaded::head).collect();
    if are_imported(heads.iter().map(Vec::as_slice)) {
        drop(loaded);
        let Some(import) = program().import else { return Ok(None) };
        let summary = keep(import(names, files, heads).await?, None)?;
        wasm_bindgen_futures::spawn_local(index(Vec::new()));
        return Ok(Some(summary));
    }
    let summary = open_loaded(&names, files, &loaded, OpenOptions::with_clock(|| truncated(now())))?;
    wasm_bindgen_futures::spawn_local(index(loaded));
    Ok(Some(summary))
}

/// Opens what a link carries; it is small, and indexed at once.
pub(crate) async fn open_shared(columns: File) -> Result<FileSummary, Failure> {
    OPEN.set(None);
    let buffer = JsFuture::from(columns.array_buffer()).await;
    let buffer = buffer.map_err(|error| StoreError::Source { name: columns.name(), error: explain(&error) })?;
    let columns = Uint8Array::new(&buffer).to_vec();
    let mut session = Session::open_shared(columns, OpenOptions::with_clock(|| truncated(now())))?;
    while !session.step(&mut || false)?.done {}
    keep(session, None)
}

/// The input of the metrics engine as bytes, and the file it is of.
pub(crate) fn metrics_input() -> Result<(FileSummary, Vec<u8>), Failure> {
    with_session(|open| {
        let input = open.session.metrics_input()?.ok_or_else(Failure::not_indexed_yet)?;
        Ok((open.session.ask(GetFile)?, input.to_bytes()))
    })
}

/// A part of the file as the bytes of a database, and the file it is of.
pub(crate) fn copy_part(what: &ShareWhat) -> Result<(FileSummary, Vec<u8>), Failure> {
    with_session(|open| {
        let database = open.session.copy_part(what)?;
        Ok((open.session.ask(GetFile)?, database))
    })
}

/// Opens a database for questions in SQL only, without an index.
pub(crate) fn open_for_sql(names: &[String], files: Vec<File>) -> Result<FileSummary, Failure> {
    OPEN.set(None);
    let options = OpenOptions { deadline_ms: u64::from(SQL_SECONDS) * 1_000, ..OpenOptions::with_clock(|| truncated(now())) };
    open_loaded(names, files, &[], options)
}

/// Answers a request.
pub(crate) fn answer(request: Request) -> Result<Response, Failure> {
    with_session(|open| {
        // Whatever the reader looks at first.
        let is_view = !matches!(request, Request::GetFile(_));
        let answer = (program().answer)(&mut open.session, request);
        open.asked |= is_view;
        let mut response = answer?;
        if let Response::SetSearching(progress) = &mut response
            && let Some(progress) = progress.as_mut()
        {
            open.note_time(progress, 0.0);
        }
        if open.session.has_search() && !open.searching {
            open.searching = true;
            wasm_bindgen_futures::spawn_local(search(open.generation));
        }
        Ok(response)
    })
}

fn with_session<T>(ask: impl FnOnce(&mut Open) -> Result<T, Failure>) -> Result<T, Failure> {
    OPEN.with_borrow_mut(|open| match open {
        Some(open) => ask(open),
        None => Err(Failure { kind: FailureKind::NothingOpen, message: "No file is open. Open a telemetry file first.".into() }),
    })
}

fn open_loaded(names: &[String], files: Vec<File>, loaded: &[Loaded], options: OpenOptions) -> Result<FileSummary, Failure> {
    let mut sources = Vec::new();
    let mut main = None;
    for (at, file) in files.into_iter().enumerate() {
        let name = names.get(at).cloned().unwrap_or_else(|| file.name());
        let ends = loaded.get(at).cloned().unwrap_or_default();
        let source = BlobSource::new(file.clone().into(), ends).map_err(|error| StoreError::Source { name: name.clone(), error })?;
        if !is_companion(&name) {
            main = Some(file);
        }
        sources.push(NamedSource { name, source: Box::new(source) as Box<dyn ByteSource> });
    }
    keep(Session::open(sources, options)?, main)
}

/// From now on questions are answered from this session.
fn keep(mut session: Session, main: Option<File>) -> Result<FileSummary, Failure> {
    let summary = session.ask(GetFile)?;
    let generation = GENERATIONS.get() + 1;
    GENERATIONS.set(generation);
    let name = summary.name.clone();
    OPEN.set(Some(Open { session, main, name, generation, asked: false, searching: false, searched: Default::default() }));
    Ok(summary)
}

/// Runs the index to its end, or until another file is opened. First discards what was read for opening.
async fn index(loaded: Vec<Loaded>) {
    let Some((generation, mut ahead)) = OPEN.with_borrow(|open| {
        let open = open.as_ref()?;
        let cache = open.session.cache().clone();
        let main = open.main.clone().filter(|_| cache.len() > SMALL);
        let ahead = main.map(|main| ReadAhead::new(main.into(), cache, Way::Forward));
        Some((open.generation, ahead))
    }) else {
        return;
    };
    let channel = Channel::new();
    let opened = now();
    while now() - opened < FIRST_VIEW_MS && OPEN.with_borrow(|open| open.as_ref().is_some_and(|open| !open.asked)) {
        TimeoutFuture::new(5).await;
    }
    TimeoutFuture::new(DRAWING_MS).await;
    loaded.iter().for_each(Loaded::forget);
    let started = now();
    let mut noted = started;
    // The first step only determines the size: memory may be short before anything is indexed.
    let mut millis = 0.0;
    loop {
        if let Some(ahead) = &mut ahead
            && let Err(error) = ahead.advance().await
        {
            if let Some(name) = name_of(Some(generation)) {
                post(&Notification::IndexStopped(StoreError::Source { name, error }.into()));
            }
            return;
        }
        let Some(stepped) = step(generation, ahead.as_ref(), millis) else { return };
        millis = STEP_MS;
        let mut progress = match stepped {
            Ok(progress) => progress,
            Err(failure) => return post(&Notification::IndexStopped(failure)),
        };
        if !progress.done && memory::is_short() {
            return post(&Notification::IndexStopped(out_of_memory(&progress)));
        }
        progress.elapsed_ms = now() - started;
        if progress.done || now() - noted >= NOTE_MS {
            noted = now();
            post(&Notification::Progress(progress));
        }
        if progress.done {
            return;
        }
        channel.turn().await;
    }
}

/// A step of the index; `None` if another file was opened.
fn step(generation: u32, ahead: Option<&ReadAhead>, millis: f64) -> Option<Result<IndexProgress, Failure>> {
    OPEN.with_borrow_mut(|open| {
        let open = open.as_mut().filter(|open| open.generation == generation)?;
        let until = now() + millis;
        let filled = ahead.map_or(u64::MAX, ReadAhead::filled);
        let cache = open.session.cache().clone();
        Some(open.session.step(&mut || now() >= until || cache.scan_offset() >= filled))
    })
}

/// Runs the search to its end, until it is cancelled, or until another file is opened.
async fn search(generation: u32) {
    let channel = Channel::new();
    let mut ahead = OPEN.with_borrow(|open| {
        let open = open.as_ref()?;
        let cache = open.session.cache().clone();
        let main = open.main.clone().filter(|_| cache.len() > SMALL)?;
        Some(ReadAhead::new(main.into(), cache, Way::Back))
    });
    let mut noted = now();
    loop {
        // Process waiting messages first: one of them may cancel the search or start another.
        channel.turn().await;
        let started = now();
        if let Some(reading) = &mut ahead
            && reading.advance().await.is_err()
        {
            // The search will get the same error and report it.
            ahead = None;
        }
        let Some((progress, goes_on)) = step_search(generation, ahead.as_ref(), started) else { return };
        let Some(progress) = progress else { return };
        if !goes_on || progress.state != SearchState::Running || now() - noted >= NOTE_MS {
            noted = now();
            post(&Notification::Searching(progress));
        }
        if !goes_on {
            return;
        }
    }
}

/// A step of the search, and whether to continue; `None` if another file was opened.
fn step_search(generation: u32, ahead: Option<&ReadAhead>, started: f64) -> Option<(Option<SearchProgress>, bool)> {
    OPEN.with_borrow_mut(|open| {
        let open = open.as_mut().filter(|open| open.generation == generation)?;
        let until = now() + STEP_MS;
        let filled = ahead.map_or(0, ReadAhead::filled);
        let cache = open.session.cache().clone();
        let mut progress = open.session.search_step(&mut || now() >= until || cache.back_offset() < filled);
        if let Some(progress) = &mut progress {
            open.note_time(progress, now() - started);
        }
        open.searching = open.session.has_search();
        Some((progress, open.searching))
    })
}

/// The name of the open file, if it still has this `generation`.
fn name_of(generation: Option<u32>) -> Option<String> {
    OPEN.with_borrow(|open| {
        let open = open.as_ref().filter(|open| generation.is_none_or(|generation| open.generation == generation))?;
        Some(open.name.clone())
    })
}

fn out_of_memory(progress: &IndexProgress) -> Failure {
    let IndexProgress { spans, spans_expected, .. } = *progress;
    let (spans, expected) = (quipu::format::count(spans), quipu::format::count(spans_expected));
    let name = name_of(None).unwrap_or_default();
    Failure {
        kind: FailureKind::OutOfMemory,
        message: format!(
            "The index of {name} needs more memory than the browser gives a page, so it was stopped at {spans} of about {expected} spans. \
             The newest traces can still be listed. To see the rest, ask the file with the `quipu` command, which has all the computer’s \
             memory, or make the file smaller."
        ),
    }
}

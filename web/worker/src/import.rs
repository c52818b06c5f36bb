//! Files that are no database: streamed through the core's importer into a database in memory, with progress. The browser unpacks gzip.
//!
//! What is not here: what the bytes mean (`quipu::transfer`). An import is cancelled by ending the worker.

use crate::blob::explain;
use crate::memory;
use js_sys::{Array, Function, Object, Promise, Reflect, Uint8Array};
use quipu::Session;
use quipu::protocol::{Event, Failure, FailureKind, Importing};
use quipu::store::{OpenOptions, SourceError, StoreError, Writer};
use quipu::transfer::{Content, ImportError, Importer, content};
use quipu::view::files_name;
use quipu_worker::messages::{now, post};
use std::cell::Cell;
use std::rc::Rc;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::File;

/// Bytes read at a time.
const SLICE: f64 = 2_097_152.0;
/// Milliseconds between two notes of progress.
const NOTE_MS: f64 = 100.0;

/// An import under way.
struct Work {
    importer: Importer,
    progress: Importing,
    limit: u64,
    /// Bytes of the files before the one that is read.
    before: f64,
    started: f64,
    noted: f64,
}

/// Imports the files, whose first bytes are `heads`, and opens what was made of them.
pub(crate) async fn import(names: &[String], files: &[File], heads: &[Vec<u8>]) -> Result<Session, Failure> {
    let limit = memory::room();
    let whole = files.iter().map(|file| file.size()).sum::<f64>() as u64;
    let mut work = Work {
        importer: Importer::new(Writer::in_memory()?)?.with_limit(limit),
        progress: Importing { bytes_expected: whole, ..Importing::default() },
        limit,
        before: 0.0,
        started: now(),
        noted: 0.0,
    };
    post(&Event::Importing(work.progress));
    for ((name, file), head) in names.iter().zip(files).zip(heads) {
        work.importer.begin(name);
        if content(head) == Content::Gzip {
            unpack(&mut work, name, file).await?
        } else {
            read(&mut work, name, file).await?
        }
        work.before += file.size();
    }
    let name = files_name(names.iter().map(String::as_str));
    let (mut session, _) = Session::open_imported(work.importer, &name, OpenOptions::with_clock(|| now() as u64))?;
    session.set_size(whole);
    Ok(session)
}

impl Work {
    /// Takes bytes; `done` are those of the file that were read for them.
    fn push(&mut self, bytes: &[u8], done: f64) -> Result<(), Failure> {
        self.importer.push(bytes)?;
        if memory::is_short() {
            return Err(ImportError::TooMuch(self.limit).into());
        }
        if now() - self.noted >= NOTE_MS {
            self.noted = now();
            self.progress.bytes = (self.before + done) as u64;
            self.progress.spans = self.importer.progress().spans;
            self.progress.elapsed_ms = self.noted - self.started;
            post(&Event::Importing(self.progress));
        }
        Ok(())
    }
}

/// Reads a file slice by slice; the next one is on its way while one is imported.
async fn read(work: &mut Work, name: &str, file: &File) -> Result<(), Failure> {
    let failed = |error| StoreError::Source { name: name.to_owned(), error };
    let ask = |from: f64| {
        let slice = file.slice_with_f64_and_f64(from, (from + SLICE).min(file.size()));
        slice.map(|slice| JsFuture::from(slice.array_buffer())).map_err(|error| failed(explain(&error)))
    };
    let (mut at, mut coming) = (0.0, ask(0.0)?);
    while at < file.size() {
        let buffer = coming.await.map_err(|error| failed(explain(&error)))?;
        let end = (at + SLICE).min(file.size());
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

/// Reads a file through the browser's own stream that unpacks, and another before it that counts what went in.
async fn unpack(work: &mut Work, name: &str, file: &File) -> Result<(), Failure> {
    let taken = Rc::new(Cell::new(0.0));
    let counted = taken.clone();
    let count = Closure::<dyn FnMut(JsValue, JsValue)>::new(move |chunk: JsValue, controller: JsValue| {
        counted.set(counted.get() + get(&chunk, "byteLength").as_f64().unwrap_or(0.0));
        let _ = call(&controller, "enqueue", &[chunk]);
    });
    let reader = unpacking(file, count.as_ref()).map_err(|_| Failure {
        kind: FailureKind::CannotOpen,
        message: format!("{name} is compressed by gzip, which this browser does not unpack; unpack it first."),
    })?;
    loop {
        let piece = match call(&reader, "read", &[]) {
            Ok(promise) => JsFuture::from(Promise::resolve(&promise)).await,
            Err(error) => Err(error),
        };
        let piece = match piece.map_err(|error| explain(&error)) {
            Ok(piece) => piece,
            // What the stream says of bytes it can't unpack.
            Err(SourceError::Other(_)) => return Ok(work.importer.end_damaged()?),
            Err(error) => return Err(StoreError::Source { name: name.to_owned(), error }.into()),
        };
        if get(&piece, "done").is_truthy() {
            return Ok(work.importer.end()?);
        }
        let bytes = Uint8Array::new(&get(&piece, "value")).to_vec();
        if let Err(failure) = work.push(&bytes, taken.get()) {
            // Nothing calls what counts after this.
            if let Ok(promise) = call(&reader, "cancel", &[]) {
                let _ = JsFuture::from(Promise::resolve(&promise)).await;
            }
            return Err(failure);
        }
    }
}

fn unpacking(file: &File, count: &JsValue) -> Result<JsValue, JsValue> {
    let counting = Object::new();
    Reflect::set(&counting, &"transform".into(), count)?;
    let mut stream = call(file, "stream", &[])?;
    for (class, argument) in [("TransformStream", counting.into()), ("DecompressionStream", JsValue::from("gzip"))] {
        let class: Function = get(&js_sys::global(), class).dyn_into()?;
        stream = call(&stream, "pipeThrough", &[Reflect::construct(&class, &Array::of1(&argument))?])?;
    }
    call(&stream, "getReader", &[])
}

fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap_or(JsValue::UNDEFINED)
}

fn call(object: &JsValue, name: &str, arguments: &[JsValue]) -> Result<JsValue, JsValue> {
    let method: Function = get(object, name).dyn_into()?;
    method.apply(object, &arguments.iter().collect())
}

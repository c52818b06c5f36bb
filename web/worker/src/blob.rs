//! A browser `File` or `Blob` as a byte source, read synchronously, which only workers can do.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use quipu::model::number::{narrow, truncated};
use quipu::store::{ByteSource, CHUNK_BYTES, SourceError};
use quipu::transfer::DETECTION_BYTES;
use std::cell::RefCell;
use std::rc::Rc;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileReaderSync};

/// Bytes read from the beginning of a file for opening, and from its end, where the newest rows are.
const HEAD: u64 = 8 * CHUNK_BYTES as u64;
const TAIL: u64 = 24 * CHUNK_BYTES as u64;

/// Parts of a file that were already read: their offsets and bytes.
#[derive(Clone, Default)]
pub(crate) struct Loaded(Rc<RefCell<Vec<(u64, Uint8Array)>>>);

impl Loaded {
    /// Reads the beginning and end of a file, in parallel and asynchronously: ten times as fast as the small reads of SQLite. Errors are
    /// left to later reads.
    pub(crate) async fn ends_of(blob: &Blob) -> Loaded {
        let len = truncated::<u64>(blob.size());
        let tail = (len.saturating_sub(TAIL) / CHUNK_BYTES as u64 * CHUNK_BYTES as u64).max(HEAD);
        let parts = [(0, len.min(HEAD)), (tail, len)].into_iter().filter(|(from, to)| from < to);
        let begun: Vec<(u64, JsFuture)> = parts
            .filter_map(|(from, to)| Some((from, JsFuture::from(blob.slice_with_f64_and_f64(from as f64, to as f64).ok()?.array_buffer()))))
            .collect();
        let loaded = Loaded::default();
        for (from, part) in begun {
            if let Ok(buffer) = part.await {
                loaded.0.borrow_mut().push((from, Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>())));
            }
        }
        loaded
    }

    /// The first bytes of the file, enough to detect its format; empty if they could not be read.
    pub(crate) fn head(&self) -> Vec<u8> {
        let pieces = self.0.borrow();
        let first = pieces.iter().find(|(from, _)| *from == 0);
        first.map_or_else(Vec::new, |(_, piece)| piece.subarray(0, narrow(DETECTION_BYTES).min(piece.length())).to_vec())
    }

    /// Discards the parts, so that later reads return the current content.
    pub(crate) fn forget(&self) {
        self.0.borrow_mut().clear();
    }

    /// The bytes from `offset` to `end`, if a single part contains them.
    fn part(&self, offset: u64, end: u64) -> Option<Uint8Array> {
        let pieces = self.0.borrow();
        let (from, piece) = pieces.iter().find(|(from, piece)| *from <= offset && end <= from + u64::from(piece.length()))?;
        let within = |place: u64| u32::try_from(place - from).ok();
        Some(piece.subarray(within(offset)?, within(end)?))
    }
}

/// Reads a chosen file in place.
pub(crate) struct BlobSource {
    blob: Blob,
    len: u64,
    reader: FileReaderSync,
    loaded: Loaded,
}

impl BlobSource {
    pub(crate) fn new(blob: Blob, loaded: Loaded) -> Result<BlobSource, SourceError> {
        let reader = FileReaderSync::new().map_err(|error| explain(&error))?;
        Ok(BlobSource { len: truncated(blob.size()), blob, reader, loaded })
    }

    fn read(&self, offset: u64, end: u64) -> Result<Uint8Array, SourceError> {
        if let Some(part) = self.loaded.part(offset, end) {
            return Ok(part);
        }
        let slice = self.blob.slice_with_f64_and_f64(offset as f64, end as f64).map_err(|error| explain(&error))?;
        let buffer = self.reader.read_as_array_buffer(&slice).map_err(|error| explain(&error))?;
        Ok(Uint8Array::new(&buffer))
    }
}

impl ByteSource for BlobSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let bytes = self.read(offset, offset + total as u64)?;
        if bytes.length() as usize != total {
            return Err(SourceError::Changed);
        }
        let mut at = 0;
        for part in parts {
            let end = at + narrow(part.len());
            bytes.subarray(at, end).copy_to(part);
            at = end;
        }
        Ok(())
    }
}

/// Describes a browser error: a file that was modified or removed after it was chosen can't be read. Chromium throws a `DOMException`.
/// Firefox returns what it finds, or, if the file became shorter, throws an object with its own error codes.
pub(crate) fn explain(error: &JsValue) -> SourceError {
    let text = |key: &str| Reflect::get(error, &key.into()).ok().and_then(|value| value.as_string()).unwrap_or_default();
    match text("name").as_str() {
        "NotReadableError" | "AbortError" | "NS_ERROR_FAILURE" => SourceError::Changed,
        "NotFoundError" | "NS_ERROR_FILE_NOT_FOUND" => SourceError::Gone,
        "" => SourceError::Other(format!("{error:?}")),
        name => SourceError::Other(format!("{name}: {}", text("message"))),
    }
}

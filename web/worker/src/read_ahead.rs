//! Reads the file ahead of the index, asynchronously and in large slices, into the cache SQLite reads from: several times as fast as
//! synchronous reads, and done while the index works on what came before.

use crate::blob::explain;
use js_sys::{ArrayBuffer, Uint8Array};
use quipu::store::{CHUNK_BYTES, SharedCache, SourceError};
use std::collections::VecDeque;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// Bytes of one slice: 32 chunks.
const SLICE: u64 = 32 * CHUNK_BYTES as u64;
/// Slices on their way at once; together with the cache they stay within its budget.
const IN_FLIGHT: usize = 6;

/// The slices on their way.
pub(crate) struct ReadAhead {
    blob: Blob,
    cache: SharedCache,
    next: u64,
    filled: u64,
    coming: VecDeque<(u64, JsFuture)>,
}

impl ReadAhead {
    pub(crate) fn new(blob: Blob, cache: SharedCache) -> ReadAhead {
        ReadAhead { blob, cache, next: 0, filled: 0, coming: VecDeque::new() }
    }

    /// Up to where the cache was filled, in bytes: an index that gets there should wait for more.
    pub(crate) fn filled(&self) -> u64 {
        if self.next >= self.cache.len() && self.coming.is_empty() { u64::MAX } else { self.filled }
    }

    /// Asks for what comes next, and waits for the slices the index is about to read.
    pub(crate) async fn advance(&mut self) -> Result<(), SourceError> {
        let place = self.cache.scan_offset();
        if place > self.next {
            // The index jumped ahead of us: nothing behind it is wanted.
            self.coming.clear();
            self.next = place / SLICE * SLICE;
        }
        loop {
            while self.coming.len() < IN_FLIGHT && self.next < self.cache.len() {
                let end = (self.next + SLICE).min(self.cache.len());
                let slice = self.blob.slice_with_f64_and_f64(self.next as f64, end as f64).map_err(|error| explain(&error))?;
                self.coming.push_back((self.next, JsFuture::from(slice.array_buffer())));
                self.next = end;
            }
            match self.coming.front() {
                Some((offset, _)) if *offset < self.cache.scan_offset() + SLICE => {}
                _ => return Ok(()),
            }
            let Some((offset, slice)) = self.coming.pop_front() else { return Ok(()) };
            let buffer = slice.await.map_err(|error| explain(&error))?;
            let bytes = Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>());
            let end = offset + u64::from(bytes.length());
            if end != (offset + SLICE).min(self.cache.len()) {
                return Err(SourceError::Changed);
            }
            let mut at = offset;
            while at < end {
                self.cache.fill(at, |chunk| {
                    let start = (at - offset) as u32;
                    bytes.subarray(start, start + chunk.len() as u32).copy_to(chunk);
                });
                at += CHUNK_BYTES as u64;
            }
            self.filled = end;
        }
    }
}

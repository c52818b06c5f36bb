//! Reads the file ahead of the index or the search, asynchronously and in large slices, into the cache that SQLite reads from. Several
//! times faster than synchronous reads, and concurrent with the work.

use crate::blob::explain;
use js_sys::{ArrayBuffer, Uint8Array};
use quipu::model::number::narrow;
use quipu::store::{CHUNK_BYTES, SharedCache, SourceError};
use std::collections::VecDeque;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

/// Bytes per slice: 32 chunks.
const SLICE: u64 = 32 * CHUNK_BYTES as u64;
/// Maximum number of slices being fetched; together with the cache they stay within its budget.
const IN_FLIGHT: usize = 6;
/// How far below its position a search reads next: it moves down by a block, and reads that from its start.
const BLOCK: u64 = 2 * SLICE;

/// The direction of reading.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// Towards the end, for the index.
    Forward,
    /// Towards the beginning, for searches.
    Back,
}

/// The slices being fetched.
pub(crate) struct ReadAhead {
    blob: Blob,
    cache: SharedCache,
    way: Way,
    /// The end (or start) of the slices requested so far.
    next: u64,
    filled: u64,
    /// Start and end of each.
    coming: VecDeque<(u64, u64, JsFuture)>,
    /// The last known position of the work.
    place: u64,
}

impl ReadAhead {
    pub(crate) fn new(blob: Blob, cache: SharedCache, way: Way) -> ReadAhead {
        let start = if way == Way::Forward { 0 } else { cache.back_offset() };
        ReadAhead { blob, cache, way, next: start, filled: start, coming: VecDeque::new(), place: start }
    }

    /// Offset up to (or down to) which the cache is filled. Work that reaches it should wait.
    pub(crate) fn filled(&self) -> u64 {
        match self.way {
            Way::Forward if self.next >= self.cache.len() && self.coming.is_empty() => u64::MAX,
            Way::Back if self.next == 0 && self.coming.is_empty() => 0,
            _ => self.filled,
        }
    }

    /// Requests the next slices, and waits for those that are about to be read.
    pub(crate) async fn advance(&mut self) -> Result<(), SourceError> {
        let place = if self.way == Way::Forward { self.cache.scan_offset() } else { self.cache.back_offset() };
        let is_beyond = if self.way == Way::Forward { place > self.next } else { place < self.next || place > self.place };
        if is_beyond {
            // The work jumped ahead or started again, so pending slices are not needed.
            self.coming.clear();
            self.next = if self.way == Way::Forward { place / SLICE * SLICE } else { place };
            self.filled = self.next;
        }
        self.place = place;
        loop {
            while self.coming.len() < IN_FLIGHT {
                let Some((start, end)) = self.next_slice() else { break };
                let slice = self.blob.slice_with_f64_and_f64(start as f64, end as f64).map_err(|error| explain(&error))?;
                self.coming.push_back((start, end, JsFuture::from(slice.array_buffer())));
                self.next = if self.way == Way::Forward { end } else { start };
            }
            let is_near = |start: u64| match self.way {
                Way::Forward => start < self.cache.scan_offset() + SLICE,
                Way::Back => start + SLICE + BLOCK > place,
            };
            if !self.coming.front().is_some_and(|(start, ..)| is_near(*start)) {
                return Ok(());
            }
            let Some((start, end, slice)) = self.coming.pop_front() else { return Ok(()) };
            let buffer = slice.await.map_err(|error| explain(&error))?;
            let bytes = Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>());
            if start + u64::from(bytes.length()) != end {
                return Err(SourceError::Changed);
            }
            self.keep(start, end, &bytes);
        }
    }

    /// The next slice to request; slices are aligned to their length.
    fn next_slice(&self) -> Option<(u64, u64)> {
        match self.way {
            Way::Forward => (self.next < self.cache.len()).then(|| (self.next, (self.next + SLICE).min(self.cache.len()))),
            Way::Back => (self.next > 0).then(|| ((self.next - 1) / SLICE * SLICE, self.next)),
        }
    }

    /// Slices start and end at chunk borders or at the ends of the file.
    fn keep(&mut self, start: u64, end: u64, bytes: &Uint8Array) {
        let mut at = start;
        while at < end {
            let Ok(from) = u32::try_from(at - start) else { return };
            self.cache.fill(at, |chunk| {
                bytes.subarray(from, from + narrow(chunk.len())).copy_to(chunk);
            });
            at += CHUNK_BYTES as u64;
        }
        self.filled = if self.way == Way::Forward { end } else { start };
    }
}

//! A chunk cache for a [`ByteSource`]. Reads cost time per call rather than per byte, so data is read in large pieces and kept within a
//! budget.
//!
//! Sequential misses double the read-ahead. A driver that can read asynchronously fills in chunks before they are needed. Not here: writes
//! (`overlay`).

use super::source::{ByteSource, SourceError};
use hashbrown::HashMap;
use std::cell::RefCell;
use std::rc::Rc;

/// Size of a chunk in bytes.
pub const CHUNK_BYTES: usize = 128 * 1024;
/// Maximum number of chunks in one synchronous read (4 MiB).
const MAX_AHEAD: usize = 32;
/// Maximum number of cached chunks (64 MiB).
const MAX_CHUNKS: usize = 512;
/// How far a scan may jump ahead without counting as a new scan, in chunks (48 MiB).
const SCAN_JUMP: u64 = 384;
/// [`CHUNK_BYTES`], to calculate with positions.
const CHUNK: u64 = CHUNK_BYTES as u64;
const NONE: u64 = u64::MAX;

struct Slot {
    chunk: u64,
    /// Whether it was used since the eviction hand last passed.
    recent: bool,
    bytes: Box<[u8]>,
}

struct ChunkCache {
    source: Box<dyn ByteSource>,
    len: u64,
    slots: Vec<Slot>,
    by_chunk: HashMap<u64, usize>,
    hand: usize,
    last: usize,
    /// The chunk after the last synchronous read, to detect sequential reads.
    next: u64,
    ahead: usize,
    scanning: bool,
    scan_chunk: u64,
    scanning_back: bool,
    /// The lowest chunk read by a backward scan; past the last chunk before one starts.
    back_chunk: u64,
    bytes_read: u64,
    error: Option<SourceError>,
}

#[expect(
    clippy::indexing_slicing,
    reason = "slots are numbered by `free_slot` and never removed; the bytes of each are a whole chunk, and reads are cut at its end"
)]
impl ChunkCache {
    fn chunks(&self) -> u64 {
        self.len.div_ceil(CHUNK)
    }

    fn chunk_len(&self, chunk: u64) -> usize {
        let start = chunk * CHUNK;
        usize::try_from(self.len.saturating_sub(start)).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES)
    }

    /// Returns a slot to fill: a new one within the budget, otherwise the next one that was not used recently (second chance).
    fn free_slot(&mut self) -> usize {
        if self.slots.len() < MAX_CHUNKS {
            self.slots.push(Slot { chunk: NONE, recent: false, bytes: vec![0; CHUNK_BYTES].into_boxed_slice() });
            return self.slots.len() - 1;
        }
        loop {
            let at = self.hand;
            self.hand = (self.hand + 1) % self.slots.len();
            let slot = &mut self.slots[at];
            // An empty box belongs to the read in progress.
            if slot.bytes.is_empty() {
                continue;
            }
            if std::mem::take(&mut slot.recent) {
                continue;
            }
            self.by_chunk.remove(&slot.chunk);
            slot.chunk = NONE;
            return at;
        }
    }

    fn keep(&mut self, at: usize, chunk: u64, bytes: Box<[u8]>) {
        self.slots[at] = Slot { chunk, recent: true, bytes };
        self.by_chunk.insert(chunk, at);
    }

    /// Reads `chunk` and the read-ahead after it. Returns the slot of `chunk`.
    fn fetch(&mut self, chunk: u64) -> Result<usize, SourceError> {
        let sequential = chunk >= self.next && chunk < self.next.saturating_add(4);
        self.ahead = if sequential { (self.ahead * 2).min(MAX_AHEAD) } else { 1 };
        let mut count = 1;
        while count < self.ahead && chunk + (count as u64) < self.chunks() && !self.by_chunk.contains_key(&(chunk + count as u64)) {
            count += 1;
        }
        self.next = chunk + count as u64;
        let mut taken: Vec<(usize, Box<[u8]>)> = Vec::with_capacity(count);
        for _ in 0..count {
            let at = self.free_slot();
            taken.push((at, std::mem::take(&mut self.slots[at].bytes)));
        }
        let lens: Vec<usize> = (0..count).map(|n| self.chunk_len(chunk + n as u64)).collect();
        let mut parts: Vec<&mut [u8]> = taken.iter_mut().zip(&lens).map(|((_, bytes), len)| &mut bytes[..*len]).collect();
        let outcome = self.source.read_into(chunk * CHUNK, &mut parts);
        self.bytes_read += lens.iter().map(|len| *len as u64).sum::<u64>();
        let first = taken.first().map_or(0, |(at, _)| *at);
        for (n, (at, bytes)) in taken.into_iter().enumerate() {
            if outcome.is_ok() {
                self.keep(at, chunk + n as u64, bytes);
            } else {
                self.slots[at].bytes = bytes;
            }
        }
        outcome.map(|()| first)
    }

    fn slot_of(&mut self, chunk: u64) -> Result<usize, SourceError> {
        if self.slots.get(self.last).is_some_and(|slot| slot.chunk == chunk) {
            return Ok(self.last);
        }
        if self.scanning && chunk > self.scan_chunk && chunk - self.scan_chunk < SCAN_JUMP {
            self.scan_chunk = chunk;
        }
        if self.scanning_back {
            let from = self.back_chunk.min(self.chunks());
            if chunk < from && from - chunk < SCAN_JUMP {
                self.back_chunk = chunk;
            }
        }
        let at = match self.by_chunk.get(&chunk) {
            Some(at) => {
                self.slots[*at].recent = true;
                *at
            }
            None => self.fetch(chunk)?,
        };
        self.last = at;
        Ok(at)
    }

    fn read(&mut self, buf: &mut [u8], offset: u64) -> Result<usize, SourceError> {
        let wanted = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let mut done = 0;
        while done < wanted {
            let at = offset + done as u64;
            let within = (at % CHUNK) as usize;
            let len = (wanted - done).min(CHUNK_BYTES - within);
            let slot = self.slot_of(at / CHUNK)?;
            buf[done..done + len].copy_from_slice(&self.slots[slot].bytes[within..within + len]);
            done += len;
        }
        Ok(wanted)
    }
}

/// The cache of one file, shared by SQLite's file handles and the driver that fills it ahead of a scan.
#[derive(Clone)]
pub struct SharedCache(Rc<RefCell<ChunkCache>>);

impl SharedCache {
    /// Creates an empty cache over `source`.
    pub fn new(source: Box<dyn ByteSource>) -> SharedCache {
        let len = source.len();
        SharedCache(Rc::new(RefCell::new(ChunkCache {
            source,
            len,
            slots: Vec::new(),
            by_chunk: HashMap::new(),
            hand: 0,
            last: usize::MAX,
            next: NONE,
            ahead: 1,
            scanning: false,
            scan_chunk: 0,
            scanning_back: false,
            back_chunk: NONE,
            bytes_read: 0,
            error: None,
        })))
    }

    /// Length of the file in bytes.
    pub fn len(&self) -> u64 {
        self.0.borrow().len
    }

    /// Whether the file is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads at `offset`. Returns fewer bytes than `buf` holds only at the end of the file.
    ///
    /// # Errors
    /// Errors of the source. The first one is also kept for [`SharedCache::take_error`].
    pub fn read(&self, buf: &mut [u8], offset: u64) -> Result<usize, SourceError> {
        let mut cache = self.0.borrow_mut();
        cache.read(buf, offset).inspect_err(|error| {
            cache.error.get_or_insert_with(|| error.clone());
        })
    }

    /// Takes the first error of the source since the last call, because SQLite reports it as an I/O error without details.
    pub fn take_error(&self) -> Option<SourceError> {
        self.0.borrow_mut().error.take()
    }

    /// Sets whether the following reads belong to a full scan, whose position is [`SharedCache::scan_offset`].
    pub fn set_scanning(&self, scanning: bool) {
        self.0.borrow_mut().scanning = scanning;
    }

    /// Position of the scan, in bytes.
    pub fn scan_offset(&self) -> u64 {
        let cache = self.0.borrow();
        ((cache.scan_chunk + 1) * CHUNK).min(cache.len)
    }

    /// Marks the following reads as part of a backward scan that has reached this offset, or of none. [`SharedCache::back_offset`] is its
    /// current position.
    pub fn set_scanning_back(&self, from: Option<u64>) {
        let mut cache = self.0.borrow_mut();
        cache.scanning_back = from.is_some();
        if let Some(offset) = from {
            cache.back_chunk = offset / CHUNK;
        }
    }

    /// Position of the backward scan, in bytes: most of its next reads are before it.
    pub fn back_offset(&self) -> u64 {
        let cache = self.0.borrow();
        (cache.back_chunk.min(cache.chunks()) * CHUNK).min(cache.len)
    }

    /// Whether the chunk starting at `offset` is cached.
    pub fn holds(&self, offset: u64) -> bool {
        self.0.borrow().by_chunk.contains_key(&(offset / CHUNK))
    }

    /// Adds the chunk starting at `offset`, unless it is cached. `copy` fills the buffer, which is shorter for the last chunk.
    pub fn fill(&self, offset: u64, copy: impl FnOnce(&mut [u8])) {
        let mut cache = self.0.borrow_mut();
        let chunk = offset / CHUNK;
        if chunk >= cache.chunks() || cache.by_chunk.contains_key(&chunk) {
            return;
        }
        let at = cache.free_slot();
        let len = cache.chunk_len(chunk);
        let Some(mut bytes) = cache.slots.get_mut(at).map(|slot| std::mem::take(&mut slot.bytes)) else { return };
        copy(bytes.get_mut(..len).unwrap_or_default());
        cache.bytes_read += len as u64;
        cache.keep(at, chunk, bytes);
    }

    /// Whether the source still starts with `head`, reading it again.
    ///
    /// # Errors
    /// Errors of the source.
    pub fn starts_with_head(&self, head: &[u8]) -> Result<bool, SourceError> {
        let mut now = vec![0; head.len()];
        self.0.borrow().source.read_into(0, &mut [&mut now])?;
        Ok(now == head)
    }

    /// Total bytes read from the source.
    pub fn bytes_read(&self) -> u64 {
        self.0.borrow().bytes_read
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use crate::MemorySource;

    fn pattern(len: usize) -> Vec<u8> {
        (0..len).map(|at| (at / 251 + at) as u8).collect()
    }

    #[test]
    fn reads_equal_the_source_across_chunks_and_past_the_budget() {
        let bytes = pattern((MAX_CHUNKS + 40) * CHUNK_BYTES + 777);
        let cache = SharedCache::new(Box::new(MemorySource(bytes.clone())));
        for round in 0..3_u64 {
            let mut offset = round * 1000;
            while offset < bytes.len() as u64 {
                let mut buf = vec![0; 5000];
                let got = cache.read(&mut buf, offset).expect("memory reads");
                let at = offset as usize;
                assert_eq!(&buf[..got], &bytes[at..(at + 5000).min(bytes.len())]);
                offset += 300_007;
            }
        }
        assert!(cache.0.borrow().slots.len() <= MAX_CHUNKS);
        let mut buf = [0; 8];
        assert_eq!(cache.read(&mut buf, bytes.len() as u64 - 3), Ok(3));
        assert_eq!(cache.read(&mut buf, bytes.len() as u64 + 3), Ok(0));
    }

    #[test]
    fn a_filled_chunk_is_not_reread() {
        let cache = SharedCache::new(Box::new(MemorySource(vec![1; 3 * CHUNK_BYTES])));
        cache.fill(CHUNK, |buf| buf.fill(7));
        let mut buf = [0; 4];
        cache.read(&mut buf, CHUNK + 9).expect("memory reads");
        assert_eq!(buf, [7; 4]);
        assert_eq!(cache.bytes_read(), CHUNK);
    }
}

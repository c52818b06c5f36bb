//! A file as SQLite sees it: the user's bytes, which never change, below an in-memory layer for SQLite's writes (rolling back a hot
//! journal, recovering a WAL).

use super::cache::SharedCache;
use super::source::SourceError;
use hashbrown::HashMap;

const BLOCK_BYTES: usize = 4096;
/// [`BLOCK_BYTES`], to calculate with positions.
const BLOCK: u64 = BLOCK_BYTES as u64;

/// A file with its layer of changes.
pub(super) struct OverlayFile {
    /// The user's bytes; `None` for a file created by SQLite.
    base: Option<SharedCache>,
    /// How much of the base is visible. Truncation reduces it for good.
    base_len: u64,
    len: u64,
    blocks: HashMap<u64, Box<[u8]>>,
}

#[expect(
    clippy::indexing_slicing,
    reason = "a place within a block is a remainder of its length, and every length is cut to what is left of the block and of the buffer"
)]
impl OverlayFile {
    pub(super) fn over(base: SharedCache) -> OverlayFile {
        let len = base.len();
        OverlayFile { base: Some(base), base_len: len, len, blocks: HashMap::new() }
    }

    pub(super) fn empty() -> OverlayFile {
        OverlayFile { base: None, base_len: 0, len: 0, blocks: HashMap::new() }
    }

    pub(super) fn len(&self) -> u64 {
        self.len
    }

    pub(super) fn read(&self, buf: &mut [u8], offset: u64) -> Result<usize, SourceError> {
        let wanted = usize::try_from(self.len.saturating_sub(offset)).unwrap_or(usize::MAX).min(buf.len());
        let buf = &mut buf[..wanted];
        let from_base = usize::try_from(self.base_len.saturating_sub(offset)).unwrap_or(usize::MAX).min(wanted);
        if let Some(base) = &self.base {
            base.read(&mut buf[..from_base], offset)?;
        }
        buf[from_base..].fill(0);
        if !self.blocks.is_empty() {
            let mut done = 0;
            while done < wanted {
                let at = offset + done as u64;
                let within = (at % BLOCK) as usize;
                let len = (wanted - done).min(BLOCK_BYTES - within);
                if let Some(block) = self.blocks.get(&(at / BLOCK)) {
                    buf[done..done + len].copy_from_slice(&block[within..within + len]);
                }
                done += len;
            }
        }
        Ok(wanted)
    }

    pub(super) fn write(&mut self, buf: &[u8], offset: u64) -> Result<(), SourceError> {
        let mut done = 0;
        while done < buf.len() {
            let at = offset + done as u64;
            let number = at / BLOCK;
            let within = (at % BLOCK) as usize;
            let len = (buf.len() - done).min(BLOCK_BYTES - within);
            if !self.blocks.contains_key(&number) {
                let mut fresh = vec![0; BLOCK_BYTES].into_boxed_slice();
                self.read(&mut fresh, number * BLOCK)?;
                self.blocks.insert(number, fresh);
            }
            if let Some(block) = self.blocks.get_mut(&number) {
                block[within..within + len].copy_from_slice(&buf[done..done + len]);
            }
            done += len;
        }
        self.len = self.len.max(offset + buf.len() as u64);
        Ok(())
    }

    pub(super) fn truncate(&mut self, len: u64) {
        self.len = self.len.min(len);
        self.base_len = self.base_len.min(len);
        self.blocks.retain(|number, _| number * BLOCK < len);
        if let Some(block) = self.blocks.get_mut(&(len / BLOCK)) {
            block[(len % BLOCK) as usize..].fill(0);
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use crate::MemorySource;

    #[test]
    fn writes_and_truncations_behave_like_a_file_and_leave_the_base_alone() {
        let base: Vec<u8> = (0..20_000_u32).map(|at| at as u8).collect();
        let mut model = base.clone();
        let mut file = OverlayFile::over(SharedCache::new(Box::new(MemorySource(base))));
        let mut seed = 1_u64;
        for step in 0..400 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let offset = (seed >> 33) % 24_000;
            if step % 17 == 16 {
                file.truncate(offset);
                model.truncate(offset as usize);
            } else {
                let bytes = vec![step as u8; (seed >> 50) as usize % 6000 + 1];
                file.write(&bytes, offset).expect("memory writes");
                let end = offset as usize + bytes.len();
                model.resize(model.len().max(end), 0);
                model[offset as usize..end].copy_from_slice(&bytes);
            }
            let mut all = vec![9; 40_000];
            let got = file.read(&mut all, 0).expect("memory reads");
            assert_eq!(&all[..got], &model[..]);
        }
    }
}

//! Zstandard decompression (RFC 8878), block by block: a block has at most 128 KiB, whatever it was compressed to.

use super::{CUT_OFF, DAMAGED, Inside, Layer, Sink};
use crate::transfer::import::ImportError;
use ruzstd::decoding::FrameDecoder;

/// Bytes that later blocks may refer back to, at most; `zstd --long` needs twice as much.
const MAX_WINDOW: u64 = 64 << 20;

/// What the next bytes are.
enum At {
    /// The header of a frame.
    Header,
    /// A block, at first its header; whether a checksum follows the last one.
    Block(bool),
    /// Bytes of a frame that is skipped.
    Skipped(u32),
}

pub(super) struct Unpacker {
    at: At,
    /// Bytes of the header or block that are there.
    held: Vec<u8>,
    decoder: FrameDecoder,
}

impl Default for Unpacker {
    fn default() -> Unpacker {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW);
        Unpacker { at: At::Header, held: Vec::new(), decoder }
    }
}

impl Layer for Unpacker {
    fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        loop {
            if let At::Skipped(left) = &mut self.at {
                let count = bytes.len().min(*left as usize);
                bytes = bytes.get(count..).unwrap_or_default();
                *left = left.saturating_sub(quipu_model::number::narrow(count));
                if *left > 0 {
                    return Ok(None);
                }
                self.at = At::Header;
            }
            let wanted = match &self.at {
                At::Block(has_checksum) => block_length(&self.held, *has_checksum),
                _ => header_length(&self.held),
            };
            let Some(wanted) = wanted else { return Ok(Some(DAMAGED.into())) };
            if self.held.len() < wanted {
                if bytes.is_empty() {
                    return Ok(None);
                }
                let (now, rest) = bytes.split_at(bytes.len().min(wanted - self.held.len()));
                self.held.extend_from_slice(now);
                bytes = rest;
                continue;
            }
            if let Some(what) = self.take(sink)? {
                return Ok(Some(what.to_owned()));
            }
            self.held.clear();
        }
    }

    fn finish(&mut self, _: Sink<'_>) -> Result<Option<String>, ImportError> {
        let whole = self.held.is_empty() && matches!(self.at, At::Header);
        Ok((!whole).then(|| CUT_OFF.into()))
    }
}

impl Unpacker {
    /// Takes a complete header or block.
    fn take(&mut self, sink: Sink<'_>) -> Result<Option<&'static str>, ImportError> {
        let At::Block(_) = self.at else {
            if let Some(length) = skipped(&self.held) {
                self.at = At::Skipped(length);
                return Ok(None);
            }
            return Ok(match self.decoder.reset(self.held.as_slice()) {
                Ok(()) => {
                    self.at = At::Block(self.held.get(4).is_some_and(|flags| flags & 4 != 0));
                    None
                }
                Err(ruzstd::decoding::errors::FrameDecoderError::WindowSizeTooBig { .. }) => {
                    Some("it refers back by more than 64 MiB; unpack it first (`zstd -d --long=31`)")
                }
                Err(ruzstd::decoding::errors::FrameDecoderError::DictNotProvided { .. }) => {
                    Some("it was compressed with a dictionary; unpack it first")
                }
                Err(_) => Some(DAMAGED),
            });
        };
        if self.decoder.decode_from_to(&self.held, &mut []).is_err() {
            return Ok(Some(DAMAGED));
        }
        if let Some(unpacked) = self.decoder.collect() {
            for chunk in unpacked.chunks(256 << 10) {
                sink(Inside::Bytes(chunk))?;
            }
        }
        if self.held.first().is_some_and(|first| first & 1 == 1) {
            let said = self.decoder.get_checksum_from_data();
            if said.is_some() && said != self.decoder.get_calculated_checksum() {
                return Ok(Some(DAMAGED));
            }
            self.at = At::Header;
        }
        Ok(None)
    }
}

/// Length of the data of a frame that is to be skipped, which starts with these eight bytes.
fn skipped(held: &[u8]) -> Option<u32> {
    match held {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d] => Some(u32::from_le_bytes([*a, *b, *c, *d])),
        _ => None,
    }
}

/// Length of a frame's header as far as its first bytes tell; `None` if it is none.
fn header_length(held: &[u8]) -> Option<usize> {
    let Some((magic, rest)) = held.split_first_chunk::<4>() else { return Some(4) };
    match magic {
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Some(8),
        [0x28, 0xb5, 0x2f, 0xfd] => {
            let Some(flags) = rest.first() else { return Some(5) };
            let is_single = flags & 0x20 != 0;
            let dictionary = [0, 1, 2, 4].get(usize::from(flags & 3))?;
            let size = [usize::from(is_single), 2, 4, 8];
            Some(5 + usize::from(!is_single) + dictionary + size.get(usize::from(flags >> 6))?)
        }
        _ => None,
    }
}

/// Length of a block with its header, and of the checksum after the last one.
fn block_length(held: &[u8], has_checksum: bool) -> Option<usize> {
    let Some([a, b, c]) = held.first_chunk::<3>() else { return Some(3) };
    let header = u32::from_le_bytes([*a, *b, *c, 0]);
    let size = (header >> 3) as usize;
    let content = match header >> 1 & 3 {
        1 => 1,
        0 | 2 if size <= 128 << 10 => size,
        _ => return None,
    };
    Some(3 + content + if header & 1 == 1 && has_checksum { 4 } else { 0 })
}

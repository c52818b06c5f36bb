//! Gzip decompression (RFC 1952). Supports concatenated members, of which the browser's own stream decompresses only the first.

use super::{CUT_OFF, DAMAGED, Inside, Layer, Sink};
use crate::transfer::import::ImportError;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use quipu_model::encoding::Crc32;
use quipu_model::number::narrow;

/// Decompressed bytes are passed on in chunks of this size, which bounds memory use whatever the compression ratio.
const CHUNK_BYTES: usize = 256 << 10;

enum At {
    /// In the header of a member; the bytes seen so far.
    Header(Vec<u8>),
    /// In the compressed data.
    Body(Box<InflateState>),
    /// In the checksum and length after the data.
    Trailer(Vec<u8>),
}

/// A streaming decompressor.
pub(super) struct Unpacker {
    at: At,
    out: Vec<u8>,
    checksum: Crc32,
    length: u32,
    /// A member has ended; another one may follow, or zeros that pad the last block.
    ended: bool,
}

impl Default for Unpacker {
    fn default() -> Unpacker {
        Unpacker { at: At::Header(Vec::new()), out: vec![0; CHUNK_BYTES], checksum: Crc32::new(), length: 0, ended: false }
    }
}

impl Layer for Unpacker {
    fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        loop {
            match &mut self.at {
                // Output may be pending after all input was consumed.
                At::Body(state) => {
                    let result = inflate(state, bytes, &mut self.out, MZFlush::None);
                    bytes = bytes.get(result.bytes_consumed..).unwrap_or_default();
                    let unpacked = self.out.get(..result.bytes_written).unwrap_or_default();
                    self.checksum.update(unpacked);
                    self.length = self.length.wrapping_add(narrow(unpacked.len()));
                    // Pending output can be produced without consuming input.
                    let goes_on = !unpacked.is_empty() || result.bytes_consumed > 0;
                    if !unpacked.is_empty() {
                        sink(Inside::Bytes(unpacked))?;
                    }
                    match result.status {
                        Ok(MZStatus::StreamEnd) => self.at = At::Trailer(Vec::new()),
                        Ok(_) | Err(MZError::Buf) if goes_on => {}
                        Ok(_) | Err(MZError::Buf) if bytes.is_empty() => return Ok(None),
                        _ => return Ok(Some(DAMAGED.into())),
                    }
                }
                _ if bytes.is_empty() => return Ok(None),
                At::Header(seen) => {
                    // A header has a few bytes, or a few hundred with a file name: checking it again after each byte is cheap.
                    let (byte, rest) = bytes.split_at(1);
                    bytes = rest;
                    if self.ended && seen.is_empty() && byte == [0] {
                        continue;
                    }
                    seen.extend_from_slice(byte);
                    match header_ends(seen) {
                        None => return Ok(Some(DAMAGED.into())),
                        Some(true) => {
                            self.at = At::Body(InflateState::new_boxed(DataFormat::Raw));
                            self.checksum.reset();
                            self.length = 0;
                        }
                        Some(false) => {}
                    }
                }
                At::Trailer(seen) => {
                    let (now, rest) = bytes.split_at(bytes.len().min(8 - seen.len()));
                    seen.extend_from_slice(now);
                    bytes = rest;
                    if let Ok([a, b, c, d, e, f, g, h]) = <[u8; 8]>::try_from(seen.as_slice()) {
                        if u32::from_le_bytes([a, b, c, d]) != self.checksum.sum() || u32::from_le_bytes([e, f, g, h]) != self.length {
                            return Ok(Some(DAMAGED.into()));
                        }
                        (self.at, self.ended) = (At::Header(Vec::new()), true);
                    }
                }
            }
        }
    }

    fn finish(&mut self, _: Sink<'_>) -> Result<Option<String>, ImportError> {
        let whole = self.ended && matches!(&self.at, At::Header(seen) if seen.is_empty());
        Ok((!whole).then(|| CUT_OFF.into()))
    }
}

/// Whether the header is complete; `None` if it is not a gzip header.
fn header_ends(seen: &[u8]) -> Option<bool> {
    const START: [u8; 3] = [0x1f, 0x8b, 8];
    if !seen.iter().zip(START).all(|(byte, expected)| *byte == expected) {
        return None;
    }
    let Some(flags) = seen.get(3).filter(|_| seen.len() >= 10) else { return Some(false) };
    let mut at = 10;
    if flags & 4 != 0 {
        let Some(length) = seen.get(at..at + 2) else { return Some(false) };
        at += 2 + length.iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            let Some(end) = seen.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0)) else { return Some(false) };
            at += end + 1;
        }
    }
    if flags & 2 != 0 {
        at += 2;
    }
    // Longer than a file name on any file system.
    if seen.len() > 200_000 { None } else { Some(seen.len() >= at) }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;

    fn packed(bytes: &[u8], name: &str) -> Vec<u8> {
        let mut out = vec![0x1f, 0x8b, 8, if name.is_empty() { 0 } else { 8 }, 0, 0, 0, 0, 0, 255];
        if !name.is_empty() {
            out.extend_from_slice(name.as_bytes());
            out.push(0);
        }
        out.extend_from_slice(&miniz_oxide::deflate::compress_to_vec(bytes, 6));
        let checksum = !bytes.iter().fold(!0_u32, |sum, byte| {
            (0..8).fold(sum ^ u32::from(*byte), |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 })
        });
        out.extend_from_slice(&checksum.to_le_bytes());
        out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
        out
    }

    fn unpack(bytes: &[u8], chunk: usize) -> (Vec<u8>, Option<String>) {
        let (mut unpacker, mut out) = (Unpacker::default(), Vec::new());
        let mut take = |inside: Inside<'_>| {
            if let Inside::Bytes(bytes) = inside {
                out.extend_from_slice(bytes);
            }
            Ok(())
        };
        for chunk in bytes.chunks(chunk) {
            let failed = unpacker.push(chunk, &mut take).expect("no failure");
            if failed.is_some() {
                return (out, failed);
            }
        }
        let failed = unpacker.finish(&mut take).expect("no failure");
        (out, failed)
    }

    #[test]
    fn members_in_chunks_of_any_length_are_decompressed() {
        let text: Vec<u8> = (0..700_000_u32).map(|at| (at / 7) as u8).collect();
        let zeros = vec![0; 1_000_000];
        // Lines with an ordinary compression ratio, like recorded ones.
        let mut number = 1_u32;
        let lines = (0..60_000).map(|_| {
            number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            format!("{{\"spanId\": \"{number:08x}\", \"name\": \"chat {}\"}}\n", number >> 29)
        });
        let lines = lines.collect::<String>().into_bytes();
        let two = [packed(&text, "a name"), packed(&lines, ""), packed(&zeros, ""), vec![0; 100]].concat();
        let expected = [text, lines, zeros].concat();
        for chunk in [1, 13, 4_096, 131_072, 1 << 20, 10_000_000] {
            let (out, failed) = unpack(&two, chunk);
            assert_eq!(failed, None, "{chunk}");
            assert!(out == expected, "{chunk}");
        }
    }

    #[test]
    fn damage_and_truncation_are_reported() {
        let whole = packed(&vec![7; 5_000], "n");
        for length in 0..whole.len() {
            assert_eq!(unpack(&whole[..length], 5).1.as_deref(), Some("it ends in the middle; it was cut off"), "{length}");
        }
        for at in (0..3).chain(12..whole.len()) {
            let mut broken = whole.clone();
            broken[at] ^= 0x10;
            assert!(unpack(&broken, 64).1.is_some(), "{at}");
        }
    }
}

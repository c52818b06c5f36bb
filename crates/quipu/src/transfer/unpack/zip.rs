//! Zip archives, read from front to back by the headers before their files: the list at the end can't be read from a stream.

use super::{CUT_OFF, DAMAGED, Inside, Layer, MAX_FILES, Sink, TOO_MANY, is_wanted};
use crate::transfer::import::ImportError;
use miniz_oxide::inflate::stream::{InflateState, inflate};
use miniz_oxide::{DataFormat, MZError, MZFlush, MZStatus};
use quipu_model::encoding::Crc32;

const CHUNK_BYTES: usize = 256 << 10;
const HEADER: usize = 30;

enum At {
    /// Bytes of a header that are there.
    Header(Vec<u8>),
    /// Bytes as they are, and how many are left.
    Stored(u64),
    Deflated(Box<InflateState>),
    /// Bytes of the sizes after a file.
    Sizes(Vec<u8>),
    /// After the last file.
    End,
}

pub(super) struct Archive {
    at: At,
    out: Vec<u8>,
    files: usize,
    /// The file is passed on.
    is_open: bool,
    /// Its checksum, as counted and as told before it. Those told after it are not read into this.
    checksum: Crc32,
    told: u32,
    has_sizes: bool,
    /// Sizes after the file take eight bytes each.
    is_large: bool,
}

impl Default for Archive {
    fn default() -> Archive {
        Archive {
            at: At::Header(Vec::new()),
            out: vec![0; CHUNK_BYTES],
            files: 0,
            is_open: false,
            checksum: Crc32::new(),
            told: 0,
            has_sizes: false,
            is_large: false,
        }
    }
}

impl Layer for Archive {
    fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        loop {
            match &mut self.at {
                At::End => return Ok(None),
                At::Deflated(state) => {
                    let result = inflate(state, bytes, &mut self.out, MZFlush::None);
                    bytes = bytes.get(result.bytes_consumed..).unwrap_or_default();
                    let unpacked = self.out.get(..result.bytes_written).unwrap_or_default();
                    self.checksum.update(unpacked);
                    if self.is_open && !unpacked.is_empty() {
                        sink(Inside::Bytes(unpacked))?;
                    }
                    let goes_on = !unpacked.is_empty() || result.bytes_consumed > 0;
                    match result.status {
                        Ok(MZStatus::StreamEnd) => {
                            if let Some(what) = self.close(sink)? {
                                return Ok(Some(what.into()));
                            }
                        }
                        Ok(_) | Err(MZError::Buf) if goes_on => {}
                        Ok(_) | Err(MZError::Buf) if bytes.is_empty() => return Ok(None),
                        _ => return Ok(Some(DAMAGED.into())),
                    }
                }
                At::Stored(0) => {
                    if let Some(what) = self.close(sink)? {
                        return Ok(Some(what.into()));
                    }
                }
                At::Stored(_) if bytes.is_empty() => return Ok(None),
                At::Stored(left) => {
                    let (now, rest) = bytes.split_at(bytes.len().min(usize::try_from(*left).unwrap_or(usize::MAX)));
                    (*left, bytes) = (*left - now.len() as u64, rest);
                    self.checksum.update(now);
                    if self.is_open {
                        sink(Inside::Bytes(now))?;
                    }
                }
                At::Sizes(seen) => {
                    // The signature before the checksum may be missing.
                    let signed = seen.iter().zip(b"PK\x07\x08").all(|(byte, expected)| byte == expected);
                    let wanted = if signed { 16 } else { 12 } + if self.is_large { 8 } else { 0 };
                    if seen.len() < wanted {
                        let Some((byte, rest)) = bytes.split_first() else { return Ok(None) };
                        seen.push(*byte);
                        bytes = rest;
                    } else {
                        self.at = At::Header(Vec::new());
                    }
                }
                At::Header(seen) => {
                    let Some(wanted) = header_length(seen) else { return Ok(Some(DAMAGED.into())) };
                    if seen.len() < wanted {
                        if bytes.is_empty() {
                            return Ok(None);
                        }
                        let (now, rest) = bytes.split_at(bytes.len().min(wanted - seen.len()));
                        seen.extend_from_slice(now);
                        bytes = rest;
                        continue;
                    }
                    let seen = std::mem::take(seen);
                    if let Some(what) = self.begin(&seen, sink)? {
                        return Ok(Some(what.into()));
                    }
                }
            }
        }
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        let whole = matches!(self.at, At::End);
        if std::mem::take(&mut self.is_open) {
            sink(Inside::End)?;
        }
        Ok((!whole).then(|| CUT_OFF.into()))
    }
}

impl Archive {
    fn begin(&mut self, header: &[u8], sink: Sink<'_>) -> Result<Option<&'static str>, ImportError> {
        if !header.starts_with(b"PK\x03\x04") {
            // The list of all files, of which the headers told the same.
            self.at = At::End;
            return Ok(None);
        }
        let short = |at: usize| header.get(at..)?.first_chunk().map(|bytes| usize::from(u16::from_le_bytes(*bytes)));
        let long = |at: usize| header.get(at..)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes));
        let (Some(flags), Some(method), Some(told), Some(packed), Some(name_length)) = (short(6), short(8), long(14), long(18), short(26))
        else {
            return Ok(Some(DAMAGED));
        };
        let name = String::from_utf8_lossy(header.get(HEADER..HEADER + name_length).unwrap_or_default()).into_owned();
        let large = large_size(header.get(HEADER + name_length..).unwrap_or_default());
        let packed = if packed == u32::MAX { large.unwrap_or(u64::from(packed)) } else { u64::from(packed) };
        (self.has_sizes, self.is_large, self.told) = (flags & 8 != 0, large.is_some(), told);
        self.checksum.reset();
        self.files += 1;
        if self.files > MAX_FILES {
            self.at = At::End;
            return Ok(Some(TOO_MANY));
        }
        if flags & 1 != 0 {
            return Ok(Some("its files are encrypted; unpack it first"));
        }
        let is_known = matches!(method, 0 | 8);
        self.at = match method {
            8 => At::Deflated(InflateState::new_boxed(DataFormat::Raw)),
            // Only a compressed file tells where it ends.
            _ if self.has_sizes && packed == 0 => return Ok(Some("its files are packed in a way that can't be read; unpack it first")),
            _ => At::Stored(packed),
        };
        if !is_known {
            self.has_sizes = false;
            sink(Inside::Skipped(&name, "it is packed in a way that can't be read; unpack it first"))?;
            // What is packed otherwise has no checksum that can be compared.
            self.told = 0;
        } else if is_wanted(&name) {
            self.is_open = true;
            sink(Inside::Begin(&name))?;
        }
        Ok(None)
    }

    fn close(&mut self, sink: Sink<'_>) -> Result<Option<&'static str>, ImportError> {
        if std::mem::take(&mut self.is_open) {
            sink(Inside::End)?;
            if !self.has_sizes && self.told != self.checksum.sum() {
                return Ok(Some(DAMAGED));
            }
        }
        self.at = if self.has_sizes { At::Sizes(Vec::new()) } else { At::Header(Vec::new()) };
        Ok(None)
    }
}

/// Length of a header as far as its first bytes tell; `None` if it is none. The list at the end counts as four bytes.
fn header_length(seen: &[u8]) -> Option<usize> {
    let Some(start) = seen.first_chunk::<4>() else { return Some(4) };
    match start {
        b"PK\x03\x04" => {
            let Some([a, b, c, d]) = seen.get(26..HEADER).and_then(|lengths| lengths.first_chunk::<4>()) else { return Some(HEADER) };
            Some(HEADER + usize::from(u16::from_le_bytes([*a, *b])) + usize::from(u16::from_le_bytes([*c, *d])))
        }
        [b'P', b'K', ..] => Some(4),
        _ => None,
    }
}

/// The packed size in the extra field of large files.
fn large_size(mut extra: &[u8]) -> Option<u64> {
    while let Some(([a, b, c, d], rest)) = extra.split_first_chunk::<4>() {
        let length = usize::from(u16::from_le_bytes([*c, *d]));
        if (*a, *b) == (1, 0) {
            return Some(rest.get(8..16).and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u64::from_le_bytes(*bytes)));
        }
        extra = rest.get(length..).unwrap_or_default();
    }
    None
}

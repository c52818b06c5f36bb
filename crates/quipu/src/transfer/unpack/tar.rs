//! Tar archives (POSIX `ustar`, and GNU's): headers of 512 bytes, each with the bytes of its file after it.

use super::{CUT_OFF, DAMAGED, Inside, Layer, MAX_FILES, Sink, TOO_MANY, is_wanted};
use crate::transfer::import::ImportError;

const BLOCK: usize = 512;

#[derive(Default)]
pub(super) struct Archive {
    header: Vec<u8>,
    /// Bytes of the file that are still to come, and of the padding after it.
    left: u64,
    padding: u64,
    /// The file is passed on.
    is_open: bool,
    files: usize,
    ended: bool,
}

impl Layer for Archive {
    fn push(&mut self, mut bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        while !bytes.is_empty() && !self.ended {
            if self.left > 0 {
                let (now, rest) = bytes.split_at(bytes.len().min(usize::try_from(self.left).unwrap_or(usize::MAX)));
                (self.left, bytes) = (self.left - now.len() as u64, rest);
                if self.is_open {
                    sink(Inside::Bytes(now))?;
                }
                self.close(sink)?;
                continue;
            }
            if self.padding > 0 {
                let count = bytes.len().min(usize::try_from(self.padding).unwrap_or(usize::MAX));
                (self.padding, bytes) = (self.padding - count as u64, bytes.get(count..).unwrap_or_default());
                continue;
            }
            let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.header.len()));
            self.header.extend_from_slice(now);
            bytes = rest;
            if self.header.len() == BLOCK {
                let header = std::mem::take(&mut self.header);
                if let Some(what) = self.begin(&header, sink)? {
                    return Ok(Some(what.into()));
                }
            }
        }
        Ok(None)
    }

    fn finish(&mut self, sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        let whole = self.left == 0 && self.header.is_empty();
        self.left = 0;
        self.close(sink)?;
        Ok((!whole).then(|| CUT_OFF.into()))
    }
}

impl Archive {
    fn close(&mut self, sink: Sink<'_>) -> Result<(), ImportError> {
        if self.left == 0 && std::mem::take(&mut self.is_open) {
            sink(Inside::End)?;
        }
        Ok(())
    }

    fn begin(&mut self, header: &[u8], sink: Sink<'_>) -> Result<Option<&'static str>, ImportError> {
        if header.iter().all(|byte| *byte == 0) {
            self.ended = true;
            return Ok(None);
        }
        let field = |from: usize, to: usize| header.get(from..to).unwrap_or_default();
        // The sum of all bytes, the sum itself taken as blanks.
        let sum: u64 = header.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
        let (Some(size), Some(true)) = (number(field(124, 136)), number(field(148, 156)).map(|told| told == sum)) else {
            return Ok(Some(DAMAGED));
        };
        self.left = size;
        self.padding = (BLOCK as u64 - size % BLOCK as u64) % BLOCK as u64;
        let until_zero = |bytes: &[u8]| String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned();
        let (prefix, name) = (until_zero(field(345, 500)), until_zero(field(0, 100)));
        let name = if prefix.is_empty() || field(257, 263) != b"ustar\0" { name } else { format!("{prefix}/{name}") };
        // Plain files only: no links, folders and further headers.
        if matches!(field(156, 157), [0 | b'0' | b'7']) && is_wanted(&name) {
            self.files += 1;
            if self.files > MAX_FILES {
                self.ended = true;
                self.left = 0;
                return Ok(Some(TOO_MANY));
            }
            self.is_open = true;
            sink(Inside::Begin(&name))?;
            self.close(sink)?;
        }
        Ok(None)
    }
}

/// A number in octal digits, or, with the first bit set, in binary.
fn number(field: &[u8]) -> Option<u64> {
    if let Some((first, rest)) = field.split_first().filter(|(first, _)| **first >= 0x80) {
        let start = u64::from(first & 0x7f);
        return rest.iter().try_fold(start, |sum, byte| Some(sum.checked_mul(256)? + u64::from(*byte)));
    }
    let digits = field.split(|byte| *byte == 0).next().unwrap_or_default().trim_ascii();
    digits.iter().try_fold(0_u64, |sum, digit| match digit {
        b'0'..=b'7' => Some(sum.checked_mul(8)? + u64::from(digit - b'0')),
        _ => None,
    })
}

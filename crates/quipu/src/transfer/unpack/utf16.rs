//! Text in UTF-16 of either byte order, as its byte order mark says.

use super::{CUT_OFF, Inside, Layer, Sink};
use crate::transfer::import::ImportError;

#[derive(Default)]
pub(super) struct Decoder {
    /// Whether the high byte comes first, once the mark was read.
    is_big: Option<bool>,
    /// The first half of a unit, and of a pair of units.
    half: Option<u8>,
    high: Option<u16>,
}

impl Layer for Decoder {
    fn push(&mut self, bytes: &[u8], sink: Sink<'_>) -> Result<Option<String>, ImportError> {
        for chunk in bytes.chunks(64 << 10) {
            let mut text = String::with_capacity(chunk.len());
            for byte in chunk {
                match self.half.take() {
                    None => self.half = Some(*byte),
                    Some(first) => self.unit([first, *byte], &mut text),
                }
            }
            sink(Inside::Bytes(text.as_bytes()))?;
        }
        Ok(None)
    }

    fn finish(&mut self, _: Sink<'_>) -> Result<Option<String>, ImportError> {
        Ok((self.half.is_some() || self.high.is_some()).then(|| CUT_OFF.into()))
    }
}

impl Decoder {
    fn unit(&mut self, pair: [u8; 2], text: &mut String) {
        let Some(is_big) = self.is_big else {
            self.is_big = Some(pair == [0xfe, 0xff]);
            return;
        };
        let unit = if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) };
        let units: &[u16] = match (self.high.take(), unit) {
            (None, 0xd800..=0xdbff) => return self.high = Some(unit),
            (None, unit) => &[unit],
            (Some(high), unit) => &[high, unit],
        };
        text.extend(char::decode_utf16(units.iter().copied()).map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER)));
    }
}

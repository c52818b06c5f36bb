//! Encodes numbers and strings with variable lengths and without alignment.
//!
//! `columns` defines their meaning.

use super::LinkError;

/// Writer.
#[derive(Default)]
pub(super) struct Out(pub(super) Vec<u8>);

impl Out {
    /// LEB128: seven bits per byte, lowest first; the high bit marks continuation.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push((number & 0x7f) as u8 | 0x80);
            number >>= 7;
        }
        self.0.push((number & 0x7f) as u8);
    }

    /// Zigzag encoding: 0, -1, 1, -2, …
    pub(super) fn signed(&mut self, number: i64) {
        self.number((number << 1 ^ number >> 63) as u64);
    }
}

/// Reader. All errors are [`LinkError`]s for inconsistent data.
pub(super) struct In<'a>(pub(super) &'a [u8]);

impl<'a> In<'a> {
    #[inline]
    pub(super) fn number(&mut self) -> Result<u64, LinkError> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first().ok_or(LinkError::Malformed)?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(LinkError::Malformed)
    }

    #[inline]
    pub(super) fn signed(&mut self) -> Result<i64, LinkError> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    /// A number of items that each take at least one of the remaining bytes.
    #[inline]
    pub(super) fn count(&mut self) -> Result<usize, LinkError> {
        let count = usize::try_from(self.number()?).map_err(|_| LinkError::Malformed)?;
        if count <= self.0.len() { Ok(count) } else { Err(LinkError::Malformed) }
    }

    #[inline]
    pub(super) fn bytes(&mut self, length: usize) -> Result<&'a [u8], LinkError> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or(LinkError::Malformed)?;
        self.0 = rest;
        Ok(bytes)
    }

    #[inline]
    pub(super) fn byte(&mut self) -> Result<u8, LinkError> {
        Ok(self.bytes(1)?.first().copied().unwrap_or_default())
    }

    #[inline]
    pub(super) fn text(&mut self, length: usize) -> Result<String, LinkError> {
        String::from_utf8(self.bytes(length)?.to_vec()).map_err(|_| LinkError::Malformed)
    }
}

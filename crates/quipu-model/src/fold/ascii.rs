//! Fast case-insensitive search for ASCII strings in bytes, driven by the byte of the needle that is rarest in recorded text.
//!
//! Not here: non-ASCII letters.

use memchr::{memchr, memchr2};

/// Bytes in recorded text by descending frequency, in lower case. All others are rarer.
const FREQUENT: &[u8] = b"e taoinsrl_\"':dcmpu,hfygv\\bw{}.k-1203[]x45/789z6jq()";

/// A case-insensitive searcher for an ASCII string.
#[derive(Clone, Debug)]
pub struct AsciiFinder {
    /// The needle in lower case.
    bytes: Box<[u8]>,
    /// Offset of the rarest byte.
    rarest: usize,
    /// Offset of the second rarest byte, which is compared before the whole needle.
    second: usize,
}

/// Rarity of a byte; a higher number is rarer.
fn rarity(byte: u8) -> usize {
    FREQUENT.iter().position(|frequent| *frequent == byte).unwrap_or(FREQUENT.len())
}

impl AsciiFinder {
    /// Creates a searcher for `bytes`, which must be lower-case. `None` if empty.
    pub fn new(bytes: &[u8]) -> Option<AsciiFinder> {
        let rarest_of = |skip: Option<usize>| {
            let places = bytes.iter().enumerate().filter(|(at, _)| Some(*at) != skip);
            places.max_by_key(|(_, byte)| rarity(**byte)).map(|(at, _)| at)
        };
        let rarest = rarest_of(None)?;
        Some(AsciiFinder { bytes: bytes.into(), rarest, second: rarest_of(Some(rarest)).unwrap_or(rarest) })
    }

    /// Length of the text in bytes.
    #[expect(clippy::len_without_is_empty, reason = "never empty: `new` refuses an empty text")]
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Offset of the first match in `hay` at or after `from`.
    pub fn find(&self, hay: &[u8], from: usize) -> Option<usize> {
        let rare = *self.bytes.get(self.rarest)?;
        let upper = rare.to_ascii_uppercase();
        // The rarest byte can't be closer to either end than in the needle.
        let end = hay.len().checked_sub(self.bytes.len() - self.rarest - 1)?;
        let mut at = from + self.rarest;
        loop {
            let rest = hay.get(at..end)?;
            at += if upper == rare { memchr(rare, rest)? } else { memchr2(rare, upper, rest)? };
            if self.is_at(hay, at - self.rarest) {
                return Some(at - self.rarest);
            }
            at += 1;
        }
    }

    fn is_at(&self, hay: &[u8], start: usize) -> bool {
        let (Some(here), Some(second)) = (hay.get(start..start + self.bytes.len()), self.bytes.get(self.second)) else { return false };
        here.get(self.second).is_some_and(|byte| byte.to_ascii_lowercase() == *second) && here.eq_ignore_ascii_case(&self.bytes)
    }
}

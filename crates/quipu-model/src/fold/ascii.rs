//! ASCII letters found in bytes whatever their case, fast: by the byte of the text that is rarest in what servers record.
//!
//! What is not here: letters beyond ASCII.

use memchr::{memchr, memchr2};

/// Bytes of recorded texts from the most frequent, by small letters; all others are rarer.
const FREQUENT: &[u8] = b"e taoinsrl_\"':dcmpu,hfygv\\bw{}.k-1203[]x45/789z6jq()";

/// An ASCII text that is looked for in bytes.
#[derive(Clone, Debug)]
pub struct AsciiFinder {
    /// In small letters.
    bytes: Box<[u8]>,
    /// Where in it the rarest byte stands.
    rarest: usize,
    /// A second look before all bytes are compared: where the rarest but one stands.
    second: usize,
}

/// How rare a byte is: larger is rarer.
fn rarity(byte: u8) -> usize {
    FREQUENT.iter().position(|frequent| *frequent == byte).unwrap_or(FREQUENT.len())
}

impl AsciiFinder {
    /// Looks for `bytes`, which are in small letters; `None` when there are none.
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

    /// Where it first stands in `hay` at or behind `from`, in bytes.
    pub fn find(&self, hay: &[u8], from: usize) -> Option<usize> {
        let rare = *self.bytes.get(self.rarest)?;
        let upper = rare.to_ascii_uppercase();
        // The rare byte stands neither too near the beginning nor too near the end.
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

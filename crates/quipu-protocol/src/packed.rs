//! Columns that are serialized as one byte string each: deserializing a million values is a copy, not a million allocations.
//!
//! `trace` defines the columns of a trace.

use quipu_model::number::narrow;
use quipu_model::{SpanFlags, SpanKind, TokenCount, TokenKind, TokenRecord, TokenSource};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

/// A value of a fixed size, encoded in little endian.
pub trait Plain: Copy {
    /// Size of a value in bytes.
    const BYTES: usize;
    /// Encodes all values one after the other.
    fn write_all(values: &[Self]) -> Vec<u8>;
    /// Decodes all whole values in `bytes`; a remainder is ignored.
    fn read_all(bytes: &[u8]) -> Vec<Self>;
}

// Implemented for each type here, so that the loops are not instantiated at each use.
macro_rules! plain {
    ($type:ty, $bytes:literal, $write:expr, $read:expr) => {
        impl $crate::Plain for $type {
            const BYTES: usize = $bytes;

            fn write_all(values: &[Self]) -> Vec<u8> {
                let mut bytes = Vec::with_capacity(values.len() * $bytes);
                for value in values {
                    bytes.extend_from_slice(&$write(*value));
                }
                bytes
            }

            fn read_all(bytes: &[u8]) -> Vec<Self> {
                bytes.as_chunks::<$bytes>().0.iter().map(|chunk| $read(*chunk)).collect()
            }
        }
    };
}

pub(crate) use plain;

plain!(u8, 1, |byte: u8| [byte], |[byte]: [u8; 1]| byte);
plain!(u16, 2, u16::to_le_bytes, u16::from_le_bytes);
plain!(u32, 4, u32::to_le_bytes, u32::from_le_bytes);
plain!(u64, 8, u64::to_le_bytes, u64::from_le_bytes);
plain!(f64, 8, f64::to_le_bytes, f64::from_le_bytes);
plain!(i64, 8, i64::to_le_bytes, i64::from_le_bytes);
plain!(SpanFlags, 2, |flags: SpanFlags| flags.0.to_le_bytes(), |bytes| SpanFlags(u16::from_le_bytes(bytes)));
plain!(SpanKind, 1, |kind: SpanKind| [kind as u8], |[byte]: [u8; 1]| SpanKind::ALL
    .get(usize::from(byte))
    .copied()
    .unwrap_or(SpanKind::Other));
plain!((u32, TokenRecord), 28, write_tokens, read_tokens);

/// Bits of a count; the higher ones hold its source.
const COUNT_BITS: u32 = 56;

fn write_tokens((row, record): (u32, TokenRecord)) -> [u8; 28] {
    let mut bytes = [0; 28];
    let (first, counts) = bytes.split_at_mut(4);
    first.copy_from_slice(&row.to_le_bytes());
    for (kind, count_bytes) in TokenKind::ALL.into_iter().zip(counts.as_chunks_mut::<8>().0) {
        let word =
            record.get(kind).map_or(0, |count| u64::from(count.source.code()) << COUNT_BITS | count.tokens.min((1 << COUNT_BITS) - 1));
        *count_bytes = word.to_le_bytes();
    }
    bytes
}

fn read_tokens(bytes: [u8; 28]) -> (u32, TokenRecord) {
    let (row, counts) = bytes.split_at(4);
    let count = |at: usize| {
        let word = counts.as_chunks::<8>().0.get(at).map_or(0, |word| u64::from_le_bytes(*word));
        let source = TokenSource::from_code((word >> COUNT_BITS) as u8)?;
        Some(TokenCount { tokens: word & ((1 << COUNT_BITS) - 1), source })
    };
    let row = row.as_chunks::<4>().0.first().map_or(0, |row| u32::from_le_bytes(*row));
    (row, TokenRecord { prompt: count(0), completion: count(1), total: count(2) })
}

/// A column of plain values; dereferences to a slice.
#[derive(Clone, Debug, PartialEq)]
pub struct Packed<T>(pub Vec<T>);

impl<T> Default for Packed<T> {
    fn default() -> Packed<T> {
        Packed(Vec::new())
    }
}

impl<T> Deref for Packed<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.0
    }
}

impl<T> DerefMut for Packed<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.0
    }
}

impl<T> From<Vec<T>> for Packed<T> {
    fn from(values: Vec<T>) -> Packed<T> {
        Packed(values)
    }
}

impl<'a, T> IntoIterator for &'a Packed<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<T: Plain> Serialize for Packed<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&T::write_all(&self.0))
    }
}

impl<'de, T: Plain> Deserialize<'de> for Packed<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Packed<T>, D::Error> {
        struct Bytes<T>(PhantomData<T>);
        impl<T: Plain> Visitor<'_> for Bytes<T> {
            type Value = Packed<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
                formatter.write_str("packed values")
            }

            fn visit_bytes<E: Error>(self, bytes: &[u8]) -> Result<Packed<T>, E> {
                if !bytes.len().is_multiple_of(T::BYTES) {
                    return Err(E::invalid_length(bytes.len(), &self));
                }
                Ok(Packed(T::read_all(bytes)))
            }
        }
        deserializer.deserialize_bytes(Bytes(PhantomData))
    }
}

/// Many strings in one buffer, with their end offsets.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Texts {
    text: String,
    ends: Packed<u32>,
}

impl Texts {
    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no strings.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends a string. If the total exceeds 4 GiB, the strings beyond are empty.
    pub fn push(&mut self, text: &str) {
        if u32::try_from(self.text.len() + text.len()).is_ok() {
            self.text.push_str(text);
        }
        self.ends.push(narrow(self.text.len()));
    }

    /// The string at this index.
    pub fn get(&self, number: usize) -> Option<&str> {
        let end = *self.ends.get(number)? as usize;
        let start = number.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |start| *start as usize);
        self.text.get(start..end)
    }

    /// Iterates over all strings in order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        (0..self.len()).map(|number| self.get(number).unwrap_or_default())
    }
}

/// The span ids of a trace. Ids of 16 lower-case hex digits are stored as numbers, others in a table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SpanIds {
    keys: Packed<u64>,
    /// Ids whose key is [`ODD`] or more, indexed by the difference.
    odd: Texts,
    /// All rows sorted by key, for look-ups. Set by [`SpanIds::finish`].
    order: Packed<u32>,
}

/// Keys from here on are indices into the table.
const ODD: u64 = 0xffff_ffff << 32;

impl SpanIds {
    /// Number of ids.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there are no ids.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Appends the id of the next row.
    pub fn push(&mut self, text: &str) {
        let key = read_number(text).unwrap_or_else(|| {
            self.odd.push(text);
            ODD | (self.odd.len() as u64 - 1)
        });
        self.keys.push(key);
    }

    /// Appends an id that was parsed from 16 hex digits, below `0xffff_ffff_0000_0000`.
    pub fn push_number(&mut self, number: u64) {
        self.keys.push(number);
    }

    /// Builds the index for [`SpanIds::find`] after the last id. Uses a radix sort, which is fast and small.
    #[expect(clippy::indexing_slicing, reason = "a digit is a byte, the one after it at most 256, and there are 257 places")]
    pub fn finish(&mut self) {
        let keys = &self.keys;
        let mut order: Vec<u32> = (0..narrow(keys.len())).collect();
        let mut next = vec![0; order.len()];
        for shift in (0..64).step_by(8) {
            let digit = |row: u32| keys.get(row as usize).map_or(0, |key| (key >> shift & 0xff) as usize);
            let mut places = [0_usize; 257];
            order.iter().for_each(|row| places[digit(*row) + 1] += 1);
            (1..places.len()).for_each(|at| places[at] += places[at - 1]);
            for row in &order {
                let place = &mut places[digit(*row)];
                if let Some(slot) = next.get_mut(*place) {
                    *slot = *row;
                }
                *place += 1;
            }
            std::mem::swap(&mut order, &mut next);
        }
        self.order = Packed(order);
    }

    /// The id in `row`, as recorded.
    pub fn get(&self, row: usize) -> Option<String> {
        let key = *self.keys.get(row)?;
        Some(if key < ODD { format!("{key:016x}") } else { self.odd.get((key & !ODD) as usize).unwrap_or_default().to_owned() })
    }

    /// The row of the span with this id. Ids that are not numbers are searched linearly.
    pub fn find(&self, text: &str) -> Option<u32> {
        let key = read_number(text).or_else(|| Some(ODD | self.odd.iter().position(|odd| odd == text)? as u64))?;
        let of = |row: u32| self.keys.get(row as usize).copied().unwrap_or_default();
        let at = self.order.partition_point(|row| of(*row) < key);
        self.order.get(at).copied().filter(|row| of(*row) == key)
    }

    /// Iterates over all ids in row order.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        (0..self.len()).map(|row| self.get(row).unwrap_or_default())
    }
}

/// Parses an id of 16 lower-case hex digits. Values from [`ODD`] on are treated as strings.
fn read_number(text: &str) -> Option<u64> {
    let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if digits { u64::from_str_radix(text, 16).ok().filter(|number| *number < ODD) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn back<T: Plain + PartialEq + fmt::Debug>(values: Vec<T>) {
        let packed = Packed(values);
        let bytes = postcard::to_allocvec(&packed).expect("columns can be written");
        assert_eq!(postcard::from_bytes::<Packed<T>>(&bytes).expect("columns can be read"), packed);
    }

    #[test]
    fn every_kind_of_column_comes_back() {
        back(vec![0_u16, 1, u16::MAX]);
        back(vec![0_u32, 1, u32::MAX]);
        back(vec![0_u64, 1, u64::MAX]);
        back(vec![SpanFlags::FAILED, SpanFlags::default()]);
        back(SpanKind::ALL.to_vec());
        let count = |tokens, source| Some(TokenCount { tokens, source });
        for source in TokenSource::ALL {
            let record = TokenRecord { prompt: count(0, source), completion: None, total: count(71, source) };
            back(vec![(7, record), (u32::MAX, TokenRecord::default())]);
        }
    }

    #[test]
    fn a_column_of_half_a_value_is_refused() {
        // A length of three, then three bytes.
        assert!(postcard::from_bytes::<Packed<u16>>(&[3, 1, 2, 3]).is_err());
    }

    proptest! {
        #[test]
        fn every_id_comes_back_and_is_found(ids in prop::collection::btree_set("[0-9a-f]{16}|[0-9A-F]{15,17}|ffffffff[0-9a-f]{8}|.{0,9}", 0..40)) {
            // Not in the order of the strings.
            let mut ids: Vec<String> = ids.into_iter().collect();
            ids.sort_by_key(|id| id.bytes().map(u32::from).sum::<u32>());
            let mut columns = SpanIds::default();
            ids.iter().for_each(|id| columns.push(id));
            columns.finish();
            prop_assert_eq!(columns.iter().collect::<Vec<_>>(), ids.clone());
            for (row, id) in ids.iter().enumerate() {
                prop_assert_eq!(columns.find(id), Some(narrow(row)));
            }
            prop_assert_eq!(columns.find("no such id"), None);
        }
    }
}

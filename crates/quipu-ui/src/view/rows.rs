//! A bit set of rows with fast rank and select. A million rows take an eighth of a megabyte.
//!
//! Used for visible rows (`waterfall`) and matching rows (`find`).

use quipu_model::number::narrow;
use std::ops::Range;

/// Words per block.
const BLOCK: usize = 8;

/// A set of row numbers below a fixed length.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct RowSet {
    len: u32,
    words: Vec<u64>,
    /// Number of rows in the set before each block of [`BLOCK`] words; one more entry than blocks.
    before: Vec<u32>,
}

impl RowSet {
    /// A set of all `len` rows, or an empty one.
    pub(super) fn filled(len: u32, value: bool) -> RowSet {
        let words = vec![0; len.div_ceil(64) as usize];
        let mut set = RowSet { len, before: vec![0; words.len().div_ceil(BLOCK) + 1], words };
        set.set(0..len, value);
        set.count();
        set
    }

    /// The indices of a list for which `holds` is true.
    pub(super) fn of<T>(list: &[T], holds: impl Fn(&T) -> bool) -> RowSet {
        let mut set = RowSet::filled(u32::try_from(list.len()).unwrap_or(u32::MAX), false);
        for (word, rows) in set.words.iter_mut().zip(list.chunks(64)) {
            *word = rows.iter().enumerate().fold(0, |word, (bit, row)| word | u64::from(holds(row)) << bit);
        }
        set.count();
        set
    }

    /// Whether `row` is in the set.
    pub(super) fn has(&self, row: u32) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Adds or removes rows; those beyond the length are ignored. Call [`RowSet::count`] after the last change.
    pub(super) fn set(&mut self, rows: Range<u32>, value: bool) {
        let end = rows.end.min(self.len);
        let mut row = rows.start;
        while row < end {
            let upto = end.min((row / 64 + 1) * 64);
            let mask = (u64::MAX >> (64 - (upto - row))) << (row % 64);
            if let Some(word) = self.words.get_mut(row as usize / 64) {
                *word = if value { *word | mask } else { *word & !mask };
            }
            row = upto;
        }
    }

    /// Updates the counts after changes.
    pub(super) fn count(&mut self) {
        let mut sum = 0;
        for (before, block) in self.before.iter_mut().zip(self.words.chunks(BLOCK)) {
            *before = sum;
            sum += block.iter().map(|word| word.count_ones()).sum::<u32>();
        }
        if let Some(last) = self.before.last_mut() {
            *last = sum;
        }
    }

    /// The number of rows in the set.
    pub(super) fn total(&self) -> u32 {
        self.before.last().copied().unwrap_or(0)
    }

    /// The number of rows in the set before `row`.
    pub(super) fn rank(&self, row: u32) -> u32 {
        let row = row.min(self.len);
        let word = row as usize / 64;
        let block = word / BLOCK;
        let whole: u32 = self.words.get(block * BLOCK..word).unwrap_or_default().iter().map(|word| word.count_ones()).sum();
        let part = self.words.get(word).map_or(0, |found| (found & ((1 << (row % 64)) - 1)).count_ones());
        self.before.get(block).copied().unwrap_or(0) + whole + part
    }

    /// The row with this index in the set.
    pub(super) fn nth(&self, number: u32) -> Option<u32> {
        if number >= self.total() {
            return None;
        }
        // The last block that does not start after it.
        let block = self.before.partition_point(|before| *before <= number).checked_sub(1)?;
        let mut left = number - self.before.get(block)?;
        for (at, word) in self.words.iter().enumerate().skip(block * BLOCK) {
            let ones = word.count_ones();
            if left < ones {
                let mut word = *word;
                for _ in 0..left {
                    word &= word - 1;
                }
                return Some(narrow(at) * 64 + word.trailing_zeros());
            }
            left -= ones;
        }
        None
    }

    /// The first row of the set at or after `row`.
    pub(super) fn next(&self, row: u32) -> Option<u32> {
        let mut at = row as usize / 64;
        let mut word = self.words.get(at)? & (u64::MAX << (row % 64));
        while word == 0 {
            at += 1;
            word = *self.words.get(at)?;
        }
        Some(narrow(at) * 64 + word.trailing_zeros())
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn counts_agree_with_a_plain_list(len in 0_u32..3_000, filled: bool, changes in prop::collection::vec((0_u32..3_100, 0_u32..900, any::<bool>()), 0..12)) {
            let mut set = RowSet::filled(len, filled);
            let mut plain = vec![filled; len as usize];
            for (start, many, value) in changes {
                set.set(start..start + many, value);
                plain.iter_mut().skip(start as usize).take(many as usize).for_each(|slot| *slot = value);
            }
            set.count();
            prop_assert_eq!(&RowSet::of(&plain, |value| *value), &set);
            let rows: Vec<u32> = (0..len).filter(|row| plain[*row as usize]).collect();
            prop_assert_eq!(set.total() as usize, rows.len());
            for (number, row) in rows.iter().enumerate() {
                prop_assert_eq!(set.nth(number as u32), Some(*row));
            }
            prop_assert_eq!(set.nth(rows.len() as u32), None);
            for row in 0..len + 3 {
                prop_assert_eq!(set.has(row), row < len && plain[row as usize]);
                prop_assert_eq!(set.rank(row) as usize, rows.iter().filter(|found| **found < row).count());
                prop_assert_eq!(set.next(row), rows.iter().copied().find(|found| *found >= row));
            }
        }
    }
}

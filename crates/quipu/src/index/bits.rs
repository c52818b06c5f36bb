//! Bit sets of rows or traces, and three-valued answers made of two of them.

use quipu_model::number::narrow;

/// A set of integers below a fixed length.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits {
    words: Vec<u64>,
    len: usize,
}

impl Bits {
    /// A set with all of `len` integers, or none of them.
    pub(crate) fn filled(len: usize, value: bool) -> Bits {
        let mut bits = Bits { words: vec![if value { u64::MAX } else { 0 }; len.div_ceil(64)], len };
        bits.clear_tail();
        bits
    }

    /// The set of the positions below `len` at which `values` is true.
    pub(crate) fn collect(len: usize, values: impl Iterator<Item = bool>) -> Bits {
        let mut bits = Bits::filled(len, false);
        let (mut at, mut word) = (0_usize, 0_u64);
        // Columns are chunked; only internal iteration runs over them at full speed.
        values.for_each(|value| {
            word |= u64::from(value) << (at % 64);
            at += 1;
            if at.is_multiple_of(64) {
                if let Some(place) = bits.words.get_mut(at / 64 - 1) {
                    *place = word;
                }
                word = 0;
            }
        });
        if let (Some(place), 1..) = (bits.words.get_mut(at / 64), at % 64) {
            *place = word;
        }
        bits.clear_tail();
        bits
    }

    /// Clears the bits beyond the length, so that words can be counted and compared.
    fn clear_tail(&mut self) {
        if let (Some(last), rest @ 1..) = (self.words.last_mut(), self.len % 64) {
            *last &= (1 << rest) - 1;
        }
    }

    /// The exclusive upper bound of the integers.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether the set contains `number`; false beyond the length.
    pub(crate) fn has(&self, number: u32) -> bool {
        self.words.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }

    /// Inserts `number`; does nothing beyond the length.
    pub(crate) fn insert(&mut self, number: u32) {
        if (number as usize) < self.len
            && let Some(word) = self.words.get_mut(number as usize / 64)
        {
            *word |= 1 << (number % 64);
        }
    }

    pub(crate) fn remove(&mut self, number: u32) {
        if let Some(word) = self.words.get_mut(number as usize / 64) {
            *word &= !(1 << (number % 64));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// Number of integers in the set.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Intersects with `other`.
    pub(crate) fn and(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word &= other);
    }

    /// Unites with `other`.
    pub(crate) fn or(&mut self, other: &Bits) {
        self.words.iter_mut().zip(&other.words).for_each(|(word, other)| *word |= other);
    }

    /// Complements the set.
    pub(crate) fn invert(&mut self) {
        self.words.iter_mut().for_each(|word| *word = !*word);
        self.clear_tail();
    }

    /// The largest integer in the set.
    pub(crate) fn last(&self) -> Option<u32> {
        let (at, word) = self.words.iter().enumerate().rev().find(|(_, word)| **word != 0)?;
        Some(narrow(at) * 64 + 63 - word.leading_zeros())
    }

    /// The integers in the set, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.words.iter().enumerate().flat_map(|(at, word)| {
            let mut left = *word;
            std::iter::from_fn(move || {
                let bit = (left != 0).then(|| left.trailing_zeros())?;
                left &= left - 1;
                Some(narrow(at) * 64 + bit)
            })
        })
    }
}

/// An answer that may be incomplete: what matches for certain, and what may match. The two are equal once the answer is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decided {
    /// What matches for certain.
    pub(crate) yes: Bits,
    /// What has not been ruled out; a superset of `yes`.
    pub(crate) maybe: Bits,
}

impl Decided {
    /// A complete answer.
    pub(crate) fn known(bits: Bits) -> Decided {
        Decided { maybe: bits.clone(), yes: bits }
    }

    /// An answer about `len` integers of which nothing is known yet.
    pub(crate) fn unknown(len: usize) -> Decided {
        Decided { yes: Bits::filled(len, false), maybe: Bits::filled(len, true) }
    }

    /// Whether the answer is complete.
    pub(crate) fn is_known(&self) -> bool {
        self.yes == self.maybe
    }

    /// Conjunction.
    pub(crate) fn and(&mut self, other: &Decided) {
        self.yes.and(&other.yes);
        self.maybe.and(&other.maybe);
    }

    /// Disjunction.
    pub(crate) fn or(&mut self, other: &Decided) {
        self.yes.or(&other.yes);
        self.maybe.or(&other.maybe);
    }

    /// Negation: what can't match is certain to match, and the other way round.
    pub(crate) fn invert(&mut self) {
        std::mem::swap(&mut self.yes, &mut self.maybe);
        self.yes.invert();
        self.maybe.invert();
    }
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;

    #[test]
    fn sets_of_any_length_invert_and_count() {
        for len in [0, 1, 63, 64, 65, 130] {
            let mut bits = Bits::filled(len, false);
            (0..len as u32).step_by(3).for_each(|number| bits.insert(number));
            bits.insert(len as u32);
            let kept: Vec<u32> = bits.iter().collect();
            assert_eq!(kept, (0..len as u32).step_by(3).collect::<Vec<_>>());
            assert_eq!(bits.last(), kept.last().copied());
            let before = bits.count();
            bits.invert();
            assert_eq!(bits.count(), len - before);
            bits.invert();
            bits.invert();
            bits.or(&Bits::filled(len, true));
            assert_eq!(bits, Bits::filled(len, true));
            assert!(!bits.has(len as u32));
        }
    }

    #[test]
    fn a_set_is_collected_from_as_many_values_as_there_are() {
        for len in [0, 1, 63, 64, 65, 130] {
            for given in [len, len + 70, len / 2] {
                let bits = Bits::collect(len, (0..given).map(|number| number % 3 == 1));
                let expected: Vec<u32> = (0..len.min(given) as u32).filter(|number| number % 3 == 1).collect();
                assert_eq!(bits.iter().collect::<Vec<_>>(), expected, "{given} of {len}");
            }
        }
    }

    #[test]
    fn not_of_what_is_unknown_stays_unknown() {
        let mut answer = Decided::unknown(3);
        answer.yes.insert(0);
        answer.maybe.remove(1);
        answer.invert();
        assert_eq!((answer.yes.iter().collect::<Vec<_>>(), answer.maybe.iter().collect::<Vec<_>>()), (vec![1], vec![1, 2]));
        assert!(!answer.is_known());
    }
}

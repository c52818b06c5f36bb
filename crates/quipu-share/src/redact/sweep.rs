//! Finds repetitions of redacted text: a prompt in a log message, a session id in a sentence.
//!
//! `walk` collects the texts.

use quipu_model::ordered::sort_by;
use quipu_protocol::PrivateKind;

/// Shorter texts are too common to be searched everywhere.
pub(super) const MIN_BYTES: usize = 8;

/// Texts to search for.
#[derive(Default)]
pub(super) struct Sweep {
    /// Sorted, without duplicates.
    texts: Vec<(String, PrivateKind)>,
    /// For each text, the longest other one that is a prefix of it.
    shorter: Vec<Option<usize>>,
    /// Hashes of the texts' prefixes: most positions are rejected with one look-up.
    beginnings: Vec<u64>,
}

impl Sweep {
    pub(super) fn new(mut texts: Vec<(String, PrivateKind)>) -> Sweep {
        texts.retain(|(text, _)| text.len() >= MIN_BYTES);
        sort_by(&mut texts, Ord::cmp);
        texts.dedup_by(|next, kept| next.0 == kept.0);
        let mut shorter = Vec::with_capacity(texts.len());
        let mut beginnings = vec![0; 1024];
        for (at, (text, _)) in texts.iter().enumerate() {
            // A prefix of the previous text may also be a prefix of this one.
            let mut candidate = at.checked_sub(1);
            while let Some(index) = candidate.filter(|index| !texts.get(*index).is_some_and(|(short, _)| text.starts_with(short.as_str())))
            {
                candidate = shorter.get(index).copied().flatten();
            }
            shorter.push(candidate);
            if let Some((word, bit)) = place(text.as_bytes())
                && let Some(word) = beginnings.get_mut(word)
            {
                *word |= bit;
            }
        }
        Sweep { texts, shorter, beginnings }
    }

    /// The longest text that is a prefix of `rest`: its length in bytes and its kind.
    pub(super) fn find(&self, rest: &[u8]) -> Option<(usize, PrivateKind)> {
        if self.texts.is_empty() {
            return None;
        }
        let (word, bit) = place(rest)?;
        if self.beginnings.get(word)? & bit == 0 {
            return None;
        }
        // All prefixes of `rest` are also prefixes of the last text not greater than it.
        let mut candidate = self.texts.partition_point(|(text, _)| text.as_bytes() <= rest).checked_sub(1);
        while let Some(index) = candidate {
            let (text, kind) = self.texts.get(index)?;
            if rest.starts_with(text.as_bytes()) {
                return Some((text.len(), *kind));
            }
            candidate = self.shorter.get(index).copied().flatten();
        }
        None
    }
}

fn place(text: &[u8]) -> Option<(usize, u64)> {
    let head = u64::from_le_bytes(*text.first_chunk::<MIN_BYTES>()?);
    let hash = head.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
    Some(((hash >> 6) as usize, 1 << (hash & 63)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_longest_text_that_stands_there_is_found(
            texts in prop::collection::vec("[ab]{8,12}", 0..40),
            rest in "[ab]{0,14}",
        ) {
            let sweep = Sweep::new(texts.iter().map(|text| (text.clone(), PrivateKind::Logs)).collect());
            let expected = texts.iter().filter(|text| rest.starts_with(text.as_str())).map(String::len).max();
            prop_assert_eq!(sweep.find(rest.as_bytes()).map(|(length, _)| length), expected);
        }
    }
}

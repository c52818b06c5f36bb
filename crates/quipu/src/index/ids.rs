//! Ids as numbers: 16 and 32 lower-case hex digits fit u64 and u128; any other text gets a number of its own.
//!
//! Numbers whose upper half is all ones are reserved for such other texts, so a hex id that would fall there is treated as one of them.

use hashbrown::HashMap;

/// A span's id, or that of a parent, as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SpanKey(pub(super) u64);

/// A trace's id as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TraceKey(pub(super) u128);

impl SpanKey {
    /// No id: a NULL parent.
    pub(super) const NONE: SpanKey = SpanKey(u64::MAX);

    /// The number its 16 hex digits are; `None` for any other text.
    pub(super) fn hex_number(self) -> Option<u64> {
        (self.0 < ODD_SPAN).then_some(self.0)
    }
}

const ODD_SPAN: u64 = 0xffff_ffff << 32;
const ODD_TRACE: u128 = (u64::MAX as u128) << 64;

/// The texts of ids that are no hex numbers.
#[derive(Default)]
pub(super) struct OddIds {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl OddIds {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // The last number stands for `SpanKey::NONE`; as many odd ids as that do not fit in memory.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX - 1);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    fn text(&self, number: u64) -> String {
        usize::try_from(number).ok().and_then(|number| self.texts.get(number)).map(|text| text.to_string()).unwrap_or_default()
    }

    pub(super) fn span_key(&mut self, text: &str) -> SpanKey {
        match hex::<16>(text) {
            Some(number) if (number as u64) < ODD_SPAN => SpanKey(number as u64),
            _ => SpanKey(ODD_SPAN | u64::from(self.number(text))),
        }
    }

    pub(super) fn trace_key(&mut self, text: &str) -> TraceKey {
        match hex::<32>(text) {
            Some(number) if number < ODD_TRACE => TraceKey(number),
            _ => TraceKey(ODD_TRACE | u128::from(self.number(text))),
        }
    }

    /// The key of an id that a user asks for, without remembering it.
    pub(super) fn find_span(&self, text: &str) -> Option<SpanKey> {
        match hex::<16>(text) {
            Some(number) if (number as u64) < ODD_SPAN => Some(SpanKey(number as u64)),
            _ => self.numbers.get(text).map(|number| SpanKey(ODD_SPAN | u64::from(*number))),
        }
    }

    /// The same for a trace.
    pub(super) fn find_trace(&self, text: &str) -> Option<TraceKey> {
        match hex::<32>(text) {
            Some(number) if number < ODD_TRACE => Some(TraceKey(number)),
            _ => self.numbers.get(text).map(|number| TraceKey(ODD_TRACE | u128::from(*number))),
        }
    }

    /// Spans' ids that begin so, or are so where the whole is given. Letter case does not count in hex digits.
    pub(super) fn span_ids(&self, text: &str, whole: bool) -> WantedIds {
        self.wanted(text, whole, 16, ODD_SPAN.into())
    }

    /// The same of traces' ids.
    pub(super) fn trace_ids(&self, text: &str, whole: bool) -> WantedIds {
        self.wanted(text, whole, 32, ODD_TRACE)
    }

    fn wanted(&self, text: &str, whole: bool, digits: usize, odd: u128) -> WantedIds {
        let mut range = None;
        if text.len() <= digits && (!whole || text.len() == digits) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let padded = |with: &str| u128::from_str_radix(&format!("{text}{}", with.repeat(digits - text.len())), 16).ok();
            range = padded("0").zip(padded("f")).map(|(first, last)| (first, last.min(odd - 1)));
        }
        let matches = |known: &str| if whole { known == text } else { known.starts_with(text) };
        let known = self.texts.iter().enumerate().filter(|(_, known)| matches(known));
        WantedIds { range, odd: known.map(|(number, _)| odd | number as u128).collect() }
    }

    pub(super) fn span_text(&self, key: SpanKey) -> String {
        if key.0 >= ODD_SPAN { self.text(key.0 & 0xffff_ffff) } else { format!("{:016x}", key.0) }
    }

    pub(super) fn trace_text(&self, key: TraceKey) -> String {
        if key.0 >= ODD_TRACE { self.text((key.0 & u128::from(u64::MAX)) as u64) } else { format!("{:032x}", key.0) }
    }
}

/// Ids that are wanted, as numbers.
pub(super) struct WantedIds {
    range: Option<(u128, u128)>,
    /// Ascending.
    odd: Vec<u128>,
}

impl WantedIds {
    pub(super) fn has(&self, key: u128) -> bool {
        self.range.is_some_and(|(first, last)| (first..=last).contains(&key)) || self.odd.binary_search(&key).is_ok()
    }
}

/// What each byte is as a hex digit; `0xff` for one that is none.
const DIGITS: [u8; 256] = {
    let mut table = [0xff; 256];
    let mut value = 0;
    while value < 16 {
        table[b"0123456789abcdef"[value] as usize] = value as u8;
        value += 1;
    }
    table
};

fn hex<const LEN: usize>(text: &str) -> Option<u128> {
    let digits: &[u8; LEN] = text.as_bytes().try_into().ok()?;
    let mut number = 0;
    for half in digits.chunks(16) {
        let (mut part, mut all) = (0u64, 0);
        for digit in half {
            let value = DIGITS.get(usize::from(*digit)).copied().unwrap_or(0xff);
            part = part << 4 | u64::from(value & 15);
            all |= value;
        }
        if all == 0xff {
            return None;
        }
        number = number << 64 | u128::from(part);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_text_comes_back_and_no_two_share_a_number() {
        let mut odd = OddIds::default();
        let spans = [
            "00000000000000ff",
            "00000000000000FF",
            "ffffffffffffffff",
            "ffffffff00000000",
            "",
            "ff",
            "späne",
            "0123456789abcdef",
        ];
        let keys: Vec<SpanKey> = spans.iter().map(|text| odd.span_key(text)).collect();
        for (text, key) in spans.iter().zip(&keys) {
            assert_eq!(odd.span_text(*key), *text);
            assert_eq!(odd.find_span(text), Some(*key));
            assert_eq!(keys.iter().filter(|other| *other == key).count(), 1);
        }
        assert!(!keys.contains(&SpanKey::NONE));
        for text in ["ffffffffffffffffffffffffffffffff", "0af7651916cd43dd8448eb211c80319c", "x"] {
            let key = odd.trace_key(text);
            assert_eq!(odd.trace_text(key), text);
            assert_eq!(odd.find_trace(text), Some(key));
        }
        assert_eq!(odd.find_span("never seen"), None);
    }
}

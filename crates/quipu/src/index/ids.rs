//! Ids as integers: ids of 16 and 32 lower-case hex digits are stored as u64 and u128; any other string is interned.
//!
//! Integers whose upper half is all ones denote interned strings. A hex id in that range is interned too.

use hashbrown::HashMap;
use quipu_model::recorded::repaired;
use quipu_store::Stored;

/// The id of a span or of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct SpanKey(pub(super) u64);

/// The id of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct TraceKey(pub(super) u128);

impl SpanKey {
    /// The key of a NULL parent.
    pub(super) const NONE: SpanKey = SpanKey(u64::MAX);

    /// The value of an id of 16 hex digits; `None` for an interned one.
    pub(super) fn hex_number(self) -> Option<u64> {
        (self.0 < NON_HEX_SPAN).then_some(self.0)
    }
}

const NON_HEX_SPAN: u64 = 0xffff_ffff << 32;
const NON_HEX_TRACE: u128 = (u64::MAX as u128) << 64;

/// Interns ids that are not hex numbers.
#[derive(Clone, Default)]
pub(super) struct NonHexIds {
    texts: Vec<Box<str>>,
    numbers: HashMap<Box<str>, u32>,
}

impl NonHexIds {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        // The last number is reserved for `SpanKey::NONE`; that many ids would not fit in memory.
        let number = u32::try_from(self.texts.len()).unwrap_or(u32::MAX - 1);
        self.texts.push(text.into());
        self.numbers.insert(text.into(), number);
        number
    }

    fn text(&self, number: u64) -> String {
        usize::try_from(number).ok().and_then(|number| self.texts.get(number)).map(|text| text.to_string()).unwrap_or_default()
    }

    pub(super) fn span_key(&mut self, text: &str) -> SpanKey {
        match span_number(text.as_bytes()) {
            Some(number) => SpanKey(number),
            None => SpanKey(NON_HEX_SPAN | u64::from(self.number(text))),
        }
    }

    /// The key of a stored span id; `None` for NULL.
    pub(super) fn stored_span(&mut self, stored: &Stored<'_>) -> Option<SpanKey> {
        Some(match stored {
            Stored::Null => return None,
            Stored::Bytes(bytes) => match <[u8; 8]>::try_from(*bytes).map(u64::from_be_bytes) {
                Ok(number) if number < NON_HEX_SPAN => SpanKey(number),
                _ => self.span_key(&quipu_model::encoding::hex(bytes)),
            },
            Stored::Text(text) => match span_number(text) {
                Some(number) => SpanKey(number),
                None => self.span_key(&repaired(text)),
            },
            Stored::Nanos(number) => self.span_key(&number.to_string()),
        })
    }

    /// Whether a stored span id has this key.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn is_span(&self, stored: &Stored<'_>, key: SpanKey) -> bool {
        match stored {
            Stored::Bytes(bytes) => self.span_text(key) == quipu_model::encoding::hex(bytes),
            Stored::Text(text) => self.span_text(key) == repaired(text),
            Stored::Null => self.span_text(key).is_empty(),
            Stored::Nanos(_) => false,
        }
    }

    /// The key of a stored trace id; that of an empty text for NULL.
    pub(super) fn stored_trace(&mut self, stored: &Stored<'_>) -> TraceKey {
        match stored {
            Stored::Null => self.trace_key(""),
            Stored::Bytes(bytes) => match <[u8; 16]>::try_from(*bytes).map(u128::from_be_bytes) {
                Ok(number) if number < NON_HEX_TRACE => TraceKey(number),
                _ => self.trace_key(&quipu_model::encoding::hex(bytes)),
            },
            Stored::Text(text) => match hex::<32>(text) {
                Some(number) if number < NON_HEX_TRACE => TraceKey(number),
                _ => self.trace_key(&repaired(text)),
            },
            Stored::Nanos(number) => self.trace_key(&number.to_string()),
        }
    }

    pub(super) fn trace_key(&mut self, text: &str) -> TraceKey {
        match hex::<32>(text.as_bytes()) {
            Some(number) if number < NON_HEX_TRACE => TraceKey(number),
            _ => TraceKey(NON_HEX_TRACE | u128::from(self.number(text))),
        }
    }

    /// The key of a span id; `None` if the id is not hex and was never interned.
    pub(super) fn find_span(&self, text: &str) -> Option<SpanKey> {
        match span_number(text.as_bytes()) {
            Some(number) => Some(SpanKey(number)),
            None => self.numbers.get(text).map(|number| SpanKey(NON_HEX_SPAN | u64::from(*number))),
        }
    }

    /// The key of a trace id; `None` if the id is not hex and was never interned.
    pub(super) fn find_trace(&self, text: &str) -> Option<TraceKey> {
        match hex::<32>(text.as_bytes()) {
            Some(number) if number < NON_HEX_TRACE => Some(TraceKey(number)),
            _ => self.numbers.get(text).map(|number| TraceKey(NON_HEX_TRACE | u128::from(*number))),
        }
    }

    /// The span ids that start with `text`, or equal it if `whole` is set. Hex digits match case-insensitively.
    pub(super) fn span_ids(&self, text: &str, whole: bool) -> WantedIds {
        self.wanted(text, whole, 16, NON_HEX_SPAN.into())
    }

    /// Like [`Self::span_ids`], for trace ids.
    pub(super) fn trace_ids(&self, text: &str, whole: bool) -> WantedIds {
        self.wanted(text, whole, 32, NON_HEX_TRACE)
    }

    fn wanted(&self, text: &str, whole: bool, digits: usize, non_hex: u128) -> WantedIds {
        let mut range = None;
        if text.len() <= digits && (!whole || text.len() == digits) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            let padded = |with: &str| u128::from_str_radix(&format!("{text}{}", with.repeat(digits - text.len())), 16).ok();
            range = padded("0").zip(padded("f")).map(|(first, last)| (first, last.min(non_hex - 1)));
        }
        let matches = |known: &str| if whole { known == text } else { known.starts_with(text) };
        let known = self.texts.iter().enumerate().filter(|(_, known)| matches(known));
        WantedIds { range, non_hex: known.map(|(number, _)| non_hex | number as u128).collect() }
    }

    pub(super) fn span_text(&self, key: SpanKey) -> String {
        if key.0 >= NON_HEX_SPAN { self.text(key.0 & 0xffff_ffff) } else { format!("{:016x}", key.0) }
    }

    pub(super) fn trace_text(&self, key: TraceKey) -> String {
        if key.0 >= NON_HEX_TRACE { self.text((key.0 & 0xffff_ffff) as u64) } else { format!("{:032x}", key.0) }
    }
}

/// A set of ids: a range of hex ids, and interned ones.
pub(super) struct WantedIds {
    range: Option<(u128, u128)>,
    /// Sorted.
    non_hex: Vec<u128>,
}

impl WantedIds {
    pub(super) fn has(&self, key: u128) -> bool {
        self.range.is_some_and(|(first, last)| (first..=last).contains(&key)) || self.non_hex.binary_search(&key).is_ok()
    }
}

/// The number of a span id of 16 hex digits; `None` if the id has to be interned.
fn span_number(text: &[u8]) -> Option<u64> {
    let (number, _) = halves(hex::<16>(text)?);
    (number < NON_HEX_SPAN).then_some(number)
}

/// The low and the high 64 bits.
#[expect(clippy::cast_possible_truncation, reason = "each half is taken")]
pub(super) fn halves(number: u128) -> (u64, u64) {
    (number as u64, (number >> 64) as u64)
}

fn hex<const LEN: usize>(text: &[u8]) -> Option<u128> {
    let digits: &[u8; LEN] = text.try_into().ok()?;
    let (mut number, mut others) = (0u128, 0);
    for eight in digits.as_chunks::<8>().0 {
        let digits = u64::from_be_bytes(*eight);
        let (part, other) = eight_hex(digits);
        number = number << 32 | u128::from(part);
        others |= other;
    }
    (others == 0).then_some(number)
}

/// Parses eight hex digits, the first in the highest byte. The second value is nonzero if any byte is not in `0-9` or `a-f`.
fn eight_hex(digits: u64) -> (u32, u64) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = EACH * 0x80;
    let low = digits & !HIGH;
    // Sets the high bit of each byte that is at least `least`. Bytes are below 0x80 here, so additions do not carry into the next byte.
    let at_least = |least: u8| (low + EACH * u64::from(0x80 - least)) & HIGH;
    let decimal = at_least(b'0') & !at_least(b'9' + 1);
    let letter = at_least(b'a') & !at_least(b'f' + 1);
    // The low four bits of a letter count from 1, its value from 10.
    let mut value = (low & (EACH * 15)) + (letter >> 7) * 9;
    value = (value | value >> 4) & 0x00ff_00ff_00ff_00ff;
    value = (value | value >> 8) & 0x0000_ffff_0000_ffff;
    let value = ((value | value >> 16) & 0xffff_ffff) as u32;
    (value, digits & HIGH | HIGH & !(decimal | letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_have_distinct_keys() {
        let mut ids = NonHexIds::default();
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
        let keys: Vec<SpanKey> = spans.iter().map(|text| ids.span_key(text)).collect();
        for (text, key) in spans.iter().zip(&keys) {
            assert_eq!(ids.span_text(*key), *text);
            assert_eq!(ids.find_span(text), Some(*key));
            assert_eq!(keys.iter().filter(|other| *other == key).count(), 1);
        }
        assert!(!keys.contains(&SpanKey::NONE));
        for text in ["ffffffffffffffffffffffffffffffff", "0af7651916cd43dd8448eb211c80319c", "x"] {
            let key = ids.trace_key(text);
            assert_eq!(ids.trace_text(key), text);
            assert_eq!(ids.find_trace(text), Some(key));
        }
        assert_eq!(ids.find_span("never seen"), None);
    }

    #[test]
    fn only_lower_case_hex_digits_are_numbers() {
        for byte in 0..=255_u8 {
            for place in [0, 7, 8, 15] {
                let mut id = *b"0123456789abcdef";
                id[place] = byte;
                let expected = std::str::from_utf8(&id).ok().filter(|_| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                let expected = expected.map(|id| u128::from_str_radix(id, 16).expect("hex digits"));
                assert_eq!(hex::<16>(&id), expected, "{byte} in {place}");
            }
        }
        let long = b"0af7651916cd43dd8448eb211c80319c";
        assert_eq!(hex::<32>(long), Some(0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c));
        assert_eq!(hex::<16>(long), None);
    }
}

//! Evaluates an attribute condition: on the attributes of one span, or on the profiles of all spans.
//!
//! Not here: the condition itself (`attribute`), reading the spans that the index can't decide (`search`).

use crate::index::{Bits, Decided, Index, Profiles, UNKNOWN_PROFILE};
use quipu_model::decimal::read_f64;
use quipu_model::recorded::{RawJson, entries};
use quipu_protocol::filter::attribute::{AttributeTest, ValueTest};
use quipu_protocol::filter::order::Order;
use quipu_protocol::filter::pattern::{TextMatcher, TextTest};

/// Parses `7`, `-0.5`, `1e3`; but not `inf`, nor a number with blanks around it.
fn number(text: &str) -> Option<f64> {
    let has_digit = text.bytes().any(|byte| byte.is_ascii_digit());
    if has_digit { read_f64(text).filter(|number| number.is_finite()) } else { None }
}

/// A test prepared for many comparisons.
enum PreparedTest<'a> {
    Text(TextMatcher<'a>),
    Number(Order, f64),
}

impl PreparedTest<'_> {
    fn holds(&self, value: RawJson<'_>) -> bool {
        match self {
            PreparedTest::Text(TextMatcher::Present) => true,
            PreparedTest::Text(TextMatcher::Is(wanted)) => is(value, wanted),
            PreparedTest::Text(TextMatcher::IsNot(wanted)) => !is(value, wanted),
            PreparedTest::Text(matcher) => matcher.holds(&value.as_str().unwrap_or_else(|| value.as_written())),
            PreparedTest::Number(order, than) => {
                let text = value.as_str().or_else(|| value.as_number_text().map(Into::into));
                text.and_then(|text| number(&text)).is_some_and(|number| order.holds(number, *than))
            }
        }
    }
}

/// Whether a value equals the text. Numbers are equal by value, however they are written.
fn is(value: RawJson<'_>, wanted: &str) -> bool {
    if let Some(text) = value.as_str() {
        return text == wanted;
    }
    let written = value.as_written();
    // Integers are compared by their digits, because floats would lose some.
    let is_whole = |text: &str| text.strip_prefix('-').unwrap_or(text).bytes().all(|byte| byte.is_ascii_digit());
    written == wanted
        || (!(is_whole(&written) && is_whole(wanted))
            && value.as_number_text().is_some()
            && number(&written).is_some_and(|one| number(wanted) == Some(one)))
}

/// What a profile says about the condition.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    No,
    Yes,
    /// Undecided: the spans must be read. Spans with the wanted string have these hints.
    Open(u32),
}

fn ready(test: &AttributeTest) -> PreparedTest<'_> {
    match &test.test {
        ValueTest::Text(text) => PreparedTest::Text(text.matcher()),
        ValueTest::Number(order, than) => PreparedTest::Number(*order, number(than.text()).unwrap_or(f64::NAN)),
    }
}

/// Whether the condition holds for these attributes. With a duplicate key, either value may match.
pub(crate) fn attribute_holds(test: &AttributeTest, attributes: &[u8]) -> bool {
    // A byte search is several times faster than parsing. It misses only keys written with escapes.
    let is_plain = test.key.bytes().all(|byte| (0x20..0x7f).contains(&byte) && !matches!(byte, b'"' | b'\\' | b'/'));
    if is_plain && memchr::memmem::find(attributes, test.key.as_bytes()).is_none() && memchr::memchr(b'\\', attributes).is_none() {
        return false;
    }
    let ready = ready(test);
    entries(attributes).flatten().any(|(key, value)| key == test.key.as_str() && ready.holds(value))
}

/// Evaluates the condition on all profiles, by span row; undecided spans have to be read.
pub(crate) fn prejudge_attribute(test: &AttributeTest, index: &Index) -> Decided {
    let profiles = index.profiles();
    let verdicts = verdicts(test, profiles);
    let of = |wanted: fn(&Verdict) -> bool| {
        let profiles_so = Bits::collect(verdicts.len(), verdicts.iter().map(wanted));
        Bits::collect(index.span_count(), profiles.iter().map(|profile| profiles_so.has(profile.into())))
    };
    let yes = of(|verdict| *verdict == Verdict::Yes);
    if !verdicts.iter().any(|verdict| matches!(verdict, Verdict::Open(_))) {
        return Decided::known(yes);
    }
    let mut open = of(|verdict| matches!(verdict, Verdict::Open(_)));
    let hints = |profile: u16| match verdicts.get(usize::from(profile)) {
        Some(Verdict::Open(hints)) => *hints,
        _ => 0,
    };
    let ruled_out: Vec<u32> = open.iter().filter(|row| !profiles.may_hold(*row, hints(profiles.of(*row)))).collect();
    ruled_out.into_iter().for_each(|row| open.remove(row));
    open.or(&yes);
    Decided { yes, maybe: open }
}

fn verdicts(test: &AttributeTest, profiles: &Profiles) -> Vec<Verdict> {
    let ready = ready(test);
    let hints = match &test.test {
        ValueTest::Text(TextTest::Is(text)) => profiles.hint_of(&test.key, text.as_bytes()),
        _ => 0,
    };
    let is_present = matches!(&test.test, ValueTest::Text(TextTest::Present));
    let of = |number: usize| {
        let profile = u16::try_from(number).unwrap_or(UNKNOWN_PROFILE);
        if profile == UNKNOWN_PROFILE {
            return Verdict::Open(0);
        }
        let mut all = Verdict::No;
        for entry in profiles.entries(profile).filter(|entry| entry.key == test.key) {
            match entry.value {
                Some(value) if ready.holds(RawJson::from_written(value)) => return Verdict::Yes,
                None if is_present => return Verdict::Yes,
                None => all = Verdict::Open(hints),
                Some(_) => {}
            }
        }
        all
    };
    (0..profiles.len()).map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::number;
    use proptest::prelude::*;
    use quipu_protocol::filter::attribute::is_number;

    #[test]
    fn only_plain_decimal_notation_is_a_number() {
        for text in ["7", "-0.5", "+1e3", "1.", ".5", "1E-400", "0e999", "00012", "9e307"] {
            assert!(is_number(text) && number(text).is_some(), "{text}");
        }
        for text in [
            "",
            "-",
            ".",
            "e5",
            "1e",
            "1e+",
            "0e-",
            "--1",
            "inf",
            "nan",
            "0x1",
            "1 ",
            "1_0",
            "1e400",
            "1e99999999999999999999",
            "١",
        ] {
            assert!(!is_number(text), "{text}");
            assert_eq!(number(text).filter(|number| number.is_finite()), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_byte_search_agrees_with_parsing(text in "[-+]{0,2}[0-9]{0,4}[.]{0,2}[0-9]{0,3}([eE][-+]?[0-9]{0,4})?|.{0,6}") {
            // They may differ only near the largest float.
            let read = number(&text).filter(|number| number.abs() < 1e307);
            prop_assert!(read.is_none() || is_number(&text));
            prop_assert!(!is_number(&text) || number(&text).is_some());
        }
    }
}

//! What the index knows of a condition on one attribute, without reading the file.
//!
//! What is not here: reading the spans that the index leaves open (`search`).

use crate::index::{Bits, Decided, Index, Profiles, UNKNOWN_PROFILE};
use quipu_model::recorded::RawJson;
use quipu_protocol::filter::AttributeTest;
use quipu_protocol::filter::attribute::ValueTest;
use quipu_protocol::filter::pattern::TextTest;

/// What a profile tells.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    No,
    Yes,
    /// The spans must be read; those that hold the wanted text have these hints.
    Open(u32),
}

/// What the index tells of the spans, by row; what it leaves open has to be read.
pub(crate) fn prejudge(test: &AttributeTest, index: &Index) -> Decided {
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
    let ready = test.ready();
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

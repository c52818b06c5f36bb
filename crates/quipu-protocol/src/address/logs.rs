//! The view state of the list of log records, and its URL parameters.

use super::keys::{Key, set};
use super::percent::encode;
use crate::LogId;
use quipu_model::LogSeverity;

/// The view state of the list of log records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogView {
    /// Only records this filter matches; empty for all.
    pub filter: String,
    /// Only records of this severity or above.
    pub min_severity: Option<LogSeverity>,
    /// The first record comes first.
    pub oldest_first: bool,
    /// The record that is shown in full.
    pub log: Option<LogId>,
}

impl LogView {
    /// What the list is made of, without the record that is shown in full.
    #[must_use]
    pub fn rows(&self) -> LogView {
        LogView { log: None, ..self.clone() }
    }
}

/// The URL parameters. The trace list has a filter of its own, which addresses of all screens keep.
pub(super) const KEYS: &[Key<LogView>] = &[
    Key::new(
        "where",
        |view| (!view.filter.is_empty()).then(|| encode(&view.filter)),
        |view, text| {
            text.clone_into(&mut view.filter);
            true
        },
    ),
    Key::new(
        "severity",
        |view| view.min_severity.map(|severity| severity.label().into()),
        |view, name| set(&mut view.min_severity, LogSeverity::from_name(name).map(Some)),
    ),
    Key::new(
        "order",
        |view| view.oldest_first.then(|| "oldest".into()),
        |view, word| match word {
            "oldest" => set(&mut view.oldest_first, Some(true)),
            _ => false,
        },
    ),
    Key::new("log", |view| view.log.map(LogId::text), |view, id| set(&mut view.log, LogId::from_text(id).map(Some))),
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::address) fn any_logs() -> impl Strategy<Value = LogView> {
        let severity = prop::option::of(prop::sample::select(&LogSeverity::ALL[..]));
        let log = prop::option::of(prop_oneof![any::<i64>().prop_map(LogId::Event), any::<i64>().prop_map(LogId::Record)]);
        (".*", severity, any::<bool>(), log).prop_map(|(filter, min_severity, oldest_first, log)| LogView {
            filter,
            min_severity,
            oldest_first,
            log,
        })
    }
}

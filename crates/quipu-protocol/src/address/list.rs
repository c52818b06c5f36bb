//! The view state of the trace list, and its URL parameters.

use super::keys::{Key, set};
use super::percent::{decode, encode};
use crate::ColumnSet;
use crate::{GroupBy, TraceOrder};

/// The view state of the trace list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListView {
    /// The sort order.
    pub order: TraceOrder,
    /// Whether only traces with a failed span are listed.
    pub failed_only: bool,
    /// The filter as typed; empty for all traces.
    pub filter: String,
    /// Whether to list the spans that contain the filter's text instead of traces.
    pub hits: bool,
    /// How traces are grouped.
    pub group: Option<GroupBy>,
    /// Keys of open groups; empty without grouping.
    pub open: Vec<String>,
    /// The selected columns.
    pub columns: ColumnSet,
    /// Whether the scatter plot is shown above the list.
    pub chart: bool,
}

/// The URL parameters. Groups can only be open if the list is grouped: see [`check`].
pub(super) const KEYS: &[Key<ListView>] = &[
    Key::new(
        "filter",
        |list| (!list.filter.is_empty()).then(|| encode(&list.filter)),
        |list, filter| set(&mut list.filter, Some(filter.into())),
    ),
    Key::new(
        "list",
        |list| list.hits.then(|| "hits".into()),
        |list, word| match word {
            "hits" => set(&mut list.hits, Some(true)),
            "traces" => set(&mut list.hits, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "show",
        |list| list.failed_only.then(|| "failed".into()),
        |list, word| match word {
            "failed" => set(&mut list.failed_only, Some(true)),
            "all" => set(&mut list.failed_only, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "sort",
        |list| (list.order != TraceOrder::NEWEST).then(|| list.order.name()),
        |list, name| set(&mut list.order, TraceOrder::from_name(name)),
    ),
    Key::new("group", |list| list.group.map(|by| by.name().into()), |list, name| set(&mut list.group, GroupBy::from_name(name).map(Some))),
    // The commas between group keys are not encoded, those in them are.
    Key::raw(
        "open",
        |list| {
            let open: Vec<String> = list.open.iter().map(|key| encode(key)).collect();
            (list.group.is_some() && !open.is_empty()).then(|| open.join(","))
        },
        |list, keys| set(&mut list.open, keys.split(',').map(decode).collect()),
    ),
    Key::new(
        "columns",
        |list| (list.columns != ColumnSet::default()).then(|| list.columns.text()),
        |list, names| set(&mut list.columns, ColumnSet::from_text(names)),
    ),
    Key::new(
        "chart",
        |list| (!list.chart).then(|| "off".into()),
        |list, word| match word {
            "on" => set(&mut list.chart, Some(true)),
            "off" => set(&mut list.chart, Some(false)),
            _ => false,
        },
    ),
];

/// Fixes inconsistent combinations.
pub(super) fn check(list: &mut ListView) {
    if list.group.is_none() {
        list.open.clear();
    }
}

impl Default for ListView {
    fn default() -> ListView {
        ListView {
            order: TraceOrder::NEWEST,
            failed_only: false,
            filter: String::new(),
            hits: false,
            group: None,
            open: Vec::new(),
            columns: ColumnSet::default(),
            chart: true,
        }
    }
}

impl ListView {
    /// The state that determines the rows, without their presentation: lists with equal `rows` have the same rows.
    pub fn rows(&self) -> ListView {
        ListView { hits: false, columns: ColumnSet::default(), chart: true, ..self.clone() }
    }

    /// The same presentation without filters.
    pub fn cleared(&self) -> ListView {
        ListView { columns: self.columns, chart: self.chart, ..ListView::default() }
    }

    /// Opens or closes the group with this key.
    pub fn toggle_group(&mut self, key: &str) {
        let before = self.open.len();
        self.open.retain(|open| open != key);
        if self.open.len() == before {
            self.open.push(key.to_owned());
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ListColumn;
    use proptest::prelude::*;

    pub(in crate::address) fn any_list() -> impl Strategy<Value = ListView> {
        let order =
            (prop::sample::select(&ListColumn::ALL[..]), any::<bool>()).prop_map(|(column, descending)| TraceOrder { column, descending });
        let group = prop::option::of((prop::sample::select(&[GroupBy::Session, GroupBy::Turn][..]), prop::collection::vec(".*", 0..4)));
        let columns = prop::collection::vec(prop::sample::select(&ListColumn::ALL[..]), 0..9)
            .prop_map(|toggled| toggled.into_iter().fold(ColumnSet::default(), ColumnSet::toggled));
        (any::<bool>(), order, ".*", any::<bool>(), group, columns, any::<bool>()).prop_map(
            |(failed_only, order, filter, hits, group, columns, chart)| {
                let (group, open) = group.map_or((None, Vec::new()), |(by, open)| (Some(by), open));
                ListView { order, failed_only, filter, hits, group, open, columns, chart }
            },
        )
    }
}

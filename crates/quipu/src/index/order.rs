//! Sort orders of lists: one sort key per trace or group for the requested column, then one sort.
//!
//! Not here: which traces are listed (`session`), groups (`groups`).

use super::values::NO_VALUE;
use super::{Dictionary, Index, NO_TIME};
use quipu_model::TokenTotals;
use quipu_model::fold::folded;
use quipu_protocol::{GroupBy, ListColumn, TraceOrder};

/// The rank of each string in alphabetical order, ignoring case first; by number.
pub(super) fn ranks<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut order: Vec<(String, &str, u32)> = texts.zip(0..).map(|(text, number)| (folded(text), text, number)).collect();
    quipu_model::ordered::sort_by(&mut order, |one, other| one.cmp(other));
    let mut ranks = vec![0; order.len()];
    for ((_, _, number), rank) in order.iter().zip(0..) {
        if let Some(place) = ranks.get_mut(*number as usize) {
            *place = rank;
        }
    }
    ranks
}

/// Maps a time to an integer with the same order.
pub(super) fn time_key(at: i64) -> Option<u64> {
    (at != NO_TIME).then_some(at.cast_unsigned() ^ 1 << 63)
}

pub(super) fn token_key(column: ListColumn, tokens: &TokenTotals) -> Option<u64> {
    match column {
        ListColumn::Prompt => tokens.prompt,
        ListColumn::Completion => tokens.completion,
        ListColumn::Cost => tokens.cost.map(|cost| cost.nanos),
        _ => tokens.total,
    }
}

/// Stable sort by `key`; unknown values come last in either direction.
pub(super) fn sort_by_key(items: &mut Vec<u32>, descending: bool, mut key: impl FnMut(u32) -> Option<u64>) {
    let mut keyed: Vec<(u64, u32, u32)> = Vec::with_capacity(items.len());
    for (place, item) in (0..).zip(items.iter()) {
        let key = match key(*item) {
            None => u64::MAX,
            Some(key) if descending => (!key).saturating_sub(1),
            Some(key) => key.min(u64::MAX - 1),
        };
        keyed.push((key, place, *item));
    }
    keyed.sort_unstable();
    items.clear();
    items.extend(keyed.into_iter().map(|(_, _, item)| item));
}

impl Index {
    /// All traces in an order. For complete indexes only.
    pub(crate) fn sorted_traces(&self, order: TraceOrder) -> Vec<u32> {
        let mut traces = self.newest.clone();
        if order == TraceOrder::NEWEST {
            return traces;
        }
        let facets = &self.facets;
        let values = &self.values;
        let by_value = |traces: &mut Vec<u32>, values: &super::values::TraceValues, dictionary: &Dictionary| {
            let ranks = ranks(dictionary.texts());
            let key = |trace| ranks.get(values.first(trace).unwrap_or(NO_VALUE) as usize).map(|rank| u64::from(*rank));
            sort_by_key(traces, order.descending, key);
        };
        match order.column {
            // Read from the file for visible rows only, so the index can't sort by it.
            ListColumn::Asked => {}
            ListColumn::Model => by_value(&mut traces, &values.model, &facets.model.values),
            ListColumn::Session => by_value(&mut traces, &values.session, &facets.session.values),
            ListColumn::Turn => by_value(&mut traces, &values.turn, &facets.turn.values),
            ListColumn::Agent => by_value(&mut traces, &values.agent, &facets.agent.values),
            ListColumn::Service => by_value(&mut traces, &values.service, self.services()),
            ListColumn::Name => {
                let ranks = ranks(self.names.iter());
                let name = |trace| Some(*self.spans.name.at(self.traces.at(trace).root?));
                sort_by_key(&mut traces, order.descending, |trace| ranks.get(name(trace)? as usize).map(|rank| u64::from(*rank)));
            }
            ListColumn::Prompt | ListColumn::Completion | ListColumn::Tokens | ListColumn::Cost => {
                sort_by_key(&mut traces, order.descending, |trace| token_key(order.column, &self.trace_tokens(trace)));
            }
            column => sort_by_key(&mut traces, order.descending, |trace| {
                let trace = self.traces.at(trace);
                match column {
                    ListColumn::Start => time_key(trace.utc_start()),
                    ListColumn::Duration => trace.duration(),
                    ListColumn::Spans => Some(trace.spans.into()),
                    ListColumn::Failed => Some(trace.failed.into()),
                    _ => Some(trace.requests.into()),
                }
            }),
        }
        traces
    }

    /// The values that traces are grouped by.
    pub(super) fn grouped_by(&self, by: GroupBy) -> (&super::values::TraceValues, &Dictionary) {
        match by {
            GroupBy::Session => (&self.values.session, &self.facets.session.values),
            GroupBy::Turn => (&self.values.turn, &self.facets.turn.values),
        }
    }
}

//! Statistics and flame graphs of one trace, from its columns.
//!
//! What is not here: the arithmetic, which is `view`.

use crate::model::SpanMarks;
use crate::protocol::TraceColumns;
use crate::view::{
    FlameGraph, FlameOrder, FlameSpans, FlameWeight, FlameWindow, NameStatistics, Spans, Times, flame_graph, name_statistics,
};

/// Tokens by row, where the total is known.
fn tokens(columns: &TraceColumns) -> Vec<(u32, u64)> {
    columns.tokens.iter().filter_map(|(row, record)| Some((*row, record.total?.tokens))).collect()
}

pub(super) fn statistics(columns: &TraceColumns) -> Vec<NameStatistics> {
    let failed = |row: u32| columns.marks.get(row as usize).is_some_and(|marks| marks.has(SpanMarks::FAILED));
    name_statistics(Spans { times: Times::of(columns), name: &columns.name, names: &columns.names }, failed, &tokens(columns))
}

pub(super) fn flame(columns: &TraceColumns, order: &FlameOrder, weight: FlameWeight, window: FlameWindow) -> FlameGraph {
    let failed: Vec<bool> = columns.marks.iter().map(|marks| marks.has(SpanMarks::FAILED)).collect();
    let focus = match order {
        FlameOrder::Callers(name) | FlameOrder::Callees(name) => columns.names.iter().position(|found| found == name),
        FlameOrder::Time | FlameOrder::LeftHeavy => None,
    };
    let focus = focus.and_then(|focus| u32::try_from(focus).ok());
    let spans = FlameSpans { times: Times::of(columns), name: &columns.name, failed: &failed, tokens: &tokens(columns) };
    flame_graph(spans, order, focus, weight, window)
}

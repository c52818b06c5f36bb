//! Statistics and flame graphs of a trace, from its columns and the usage of its requests.
//!
//! Not here: the computation (`view`).

use super::Session;
use quipu_model::SpanFlags;
use quipu_model::number::narrow;
use quipu_protocol::FlameWeight;
use quipu_protocol::TraceColumns;
use quipu_ui::view::{FlameGraph, FlameOrder, FlameSpans, FlameWindow, NameStatistics, Spans, Times, Usage, flame_graph, name_statistics};

impl Session {
    /// Tokens and costs of the inference requests among these spans.
    pub(super) fn usage(&self, columns: &TraceColumns) -> Usage {
        let tokens = columns.tokens.iter().filter_map(|(row, record)| Some((*row, record.total?.tokens))).collect();
        let cost = |row: u32| self.index.cost_of(self.index.find_span(&columns.span_id.get(row as usize)?)?);
        // A request without any token count has an unknown cost.
        let is_request = |row: &u32| columns.flags.get(*row as usize).is_some_and(|flags| flags.has(SpanFlags::INFERENCE_REQUEST));
        let requests = (0..narrow(columns.len())).filter(is_request);
        let costs = if self.prices.is_empty() { Vec::new() } else { requests.map(|row| (row, cost(row))).collect() };
        Usage { tokens, costs }
    }
}

pub(super) fn statistics(columns: &TraceColumns, usage: &Usage) -> Vec<NameStatistics> {
    let failed = |row: u32| columns.flags.get(row as usize).is_some_and(|flags| flags.has(SpanFlags::FAILED));
    name_statistics(Spans { times: Times::of(columns), name: &columns.name, names: &columns.names }, failed, usage)
}

pub(super) fn flame(columns: &TraceColumns, usage: &Usage, order: &FlameOrder, weight: FlameWeight, window: FlameWindow) -> FlameGraph {
    let failed: Vec<bool> = columns.flags.iter().map(|flags| flags.has(SpanFlags::FAILED)).collect();
    let focus = match order {
        FlameOrder::Callers(name) | FlameOrder::Callees(name) => columns.names.iter().position(|found| found == name),
        FlameOrder::Time | FlameOrder::LeftHeavy => None,
    };
    let focus = focus.and_then(|focus| u32::try_from(focus).ok());
    let spans = FlameSpans { times: Times::of(columns), name: &columns.name, failed: &failed, usage };
    flame_graph(spans, order, focus, weight, window)
}

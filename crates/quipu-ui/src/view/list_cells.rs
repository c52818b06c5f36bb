//! The text of cells in the trace list and of group rows.
//!
//! Times depend on the user's time zone and names are links; the page renders those cells.

use quipu_model::format::{DASH, cost_text, count, counted, duration_text};
use quipu_protocol::{GroupBy, GroupRow, ListColumn, TraceRow};

/// The text of a cell; empty for start and name.
pub fn cell_text(row: &TraceRow, column: ListColumn) -> String {
    let number = |number: Option<u64>| number.map_or_else(|| DASH.into(), count);
    let tokens = |part: fn(&quipu_model::TokenTotals) -> Option<u64>| number(row.tokens.as_ref().and_then(part));
    // A missing value is shown as empty, not as unknown.
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    match column {
        ListColumn::Start | ListColumn::Name => String::new(),
        // Before indexing, nothing is known yet; the group without a key has no first trace.
        ListColumn::Asked if row.spans.is_none() || row.group.as_ref().is_some_and(|group| group.key.is_empty()) => String::new(),
        ListColumn::Asked => row.asked.clone().unwrap_or_else(|| DASH.into()),
        ListColumn::Duration => duration_text(row.duration_nanos),
        ListColumn::Spans => number(row.spans.map(u64::from)),
        ListColumn::Failed if row.failed == Some(0) => String::new(),
        ListColumn::Failed => number(row.failed.map(u64::from)),
        ListColumn::Requests => row.requests.filter(|requests| *requests > 1).map_or_else(String::new, |requests| count(requests.into())),
        ListColumn::Prompt => tokens(|totals| totals.prompt),
        ListColumn::Completion => tokens(|totals| totals.completion),
        ListColumn::Tokens => tokens(|totals| totals.total),
        ListColumn::Cost => cost_text(row.tokens.and_then(|totals| totals.cost)),
        ListColumn::Model if row.more_models > 0 => format!("{} +{}", text(&row.model), count(row.more_models.into())),
        ListColumn::Model => text(&row.model),
        ListColumn::Session => text(&row.session),
        ListColumn::Turn => text(&row.turn),
        ListColumn::Agent => text(&row.agent),
        ListColumn::Service if row.more_services > 0 => format!("{} +{}", text(&row.service), count(row.more_services.into())),
        ListColumn::Service => text(&row.service),
    }
}

/// The label of a group (its key, or that it has none), and its size: `3 traces, 1 failed`.
pub fn group_text(group: &GroupRow, by: GroupBy) -> (String, String) {
    let key = if group.key.is_empty() { format!("No {}", by.name()) } else { group.key.clone() };
    let mut traces = counted(Some(group.traces.into()), "trace", "traces");
    if group.failed_traces > 0 {
        traces += &format!(", {} failed", count(group.failed_traces.into()));
    }
    (key, traces)
}

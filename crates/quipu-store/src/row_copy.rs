//! Copies rows between two files in Quipu's own layout as they are stored, with the numbers that they refer to each other by.

use super::database::Database;
use super::error::StoreError;
use super::layout::id;
use super::writer::Writer;

/// Tables, and which of their rows belong to the span in row `?1`.
const OF_SPAN: [(&str, &str); 6] = [
    ("quipu_spans", "id = ?1"),
    ("quipu_events", "span_row = ?1"),
    ("quipu_log_records", "id IN (SELECT log_id FROM main.quipu_events WHERE span_row = ?1)"),
    (
        "quipu_names",
        "id IN (SELECT name_id FROM main.quipu_spans WHERE id = ?1 UNION SELECT name_id FROM main.quipu_events WHERE span_row = ?1)",
    ),
    ("quipu_scopes", SCOPES_OF_SPAN),
    ("quipu_resources", RESOURCES_OF_SPAN),
];
const SCOPES_OF_SPAN: &str = "id IN (SELECT source_id FROM main.quipu_spans WHERE id = ?1 UNION SELECT l.source_id FROM main.quipu_events e \
    JOIN main.quipu_log_records l ON l.id = e.log_id WHERE e.span_row = ?1)";
const RESOURCES_OF_SPAN: &str = "id IN (SELECT c.resource_id FROM main.quipu_scopes c WHERE c.id IN (SELECT source_id FROM main.quipu_spans \
    WHERE id = ?1 UNION SELECT l.source_id FROM main.quipu_events e JOIN main.quipu_log_records l ON l.id = e.log_id WHERE e.span_row = ?1))";
/// Tables, and which of their rows belong to the trace in row `?1` without belonging to a span.
const OF_TRACE: [(&str, &str); 3] = [
    ("quipu_log_records", RECORDS_OF_TRACE),
    ("quipu_scopes", SCOPES_OF_TRACE),
    ("quipu_resources", RESOURCES_OF_TRACE),
];
/// The condition of the index `quipu_log_records_trace` is in it, so that it is used.
macro_rules! records_of_trace {
    () => {
        concat!(
            "span_row IS NULL AND trace_id IS NOT NULL AND trace_id = (SELECT ",
            id!("t.trace_id"),
            " FROM main.quipu_traces t WHERE t.id = ?1)"
        )
    };
}
const RECORDS_OF_TRACE: &str = records_of_trace!();
const SCOPES_OF_TRACE: &str = concat!("id IN (SELECT source_id FROM main.quipu_log_records WHERE ", records_of_trace!(), ")");
const RESOURCES_OF_TRACE: &str = concat!(
    "id IN (SELECT c.resource_id FROM main.quipu_scopes c WHERE c.id IN (SELECT source_id FROM main.quipu_log_records WHERE ",
    records_of_trace!(),
    "))"
);
/// Tables with rows that belong to no span.
const OTHERS: [&str; 5] = ["quipu_log_records", "quipu_metric_points", "quipu_names", "quipu_scopes", "quipu_resources"];

/// Copies the span in a row with all that it refers to. Returns whether it was copied, and the number of its events.
///
/// # Errors
/// When the rows can't be read, or the copy not be written.
pub fn copy_span(from: &Database, row: i64, to: &mut Writer) -> Result<(bool, u64), StoreError> {
    let mut counts = [0; 2];
    for (place, (table, condition)) in OF_SPAN.into_iter().enumerate() {
        let count = to.copy_stored(from.connection(), table, condition, row)?;
        if let Some(known) = counts.get_mut(place) {
            *known = count;
        }
    }
    let [spans, events] = counts;
    Ok((spans > 0, events))
}

/// Copies a row of `quipu_traces`, and the log records that name the trace and none of its spans. Returns whether there was one.
///
/// # Errors
/// As for [`copy_span`].
pub fn copy_trace(from: &Database, row: i64, to: &mut Writer) -> Result<bool, StoreError> {
    for (table, condition) in OF_TRACE {
        to.copy_stored(from.connection(), table, condition, row)?;
    }
    to.copy_stored(from.connection(), "quipu_names", "id IN (SELECT service_id FROM main.quipu_traces WHERE id = ?1)", row)?;
    Ok(to.copy_stored(from.connection(), "quipu_traces", "id = ?1", row)? > 0)
}

/// Copies everything that belongs to no span.
///
/// # Errors
/// As for [`copy_span`].
pub fn copy_others(from: &Database, to: &mut Writer) -> Result<(), StoreError> {
    OTHERS.into_iter().try_for_each(|table| to.copy_stored(from.connection(), table, "?1 = ?1", 0).map(drop))
}

//! The first rows of the trace list, before the index exists: the newest rows of `traces`, named by the spans written last.

use crate::index::zone_offset;
use quipu_model::RecordedTime;
use quipu_model::dialect::kind_of_name;
use quipu_model::number::narrow;
use quipu_protocol::{TracePage, TraceQuery, TraceRow};
use quipu_store::{Database, NewestTrace, StoreError, newest_spans, newest_traces};
use std::collections::HashMap;

/// Maximum number of rows that can be requested before the index is complete.
pub(super) const MAX_ROWS: u32 = 2_000;
/// Number of spans searched for the names of roots.
const MAX_SPANS: u32 = 1_200;

/// A page of the newest traces; its total is unknown.
pub(super) fn newest(database: &Database, query: &TraceQuery) -> Result<TracePage, StoreError> {
    let (connection, schema) = (database.connection(), database.schema());
    let mut rows = Vec::new();
    let mut recorded = Vec::new();
    newest_traces(connection, schema, query.offset, query.limit.min(500), |row| {
        recorded.push(row.root_span_id.as_deref().map(str::to_owned));
        rows.push(trace_row(&row));
    })?;
    if query.offset == 0 {
        let wanted: HashMap<String, usize> = rows.iter().enumerate().map(|(at, row)| (row.trace_id.clone(), at)).collect();
        newest_spans(connection, schema, MAX_SPANS, |span_id, trace_id, parent, name| {
            let Some(at) = trace_id.and_then(|id| wanted.get(id.as_ref()).copied()) else { return };
            let (Some(row), Some(recorded)) = (rows.get_mut(at), recorded.get(at)) else { return };
            let is_recorded = recorded.is_some() && recorded.as_deref() == span_id.as_deref();
            // A span without a parent is the root, whatever `traces` says: the recorded root may be nested.
            if parent.is_none() || (is_recorded && row.root_name.is_none()) {
                row.root_name = name.map(|name| name.into_owned());
                row.root_kind = row.root_name.as_deref().map(kind_of_name);
            }
        })?;
    }
    Ok(TracePage { query: query.clone(), total: None, so_far: narrow(rows.len()), traces: narrow(rows.len()), rows })
}

fn trace_row(row: &NewestTrace<'_>) -> TraceRow {
    let read = |text: &Option<std::borrow::Cow<'_, str>>| text.as_deref().and_then(|text| RecordedTime::parse(text).ok());
    let (start, end) = (read(&row.start), read(&row.end));
    let offset = match (start, read(&row.created_at)) {
        (Some(start), Some(created)) if !start.zoned => zone_offset(start.at.0, created.at.0).unwrap_or(0),
        _ => 0,
    };
    TraceRow {
        trace_id: row.trace_id.as_deref().unwrap_or_default().to_owned(),
        start: start.map(|start| start.instant(i32::from(offset))),
        duration_nanos: start.zip(end).and_then(|(start, end)| u64::try_from(end.at.nanos_since(start.at)).ok()),
        ..TraceRow::default()
    }
}

//! Spans with everything that is recorded about them, for what leaves a file.
//!
//! Not here: redaction (`outgoing`), and the formats (`transfer`).

use super::Session;
use crate::transfer::Source;
use quipu_model::Value;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::{json_text, parse_json};
use quipu_model::{EventRecord, SpanExtra};
use quipu_otlp::FullSpan;
use quipu_protocol::Failure;
use quipu_store::{event_record, is_log_event, source, span_extra, span_record, trace_record};
use std::collections::HashMap;

/// What becomes of the log records among the events of a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LogEvents {
    /// They leave as events, because log records leave no other way.
    Kept,
    /// They leave as log records.
    LeftOut,
}

/// Cache of resources and scopes, by number.
pub(super) type Sources = HashMap<i64, Source>;

impl Session {
    /// The service name in the trace's row.
    pub(super) fn service_name(&self, trace: u32) -> Result<Option<String>, Failure> {
        let Some(rowid) = self.index.trace_rowid(trace) else { return Ok(None) };
        let row = self.database.bounded(|| trace_record(self.database.connection(), self.database.schema(), rowid))?;
        Ok(row.and_then(|row| row.service_name))
    }

    /// A span with everything that is recorded about it; `None` if it is no longer in the file. `sources` caches resources and scopes.
    pub(super) fn full_span(&self, row: u32, logs: LogEvents, sources: &mut Sources) -> Result<Option<FullSpan>, Failure> {
        let (database, index) = (&self.database, &self.index);
        let (connection, schema) = (database.connection(), database.schema());
        let Some(span) = database.bounded(|| span_record(connection, schema, index.rowid_of(row)))? else { return Ok(None) };
        let mut ids: Vec<i64> = index.event_ids(row).collect();
        sort_by_key(&mut ids, |id| *id);
        let mut events: Vec<EventRecord> = Vec::with_capacity(ids.len());
        let mut kept = Vec::with_capacity(ids.len());
        for id in ids {
            kept.push(logs == LogEvents::Kept || !database.bounded(|| is_log_event(connection, schema, id))?);
            if kept.last() == Some(&true) {
                events.extend(database.bounded(|| event_record(connection, schema, id))?);
            }
        }
        let mut extra: SpanExtra = database.bounded(|| span_extra(database, index.rowid_of(row), &span.span_id))?.unwrap_or_default();
        if kept.contains(&false) {
            extra.event_nanos = extra.event_nanos.and_then(|list| among(&list, &kept));
            extra.event_more = extra.event_more.and_then(|list| among(&list, &kept));
        }
        let source = self.source(extra.source, sources)?;
        Ok(Some(FullSpan { span, events, extra, source }))
    }

    /// The resource and scope with this number.
    pub(super) fn source(&self, number: Option<i64>, sources: &mut Sources) -> Result<Source, Failure> {
        let Some(number) = number else { return Ok(None) };
        if let Some(known) = sources.get(&number) {
            return Ok(known.clone());
        }
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let found = self.database.bounded(|| source(connection, schema, number))?;
        sources.insert(number, found.clone());
        Ok(found)
    }
}

/// Of a JSON list with an item for each event, those of the events that are kept.
fn among(list: &str, kept: &[bool]) -> Option<String> {
    let Value::List(items) = parse_json(list)? else { return None };
    let items = items.into_iter().zip(kept).filter(|(_, kept)| **kept).map(|(item, _)| item);
    Some(json_text(&Value::List(items.collect())))
}

/// Bytes of recorded text.
pub(super) fn text_bytes(full: &FullSpan) -> usize {
    let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    of(&full.span.attributes) + full.events.iter().map(|event| of(&event.attributes)).sum::<usize>()
}

//! Copies rows from a file in Quipu's own layout to another, with everything that is recorded of them.

use super::database::Database;
use super::error::StoreError;
use super::extra::{log, source};
use super::writer::{Added, OWN_COLUMNS, OwnEvent, OwnSpan, OwnTrace, Stored, Writer};
use quipu_model::{LogRecord, MetricPoint};
use rusqlite::{Connection, OptionalExtension, Row};
use std::collections::HashMap;

/// Copies spans and traces of one file, and remembers which resources and scopes it has written.
#[derive(Default)]
pub struct OwnCopy {
    sources: HashMap<i64, i64>,
}

const EVENTS: &str = "SELECT (SELECT n.name FROM main.quipu_names n WHERE n.id = name_id), time_unix_nano, attributes, more FROM main.quipu_events \
    WHERE span_row = ?1 AND log_id IS NULL ORDER BY id";
const LOGS: &str = "SELECT l.id, l.trace_id, l.span_id, l.name, l.timestamp, l.time_unix_nano, l.attributes, l.source_id, l.more \
    FROM main.quipu_events e JOIN main.quipu_log_records l ON l.id = e.log_id WHERE e.span_row = ?1 ORDER BY e.id";
const TRACE: &str = "SELECT iif(typeof(trace_id) = 'blob', lower(hex(trace_id)), trace_id), service_name, \
    iif(typeof(root_span_id) = 'blob', lower(hex(root_span_id)), root_span_id), start_unix_nano, end_unix_nano, created_at \
    FROM main.quipu_traces WHERE id = ?1";

fn nanos(row: &Row<'_>, column: usize) -> rusqlite::Result<Option<u64>> {
    Ok(row.get::<_, Option<i64>>(column)?.and_then(|nanos| u64::try_from(nanos).ok()))
}

type Event = (Option<String>, Option<u64>, String, Option<String>);

fn events_of(connection: &Connection, row: i64) -> rusqlite::Result<Vec<Event>> {
    let mut statement = connection.prepare_cached(EVENTS)?;
    let read = |row: &Row<'_>| Ok((row.get(0)?, nanos(row, 1)?, row.get::<_, Option<String>>(2)?.unwrap_or_default(), row.get(3)?));
    statement.query_map([row], read)?.collect()
}

impl OwnCopy {
    /// Copies the span in a row of `quipu_spans` with its events. Returns whether there was one to be copied.
    ///
    /// # Errors
    /// When the row can't be read, or the copy not be written.
    pub fn span(&mut self, from: &Database, row: i64, to: &mut Writer) -> Result<bool, StoreError> {
        let connection = from.connection();
        let sql = format!("SELECT {OWN_COLUMNS} FROM main.quipu_spans WHERE id = ?1");
        let read = |row: &Row<'_>| Ok((text_id(row, 0)?, text_id(row, 1)?, Stored::read(row)?));
        let found = connection.prepare_cached(&sql)?.query_row([row], read).optional()?;
        let Some((trace_id, span_id, mut stored)) = found else { return Ok(false) };
        if let Some(number) = stored.source {
            stored.source = self.source(from, number, to)?;
        }
        let events = events_of(connection, row)?;
        let events = events.iter().map(|(name, time, attributes, more)| OwnEvent {
            name: name.as_deref(),
            time: *time,
            attributes,
            more: more.as_deref(),
        });
        let ids = OwnSpan { trace_id: &trace_id, span_id: &span_id, ..OwnSpan::default() };
        let added = to.add_own_span(&stored.as_span(&ids), &events.collect::<Vec<_>>())?;
        let mut statement = connection.prepare_cached(LOGS)?;
        let logs = statement.query_map([row], |row| Ok(log(row)))?.collect::<rusqlite::Result<Vec<_>>>()?;
        logs.into_iter().try_for_each(|log| self.log(from, log, to))?;
        Ok(matches!(added, Added::Row(_)))
    }

    /// Copies a row of `quipu_traces`. Returns whether there was one.
    ///
    /// # Errors
    /// When the row can't be read, or the copy not be written.
    pub fn trace(&mut self, from: &Database, row: i64, to: &mut Writer) -> Result<bool, StoreError> {
        type Found = (String, Option<String>, Option<String>, Option<u64>, Option<u64>, Option<String>);
        let read = |row: &Row<'_>| -> rusqlite::Result<Found> {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, nanos(row, 3)?, nanos(row, 4)?, row.get(5)?))
        };
        let found = from.connection().prepare_cached(TRACE)?.query_row([row], read).optional()?;
        let Some((trace_id, service, root, start, end, created)) = found else { return Ok(false) };
        let trace = OwnTrace {
            trace_id: &trace_id,
            service_name: service.as_deref(),
            root_span_id: root.as_deref(),
            start,
            end,
            created_at: created.as_deref().unwrap_or_default(),
        };
        to.set_own_trace(&trace)?;
        Ok(true)
    }

    /// Copies a log record that belongs to no span.
    ///
    /// # Errors
    /// When its resource can't be read, or the copy not be written.
    pub fn log(&mut self, from: &Database, log: LogRecord, to: &mut Writer) -> Result<(), StoreError> {
        let source = log.source.map_or(Ok(None), |number| self.source(from, number, to))?;
        to.add_log(&LogRecord { source, ..log }).map(drop)
    }

    /// Copies a metric point.
    ///
    /// # Errors
    /// When its resource can't be read, or the copy not be written.
    pub fn point(&mut self, from: &Database, point: MetricPoint, to: &mut Writer) -> Result<(), StoreError> {
        let source = point.source.map_or(Ok(None), |number| self.source(from, number, to))?;
        to.add_point(&MetricPoint { source, ..point }).map(drop)
    }

    /// Copies a resource and scope, once. Returns their number in the copy.
    ///
    /// # Errors
    /// When they can't be read, or the copy not be written.
    pub fn source(&mut self, from: &Database, number: i64, to: &mut Writer) -> Result<Option<i64>, StoreError> {
        if let Some(known) = self.sources.get(&number) {
            return Ok(Some(*known));
        }
        let Some((resource, scope)) = source(from.connection(), from.schema(), number)? else { return Ok(None) };
        let copy = to.add_source(&resource, &scope)?;
        self.sources.insert(number, copy);
        Ok(Some(copy))
    }
}

fn text_id(row: &Row<'_>, column: usize) -> rusqlite::Result<String> {
    Ok(match row.get_ref(column)? {
        rusqlite::types::ValueRef::Blob(bytes) => quipu_model::encoding::hex(bytes),
        rusqlite::types::ValueRef::Text(text) => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    })
}

//! Writes the tables with data that the reference's schema has no columns for. Each is created with its first row.
//!
//! Not here: where such rows come from (`transfer`).

use super::super::error::StoreError;
use super::super::layout::Layout;
use super::{Writer, tables};
use quipu_model::{LogRecord, MetricPoint, SpanExtra};
use rusqlite::ToSql;

/// One of these tables.
#[derive(Clone, Copy)]
pub(super) enum Extra {
    Sources,
    Spans,
    Logs,
    Points,
}

impl Extra {
    const ALL: usize = 4;

    pub(super) fn statement(self) -> &'static str {
        match self {
            Extra::Sources => "CREATE TABLE IF NOT EXISTS quipu_sources (id INTEGER PRIMARY KEY, resource TEXT, scope TEXT)",
            Extra::Spans => {
                "CREATE TABLE IF NOT EXISTS quipu_span_extra (
                id INTEGER PRIMARY KEY, span_id TEXT, start_unix_nano INTEGER, end_unix_nano INTEGER, status_message TEXT, trace_state TEXT,
                links TEXT, event_unix_nanos TEXT, source_id INTEGER)"
            }
            Extra::Logs => {
                // Records are removed when their span arrives. Row numbers are never reused, so that a push can resume after one.
                "CREATE TABLE IF NOT EXISTS quipu_log_records (
                id INTEGER PRIMARY KEY AUTOINCREMENT, trace_id TEXT, span_id TEXT, name TEXT, timestamp TIMESTAMP, time_unix_nano INTEGER,
                attributes TEXT, source_id INTEGER)"
            }
            Extra::Points => {
                "CREATE TABLE IF NOT EXISTS quipu_metric_points (
                id INTEGER PRIMARY KEY, metric TEXT, unit TEXT, kind TEXT, cumulative INTEGER, monotonic INTEGER,
                start_unix_nano INTEGER, time_unix_nano INTEGER, attributes TEXT, value REAL, count INTEGER, detail TEXT,
                source_id INTEGER)"
            }
        }
    }
}

/// Which of the tables are known to exist.
#[derive(Default)]
pub(super) struct Made([bool; Extra::ALL]);

/// Finds log records by the span they wait for when spans arrive one by one.
const LOG_INDEX: &str = "CREATE INDEX IF NOT EXISTS quipu_log_records_span ON quipu_log_records(span_id) WHERE span_id IS NOT NULL";

/// `i64` nanoseconds reach to the year 2262.
fn integer(number: Option<u64>) -> Option<i64> {
    number.map(|number| i64::try_from(number).unwrap_or(i64::MAX))
}

impl Writer {
    fn make(&mut self, table: Extra) -> Result<(), StoreError> {
        if self.layout == Layout::Quipu || self.has(table) {
            return Ok(());
        }
        self.run(table.statement(), &[])?;
        if self.joins_logs && matches!(table, Extra::Logs) {
            self.run(LOG_INDEX, &[])?;
        }
        self.set_made(table, true);
        Ok(())
    }

    fn has(&self, table: Extra) -> bool {
        self.made.0.get(table as usize).is_some_and(|made| *made)
    }

    fn set_made(&mut self, table: Extra, is_made: bool) {
        if let Some(made) = self.made.0.get_mut(table as usize) {
            *made = is_made;
        }
    }

    /// Checks whether log records are waiting, and from now on converts them to events as soon as their span arrives.
    pub(super) fn join_logs(&mut self) -> Result<(), StoreError> {
        self.joins_logs = true;
        if self.is_there("quipu_log_records")? { self.make(Extra::Logs) } else { Ok(()) }
    }

    pub(super) fn is_there(&self, table: &str) -> Result<bool, StoreError> {
        let look = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = ?1";
        let found: i64 = self.connection.query_row(look, [table], |row| row.get(0)).map_err(|error| self.explain(&error))?;
        Ok(found > 0)
    }

    /// Forgets which tables exist, because their creation was rolled back.
    pub(super) fn reset_made(&mut self) -> Result<(), StoreError> {
        self.made = Made::default();
        if self.joins_logs { self.join_logs() } else { Ok(()) }
    }

    /// Converts the log records that waited for this span to events.
    pub(super) fn take_waiting_logs(&mut self, span_id: &str) -> Result<(), StoreError> {
        if self.joins_logs && self.has(Extra::Logs) && self.run_part(tables::ADD_WAITING_EVENTS, &[&span_id])? {
            self.run("DELETE FROM quipu_log_records WHERE span_id = ?1", &[&span_id])?;
        }
        Ok(())
    }

    /// Adds a resource and a scope, each a JSON object. Returns the number by which rows refer to them.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add_source(&mut self, resource: &str, scope: &str) -> Result<i64, StoreError> {
        if self.layout == Layout::Quipu {
            return self.add_own_source(resource, scope);
        }
        self.make(Extra::Sources)?;
        self.run("INSERT OR ABORT INTO quipu_sources (resource, scope) VALUES (?1, ?2)", &[&resource, &scope])?;
        Ok(self.connection.last_insert_rowid())
    }

    /// Writes additional data of the span in this row of `spans`. Replaces an existing row, which belonged to a deleted span.
    pub fn add_span_extra(&mut self, row: i64, extra: &SpanExtra) -> Result<(), StoreError> {
        self.make(Extra::Spans)?;
        let (start, end) = (integer(extra.start_nanos), integer(extra.end_nanos));
        let (links, nanos) = (&extra.links, &extra.event_nanos);
        let values: [&dyn ToSql; 9] = [
            &row,
            &extra.span_id,
            &start,
            &end,
            &extra.status_message,
            &extra.trace_state,
            links,
            nanos,
            &extra.source,
        ];
        self.run_part("INSERT OR REPLACE INTO quipu_span_extra VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", &values)?;
        Ok(())
    }

    /// Writes a log record: as an event if its span is in the file, otherwise separately until [`settle_logs`](Writer::settle_logs). Returns
    /// whether it was written; a record that the file refuses is counted by [`Writer::take_refused`].
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add_log(&mut self, log: &LogRecord) -> Result<bool, StoreError> {
        if self.layout == Layout::Quipu {
            let outcome = self.add_own_log(log).map(|()| true);
            return self.refused.entry_of(outcome);
        }
        const IF_SPAN: &str = "INSERT OR ABORT INTO span_events (span_id, name, timestamp, attributes)
            SELECT ?1, ?2, ?3, ?4 WHERE EXISTS (SELECT 1 FROM spans WHERE span_id = ?1)";
        if log.span_id.is_some() {
            match self.run(IF_SPAN, &[&log.span_id, &log.name, &log.timestamp, &log.attributes]) {
                Ok(false) => {}
                outcome => return self.refused.entry_of(outcome),
            }
        }
        self.make(Extra::Logs)?;
        let time = integer(log.time_nanos);
        let values: [&dyn ToSql; 7] = [&log.trace_id, &log.span_id, &log.name, &log.timestamp, &time, &log.attributes, &log.source];
        let sql = "INSERT OR ABORT INTO quipu_log_records (trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
        self.run_entry(sql, &values)
    }

    /// Converts log records that arrived before their span to events. Returns the number of records without a span.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn settle_logs(&mut self) -> Result<u64, StoreError> {
        if self.layout == Layout::Quipu {
            // Records of a span that came later were joined when it came.
            let waiting = "SELECT count(*) FROM quipu_log_records WHERE span_row IS NULL";
            let count = self.connection.query_row(waiting, [], |row| row.get::<_, i64>(0));
            return count.map(|left| u64::try_from(left).unwrap_or(0)).map_err(|error| self.explain(&error));
        }
        if !self.has(Extra::Logs) {
            return Ok(0);
        }
        const JOINED: &str = "WHERE span_id IN (SELECT span_id FROM spans)";
        let (sql, count) = (tables::ADD_EVENT_FROM, "SELECT count(*) FROM quipu_log_records");
        let settle = || {
            self.connection
                .execute_batch(&format!("{sql} FROM quipu_log_records {JOINED} ORDER BY id; DELETE FROM quipu_log_records {JOINED};"))?;
            let left: i64 = self.connection.query_row(count, [], |row| row.get(0))?;
            if left == 0 && !self.joins_logs {
                self.connection.execute_batch("DROP TABLE quipu_log_records")?;
            }
            Ok(u64::try_from(left).unwrap_or(0))
        };
        let left = settle().map_err(|error| self.explain(&error))?;
        self.set_made(Extra::Logs, left > 0 || self.joins_logs);
        Ok(left)
    }

    /// Writes a metric point. Returns whether it was written; a point that the file refuses is counted by [`Writer::take_refused`].
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn add_point(&mut self, point: &MetricPoint) -> Result<bool, StoreError> {
        self.make(Extra::Points)?;
        let (start, time, count) = (integer(point.start_nanos), integer(point.time_nanos), integer(point.count));
        let values: [&dyn ToSql; 12] = [
            &point.metric,
            &point.unit,
            &point.kind,
            &point.cumulative,
            &point.monotonic,
            &start,
            &time,
            &point.attributes,
            &point.value,
            &count,
            &point.detail,
            &point.source,
        ];
        let sql = "INSERT OR ABORT INTO quipu_metric_points (metric, unit, kind, cumulative, monotonic, start_unix_nano, time_unix_nano, attributes,
            value, count, detail, source_id) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";
        let is_written = self.run_entry(sql, &values)?;
        if let (true, true, Some(about)) = (is_written, self.layout == Layout::Quipu, &point.about) {
            let row = self.connection.last_insert_rowid();
            let about = self.name(Some(about))?;
            self.run("UPDATE quipu_metric_points SET about_id = ?2 WHERE id = ?1", &[&row, &about])?;
        }
        Ok(is_written)
    }
}

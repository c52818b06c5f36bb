//! Removes the oldest traces, log records and metric points of a file that is to stay within bounds.
//!
//! A trace is removed whole, with its events and the log records of its spans, in steps that are small enough for requests in between. The
//! oldest trace is the one whose last span came first; a pinned one stays. What belongs to no span is removed with the traces of its time.
//! Freed pages are used again by the rows that follow, and can be given back to the system.
//!
//! Only Quipu's own layout knows where the spans of a trace are: Llama Stack's tables would have to be read whole for each step.
//!
//! Not here: how large or how old a file may become, and when a step is due (the collector).

use super::super::error::StoreError;
use super::super::layout::Layout;
use super::Writer;
use super::own::StoredId;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row, ToSql, named_params};
use std::collections::HashSet;
use std::time::Duration;

/// Rows of spans, log records or metric points that one step removes at most, unless a single trace has more.
const STEP: i64 = 20_000;
/// The same, at least.
const LEAST: i64 = 200;
/// Traces that are looked at to find the oldest.
const LOOKED_AT: i64 = 5_000;
/// Spans of one trace that are farther apart are not looked for together with those of others.
const SPREAD: i64 = 50_000;
/// The year 2000. Before it, a clock was not set, which says nothing of the age of a trace.
const CLOCK_WAS_SET: i64 = 946_684_800;

/// Creates the table that says what was removed. It has one row.
const MAKE: &str = "CREATE TABLE IF NOT EXISTS quipu_removed (
    id INTEGER PRIMARY KEY, steps INTEGER, traces INTEGER, spans INTEGER, log_records INTEGER, metric_points INTEGER, until_unix INTEGER)";
const COUNT: &str = "INSERT INTO quipu_removed VALUES (1, 1, ?1, ?2, ?3, ?4, ?5) ON CONFLICT(id) DO UPDATE SET
    steps = steps + 1, traces = traces + ?1, spans = spans + ?2, log_records = log_records + ?3, metric_points = metric_points + ?4,
    until_unix = coalesce(max(until_unix, ?5), until_unix, ?5)";
const OLDEST: &str = "WITH old AS (
        SELECT id, trace_id, coalesce(first_span_row, 0) AS first, coalesce(last_span_row, 0) AS last, created_unix FROM (
            SELECT * FROM quipu_traces WHERE is_pinned IS NULL ORDER BY id LIMIT :looked_at)
        WHERE coalesce(last_span_row, 0) < (SELECT max(id) FROM quipu_spans)
            AND (:before IS NULL OR created_unix >= :clock_was_set AND created_unix < :before))
    SELECT id, trace_id, first, last, created_unix FROM old WHERE last <= (SELECT min(last) FROM old) + :rows ORDER BY last, id";
const SPANS_OF: &str = "SELECT id, trace_id FROM quipu_spans WHERE id BETWEEN ?1 AND ?2";
/// The last row stays, so that its number is not given again.
const OLD_LOGS: &str = "SELECT id, time_unix_nano, span_row FROM quipu_log_records
    WHERE id > ?1 AND id < (SELECT max(id) FROM quipu_log_records) ORDER BY id LIMIT ?2";
const OLD_POINTS: &str = "SELECT id, time_unix_nano, NULL FROM quipu_metric_points
    WHERE id > ?1 AND id < (SELECT max(id) FROM quipu_metric_points) ORDER BY id LIMIT ?2";

/// Numbers of removed rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Log records, those of spans included.
    pub log_records: u64,
    /// Metric points.
    pub metric_points: u64,
}

impl Removed {
    /// Whether nothing was removed.
    pub fn is_empty(&self) -> bool {
        *self == Removed::default()
    }
}

impl std::ops::AddAssign for Removed {
    fn add_assign(&mut self, more: Removed) {
        self.traces += more.traces;
        self.spans += more.spans;
        self.log_records += more.log_records;
        self.metric_points += more.metric_points;
    }
}

/// How large a file is, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileSize {
    /// All of it.
    pub total: u64,
    /// Pages that hold nothing.
    pub free: u64,
}

/// A trace to be removed.
struct Old {
    id: i64,
    key: Key,
    first: i64,
    last: i64,
    created: Option<i64>,
}

/// A trace id as it is stored: whether it is text, and its bytes.
type Key = (bool, Vec<u8>);

fn key(id: ValueRef<'_>) -> Key {
    (matches!(id, ValueRef::Text(_)), id.as_bytes_or_null().ok().flatten().unwrap_or_default().to_vec())
}

impl Writer {
    /// The size of the file.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn file_size(&self) -> Result<FileSize, StoreError> {
        let number = |pragma: &str| -> rusqlite::Result<u64> {
            self.connection.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
        };
        let read = || {
            let page = number("PRAGMA page_size")?;
            Ok(FileSize { total: number("PRAGMA page_count")? * page, free: number("PRAGMA freelist_count")? * page })
        };
        read().map_err(|error| self.explain(&error))
    }

    /// Removes some of what is oldest, in a transaction of its own: at most about this share of all rows, in thousandths, and of traces only
    /// those created before `before`, in seconds since 1970. Nothing is removed of the newest trace. `None` if others read the file for longer
    /// than `wait`.
    ///
    /// # Errors
    /// As for [`Writer::commit`]; [`StoreError::CannotWrite`] if the file has Llama Stack's tables.
    pub fn remove_oldest(&mut self, before: Option<u64>, share: u64, wait: Duration) -> Result<Option<Removed>, StoreError> {
        self.check_removable()?;
        self.begin()?;
        let (removed, logs_passed) = match self.step(before.and_then(|before| i64::try_from(before).ok()), share) {
            Ok(done) => done,
            Err(error) => {
                // The first error is told.
                let _ = self.roll_back();
                return Err(self.explain(&error));
            }
        };
        let is_done = self.commit_unless_read(wait)?;
        if is_done {
            self.logs_passed = logs_passed;
        }
        Ok(is_done.then_some(removed))
    }

    /// Sets whether a trace stays when old ones are removed. Returns whether the file has it.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if the file has Llama Stack's tables.
    pub fn set_pinned(&mut self, trace_id: &str, is_pinned: bool) -> Result<bool, StoreError> {
        self.check_removable()?;
        let values: [&dyn ToSql; 2] = [&StoredId::of(trace_id), &is_pinned.then_some(1)];
        let set = "UPDATE quipu_traces SET is_pinned = ?2 WHERE trace_id = ?1";
        let changed = self.connection.prepare_cached(set).and_then(|mut statement| statement.execute(values));
        changed.map(|rows| rows > 0).map_err(|error| self.explain(&error))
    }

    fn check_removable(&self) -> Result<(), StoreError> {
        match self.layout {
            Layout::Quipu => Ok(()),
            Layout::Reference => {
                Err(StoreError::CannotWrite(format!("{} has Llama Stack's tables, from which nothing is ever removed.", self.name)))
            }
        }
    }

    /// Gives some of the free pages back to the system, if the file was made so that it can. Returns whether it became smaller.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn return_space(&mut self) -> Result<bool, StoreError> {
        /// Readers are locked out for as long as this takes.
        const PAGES: u32 = 512;
        let before = self.file_size()?;
        self.begin()?;
        let outcome = self.connection.execute_batch(&format!("PRAGMA incremental_vacuum({PAGES})"));
        outcome.map_err(|error| self.explain(&error))?;
        self.commit()?;
        Ok(self.file_size()?.total < before.total)
    }

    /// Returns what was removed, and the number of the last log record that was looked at.
    fn step(&self, before: Option<i64>, share: u64) -> rusqlite::Result<(Removed, i64)> {
        let connection = &self.connection;
        let old = oldest(connection, before, rows_of(connection, "quipu_spans", share)?)?;
        // Records and points that belong to no span go with the traces of their time.
        let until = before.or_else(|| old.iter().filter_map(|old| old.created).min());
        let nanos = until.map_or(i64::MAX, |seconds| seconds.saturating_mul(1_000_000_000));
        let mut removed = Removed::default();
        let logs = OldRows { sql: OLD_LOGS, table: "quipu_log_records", after: self.logs_passed, nanos, share };
        let logs_passed = logs.remove(connection, &mut removed.log_records)?;
        let points = OldRows { sql: OLD_POINTS, table: "quipu_metric_points", after: 0, ..logs };
        points.remove(connection, &mut removed.metric_points)?;
        let (near, far): (Vec<Old>, Vec<Old>) = old.into_iter().partition(|old| old.last - old.first <= SPREAD);
        remove_traces(connection, &near, &mut removed)?;
        far.iter().try_for_each(|old| remove_traces(connection, std::slice::from_ref(old), &mut removed))?;
        if !removed.is_empty() {
            connection.execute_batch(MAKE)?;
            let latest = near.iter().chain(&far).filter_map(|old| old.created).max();
            let counts = [removed.traces, removed.spans, removed.log_records, removed.metric_points].map(u64::cast_signed);
            let values: [&dyn ToSql; 5] = [&counts[0], &counts[1], &counts[2], &counts[3], &latest];
            connection.prepare_cached(COUNT)?.execute(values)?;
        }
        Ok((removed, logs_passed))
    }
}

/// The traces that are oldest, some at a time.
fn oldest(connection: &Connection, before: Option<i64>, rows: i64) -> rusqlite::Result<Vec<Old>> {
    let read =
        |row: &Row<'_>| Ok(Old { id: row.get(0)?, key: key(row.get_ref(1)?), first: row.get(2)?, last: row.get(3)?, created: row.get(4)? });
    let values = named_params! { ":looked_at": LOOKED_AT, ":before": before, ":clock_was_set": CLOCK_WAS_SET, ":rows": rows };
    connection.prepare_cached(OLDEST)?.query_map(values, read)?.collect()
}

/// Removes traces with their spans and what belongs to these.
fn remove_traces(connection: &Connection, traces: &[Old], removed: &mut Removed) -> rusqlite::Result<()> {
    let (Some(first), Some(last)) = (traces.iter().map(|old| old.first).min(), traces.iter().map(|old| old.last).max()) else {
        return Ok(());
    };
    let keys: HashSet<&Key> = traces.iter().map(|old| &old.key).collect();
    let mut spans = Vec::new();
    let mut statement = connection.prepare_cached(SPANS_OF)?;
    let mut rows = statement.query([first, last])?;
    while let Some(row) = rows.next()? {
        if keys.contains(&key(row.get_ref(1)?)) {
            spans.push(row.get(0)?);
        }
    }
    for (from, to) in runs(&spans) {
        let records = "DELETE FROM quipu_log_records WHERE id IN (
            SELECT log_id FROM quipu_events WHERE span_row BETWEEN ?1 AND ?2 AND log_id IS NOT NULL)";
        removed.log_records += connection.prepare_cached(records)?.execute([from, to])? as u64;
        connection.prepare_cached("DELETE FROM quipu_events WHERE span_row BETWEEN ?1 AND ?2")?.execute([from, to])?;
        removed.spans += connection.prepare_cached("DELETE FROM quipu_spans WHERE id BETWEEN ?1 AND ?2")?.execute([from, to])? as u64;
    }
    for old in traces {
        removed.traces += connection.prepare_cached("DELETE FROM quipu_traces WHERE id = ?1")?.execute([old.id])? as u64;
    }
    Ok(())
}

/// Runs of numbers that follow one another, as their first and last.
fn runs(numbers: &[i64]) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for number in numbers {
        match runs.last_mut() {
            Some((_, last)) if *last + 1 == *number => *last = *number,
            _ => runs.push((*number, *number)),
        }
    }
    runs
}

/// About how many rows a share of a table is, in thousandths, within the bounds of a step.
fn rows_of(connection: &Connection, table: &str, share: u64) -> rusqlite::Result<i64> {
    let sql = format!("SELECT (SELECT max(id) FROM {table}) - (SELECT min(id) FROM {table})");
    let all: Option<i64> = connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))?;
    let share = i64::try_from(share).unwrap_or(i64::MAX).saturating_mul(all.unwrap_or(0) / 1_000);
    Ok(share.clamp(LEAST, STEP))
}

/// The rows of a table that belong to no span and are older than a time.
#[derive(Clone, Copy)]
struct OldRows {
    sql: &'static str,
    table: &'static str,
    /// Rows up to this number are passed over.
    after: i64,
    nanos: i64,
    /// How much of the table is looked at, in thousandths.
    share: u64,
}

impl OldRows {
    /// Removes the first ones. Returns the number of the last row that was looked at.
    fn remove(self, connection: &Connection, removed: &mut u64) -> rusqlite::Result<i64> {
        let (mut until, mut found) = (self.after, Vec::new());
        let mut statement = connection.prepare_cached(self.sql)?;
        let mut rows = statement.query([self.after, rows_of(connection, self.table, self.share)?])?;
        while let Some(row) = rows.next()? {
            if row.get::<_, Option<i64>>(1)?.is_some_and(|time| time >= self.nanos) {
                break;
            }
            until = row.get(0)?;
            if row.get_ref(2)? == ValueRef::Null {
                found.push(until);
            }
        }
        for (from, to) in runs(&found) {
            let delete = format!("DELETE FROM {} WHERE id BETWEEN ?1 AND ?2", self.table);
            *removed += connection.prepare_cached(&delete)?.execute([from, to])? as u64;
        }
        Ok(until)
    }
}

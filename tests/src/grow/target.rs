//! Writes rows to a new file with the source's schema, as fast as SQLite can.

use super::Grown;
use super::source::{Event, Recorded, Source, Span, Text, Time};
use super::text::{Id, Salt};
use anyhow::Result;
use rusqlite::types::{ToSqlOutput, Value, ValueRef};
use rusqlite::{Connection, Statement, ToSql, params};
use std::path::Path;

/// SQLite's cache: the index of ids is updated in random order.
const CACHE_KIB: i64 = 384 << 10;

/// Maps the times of a copy: `from` becomes `to`, and distances are scaled.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shift {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) per_mille: i64,
}

impl Shift {
    /// The mapped time in microseconds.
    pub(super) fn moved(&self, micros: i64) -> i64 {
        self.to + (micros - self.from).saturating_mul(self.per_mille) / 1_000
    }

    fn time(&self, time: &Time) -> Value {
        match time {
            Time::Stamp(stamp) => Value::Text(stamp.print(self.moved(stamp.micros))),
            Time::AsIs(value) => value.clone(),
        }
    }
}

/// Differences of a span from the template.
pub(super) struct Placed<'a> {
    pub(super) trace_id: &'a str,
    pub(super) span_id: &'a str,
    pub(super) parent: Option<&'a str>,
    /// Start and end in microseconds, if not given by the shift.
    pub(super) times: Option<(i64, i64)>,
}

/// The file being written.
pub(super) struct Target<'a> {
    connection: &'a Connection,
    traces: Statement<'a>,
    spans: Statement<'a>,
    events: Statement<'a>,
    text: String,
    page_bytes: u64,
    pub(super) grown: Grown,
}

/// Creates the file, calls `fill` to write its rows, and closes it.
pub(super) fn write(path: &Path, source: &Source, fill: impl FnOnce(&mut Target<'_>) -> Result<()>) -> Result<Grown> {
    let connection = Connection::open(path)?;
    // An incomplete file is deleted, so it need not survive a crash.
    connection.execute_batch(&format!(
        "PRAGMA page_size={}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-{CACHE_KIB};
         PRAGMA foreign_keys=OFF; BEGIN",
        source.page_bytes
    ))?;
    for sql in &source.schema {
        connection.execute_batch(sql)?;
    }
    let mut target = Target {
        connection: &connection,
        traces: connection.prepare(
            "INSERT INTO traces (trace_id, service_name, root_span_id, start_time, end_time, created_at) VALUES (?, ?, ?, ?, ?, ?)",
        )?,
        spans: connection.prepare(
            "INSERT INTO spans (span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?,
        events: connection.prepare("INSERT INTO span_events (span_id, name, timestamp, attributes) VALUES (?, ?, ?, ?)")?,
        text: String::new(),
        page_bytes: u64::try_from(source.page_bytes)?,
        grown: Grown::default(),
    };
    fill(&mut target)?;
    let grown = target.grown;
    drop(target);
    connection.execute_batch("COMMIT")?;
    connection.close().map_err(|(_, error)| error)?;
    Ok(grown)
}

impl Target<'_> {
    /// Current size of the file.
    pub(super) fn bytes(&self) -> Result<u64> {
        let pages: i64 = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        Ok(u64::try_from(pages)? * self.page_bytes)
    }

    /// Writes a row of `traces`. `times` are start and end in microseconds, if not given by the shift.
    pub(super) fn trace(
        &mut self,
        recorded: &Recorded,
        trace_id: &str,
        root: Option<&str>,
        shift: Shift,
        times: Option<(i64, i64)>,
    ) -> Result<()> {
        let time = |form: &Time, own: Option<i64>| match (form, own) {
            (Time::Stamp(form), Some(own)) => Value::Text(form.print(own)),
            _ => shift.time(form),
        };
        let (begin, finish) = times.unzip();
        let (start, end) = (time(&recorded.start, begin), time(&recorded.end, finish));
        let created_at = time(&recorded.created_at, finish);
        self.traces.execute(params![trace_id, recorded.service_name, root, start, end, created_at])?;
        self.grown.traces += 1;
        Ok(())
    }

    /// Writes a span and its events.
    pub(super) fn span(&mut self, span: &Span, placed: &Placed<'_>, shift: Shift, salt: Salt) -> Result<()> {
        let (start, end) = match (placed.times, &span.start, &span.end) {
            (Some((start, end)), Time::Stamp(form), _) => (Value::Text(form.print(start)), Value::Text(form.print(end))),
            _ => (shift.time(&span.start), shift.time(&span.end)),
        };
        let Placed { trace_id, span_id, parent, .. } = placed;
        let attributes = written(&span.attributes, salt, &mut self.text);
        self.spans.execute(params![span_id, trace_id, parent, span.name, start, end, attributes, span.status, span.kind])?;
        self.grown.spans += 1;
        for Event { name, at, attributes } in &span.events {
            let at = match (placed.times, at) {
                (Some((start, _)), Time::Stamp(form)) => Value::Text(form.print(start)),
                _ => shift.time(at),
            };
            let attributes = written(attributes, salt, &mut self.text);
            self.events.execute(params![span_id, name, at, attributes])?;
            self.grown.events += 1;
        }
        Ok(())
    }

    /// Writes a span with the given attributes, in the format of another one.
    pub(super) fn own_span(&mut self, form: &Span, name: &str, attributes: &str, placed: &Placed<'_>) -> Result<()> {
        let own = Span {
            id: Id::new(placed.span_id),
            parent: None,
            parent_is_here: false,
            name: Value::Text(name.to_owned()),
            start: form.start.clone(),
            end: form.end.clone(),
            attributes: Text::AsIs(Value::Text(attributes.to_owned())),
            status: Value::Text("OK".to_owned()),
            kind: form.kind.clone(),
            events: Vec::new(),
        };
        self.span(&own, placed, Shift { from: 0, to: 0, per_mille: 1_000 }, Salt::new(0, 0))
    }
}

/// A parameter of a statement.
enum Written<'a> {
    New(&'a str),
    AsIs(&'a Value),
}

fn written<'a>(text: &'a Text, salt: Salt, buffer: &'a mut String) -> Written<'a> {
    match text {
        Text::Template(template) => {
            template.write(salt, buffer);
            Written::New(buffer)
        }
        Text::AsIs(value) => Written::AsIs(value),
    }
}

impl ToSql for Written<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Written::New(text) => Ok(ToSqlOutput::Borrowed(ValueRef::Text(text.as_bytes()))),
            Written::AsIs(value) => value.to_sql(),
        }
    }
}

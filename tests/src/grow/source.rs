//! Reads the traces of the source files with their spans and events as templates.

use super::text::{Id, Template};
use super::time::Stamp;
use anyhow::{Context, Result, ensure};
use rusqlite::types::Value;
use rusqlite::{Connection, Row};
use std::collections::{HashMap, HashSet};
use std::path::PathBuf;

/// A value that is shifted with its trace.
#[derive(Clone, Debug)]
pub(super) enum Time {
    Stamp(Stamp),
    /// NULL, or text that is not a time.
    AsIs(Value),
}

/// A value whose words and ids are renewed.
#[derive(Clone, Debug)]
pub(super) enum Text {
    Template(Template),
    AsIs(Value),
}

#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) name: Value,
    pub(super) at: Time,
    pub(super) attributes: Text,
}

#[derive(Clone, Debug)]
pub(super) struct Span {
    pub(super) id: Id,
    pub(super) parent: Option<Id>,
    /// Whether the parent is in the same trace.
    pub(super) parent_is_here: bool,
    pub(super) name: Value,
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) attributes: Text,
    pub(super) status: Value,
    pub(super) kind: Value,
    pub(super) events: Vec<Event>,
}

/// A row of `traces`.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    pub(super) service_name: Value,
    pub(super) root: Option<Id>,
    pub(super) start: Time,
    pub(super) end: Time,
    pub(super) created_at: Time,
}

#[derive(Clone, Debug)]
pub(super) struct Trace {
    pub(super) id: Id,
    /// `None` if spans refer to a trace that is not in `traces`.
    pub(super) recorded: Option<Recorded>,
    /// In the order of writing: children before their parents.
    pub(super) spans: Vec<Span>,
    /// Earliest start and latest end in microseconds.
    pub(super) start: i64,
    pub(super) end: i64,
}

/// The templates.
pub(super) struct Source {
    /// The statements that create tables and indexes.
    pub(super) schema: Vec<String>,
    pub(super) page_bytes: i64,
    pub(super) traces: Vec<Trace>,
}

impl Source {
    /// Reads files with the same schema. They are not changed, and journals are ignored.
    pub(super) fn read(paths: &[PathBuf]) -> Result<Source> {
        let mut source = Source { schema: Vec::new(), page_bytes: 4096, traces: Vec::new() };
        for path in paths {
            let failed = || format!("{} cannot be read.", path.display());
            let connection = crate::fixtures::open_as_it_lies(path).with_context(failed)?;
            let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' ORDER BY rowid";
            let schema = crate::fixtures::texts(&connection, sql).with_context(failed)?;
            ensure!(source.schema.is_empty() || source.schema == schema, "{} has another schema than the file before it.", path.display());
            source.schema = schema;
            source.page_bytes = crate::fixtures::number(&connection, "PRAGMA page_size")?;
            source.traces.extend(traces(&connection).with_context(failed)?);
        }
        Ok(source)
    }
}

/// The traces of a file that have spans with times, in the order of their first span.
fn traces(connection: &Connection) -> Result<Vec<Trace>> {
    let ids = "SELECT span_id FROM spans UNION SELECT trace_id FROM spans UNION SELECT trace_id FROM traces";
    let ids: HashSet<String> = crate::fixtures::texts(connection, ids)?.into_iter().collect();
    let mut recorded = HashMap::new();
    rows(connection, "SELECT trace_id, service_name, root_span_id, start_time, end_time, created_at FROM traces", |row| {
        let root: Option<String> = row.get(2)?;
        let (start, end, created_at) = (time(row.get(3)?), time(row.get(4)?), time(row.get(5)?));
        let trace = Recorded { service_name: row.get(1)?, root: root.as_deref().map(Id::new), start, end, created_at };
        recorded.insert(row.get::<_, String>(0)?, trace);
        Ok(())
    })?;
    let mut events: HashMap<String, Vec<Event>> = HashMap::new();
    rows(connection, "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY id", |row| {
        let event = Event { name: row.get(1)?, at: time(row.get(2)?), attributes: text(row.get(3)?, &ids) };
        events.entry(row.get(0)?).or_default().push(event);
        Ok(())
    })?;
    let mut traces: Vec<Trace> = Vec::new();
    let mut numbers: HashMap<String, usize> = HashMap::new();
    let mut span_ids: HashSet<(usize, String)> = HashSet::new();
    let sql = "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind FROM spans ORDER BY rowid";
    rows(connection, sql, |row| {
        let (span_id, trace_id): (String, String) = (row.get(0)?, row.get(1)?);
        let number = *numbers.entry(trace_id.clone()).or_insert(traces.len());
        if number == traces.len() {
            let recorded = recorded.remove(&trace_id);
            traces.push(Trace { id: Id::new(&trace_id), recorded, spans: Vec::new(), start: i64::MAX, end: i64::MIN });
        }
        let (start, end) = (time(row.get(4)?), time(row.get(5)?));
        let parent: Option<String> = row.get(2)?;
        let trace = &mut traces[number];
        for time in [&start, &end] {
            if let Time::Stamp(stamp) = time {
                (trace.start, trace.end) = (trace.start.min(stamp.micros), trace.end.max(stamp.micros));
            }
        }
        trace.spans.push(Span {
            id: Id::new(&span_id),
            parent: parent.as_deref().map(Id::new),
            parent_is_here: false,
            name: row.get(3)?,
            start,
            end,
            attributes: text(row.get(6)?, &ids),
            status: row.get(7)?,
            kind: row.get(8)?,
            events: events.remove(&span_id).unwrap_or_default(),
        });
        span_ids.insert((number, span_id));
        Ok(())
    })?;
    for (number, trace) in traces.iter_mut().enumerate() {
        for span in &mut trace.spans {
            span.parent_is_here = span.parent.as_ref().is_some_and(|parent| span_ids.contains(&(number, parent.text().to_owned())));
        }
    }
    traces.retain(|trace| trace.start <= trace.end);
    Ok(traces)
}

fn rows(connection: &Connection, sql: &str, mut take: impl FnMut(&Row<'_>) -> rusqlite::Result<()>) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        take(row)?;
    }
    Ok(())
}

fn time(value: Value) -> Time {
    match &value {
        Value::Text(text) => Stamp::parse(text).map_or_else(|| Time::AsIs(value.clone()), Time::Stamp),
        _ => Time::AsIs(value),
    }
}

fn text(value: Value, ids: &HashSet<String>) -> Text {
    match &value {
        Value::Text(text) => Text::Template(Template::cut(text, ids)),
        _ => Text::AsIs(value),
    }
}

//! Writes rows in Quipu's own layout.
//!
//! A span is identified by its trace and its own id. No index on disk knows them: what arrived lately is remembered, since senders repeat
//! themselves within minutes. The spans of an older trace are read again once one of it arrives; the row of the trace says where they are.
//! Of a span that comes twice, what the second adds is merged into the row of the first.
//!
//! Not here: the tables (`layout`), and which rows there are (`transfer`).

use super::super::error::StoreError;
use super::super::layout::Layout;
use super::merge::{COLUMNS, Stored, merged};
use super::{Added, Writer};
use quipu_model::{LogRecord, SPAN_KINDS, STATUS_CODES};
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql};
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

/// How many of the last spans are remembered, at least; twice as many at most.
const REMEMBERED: usize = 1 << 18;
/// Rows that are read to find those of an older trace.
const RECALLED_ROWS: i64 = 1 << 16;
/// Older traces, and new ones, of which it is known that nothing is forgotten.
const RECALLED_TRACES: usize = 1 << 16;
/// Names whose numbers are cached.
const NAMES: usize = 1 << 16;

/// What is known of the rows written.
pub(super) struct Own {
    /// Row by the hash of trace and span: of the last spans, and of those before them.
    recent: HashMap<u64, i64>,
    older: HashMap<u64, i64>,
    /// Whether there are spans that are not remembered.
    has_forgotten: bool,
    /// Traces whose spans are all remembered, by hash, if there are spans that are not.
    recalled: HashSet<u64>,
    /// How many spans `recent` holds.
    capacity: usize,
    hasher: RandomState,
    names: HashMap<String, i64>,
    /// Whether there are log records whose span has not come.
    logs_wait: bool,
    /// The resource written last: its attributes, and its number.
    resource: Option<(Box<str>, i64)>,
}

/// A span as it is written. Times are nanoseconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnSpan<'a> {
    /// Id of its trace.
    pub trace_id: &'a str,
    /// Its id, unique in the trace.
    pub span_id: &'a str,
    /// Id of its parent.
    pub parent_span_id: Option<&'a str>,
    /// Its name.
    pub name: Option<&'a str>,
    /// Start.
    pub start: Option<u64>,
    /// End; `None` for a span that was running when it was sent.
    pub end: Option<u64>,
    /// `UNSET`, `OK` or `ERROR`; other texts are kept.
    pub status: Option<&'a str>,
    /// `INTERNAL`, `SERVER` and the like; other texts are kept.
    pub kind: Option<&'a str>,
    /// Row number of its resource and scope.
    pub source: Option<i64>,
    /// A JSON object.
    pub attributes: &'a str,
    /// A JSON object of what few spans have, see docs/formats.md.
    pub more: Option<&'a str>,
}

/// An event of a span, as it is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OwnEvent<'a> {
    /// Its name.
    pub name: Option<&'a str>,
    /// Nanoseconds since 1970.
    pub time: Option<u64>,
    /// A JSON object.
    pub attributes: &'a str,
    /// A JSON object of what few events have.
    pub more: Option<&'a str>,
}

/// The row of a trace, from one or more of its spans.
#[derive(Clone, Copy, Debug, Default)]
pub struct OwnTrace<'a> {
    /// Its id.
    pub trace_id: &'a str,
    /// Service of the span that came first.
    pub service_name: Option<&'a str>,
    /// Its root, once one was seen.
    pub root_span_id: Option<&'a str>,
    /// The earliest start.
    pub start: Option<u64>,
    /// The latest end.
    pub end: Option<u64>,
    /// When the reference would have created the row, in seconds since 1970.
    pub created: u64,
    /// The first and the last row of its spans, of those that were added.
    pub span_rows: Option<(i64, i64)>,
}

impl<'a> OwnTrace<'a> {
    /// Adds the data of a later span of the same trace.
    pub fn and(&mut self, later: &OwnTrace<'a>) {
        self.service_name = self.service_name.or(later.service_name);
        self.root_span_id = self.root_span_id.or(later.root_span_id);
        self.start = [self.start, later.start].into_iter().flatten().min();
        self.end = self.end.max(later.end);
        self.span_rows = match (self.span_rows, later.span_rows) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (one, other) => one.or(other),
        };
    }
}

/// An id as it is stored: bytes where it is lower-case hexadecimal digits of OTLP's length, so that it reads as it was, otherwise text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum StoredId<'a> {
    Trace([u8; 16]),
    Span([u8; 8]),
    Text(&'a str),
}

impl<'a> StoredId<'a> {
    pub(super) fn of(text: &'a str) -> StoredId<'a> {
        bytes(text).map(StoredId::Span).or_else(|| bytes(text).map(StoredId::Trace)).unwrap_or(StoredId::Text(text))
    }

    fn is(self, value: ValueRef<'_>) -> bool {
        match (self, value) {
            (StoredId::Trace(id), ValueRef::Blob(stored)) => id == stored,
            (StoredId::Span(id), ValueRef::Blob(stored)) => id == stored,
            (StoredId::Text(id), ValueRef::Text(stored)) => id.as_bytes() == stored,
            _ => false,
        }
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    let pairs: &[[u8; 2]; N] = pairs.try_into().ok()?;
    let digit = |letter: u8| match letter {
        b'0'..=b'9' => Some(letter - b'0'),
        b'a'..=b'f' => Some(letter - b'a' + 10),
        _ => None,
    };
    let mut id = [0; N];
    for (byte, [high, low]) in id.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(id)
}

impl ToSql for StoredId<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            StoredId::Trace(id) => ValueRef::Blob(id),
            StoredId::Span(id) => ValueRef::Blob(id),
            StoredId::Text(id) => ValueRef::Text(id.as_bytes()),
        }))
    }
}

/// A name of one of OTLP's enumerations as its number, any other as text.
struct Named<'a>(&'static [&'static str], Option<&'a str>);

impl ToSql for Named<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let Some(name) = self.1 else { return Ok(ToSqlOutput::Borrowed(ValueRef::Null)) };
        let number = self.0.iter().position(|known| *known == name).and_then(|at| i64::try_from(at).ok());
        Ok(ToSqlOutput::Borrowed(number.map_or(ValueRef::Text(name.as_bytes()), ValueRef::Integer)))
    }
}

/// Nanoseconds as SQLite's integer; beyond the year 2262 none fits.
struct Nanos(Option<u64>);

impl ToSql for Nanos {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let number = self.0.map(|nanos| i64::try_from(nanos).unwrap_or(i64::MAX));
        Ok(ToSqlOutput::Borrowed(number.map_or(ValueRef::Null, ValueRef::Integer)))
    }
}

impl Own {
    /// Reads which spans came last.
    fn open(connection: &Connection) -> rusqlite::Result<Own> {
        let mut own = Own {
            recent: HashMap::new(),
            older: HashMap::new(),
            has_forgotten: false,
            recalled: HashSet::new(),
            capacity: REMEMBERED,
            hasher: RandomState::new(),
            names: HashMap::new(),
            logs_wait: false,
            resource: None,
        };
        own.read(connection)?;
        Ok(own)
    }

    fn read(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.recent.clear();
        self.older.clear();
        self.recalled.clear();
        self.names.clear();
        self.resource = None;
        let waiting = "SELECT EXISTS (SELECT 1 FROM quipu_log_records WHERE span_id IS NOT NULL AND span_row IS NULL)";
        self.logs_wait = connection.query_row(waiting, [], |row| row.get(0))?;
        let mut statement = connection.prepare("SELECT id, trace_id, span_id FROM quipu_spans ORDER BY id DESC LIMIT ?1")?;
        let mut rows = statement.query([i64::try_from(self.capacity).unwrap_or(i64::MAX)])?;
        while let Some(row) = rows.next()? {
            let hash = self.hash(stored_bytes(row, 1), stored_bytes(row, 2));
            self.recent.entry(hash).or_insert(row.get(0)?);
        }
        self.has_forgotten = self.recent.len() >= self.capacity;
        Ok(())
    }

    fn hash(&self, trace: &[u8], span: &[u8]) -> u64 {
        self.hasher.hash_one((trace, span))
    }

    fn find(&self, hash: u64) -> Option<i64> {
        self.recent.get(&hash).or_else(|| self.older.get(&hash)).copied()
    }

    fn remember(&mut self, hash: u64, row: i64) {
        if self.recent.len() >= self.capacity {
            self.has_forgotten |= !self.older.is_empty();
            self.older = std::mem::take(&mut self.recent);
            self.recalled.clear();
        }
        self.recent.insert(hash, row);
    }
}

fn stored_bytes<'r>(row: &'r Row<'_>, column: usize) -> &'r [u8] {
    match row.get_ref(column) {
        Ok(ValueRef::Blob(bytes) | ValueRef::Text(bytes)) => bytes,
        _ => &[],
    }
}

impl StoredId<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            StoredId::Trace(id) => id,
            StoredId::Span(id) => id,
            StoredId::Text(id) => id.as_bytes(),
        }
    }
}

const ADD_SPAN: &str = "INSERT INTO quipu_spans (trace_id, span_id, parent_span_id, name_id, start_unix_nano, end_unix_nano, status, kind, \
    source_id, attributes, more) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const SET_SPAN: &str = "UPDATE quipu_spans SET trace_id = ?1, span_id = ?2, parent_span_id = ?3, name_id = ?4, start_unix_nano = ?5, \
    end_unix_nano = ?6, status = ?7, kind = ?8, source_id = ?9, attributes = ?10, more = ?11 WHERE id = ?12";
const ADD_EVENT: &str = "INSERT INTO quipu_events (span_row, name_id, time_unix_nano, attributes, more) VALUES (?1, ?2, ?3, ?4, ?5)";
const ADD_LOG: &str = "INSERT INTO quipu_log_records (trace_id, span_id, name, timestamp, time_unix_nano, attributes, source_id, more, span_row) \
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
const SET_TRACE: &str = "INSERT INTO quipu_traces
    (trace_id, service_id, root_span_id, start_unix_nano, end_unix_nano, created_unix, first_span_row, last_span_row)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT(trace_id) DO UPDATE SET
        service_id = coalesce(service_id, excluded.service_id),
        root_span_id = coalesce(root_span_id, excluded.root_span_id),
        start_unix_nano = coalesce(min(start_unix_nano, excluded.start_unix_nano), start_unix_nano, excluded.start_unix_nano),
        end_unix_nano = coalesce(max(end_unix_nano, excluded.end_unix_nano), end_unix_nano, excluded.end_unix_nano),
        first_span_row = coalesce(min(first_span_row, excluded.first_span_row), first_span_row, excluded.first_span_row),
        last_span_row = coalesce(max(last_span_row, excluded.last_span_row), last_span_row, excluded.last_span_row)";

impl Writer {
    /// Writes a span with its events in Quipu's own layout. The row of its trace must follow in the same transaction.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`], also if the file has the reference's layout.
    pub fn add_own_span(&mut self, span: &OwnSpan<'_>, events: &[OwnEvent<'_>]) -> Result<Added, StoreError> {
        match self.try_own_span(span, events) {
            Err(StoreError::Refused(why)) => {
                self.refused.entry(&why);
                Ok(Added::Refused)
            }
            outcome => outcome,
        }
    }

    fn try_own_span(&mut self, span: &OwnSpan<'_>, events: &[OwnEvent<'_>]) -> Result<Added, StoreError> {
        let (trace, id) = (StoredId::of(span.trace_id), StoredId::of(span.span_id));
        let hash = self.own()?.hash(trace.bytes(), id.bytes());
        if let Some(row) = self.find(hash, trace)?
            && let Some(stored) = self.stored_span(row, trace, id)?
        {
            return self.merge_span(row, &stored, span, events);
        }
        let name = self.name(span.name)?;
        self.put(ADD_SPAN, span, name, None)?;
        let row = self.connection.last_insert_rowid();
        self.own()?.remember(hash, row);
        events.iter().try_for_each(|event| self.add_own_event(row, event))?;
        self.take_waiting_own_logs(row, span)?;
        Ok(Added::Row(row))
    }

    /// The row of a span by its hash. Of a trace with spans that are not remembered, they are read first.
    fn find(&mut self, hash: u64, trace: StoredId<'_>) -> Result<Option<i64>, StoreError> {
        let own = self.own()?;
        let trace_hash = own.hash(trace.bytes(), &[]);
        let known = own.find(hash);
        if known.is_some() || !own.has_forgotten || own.recalled.contains(&trace_hash) {
            return Ok(known);
        }
        let spans = self.read_spans(trace).map_err(|error| self.explain(&error))?;
        let own = self.own()?;
        for (hash, row) in spans {
            own.remember(hash, row);
        }
        if own.recalled.len() >= RECALLED_TRACES {
            own.recalled.clear();
        }
        own.recalled.insert(trace_hash);
        Ok(own.find(hash))
    }

    /// Hashes and rows of the spans of a trace that is in the file.
    fn read_spans(&self, trace: StoredId<'_>) -> rusqlite::Result<Vec<(u64, i64)>> {
        const ROWS: &str = "SELECT first_span_row, last_span_row FROM quipu_traces WHERE trace_id = ?1";
        const SPANS: &str = "SELECT id, span_id FROM quipu_spans WHERE id BETWEEN ?1 AND ?2 AND trace_id = ?3";
        let Some(own) = &self.own else { return Ok(Vec::new()) };
        let read = |row: &Row<'_>| Ok(row.get::<_, Option<i64>>(0)?.zip(row.get::<_, Option<i64>>(1)?));
        let rows = self.connection.prepare_cached(ROWS)?.query_row([&trace], read).optional()?.flatten();
        let Some((first, last)) = rows else { return Ok(Vec::new()) };
        let last = last.min(first.saturating_add(RECALLED_ROWS));
        let values: [&dyn ToSql; 3] = [&first, &last, &trace];
        let mut statement = self.connection.prepare_cached(SPANS)?;
        let found = statement.query_map(values, |row| Ok((own.hash(trace.bytes(), stored_bytes(row, 1)), row.get(0)?)))?;
        found.collect()
    }

    /// Writes a log record, and an event for it if its span came lately.
    pub(super) fn add_own_log(&mut self, log: &LogRecord) -> Result<(), StoreError> {
        let row = match (&log.trace_id, &log.span_id) {
            (Some(trace), Some(span)) => self.find_own_span(StoredId::of(trace), StoredId::of(span))?,
            _ => None,
        };
        let time = Nanos(log.time_nanos);
        let values: [&dyn ToSql; 9] = [
            &log.trace_id,
            &log.span_id,
            &log.name,
            &log.timestamp,
            &time,
            &log.attributes,
            &log.source,
            &log.more,
            &row,
        ];
        self.run(ADD_LOG, &values)?;
        let id = self.connection.last_insert_rowid();
        match row {
            Some(row) => self.add_log_event(row, log.name.as_deref(), log.time_nanos, id)?,
            None => self.own()?.logs_wait |= log.span_id.is_some(),
        }
        Ok(())
    }

    /// The row of a span that came lately.
    fn find_own_span(&mut self, trace: StoredId<'_>, span: StoredId<'_>) -> Result<Option<i64>, StoreError> {
        let hash = self.own()?.hash(trace.bytes(), span.bytes());
        let Some(row) = self.find(hash, trace)? else { return Ok(None) };
        Ok(self.stored_span(row, trace, span)?.map(|_| row))
    }

    /// Adds a resource and scope. Of scopes that follow one another, the resource is written once.
    pub(super) fn add_own_source(&mut self, resource: &str, scope: &str) -> Result<i64, StoreError> {
        let known = self.own()?.resource.as_ref().filter(|(last, _)| **last == *resource).map(|(_, number)| *number);
        let number = match known {
            Some(number) => number,
            None => {
                self.run("INSERT INTO quipu_resources (attributes) VALUES (?1)", &[&resource])?;
                let number = self.connection.last_insert_rowid();
                self.own()?.resource = Some((resource.into(), number));
                number
            }
        };
        self.run("INSERT INTO quipu_scopes (resource_id, scope) VALUES (?1, ?2)", &[&number, &scope])?;
        Ok(self.connection.last_insert_rowid())
    }

    fn add_log_event(&mut self, row: i64, name: Option<&str>, time: Option<u64>, log: i64) -> Result<(), StoreError> {
        let name = self.name(name)?;
        self.run(
            "INSERT INTO quipu_events (span_row, name_id, time_unix_nano, log_id) VALUES (?1, ?2, ?3, ?4)",
            &[&row, &name, &Nanos(time), &log],
        )?;
        Ok(())
    }

    /// Writes events for the log records that waited for a span.
    fn take_waiting_own_logs(&mut self, row: i64, span: &OwnSpan<'_>) -> Result<(), StoreError> {
        const WAITING: &str = "SELECT id, name, time_unix_nano FROM quipu_log_records WHERE span_id = ?1 AND span_row IS NULL AND trace_id = ?2 \
            ORDER BY id";
        if !self.own()?.logs_wait {
            return Ok(());
        }
        let read = |row: &Row<'_>| {
            let nanos = row.get::<_, Option<i64>>(2)?.and_then(|nanos| u64::try_from(nanos).ok());
            Ok((row.get(0)?, row.get::<_, Option<String>>(1)?, nanos))
        };
        let logs = self.connection.prepare_cached(WAITING).and_then(|mut statement| {
            let rows = statement.query_map([span.span_id, span.trace_id], read)?;
            rows.collect::<rusqlite::Result<Vec<(i64, _, _)>>>()
        });
        for (id, name, time) in logs.map_err(|error| self.explain(&error))? {
            self.add_log_event(row, name.as_deref(), time, id)?;
            self.run("UPDATE quipu_log_records SET span_row = ?2 WHERE id = ?1", &[&id, &row])?;
        }
        Ok(())
    }

    /// Creates or updates the row of a trace in Quipu's own layout.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn set_own_trace(&mut self, trace: &OwnTrace<'_>) -> Result<(), StoreError> {
        let id = StoredId::of(trace.trace_id);
        let root = trace.root_span_id.map(StoredId::of);
        let service = self.name(trace.service_name)?;
        let (start, end, created) = (Nanos(trace.start), Nanos(trace.end), Nanos(Some(trace.created)));
        let (first, last) = trace.span_rows.unzip();
        self.run(SET_TRACE, &[&id, &service, &root, &start, &end, &created, &first, &last])?;
        Ok(())
    }

    fn add_own_event(&mut self, row: i64, event: &OwnEvent<'_>) -> Result<(), StoreError> {
        let name = self.name(event.name)?;
        self.run(ADD_EVENT, &[&row, &name, &Nanos(event.time), &event.attributes, &event.more])?;
        Ok(())
    }

    fn put(&self, sql: &str, span: &OwnSpan<'_>, name: Option<i64>, row: Option<i64>) -> Result<(), StoreError> {
        let (trace, id) = (StoredId::of(span.trace_id), StoredId::of(span.span_id));
        let parent = span.parent_span_id.map(StoredId::of);
        let (start, end) = (Nanos(span.start), Nanos(span.end));
        let (status, kind) = (Named(&STATUS_CODES, span.status), Named(&SPAN_KINDS, span.kind));
        let values: [&dyn ToSql; 12] = [
            &trace,
            &id,
            &parent,
            &name,
            &start,
            &end,
            &status,
            &kind,
            &span.source,
            &span.attributes,
            &span.more,
            &row,
        ];
        let values = if row.is_some() { &values[..] } else { &values[..11] };
        self.run(sql, values)?;
        Ok(())
    }

    /// The row of a span, if it is that of these ids.
    fn stored_span(&self, row: i64, trace: StoredId<'_>, id: StoredId<'_>) -> Result<Option<Stored>, StoreError> {
        let sql = format!("SELECT {COLUMNS} FROM quipu_spans WHERE id = ?1");
        let read = |row: &Row<'_>| {
            let is_same = trace.is(row.get_ref(0)?) && id.is(row.get_ref(1)?);
            if is_same { Stored::read(row).map(Some) } else { Ok(None) }
        };
        let found = self.connection.prepare_cached(&sql).and_then(|mut statement| statement.query_row([row], read).optional());
        found.map(Option::flatten).map_err(|error| self.explain(&error))
    }

    fn merge_span(&mut self, row: i64, stored: &Stored, span: &OwnSpan<'_>, events: &[OwnEvent<'_>]) -> Result<Added, StoreError> {
        let mut outcome = Added::Known;
        if let Some(merged) = merged(stored, span) {
            let name = self.name(merged.name.as_deref())?;
            self.put(SET_SPAN, &merged.as_span(span), name, Some(row))?;
            outcome = Added::Merged;
        }
        const IS_THERE: &str = "SELECT EXISTS (SELECT 1 FROM quipu_events WHERE span_row = ?1 AND name_id IS ?2 AND time_unix_nano IS ?3
            AND attributes IS ?4)";
        for event in events {
            let name = self.name(event.name)?;
            let values: [&dyn ToSql; 4] = [&row, &name, &Nanos(event.time), &event.attributes];
            let found = self.connection.prepare_cached(IS_THERE).and_then(|mut statement| statement.query_row(values, |row| row.get(0)));
            if !found.map_err(|error| self.explain(&error))? {
                self.add_own_event(row, event)?;
                outcome = Added::Merged;
            }
        }
        Ok(outcome)
    }

    /// The number of a name, which is added if it is new.
    pub(super) fn name(&mut self, name: Option<&str>) -> Result<Option<i64>, StoreError> {
        let Some(name) = name else { return Ok(None) };
        if let Some(number) = self.own()?.names.get(name) {
            return Ok(Some(*number));
        }
        let find = "SELECT id FROM quipu_names WHERE name = ?1";
        let found = self.connection.prepare_cached(find).and_then(|mut statement| statement.query_row([name], |row| row.get(0)).optional());
        let number = match found.map_err(|error| self.explain(&error))? {
            Some(number) => number,
            None => {
                self.run("INSERT INTO quipu_names (name) VALUES (?1)", &[&name])?;
                self.connection.last_insert_rowid()
            }
        };
        let names = &mut self.own()?.names;
        if names.len() >= NAMES {
            names.clear();
        }
        names.insert(name.to_owned(), number);
        Ok(Some(number))
    }

    fn own(&mut self) -> Result<&mut Own, StoreError> {
        if self.layout != Layout::Quipu {
            return Err(has_other_layout(&self.name));
        }
        let own = match self.own.take() {
            Some(own) => own,
            None => Own::open(&self.connection).map_err(|error| self.explain(&error))?,
        };
        Ok(self.own.insert(own))
    }
}

fn has_other_layout(name: &str) -> StoreError {
    StoreError::CannotWrite(format!("{name} has the reference's layout."))
}

#[cfg(test)]
mod tests {
    use super::super::super::{Database, Layout, NamedSource, OpenOptions, span_record};
    use super::*;
    use quipu_model::SpanRecord;

    const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

    fn span<'a>(trace_id: &'a str, span_id: &'a str) -> OwnSpan<'a> {
        OwnSpan { trace_id, span_id, attributes: "{}", ..OwnSpan::default() }
    }

    fn is_new(added: Added) -> bool {
        matches!(added, Added::Row(_))
    }

    fn writer() -> Writer {
        Writer::in_memory_with(Layout::Quipu).expect("a writer")
    }

    fn read(writer: Writer) -> Database {
        let source = Box::new(writer.into_source().expect("a source"));
        let files = vec![NamedSource { name: "own.db".into(), source }];
        Database::open(files, OpenOptions::with_clock(|| 0)).expect("a database")
    }

    #[test]
    fn a_span_reads_as_the_reference_would_have_written_it() {
        let mut writer = writer();
        let sent = OwnSpan {
            parent_span_id: Some("00f067aa0ba902b7"),
            name: Some("chat"),
            start: Some(1_751_328_000_120_000_100),
            end: Some(1_751_328_001_000_000_000),
            status: Some("ERROR"),
            kind: Some("CLIENT"),
            attributes: r#"{"a": 1}"#,
            ..span(TRACE, "b7ad6b7169203331")
        };
        assert!(writer.add_own_span(&sent, &[]).map(is_new).expect("written"));
        let odd = OwnSpan { status: Some("so so"), ..span("trace 1", "ÄB") };
        assert!(writer.add_own_span(&odd, &[]).map(is_new).expect("written"));
        let database = read(writer);
        let record = |row| span_record(database.connection(), database.schema(), row).expect("readable").expect("a span");
        let text = |text: &str| Some(text.to_owned());
        let expected = SpanRecord {
            span_id: "b7ad6b7169203331".into(),
            trace_id: text(TRACE),
            parent_span_id: text("00f067aa0ba902b7"),
            name: text("chat"),
            start_time: text("2025-07-01T00:00:00.120000+00:00"),
            end_time: text("2025-07-01T00:00:01+00:00"),
            attributes: text(r#"{"a": 1}"#),
            status: text("ERROR"),
            kind: text("CLIENT"),
        };
        assert_eq!(record(1), expected);
        let odd = record(2);
        assert_eq!((odd.span_id.as_str(), odd.trace_id.as_deref(), odd.status.as_deref()), ("ÄB", Some("trace 1"), Some("so so")));
        assert_eq!((odd.start_time, odd.kind, odd.name), (None, None, None));
    }

    #[test]
    fn a_span_is_known_by_its_trace_and_its_id() {
        let mut writer = writer();
        let other = "1af7651916cd43dd8448eb211c80319c";
        for trace in [TRACE, other] {
            assert!(writer.add_own_span(&span(trace, "b7ad6b7169203331"), &[]).map(is_new).expect("written"));
            assert_eq!(writer.add_own_span(&span(trace, "b7ad6b7169203331"), &[]).expect("written"), Added::Known);
        }
    }

    #[test]
    fn a_span_that_is_sent_again_much_later_is_known() {
        let mut writer = writer();
        writer.own().expect("a layout").capacity = 4;
        let mut add = |trace: u32, id: u32| {
            let (trace, id) = (format!("{trace:032x}"), format!("{id:016x}"));
            let added = writer.add_own_span(&span(&trace, &id), &[]).expect("written");
            let rows = if let Added::Row(row) = added { Some((row, row)) } else { None };
            let facts = OwnTrace { trace_id: &trace, span_rows: rows, ..OwnTrace::default() };
            writer.set_own_trace(&facts).expect("written");
            added
        };
        for trace in 1..=50 {
            assert!((1..=3).all(|id| is_new(add(trace, id))));
        }
        for trace in [1, 50, 2, 1, 25] {
            assert!((1..=3).all(|id| add(trace, id) == Added::Known), "{trace}");
            assert!(is_new(add(trace, 100 + trace)) || trace == 1);
        }
        assert_eq!((add(1, 101), add(25, 125)), (Added::Known, Added::Known));
        let count: i64 = writer.connection.query_row("SELECT count(*) FROM quipu_spans", [], |row| row.get(0)).expect("a count");
        assert_eq!(count, 150 + 4);
    }

    #[test]
    fn of_a_span_sent_twice_the_ended_one_wins_and_what_the_other_adds_is_kept() {
        let mut writer = writer();
        let event = OwnEvent { name: Some("first"), time: Some(1_751_328_000_000_000_001), attributes: "{}", more: None };
        let later = OwnEvent { name: Some("later"), ..event };
        let begun = OwnSpan {
            name: Some("begun"),
            start: Some(1_751_328_000_000_000_000),
            attributes: r#"{"a": 1, "b": 2}"#,
            ..span(TRACE, "b7ad6b7169203331")
        };
        let ended =
            OwnSpan { name: Some("ended"), end: Some(1_751_328_009_000_000_000), status: Some("OK"), attributes: r#"{"a": 3}"#, ..begun };
        assert!(writer.add_own_span(&begun, &[event]).map(is_new).expect("written"));
        assert_eq!(writer.add_own_span(&ended, &[event, later]).expect("written"), Added::Merged);
        assert_eq!(writer.add_own_span(&begun, &[event]).expect("written"), Added::Known);
        let database = read(writer);
        let record = span_record(database.connection(), database.schema(), 1).expect("readable").expect("a span");
        assert_eq!(record.name.as_deref(), Some("ended"));
        assert_eq!(record.end_time.as_deref(), Some("2025-07-01T00:00:09+00:00"));
        assert_eq!(record.status.as_deref(), Some("OK"));
        assert_eq!(record.attributes.as_deref(), Some(r#"{"a": 3, "b": 2}"#));
        let names = "SELECT group_concat(name) FROM (SELECT name FROM span_events WHERE span_id = 'b7ad6b7169203331' ORDER BY id)";
        let names: String = database.connection().query_row(names, [], |row| row.get(0)).expect("events");
        assert_eq!(names, "first,later");
    }

    #[test]
    fn times_are_the_texts_that_python_makes_of_them() {
        // `datetime.fromtimestamp(nanos / 1e9, timezone.utc).isoformat()`, as the reference does it.
        let known: [(u64, &str); 7] = [
            (1796054199883879516, "2026-11-30T15:56:39.883879+00:00"),
            (1796054180910986600, "2026-11-30T15:56:20.910986+00:00"),
            (1751328000000000400, "2025-07-01T00:00:00+00:00"),
            (1751328000007812500, "2025-07-01T00:00:00.007812+00:00"),
            (1751328000999999900, "2025-07-01T00:00:01+00:00"),
            (1764000000123456789, "2025-11-24T16:00:00.123457+00:00"),
            (4102444799999999999, "2100-01-01T00:00:00+00:00"),
        ];
        let mut writer = writer();
        let mut expected: Vec<String> = known.iter().map(|(_, text)| (*text).to_owned()).collect();
        let others: Vec<u64> = (0..2_000).map(|number| 1_764_000_000_000_000_000 + number * 7_812_499_750_001).collect();
        expected.extend(others.iter().map(|nanos| quipu_model::reference_time(*nanos)));
        for nanos in known.iter().map(|(nanos, _)| *nanos).chain(others) {
            let id = format!("{nanos:016x}");
            writer.add_own_span(&OwnSpan { start: Some(nanos), ..span(TRACE, &id) }, &[]).expect("written");
        }
        let database = read(writer);
        let mut statement = database.connection().prepare("SELECT start_time FROM spans ORDER BY rowid").expect("a view");
        let texts: Vec<String> = statement.query_map([], |row| row.get(0)).expect("rows").map(|text| text.expect("a text")).collect();
        assert_eq!(texts, expected);
    }
}

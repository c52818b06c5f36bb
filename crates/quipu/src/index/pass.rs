//! The single pass over a file: reads spans, events and traces in lockstep, in the order they were written, so that the file is read front
//! to back only once.
//!
//! Servers write events and the row of a trace right after the span they belong to. The pass reads a block of spans, then the events and
//! traces whose span is already known. A row whose span is unknown waits until the pass over spans has moved past its position. It is then
//! overdue, and counted as lost unless its span turns up later.

use super::events::{EventFacts, MetricFacts, Waiting, attach_event};
use super::facets::{SpanValues, called_tools};
use super::ids::{SpanKey, TraceKey};
use super::pipeline::pipeline;
use super::secrets::holds_secret;
use super::shapes::Wanted;
#[cfg(not(target_family = "wasm"))]
use super::snapshot::Snapshot;
use super::sources::NO_SOURCE;
use super::spans::NewSpan;
use super::table::{Table, damaged};
use super::{Index, NO_TIME};
use memchr::memmem::Finder;
use quipu_model::decimal::read_f64;
use quipu_model::dialect::{Evidence, Role, Says};
use quipu_model::failure::{EventVerdict, SpanVerdict};
use quipu_model::recorded::{RawJson, decode, entries, repaired};
use quipu_model::tokens::{InferenceRole, TokenKind, add_up, from_output, number_in, set_count, set_part};
use quipu_model::{CallParts, RecordedTime, SpanFlags, SpanKind, TokenRecord, TokenSource};
use quipu_store::{Database, EventOwner, ScanEvent, ScanSpan, ScanTrace, StoreError, Stored, rowids, scan_events, scan_spans, scan_traces};
#[cfg(not(target_family = "wasm"))]
use quipu_store::{RemovedSoFar, removed_so_far};
use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// Spans read before events and traces catch up. Small on wasm, so that rows that lie next to each other in the file are read together;
/// large natively, to keep the indexing thread busy.
const BLOCK: usize = if cfg!(target_family = "wasm") { 512 } else { 32_768 };
/// Spans whose texts are searched for secrets one by one, before only every eighth is.
const SECRET_SPANS: usize = 20_000;

/// Lower bound of the file bytes a real span takes, and the largest number of spans to reserve memory for (24 MB). Both limit the up-front
/// allocation.
const MIN_SPAN_BYTES: u64 = 256;
const MAX_RESERVED: u64 = 4 << 20;

/// Longer outputs are not searched for token counts: a decoded list of numbers takes many times the size of its text.
const MAX_OUTPUT_BYTES: usize = 2 << 20;

/// Substrings of an output that holds token counts.
static COUNTED: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["metrics", "usage"].map(Finder::new));

/// Where the pass stands.
#[derive(Default)]
pub(crate) struct Pass {
    started: bool,
    spans: Table,
    events: Table,
    traces: Table,
    /// An event and a trace whose span is not known yet: its key, and the row's position in its table (see `Table::share_at`).
    waiting_event: Option<(SpanKey, f64)>,
    waiting_trace: Option<(TraceKey, f64)>,
    outputs: Vec<(u32, TokenRecord)>,
    derive: super::derive::Derive,
    /// The outer `Option` is set if a snapshot was requested, the inner one once every row was read.
    #[cfg(not(target_family = "wasm"))]
    snapshot: Option<Option<Snapshot>>,
    /// What had been removed from the file when the pass began.
    #[cfg(not(target_family = "wasm"))]
    removed: RemovedSoFar,
}

#[cfg(not(target_family = "wasm"))]
impl Pass {
    /// Requests a snapshot, which takes as much memory as the index.
    pub(crate) fn keep_snapshot(&mut self) {
        self.snapshot = Some(None);
    }

    /// The requested snapshot, available once after every row was read.
    pub(crate) fn take_snapshot(&mut self) -> Option<Snapshot> {
        self.snapshot.take().flatten()
    }
}

#[cfg(not(target_family = "wasm"))]
impl Snapshot {
    /// A pass over the grown file that resumes where the snapshot ends, and the index it fills; `None` if the file does not contain the
    /// spans of the snapshot. Servers append spans and events and never change them; rows of `traces`, which they do change, are all read
    /// again.
    ///
    /// # Errors
    /// When the file can't be read.
    pub(crate) fn resume(&self, database: &Database) -> Result<Option<(Index, Pass)>, StoreError> {
        if !self.matches(database)? {
            return Ok(None);
        }
        let mut index = self.index.clone();
        index.forget_trace_rows();
        let (spans, events, outputs) = (self.spans.clone(), self.events.clone(), self.outputs.clone());
        Ok(Some((index, Pass { spans, events, outputs, ..Pass::default() })))
    }
}

impl Pass {
    /// Number of spans read, and the expected total according to the largest rowid.
    pub(crate) fn counts(&self, index: &Index) -> (u64, u64) {
        let seen = index.span_count() as u64;
        (seen, self.spans.length().max(seen))
    }

    /// Works until `spent` returns true or everything is done. Returns whether it is done.
    ///
    /// # Errors
    /// When the file can't be read any more. Damage within the file is skipped and counted instead.
    pub(crate) fn step(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<bool, StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        if !self.started {
            // Before any row is read: what is removed while the pass lasts is in the index, so the pass after it must not resume.
            #[cfg(not(target_family = "wasm"))]
            {
                self.removed = removed_so_far(connection, schema);
            }
            let ends = |exists, table| rowids(connection, exists, table).or_else(damaged(database));
            let (spans, events) = (ends(schema.spans.exists, "spans")?, ends(schema.events.exists, "span_events")?);
            // A pass that goes on after another has read the rows before.
            for (table, found) in [(&mut self.spans, spans), (&mut self.events, events)] {
                if table.highest == 0 {
                    *table = Table::of(found);
                }
                table.highest = found.1;
            }
            self.traces = Table::of(ends(schema.traces.exists, "traces")?);
            self.spans.done = !schema.spans.exists;
            index.spans.reserve(self.likely_spans(database));
            self.events.done = !schema.events.exists;
            self.traces.done = !schema.traces.exists;
            self.started = true;
        }
        while !(self.spans.done && self.events.done && self.traces.done) {
            if !self.spans.done {
                self.read_spans(index, database, spent)?;
            }
            if !self.events.done {
                self.read_events(index, database, spent)?;
            }
            if !self.traces.done {
                self.read_traces(index, database, spent)?;
            }
            if spent() {
                return Ok(false);
            }
        }
        #[cfg(not(target_family = "wasm"))]
        if let Some(snapshot @ None) = &mut self.snapshot {
            *snapshot = Some(Snapshot::of(index, [&self.spans, &self.events], &self.outputs, self.removed));
        }
        if !self.derive.has_begun() {
            index.read_sources(database)?;
        }
        let done = self.derive.step(index, &mut self.outputs, spent);
        index.complete = done;
        Ok(done)
    }

    /// Upper bound of the number of spans, from the largest rowid and the length of the file; capped at [`MAX_RESERVED`].
    fn likely_spans(&self, database: &Database) -> usize {
        let fitting = (database.cache().len() / MIN_SPAN_BYTES).min(MAX_RESERVED);
        usize::try_from(self.spans.length().min(fitting)).unwrap_or(0)
    }

    fn read_spans(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let mut walk = self.spans.walk();
        let outputs = &mut self.outputs;
        let read = |give: &mut dyn FnMut(ScanSpan<'_>)| {
            scan_spans(connection, schema, walk.after, &mut |span| {
                let rowid = span.rowid;
                if !walk.is_in_order(rowid) {
                    return ControlFlow::Break(());
                }
                give(span);
                walk.take(rowid, BLOCK, spent)
            })
        };
        let outcome = pipeline(|span| take_span(index, outputs, span), read);
        index.spans.file();
        let readable = |at: i64| scan_spans(connection, schema, at.saturating_sub(1), &mut |_| ControlFlow::Break(())).is_ok();
        self.spans.settle(walk, outcome, database, readable)?;
        index.anomalies.damaged_spans = self.spans.lost;
        Ok(())
    }

    fn read_events(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let is_overdue = |share: f64| share < pace || pace >= 1.0;
        // A waiting event is not read again before it can be placed.
        if self.waiting_event.is_some_and(|(key, share)| !is_overdue(share) && index.spans.find(key).is_none()) {
            return Ok(());
        }
        self.waiting_event = None;
        let (mut walk, table, waiting) = (self.events.walk(), &self.events, &mut self.waiting_event);
        let outcome = scan_events(connection, schema, walk.after, &mut |event| {
            if !walk.is_in_order(event.id) {
                return ControlFlow::Break(());
            }
            let share = table.share_at(event.id);
            if let Some(key) = take_event(index, &event, is_overdue(share)) {
                *waiting = Some((key, share));
                return walk.stop();
            }
            walk.take(event.id, usize::MAX, spent)
        });
        let readable = |at: i64| scan_events(connection, schema, at.saturating_sub(1), &mut |_| ControlFlow::Break(())).is_ok();
        self.events.settle(walk, outcome, database, readable)?;
        index.anomalies.damaged_events = self.events.lost;
        Ok(())
    }

    fn read_traces(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let is_overdue = |share: f64| share < pace || pace >= 1.0;
        if self.waiting_trace.is_some_and(|(key, share)| !is_overdue(share) && index.traces.find(key).is_none()) {
            return Ok(());
        }
        self.waiting_trace = None;
        let (mut walk, table, waiting) = (self.traces.walk(), &self.traces, &mut self.waiting_trace);
        let outcome = scan_traces(connection, schema, walk.after, &mut |trace| {
            let rowid = trace.rowid;
            if !walk.is_in_order(rowid) {
                return ControlFlow::Break(());
            }
            let share = table.share_at(rowid);
            if let Some(key) = take_trace(index, trace, is_overdue(share)) {
                *waiting = Some((key, share));
                return walk.stop();
            }
            walk.take(rowid, usize::MAX, spent)
        });
        let readable = |at: i64| scan_traces(connection, schema, at.saturating_sub(1), &mut |_| ControlFlow::Break(())).is_ok();
        self.traces.settle(walk, outcome, database, readable)?;
        index.anomalies.damaged_traces = self.traces.lost;
        Ok(())
    }
}

fn read_time(stored: &Stored<'_>, local: &mut bool) -> i64 {
    match stored {
        Stored::Nanos(nanos) => *nanos,
        Stored::Text(text) => read_text(Some(text), local),
        Stored::Null | Stored::Bytes(_) => NO_TIME,
    }
}

fn read_text(text: Option<&[u8]>, local: &mut bool) -> i64 {
    match text.and_then(RecordedTime::read) {
        Some(time) => {
            *local |= !time.zoned;
            time.at.0
        }
        _ => NO_TIME,
    }
}

fn take_span(index: &mut Index, outputs: &mut Vec<(u32, TokenRecord)>, span: ScanSpan<'_>) {
    let key = index.non_hex_ids.stored_span(&span.span_id).unwrap_or_else(|| index.non_hex_ids.span_key(""));
    let trace = index.traces.number(index.non_hex_ids.stored_trace(&span.trace_id));
    let parent = index.non_hex_ids.stored_span(&span.parent_span_id).unwrap_or(SpanKey::NONE);
    let name = index.names.number(span.name.as_deref().unwrap_or_default());
    let mut local = false;
    let start = read_time(&span.start, &mut local);
    let end = read_time(&span.end, &mut local);
    if start == NO_TIME || end == NO_TIME || end < start {
        index.anomalies.invalid_times += 1;
    }

    let mut flags = SpanFlags::default();
    let role = index.names.facts(name).role;
    let (mut output, mut called, mut address) = (None, None, None);
    let mut evidence = Evidence::default();
    let mut verdict = SpanVerdict::default();
    let (mut found, mut tokens, mut parts) = (SpanValues::default(), TokenRecord::default(), CallParts::default());
    let readable = index.shapes.read(&mut index.profiles, name, span.attributes, |wanted, value| match wanted {
        Wanted::Failure(key) => verdict.note(key, value),
        Wanted::Says(says) => {
            match says {
                Says::Request if value.is_true() => flags.add(SpanFlags::REQUEST),
                Says::Autotraced if value.is_true() => flags.add(SpanFlags::AUTOTRACED),
                Says::Output if matches!(role, Some(InferenceRole::Router | InferenceRole::Provider)) => output = Some(value),
                Says::Output if role == Some(InferenceRole::AgentStep) => called = Some(value),
                Says::Address if address.is_none() => address = Some(value),
                Says::Tokens(kind) => {
                    if let Some(number) = number_in(value) {
                        set_count(&mut tokens, kind, number, TokenSource::Attribute);
                    }
                }
                Says::Part(_) | Says::FirstPartSeconds | Says::FirstPartMillis => {
                    if let Some(number) = number_in(value) {
                        set_part(&mut parts, says, number);
                    }
                }
                says => found.note(says, value),
            }
            evidence.note(says, || value.as_str());
        }
    });
    index.anomalies.malformed_attributes += u64::from(!readable);
    let status = span.status.as_deref().filter(|status| *status != b"OK").map(repaired);
    let is_unusual_status = status.is_some() || span.status.is_none();
    verdict.note_status(status.as_deref());
    index.anomalies.hidden_failures += u64::from(verdict.is_hidden());
    if verdict.failed() {
        flags.add(SpanFlags::FAILED);
    }
    let row_number = index.spans.len();
    if (row_number < SECRET_SPANS || row_number.is_multiple_of(8)) && holds_secret(span.attributes) {
        index.anomalies.secrets += 1;
    }

    let stated = evidence.role();
    let kind = match index.names.facts(name).kind {
        SpanKind::Other => match stated.and_then(Role::kind) {
            Some(kind) => kind,
            None if flags.has(SpanFlags::REQUEST) => SpanKind::Request,
            None => SpanKind::Other,
        },
        kind => kind,
    };
    if span.is_server {
        flags.add(SpanFlags::SERVER);
    }
    let is_call = stated.is_some_and(Role::is_call) && role.is_none();
    // Which of several is the request itself, and which repeats one, is decided once the whole trace is known.
    if is_call {
        flags.add(SpanFlags::INFERENCE_REQUEST);
    } else if !tokens.is_empty() && role.is_none() {
        flags.add(SpanFlags::SUMS);
    }
    let source = span.source.map(|number| u32::try_from(number).unwrap_or(NO_SOURCE));
    let row = index.spans.push(NewSpan { rowid: span.rowid, key, trace, parent, name, start, end, flags, kind, source });
    found.keep(&mut index.facets, row, kind == SpanKind::Inference);
    if index.names.facts(name).has_bare_method
        && let Some(address) = address.and_then(|address| address.as_str())
    {
        let shown = format!("{} {}", index.names.facts(name).text, path_of(&address));
        index.facets.shown_name.add(row, &shown);
    }
    if !parts.is_empty() {
        index.call_parts.push((row, parts));
    }
    for tool in called.into_iter().flat_map(called_tools) {
        index.facets.tool.add(row, tool);
    }
    if is_unusual_status {
        index.facets.unusual_status.add(row, status.as_deref().unwrap_or_default());
    }
    let entry = index.traces.at_mut(trace);
    entry.spans += 1;
    entry.local |= local;
    entry.widen(start, end);

    if !tokens.is_empty() {
        add_up(&mut tokens, stated == Some(Role::Embedding));
        outputs.push((row, tokens));
    } else if let Some(output) = output {
        let bytes = output.bytes();
        let is_counted = COUNTED.iter().any(|finder| finder.find(bytes).is_some());
        if is_counted && bytes.len() <= MAX_OUTPUT_BYTES {
            let text = output.as_str().unwrap_or_else(|| output.as_written());
            let record = from_output(&decode(&text).value);
            if !record.is_empty() {
                outputs.push((row, record));
            }
        }
    }
}

/// The path of an address, without its query.
fn path_of(address: &str) -> &str {
    let path = address.split_once("://").map_or(address, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/"));
    path.split(['?', '#']).next().unwrap_or(path)
}

/// Indexes an event if its span is known, or if it is `overdue`. Otherwise returns the span it waits for.
fn take_event(index: &mut Index, event: &ScanEvent<'_>, overdue: bool) -> Option<SpanKey> {
    let (key, row) = match &event.span {
        EventOwner::Id(id) => {
            let key = index.non_hex_ids.span_key(id.as_deref().unwrap_or_default());
            (key, index.spans.find(key))
        }
        // Such a row is written before its events.
        EventOwner::Row(rowid) => (SpanKey::NONE, index.spans.rowids.row_of(*rowid)),
    };
    if row.is_none() && !overdue {
        return Some(key);
    }
    let mut facts = EventFacts { id: event.id, at: read_time(&event.time, &mut false), metric: None, verdict: EventVerdict::default() };
    let name = event.name.as_deref().unwrap_or_default();
    let metric = name.strip_prefix("metric.");
    let mut labels = Vec::new();
    let mut measured = None;
    for (key, value) in entries(event.attributes).flatten() {
        match key.as_ref() {
            "severity" | "message" => facts.verdict.note(&key, value),
            _ if metric.is_none() => {}
            "value" => measured = value.as_str().as_deref().or(value.as_number_text()).and_then(read_f64),
            "unit" => {}
            _ => labels.push((key, label_text(value))),
        }
    }
    if let (Some(name), Some(value)) = (metric, measured) {
        let series = index.events.series.number(name, &mut labels);
        facts.metric = Some(MetricFacts { kind: TokenKind::from_metric(name), value, series });
    }
    if index.events.count < SECRET_SPANS as u64 && holds_secret(event.attributes) {
        index.anomalies.secrets += 1;
    }
    index.events.count += 1;
    match row {
        Some(row) => attach_event(index, row, facts),
        None => index.events.waiting.push(Waiting { span: key, facts }),
    }
    None
}

/// The value of a label as later releases print it: non-string values in Python's notation.
fn label_text(value: RawJson<'_>) -> Cow<'_, str> {
    match value.as_str() {
        Some(text) => text,
        None => match value.bytes() {
            b"true" => "True".into(),
            b"false" => "False".into(),
            b"null" => "None".into(),
            _ => value.as_written(),
        },
    }
}

/// Indexes a row of `traces` if one of its spans is known, or if it is `overdue`. Otherwise returns the trace it waits for.
fn take_trace(index: &mut Index, row: ScanTrace<'_>, overdue: bool) -> Option<TraceKey> {
    let key = index.non_hex_ids.stored_trace(&row.trace_id);
    if index.traces.find(key).is_none() && !overdue {
        return Some(key);
    }
    let number = index.traces.number(key);
    let mut local = false;
    let (start, end) = (read_time(&row.start, &mut local), read_time(&row.end, &mut local));
    let recorded_root = index.non_hex_ids.stored_span(&row.root_span_id).unwrap_or(SpanKey::NONE);
    let service_number = row.service_name.as_deref().and_then(|service| index.service_names.number(service));
    let entry = index.traces.at_mut(number);
    // A trace may have several rows, of which the last counts.
    let was_null = entry.rowid.is_some() && entry.recorded_root == SpanKey::NONE;
    let nulls = &mut index.anomalies.null_roots;
    *nulls = nulls.saturating_add(u64::from(recorded_root == SpanKey::NONE)).saturating_sub(u64::from(was_null));
    entry.rowid = Some(row.rowid);
    entry.service = service_number.and_then(|number| u16::try_from(number).ok());
    entry.recorded_root = recorded_root;
    entry.created = read_time(&row.created_at, &mut false);
    if entry.spans == 0 {
        entry.local |= local;
        entry.widen(start, end);
    }
    None
}

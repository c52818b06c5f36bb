//! The one pass over the file: spans, events and traces in lockstep, in the order they were written, so that the file is read
//! front to back once.
//!
//! Events and the row of a trace are written right after the span they belong to. The pass reads a block of spans, then the events
//! and traces whose span it knows; one that it does not know waits until its table is behind the spans' pace, and then counts as lost
//! until the end proves otherwise.

use super::events::{EventFacts, Metric, Waiting, is_server_failure};
use super::ids::SpanKey;
use super::secrets::holds_secret;
use super::spans::NewSpan;
use super::{Index, NO_TIME};
use crate::model::{RecordedTime, SpanKind, SpanMarks, TokenRecord};
use crate::recorded::{decode, entries};
use crate::store::{Database, ScanEvent, ScanSpan, ScanTrace, StoreError, highest_rowid, scan_events, scan_spans, scan_traces};
use crate::tokens::{InferenceRole, TokenKind, from_output};
use memchr::memmem;
use std::ops::ControlFlow;

/// Spans read before events and traces catch up.
const BLOCK: usize = 512;
/// Rows between two looks at the budget.
const LOOK: usize = 32;
/// Spans whose texts are searched for secrets one by one, before only every eighth is.
const SECRET_SPANS: usize = 20_000;

/// One table on its way through the pass.
#[derive(Default)]
struct Table {
    after: i64,
    highest: i64,
    done: bool,
}

impl Table {
    fn share(&self) -> f64 {
        if self.done || self.highest <= 0 { 1.0 } else { self.after as f64 / self.highest as f64 }
    }

    /// Takes the outcome of a scan: past damage it goes on at the first row that can be read again.
    fn settle(
        &mut self,
        outcome: Result<(), StoreError>,
        ended: bool,
        lost: &mut u64,
        readable: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        match outcome {
            Ok(()) => {
                self.done = ended;
                Ok(())
            }
            Err(error) if error.is_damage() => {
                let next = skip_damage(self.after, self.highest, readable);
                let until = next.unwrap_or(self.highest + 1);
                *lost += u64::try_from(until - 1 - self.after).unwrap_or(0).max(1);
                self.after = until - 1;
                self.done = next.is_none();
                Ok(())
            }
            Err(error) => Err(error),
        }
    }
}

/// The first rowid behind `after` from which reading works again: doubling steps ahead, then halving back.
fn skip_damage(after: i64, highest: i64, readable: impl Fn(i64) -> bool) -> Option<i64> {
    let (mut bad, mut step) = (after + 1, 1);
    let mut good = loop {
        let at = bad.saturating_add(step);
        if at > highest {
            return None;
        }
        if readable(at) {
            break at;
        }
        (bad, step) = (at, step * 2);
    };
    while good - bad > 1 {
        let middle = bad + (good - bad) / 2;
        if readable(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    Some(good)
}

/// Where the pass stands.
#[derive(Default)]
pub(crate) struct Pass {
    started: bool,
    spans: Table,
    events: Table,
    traces: Table,
    outputs: Vec<(u32, TokenRecord)>,
    derive: super::derive::Derive,
}

impl Pass {
    /// Spans that were passed and spans in all, as the largest rowid suggests.
    pub(crate) fn counts(&self, index: &Index) -> (u64, u64) {
        let seen = index.span_count() as u64;
        (seen, u64::try_from(self.spans.highest).unwrap_or(0).max(seen))
    }

    /// Works until `spent` says so or everything is done; true when done.
    ///
    /// # Errors
    /// When the file can't be read any more; damage inside it is skipped and counted instead.
    pub(crate) fn step(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<bool, StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        if !self.started {
            self.spans.highest = highest_rowid(connection, schema.spans.exists, "spans").or_else(damaged)?;
            self.events.highest = highest_rowid(connection, schema.events.exists, "span_events").or_else(damaged)?;
            self.traces.highest = highest_rowid(connection, schema.traces.exists, "traces").or_else(damaged)?;
            self.spans.done = !schema.spans.exists;
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
        let done = self.derive.step(index, &mut self.outputs, spent);
        index.complete = done;
        Ok(done)
    }

    fn read_spans(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let (table, outputs) = (&mut self.spans, &mut self.outputs);
        let (mut count, mut ended) = (0, true);
        let mut after = table.after;
        let outcome = scan_spans(connection, schema, after, |span| {
            after = span.rowid;
            take_span(index, outputs, span);
            count += 1;
            if count >= BLOCK || (count % LOOK == 0 && spent()) {
                ended = false;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        table.after = after;
        let readable = |at| scan_spans(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        table.settle(outcome, ended, &mut index.oddities.damaged_spans, readable)
    }

    fn read_events(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let table = &mut self.events;
        let (mut count, mut ended) = (0, true);
        let (mut after, highest) = (table.after, table.highest.max(1));
        let outcome = scan_events(connection, schema, after, |event| {
            let share = event.id as f64 / highest as f64;
            if !take_event(index, &event, share < pace || pace >= 1.0) {
                ended = false;
                return ControlFlow::Break(());
            }
            after = event.id;
            count += 1;
            if count % LOOK == 0 && spent() {
                ended = false;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        table.after = after;
        let readable = |at| scan_events(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        table.settle(outcome, ended, &mut index.oddities.damaged_events, readable)
    }

    fn read_traces(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let table = &mut self.traces;
        let (mut count, mut ended) = (0, true);
        let (mut after, highest) = (table.after, table.highest.max(1));
        let outcome = scan_traces(connection, schema, after, |trace| {
            let rowid = trace.rowid;
            let share = rowid as f64 / highest as f64;
            if !take_trace(index, trace, share < pace || pace >= 1.0) {
                ended = false;
                return ControlFlow::Break(());
            }
            after = rowid;
            count += 1;
            if count % LOOK == 0 && spent() {
                ended = false;
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        });
        table.after = after;
        let readable = |at| scan_traces(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        table.settle(outcome, ended, &mut index.oddities.damaged_traces, readable)
    }
}

/// A table whose last page is damaged: its end is found row by row.
fn damaged(error: StoreError) -> Result<i64, StoreError> {
    if error.is_damage() { Ok(i64::from(u32::MAX)) } else { Err(error) }
}

fn read_time(text: Option<&str>, local: &mut bool) -> i64 {
    match text.map(RecordedTime::parse) {
        Some(Ok(time)) => {
            *local |= !time.zoned;
            time.at.0
        }
        _ => NO_TIME,
    }
}

fn take_span(index: &mut Index, outputs: &mut Vec<(u32, TokenRecord)>, span: ScanSpan<'_>) {
    let key = index.odd.span_key(span.span_id.as_deref().unwrap_or_default());
    let trace = index.traces.number(index.odd.trace_key(span.trace_id.as_deref().unwrap_or_default()));
    let parent = match span.parent_span_id.as_deref() {
        None => SpanKey::NONE,
        Some(parent) => index.odd.span_key(parent),
    };
    let name = index.names.number(span.name.as_deref().unwrap_or_default());
    let mut local = false;
    let start = read_time(span.start.as_deref(), &mut local);
    let end = read_time(span.end.as_deref(), &mut local);
    if start == NO_TIME || end == NO_TIME || end < start {
        index.oddities.odd_times += 1;
    }

    let mut marks = SpanMarks::default();
    let role = index.names.facts(name).role;
    let mut output = None;
    let mut readable = true;
    for entry in entries(span.attributes) {
        let Ok((key, value)) = entry else {
            readable = false;
            break;
        };
        index.profiles.add(key.as_ref(), value);
        match key.as_ref() {
            "__root__" if value.is_true() => marks.add(SpanMarks::REQUEST),
            "__autotraced__" if value.is_true() => marks.add(SpanMarks::AUTOTRACED),
            "error" if !value.is_null() => marks.add(SpanMarks::FAILED),
            "output" if matches!(role, Some(InferenceRole::Router | InferenceRole::Provider)) => output = Some(value),
            _ => {}
        }
    }
    index.oddities.odd_attributes += u64::from(!readable);
    index.profiles.finish(readable);
    let status_says_so = span.status.as_deref().is_some_and(|status| status.eq_ignore_ascii_case("error"));
    if marks.has(SpanMarks::FAILED) && !status_says_so {
        index.oddities.hidden_failures += 1;
    }
    if status_says_so {
        marks.add(SpanMarks::FAILED);
    }
    let row_number = index.spans.len();
    if (row_number < SECRET_SPANS || row_number.is_multiple_of(8)) && holds_secret(span.attributes) {
        index.oddities.secrets += 1;
    }

    let kind = match index.names.facts(name).kind {
        SpanKind::Other if marks.has(SpanMarks::REQUEST) => SpanKind::Request,
        kind => kind,
    };
    let row = index.spans.push(NewSpan { rowid: span.rowid, key, trace, parent, name, start, end, marks, kind });
    let entry = index.traces.at_mut(trace);
    entry.spans += 1;
    entry.local |= local;
    entry.requests += u32::from(marks.has(SpanMarks::REQUEST));
    entry.widen(start, end);

    if let Some(output) = output {
        let bytes = output.bytes();
        if memmem::find(bytes, b"metrics").is_some() || memmem::find(bytes, b"usage").is_some() {
            let text = output.as_str().unwrap_or_else(|| output.as_written());
            let record = from_output(&decode(&text).value);
            if !record.is_empty() {
                outputs.push((row, record));
            }
        }
    }
}

/// Takes an event whose span is known, or must be taken anyway because its table is behind; false when it has to wait.
fn take_event(index: &mut Index, event: &ScanEvent<'_>, behind: bool) -> bool {
    let key = index.odd.span_key(event.span_id.as_deref().unwrap_or_default());
    let row = index.spans.find(key);
    if row.is_none() && !behind {
        return false;
    }
    let mut facts = EventFacts {
        id: event.id,
        at: read_time(event.timestamp.as_deref(), &mut false),
        metric: None,
        is_error: false,
        is_failure: false,
    };
    let name = event.name.as_deref().unwrap_or_default();
    let metric = name.strip_prefix("metric.").and_then(TokenKind::from_metric);
    for (key, value) in entries(event.attributes).flatten() {
        match key.as_ref() {
            "severity" => facts.is_error = matches!(value.as_str().as_deref(), Some("error" | "critical")),
            "message" => facts.is_failure = is_server_failure(value.bytes().get(1..).unwrap_or_default()),
            "value" => {
                if let (Some(kind), Some(number)) = (metric, value.as_number_text().and_then(|text| text.parse().ok())) {
                    facts.metric = Some((kind, number));
                }
            }
            _ => {}
        }
    }
    if index.events.count < SECRET_SPANS as u64 && holds_secret(event.attributes) {
        index.oddities.secrets += 1;
    }
    index.events.count += 1;
    match row {
        Some(row) => place_event(index, row, facts),
        None => index.events.waiting.push(Waiting { span: key, facts }),
    }
    true
}

/// Hangs an event on its span.
pub(super) fn place_event(index: &mut Index, row: u32, event: EventFacts) {
    index.events.push(row, event.id);
    if let Some((kind, value)) = event.metric {
        index.events.metrics.push(Metric { span: row, id: event.id, kind, value });
    }
    let start = *index.spans.start.at(row);
    let marks = index.spans.marks.at_mut(row);
    if event.is_error && event.is_failure {
        if !marks.has(SpanMarks::FAILED) {
            index.oddities.hidden_failures += 1;
        }
        marks.add(SpanMarks::FAILED);
    } else if event.is_error {
        marks.add(SpanMarks::LOGGED_ERROR);
    }
    if event.at != NO_TIME && start != NO_TIME && event.at < start {
        marks.add(SpanMarks::EARLY_EVENT);
        index.oddities.early_events += 1;
    }
}

/// Takes a row of `traces` whose spans were met, or that must be taken anyway; false when it has to wait.
fn take_trace(index: &mut Index, row: ScanTrace<'_>, behind: bool) -> bool {
    let key = index.odd.trace_key(row.trace_id.as_deref().unwrap_or_default());
    if index.traces.find(key).is_none() && !behind {
        return false;
    }
    let number = index.traces.number(key);
    let mut local = false;
    let (start, end) = (read_time(row.start.as_deref(), &mut local), read_time(row.end.as_deref(), &mut local));
    let recorded_root = match row.root_span_id.as_deref() {
        None => {
            index.oddities.null_roots += 1;
            SpanKey::NONE
        }
        Some(root) => index.odd.span_key(root),
    };
    if let Some(service) = row.service_name {
        if let Some(count) = index.services.get_mut(service.as_ref()) {
            *count += 1;
        } else if index.services.len() < 100 {
            index.services.insert(service.into_owned(), 1);
        }
    }
    let entry = index.traces.at_mut(number);
    entry.rowid = Some(row.rowid);
    entry.recorded_root = recorded_root;
    entry.created = read_time(row.created_at.as_deref(), &mut false);
    if entry.spans == 0 {
        entry.local |= local;
        entry.widen(start, end);
    }
    true
}

//! The one pass over the file: spans, events and traces in lockstep, in the order they were written, so that the file is read
//! front to back once.
//!
//! Events and the row of a trace are written right after the span they belong to. The pass reads a block of spans, then the events
//! and traces whose span it knows; one that it does not know waits until its table is behind the spans' pace, and then counts as lost
//! until the end proves otherwise.

use super::beside::beside;
use super::events::{EventFacts, Metric, MetricFacts, Waiting};
use super::facets::{Found, called_tools};
use super::ids::{SpanKey, TraceKey};
#[cfg(not(target_family = "wasm"))]
use super::reading::Reading;
use super::secrets::holds_secret;
use super::shapes::Wanted;
use super::spans::NewSpan;
use super::{Index, NO_TIME};
use memchr::memmem::Finder;
use quipu_model::failure::{EventVerdict, SpanVerdict};
use quipu_model::recorded::{RawJson, decode, entries, repaired};
use quipu_model::tokens::{InferenceRole, TokenKind, add_up, from_output, set_count};
use quipu_model::{RecordedTime, SpanFlags, SpanKind, TokenRecord, TokenSource};
use quipu_store::{Database, ScanEvent, ScanSpan, ScanTrace, StoreError, highest_rowid, scan_events, scan_spans, scan_traces};

use std::borrow::Cow;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// Spans read before events and traces catch up: few where what lies side by side in the file is to be read at once, many where a second
/// thread takes them in, which is to be kept busy.
const BLOCK: usize = if cfg!(target_family = "wasm") { 512 } else { 32_768 };
/// Rows between two looks at the budget.
const LOOK: usize = 32;
/// Spans whose texts are searched for secrets one by one, before only every eighth is.
const SECRET_SPANS: usize = 20_000;

/// Fewer bytes of a file than any span of a real one takes, and spans that room is made for at most (24 MB).
const MIN_SPAN_BYTES: u64 = 256;
const MAX_RESERVED: u64 = 4 << 20;

/// Longer outputs are not searched for token counts: a decoded list of numbers takes many times its text.
const MAX_OUTPUT_BYTES: usize = 2 << 20;

/// What stands in an output that tells token counts.
static COUNTED: LazyLock<[Finder<'static>; 2]> = LazyLock::new(|| ["metrics", "usage"].map(Finder::new));

/// One table on its way through the pass.
#[derive(Clone, Default)]
pub(super) struct Table {
    pub(super) after: i64,
    highest: i64,
    done: bool,
    pub(super) lost: u64,
}

impl Table {
    fn share(&self) -> f64 {
        if self.done { 1.0 } else { self.share_at(self.after) }
    }

    /// How far through the table a row stands, from 0 to 1.
    fn share_at(&self, rowid: i64) -> f64 {
        if self.highest <= 0 { 1.0 } else { rowid as f64 / self.highest as f64 }
    }

    fn walk(&self) -> Walk {
        Walk { after: self.after, count: 0, ended: true, disorder: false }
    }

    /// Takes the outcome of a walk: past damage it goes on at the first row that can be read again.
    fn settle(
        &mut self,
        walk: Walk,
        outcome: Result<(), StoreError>,
        database: &Database,
        readable: impl Fn(i64) -> bool,
    ) -> Result<(), StoreError> {
        self.after = walk.after;
        match outcome {
            // Rows that do not ascend come from a damaged tree, which might lead in a circle for ever.
            Ok(()) if walk.disorder => {
                self.lost += 1;
                self.done = true;
            }
            Ok(()) => self.done = walk.ended,
            Err(error) if error.is_damage() => {
                database.source_failed()?;
                let next = skip_damage(self.after, self.highest, readable);
                database.source_failed()?;
                let until = next.unwrap_or(self.highest.saturating_add(1)).max(self.after + 1);
                self.lost += u64::try_from(until - 1 - self.after).unwrap_or(0).max(1);
                self.after = until - 1;
                self.done = next.is_none();
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// One stretch of rows of a table.
struct Walk {
    after: i64,
    count: usize,
    /// Whether the table's end was reached.
    ended: bool,
    disorder: bool,
}

impl Walk {
    /// Whether a row comes where it belongs; rowids ascend.
    fn is_in_order(&mut self, rowid: i64) -> bool {
        self.disorder = rowid <= self.after;
        !self.disorder
    }

    fn stop(&mut self) -> ControlFlow<()> {
        self.ended = false;
        ControlFlow::Break(())
    }

    /// The row was taken; stops after `limit` rows, or when the budget is spent.
    fn take(&mut self, rowid: i64, limit: usize, spent: &mut dyn FnMut() -> bool) -> ControlFlow<()> {
        self.after = rowid;
        self.count += 1;
        if self.count >= limit || (self.count.is_multiple_of(LOOK) && spent()) { self.stop() } else { ControlFlow::Continue(()) }
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
    /// An event and a trace that wait for their span: its id, and where in their table they stand.
    waiting_event: Option<(SpanKey, f64)>,
    waiting_trace: Option<(TraceKey, f64)>,
    outputs: Vec<(u32, TokenRecord)>,
    derive: super::derive::Derive,
    /// What another pass may go on from; only where that is wanted, and once everything is read.
    #[cfg(not(target_family = "wasm"))]
    kept: Option<Option<Reading>>,
}

#[cfg(not(target_family = "wasm"))]
impl Pass {
    /// A pass that goes on behind what these tables have of spans and events.
    pub(super) fn behind([spans, events]: [Table; 2], outputs: Vec<(u32, TokenRecord)>) -> Pass {
        Pass { spans, events, outputs, ..Pass::default() }
    }

    /// From now on what is read is kept for another pass, which takes the memory of the index once more.
    pub(crate) fn keep(&mut self) {
        self.kept = Some(None);
    }

    /// What was kept, once everything was read.
    pub(crate) fn take_kept(&mut self) -> Option<Reading> {
        self.kept.take().flatten()
    }
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
            self.spans.highest = highest_rowid(connection, schema.spans.exists, "spans").or_else(damaged(database))?;
            self.events.highest = highest_rowid(connection, schema.events.exists, "span_events").or_else(damaged(database))?;
            self.traces.highest = highest_rowid(connection, schema.traces.exists, "traces").or_else(damaged(database))?;
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
        if let Some(kept @ None) = &mut self.kept {
            *kept = Some(Reading::of(index, [&self.spans, &self.events], &self.outputs));
        }
        let done = self.derive.step(index, &mut self.outputs, spent);
        index.complete = done;
        Ok(done)
    }

    /// Spans there are at most, as the largest rowid and the file's length say; fewer for a file that says there are very many.
    fn likely_spans(&self, database: &Database) -> usize {
        let fitting = (database.cache().len() / MIN_SPAN_BYTES).min(MAX_RESERVED);
        usize::try_from(u64::try_from(self.spans.highest).unwrap_or(0).min(fitting)).unwrap_or(0)
    }

    fn read_spans(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let mut walk = self.spans.walk();
        let outputs = &mut self.outputs;
        let read = |give: &mut dyn FnMut(ScanSpan<'_>)| {
            scan_spans(connection, schema, walk.after, |span| {
                let rowid = span.rowid;
                if !walk.is_in_order(rowid) {
                    return ControlFlow::Break(());
                }
                give(span);
                walk.take(rowid, BLOCK, spent)
            })
        };
        let outcome = beside(|span| take_span(index, outputs, span), read);
        index.spans.file();
        let readable = |at| scan_spans(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        self.spans.settle(walk, outcome, database, readable)?;
        index.oddities.damaged_spans = self.spans.lost;
        Ok(())
    }

    fn read_events(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let is_behind = |share: f64| share < pace || pace >= 1.0;
        // One that waited is not read again before it can go on.
        if self.waiting_event.is_some_and(|(key, share)| !is_behind(share) && index.spans.find(key).is_none()) {
            return Ok(());
        }
        self.waiting_event = None;
        let (mut walk, table, waiting) = (self.events.walk(), &self.events, &mut self.waiting_event);
        let outcome = scan_events(connection, schema, walk.after, |event| {
            if !walk.is_in_order(event.id) {
                return ControlFlow::Break(());
            }
            let share = table.share_at(event.id);
            if let Some(key) = take_event(index, &event, is_behind(share)) {
                *waiting = Some((key, share));
                return walk.stop();
            }
            walk.take(event.id, usize::MAX, spent)
        });
        let readable = |at| scan_events(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        self.events.settle(walk, outcome, database, readable)?;
        index.oddities.damaged_events = self.events.lost;
        Ok(())
    }

    fn read_traces(&mut self, index: &mut Index, database: &Database, spent: &mut dyn FnMut() -> bool) -> Result<(), StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let pace = self.spans.share();
        let is_behind = |share: f64| share < pace || pace >= 1.0;
        if self.waiting_trace.is_some_and(|(key, share)| !is_behind(share) && index.traces.find(key).is_none()) {
            return Ok(());
        }
        self.waiting_trace = None;
        let (mut walk, table, waiting) = (self.traces.walk(), &self.traces, &mut self.waiting_trace);
        let outcome = scan_traces(connection, schema, walk.after, |trace| {
            let rowid = trace.rowid;
            if !walk.is_in_order(rowid) {
                return ControlFlow::Break(());
            }
            let share = table.share_at(rowid);
            if let Some(key) = take_trace(index, trace, is_behind(share)) {
                *waiting = Some((key, share));
                return walk.stop();
            }
            walk.take(rowid, usize::MAX, spent)
        });
        let readable = |at| scan_traces(connection, schema, at - 1, |_| ControlFlow::Break(())).is_ok();
        self.traces.settle(walk, outcome, database, readable)?;
        index.oddities.damaged_traces = self.traces.lost;
        Ok(())
    }
}

/// A table whose last page is damaged: its end is found row by row.
fn damaged(database: &Database) -> impl Fn(StoreError) -> Result<i64, StoreError> {
    move |error| {
        if !error.is_damage() {
            return Err(error);
        }
        database.source_failed()?;
        Ok(i64::from(u32::MAX))
    }
}

fn read_time(text: Option<&[u8]>, local: &mut bool) -> i64 {
    match text.and_then(RecordedTime::read) {
        Some(time) => {
            *local |= !time.zoned;
            time.at.0
        }
        _ => NO_TIME,
    }
}

fn take_span(index: &mut Index, outputs: &mut Vec<(u32, TokenRecord)>, span: ScanSpan<'_>) {
    let key = index.odd.span_key_of(span.span_id.as_deref().unwrap_or_default());
    let trace = index.traces.number(index.odd.trace_key_of(span.trace_id.as_deref().unwrap_or_default()));
    let parent = match span.parent_span_id.as_deref() {
        None => SpanKey::NONE,
        Some(parent) => index.odd.span_key_of(parent),
    };
    let name = index.names.number(span.name.as_deref().unwrap_or_default());
    let mut local = false;
    let start = read_time(span.start.as_deref(), &mut local);
    let end = read_time(span.end.as_deref(), &mut local);
    if start == NO_TIME || end == NO_TIME || end < start {
        index.oddities.odd_times += 1;
    }

    let mut flags = SpanFlags::default();
    let role = index.names.facts(name).role;
    let (mut output, mut said, mut called) = (None, None, None);
    let mut verdict = SpanVerdict::default();
    let (mut found, mut tokens) = (Found::default(), TokenRecord::default());
    let readable = index.shapes.read(&mut index.profiles, name, span.attributes, |wanted, value| match wanted {
        Wanted::Root if value.is_true() => flags.add(SpanFlags::REQUEST),
        Wanted::Autotraced if value.is_true() => flags.add(SpanFlags::AUTOTRACED),
        Wanted::Failure(key) => verdict.note(key, value),
        Wanted::Output if matches!(role, Some(InferenceRole::Router | InferenceRole::Provider)) => output = Some(value),
        Wanted::Output if role == Some(InferenceRole::AgentStep) => called = Some(value),
        Wanted::SaidKind => said = value.as_str().and_then(|word| SpanKind::from_convention(&word)).or(said),
        Wanted::Facet(kind) => found.note(kind, value),
        Wanted::Tokens(kind) => {
            if let Some(number) = value.as_number_text().and_then(|text| text.parse().ok()) {
                set_count(&mut tokens, kind, number, TokenSource::Attribute);
            }
        }
        _ => {}
    });
    index.oddities.odd_attributes += u64::from(!readable);
    let status = span.status.as_deref().filter(|status| *status != b"OK").map(repaired);
    let is_odd_status = status.is_some() || span.status.is_none();
    verdict.note_status(status.as_deref());
    index.oddities.hidden_failures += u64::from(verdict.is_hidden());
    if verdict.failed() {
        flags.add(SpanFlags::FAILED);
    }
    let row_number = index.spans.len();
    if (row_number < SECRET_SPANS || row_number.is_multiple_of(8)) && holds_secret(span.attributes) {
        index.oddities.secrets += 1;
    }

    let kind = match index.names.facts(name).kind {
        SpanKind::Other if said.is_some() => said.unwrap_or(SpanKind::Other),
        SpanKind::Other if flags.has(SpanFlags::REQUEST) => SpanKind::Request,
        kind => kind,
    };
    if said == Some(SpanKind::Inference) && role.is_none() {
        // Whether it is the request, or only tells of it once more, is decided when the whole trace is known.
        flags.add(SpanFlags::INFERENCE_REQUEST);
    }
    let row = index.spans.push(NewSpan { rowid: span.rowid, key, trace, parent, name, start, end, flags, kind });
    found.keep(&mut index.facets, row, kind == SpanKind::Inference);
    for tool in called.into_iter().flat_map(called_tools) {
        index.facets.tool.add(row, tool);
    }
    if is_odd_status {
        index.facets.odd_status.add(row, status.as_deref().unwrap_or_default());
    }
    let entry = index.traces.at_mut(trace);
    entry.spans += 1;
    entry.local |= local;
    entry.requests += u32::from(flags.has(SpanFlags::REQUEST));
    entry.widen(start, end);

    if !tokens.is_empty() {
        add_up(&mut tokens);
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

/// Takes an event whose span is known, or must be taken anyway because its table is behind; else answers what it waits for.
fn take_event(index: &mut Index, event: &ScanEvent<'_>, behind: bool) -> Option<SpanKey> {
    let key = index.odd.span_key(event.span_id.as_deref().unwrap_or_default());
    let row = index.spans.find(key);
    if row.is_none() && !behind {
        return Some(key);
    }
    let mut facts = EventFacts {
        id: event.id,
        at: read_time(event.timestamp.as_deref().map(str::as_bytes), &mut false),
        metric: None,
        verdict: EventVerdict::default(),
    };
    let name = event.name.as_deref().unwrap_or_default();
    let metric = name.strip_prefix("metric.");
    let mut labels = Vec::new();
    let mut measured = None;
    for (key, value) in entries(event.attributes).flatten() {
        match key.as_ref() {
            "severity" | "message" => facts.verdict.note(&key, value),
            _ if metric.is_none() => {}
            "value" => measured = value.as_str().as_deref().or(value.as_number_text()).and_then(|text| text.parse::<f64>().ok()),
            "unit" => {}
            _ => labels.push((key, label_text(value))),
        }
    }
    if let (Some(name), Some(value)) = (metric, measured) {
        let series = index.events.series.number(name, &mut labels);
        facts.metric = Some(MetricFacts { kind: TokenKind::from_metric(name), value, series });
    }
    if index.events.count < SECRET_SPANS as u64 && holds_secret(event.attributes) {
        index.oddities.secrets += 1;
    }
    index.events.count += 1;
    match row {
        Some(row) => place_event(index, row, facts),
        None => index.events.waiting.push(Waiting { span: key, facts }),
    }
    None
}

/// A label's value as the metrics of later releases have it: Python's words for what is no text.
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

/// Hangs an event on its span.
pub(super) fn place_event(index: &mut Index, row: u32, event: EventFacts) {
    index.events.push(row, event.id);
    if let Some(of) = event.metric {
        index.events.metrics.push(Metric { span: row, id: event.id, at: event.at, of });
    }
    let start = *index.spans.start.at(row);
    let flags = index.spans.flags.at_mut(row);
    if event.verdict.fails_span() {
        if !flags.has(SpanFlags::FAILED) {
            index.oddities.hidden_failures += 1;
        }
        flags.add(SpanFlags::FAILED);
    } else if event.verdict.is_logged_error() {
        flags.add(SpanFlags::LOGGED_ERROR);
    }
    if event.at != NO_TIME && start != NO_TIME && event.at < start {
        flags.add(SpanFlags::EARLY_EVENT);
        index.oddities.early_events += 1;
    }
}

/// Takes a row of `traces` whose spans were met, or that must be taken anyway; else answers what it waits for.
fn take_trace(index: &mut Index, row: ScanTrace<'_>, behind: bool) -> Option<TraceKey> {
    let key = index.odd.trace_key(row.trace_id.as_deref().unwrap_or_default());
    if index.traces.find(key).is_none() && !behind {
        return Some(key);
    }
    let number = index.traces.number(key);
    let mut local = false;
    let time = |text: &Option<Cow<'_, str>>, local: &mut bool| read_time(text.as_deref().map(str::as_bytes), local);
    let (start, end) = (time(&row.start, &mut local), time(&row.end, &mut local));
    let recorded_root = match row.root_span_id.as_deref() {
        None => {
            index.oddities.null_roots += 1;
            SpanKey::NONE
        }
        Some(root) => index.odd.span_key(root),
    };
    let service_number = row.service_name.as_deref().and_then(|service| index.service_names.number(service));
    if let Some(service) = row.service_name {
        if let Some(count) = index.services.get_mut(service.as_ref()) {
            *count += 1;
        } else if index.services.len() < 100 {
            index.services.insert(service.into_owned(), 1);
        }
    }
    let entry = index.traces.at_mut(number);
    entry.rowid = Some(row.rowid);
    entry.service = service_number.and_then(|number| u16::try_from(number).ok());
    entry.recorded_root = recorded_root;
    entry.created = time(&row.created_at, &mut false);
    if entry.spans == 0 {
        entry.local |= local;
        entry.widen(start, end);
    }
    None
}

//! Writes parsed rows into a database, for imported files as well as for requests received by a collector.
//!
//! Not here: parsing (`rows`), and the extent of transactions, which the caller decides.

use quipu_model::SpanExtra;
use quipu_model::recorded::entries;
use quipu_otlp::attributes::Object;
use quipu_otlp::rows::{NewSpan, Rows};
#[cfg(not(target_family = "wasm"))]
use quipu_otlp::{Signal, read_request};
#[cfg(not(target_family = "wasm"))]
use quipu_store::Removed;
use quipu_store::{Added, Layout, OwnEvent, OwnSpan, OwnTrace, Refused, StoreError, TraceFacts, TraceUpdate, Writer};
use std::collections::HashMap;
use std::sync::Arc;

/// Number of resources and scopes whose row numbers are cached. Beyond that they are looked up again, which is not an error.
const REMEMBERED: usize = 10_000;

/// Length of a resource and scope up to which they are recognised in later requests.
const SHORT: usize = 16 << 10;

/// Numbers of rows written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Spans, without repeated ones.
    pub spans: u64,
    /// Spans that were already in the database, as when an exporter retries. The first one is kept.
    pub repeated_spans: u64,
    /// Span events, not counting log records.
    pub events: u64,
    /// Log records.
    pub logs: u64,
    /// Metric points.
    pub points: u64,
}

impl std::ops::AddAssign for Recorded {
    fn add_assign(&mut self, more: Recorded) {
        self.spans += more.spans;
        self.repeated_spans += more.repeated_spans;
        self.events += more.events;
        self.logs += more.logs;
        self.points += more.points;
    }
}

/// Writes rows, and caches the numbers of their resources and scopes.
///
/// ```
/// use quipu::store::Writer;
/// use quipu::transfer::{Recorder, Signal, read_request};
/// let body = br#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331",
///     "name":"chat","startTimeUnixNano":"1764000000000000000","endTimeUnixNano":"1764000001000000000"}]}]}]}"#;
/// let mut recorder = Recorder::new(Writer::in_memory()?);
/// recorder.begin()?;
/// let recorded = recorder.write(&mut read_request(Signal::Traces, true, body).expect("OTLP"))?;
/// recorder.commit()?;
/// assert_eq!((recorded.spans, recorded.repeated_spans), (1, 0));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Recorder {
    writer: Writer,
    /// Numbers of the resources and scopes written so far.
    sources: HashMap<(Arc<str>, Arc<str>), i64>,
    /// How often the writer had opened another file at the last transaction.
    #[cfg(not(target_family = "wasm"))]
    times_reopened: u64,
}

impl Recorder {
    /// A recorder that writes with `writer`.
    pub fn new(writer: Writer) -> Recorder {
        Recorder {
            #[cfg(not(target_family = "wasm"))]
            times_reopened: writer.times_reopened(),
            writer,
            sources: HashMap::new(),
        }
    }

    /// The underlying writer.
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Rows that the file did not take since this was last asked. They are left out, the others are kept.
    pub fn take_refused(&mut self) -> Refused {
        self.writer.take_refused()
    }

    /// A sentence for each time that another file was found at the path, and opened, since this was last asked.
    #[cfg(not(target_family = "wasm"))]
    pub fn take_reopened(&mut self) -> Vec<String> {
        self.writer.take_reopened()
    }

    /// Returns the underlying writer.
    pub fn into_writer(self) -> Writer {
        self.writer
    }

    /// Begins a transaction.
    ///
    /// # Errors
    /// As for [`Writer::begin`].
    pub fn begin(&mut self) -> Result<(), StoreError> {
        self.writer.begin()?;
        #[cfg(not(target_family = "wasm"))]
        if std::mem::replace(&mut self.times_reopened, self.writer.times_reopened()) != self.times_reopened {
            // Another file has other numbers.
            self.sources.clear();
        }
        Ok(())
    }

    /// Commits the transaction.
    ///
    /// # Errors
    /// As for [`Writer::commit`]; the transaction is then still open.
    pub fn commit(&mut self) -> Result<(), StoreError> {
        self.writer.commit()
    }

    /// Rolls the transaction back.
    ///
    /// # Errors
    /// As for [`Writer::roll_back`].
    pub fn roll_back(&mut self) -> Result<(), StoreError> {
        // It is not known which of them the transaction had written.
        self.sources.clear();
        self.writer.roll_back()
    }

    /// As [`Writer::commit_unless_read`].
    ///
    /// # Errors
    /// As for [`Writer::commit`].
    #[cfg(not(target_family = "wasm"))]
    pub fn commit_unless_read(&mut self, wait: std::time::Duration) -> Result<bool, StoreError> {
        let is_done = self.writer.commit_unless_read(wait)?;
        if !is_done {
            self.sources.clear();
        }
        Ok(is_done)
    }

    /// As [`Writer::remove_oldest`].
    ///
    /// # Errors
    /// As there.
    #[cfg(not(target_family = "wasm"))]
    pub fn remove_oldest(&mut self, before: Option<u64>, share: u64, wait: std::time::Duration) -> Result<Option<Removed>, StoreError> {
        self.writer.remove_oldest(before, share, wait)
    }

    /// As [`Writer::return_space`].
    ///
    /// # Errors
    /// As there.
    #[cfg(not(target_family = "wasm"))]
    pub fn return_space(&mut self) -> Result<bool, StoreError> {
        self.writer.return_space()
    }

    /// Whether requests wait beside the file.
    #[cfg(not(target_family = "wasm"))]
    pub fn has_waiting(&self) -> bool {
        self.writer.has_waiting()
    }

    /// Commits requests beside the file, because others read it. The body of each is decompressed.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    #[cfg(not(target_family = "wasm"))]
    pub fn put_waiting<'r>(&mut self, requests: impl Iterator<Item = (Signal, bool, &'r [u8])>) -> Result<(), StoreError> {
        self.writer.put_waiting(requests.map(|(signal, is_json, body)| (signal.label(), is_json, body)))
    }

    /// Adds some of the requests that wait beside the file, in a transaction of its own. `None` if others read the file for longer than
    /// `wait`; otherwise whether none are left.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]; the requests wait on.
    #[cfg(not(target_family = "wasm"))]
    pub fn add_waiting(&mut self, wait: std::time::Duration) -> Result<Option<bool>, StoreError> {
        /// Readers are locked out for as long as this takes.
        const BYTES: usize = 4 << 20;
        self.writer.attach_waiting()?;
        if !self.writer.begin_unless_read(wait)? {
            return Ok(None);
        }
        // Another file may have been opened.
        self.sources.clear();
        let outcome = self.add_some(BYTES);
        match outcome {
            Ok(is_last) => {
                self.commit()?;
                if is_last {
                    self.writer.forget_waiting()?;
                }
                Ok(Some(is_last))
            }
            Err(error) => {
                // The first error is told.
                let _ = self.roll_back();
                Err(error)
            }
        }
    }

    #[cfg(not(target_family = "wasm"))]
    fn add_some(&mut self, bytes: usize) -> Result<bool, StoreError> {
        let requests = self.writer.next_waiting(bytes)?;
        let Some(last) = requests.last().map(|request| request.number) else { return Ok(true) };
        for request in requests {
            let signal = Signal::ALL.into_iter().find(|signal| signal.label() == request.signal);
            // It was read before it was put there.
            if let Some(Ok(mut rows)) = signal.map(|signal| read_request(signal, request.is_json, &request.body)) {
                self.write(&mut rows)?;
            }
        }
        self.writer.note_waiting(last)?;
        Ok(false)
    }

    /// Turns log records that arrived before their span into events of that span. Returns the number of records that belong to no span.
    /// Scans all of them.
    ///
    /// # Errors
    /// As for [`Writer::settle_logs`].
    pub fn settle_logs(&mut self) -> Result<u64, StoreError> {
        self.writer.settle_logs()
    }

    /// Writes rows. `rows` stays usable, so that it can be written again after a rollback. A row that the file does not take is left out; see
    /// [`Recorder::take_refused`].
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn write(&mut self, rows: &mut Rows) -> Result<Recorded, StoreError> {
        let mut recorded = Recorded::default();
        let mut numbers = Numbers { resources: &rows.resources, sources: &rows.sources, known: vec![None; rows.sources.len()] };
        match self.writer.layout() {
            Layout::Quipu => self.write_own(&mut rows.spans, &mut numbers, &mut recorded)?,
            _ => self.write_reference(&mut rows.spans, &mut numbers, &mut recorded)?,
        }
        for log in &mut rows.logs {
            log.it.source = self.number(&mut numbers, log.source)?;
            recorded.logs += u64::from(self.writer.add_log(&log.it)?);
        }
        for point in &mut rows.points {
            point.it.point.source = self.number(&mut numbers, point.source)?;
            point.it.is_refused = !self.writer.add_point(&point.it.point)?;
            recorded.points += u64::from(!point.it.is_refused);
        }
        Ok(recorded)
    }

    fn write_reference(&mut self, spans: &mut [NewSpan], numbers: &mut Numbers<'_>, recorded: &mut Recorded) -> Result<(), StoreError> {
        for new in &mut *spans {
            new.write_times();
            let added = self.writer.add_span(&new.span, &new.events)?;
            new.is_repeated = !matches!(added, Added::Row(_));
            recorded.repeated_spans += u64::from(added == Added::Known);
            let Added::Row(row) = added else { continue };
            recorded.spans += 1;
            recorded.events += new.events.len() as u64;
            if let Some(extra) = &mut new.extra {
                extra.it.source = self.number(numbers, extra.source)?;
                self.writer.add_span_extra(row, &extra.it)?;
            }
        }
        self.update_traces(spans)
    }

    fn write_own(&mut self, spans: &mut [NewSpan], numbers: &mut Numbers<'_>, recorded: &mut Recorded) -> Result<(), StoreError> {
        let mut rows = Vec::with_capacity(spans.len());
        for new in &mut *spans {
            let source = self.number(numbers, new.source)?;
            let none = SpanExtra::default();
            let more = more(new.exact.more.as_deref(), new.extra.as_ref().map_or(&none, |extra| &extra.it));
            let (span, events) = own_span(new, source, more.as_deref());
            let added = self.writer.add_own_span(&span, &events)?;
            let count = events.len() as u64;
            new.is_repeated = matches!(added, Added::Known | Added::Refused);
            rows.push(if let Added::Row(row) = added { Some(row) } else { None });
            match added {
                Added::Row(_) => (recorded.spans, recorded.events) = (recorded.spans + 1, recorded.events + count),
                Added::Merged | Added::Known => recorded.repeated_spans += 1,
                Added::Refused => {}
            }
        }
        let told = spans.iter().zip(rows).map(|(new, row)| (new, own_trace(new, row)));
        by_trace(told, |trace, later| trace.and(&later)).iter().try_for_each(|trace| self.writer.set_own_trace(trace))
    }

    fn update_traces(&mut self, spans: &[NewSpan]) -> Result<(), StoreError> {
        let told = spans.iter().map(|new| (new, trace_update(new)));
        by_trace(told, |trace, later| trace.and(&later)).iter().try_for_each(|trace| self.writer.update_trace(trace))
    }

    /// The row number of a resource and scope, which are written if they are new.
    fn number(&mut self, numbers: &mut Numbers<'_>, source: Option<usize>) -> Result<Option<i64>, StoreError> {
        let Some(at) = source else { return Ok(None) };
        if let Some(Some(number)) = numbers.known.get(at) {
            return Ok(Some(*number));
        }
        let Some((resource, scope)) = numbers.sources.get(at) else { return Ok(None) };
        let Some(resource) = numbers.resources.get(*resource) else { return Ok(None) };
        // The texts of long ones are not compared with many others.
        let is_short = resource.len() + scope.len() <= SHORT;
        let key = (resource.clone(), scope.clone());
        let number = match is_short.then(|| self.sources.get(&key)).flatten() {
            Some(number) => *number,
            None => {
                let number = self.writer.add_source(resource, scope)?;
                if self.sources.len() >= REMEMBERED {
                    self.sources.clear();
                }
                if is_short {
                    self.sources.insert(key, number);
                }
                number
            }
        };
        if let Some(known) = numbers.known.get_mut(at) {
            *known = Some(number);
        }
        Ok(Some(number))
    }
}

/// What the spans that were added say of their traces, each trace once: spans that arrive together mostly belong to a few.
fn by_trace<'a, T>(spans: impl Iterator<Item = (&'a NewSpan, T)>, and: impl Fn(&mut T, T)) -> Vec<T> {
    let mut places: HashMap<Option<&str>, usize> = HashMap::new();
    let mut traces: Vec<T> = Vec::new();
    for (new, told) in spans.filter(|(new, _)| !new.is_repeated) {
        let place = *places.entry(new.span.trace_id.as_deref()).or_insert(traces.len());
        match traces.get_mut(place) {
            Some(trace) => and(trace, told),
            None => traces.push(told),
        }
    }
    traces
}

/// Row numbers of the resources and scopes of some rows, once they are known.
struct Numbers<'a> {
    resources: &'a [Arc<str>],
    sources: &'a [(usize, Arc<str>)],
    known: Vec<Option<i64>>,
}

fn own_span<'a>(new: &'a NewSpan, source: Option<i64>, more: Option<&'a str>) -> (OwnSpan<'a>, Vec<OwnEvent<'a>>) {
    let span = OwnSpan {
        trace_id: new.span.trace_id.as_deref().unwrap_or_default(),
        span_id: &new.span.span_id,
        parent_span_id: new.span.parent_span_id.as_deref(),
        name: new.span.name.as_deref(),
        start: new.exact.start,
        end: new.exact.end,
        status: new.span.status.as_deref(),
        kind: new.span.kind.as_deref(),
        source,
        attributes: new.span.attributes.as_deref().unwrap_or("{}"),
        more,
    };
    let events = new.events.iter().enumerate().map(|(at, event)| OwnEvent {
        name: event.name.as_deref(),
        time: new.exact.events.get(at).copied().filter(|nanos| *nanos > 0),
        attributes: event.attributes.as_deref().unwrap_or("{}"),
        more: new.exact.event_more.get(at).and_then(Option::as_deref),
    });
    (span, events.collect())
}

fn trace_update(new: &NewSpan) -> TraceUpdate<'_> {
    let facts = TraceFacts { service_name: new.service_name.as_deref(), is_root: new.is_root, created_at: Some(&new.created_at) };
    TraceUpdate::by(&new.span, facts)
}

/// What a span adds to its trace; `row` is its row if it got one.
fn own_trace(new: &NewSpan, row: Option<i64>) -> OwnTrace<'_> {
    OwnTrace {
        trace_id: new.span.trace_id.as_deref().unwrap_or_default(),
        service_name: new.service_name.as_deref(),
        root_span_id: new.is_root.then_some(new.span.span_id.as_str()),
        start: new.exact.start,
        end: new.exact.end,
        created: new.created(),
        span_rows: row.map(|row| (row, row)),
    }
}

/// What few spans have, as a JSON object: `more` with what else is known.
pub(crate) fn more(more: Option<&str>, extra: &SpanExtra) -> Option<String> {
    if more.is_none() && extra.status_message.is_none() && extra.trace_state.is_none() && extra.links.is_none() {
        return None;
    }
    let mut object = Object::new();
    for (key, value) in more.into_iter().flat_map(|more| entries(more.as_bytes())).map_while(Result::ok) {
        if !["status_message", "trace_state", "links"].contains(&key.as_ref()) {
            object.put_json(&key, &value.as_written());
        }
    }
    for (key, text) in [("status_message", &extra.status_message), ("trace_state", &extra.trace_state)] {
        if let Some(text) = text {
            object.put_text(key, text);
        }
    }
    if let Some(links) = &extra.links {
        object.put_json("links", links);
    }
    (!object.is_empty()).then(|| object.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_can_be_written_again_after_a_rollback() {
        let resource = r#"{"attributes":[{"key":"host.name","value":{"stringValue":"h"}}]}"#;
        let span =
            r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","startTimeUnixNano":"1764000000000000001"}"#;
        let body = format!(r#"{{"resourceSpans":[{{"resource":{resource},"scopeSpans":[{{"spans":[{span}]}}]}}]}}"#);
        let mut rows = read_request(Signal::Traces, true, body.as_bytes()).expect("OTLP");
        let mut recorder = Recorder::new(Writer::in_memory().expect("a writer"));
        recorder.begin().expect("a transaction");
        assert_eq!(recorder.write(&mut rows).map(|recorded| recorded.spans).ok(), Some(1));
        // The additional tables were created in the transaction, and are rolled back with it.
        recorder.roll_back().expect("rolled back");
        recorder.begin().expect("a transaction");
        assert_eq!(recorder.write(&mut rows).map(|recorded| recorded.spans).ok(), Some(1));
        recorder.commit().expect("committed");
        assert!(recorder.roll_back().is_err(), "there is no transaction");
    }
}

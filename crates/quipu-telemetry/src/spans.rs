//! Open spans: assembles events into spans by span id.
//!
//! The rules are Llama Stack's (0.2.15; metrics as of 0.2.23), except that the ids and times of events are kept. `sink` receives the ended
//! spans.

use crate::sink::{EndedSpan, SpanEvent, StartedSpan};
use crate::w3c::TraceParent;
use crate::warning::Warning;
use crate::weight::{FIXED, of_attributes};
use quipu_model::{
    Attributes, MetricEvent, MetricValue, Primitive, SpanEndPayload, SpanStartPayload, StructuredLogEvent, UnstructuredLogEvent,
};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// Maximum number of open spans, and of bytes of what was logged in them. Programs have some hundreds open; clients may never end them.
const MOST: usize = 100_000;
const MOST_BYTES: usize = 64 << 20;

/// Spans that have started but not ended.
pub(crate) struct OpenSpans {
    open: HashMap<String, OpenSpan>,
    bytes: usize,
    most: usize,
    most_bytes: usize,
}

impl Default for OpenSpans {
    fn default() -> OpenSpans {
        OpenSpans { open: HashMap::new(), bytes: 0, most: MOST, most_bytes: MOST_BYTES }
    }
}

struct OpenSpan {
    span: StartedSpan,
    /// `false` if the caller does not record the trace. Child spans inherit this.
    is_sampled: bool,
    events: Vec<SpanEvent>,
    /// What the span and its events count for.
    bytes: usize,
}

/// The result of a start event.
pub(crate) enum Start<'s> {
    New(&'s StartedSpan),
    /// The span is not recorded.
    NotSampled,
    /// The span is already open.
    Twice,
    /// Too many spans are open.
    TooMuch,
}

/// The result of a log line or a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Logging {
    Added,
    /// No such span is open.
    Unknown,
    /// Too much was logged in open spans.
    TooMuch,
}

impl Logging {
    /// The warning for an event that was dropped.
    pub(crate) fn warning(self, unknown: Warning) -> Option<Warning> {
        match self {
            Logging::Added => None,
            Logging::Unknown => Some(unknown),
            Logging::TooMuch => Some(Warning::TooMuchOpen { dropped: 1 }),
        }
    }
}

/// The result of an end event.
pub(crate) enum End {
    Ended(Box<EndedSpan>),
    /// The span is not recorded.
    NotSampled,
    /// No such span is open.
    Unknown,
}

impl OpenSpans {
    pub(crate) fn start(&mut self, event: StructuredLogEvent, start: SpanStartPayload, ttl_seconds: i64) -> Start<'_> {
        let parent = start.parent_span_id.as_deref().and_then(|parent| self.open.get(&key(parent)));
        let trace_state = parent.and_then(|parent| parent.span.trace_state.clone());
        let is_sampled = parent.is_none_or(|parent| parent.is_sampled);
        let bytes = FIXED * 4 + event.span_id.len() + event.trace_id.len() + start.name.len() + of_attributes(&event.attributes);
        let is_full = self.open.len() >= self.most || self.bytes + bytes > self.most_bytes;
        let Entry::Vacant(place) = self.open.entry(key(&event.span_id)) else { return Start::Twice };
        if is_full {
            return Start::TooMuch;
        }
        self.bytes += bytes;
        let mut attributes = Attributes::default();
        merge(&mut attributes, event.attributes);
        let mut span = StartedSpan {
            trace_id: event.trace_id,
            span_id: event.span_id,
            parent_span_id: start.parent_span_id.filter(|parent| !parent.is_empty()),
            has_remote_parent: false,
            trace_state,
            name: start.name,
            start: event.timestamp.at,
            attributes,
        };
        let is_sampled = is_sampled & take_remote_parent(&mut span);
        put_last(&mut span.attributes, "__ttl__", Primitive::Integer(ttl_seconds));
        let open = place.insert(OpenSpan { span, is_sampled, events: Vec::new(), bytes });
        if is_sampled { Start::New(&open.span) } else { Start::NotSampled }
    }

    pub(crate) fn end(&mut self, event: StructuredLogEvent, end: SpanEndPayload, ttl_seconds: i64) -> End {
        let Some(OpenSpan { mut span, is_sampled, events, bytes }) = self.open.remove(&key(&event.span_id)) else { return End::Unknown };
        self.bytes -= bytes;
        if !is_sampled {
            return End::NotSampled;
        }
        merge(&mut span.attributes, event.attributes);
        put_last(&mut span.attributes, "__ttl__", Primitive::Integer(ttl_seconds));
        End::Ended(Box::new(EndedSpan { span, end: event.timestamp.at, status: end.status, events }))
    }

    /// Adds a log line.
    pub(crate) fn log(&mut self, event: UnstructuredLogEvent, ttl_seconds: i64) -> Logging {
        let id = key(&event.span_id);
        let mut attributes = Attributes(vec![
            ("message".into(), Primitive::Text(event.message)),
            ("severity".into(), Primitive::Text(event.severity.label().into())),
            ("__ttl__".into(), Primitive::Integer(ttl_seconds)),
        ]);
        for (key, value) in event.attributes.0 {
            attributes.set(key, value);
        }
        attributes.0.retain(|(_, value)| *value != Primitive::Null);
        self.add(&id, SpanEvent { name: "unstructured_log".into(), at: event.timestamp.at, attributes })
    }

    /// Adds a metric.
    pub(crate) fn metric(&mut self, event: &MetricEvent) -> Logging {
        let value = match event.value {
            MetricValue::Integer(number) => Primitive::Integer(number),
            MetricValue::Float(number) => Primitive::Float(number),
        };
        let mut attributes = Attributes(vec![("value".into(), value), ("unit".into(), Primitive::Text(event.unit.clone()))]);
        for (key, value) in &event.attributes.0 {
            attributes.set(key.clone(), value.clone());
        }
        attributes.0.retain(|(_, value)| *value != Primitive::Null);
        self.add(&key(&event.span_id), SpanEvent { name: format!("metric.{}", event.metric), at: event.timestamp.at, attributes })
    }

    fn add(&mut self, id: &str, event: SpanEvent) -> Logging {
        let Some(open) = self.open.get_mut(id) else { return Logging::Unknown };
        let bytes = event.name.len() + of_attributes(&event.attributes) + FIXED;
        if self.bytes + bytes > self.most_bytes {
            return Logging::TooMuch;
        }
        self.bytes += bytes;
        open.bytes += bytes;
        open.events.push(event);
        Logging::Added
    }

    /// The number of open spans, and the name of the one that started first.
    pub(crate) fn left(&self) -> Option<(u64, &str)> {
        let sampled = || self.open.values().filter(|open| open.is_sampled);
        let first = sampled().min_by_key(|open| (open.span.start.0, &open.span.span_id))?;
        Some((sampled().count() as u64, &first.span.name))
    }
}

/// The key that ids are compared by. Llama Stack parses ids as hexadecimal numbers, so case and leading zeros do not matter. Ids it would
/// reject are compared as they are.
fn key(span_id: &str) -> String {
    if !span_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return span_id.to_owned();
    }
    span_id.trim_start_matches('0').to_ascii_lowercase()
}

/// Merges attributes as OpenTelemetry does: a repeated key moves to the end, null values are ignored.
fn merge(attributes: &mut Attributes, more: Attributes) {
    for (key, value) in more.0 {
        if value != Primitive::Null {
            put_last(attributes, &key, value);
        }
    }
}

fn put_last(attributes: &mut Attributes, key: &str, value: Primitive) {
    attributes.0.retain(|(name, _)| name != key);
    attributes.0.push((key.to_owned(), value));
}

/// Applies a caller's W3C trace context, which arrives as attributes that are not stored. The span is then not the root of the whole trace,
/// even if the context is invalid. If the span names no parent and the trace ids match, the caller's span becomes the parent. Returns
/// whether to record the span, as the caller decides.
fn take_remote_parent(span: &mut StartedSpan) -> bool {
    let Some(context) = span.attributes.get("traceparent").cloned() else { return true };
    let state = span.attributes.get("tracestate").cloned();
    span.attributes.0.retain(|(key, _)| !matches!(key.as_str(), "traceparent" | "tracestate" | "__root__" | "__root_span__"));
    let Primitive::Text(text) = context else { return true };
    let caller = TraceParent::parse(&text).filter(|caller| caller.trace_id.eq_ignore_ascii_case(&span.trace_id));
    let Some(caller) = caller.filter(|_| span.parent_span_id.is_none()) else { return true };
    span.parent_span_id = Some(caller.span_id);
    span.has_remote_parent = true;
    span.trace_state = state.and_then(|state| if let Primitive::Text(state) = state { Some(state) } else { None });
    caller.is_sampled
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::{EventTime, SpanStatus, StructuredLogPayload, Timestamp};

    fn attributes(entries: &[(&str, Primitive)]) -> Attributes {
        Attributes(entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect())
    }

    fn event(span_id: &str, at: i64, entries: &[(&str, Primitive)]) -> StructuredLogEvent {
        StructuredLogEvent {
            trace_id: "0af7651916cd43dd8448eb211c80319c".into(),
            span_id: span_id.into(),
            timestamp: EventTime::utc(Timestamp(at)),
            attributes: attributes(entries),
            payload: StructuredLogPayload::SpanEnd(OK),
        }
    }

    const OK: SpanEndPayload = SpanEndPayload { status: SpanStatus::Ok };

    fn start() -> SpanStartPayload {
        SpanStartPayload { name: "n".into(), parent_span_id: None }
    }

    fn text(text: &str) -> Primitive {
        Primitive::Text(text.into())
    }

    fn started(start: Start<'_>) -> &StartedSpan {
        if let Start::New(span) = start { span } else { panic!("it is new") }
    }

    fn ended(end: End) -> EndedSpan {
        if let End::Ended(ended) = end { *ended } else { panic!("it is open") }
    }

    #[test]
    fn attributes_of_the_end_take_the_last_places_and_null_is_none() {
        let mut open = OpenSpans::default();
        open.start(event("a1", 1, &[("k", text("first")), ("stays", text("x")), ("none", Primitive::Null)]), start(), 5);
        let ended = ended(open.end(event("a1", 2, &[("late", text("yes")), ("k", text("second")), ("stays", Primitive::Null)]), OK, 7));
        let expected = attributes(&[
            ("stays", text("x")),
            ("late", text("yes")),
            ("k", text("second")),
            ("__ttl__", Primitive::Integer(7)),
        ]);
        assert_eq!(ended.span.attributes, expected);
        assert!(open.left().is_none());
    }

    #[test]
    fn ids_of_the_same_number_are_one_span_which_keeps_the_text_of_its_start() {
        let mut open = OpenSpans::default();
        started(open.start(event("00ABCD", 1, &[]), start(), 5));
        assert!(matches!(open.start(event("abcd", 1, &[]), start(), 5), Start::Twice));
        let ended = ended(open.end(event("000000000000abcd", 2, &[]), OK, 5));
        assert_eq!(ended.span.span_id, "00ABCD");
        assert!(matches!(open.end(event("abcd", 3, &[]), OK, 5), End::Unknown), "it has ended");
    }

    #[test]
    fn a_callers_context_becomes_the_parent_and_takes_the_marks_of_the_root() {
        let marks = |context: &str| {
            [
                ("__root__", Primitive::Bool(true)),
                ("__local_root_span__", Primitive::Bool(true)),
                ("traceparent", text(context)),
            ]
        };
        let mut open = OpenSpans::default();
        let valid = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        let span = started(open.start(event("1", 1, &marks(valid)), start(), 5));
        assert_eq!(span.parent_span_id.as_deref(), Some("b7ad6b7169203331"));
        assert_eq!(span.attributes, attributes(&[("__local_root_span__", Primitive::Bool(true)), ("__ttl__", Primitive::Integer(5))]));
        let others = [
            "garbage",
            "00-1af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        ];
        for (at, context) in others.into_iter().enumerate() {
            let span = started(open.start(event(&format!("2{at}"), 1, &marks(context)), start(), 5));
            assert_eq!((span.parent_span_id.as_deref(), span.attributes.get("__root__")), (None, None), "{context}");
        }
    }

    #[test]
    fn nothing_is_recorded_of_what_a_caller_does_not_record() {
        let mut open = OpenSpans::default();
        let context = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00";
        assert!(matches!(open.start(event("1", 1, &[("traceparent", text(context))]), start(), 5), Start::NotSampled));
        let below = SpanStartPayload { name: "n".into(), parent_span_id: Some("1".into()) };
        assert!(matches!(open.start(event("2", 1, &[]), below, 5), Start::NotSampled));
        assert!(open.left().is_none(), "it is not missed either");
        for id in ["2", "1"] {
            assert!(matches!(open.end(event(id, 2, &[]), OK, 5), End::NotSampled));
        }
    }

    #[test]
    fn what_is_open_is_bounded_by_number_and_bytes_and_ends_make_room() {
        let mut open = OpenSpans { most: 2, most_bytes: 5_000, ..OpenSpans::default() };
        started(open.start(event("1", 1, &[]), start(), 5));
        started(open.start(event("2", 1, &[]), start(), 5));
        assert!(matches!(open.start(event("3", 1, &[]), start(), 5), Start::TooMuch));
        assert!(matches!(open.start(event("2", 1, &[]), start(), 5), Start::Twice));
        let log = |message: &str| UnstructuredLogEvent {
            trace_id: "t".into(),
            span_id: "1".into(),
            timestamp: EventTime::utc(Timestamp(1)),
            attributes: Attributes::default(),
            message: message.into(),
            severity: quipu_model::LogSeverity::Info,
        };
        assert_eq!(open.log(log(&"x".repeat(2_000)), 5), Logging::Added);
        assert_eq!(open.log(log(&"x".repeat(2_000)), 5), Logging::TooMuch);
        ended(open.end(event("1", 2, &[]), OK, 5));
        assert_eq!(open.log(log("late"), 5), Logging::Unknown);
        ended(open.end(event("2", 2, &[]), OK, 5));
        assert_eq!(open.bytes, 0);
        started(open.start(event("3", 1, &[]), start(), 5));
    }
}

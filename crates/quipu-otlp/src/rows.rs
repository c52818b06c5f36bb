//! Rows decoded from a piece of input, before they are written to a database.
//!
//! Decoding has no side effects, so a collector can decode several requests while another thread writes. Not here: interpreting each signal
//! (`otlp`, `logs`, `metrics`, `jaeger`), and writing (`recorder`).

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use quipu_model::{EventRecord, LogRecord, MetricPoint, SpanExtra, SpanRecord, reference_time};
use std::collections::HashMap;
use std::mem::size_of;
use std::sync::Arc;

/// Decoded rows, in the order of the input.
#[derive(Debug, Default)]
pub struct Rows {
    /// Attributes of resources, as JSON objects, each once.
    pub resources: Vec<Arc<str>>,
    /// Resources, by their index, with a scope as a JSON object.
    pub sources: Vec<(usize, Arc<str>)>,
    pub spans: Vec<NewSpan>,
    pub logs: Vec<Sourced<LogRecord>>,
    pub points: Vec<Sourced<NewPoint>>,
    /// For each reason why something was skipped, a message without subject, and how often.
    pub problems: Vec<(&'static str, u64)>,
    known_resources: HashMap<Arc<str>, usize>,
    known_sources: HashMap<(usize, Arc<str>), usize>,
    /// Bytes that all this takes.
    weight: usize,
}

/// A value with the index of its resource and scope in `sources`.
#[derive(Debug)]
pub struct Sourced<T> {
    pub it: T,
    pub source: Option<usize>,
}

/// A point and the name of its service.
#[derive(Debug)]
pub struct NewPoint {
    pub point: MetricPoint,
    pub service_name: Option<Arc<str>>,
    /// Set when the point is written and the file does not take it.
    pub is_refused: bool,
}

/// A span to be written.
#[derive(Debug)]
pub struct NewSpan {
    /// Row of `spans`. Its times are written by [`NewSpan::write_times`], since not every layout has them as text.
    pub span: SpanRecord,
    /// Rows of `span_events`, likewise.
    pub events: Vec<EventRecord>,
    /// Service name in its resource.
    pub service_name: Option<Arc<str>>,
    /// Whether the reference would take it for the root of its trace.
    pub is_root: bool,
    /// Set when the span is written and is not in the file by that: it has one with this id, or does not take it.
    pub is_repeated: bool,
    /// `traces.created_at`, if this is the first span of its trace; like the times.
    pub created_at: String,
    /// Data that the three tables have no columns for, if any.
    pub extra: Option<Box<Sourced<SpanExtra>>>,
    /// Index of its resource and scope in `sources`.
    pub source: Option<usize>,
    /// What the reference's tables round or can't hold.
    pub exact: SpanExact,
}

/// What the reference's tables round or can't hold of a span. Times are nanoseconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SpanExact {
    pub start: Option<u64>,
    pub end: Option<u64>,
    /// One for each event; 0 is unknown.
    pub events: Vec<u64>,
    /// Further fields (see `rest`), as a JSON object.
    pub more: Option<String>,
    /// The same for each event.
    pub event_more: Vec<Option<String>>,
}

impl NewSpan {
    /// Writes the times of the span and its events as the reference does, where there are none.
    pub fn write_times(&mut self) {
        let exact = &self.exact;
        let write = |time: &mut Option<String>, nanos: Option<u64>| {
            if time.is_none() {
                *time = nanos.map(reference_time);
            }
        };
        write(&mut self.span.start_time, exact.start);
        write(&mut self.span.end_time, exact.end);
        for (event, nanos) in self.events.iter_mut().zip(&exact.events) {
            write(&mut event.timestamp, Some(*nanos).filter(|nanos| *nanos > 0));
        }
        let created = reference_time(self.created() * 1_000_000_000);
        self.created_at = created.get(..19).unwrap_or_default().replace('T', " ");
    }

    /// When the reference creates the row of a trace of which this is the first span: when it ends, in whole seconds since 1970.
    pub fn created(&self) -> u64 {
        self.exact.end.or(self.exact.start).unwrap_or(0) / 1_000_000_000
    }
}

impl Rows {
    /// Spans, in the order of the input.
    pub fn spans(&self) -> &[NewSpan] {
        &self.spans
    }

    /// Metric points that were not refused, with their service names.
    pub fn points(&self) -> impl Iterator<Item = (&MetricPoint, Option<&str>)> {
        self.points.iter().filter(|point| !point.it.is_refused).map(|point| (&point.it.point, point.it.service_name.as_deref()))
    }

    /// For each reason why something was skipped, a message without subject, and how often.
    pub fn problems(&self) -> &[(&'static str, u64)] {
        &self.problems
    }

    /// Number of entries that were skipped.
    pub fn problem_count(&self) -> u64 {
        self.problems.iter().map(|(_, count)| count).sum()
    }

    /// Notes that something was passed over.
    pub fn problem(&mut self, what: &'static str) {
        match self.problems.iter_mut().find(|(known, _)| *known == what) {
            Some((_, count)) => *count += 1,
            None => self.problems.push((what, 1)),
        }
    }

    /// The index of a resource, given its attributes as a JSON object.
    pub fn resource(&mut self, attributes: String) -> usize {
        if let Some(known) = self.known_resources.get(attributes.as_str()) {
            return *known;
        }
        let (attributes, at) = (Arc::<str>::from(attributes), self.resources.len());
        self.weight += attributes.len() + SMALL;
        self.resources.push(attributes.clone());
        self.known_resources.insert(attributes, at);
        at
    }

    /// Adds a resource and scope and returns their index; `None` if nothing is known of them.
    pub fn source(&mut self, resource: usize, scope: String) -> Option<usize> {
        if scope == "{}" && self.resources.get(resource).is_none_or(|attributes| &**attributes == "{}") {
            return None;
        }
        let scope = Arc::<str>::from(scope);
        if let Some(known) = self.known_sources.get(&(resource, scope.clone())) {
            return Some(*known);
        }
        let at = self.sources.len();
        self.weight += scope.len() + SMALL;
        self.sources.push((resource, scope.clone()));
        self.known_sources.insert((resource, scope), at);
        Some(at)
    }

    /// Adds a span.
    pub fn add_span(&mut self, span: NewSpan) {
        let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let events = span.events.iter().map(|event| size_of::<EventRecord>() + 64 + of(&event.attributes) + of(&event.name));
        let extra = span.extra.as_ref().map_or(0, |extra| of(&extra.it.links) + of(&extra.it.status_message) + of(&extra.it.event_nanos));
        self.weight += size_of::<NewSpan>() + 224 + of(&span.span.attributes) + of(&span.span.name) + extra + events.sum::<usize>();
        self.spans.push(span);
    }

    /// Adds a log record.
    pub fn add_log(&mut self, log: Sourced<LogRecord>) {
        let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.weight += size_of::<Sourced<LogRecord>>() + 192 + of(&log.it.attributes) + of(&log.it.name) + of(&log.it.more);
        self.logs.push(log);
    }

    /// Adds a metric point.
    pub fn add_point(&mut self, point: Sourced<NewPoint>) {
        let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let MetricPoint { metric, attributes, detail, about, unit, .. } = &point.it.point;
        self.weight += size_of::<Sourced<NewPoint>>() + 128 + metric.len() + attributes.len() + of(detail) + of(about) + of(unit);
        self.points.push(point);
    }

    /// Bytes that the rows take, their allocations included.
    pub fn weight(&self) -> usize {
        self.weight
    }
}

/// What an entry of a table and of its map takes beside its text.
const SMALL: usize = 160;

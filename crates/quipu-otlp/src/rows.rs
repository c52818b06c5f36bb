//! Rows decoded from a piece of input, before they are written to a database.
//!
//! Decoding has no side effects, so a collector can decode several requests while another thread writes. Not here: interpreting each signal
//! (`otlp`, `logs`, `metrics`, `jaeger`), and writing (`recorder`).

#![expect(missing_docs, reason = "fields and variants are named like in OTLP's messages")]

use quipu_model::{EventRecord, LogRecord, MetricPoint, SpanExtra, SpanRecord};
use std::sync::Arc;

/// Decoded rows, in the order of the input.
#[derive(Debug, Default)]
pub struct Rows {
    /// Resources and scopes with more than a service name, each a pair of JSON objects.
    pub sources: Vec<(String, String)>,
    pub spans: Vec<NewSpan>,
    pub logs: Vec<Sourced<LogRecord>>,
    pub points: Vec<Sourced<NewPoint>>,
    /// One message for each skipped item, without subject.
    pub problems: Vec<&'static str>,
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
    /// Row of `spans`.
    pub span: SpanRecord,
    /// Rows of `span_events`.
    pub events: Vec<EventRecord>,
    /// Service name in its resource.
    pub service_name: Option<Arc<str>>,
    /// Whether the reference would take it for the root of its trace.
    pub is_root: bool,
    /// Set when the span is written and is not in the file by that: it has one with this id, or does not take it.
    pub is_repeated: bool,
    /// `traces.created_at`, if this is the first span of its trace.
    pub created_at: String,
    /// Data that the three tables have no columns for, if any.
    pub extra: Option<Sourced<SpanExtra>>,
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

    /// One message for each span, log record or point that can't be kept, without subject.
    pub fn problems(&self) -> &[&'static str] {
        &self.problems
    }

    /// Notes that something was passed over.
    pub fn problem(&mut self, what: &'static str) {
        self.problems.push(what);
    }

    /// Adds a resource and scope and returns their index; `None` if they have no more than a service name.
    pub fn source(&mut self, resource: String, scope: String) -> Option<usize> {
        if resource == "{}" && scope == "{}" {
            return None;
        }
        let pair = (resource, scope);
        let known = self.sources.iter().position(|known| *known == pair);
        Some(known.unwrap_or_else(|| {
            self.sources.push(pair);
            self.sources.len() - 1
        }))
    }
}

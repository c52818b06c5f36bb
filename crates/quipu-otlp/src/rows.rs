//! What one piece becomes: rows, before any database is asked.
//!
//! Reading is pure, so that a collector reads several requests at once while another thread writes. What is not here: how each signal is
//! understood (`otlp`, `logs`, `metrics`, `jaeger`), and writing (`recorder`).

#![expect(missing_docs, reason = "fields and kinds have the names of OTLP's messages")]

use quipu_model::{EventRecord, LogRecord, MetricPoint, SpanExtra, SpanRecord};
use std::sync::Arc;

/// Rows of one piece, in the order they came.
#[derive(Debug, Default)]
pub struct Rows {
    /// Resources and scopes that say more than the three tables do, each a pair of JSON objects.
    pub sources: Vec<(String, String)>,
    pub spans: Vec<NewSpan>,
    pub logs: Vec<Sourced<LogRecord>>,
    pub points: Vec<Sourced<NewPoint>>,
    /// What was passed over, each as half a sentence.
    pub problems: Vec<&'static str>,
}

/// Something that came from a resource and a scope: the place of both in `sources`.
#[derive(Debug)]
pub struct Sourced<T> {
    pub it: T,
    pub source: Option<usize>,
}

/// A point and the service that measured it.
#[derive(Debug)]
pub struct NewPoint {
    pub point: MetricPoint,
    pub service_name: Option<Arc<str>>,
}

/// A span on its way into the tables.
#[derive(Debug)]
pub struct NewSpan {
    /// The row of `spans`.
    pub span: SpanRecord,
    /// Rows of `span_events`.
    pub events: Vec<EventRecord>,
    /// What its resource calls the service.
    pub service_name: Option<Arc<str>>,
    /// Whether the reference would take it for the root of its trace.
    pub is_root: bool,
    /// Whether the file had a span of this id already when this one was to be written; false before.
    pub is_repeated: bool,
    /// `traces.created_at`, should it be the first span of its trace.
    pub created_at: String,
    /// What the three tables cannot hold, where there is anything.
    pub extra: Option<Sourced<SpanExtra>>,
}

impl Rows {
    /// Spans, in the order they came.
    pub fn spans(&self) -> &[NewSpan] {
        &self.spans
    }

    /// Points of metrics, each with the name of the service that measured it.
    pub fn points(&self) -> impl Iterator<Item = (&MetricPoint, Option<&str>)> {
        self.points.iter().map(|point| (&point.it.point, point.it.service_name.as_deref()))
    }

    /// What was passed over: a half sentence for each span, log record or point that can't be kept.
    pub fn problems(&self) -> &[&'static str] {
        &self.problems
    }

    /// Notes that something was passed over.
    pub fn problem(&mut self, what: &'static str) {
        self.problems.push(what);
    }

    /// The place of a resource and a scope; `None` where they say no more than the three tables do.
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

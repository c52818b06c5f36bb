//! The answers of the API: field names and field order are those of the reference implementation.
//!
//! Not here: the worker's messages (`protocol`), which can't carry raw JSON.

use super::json::AttributeMap;
use quipu_model::{EventTime, SpanStatus};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A list, wrapped in an object as the API returns it.
#[derive(Clone, Debug, Serialize)]
pub struct Data<T> {
    /// The items, in the order of the answer.
    pub data: T,
}

/// A trace. Times that were not recorded or can't be parsed are null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// `traces.trace_id`.
    pub trace_id: String,
    /// `traces.root_span_id`; if that is NULL, the root derived from the spans' parents.
    pub root_span_id: Option<String>,
    /// `traces.start_time`.
    pub start_time: Option<EventTime>,
    /// `traces.end_time`.
    pub end_time: Option<EventTime>,
}

/// A span, with all attributes or the requested ones.
#[derive(Clone, Debug, Serialize)]
pub struct Span {
    /// `spans.span_id`.
    pub span_id: String,
    /// `spans.trace_id`.
    pub trace_id: String,
    /// `spans.parent_span_id`.
    pub parent_span_id: Option<String>,
    /// `spans.name`.
    pub name: String,
    /// `spans.start_time`.
    pub start_time: Option<EventTime>,
    /// `spans.end_time`.
    pub end_time: Option<EventTime>,
    /// Null if the recorded attributes are not a JSON object.
    pub attributes: Option<AttributeMap>,
}

/// A span with its status, as part of a tree.
#[derive(Clone, Debug, Serialize)]
pub struct SpanWithStatus {
    /// The span; its fields are inlined.
    #[serde(flatten)]
    pub span: Span,
    /// `spans.status`; null for any value but ok and error.
    pub status: Option<SpanStatus>,
}

/// Spans by id, in tree order: by depth, then by start.
#[derive(Clone, Debug)]
pub struct SpanTree(pub Vec<SpanWithStatus>);

impl Serialize for SpanTree {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for span in &self.0 {
            map.serialize_entry(&span.span.span_id, span)?;
        }
        map.end()
    }
}

/// The points of one metric for one set of labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricSeries {
    /// Name of the metric, such as `prompt_tokens`.
    pub metric: String,
    /// The labels that distinguish it from other series; derived ones have `source="derived"`.
    pub labels: Vec<MetricLabel>,
    /// Points by time.
    pub values: Vec<MetricDataPoint>,
}

/// A label of a series.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MetricLabel {
    /// Label name.
    pub name: String,
    /// Label value.
    pub value: String,
}

/// A point of a series.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDataPoint {
    /// Whole seconds since 1970, in UTC; the start of the bucket if values are aggregated.
    pub timestamp: i64,
    /// The value, in `unit`.
    pub value: f64,
    /// The recorded unit; empty if none was recorded.
    pub unit: String,
}

/// The rows that `save_spans_to_dataset` would append.
#[derive(Clone, Debug, Serialize)]
pub struct SavedDataset {
    /// The dataset id from the request.
    pub dataset_id: String,
    /// One row per span.
    pub rows: Vec<DatasetRow>,
}

/// A span as a row: fixed columns, then one for each saved attribute.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetRow {
    /// `spans.trace_id`.
    pub trace_id: String,
    /// `spans.span_id`.
    pub span_id: String,
    /// `spans.parent_span_id`.
    pub parent_span_id: Option<String>,
    /// `spans.name`.
    pub name: String,
    /// `spans.start_time`.
    pub start_time: Option<EventTime>,
    /// `spans.end_time`.
    pub end_time: Option<EventTime>,
    /// The saved attributes, one column each.
    #[serde(flatten)]
    pub attributes: AttributeMap,
}

/// An event of a span. Absent fields are omitted from the JSON.
#[derive(Clone, Debug, Serialize)]
pub struct SpanEvent {
    /// `unstructured_log`, `metric`, or the recorded event name.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span_events.id`.
    pub id: i64,
    /// The trace of the event's span.
    pub trace_id: String,
    /// `span_events.span_id`.
    pub span_id: String,
    /// `span_events.timestamp`.
    pub timestamp: Option<EventTime>,
    /// The text of a log event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The severity of a log event, as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// The metric's name, of a metric event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// The value of a metric event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<super::json::JsonText>,
    /// The unit of a metric event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The remaining attributes; null if the recorded attributes are not a JSON object.
    pub attributes: Option<AttributeMap>,
}

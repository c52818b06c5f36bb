//! The answers of the API, with the reference's field names and order, ready for JSON.
//!
//! What is not here: the worker's wire (`protocol`), which these types could not cross.

use super::json::AttributeMap;
use quipu_model::{EventTime, SpanStatus};
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};

/// A list under the name the API gives it.
#[derive(Clone, Debug, Serialize)]
pub struct Data<T> {
    /// The items.
    pub data: T,
}

/// A trace. Times that were not recorded, or can't be read, are null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Trace {
    /// As recorded.
    pub trace_id: String,
    /// As recorded; where NULL is recorded, the root derived from the spans' parents.
    pub root_span_id: Option<String>,
    /// `traces.start_time`.
    pub start_time: Option<EventTime>,
    /// `traces.end_time`.
    pub end_time: Option<EventTime>,
}

/// A span, with all attributes or those that were asked for.
#[derive(Clone, Debug, Serialize)]
pub struct Span {
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub parent_span_id: Option<String>,
    /// As recorded.
    pub name: String,
    /// `spans.start_time`.
    pub start_time: Option<EventTime>,
    /// `spans.end_time`.
    pub end_time: Option<EventTime>,
    /// Null where the recorded attributes are no JSON object.
    pub attributes: Option<AttributeMap>,
}

/// A span of a tree.
#[derive(Clone, Debug, Serialize)]
pub struct SpanWithStatus {
    /// The span.
    #[serde(flatten)]
    pub span: Span,
    /// As recorded; null for anything but ok and error.
    pub status: Option<SpanStatus>,
}

/// Spans by id, in the order of the tree: by depth, then by start.
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

/// Points of one metric under one set of labels.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricSeries {
    /// Its name, as `prompt_tokens`.
    pub metric: String,
    /// What tells it from the other series; derived ones have `source="derived"`.
    pub labels: Vec<MetricLabel>,
    /// By time.
    pub values: Vec<MetricDataPoint>,
}

/// A label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct MetricLabel {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

/// A point.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MetricDataPoint {
    /// Whole seconds since 1970, in UTC; the start of the bucket where there are buckets.
    pub timestamp: i64,
    /// In `unit`.
    pub value: f64,
    /// As recorded; empty where none is.
    pub unit: String,
}

/// Rows that `save_spans_to_dataset` would append.
#[derive(Clone, Debug, Serialize)]
pub struct SavedDataset {
    /// As given.
    pub dataset_id: String,
    /// One a span.
    pub rows: Vec<DatasetRow>,
}

/// One span as a row: fixed columns, then one for each saved attribute.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetRow {
    /// As recorded.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub parent_span_id: Option<String>,
    /// As recorded.
    pub name: String,
    /// `spans.start_time`.
    pub start_time: Option<EventTime>,
    /// `spans.end_time`.
    pub end_time: Option<EventTime>,
    /// The saved attributes, each a column.
    #[serde(flatten)]
    pub attributes: AttributeMap,
}

/// An event of a span. What the event does not have is left out.
#[derive(Clone, Debug, Serialize)]
pub struct SpanEvent {
    /// `unstructured_log`, `metric`, or the recorded name.
    #[serde(rename = "type")]
    pub kind: String,
    /// `span_events.id`.
    pub id: i64,
    /// The trace of its span.
    pub trace_id: String,
    /// As recorded.
    pub span_id: String,
    /// As recorded.
    pub timestamp: Option<EventTime>,
    /// Of a log event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Of a log event, as recorded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub severity: Option<String>,
    /// Of a metric event: its name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    /// Of a metric event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<super::json::JsonText>,
    /// Of a metric event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The others; null where the recorded attributes are no JSON object.
    pub attributes: Option<AttributeMap>,
}

//! Splits a file into OTLP requests of bounded size, in file order, so that an interrupted push can be resumed.
//!
//! Not here: sending requests, and remembering what was sent.

use super::full;
use super::outgoing::Outgoing;
use super::{Selection, Session};
use crate::transfer::Exporter;
use quipu_model::ordered::sort_by_key;
use quipu_model::{Attributes, EventRecord, MetricValue, Primitive, RecordedTime, Timestamp};
use quipu_otlp::{FullSpan, FullTrace, OtlpPoint, OtlpSource, OtlpSum, metrics_request, otlp_id};
use quipu_protocol::{Failure, FileFormat};
use quipu_store::{scan_events_named, scan_point_series};
use std::collections::{BTreeMap, HashMap};

/// Limits of one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PieceSize {
    /// Maximum number of spans, or of metric points.
    pub entries: usize,
    /// Approximate maximum of the bytes of recorded text. A span is never divided.
    pub bytes: usize,
}

/// Identifies the last span that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushCursor {
    /// `spans.rowid`.
    pub rowid: i64,
    /// `spans.span_id`, to detect that the file was replaced.
    pub span_id: String,
}

/// One request with spans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesPiece {
    /// An `ExportTraceServiceRequest` in protobuf; empty if it contains no spans.
    pub request: Vec<u8>,
    /// Number of spans in the request.
    pub spans: u64,
    /// Spans skipped because their ids are not valid in OTLP.
    pub left_out: u64,
    /// The last span covered by this piece, including skipped ones.
    pub last: PushCursor,
}

/// One request with metric points.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MetricsPiece {
    /// An `ExportMetricsServiceRequest` in protobuf.
    pub request: Vec<u8>,
    /// Number of points in the request.
    pub points: u64,
}

impl Session {
    /// Number of spans of a selection after a cursor; `None` if the cursor's span is not in the file at that row. Completes the index first
    /// if necessary.
    ///
    /// # Errors
    /// When a trace or span does not exist; when the file can't be read.
    pub fn spans_after(&mut self, selection: Selection<'_>, cursor: Option<&PushCursor>) -> Result<Option<u64>, Failure> {
        self.complete_index()?;
        let (_, rows) = self.selected(selection)?;
        let Some(cursor) = cursor else { return Ok(Some(rows.len() as u64)) };
        let at = self.index.find_span(&cursor.span_id).filter(|row| self.index.rowid_of(*row) == cursor.rowid);
        Ok(at.map(|at| (rows.len() - rows.partition_point(|row| *row <= at)) as u64))
    }

    /// Calls `sink` with OTLP requests for the spans of a selection, starting after `cursor`, until it fails. One request is in
    /// memory at a time. Completes the index first if necessary.
    ///
    /// # Errors
    /// Errors of `sink`; when a trace or span does not exist; when the file can't be read.
    pub fn each_traces_piece<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        cursor: Option<&PushCursor>,
        size: PieceSize,
        sink: &mut dyn FnMut(TracesPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_redacted_traces_piece(selection, cursor, size, &mut Outgoing::new(None), sink)
    }

    /// Like [`each_traces_piece`](Session::each_traces_piece), redacted piece by piece.
    ///
    /// # Errors
    /// Those of [`each_traces_piece`](Session::each_traces_piece).
    pub fn each_redacted_traces_piece<E: From<Failure>>(
        &mut self,
        selection: Selection<'_>,
        cursor: Option<&PushCursor>,
        size: PieceSize,
        outgoing: &mut Outgoing,
        sink: &mut dyn FnMut(TracesPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.complete_index()?;
        let (_, mut rows) = self.selected(selection)?;
        if let Some(at) = cursor.and_then(|cursor| self.index.find_span(&cursor.span_id)) {
            rows.drain(..rows.partition_point(|row| *row <= at));
        }
        let mut sources = HashMap::new();
        let mut rest = rows.as_slice();
        while let Some(last) = rest.first() {
            let (mut traces, mut bytes, mut left_out, mut last, mut taken) = (Vec::new(), 0, 0, *last, 0);
            for row in rest.iter().take(size.entries.max(1)) {
                let full = self.full_span(*row, full::LogEvents::Kept, &mut sources)?;
                let weight = full.as_ref().map_or(0, full::text_bytes);
                if taken > 0 && bytes + weight > size.bytes {
                    break;
                }
                (last, taken, bytes) = (*row, taken + 1, bytes + weight);
                left_out += u64::from(!full.is_some_and(|span| self.put(*row, span, &mut traces)));
            }
            rest = rest.get(taken..).unwrap_or_default();
            let (mut exporter, mut request) = (Exporter::new(FileFormat::OtlpProtobuf, false)?, Vec::new());
            for (number, mut trace) in traces {
                trace.service_name = self.service_name(number)?;
                request.extend(exporter.trace(&outgoing.trace(trace)));
            }
            let last = PushCursor { rowid: self.index.rowid_of(last), span_id: self.index.span_id_of(last) };
            sink(TracesPiece { request, spans: taken as u64 - left_out, left_out, last })?;
        }
        Ok(())
    }

    /// Calls `sink` with OTLP requests for the `metric.…` events of the file: cumulative sums, one point per event, with the recorded
    /// labels. Skips events since the first imported point of the same series, because both count the same requests.
    ///
    /// # Errors
    /// Errors of `sink`; when the file can't be read.
    pub fn each_metrics_piece<E: From<Failure>>(
        &mut self,
        size: PieceSize,
        sink: &mut dyn FnMut(MetricsPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_redacted_metrics_piece(size, &mut Outgoing::new(None), sink)
    }

    /// Like [`each_metrics_piece`](Session::each_metrics_piece), with redacted labels. Metrics whose names or values are taken out are left
    /// out.
    ///
    /// # Errors
    /// Those of [`each_metrics_piece`](Session::each_metrics_piece).
    pub fn each_redacted_metrics_piece<E: From<Failure>>(
        &mut self,
        size: PieceSize,
        outgoing: &mut Outgoing,
        sink: &mut dyn FnMut(MetricsPiece) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut measured: Vec<Measured> = Vec::new();
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let mut pointed: HashMap<(String, String), u64> = HashMap::new();
        let mut series = |metric: String, labels: String, since: u64| {
            if let Ok(labels) = serde_json::from_str(&labels) {
                pointed.insert((metric, quipu_otlp::attributes_text(&sorted(labels))), since);
            }
        };
        self.database.bounded(|| scan_point_series(connection, schema, &mut series)).map_err(Failure::from)?;
        let scan = || {
            scan_events_named(connection, schema, "metric.", |event| {
                let name = event.name.as_deref().and_then(|name| name.strip_prefix("metric."));
                measured.extend(name.and_then(|name| Measured::read(name, event.timestamp.as_deref()?, event.attributes)));
            })
        };
        self.database.bounded(scan).map_err(Failure::from)?;
        // Most files have no points; then the keys of series are not needed.
        if !pointed.is_empty() {
            measured.retain(|event| {
                let key = (event.name.clone(), quipu_otlp::attributes_text(&event.labels));
                pointed.get(&key).is_none_or(|since| u64::try_from(event.at.0).unwrap_or(0) < *since)
            });
        }
        sort_by_key(&mut measured, |measured| measured.at);
        for event in &mut measured {
            event.redact(outgoing);
        }
        measured.retain(|event| !event.name.is_empty());
        let start = measured.first().map(|first| first.at);
        let service_name = outgoing.service(if self.index.trace_count() > 0 { self.service_name(0)? } else { None });
        let mut source = OtlpSource { scope: "quipu".to_owned(), ..OtlpSource::default() };
        source.resource.0.extend(service_name.map(|name| ("service.name".to_owned(), Primitive::Text(name))));
        let mut sums = BTreeMap::new();
        for piece in measured.chunks(size.entries.max(1)) {
            let mut metrics: Vec<OtlpSum> = Vec::new();
            for one in piece {
                let value = one.add(&mut sums);
                let point = OtlpPoint { attributes: one.labels.clone(), start: start.unwrap_or(one.at), at: one.at, value };
                let is_monotonic = matches!(value, MetricValue::Integer(_));
                match metrics.iter_mut().find(|sum| (&sum.name, &sum.unit, sum.is_monotonic) == (&one.name, &one.unit, is_monotonic)) {
                    Some(sum) => sum.points.push(point),
                    None => metrics.push(OtlpSum {
                        name: one.name.clone(),
                        description: String::new(),
                        unit: one.unit.clone(),
                        is_monotonic,
                        points: vec![point],
                    }),
                }
            }
            sink(MetricsPiece { request: metrics_request(&source, &metrics), points: piece.len() as u64 })?;
        }
        Ok(())
    }

    /// Adds a span to its trace; returns false if its ids are not valid in OTLP.
    fn put(&self, row: u32, mut span: FullSpan, traces: &mut Vec<(u32, FullTrace)>) -> bool {
        let number = self.index.trace_of(row);
        let (Some(trace_id), Some(span_id)) = (otlp_id(&self.index.trace_id(number), 16), otlp_id(&span.span.span_id, 8)) else {
            return false;
        };
        span.span.span_id = span_id;
        span.span.parent_span_id = span.span.parent_span_id.and_then(|parent| otlp_id(&parent, 8));
        match traces.iter_mut().find(|(known, _)| *known == number) {
            Some((_, trace)) => trace.spans.push(span),
            None => {
                let offset_minutes = self.index.offset_minutes(number);
                traces.push((number, FullTrace { trace_id, service_name: None, offset_minutes, spans: vec![span] }));
            }
        }
        true
    }
}

struct Measured {
    name: String,
    unit: String,
    at: Timestamp,
    value: MetricValue,
    labels: Attributes,
}

/// Labels sorted by name, without those that are null.
fn sorted(mut labels: Attributes) -> Attributes {
    labels.0.retain(|(_, value)| *value != Primitive::Null);
    labels.0.sort_by(|a, b| a.0.cmp(&b.0));
    labels
}

/// Running sums by name, unit, labels as text, and whether the sum is monotonic.
type Running = BTreeMap<(String, String, String, bool), MetricValue>;

impl Measured {
    fn read(name: &str, timestamp: &str, attributes: &[u8]) -> Option<Measured> {
        let at = RecordedTime::parse(timestamp).ok()?.instant(0);
        let mut labels: Attributes = serde_json::from_slice(attributes).ok()?;
        let mut take = |key: &str| labels.0.iter().position(|(name, _)| name == key).map(|at| labels.0.remove(at).1);
        let value = match take("value")? {
            // Counters never decrease.
            Primitive::Integer(whole) if whole >= 0 => MetricValue::Integer(whole),
            Primitive::Integer(whole) => MetricValue::Float(whole as f64),
            Primitive::Float(real) => MetricValue::Float(real),
            _ => return None,
        };
        let unit = if let Some(Primitive::Text(unit)) = take("unit") { unit } else { String::new() };
        Some(Measured { name: name.to_owned(), unit, at, value, labels: sorted(labels) })
    }

    /// Redacts its labels. Without a name that may stay it has none.
    fn redact(&mut self, outgoing: &mut Outgoing) {
        if outgoing.redactor().is_none() {
            return;
        }
        let text = format!(
            "{{\"value\": 0, \"unit\": {}, \"labels\": {}}}",
            serde_json::json!(self.unit),
            quipu_otlp::attributes_text(&self.labels)
        );
        let event = EventRecord { name: Some(format!("metric.{}", self.name)), attributes: Some(text), ..EventRecord::default() };
        let left = outgoing.event(event);
        let name = left.name.as_deref().and_then(|name| name.strip_prefix("metric.")).map(str::to_owned);
        let fields: Option<serde_json::Value> = left.attributes.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let value_stays = fields.as_ref().is_some_and(|fields| fields.get("value").is_some_and(serde_json::Value::is_number));
        self.name = name.filter(|_| value_stays).unwrap_or_default();
        if let Some(fields) = fields {
            self.unit = fields.get("unit").and_then(|unit| unit.as_str()).unwrap_or_default().to_owned();
            let labels = fields.get("labels").filter(|labels| labels.is_object()).map(ToString::to_string);
            self.labels = sorted(labels.and_then(|labels| serde_json::from_str(&labels).ok()).unwrap_or_default());
        }
    }

    /// Adds the value to its running sum, and returns the sum.
    fn add(&self, sums: &mut Running) -> MetricValue {
        let key = (
            self.name.clone(),
            self.unit.clone(),
            quipu_otlp::attributes_text(&self.labels),
            matches!(self.value, MetricValue::Integer(_)),
        );
        let sum = sums.get(&key).map_or(self.value, |sum| sum.plus(self.value));
        sums.insert(key, sum);
        sum
    }
}

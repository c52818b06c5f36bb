//! What a file holds in formats that other programs read: OTLP, Jaeger's JSON, Chrome's trace events, JSON lines, CSV.
//!
//! One trace at a time is in memory. docs/formats.md lists what each format cannot hold. What is not here: reading the file (`session`), and
//! where the bytes go.

mod beside;
mod chrome;
mod jaeger;
mod live;
mod otlp;
mod plain;
mod values;

use super::messages::{RESOURCE_LOGS, RESOURCE_METRICS, RESOURCE_SPANS};
use super::wire::encode;
use crate::model::{EventRecord, LogRecord, MetricPoint, SpanExtra, SpanRecord, Value};
pub use crate::protocol::ExportFormat;
pub(crate) use beside::{Source, is_known};
pub use live::{OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, metrics_request, otlp_id, traces_request};
use values::print;

/// A span with all that is known of it.
pub(crate) struct FullSpan {
    pub(crate) span: SpanRecord,
    pub(crate) events: Vec<EventRecord>,
    pub(crate) extra: SpanExtra,
    /// Resource and scope, each a JSON object.
    pub(crate) source: Option<(String, String)>,
}

/// A trace with its spans, in the order of the file.
pub(crate) struct FullTrace {
    pub(crate) trace_id: String,
    pub(crate) service_name: Option<String>,
    /// Minutes east of UTC of the clock that wrote times without a zone.
    pub(crate) offset_minutes: i32,
    pub(crate) spans: Vec<FullSpan>,
}

/// Writes traces one after the other.
pub(crate) struct Exporter {
    format: ExportFormat,
    traces: u64,
    chrome: chrome::Clock,
}

impl Exporter {
    pub(crate) fn new(format: ExportFormat) -> Exporter {
        Exporter { format, traces: 0, chrome: chrome::Clock::default() }
    }

    /// What stands before the first trace.
    pub(crate) fn head(&self) -> &'static str {
        match self.format {
            ExportFormat::Jaeger => "{\"data\": [",
            ExportFormat::Chrome => "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [",
            ExportFormat::Csv => plain::HEADING,
            _ => "",
        }
    }

    /// What stands behind the last one.
    pub(crate) fn tail(&self) -> &'static str {
        match self.format {
            ExportFormat::Jaeger => "\n]}\n",
            ExportFormat::Chrome => "\n]}\n",
            _ => "",
        }
    }

    /// The bytes of a trace.
    pub(crate) fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let between = if self.traces == 0 { "\n" } else { ",\n" };
        self.traces += 1;
        match self.format {
            ExportFormat::OtlpJson => (print(&otlp::traces_data(trace)) + "\n").into_bytes(),
            ExportFormat::OtlpProtobuf => {
                let mut bytes = Vec::new();
                for resource in otlp::resource_spans(trace) {
                    encode(1, &resource, &RESOURCE_SPANS, &mut bytes);
                }
                bytes
            }
            ExportFormat::Jaeger => (between.to_owned() + &print(&jaeger::trace(trace))).into_bytes(),
            ExportFormat::Chrome => {
                let events = chrome::events(trace, self.traces, &mut self.chrome);
                (between.to_owned() + &events.iter().map(print).collect::<Vec<_>>().join(",\n")).into_bytes()
            }
            ExportFormat::JsonLines => plain::json_lines(trace).into_bytes(),
            ExportFormat::Csv => plain::csv(trace).into_bytes(),
        }
    }
}

/// What stands beside traces.
pub(crate) enum Beside {
    /// Log records of no span.
    Logs(Vec<(LogRecord, Source)>),
    /// Points of metrics.
    Points(Vec<(MetricPoint, Source)>),
}

impl Beside {
    /// How many they are.
    pub(crate) fn len(&self) -> usize {
        match self {
            Beside::Logs(records) => records.len(),
            Beside::Points(points) => points.len(),
        }
    }

    /// By what the last of them is known again.
    pub(crate) fn mark(&self) -> String {
        let (time, text) = match self {
            Beside::Logs(records) => {
                let last = records.last().map(|(record, _)| record);
                (last.and_then(|record| record.time_nanos), last.and_then(|record| record.attributes.as_deref()))
            }
            Beside::Points(points) => {
                let last = points.last().map(|(point, _)| point);
                (last.and_then(|point| point.time_nanos), last.map(|point| point.metric.as_str()))
            }
        };
        // FNV-1a, so that the whole of a long text counts and little of it is kept.
        let hash = text
            .unwrap_or_default()
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3));
        format!("{} {hash:016x}", time.unwrap_or(0))
    }

    /// As a request in protobuf. Ids that are none of OTLP's are left out: a collector refuses the whole request for them.
    pub(crate) fn request(mut self) -> Vec<u8> {
        if let Beside::Logs(records) = &mut self {
            for (record, _) in records {
                record.trace_id = record.trace_id.take().and_then(|id| otlp_id(&id, 16));
                record.span_id = record.span_id.take().and_then(|id| otlp_id(&id, 8));
            }
        }
        let (entries, fields): (Vec<Value>, _) = match &self {
            Beside::Logs(records) => (beside::resource_logs(records), &RESOURCE_LOGS),
            Beside::Points(points) => (beside::resource_metrics(points), &RESOURCE_METRICS),
        };
        let mut bytes = Vec::new();
        entries.iter().for_each(|entry| encode(1, entry, fields, &mut bytes));
        bytes
    }

    /// As a line of OTLP/JSON.
    pub(crate) fn line(&self) -> String {
        match self {
            Beside::Logs(records) => beside::line("resourceLogs", beside::resource_logs(records)),
            Beside::Points(points) => beside::line("resourceMetrics", beside::resource_metrics(points)),
        }
    }
}

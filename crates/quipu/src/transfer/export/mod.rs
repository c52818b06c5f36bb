//! What a file holds in formats that other programs read: OTLP, Jaeger's JSON, Chrome's trace events, JSON lines, CSV.
//!
//! A writer is a [`TraceWriter`] in one of the files below, beside a row in the table of formats (`protocol::FileFormat`); a new file of
//! writers also has a line in [`WRITERS`]. One trace at a time is in memory. docs/formats.md lists what each format cannot hold. What is not here: reading the file (`session`), and
//! where the bytes go.

mod beside;
mod chrome;
mod jaeger;
mod live;
mod otlp;
mod plain;
mod values;

use super::messages::{RESOURCE_LOGS, RESOURCE_METRICS};
use super::wire::encode;
use crate::model::{EventRecord, LogRecord, MetricPoint, SpanExtra, SpanRecord, Value};
use crate::protocol::{Contents, Failure, FileFormat};
pub(crate) use beside::{Source, is_known};
pub use live::{OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, metrics_request, otlp_id, traces_request};

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

/// Writes traces in one format.
trait TraceWriter {
    /// What comes before the first trace.
    fn head(&self) -> String {
        String::new()
    }

    /// The bytes of the next trace.
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8>;

    /// What comes after the last trace.
    fn tail(&self) -> &'static str {
        ""
    }
}

/// Picks the writer of a format; `None` where it is in another file.
type PickWriter = fn(FileFormat) -> Option<Box<dyn TraceWriter>>;

/// One for each file of writers.
const WRITERS: [PickWriter; 4] = [otlp::writer, jaeger::writer, chrome::writer, plain::writer];

/// Writes traces one after the other.
pub(crate) struct Exporter {
    writer: Box<dyn TraceWriter>,
}

impl Exporter {
    /// # Errors
    /// The format is not one for [`Contents::Traces`](crate::protocol::Contents::Traces).
    pub(crate) fn new(format: FileFormat) -> Result<Exporter, Failure> {
        let writer = WRITERS.iter().find_map(|writer| writer(format)).ok_or_else(|| format.refusal(Contents::Traces))?;
        Ok(Exporter { writer })
    }

    /// What comes before the first trace.
    pub(crate) fn head(&self) -> String {
        self.writer.head()
    }

    /// What comes after the last trace.
    pub(crate) fn tail(&self) -> &'static str {
        self.writer.tail()
    }

    /// The bytes of the next trace.
    pub(crate) fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        self.writer.trace(trace)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_for_traces_has_one_writer() {
        for format in FileFormat::ALL {
            let writers = WRITERS.iter().filter(|writer| writer(format).is_some()).count();
            assert_eq!(writers, usize::from(format.holds(Contents::Traces)), "{format:?}");
        }
    }
}

//! What a file holds in formats that other programs read: OTLP, Jaeger's JSON, Chrome's trace events, JSON lines, CSV.
//!
//! One trace at a time is in memory. docs/formats.md lists what each format cannot hold. What is not here: reading the file (`session`), and
//! where the bytes go.

mod chrome;
mod jaeger;
mod plain;

use quipu_otlp::messages::RESOURCE_SPANS;
use quipu_otlp::spans;
use quipu_otlp::values::{FullTrace, print};
use quipu_otlp::wire::encode;
use quipu_protocol::ExportFormat;

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
            ExportFormat::OtlpJson => (print(&spans::traces_data(trace)) + "\n").into_bytes(),
            ExportFormat::OtlpProtobuf => {
                let mut bytes = Vec::new();
                for resource in spans::resource_spans(trace) {
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

//! OTLP as JSON lines and as protobuf.

use super::TraceWriter;
use quipu_model::Value;
use quipu_otlp::messages::RESOURCE_SPANS;
use quipu_otlp::spans::resource_spans;
use quipu_otlp::values::{FullTrace, map, print};
use quipu_otlp::wire::encode;
use quipu_protocol::FileFormat;

pub(super) fn writer(format: FileFormat, _: bool) -> Option<Box<dyn TraceWriter>> {
    match format {
        FileFormat::OtlpJson => Some(Box::new(Lines)),
        FileFormat::OtlpProtobuf => Some(Box::new(Protobuf)),
        _ => None,
    }
}

/// One line per trace.
struct Lines;

impl TraceWriter for Lines {
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let data = map([("resourceSpans", Some(Value::List(resource_spans(trace))))]);
        (print(&data) + "\n").into_bytes()
    }
}

/// The fields of one `TracesData`, which may be concatenated.
struct Protobuf;

impl TraceWriter for Protobuf {
    fn trace(&mut self, trace: &FullTrace) -> Vec<u8> {
        let mut bytes = Vec::new();
        for resource in resource_spans(trace) {
            encode(1, &resource, &RESOURCE_SPANS, &mut bytes);
        }
        bytes
    }
}

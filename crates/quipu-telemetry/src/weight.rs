//! How much memory events take, roughly: what bounds count besides numbers.

use quipu_model::{Attributes, Event, Primitive, StructuredLogPayload};

/// Bytes of anything beside its texts.
pub(crate) const FIXED: usize = 96;

pub(crate) fn of_attributes(attributes: &Attributes) -> usize {
    let value = |value: &Primitive| if let Primitive::Text(text) = value { text.len() } else { 0 };
    attributes.0.iter().map(|(key, primitive)| key.len() + value(primitive) + FIXED).sum()
}

pub(crate) fn of_event(event: &Event) -> usize {
    let (ids, attributes, rest) = match event {
        Event::UnstructuredLog(log) => (log.trace_id.len() + log.span_id.len(), &log.attributes, log.message.len()),
        Event::Metric(metric) => {
            (metric.trace_id.len() + metric.span_id.len(), &metric.attributes, metric.metric.len() + metric.unit.len())
        }
        Event::StructuredLog(event) => {
            let rest = match &event.payload {
                StructuredLogPayload::SpanStart(start) => start.name.len() + start.parent_span_id.as_ref().map_or(0, String::len),
                StructuredLogPayload::SpanEnd(_) => 0,
            };
            (event.trace_id.len() + event.span_id.len(), &event.attributes, rest)
        }
    };
    ids + of_attributes(attributes) + rest + 2 * FIXED
}

//! Converts recorded rows back into events.

use quipu::model::{
    Attributes, Event, EventTime, LogSeverity, MetricEvent, MetricValue, Primitive, SpanEndPayload, SpanStartPayload, SpanStatus,
    StructuredLogEvent, StructuredLogPayload, UnstructuredLogEvent,
};
use rusqlite::Connection;

/// The `__ttl__` written by the recorded servers, in seconds.
pub(crate) const TTL: i64 = 604_800;

/// A recorded span as events: start, logs and metrics, end.
pub(crate) struct Replayed {
    pub(crate) start: Event,
    pub(crate) inside: Vec<Event>,
    pub(crate) end: Event,
}

/// The spans of a file, in the order of their ends.
pub(crate) fn events_of(connection: &Connection) -> Vec<Replayed> {
    let mut spans = connection
        .prepare("SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, attributes, status FROM spans ORDER BY rowid")
        .expect("SQL");
    let rows = spans.query_map([], |row| {
        let (span_id, trace_id): (String, String) = (row.get(0)?, row.get(1)?);
        let mut attributes: Attributes = serde_json::from_str(&row.get::<_, String>(6)?).expect("attributes");
        attributes.0.retain(|(key, _)| key != "__ttl__");
        let start = StructuredLogPayload::SpanStart(SpanStartPayload { name: row.get(3)?, parent_span_id: row.get(2)? });
        let status = if row.get::<_, String>(7)? == "OK" { SpanStatus::Ok } else { SpanStatus::Error };
        let end = StructuredLogPayload::SpanEnd(SpanEndPayload { status });
        let event = |at: String, attributes, payload| {
            let (trace_id, span_id) = (trace_id.clone(), span_id.clone());
            Event::StructuredLog(StructuredLogEvent { trace_id, span_id, timestamp: time(&at), attributes, payload })
        };
        Ok(Replayed {
            start: event(row.get(4)?, attributes, start),
            inside: inside(connection, &trace_id, &span_id),
            end: event(row.get(5)?, Attributes::default(), end),
        })
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

fn inside(connection: &Connection, trace_id: &str, span_id: &str) -> Vec<Event> {
    let mut events = connection.prepare("SELECT name, timestamp, attributes FROM span_events WHERE span_id = ?1 ORDER BY id").expect("SQL");
    let rows = events.query_map([span_id], |row| {
        let (name, at, text): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let mut attributes: Attributes = serde_json::from_str(&text).expect("attributes");
        let (trace_id, span_id, timestamp) = (trace_id.to_owned(), span_id.to_owned(), time(&at));
        Ok(match name.strip_prefix("metric.") {
            Some(metric) => {
                let value = match take(&mut attributes, "value") {
                    Primitive::Integer(number) => MetricValue::Integer(number),
                    Primitive::Float(number) => MetricValue::Float(number),
                    other => panic!("{other:?} is no number"),
                };
                let unit = text_of(take(&mut attributes, "unit"));
                Event::Metric(MetricEvent { trace_id, span_id, timestamp, attributes, metric: metric.to_owned(), value, unit })
            }
            None => {
                let message = text_of(take(&mut attributes, "message"));
                let severity = LogSeverity::from_recorded(&text_of(take(&mut attributes, "severity"))).expect("a severity");
                assert_eq!(take(&mut attributes, "__ttl__"), Primitive::Integer(TTL));
                Event::UnstructuredLog(UnstructuredLogEvent { trace_id, span_id, timestamp, attributes, message, severity })
            }
        })
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

pub(crate) fn time(recorded: &str) -> EventTime {
    EventTime::parse(recorded).expect("a time")
}

fn take(attributes: &mut Attributes, key: &str) -> Primitive {
    let at = attributes.0.iter().position(|(name, _)| name == key).expect("the attribute");
    attributes.0.remove(at).1
}

fn text_of(value: Primitive) -> String {
    match value {
        Primitive::Text(text) => text,
        other => panic!("{other:?} is no text"),
    }
}

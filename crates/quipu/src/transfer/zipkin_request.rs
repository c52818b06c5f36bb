//! What Zipkin's clients send to a collector (`POST /api/v2/spans`), as an OTLP request.
//!
//! The spans are those of an import (`zipkin`). Not here: HTTP.

use super::dialect::Reader;
use super::zipkin::Zipkin;
use quipu_model::{SpanExtra, Value};
use quipu_otlp::RequestError;
use quipu_otlp::messages::RESOURCE_SPANS;
use quipu_otlp::parts::{PartError, Room, parse};
use quipu_otlp::rows::{NewSpan, Rows};
use quipu_otlp::spans::resource_spans;
use quipu_otlp::values::{FullSpan, FullTrace};
use quipu_otlp::wire::encode;

/// Converts a list of Zipkin's spans in JSON to the body of an OTLP request for traces, in protobuf. Spans without ids are in it, without
/// ids, so that whoever reads it counts them. Takes at most four times the body's length of memory, and 192 MiB.
///
/// # Errors
/// If the body is not a list of spans, or takes more memory.
///
/// ```
/// use quipu::transfer::{Signal, read_request, zipkin_request};
/// let spans = br#"[{"traceId":"0af7651916cd43dd8448eb211c80319c","id":"b7ad6b7169203331","name":"get","timestamp":1764000000000000}]"#;
/// let request = zipkin_request(spans).expect("spans");
/// assert_eq!(read_request(Signal::Traces, false, &request).expect("OTLP").spans().len(), 1);
/// ```
pub fn zipkin_request(body: &[u8]) -> Result<Vec<u8>, RequestError> {
    let no_list = RequestError::Invalid("is not a list of spans in JSON");
    if std::str::from_utf8(body).is_err() {
        return Err(RequestError::Invalid("is not UTF-8"));
    }
    if body.trim_ascii_start().first() != Some(&b'[') {
        return Err(no_list);
    }
    let (mut reader, mut rows, room) = (Zipkin::default(), Rows::default(), Room::of(body.len()));
    for item in quipu_model::recorded::items(body) {
        let item = item.map_err(|_| no_list)?.bytes();
        if item.first() != Some(&b'{') {
            return Err(no_list);
        }
        let span = parse(item, room, &rows).map_err(|error| match error {
            PartError::TooMuch(bytes) => RequestError::TooMuch(bytes),
            _ => no_list,
        })?;
        reader.take(&mut rows, "zipkin", &span);
    }
    reader.finish(&mut rows);
    let mut request = Vec::with_capacity(body.len());
    for _ in 0..rows.problem_count() {
        let nameless = Value::Map(vec![("spans".to_owned(), Value::List(vec![Value::Map(Vec::new())]))]);
        let resource = Value::Map(vec![("scopeSpans".to_owned(), Value::List(vec![nameless]))]);
        encode(1, &resource, &RESOURCE_SPANS, &mut request);
    }
    for span in std::mem::take(&mut rows.spans) {
        for resource in resource_spans(&alone(span, &rows)) {
            encode(1, &resource, &RESOURCE_SPANS, &mut request);
        }
    }
    Ok(request)
}

/// A trace with this span alone.
fn alone(new: NewSpan, rows: &Rows) -> FullTrace {
    let nanos = |nanos: &u64| if *nanos > 0 { nanos.to_string() } else { "null".to_owned() };
    let event_nanos = format!("[{}]", new.exact.events.iter().map(nanos).collect::<Vec<_>>().join(", "));
    let extra = SpanExtra {
        start_nanos: new.exact.start,
        end_nanos: new.exact.end,
        event_nanos: Some(event_nanos),
        ..new.extra.map(|extra| extra.it).unwrap_or_default()
    };
    let source = new.source.and_then(|at| rows.sources.get(at));
    let source = source.map(|(resource, scope)| {
        let resource = rows.resources.get(*resource).map_or("{}", |resource| resource);
        (resource.to_owned(), scope.to_string())
    });
    FullTrace {
        trace_id: new.span.trace_id.clone().unwrap_or_default(),
        service_name: None,
        offset_minutes: 0,
        spans: vec![FullSpan { span: new.span, events: new.events, extra, source }],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_otlp::{Signal, read_request};

    #[test]
    fn only_lists_of_spans_are_taken() {
        for body in ["", "{}", "[1]", "[", "[{]", "nonsense", r#"{"traceId":"1","id":"2"}"#] {
            assert!(matches!(zipkin_request(body.as_bytes()), Err(RequestError::Invalid(_))), "{body}");
        }
        assert_eq!(zipkin_request(b"\xff[]"), Err(RequestError::Invalid("is not UTF-8")));
        assert_eq!(zipkin_request(b" []"), Ok(Vec::new()));
    }

    #[test]
    fn spans_without_ids_are_counted_by_whoever_reads_the_request() {
        let body = br#"[{"traceId":"1","id":"2","name":"kept"},{"id":"3"},{"traceId":"4"}]"#;
        let rows = read_request(Signal::Traces, false, &zipkin_request(body).expect("spans")).expect("OTLP");
        assert_eq!((rows.spans().len(), rows.problem_count()), (1, 2));
    }
}

//! Decodes OTLP requests to rows, and encodes the responses.
//!
//! Unlike a damaged file, which is read as far as possible, an invalid request is rejected as a whole, so that the sender notices. Not
//! here: HTTP.

use super::direct::read_resource;
use super::fields::same;
use super::messages::{EXPORT_ANSWER, Field, RESOURCE_LOGS, RESOURCE_METRICS, RESOURCE_SPANS};
use super::parts::{PartError, Room, read_json};
use super::rows::Rows;
use super::wire::{Reader, Wire, encode_message};
use quipu_model::Value;
use quipu_model::recorded::{entries, items, json_text, parse_json};

/// Type of a request's data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Points of metrics: counters, gauges, histograms.
    Metrics,
    /// Log records.
    Logs,
}

/// Names in the messages of a signal.
struct Names {
    /// Field with the list of resources, and their type in protobuf.
    list: &'static str,
    resource: &'static [Field],
    /// JSON name of the number of rejected entries in a response.
    rejected: &'static str,
}

impl Signal {
    /// All signals.
    pub const ALL: [Signal; 3] = [Signal::Traces, Signal::Metrics, Signal::Logs];

    /// `traces`, `metrics`, `logs`.
    pub fn label(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Metrics => "metrics",
            Signal::Logs => "logs",
        }
    }

    /// Path of the signal in OTLP/HTTP, such as `/v1/traces`.
    pub fn path(self) -> &'static str {
        match self {
            Signal::Traces => "/v1/traces",
            Signal::Metrics => "/v1/metrics",
            Signal::Logs => "/v1/logs",
        }
    }

    fn names(self) -> Names {
        match self {
            Signal::Traces => Names { list: "resourceSpans", resource: &RESOURCE_SPANS, rejected: "rejectedSpans" },
            Signal::Metrics => Names { list: "resourceMetrics", resource: &RESOURCE_METRICS, rejected: "rejectedDataPoints" },
            Signal::Logs => Names { list: "resourceLogs", resource: &RESOURCE_LOGS, rejected: "rejectedLogRecords" },
        }
    }
}

/// Why the body of a request can't be read. The sentence has no subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// It is not a valid request.
    #[error("{0}")]
    Invalid(&'static str),
    /// It would take more than this many bytes of memory.
    #[error("would take more than {} of memory to be read; send it in smaller parts", quipu_model::format::bytes(*.0))]
    TooMuch(u64),
}

/// Decodes the body of a request in JSON or protobuf. Entries that can't be kept are among the problems of the rows. Takes at most four
/// times the body's length of memory, and 192 MiB.
///
/// # Errors
/// If the body is not a valid request, or takes more memory.
pub fn read_request(signal: Signal, is_json: bool, body: &[u8]) -> Result<Rows, RequestError> {
    let names = signal.names();
    let (mut rows, room) = (Rows::default(), Room::of(body.len()));
    let mut take = |rows: &mut Rows, part: &Value| rows.take(names.list, part);
    let because = |invalid: &'static str| {
        move |error: PartError| match error {
            PartError::TooMuch(bytes) => RequestError::TooMuch(bytes),
            PartError::Malformed => RequestError::Invalid(invalid),
        }
    };
    if is_json {
        let text = std::str::from_utf8(body).map_err(|_| RequestError::Invalid("is not UTF-8"))?;
        let no_json = "is not valid JSON";
        if !text.trim_start().starts_with('{') {
            return Err(RequestError::Invalid(if parse_json(text.get(..20).unwrap_or(text)).is_some() {
                "is not a JSON object"
            } else {
                no_json
            }));
        }
        for entry in entries(body) {
            let (key, value) = entry.map_err(|_| RequestError::Invalid(no_json))?;
            if !same(&key, names.list) || value.is_null() {
                continue;
            }
            if value.bytes().first() != Some(&b'[') {
                return Err(RequestError::Invalid("has no list of resources"));
            }
            for resource in items(value.bytes()) {
                let resource = resource.map_err(|_| RequestError::Invalid(no_json))?;
                if resource.bytes().first() != Some(&b'{') {
                    return Err(RequestError::Invalid("has no list of resources"));
                }
                read_json(resource.bytes(), room, &mut rows, &mut take).map_err(because(no_json))?;
            }
        }
        return Ok(rows);
    }
    let mut reader = Reader::new(body);
    let malformed = "is not a valid protobuf request";
    while let Some((number, content)) = reader.field().map_err(|_| RequestError::Invalid(malformed))? {
        match (number, content) {
            (1, Wire::Bytes(resource)) => {
                let table = (names.list, names.resource);
                read_resource(resource, table, room, &mut rows, &mut |_| ()).map_err(because(malformed))?;
            }
            (1, _) => return Err(RequestError::Invalid(malformed)),
            _ => {}
        }
    }
    Ok(rows)
}

/// Encodes the response to an accepted request: empty, or the number of rejected entries and the reason.
pub fn response(signal: Signal, is_json: bool, rejected: u64, message: Option<&str>) -> Vec<u8> {
    let value = match message {
        None => Value::Map(Vec::new()),
        Some(message) => {
            // In protobuf the field has the same number for all signals.
            let name = if is_json { signal.names().rejected } else { Signal::Traces.names().rejected };
            let count = (name.to_owned(), Value::Text(rejected.to_string()));
            let message = ("errorMessage".to_owned(), Value::Text(message.to_owned()));
            Value::Map(vec![("partialSuccess".to_owned(), Value::Map(vec![count, message]))])
        }
    };
    if is_json { json_text(&value).into_bytes() } else { encode_message(&value, &EXPORT_ANSWER) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn responses_report_entries_that_were_not_kept() {
        assert_eq!(response(Signal::Logs, true, 0, None), b"{}");
        assert_eq!(response(Signal::Logs, false, 0, None), b"");
        let json = r#"{"partialSuccess":{"rejectedSpans":"2","errorMessage":"Some entries were not kept: no id."}}"#;
        let said = String::from_utf8(response(Signal::Traces, true, 2, Some("Some entries were not kept: no id."))).expect("text");
        assert_eq!(said.replace([' ', '\n'], ""), json.replace(' ', ""));
        // As encoded by Google's library: ExportTraceServiceResponse(partial_success={rejected_spans: 2, error_message: …}).
        let message = b"Some entries were not kept: no id.";
        let inner = [&[0x08, 2, 0x12, 34], message.as_slice()].concat();
        assert_eq!(
            response(Signal::Traces, false, 2, Some("Some entries were not kept: no id.")),
            [&[0x0a, 38], inner.as_slice()].concat()
        );
    }

    #[test]
    fn a_body_is_a_request_of_its_signal_or_nothing() {
        let empty =
            |rows: Result<Rows, RequestError>| rows.map(|rows| rows.spans.is_empty() && rows.logs.is_empty() && rows.points.is_empty());
        for signal in Signal::ALL {
            assert_eq!(empty(read_request(signal, false, b"")), Ok(true));
            assert_eq!(empty(read_request(signal, true, b"{}")), Ok(true));
            assert_eq!(empty(read_request(signal, true, br#"{"unknown": 1}"#)), Ok(true));
            for body in ["", "[]", "5", "{", "{} {}", "nonsense"] {
                assert!(read_request(signal, true, body.as_bytes()).is_err(), "{body}");
            }
            for body in [&b"\x0a\x05abc"[..], b"\x08\x01", b"\x0a\x02\x08\x01", b"{}", b"\xff"] {
                assert!(read_request(signal, false, body).is_err(), "{body:?}");
            }
        }
        for body in [r#"{"resourceSpans": {}}"#, r#"{"resourceSpans": [1]}"#, r#"{"resource_spans": "x"}"#] {
            assert!(read_request(Signal::Traces, true, body.as_bytes()).is_err(), "{body}");
        }
    }
}

//! Parses responses of an OTLP collector, in protobuf or JSON.
//!
//! Not here: requests (`request`), and the network.

use super::messages::{EXPORT_ANSWER, RPC_STATUS};
use super::numbers::unsigned;
use super::wire::decode;
use quipu_model::Value;
use quipu_model::recorded::parse_json;

/// Response to a request that was accepted, at least in part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExportAnswer {
    /// Number of rejected spans, points or log records, which must not be sent again.
    pub rejected: u64,
    /// The reason, or a warning if nothing was rejected.
    pub message: Option<String>,
}

impl ExportAnswer {
    /// Parses an `Export…ServiceResponse`. An invalid one counts as empty.
    pub fn read(body: &[u8], is_json: bool) -> ExportAnswer {
        let answer = if is_json { json(body) } else { decode(body, &EXPORT_ANSWER).ok() };
        let partial = answer.as_ref().and_then(|answer| answer.get("partialSuccess"));
        let of = |key: &str| partial.and_then(|partial| partial.get(key));
        let rejected = ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"].iter().find_map(|key| unsigned(of(key)));
        ExportAnswer { rejected: rejected.unwrap_or(0), message: text(of("errorMessage")) }
    }
}

/// The message of a `google.rpc.Status`, which explains why a request was rejected.
pub fn status_message(body: &[u8], is_json: bool) -> Option<String> {
    let status = if is_json { json(body) } else { decode(body, &RPC_STATUS).ok() };
    text(status.as_ref()?.get("message"))
}

fn json(body: &[u8]) -> Option<Value> {
    parse_json(std::str::from_utf8(body).ok()?)
}

fn text(value: Option<&Value>) -> Option<String> {
    one_line(value?.as_str()?)
}

/// Puts a server's message on one line, without control characters. `None` if nothing is left.
pub fn one_line(text: &str) -> Option<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control());
    Some(words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_encodings_report_rejected_entries_and_the_reason() {
        let expected = ExportAnswer { rejected: 300, message: Some("too old".into()) };
        // partial_success { rejected_spans: 300, error_message: "too old" }
        let protobuf = b"\x0a\x0c\x08\xac\x02\x12\x07too old";
        assert_eq!(ExportAnswer::read(protobuf, false), expected);
        for name in ["rejectedSpans", "rejectedDataPoints", "rejectedLogRecords"] {
            let json = format!(r#"{{"partialSuccess": {{"{name}": "300", "errorMessage": "too old"}}}}"#);
            assert_eq!(ExportAnswer::read(json.as_bytes(), true), expected);
        }
        for (nothing, is_json) in [(&b""[..], false), (b"{}", true), (b"<html>", true), (b"<html>", false), (b"\x0a\x00", false)] {
            assert_eq!(ExportAnswer::read(nothing, is_json), ExportAnswer::default());
        }
    }

    #[test]
    fn a_servers_message_is_put_on_one_line() {
        let json = "{\"message\": \"one\\n\\u001b[2Jtwo  \"}";
        assert_eq!(status_message(json.as_bytes(), true).as_deref(), Some("one [2Jtwo"));
    }

    #[test]
    fn a_status_says_why_a_request_was_rejected() {
        assert_eq!(status_message(b"\x08\x03\x12\x03bad", false).as_deref(), Some("bad"));
        assert_eq!(status_message(br#"{"code": 3, "message": "bad"}"#, true).as_deref(), Some("bad"));
        assert_eq!(status_message(b"\xff\xff", false), None);
        assert_eq!(status_message(b"", false), None);
    }
}

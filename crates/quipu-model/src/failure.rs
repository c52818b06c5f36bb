//! Which spans failed, and why: the one rule that lists, counts, filters, metrics, the span panel and the SQL views share.
//!
//! A Llama Stack server ends nearly every span with the status `OK`, failed or not, so the status alone is not enough. A span failed when
//! at least one of these says so:
//!
//! - **Its status** is `ERROR`, in any letter case. OTLP's other spellings of the same code, `STATUS_CODE_ERROR` and `2`, count too. `OK` and
//!   `UNSET` say nothing: they do not outweigh the rest.
//! - **Its attribute `error`.** Llama Stack writes the text of the exception there, other tracers `true`.
//! - **Its attribute `error.type`.** OpenTelemetry's conventions set it only on operations that ended with an error.
//! - **One of its events is the server's own report** that a request or a stream failed: severity `error` or `critical`, and a message that
//!   begins with `Error executing endpoint` or `Error in sse_generator`. The server reports these nowhere else.
//!
//! A value that says "no error" does not count: `false`, `0`, `null`, or an empty text. The texts `"false"`, `"0"`, `"null"` and `"None"`
//! are read the same way, in any letter case, because `set_attribute` of Llama Stack turns every value into a text. Any other value counts,
//! whatever its type.
//!
//! These explain a failure, but are not failures by themselves:
//!
//! - **Other events of severity `error` or `critical`.** The operation may have gone on, and often did: a document that could not be parsed
//!   is logged and skipped. Such spans are marked as having logged an error.
//! - **Events named `exception`.** OpenTelemetry records exceptions that were handled, too, and sets the status where one ended the span.
//! - **The attributes `error.message` and `exception.*`** of a span, for the same reason.
//!
//! If a key occurs more than once in a row, the last value counts, as in Python's `json`, with which servers read their rows. Attributes
//! that are invalid JSON from some point on count up to that point.
//!
//! Not here: where in a trace a failure began (`index::failure_origin`), and that a failed span fails none of its ancestors: each span
//! is judged by its own row and its own events.

use crate::recorded::{RawJson, entries};
use std::borrow::Cow;

/// Values of `error` and `error.type` that say "no error", in any letter case.
const NO_ERROR: [&str; 5] = ["", "false", "0", "null", "none"];
/// No JSON string with more bytes than this is one of [`NO_ERROR`]: two quotes around five letters, each of them an escape.
const LONGEST_NO_ERROR: usize = 2 + 5 * 6;

/// How the server's own reports of a failed request or stream begin.
const SERVER_REPORTS: [&str; 2] = ["Error executing endpoint", "Error in sse_generator"];

/// Whether a recorded status says that the span failed.
pub fn is_error_status(status: Option<&str>) -> bool {
    status.is_some_and(|status| ["error", "status_code_error", "2"].iter().any(|word| status.eq_ignore_ascii_case(word)))
}

/// Whether a recorded severity is that of an error: `error` or `critical`.
pub fn is_error_severity(severity: Option<&str>) -> bool {
    matches!(severity, Some("error" | "critical"))
}

/// Whether a value of a [`FailureKey`] means that the span failed. `text` is the content of a JSON string, or the JSON of any other value.
pub fn says_error(text: &str) -> bool {
    !NO_ERROR.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// [`says_error`] for a value as recorded. Long values are neither copied nor unescaped.
fn value_says_error(value: RawJson<'_>) -> bool {
    value.bytes().len() > LONGEST_NO_ERROR || says_error(&text_of(value))
}

/// An attribute that decides whether a span failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKey {
    /// `error`
    Error,
    /// `error.type`
    ErrorType,
}

impl FailureKey {
    /// The key with this name, if it is one of them.
    pub fn of(key: &str) -> Option<FailureKey> {
        match key {
            "error" => Some(FailureKey::Error),
            "error.type" => Some(FailureKey::ErrorType),
            _ => None,
        }
    }
}

/// Whether a span's row, apart from its events, means that the span failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanVerdict {
    status: bool,
    error: bool,
    error_type: bool,
}

impl SpanVerdict {
    /// Judges a whole row. `attributes` is the recorded JSON object.
    pub fn of(status: Option<&str>, attributes: &[u8]) -> SpanVerdict {
        let mut verdict = SpanVerdict::default();
        verdict.note_status(status);
        for (key, value) in entries(attributes).map_while(Result::ok) {
            if let Some(key) = FailureKey::of(&key) {
                verdict.note(key, value);
            }
        }
        verdict
    }

    /// Takes the status into account.
    pub fn note_status(&mut self, status: Option<&str>) {
        self.status = is_error_status(status);
    }

    /// Takes an attribute into account. The last of several values of the same key counts.
    pub fn note(&mut self, key: FailureKey, value: RawJson<'_>) {
        match key {
            FailureKey::Error => self.error = value_says_error(value),
            FailureKey::ErrorType => self.error_type = value_says_error(value),
        }
    }

    /// Whether the row means that the span failed.
    pub fn failed(self) -> bool {
        self.status || self.error || self.error_type
    }

    /// Whether the span failed although its status is not `ERROR`.
    pub fn is_hidden(self) -> bool {
        self.failed() && !self.status
    }
}

/// Whether an event means that its span failed, decided by the attributes `severity` and `message`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventVerdict {
    is_error: bool,
    is_report: bool,
}

impl EventVerdict {
    /// Takes an attribute into account. The last of several values of the same key counts; other keys are ignored.
    pub fn note(&mut self, key: &str, value: RawJson<'_>) {
        match key {
            "severity" => self.is_error = is_error_severity(value.as_str().as_deref()),
            "message" => self.is_report = SERVER_REPORTS.iter().any(|words| begins_with(value, words)),
            _ => {}
        }
    }

    /// Whether the event means that its span failed.
    pub fn fails_span(self) -> bool {
        self.is_error && self.is_report
    }

    /// Whether the event is an error that does not fail its span.
    pub fn is_logged_error(self) -> bool {
        self.is_error && !self.is_report
    }
}

/// Whether a value is a string starting with `words`, which must not need JSON escapes. Messages contain whole tracebacks, so they are
/// unescaped only if there is an escape within that length.
fn begins_with(value: RawJson<'_>, words: &str) -> bool {
    let Some(inner) = value.bytes().strip_prefix(b"\"") else { return false };
    let same = inner.iter().zip(words.as_bytes()).take_while(|(one, other)| one == other).count();
    same == words.len() || (inner.get(same) == Some(&b'\\') && value.as_str().is_some_and(|text| text.starts_with(words)))
}

/// How an event explains a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventReason {
    /// The event fails its span; holds its message.
    Failure(String),
    /// The event may explain a failure; holds type and message of an exception.
    Exception(String),
}

impl EventReason {
    /// Reads an event by its name and its attributes (a recorded JSON object). `None` if it explains no failure.
    pub fn of(name: &str, attributes: &[u8]) -> Option<EventReason> {
        let mut verdict = EventVerdict::default();
        let (mut message, mut exception_type, mut exception_message) = (None, None, None);
        for (key, value) in entries(attributes).map_while(Result::ok) {
            verdict.note(&key, value);
            match key.as_ref() {
                "message" => message = Some(value),
                "exception.type" => exception_type = Some(value),
                "exception.message" => exception_message = Some(value),
                _ => {}
            }
        }
        if verdict.fails_span() {
            return Some(EventReason::Failure(message.map(text_of).unwrap_or_default().into_owned()));
        }
        let text = joined([exception_type, message.or(exception_message)]);
        (name == "exception" && !text.is_empty()).then_some(EventReason::Exception(text))
    }
}

/// A reason why a span failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason<'a> {
    /// The recorded text; empty if there is only a status or `true`.
    pub message: Cow<'a, str>,
    /// Where the text was recorded.
    pub source: ReasonSource,
}

/// Where a [`Reason`] was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReasonSource {
    /// An attribute of the span.
    Attribute(&'static str),
    /// The event with this index, which fails the span.
    Event(usize),
    /// The event with this index, which records an exception.
    Exception(usize),
    /// The status, or its description.
    Status,
}

/// The reasons why a span failed: at least one if it failed, otherwise none. `attributes` is the recorded JSON object; `events` are those
/// of the span in chronological order.
///
/// The text of `error` and each of the server's reports are reasons of their own. Without any, there is one reason, taken from the best
/// explanation: the last exception, the status description, or other attributes.
pub fn reasons<'a>(
    status: Option<&str>,
    attributes: &'a [u8],
    status_message: Option<&'a str>,
    events: &[Option<&'a EventReason>],
) -> Vec<Reason<'a>> {
    let mut words = Words::default();
    for (key, value) in entries(attributes).map_while(Result::ok) {
        words.note(&key, value);
    }
    let mut reasons = Vec::new();
    // `true` says only that there was an error.
    let error = words.error.filter(|value| value_says_error(*value)).map(text_of);
    reasons.extend(
        error.filter(|text| !text.eq_ignore_ascii_case("true")).map(|message| Reason { message, source: ReasonSource::Attribute("error") }),
    );
    for (place, event) in events.iter().enumerate() {
        if let Some(EventReason::Failure(message)) = *event {
            reasons.push(Reason { message: message.into(), source: ReasonSource::Event(place) });
        }
    }
    if reasons.is_empty() && SpanVerdict::of(status, attributes).failed() {
        reasons.push(words.explanation(is_error_status(status), status_message, events));
    }
    reasons
}

/// Attributes that describe a span's failure.
#[derive(Default)]
struct Words<'a> {
    error: Option<RawJson<'a>>,
    error_type: Option<RawJson<'a>>,
    error_message: Option<RawJson<'a>>,
    exception_type: Option<RawJson<'a>>,
    exception_message: Option<RawJson<'a>>,
}

impl<'a> Words<'a> {
    fn note(&mut self, key: &str, value: RawJson<'a>) {
        let slot = match key {
            "error" => &mut self.error,
            "error.type" => &mut self.error_type,
            "error.message" => &mut self.error_message,
            "exception.type" => &mut self.exception_type,
            "exception.message" => &mut self.exception_message,
            _ => return,
        };
        *slot = Some(value);
    }

    /// The best explanation of a failure that is described neither by `error` nor by a server report.
    fn explanation(&self, is_status: bool, status_message: Option<&'a str>, events: &[Option<&'a EventReason>]) -> Reason<'a> {
        for (place, event) in events.iter().enumerate().rev() {
            if let Some(EventReason::Exception(text)) = *event {
                return Reason { message: text.into(), source: ReasonSource::Exception(place) };
            }
        }
        if let Some(message) = status_message.filter(|message| is_status && !message.is_empty()) {
            return Reason { message: message.into(), source: ReasonSource::Status };
        }
        let says = |value: &RawJson<'a>| value_says_error(*value);
        if let Some(message) = self.error_message.filter(says) {
            return Reason { message: text_of(message), source: ReasonSource::Attribute("error.message") };
        }
        let exception = joined([self.exception_type, self.exception_message]);
        if !exception.is_empty() {
            return Reason { message: exception.into(), source: ReasonSource::Attribute("exception.message") };
        }
        if let Some(kind) = self.error_type.filter(says) {
            return Reason { message: text_of(kind), source: ReasonSource::Attribute("error.type") };
        }
        Reason { message: "".into(), source: if is_status { ReasonSource::Status } else { ReasonSource::Attribute("error") } }
    }
}

/// The content of a string, or the JSON of any other value.
fn text_of(value: RawJson<'_>) -> Cow<'_, str> {
    value.as_str().unwrap_or_else(|| value.as_written())
}

/// The non-empty strings, separated by a colon.
fn joined<'a>(values: [Option<RawJson<'a>>; 2]) -> String {
    values.into_iter().flatten().map(text_of).filter(|text| !text.is_empty()).collect::<Vec<Cow<'a, str>>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a span with these attributes and no status failed. Checks that its reasons agree.
    fn fails(attributes: &str) -> bool {
        let verdict = SpanVerdict::of(None, attributes.as_bytes()).failed();
        assert_eq!(reasons(None, attributes.as_bytes(), None, &[]).is_empty(), !verdict, "{attributes}");
        verdict
    }

    #[test]
    fn a_value_that_says_no_error_is_no_failure() {
        for key in ["error", "error.type"] {
            for value in [
                "false",
                "0",
                "null",
                r#""""#,
                r#""false""#,
                r#""False""#,
                r#""0""#,
                r#""null""#,
                r#""None""#,
                r#""\u0066alse""#,
            ] {
                assert!(!fails(&format!(r#"{{"{key}": {value}}}"#)), "{key}: {value}");
            }
            for value in [
                "true",
                "1",
                "{}",
                "[]",
                r#""true""#,
                r#""boom""#,
                r#""falsehood""#,
                r#"" ""#,
                r#""\u0066\u0061\u006c\u0073\u0065\u0021""#,
            ] {
                assert!(fails(&format!(r#"{{"{key}": {value}}}"#)), "{key}: {value}");
            }
        }
        for key in ["Error", "errors", "error.message", "exception.type", "message"] {
            assert!(!fails(&format!(r#"{{"{key}": "boom"}}"#)), "{key}");
        }
    }

    #[test]
    fn the_last_value_of_a_key_counts_and_damaged_attributes_count_up_to_the_damage() {
        assert!(fails(r#"{"error": false, "error": "boom"}"#));
        assert!(!fails(r#"{"error": "boom", "error": false}"#));
        assert!(fails(r#"{"error": "boom", "x"#));
        assert!(!fails(r#"{"x", "error": "boom"}"#));
    }

    #[test]
    fn a_status_is_read_in_all_its_spellings() {
        for status in ["ERROR", "error", "STATUS_CODE_ERROR", "2"] {
            assert!(SpanVerdict::of(Some(status), b"{}").failed(), "{status}");
            assert_eq!(reasons(Some(status), b"{}", None, &[]), [Reason { message: "".into(), source: ReasonSource::Status }]);
        }
        for status in [None, Some("OK"), Some("UNSET"), Some("1"), Some("")] {
            assert!(!SpanVerdict::of(status, b"{}").failed(), "{status:?}");
        }
    }

    #[test]
    fn of_events_only_the_servers_own_report_fails_a_span() {
        let verdict = |attributes: &str| {
            let mut verdict = EventVerdict::default();
            for (key, value) in entries(attributes.as_bytes()).flatten() {
                verdict.note(&key, value);
            }
            let reason = EventReason::of("unstructured_log", attributes.as_bytes());
            assert_eq!(matches!(reason, Some(EventReason::Failure(_))), verdict.fails_span(), "{attributes}");
            (verdict.fails_span(), verdict.is_logged_error())
        };
        assert_eq!(verdict(r#"{"message": "Error executing endpoint route='/v1'", "severity": "error"}"#), (true, false));
        assert_eq!(verdict(r#"{"message": "\u0045rror in sse_generator\nTraceback", "severity": "critical"}"#), (true, false));
        assert_eq!(verdict(r#"{"message": "Error in sse_generator", "severity": "warn"}"#), (false, false));
        assert_eq!(verdict(r#"{"message": "Error in sse", "severity": "error"}"#), (false, true));
        assert_eq!(verdict(r#"{"message": ["Error in sse_generator"], "severity": "error"}"#), (false, true));
        assert_eq!(EventReason::of("exception", br#"{"exception.type": "ValueError"}"#), Some(EventReason::Exception("ValueError".into())));
        assert_eq!(EventReason::of("exception", b"{}"), None);
    }

    #[test]
    fn a_failure_is_explained_by_the_best_available_text() {
        let told = |status: &str, attributes: &str, message: Option<&str>, events: &[Option<&EventReason>]| {
            let one = |reason: &Reason<'_>| format!("{:?} {}", reason.source, reason.message);
            reasons(Some(status), attributes.as_bytes(), message, events).iter().map(one).collect::<Vec<_>>()
        };
        let (report, exception) = (EventReason::Failure("report".into()), EventReason::Exception("E: x".into()));
        let events = [Some(&report), None, Some(&exception)];
        assert_eq!(told("OK", r#"{"error": "boom"}"#, None, &events), [r#"Attribute("error") boom"#, "Event(0) report"]);
        assert_eq!(told("OK", "{}", None, &events[1..]), [""; 0]);
        assert_eq!(told("ERROR", r#"{"error.type": "T"}"#, Some("slow"), &events[1..]), ["Exception(1) E: x"]);
        assert_eq!(told("ERROR", r#"{"error.type": "T"}"#, Some("slow"), &[]), ["Status slow"]);
        assert_eq!(told("OK", r#"{"error.type": "T"}"#, Some("slow"), &[]), [r#"Attribute("error.type") T"#]);
        assert_eq!(told("OK", r#"{"error.type": "T", "error.message": "m"}"#, None, &[]), [r#"Attribute("error.message") m"#]);
        let span = r#"{"error": true, "exception.type": "E", "exception.message": "m"}"#;
        assert_eq!(told("OK", span, None, &[]), [r#"Attribute("exception.message") E: m"#]);
        assert_eq!(told("OK", r#"{"error": "True"}"#, None, &[]), [r#"Attribute("error") "#]);
    }
}

//! What a request takes while it is read, whatever it holds: at most four times its length, and a constant, and time linear in it. A test
//! binary of its own, for its allocator.

#![expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]

use peak_alloc::PeakAlloc;
use quipu_otlp::{RequestError, Signal, read_request};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// The constant, and what the test itself and the last part read may take beside it.
const BESIDE: usize = (192 << 20) + (24 << 20);

/// One test at a time: they share the allocator.
static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A field of protobuf with bytes.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2];
    let mut length = content.len();
    while length >= 0x80 {
        out.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    out.push(length as u8);
    out.extend_from_slice(content);
    out
}

fn span(number: u32, attributes: &[u8]) -> Vec<u8> {
    let mut trace = [7; 16];
    trace[..4].copy_from_slice(&number.to_be_bytes());
    [field(1, &trace), field(2, &trace[..8]), attributes.to_vec()].concat()
}

/// `AnyValue` of `depth` nested lists.
fn nested(depth: usize) -> Vec<u8> {
    (0..depth).fold(field(1, b"x"), |inner, _| field(5, &field(1, &inner)))
}

fn protobuf(scopes: &[Vec<u8>]) -> Vec<u8> {
    field(1, &scopes.concat())
}

fn json(spans: &str) -> Vec<u8> {
    format!(r#"{{"resourceSpans":[{{"resource":{{}},"scopeSpans":[{{"scope":{{"name":"s"}},"spans":[{spans}]}}]}}]}}"#).into_bytes()
}

fn json_span(value: &str) -> String {
    format!(r#"{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","attributes":[{{"key":"k","value":{value}}}]}}"#)
}

/// Bodies that take many times their length when they are decoded as a whole.
fn bodies() -> Vec<(&'static str, bool, Vec<u8>)> {
    const MANY: usize = 2_000_000;
    let list = |inner: &[u8], times: usize| field(9, &[field(1, b"k"), field(2, &field(5, &inner.repeat(times)))].concat());
    let spans = |of: &[u8], times: usize| protobuf(&[field(2, &field(2, of).repeat(times))]);
    vec![
        ("empty spans", false, spans(b"", MANY)),
        (
            "spans of nothing but ids",
            false,
            protobuf(&[field(2, &(0..200_000).flat_map(|at| field(2, &span(at, b""))).collect::<Vec<_>>())]),
        ),
        ("empty values in a list", false, spans(&span(1, &list(&field(1, b""), MANY)), 1)),
        ("numbers in a list", false, spans(&span(1, &list(&field(1, &[0x18, 1]), MANY)), 1)),
        ("empty attributes", false, spans(&span(1, &field(9, b"").repeat(MANY)), 1)),
        ("empty events", false, spans(&span(1, &field(11, b"").repeat(MANY)), 1)),
        ("empty scopes", false, protobuf(&[field(2, b"").repeat(MANY)])),
        ("empty resources", false, field(1, b"").repeat(MANY)),
        ("numbers in JSON", true, json(&json_span(&format!(r#"{{"arrayValue":{{"values":[{}0]}}}}"#, "0,".repeat(MANY))))),
        ("objects in JSON", true, json(&json_span(&format!(r#"{{"arrayValue":{{"values":[{}{{}}]}}}}"#, "{},".repeat(MANY))))),
        ("spans in JSON", true, json(&format!("{}{{}}", "{},".repeat(MANY)))),
        ("a long text", true, json(&json_span(&format!(r#"{{"stringValue":"{}"}}"#, "a,[{".repeat(MANY))))),
    ]
}

#[test]
fn a_request_takes_at_most_four_times_its_length() {
    let _turn = turn();
    for (name, is_json, body) in bodies() {
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let outcome = read_request(Signal::Traces, is_json, &body);
        let taken = MEMORY.peak_usage().saturating_sub(before);
        assert!(taken <= 4 * body.len() + BESIDE, "{name}: {taken} for {}", body.len());
        match outcome {
            Ok(rows) => {
                assert!(rows.spans().len() as u64 + rows.problem_count() > 0 || name.contains("resources") || name.contains("scopes"))
            }
            Err(error) => assert!(matches!(error, RequestError::TooMuch(_)), "{name}: {error}"),
        }
    }
}

#[test]
fn a_hundred_thousand_scopes_under_a_long_resource_are_read_in_linear_time() {
    let _turn = turn();
    let resource = field(1, &field(1, &[field(1, b"k"), field(2, &field(1, &[b'r'; 100_000]))].concat()));
    let mut message = resource;
    for at in 0..100_000_u32 {
        let scope = field(1, &field(1, format!("scope {at}").as_bytes()));
        message.extend(field(2, &[scope, field(2, &span(at, b""))].concat()));
    }
    // Quadratic, this would take hours.
    let rows = read_request(Signal::Traces, false, &field(1, &message)).expect("a request");
    assert_eq!((rows.spans().len(), rows.resources.len(), rows.sources.len()), (100_000, 1, 100_000));
}

#[test]
fn what_is_nested_too_deeply_costs_its_value_only() {
    let _turn = turn();
    for (depth, is_kept) in [(24, true), (25, false), (10_000, false), (200_000, false)] {
        let attributes = field(9, &[field(1, b"k"), field(2, &nested(depth))].concat());
        let protobuf = protobuf(&[field(2, &field(2, &span(1, &attributes)))]);
        let value = format!("{}{}{}", r#"{"arrayValue":{"values":["#.repeat(depth), r#"{"stringValue":"x"}"#, "]}}".repeat(depth));
        for (is_json, body) in [(false, protobuf), (true, json(&json_span(&value)))] {
            let rows = read_request(Signal::Traces, is_json, &body).expect("a request");
            let attributes = rows.spans()[0].span.attributes.as_deref().expect("attributes");
            assert_eq!(attributes.contains('x'), is_kept, "{depth} {is_json}: {attributes}");
            assert_eq!(attributes.contains("nested deeper than 24 levels"), !is_kept, "{depth} {is_json}");
        }
    }
}

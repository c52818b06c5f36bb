//! OTLP in what servers and programs put around it.

use super::{one, read, read_whole, spans};
use crate::transfer::tools::read as fixture;

const SPAN: &str = r#"{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"work","kind":3,"startTimeUnixNano":"1760000000000000001","endTimeUnixNano":"1760000001000000002","status":{"code":2,"message":"no"}}"#;

fn resource() -> String {
    format!(
        r#"{{"resource":{{"attributes":[{{"key":"service.name","value":{{"stringValue":"shop"}}}}]}},"scopeSpans":[{{"scope":{{"name":"lib"}},"spans":[{SPAN}]}}]}}"#
    )
}

const EXPECTED: &str = "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 - work CLIENT ERROR 1760000000000000001 1760000001000000002";

#[test]
fn wrappers_are_taken_off() {
    let resource = resource();
    for text in [
        format!(r#"{{"trace":{{"resourceSpans":[{resource}]}}}}"#),
        format!(r#"{{"result":{{"resourceSpans":[{resource}]}}}}"#),
        format!(r#"{{"data":{{"resourceSpans":[{resource}]}}}}"#),
        format!(r#"{{"status":"complete","trace":{{"batches":[{resource}]}},"metrics":{{"x":[1]}}}}"#),
        format!("{{\n \"data\": {{\n  \"trace\": {{\"resourceSpans\": [{resource}\n]\n}}}} }}"),
        resource.clone(),
        format!("[{resource}]"),
        format!("{resource}\n{{\"scopeLogs\":[]}}\n"),
        format!(r#"{{"data":[{resource}]}}"#),
    ] {
        let connection = read_whole(&text);
        assert_eq!(spans(&connection), [format!("{EXPECTED} shop")], "{text}");
        assert_eq!(one(&connection, "SELECT json_extract(scope, '$.name') FROM quipu_scopes"), "lib");
    }
    // Spans alone have no service.
    for text in [SPAN.to_owned(), format!("[{SPAN}]"), format!("{{\"spans\":[{SPAN}]}}")] {
        assert_eq!(spans(&read_whole(&text)), [format!("{EXPECTED} -")]);
    }
}

#[test]
fn the_line_and_byte_of_bytes_that_are_no_utf8_are_told() {
    let text = format!("{{\"resourceSpans\":[{}]}}\n{{\"resourceSpans\":[\n{}]}}\n", resource(), resource().replace("b7ad", "b7ae"));
    let at = text.rfind("work").expect("a name");
    let mut bytes = text.into_bytes();
    bytes[at] = 0xe9;
    let (connection, report) = read(&bytes);
    assert_eq!(spans(&connection).len(), 2);
    let told: Vec<String> = report.remarks.iter().map(ToString::to_string).collect();
    assert_eq!(told, [format!("input, line 3, byte {at}: it is not UTF-8, and is shown as \u{fffd}.")]);
    assert_eq!(one(&connection, "SELECT name FROM quipu_names WHERE name LIKE '%ork' AND name <> 'work'"), "\u{fffd}ork");
}

#[test]
fn a_truncated_last_line_is_told_and_the_others_are_read() {
    let line = format!("{{\"resourceSpans\":[{}]}}\n", resource());
    let cut = &line.replace("b7ad", "b7ae")[..line.len() - 60];
    let (connection, report) = read(format!("{line}{cut}").as_bytes());
    assert_eq!(spans(&connection), [format!("{EXPECTED} shop")]);
    assert_eq!(report.problems[0].to_string(), "input, line 2: it ends in the middle; it was cut off.");
    assert_eq!(report.problem_count, 1);
}

#[test]
fn text_in_utf16_and_with_a_mark_is_read() {
    let text = format!("{{\"resourceSpans\":[{}]}}", resource().replace("work", "größe 😀"));
    let units: Vec<u16> = text.encode_utf16().collect();
    let little = [vec![0xff, 0xfe], units.iter().flat_map(|unit| unit.to_le_bytes()).collect()].concat();
    let big = [vec![0xfe, 0xff], units.iter().flat_map(|unit| unit.to_be_bytes()).collect()].concat();
    let marked = [b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat();
    for bytes in [little.clone(), big, marked] {
        let (connection, report) = read(&bytes);
        assert_eq!((report.spans, report.problem_count), (1, 0));
        assert_eq!(one(&connection, "SELECT name FROM quipu_names WHERE name LIKE 'gr%'"), "größe 😀");
    }
    assert_eq!(read(&little[..little.len() - 1]).1.problems[0].what, "it ends in the middle; it was cut off");
}

#[test]
fn inputs_without_anything_are_told() {
    for text in [
        "\n  \n",
        "{}",
        "[]",
        r#"{"resourceSpans":[]}"#,
        r#"{"data":[],"total":0,"errors":null}"#,
        r#"{"trace":{}}"#,
        "[{}, {}]",
    ] {
        let (_, report) = read(text.as_bytes());
        assert_eq!(report.nothing("x").as_deref(), Some("There is nothing in x: no span, no log record and no metric point."), "{text}");
    }
    assert_eq!(read(&fixture("tests/fixtures/otlp/direct_0.2.23_traces.json")).1.nothing("x"), None);
}

//! Every form of a file, and what is malformed in it.

use super::*;
use proptest::prelude::*;

/// Items as `list line: json`, problems as `! line: what`.
fn split(text: &str, chunk: usize, limit: usize) -> Vec<String> {
    let (mut splitter, mut out) = (Splitter::new(limit), Vec::new());
    let from = |byte: u64| text.get(usize::try_from(byte).expect("a short text")..).expect("a place in the text");
    let mut take = |piece: Piece<'_>| {
        out.push(match piece {
            Piece::Item { list, json, line, byte } => {
                assert!(from(byte).starts_with(&*String::from_utf8_lossy(json)), "{byte}");
                format!("{list} {line}: {}", String::from_utf8_lossy(json))
            }
            Piece::Document { json, line, byte } => {
                assert!(from(byte).starts_with('{'), "{byte}");
                format!("{line}: {}", String::from_utf8_lossy(json))
            }
            Piece::Bad { line, what } => format!("! {line}: {what}"),
        });
        Ok::<(), ()>(())
    };
    for bytes in text.as_bytes().chunks(chunk) {
        splitter.push(bytes, &mut take).expect("no failure");
    }
    splitter.finish(&mut take).expect("no failure");
    out
}

const CUT: &str = "it ends in the middle; it was cut off";
const NO_JSON: &str = "it is not valid JSON";

#[test]
fn every_form_of_a_file_gives_its_items() {
    let expected = ["resourceSpans 1: {\"a\":[1,\"]}\"]}", "resourceSpans 1: {\"b\":2}", "resourceLogs 1: {\"c\":{}}"];
    let one = r#"{"resourceSpans":[{"a":[1,"]}"]},{"b":2}]} {"resourceLogs" : [ {"c":{}} ], "other": [1, {"d": 2}], "n": 3}"#;
    let list = format!("[{}]", one.replace("} {", "}, {"));
    for text in [one, &list] {
        for chunk in [1, 2, 7, 1_000] {
            assert_eq!(split(text, chunk, 1_000), expected, "{text}");
        }
    }
    let pretty = "{\n  \"resourceSpans\": [\n    {\n      \"b\": 2\n    }\n  ]\n}\n";
    assert_eq!(split(pretty, 3, 1_000), ["resourceSpans 3: {\n      \"b\": 2\n    }"]);
    let by_item = "{\"data\":[\n{\"traceID\":\"1\",\"spans\":[]},\n{\"traceID\":\"2\"}\n]}";
    assert_eq!(split(by_item, 5, 1_000), ["data 2: {\"traceID\":\"1\",\"spans\":[]}", "data 3: {\"traceID\":\"2\"}"]);
    let bare = r#"{"processes": {"p1": {}}, "x": 1, "spans": [{}], "traceID": "t"}"#;
    assert_eq!(split(bare, 4, 1_000), [r#"1: {"processes":{"p1": {}},"x":1,"spans":[{}],"traceID":"t"}"#]);
}

#[test]
fn a_malformed_line_is_reported_and_the_next_ones_are_read() {
    let good = "{\"resourceSpans\":[{\"a\":1}]}\n";
    let bad = |line: &str| split(&format!("{good}{line}\n{good}"), 6, 60);
    let [before, after] = ["resourceSpans 1: {\"a\":1}", "resourceSpans 3: {\"a\":1}"].map(str::to_owned);
    for (line, what) in [
        ("{\"resourceSpans\":[{\"a\":\"cut off in a te", NO_JSON),
        ("{\"resourceSpans\":[{\"a\":[1,", CUT),
        ("{\"resourceSpans\":[{\"a\":1}],", NO_JSON),
        ("a line of a log", NO_JSON),
        ("{\"resourceSpans\":[{\"a\":1]]]]}", NO_JSON),
        ("{\"data\":[{\"a\":1}]}}", NO_JSON),
        ("{\"resourceSpans\":[{\"a\":\"much longer than a piece may be, as the limit of this test says\"}]}", "it is longer than 60 bytes"),
    ] {
        let found = bad(line);
        assert_eq!(found.first(), Some(&before), "{line}");
        assert_eq!(found.last(), Some(&after), "{line}: {found:?}");
        assert!(found.contains(&format!("! 2: {what}")), "{line}: {found:?}");
    }
    assert_eq!(split("{\"resourceSpans\":[{\"a\":1}", 9, 60), ["resourceSpans 1: {\"a\":1}".to_owned(), format!("! 1: {CUT}")]);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_consumed_to_the_end(text in "[\\[\\]{}\",:\\\\a\n ]{0,80}", chunk in 1_usize..9) {
        let whole = split(&text, 1_000, 50);
        prop_assert_eq!(split(&text, chunk, 50), whole);
    }
}

#[test]
fn lists_in_wrappers_are_split_and_other_documents_are_whole() {
    let item = ["resourceSpans 1: {\"a\":1}"];
    for text in [
        r#"{"trace":{"resourceSpans":[{"a":1}]}}"#,
        r#"{"status": "ok", "result" : { "x": [1], "resourceSpans": [ {"a":1} ] , "y": {}}, "z": 2}"#,
        r#"{"data":{"trace":{"resourceSpans":[{"a":1}]}}}"#,
    ] {
        for chunk in [1, 5, 1_000] {
            assert_eq!(split(text, chunk, 1_000), item, "{text}");
        }
    }
    // What is no list of objects is kept as it is.
    for text in [
        r#"{"data":{"a":[1,2],"b":{"c":"]}"}}}"#,
        r#"{"data":[1,[2]],"hits":[[]],"trace":"t"}"#,
        r#"{"data":[],"hits":{}}"#,
    ] {
        assert_eq!(split(text, 3, 1_000), [format!("1: {text}")]);
    }
    assert_eq!(split("[[{\"a\":1}],[{\"b\":2},\n{\"c\":3}]]", 4, 1_000), ["1: {\"a\":1}", "1: {\"b\":2}", "2: {\"c\":3}"]);
    assert_eq!(split("{\"hits\":{\"hits\":[{\"_source\":{}}]}}", 4, 1_000), ["hits 1: {\"_source\":{}}"]);
    assert_eq!(split("{\"resourceSpans\":[]}", 4, 1_000), [""; 0]);
}

#[test]
fn a_line_after_a_truncated_one_is_read_whatever_it_is() {
    for cut in ["{\"a\":{\"b\":1", "{\"a\":{\"b\":[1, 2]", "{\"a\":[\"b\""] {
        let found = split(&format!("{cut}\n{{\"c\":2}}\n"), 5, 1_000);
        assert_eq!(found, [format!("! 1: {NO_JSON}"), "2: {\"c\":2}".to_owned()], "{cut}");
    }
}

//! The scanner against serde_json: same keys and values, same inputs rejected.

use proptest::prelude::*;
use quipu::recorded::{RawJson, entries};
use serde_json::{Map, Value};

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".*".prop_map(Value::from),
        "[\\[\\]{},:\"\\\\ \n]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".*", inner, 0..6).prop_map(|map| Value::from(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn same(raw: RawJson<'_>, printed: &str, value: &Value) -> bool {
    raw.bytes() == printed.as_bytes()
        && raw.as_str().as_deref() == value.as_str()
        && raw.is_true() == (*value == Value::Bool(true))
        && raw.is_null() == value.is_null()
        && raw.as_number_text().is_some() == value.is_number()
}

proptest! {
    #[test]
    fn every_object_gives_its_entries_in_order(pairs in prop::collection::vec((".*", json()), 0..8), pretty: bool) {
        let print = |value: &Value| if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) }.unwrap();
        let mut text = String::from("{");
        for (index, (key, value)) in pairs.iter().enumerate() {
            text.push_str(if index == 0 { " " } else { " ,\n" });
            text.push_str(&format!("{}\t: {}", print(&Value::from(key.as_str())), print(value)));
        }
        text.push_str("} ");
        let scanned: Vec<_> = entries(text.as_bytes()).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(scanned.len(), pairs.len());
        for ((key, raw), (expected_key, expected)) in scanned.iter().zip(&pairs) {
            prop_assert_eq!(key, expected_key);
            prop_assert!(same(*raw, &print(expected), expected), "{:?} is not {}", raw, expected);
        }
    }

    #[test]
    fn flat_texts_are_refused_where_a_json_parser_refuses_them(text in "\\{(\"[a-z\\\\\"]{0,3}\"[:,]? ?(1|-|01|1\\.|1e5|true|tru|null|\"[nu0\\\\\"]{0,3}\"|\\[\\]|\\{\\})[,}]? ?){0,3}\\}?x?") {
        let ours = entries(text.as_bytes()).collect::<Result<Vec<_>, _>>();
        let theirs = serde_json::from_str::<Map<String, Value>>(&text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?} {:?}", text, ours, theirs);
    }
}

#[test]
fn an_error_has_a_position_and_is_reported_once() {
    let read = |text: &str| {
        let mut scan = entries(text.as_bytes());
        let good = scan.by_ref().take_while(Result::is_ok).count();
        assert!(scan.next().is_none(), "{text}: nothing follows the error");
        let error = entries(text.as_bytes()).find_map(Result::err).map(|error| error.to_string());
        (good, error.unwrap_or_default())
    };
    let texts = [
        "",
        "[]",
        "null",
        "{",
        "{\"a\"",
        "{\"a\": }",
        "{\"a\": 1",
        "{\"a\": 1,}",
        "{\"a\": 1} x",
        "{\"a\": \"b",
        "{\"a\": \"\\q\"}",
        "{\"a\": \"\\u12g4\"}",
        "{\"a\": [}]}",
        "{\"a\": [\"]}",
        "{a: 1}",
        "{\"a\": True}",
        "{\"a\": 1 \"b\": 2}",
    ];
    let out: String = texts.map(|text| format!("{text:24} {:?}\n", read(text))).concat();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("scan_errors", out);
    });
}

#[test]
fn pythons_extensions_of_json_are_accepted() {
    let text = br#"{"nan": NaN, "up": Infinity, "down": -Infinity, "bad utf8": "a\u00e9 \xff", "half": "\ud83e", "twice": 1, "twice": 2}"#;
    let mut text = text.to_vec();
    let at = text.windows(4).position(|window| window == b"\\xff").unwrap();
    text.splice(at..at + 4, [0xff]);
    let scanned: Vec<_> = entries(&text).collect::<Result<_, _>>().unwrap();
    let shown: Vec<_> = scanned.iter().map(|(key, raw)| (&**key, raw.as_str().unwrap_or_else(|| raw.as_written()))).collect();
    let expected = [
        ("nan", "NaN"),
        ("up", "Infinity"),
        ("down", "-Infinity"),
        ("bad utf8", "aé \u{fffd}"),
        ("half", "\u{fffd}"),
        ("twice", "1"),
        ("twice", "2"),
    ];
    assert_eq!(shown, expected.map(|(key, value)| (key, value.into())));
}

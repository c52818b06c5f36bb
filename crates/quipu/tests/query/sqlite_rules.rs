//! Conditions against SQLite's own `json_extract` and comparisons, on generated values.

use super::support::{Opened, SCHEMA};
use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

/// JSON values with unusual comparisons, as text: blanks, big and unusual numbers, escapes, nesting.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        Just("false".to_owned()),
        any::<i64>().prop_map(|number| number.to_string()),
        (-3_i64..4).prop_map(|number| number.to_string()),
        prop::sample::select(vec![
            "0.5",
            "1.0",
            "-0.0",
            "-0",
            "1e3",
            "1E-2",
            "9223372036854775808",
            "-9223372036854775809",
            "1e400",
            "9007199254740993",
            "9007199254740992.0"
        ])
        .prop_map(str::to_owned),
        any::<i32>().prop_map(|number| format!("{}", f64::from(number) / 8.0)),
        prop::sample::select(vec![
            r#""""#,
            r#""a""#,
            r#""A""#,
            r#""7""#,
            r#""true""#,
            r#""\u00e9""#,
            r#""é""#,
            r#""\ud83e\udd99""#,
            r#""\ud800x""#,
            r#""a\"b\\c\/d\n""#,
            r#""it's""#,
            r#""\u0041""#,
            r#""\u0000""#,
        ])
        .prop_map(str::to_owned),
        "[a-c]{0,3}".prop_map(|text| format!("{text:?}")),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(|items| format!("[ {} ]", items.join(" , "))),
            prop::collection::vec((key(), inner), 0..4).prop_map(|entries| object(&entries)),
        ]
    })
}

fn object(entries: &[(String, String)]) -> String {
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {value}")).collect();
    format!("{{{}}}", entries.join(", "))
}

/// Keys as written, including duplicates and escapes.
fn key() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        r#""a""#,
        r#""b""#,
        r#""a.b""#,
        r#""\u0061""#,
        r#""é""#,
        r#""\u00e9""#,
        r#""a b""#,
        r#""a\"b""#,
        r#""0""#,
    ])
    .prop_map(str::to_owned)
}

fn path() -> impl Strategy<Value = String> {
    prop::sample::select(vec![
        "a",
        "b",
        "a.b",
        "a.a",
        "\"a.b\"",
        "a[0]",
        "a[1]",
        "a[#-1]",
        "a[#]",
        "a[0].b",
        "a.b[2]",
        "é",
        "a b",
        "\"a\\\"b\"",
        "0",
        "a[99]",
        "b.a[0]",
        "c",
        "a[#-2].a",
        "\"a\".b",
        "a[18446744073709551616]",
        "a[0",
        "a.",
        "a..b",
        "a[x]",
        "a]",
        "a[-1]",
    ])
    .prop_map(str::to_owned)
}

fn bound() -> impl Strategy<Value = Json> {
    prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        (-3_i64..4).prop_map(Json::from),
        any::<i32>().prop_map(|number| json!(f64::from(number) / 8.0)),
        prop::sample::select(vec![
            json!(9007199254740992.0),
            json!(9007199254740993_i64),
            json!(-0.0),
            json!(1e300),
            json!(9.223372036854776e18)
        ]),
        prop::sample::select(vec!["", "a", "A", "7", "é", "🦙", "it's", "a\"b\\c/d\n", "[1,2]", "[]", "{}", "{\"a\":1}"])
            .prop_map(Json::from),
    ]
}

fn sqlite() -> Connection {
    let connection = Connection::open_in_memory().expect("SQLite");
    connection.execute_batch(SCHEMA).expect("the schema");
    connection
}

/// SQLite's result for one condition on `attributes`, or its error.
fn says(connection: &Connection, attributes: &str, path: &str, op: &str, value: &Json) -> Result<bool, ()> {
    let sql = format!("SELECT coalesce(json_extract(?1, '$.' || ?2) {op} ?3, 0)");
    let value = match value {
        Json::Null => rusqlite::types::Value::Null,
        Json::Bool(flag) => i64::from(*flag).into(),
        Json::String(text) => text.clone().into(),
        Json::Number(number) => number.as_i64().map_or_else(|| number.as_f64().expect("a number").into(), Into::into),
        other => panic!("{other}"),
    };
    connection.query_row(&sql, (attributes, path, value), |row| row.get(0)).map_err(|_| ())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    /// Forty rows per case, one trace each: the traces that match are those SQLite selects, both by scan and by index.
    #[test]
    fn conditions_decide_as_sqlite_does(
        rows in prop::collection::vec(prop::collection::vec((key(), value()), 0..4), 40),
        path in path(),
        value in bound(),
    ) {
        let connection = sqlite();
        let mut sql = String::from("BEGIN;");
        let texts: Vec<String> = rows.iter().map(|entries| object(entries)).collect();
        for (number, text) in texts.iter().enumerate() {
            let text = text.replace('\'', "''");
            sql += &format!("INSERT INTO traces VALUES ('{number}', 's', 'r', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '2026-01-01 00:00:00');
                INSERT INTO spans VALUES ('s{number}', '{number}', NULL, 'n', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '{text}', 'OK', 'INTERNAL');");
        }
        sql += "COMMIT;";
        let mut file = Opened::made(&sql);
        for (name, op) in [("eq", "="), ("ne", "<>"), ("gt", ">"), ("lt", "<")] {
            let said: Vec<Result<bool, ()>> = texts.iter().map(|text| says(&connection, text, &path, op, &value)).collect();
            let params = json!({ "attribute_filters": [{ "key": path, "op": name, "value": value }], "limit": -1 });
            let answer = file.query("query_traces", params.clone());
            if said.iter().any(Result::is_err) {
                prop_assert!(answer.is_err(), "{params}: SQLite fails, and this answers {answer:?}");
                continue;
            }
            let expected: Vec<String> = said.iter().enumerate().filter(|(_, said)| **said == Ok(true)).map(|(number, _)| number.to_string()).collect();
            let found = |answer: &Json| answer["data"].as_array().expect("a list").iter().map(|trace| trace["trace_id"].as_str().expect("an id").to_owned()).collect::<Vec<_>>();
            prop_assert_eq!(found(&answer.clone().expect("an answer")), expected.clone(), "scanned: {} over {:?}", params, texts);
            file.session.complete_index().expect("an index");
            let answer = file.query("query_traces", params.clone()).expect("an answer");
            prop_assert_eq!(found(&answer), expected, "indexed: {} over {:?}", params, texts);
        }
    }
}

/// A malformed index in brackets is an error only at a list.
#[test]
fn a_malformed_bracket_fails_where_sqlite_fails() {
    let connection = sqlite();
    for attributes in [
        r#"{"a": [1, 2]}"#,
        r#"{"a": []}"#,
        r#"{"a": 5}"#,
        r#"{"a": {"b": 1}}"#,
        r#"{"a": "[1]"}"#,
        r#"{"b": 1}"#,
    ] {
        for path in ["a[-1]", "a[x]", "a[", "a[1", "a[#-]", "a]", "a[0]b", "a."] {
            let said = says(&connection, attributes, path, "=", &json!(1));
            let sql = format!("INSERT INTO traces VALUES ('t', 's', 'r', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '2026-01-01 00:00:00');
                INSERT INTO spans VALUES ('s', 't', NULL, 'n', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '{attributes}', 'OK', 'INTERNAL');");
            let mut file = Opened::made(&sql);
            let params = json!({ "attribute_filters": [{ "key": path, "op": "eq", "value": 1 }] });
            let ours = file.query("query_traces", params).map(|answer| answer["data"].as_array().is_some_and(|traces| !traces.is_empty()));
            assert_eq!(ours.map_err(|_| ()), said, "{path} of {attributes}");
        }
    }
}

/// More distinct values of one key than the index keeps: strings, numbers, lists, and values with a common prefix.
#[test]
fn high_cardinality_values_are_decided_as_sqlite_does() {
    let mut texts = Vec::new();
    for number in 0..400 {
        texts.push(match number % 5 {
            0 => format!(r#"{{"k": "value number {number}"}}"#),
            1 => format!(r#"{{"k": "the same beginning of a text, then {number}", "other": {number}}}"#),
            2 => format!(r#"{{"k": {number}}}"#),
            3 => format!(r#"{{"k": [{number}, "é"]}}"#),
            _ => format!(r#"{{"k": "caf\u00e9 {number}\n", "k": "second"}}"#),
        });
    }
    let mut sql = String::from("BEGIN;");
    for (number, text) in texts.iter().enumerate() {
        sql += &format!("INSERT INTO traces VALUES ('{number}', 's', 'r', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '2026-01-01 00:00:00');
            INSERT INTO spans VALUES ('s{number}', '{number}', NULL, 'n', '2026-01-01T00:00:00+00:00', '2026-01-01T00:00:01+00:00', '{text}', 'OK', 'INTERNAL');");
    }
    let mut file = Opened::made(&(sql + "COMMIT;"));
    file.session.complete_index().expect("an index");
    let connection = sqlite();
    let values = [
        json!("value number 395"),
        json!("the same beginning of a text, then 396"),
        json!(397),
        json!("[398,\"é\"]"),
        json!("café 399\n"),
        json!("second"),
        json!("value number 395 and more"),
        json!("nothing"),
        json!(""),
    ];
    for value in values {
        for (name, op) in [("eq", "="), ("ne", "<>"), ("gt", ">"), ("lt", "<")] {
            let expected = texts.iter().filter(|text| says(&connection, text, "k", op, &value) == Ok(true)).count();
            let params = json!({ "attribute_filters": [{ "key": "k", "op": name, "value": value }], "limit": -1 });
            assert_eq!(file.data("query_traces", params).len(), expected, "k {op} {value}");
        }
    }
}

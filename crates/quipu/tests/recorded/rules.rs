//! The rules of decoding, on small values and on generated ones.

use super::support::{as_json, as_python, tree, without_nesting};
use proptest::prelude::*;
use quipu::llm::messages;
use quipu::model::{Encoding, Number, Value};
use quipu::recorded::{RecordedAttribute, decode, json_text};

fn text_of(text: &str) -> Option<Value> {
    let decoded = decode(text);
    (decoded.encoding != Encoding::Text).then_some(decoded.value)
}

#[test]
fn values_that_are_not_documents_stay_text() {
    for text in [
        "",
        " ",
        "hello",
        "7",
        "-1.5",
        "True",
        "null",
        "None",
        "NaN",
        "end_of_turn",
        "\"\"",
        "\"foo\"",
        "'foo'",
        "\"7\"",
        "b'abc'",
        "no violations",
        "(none)",
        "(1)",
        "(see above)",
        "[redacted]",
        "[...]",
        "{index}",
        "{chunk.content}",
        "Vienna(Austria)",
        "f(x)",
        "<b>",
        "<b>tag</b>",
        "<think>",
        "[1, 2",
        "[1] and [2]",
        "{'a': 1} ",
        "{'a' 1}",
        "{'a': 1, 2}",
        "{1: 2, 3}",
        "[1 2]",
        "[,]",
        "Error code: 500 - {'error': {'message': 'upstream exploded'}}",
        "{\"a\": 01}",
        "Foo(a=1, 2)",
        "Foo(a=1",
        "[\"a\" \"b\"]",
    ] {
        let expected = if text == "{'a': 1} " { Encoding::Python } else { Encoding::Text };
        assert_eq!(decode(text).encoding, expected, "{text}");
    }
}

#[test]
fn documents_read_as_trees() {
    let texts = [
        // JSON
        r#"{"a": 9007199254740993, "b": 1e400, "c": -0.0, "a": [NaN, Infinity, -Infinity]}"#,
        r#" [true, false, null, "\ud83e\udd99 \ud83e", "raw	tab"] "#,
        r#""{\"city\": \"Z\\u00fcrich\"}""#,
        r#"{"content": "\"{\\\"city\\\": \\\"Z\\\\u00fcrich\\\"}\""}"#,
        r#"{"repr": "{'k': 'it\\'s', 'l': \"['x']\"}"}"#,
        // Python
        r#"{'a': (1, 'x'), 'b': (1,), 'c': (), 'd': {1, 2}, 'e': set(), 'f': frozenset({1}), (0, 1): None, True: b'\xff\'', 7: inf}"#,
        "[Ellipsis, nan, -inf, 1., .5, 1e-07, 2j, (1+2j), u'x', r'a\\d']",
        "{'status': <HealthStatus.OK: 'OK'>, 'task': <Task name='a>b' coro=<f() -> int>>, 'unset': NOT_GIVEN}",
        "[<object it's>, <b.C object at 0x7f>]",
        "Foo(a=1, b='x', c=[Bar('y'), Bar(1, 2), Bar(), Page[int](n=None)], d=deque([1], maxlen=3))",
        "datetime.datetime(2026, 11, 22, 18, 0, tzinfo=TzInfo(UTC))",
        "<async_generator object f.<locals>.g at 0x7f8815fb7350>",
        "<StopReason.end_of_turn: 'end_of_turn'>",
        "'[1]'",
    ];
    let out: String = texts.map(|text| format!("{text}\n{}\n", tree(&decode(text)))).concat();
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("documents", out);
    });
}

#[test]
fn messages_of_other_dialects_are_read() {
    let read = |text: &str| format!("{text}\n{:#?}\n", messages(&decode(text).value));
    let texts = [
        // Reprs of pydantic objects, an enum as stop reason, an image in the content.
        "[SystemMessage(role='system', content='Be brief.'), UserMessage(role='user', content=[TextContentItem(type='text', text='What is it?'), ImageContentItem(type='image', image=URL(uri='data:'))], context='It is a llama.')]",
        "CompletionMessage(role='assistant', content='', stop_reason=<StopReason.end_of_turn: 'end_of_turn'>, tool_calls=[ToolCall(call_id='c1', tool_name=<BuiltinTool.brave_search: 'brave_search'>, arguments={'query': 'llamas', 'n': 2})])",
        // Tool calls in OpenAI's format, and their results.
        r#"{"choices": [{"finish_reason": "tool_calls", "message": {"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": "{\"city\": \"Oslo\"}"}}]}}]}"#,
        r#"{"messages": [{"role": "tool", "tool_call_id": "c1", "content": "{\"temp\": 3}"}]}"#,
    ];
    insta::with_settings!({ omit_expression => true, prepend_module_to_snapshot => false }, {
        insta::assert_snapshot!("dialects", texts.map(read).concat());
    });
}

#[test]
fn values_without_a_chat_give_no_messages() {
    for text in [
        "hello",
        "[]",
        "{}",
        "[1, 2]",
        "{'role': 'admin'}",
        "{'content': 'Once upon a time', 'model_id': 'm'}",
        "{'messages': ''}",
        "{'messages': '[]'}",
        "[{'role': 'user', 'content': 'x'}, 7]",
        "{'violation': None}",
        "{'choices': [{'index': 0}]}",
        "{'content': [{'type': 'text', 'text': 'x'}], 'error_message': None}",
        "{'completion_message': None}",
    ] {
        assert_eq!(messages(&decode(text).value), [], "{text}");
    }
}

#[test]
fn a_recorded_number_is_a_number_and_a_recorded_string_a_text() {
    let decoded = |text: &str, is_string| RecordedAttribute { key: "k".into(), text: text.into(), is_string }.decoded();
    assert_eq!(decoded("7", true).encoding, Encoding::Text);
    assert_eq!(decoded("9007199254740993", false).value, Value::Number(Number("9007199254740993".into())));
    assert_eq!(decoded("true", false).value, Value::Bool(true));
    assert_eq!(decoded("null", false).value, Value::Null);
    assert!(matches!(&decoded(r#"["{\"role\": 1}"]"#, false).value, Value::List(items) if matches!(items[0], Value::Nested { .. })));
}

#[test]
fn the_last_of_doubled_keys_counts_and_both_are_kept() {
    let value = decode(r#"{"a": 1, "b": 2, "a": 3}"#).value;
    assert!(matches!(&value, Value::Map(entries) if entries.len() == 3));
    assert_eq!(value.get("a").and_then(Value::as_i64), Some(3));
    assert_eq!(json_text(&value), r#"{"a": 1, "b": 2, "a": 3}"#);
}

fn plain_values() -> impl Strategy<Value = Value> {
    let number = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_filter("JSON has no other", |number| number.is_finite()).prop_map(|number| format!("{number:e}")),
    ];
    let text = prop_oneof![".*", "[\\[\\]{}(),:'\"\\\\a1 \n]{0,12}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        number.prop_map(|digits| Value::Number(Number(digits))),
        text.prop_map(Value::Text),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::List),
            prop::collection::vec((".*", inner), 0..6).prop_map(Value::Map),
        ]
    })
}

fn python_values() -> impl Strategy<Value = Value> {
    let tagged = |tag: &str, value| Value::Tagged { tag: tag.to_owned(), value: Box::new(value) };
    let leaf = prop_oneof![
        plain_values(),
        "<[A-Z][a-z]{0,3}\\.[A-Z]{1,3}: '[a-z> ]{0,4}'>".prop_map(Value::Opaque),
        Just(Value::Number(Number("nan".into()))),
    ];
    leaf.prop_recursive(4, 40, 5, move |inner| {
        let items = prop::collection::vec(inner.clone(), 0..5);
        prop_oneof![
            items.clone().prop_map(Value::List),
            items.clone().prop_map(move |items| tagged("tuple", Value::List(items))),
            items.prop_map(move |items| tagged("set", Value::List(items))),
            prop::collection::vec((".*", inner.clone()), 0..4).prop_map(Value::Map),
            ("[A-Z][a-zA-Z]{3,8}", prop::collection::vec(("[a-z_]{1,6}", inner), 0..4))
                .prop_map(move |(name, fields)| tagged(&name, Value::Map(fields))),
        ]
    })
}

proptest! {
    #[test]
    fn json_written_by_python_reads_back_equal(items in prop::collection::vec(plain_values(), 0..5)) {
        let value = Value::List(items);
        let mut text = String::new();
        as_json(&value, &mut text);
        let decoded = decode(&text);
        prop_assert_eq!(decoded.encoding, Encoding::Json);
        prop_assert_eq!(without_nesting(decoded.value), value);
    }

    #[test]
    fn a_repr_reads_back_equal(items in prop::collection::vec(python_values(), 0..5)) {
        let value = Value::Map(items.into_iter().map(|item| ("it's".to_owned(), item)).collect());
        let mut text = String::new();
        as_python(&value, &mut text);
        let read = text_of(&text);
        prop_assert_eq!(read.map(without_nesting), Some(value));
    }

    #[test]
    fn a_repr_inside_json_inside_a_repr_is_unfolded(value in plain_values()) {
        let document = Value::List(vec![value]);
        let (mut inner, mut middle, mut outer) = (String::new(), String::new(), String::new());
        as_python(&document, &mut inner);
        as_json(&Value::List(vec![Value::Text(inner.clone())]), &mut middle);
        as_python(&Value::List(vec![Value::Text(middle.clone())]), &mut outer);
        let decoded = decode(&outer).value;
        let middle_value = &decoded.items().unwrap()[0];
        prop_assert_eq!(middle_value.as_str(), Some(middle.as_str()));
        let inner_value = &middle_value.items().unwrap()[0];
        prop_assert_eq!(inner_value.as_str(), Some(inner.as_str()));
        prop_assert_eq!(without_nesting(inner_value.unwrapped().clone()), document);
    }
}

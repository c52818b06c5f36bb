//! Hostile values are decoded in reasonable time, without a panic, and without losing text.

use super::support::{assert_faithful, recorded_files};
use proptest::prelude::*;
use quipu::llm::messages;
use quipu::model::{Encoding, Value};
use quipu::recorded::{MAX_DEPTH, attributes, decode, entries};
use std::time::{Duration, Instant};

/// Generous, for slow machines and debug builds; quadratic work on these values takes minutes to hours.
const SOON: Duration = Duration::from_secs(20);

fn decode_soon(name: &str, text: &str) -> quipu::recorded::Decoded {
    let start = Instant::now();
    let decoded = decode(text);
    let _chat = messages(&decoded.value);
    let _entries = entries(text.as_bytes()).count();
    assert!(start.elapsed() < SOON, "{name} took {:?}", start.elapsed());
    decoded
}

#[test]
fn deep_nesting_is_kept_as_text() {
    for (open, close) in [
        ("[", "]"),
        ("{\"a\":", "}"),
        ("{", "}"),
        ("(", ",)"),
        ("Foo(", ")"),
        ("Foo(a=", ")"),
        ("<a ", ">"),
        ("{'a': <b ", ">}"),
    ] {
        let name = open.repeat(100_000);
        assert_eq!(decode_soon(open, &name).encoding, Encoding::Text, "{open} alone");
        let closed = format!("{name}1{}", close.repeat(100_000));
        let decoded = decode_soon(open, &closed);
        assert_faithful(&closed, &decoded);
        assert!(depth(&decoded.value) <= 2 * MAX_DEPTH + 2, "{open}");
    }
    let closed = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(decode_soon("lists", &closed).encoding, Encoding::Json);
    assert_eq!(depth(&decode(&closed).value), MAX_DEPTH + 1);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::List(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Map(entries) => 1 + entries.iter().map(|(_, item)| depth(item)).max().unwrap_or(0),
        Value::Tagged { value, .. } | Value::Nested { value, .. } => 1 + depth(value),
        _ => 1,
    }
}

#[test]
fn long_texts_are_read_in_linear_time() {
    let long = "x".repeat(10_000_000);
    assert_eq!(decode_soon("a long string", &format!("[\"{long}\"]")).encoding, Encoding::Json);
    assert_eq!(decode_soon("an open string", &format!("[\"{long}")).encoding, Encoding::Text);
    assert_eq!(decode_soon("an open string that ends well", &format!("['{long}]")).encoding, Encoding::Text);
    assert_eq!(decode_soon("a long name", &format!("{long}(1")).encoding, Encoding::Text);
    for piece in [
        "\\\"",
        "'\"",
        "<a'",
        "<'>,",
        "<a \"b'>, ",
        "<a \\'>,",
        "{'",
        "('",
        "Foo[",
        "Foo[a](",
        "a=",
        "(1+",
        "\\u",
        "\\ud83d",
        "[],",
        "'a',",
        "{1:",
        "-",
    ] {
        let many = piece.repeat(2_000_000 / piece.len());
        for text in [
            format!("[{many}]"),
            format!("{{{many}}}"),
            format!("Foo({many})"),
            format!("[\"{many}\"]"),
            format!("['{many}']"),
            many,
        ] {
            assert_faithful(&text, &decode_soon(piece, &text));
        }
    }
}

#[test]
fn texts_inside_texts_are_unfolded_to_a_limit_and_kept_whole() {
    // Each level doubles the backslashes, which limits the depth; a list of plain quotes needs none for two levels.
    let mut text = "[1]".to_owned();
    for _ in 0..12 {
        let mut quoted = String::new();
        super::support::json_string(&text, &mut quoted);
        text = format!("[{quoted}]");
    }
    let decoded = decode_soon("quotes in quotes", &text);
    assert_faithful(&text, &decoded);
    let (mut value, mut levels) = (&decoded.value, 0);
    while let Some(Value::Nested { value: inner, .. }) = value.items().and_then(|items| items.first()) {
        value = inner;
        levels += 1;
    }
    assert_eq!(levels, quipu::recorded::MAX_NESTED);
}

#[test]
fn texts_inside_texts_cost_at_most_four_times_the_whole() {
    // Nested quotes around a long string: every level is nearly as long as the whole.
    let mut text = format!("[\"{}\"]", "x".repeat(100_000));
    for _ in 0..7 {
        let mut quoted = String::new();
        super::support::json_string(&text, &mut quoted);
        text = quoted;
    }
    let decoded = decode_soon("quotes around quotes", &text);
    assert_faithful(&text, &decoded);
    assert_eq!(decoded.encoding, Encoding::Text, "a text in quotes counts only if its list or map is reached");
    let listed = format!("[{text}]");
    let decoded = decode(&format!("[{}]", vec![listed; 3].join(", ")));
    assert_eq!(decoded.encoding, Encoding::Json);
    assert!(nested_bytes(&decoded.value) <= 4 * 3 * text.len() + 5_000, "{}", nested_bytes(&decoded.value));
}

fn nested_bytes(value: &Value) -> usize {
    match value {
        Value::List(items) => items.iter().map(nested_bytes).sum(),
        Value::Map(entries) => entries.iter().map(|(_, item)| nested_bytes(item)).sum(),
        Value::Tagged { value, .. } => nested_bytes(value),
        Value::Nested { raw, value, .. } => raw.len() + nested_bytes(value),
        _ => 0,
    }
}

#[test]
fn damaged_real_values_do_no_harm() {
    let mut random = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random % below.max(1) as u64).unwrap()
    };
    let spice: &[u8] = b"\"'\\{}[]()<>,:=\0\xff\xc3u\n ";
    let (mut decoded_still, mut text_now) = (0_u32, 0_u32);
    for (_, original) in recorded_files("").into_iter().chain(recorded_files("attributes")) {
        for _ in 0..200 {
            let mut bytes = original.clone().into_bytes();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(4) {
                    0 if at < bytes.len() => bytes[at] ^= 1 << next(8),
                    1 if at < bytes.len() => drop(bytes.remove(at)),
                    2 => bytes.truncate(at),
                    _ => bytes.insert(at, spice[next(spice.len())]),
                }
            }
            let _entries = attributes(&bytes);
            let text = String::from_utf8_lossy(&bytes);
            let decoded = decode(&text);
            assert_faithful(&text, &decoded);
            let _chat = messages(&decoded.value);
            *if decoded.encoding == Encoding::Text { &mut text_now } else { &mut decoded_still } += 1;
        }
    }
    assert!(decoded_still > 500 && text_now > 500, "the damage should spare some and break some: {decoded_still}, {text_now}");
}

proptest! {
    #[test]
    fn any_text_is_decoded_or_kept(text in prop_oneof![".*", "[\\[\\]{}(),:=<>'\"\\\\ A-Fa-fu0-9.\\-\n]{0,60}"]) {
        let decoded = decode(&text);
        assert_faithful(&text, &decoded);
        let _chat = messages(&decoded.value);
    }

    #[test]
    fn any_bytes_are_scanned(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        for entry in entries(&bytes).flatten() {
            let _text = entry.1.as_str();
        }
    }
}

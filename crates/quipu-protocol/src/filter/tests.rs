//! Properties of the language that do not depend on a file: a table of examples, round trips, no panics.

use super::Filter;
use proptest::prelude::*;
use std::fmt::Write;

/// The printed form, or the error with carets under its position.
fn shown(text: &str) -> String {
    match Filter::parse(text) {
        Ok(filter) => format!("{text}\n    → {filter}"),
        Err(error) => format!("{}\n    {}", error.drawing(text), error.message),
    }
}

#[test]
fn writings_are_understood_or_refused_at_their_place() {
    let writings = include_str!("tests/writings.txt");
    let mut table = String::new();
    for text in writings.lines() {
        let _ = writeln!(table, "{}\n", shown(text));
    }
    insta::assert_snapshot!(table.trim_end());
}

#[test]
fn too_much_of_anything_is_refused_and_does_not_overflow() {
    let message = |text: String| Filter::parse(&text).map_err(|error| error.message);
    assert!(message("(".repeat(32) + "a" + &")".repeat(32)).is_ok());
    let deep = message("(".repeat(16_000)).unwrap_err();
    assert_eq!(deep, "Parentheses and braces are nested more than 32 levels deep.");
    assert_eq!(message("a ".repeat(201)).unwrap_err(), "A filter can have at most 200 conditions.");
    assert_eq!(message("x".repeat(20_000)).unwrap_err(), "The filter is longer than 16384 bytes.");
    assert_eq!(Filter::parse(&("-".repeat(16_001) + "a")).map(|filter| filter.to_string()), Ok("-a".into()));
}

#[test]
fn terms_stand_where_they_were_typed_and_can_be_taken_out() {
    let text = r#"  error:true   (a OR b) -"x y"  duration > 2 "#;
    let terms = Filter::terms(text).expect("a filter");
    let shown: Vec<(&str, &str)> = terms.iter().map(|term| (term.text.as_str(), &text[term.start..term.end])).collect();
    let expected = [
        ("error:true", "error:true"),
        ("a OR b", "(a OR b)"),
        ("-\"x y\"", "-\"x y\""),
        ("duration>2s", "duration > 2"),
    ];
    assert_eq!(shown, expected);
    assert_eq!(Filter::without_term(text, 1), r#"error:true -"x y" duration > 2"#);
    assert_eq!(Filter::without_term(text, 4), text);
    assert_eq!(Filter::without_term("a OR b", 0), "");
    assert_eq!(Filter::without_term("(", 0), "(");
}

#[test]
fn texts_are_told_once() {
    let filter = Filter::parse(r#""one" -"two" ("one" OR {"three" error:true}) root."four" name:"five""#).expect("a filter");
    assert_eq!(filter.texts(), ["one", "two", "three", "four"]);
}

#[test]
fn a_key_or_word_that_starts_with_a_brace_is_no_group() {
    for text in ["attr.{id}:00", "attr.{id}>1", "*{id}*", "{attr.{id}:1}"] {
        let filter = Filter::parse(text).expect("a filter");
        assert_eq!(Filter::parse(&filter.to_string()), Ok(filter.clone()), "{text} printed as {filter}");
    }
}

/// Strings that are usually valid filters.
fn filters() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        " ",
        " ",
        " ",
        "(",
        ")",
        "{",
        "}",
        "OR",
        "AND",
        "NOT",
        "-",
        "\"",
        "\\",
        "*",
        ":",
        "=",
        "!=",
        ">",
        ">=",
        "<",
        "..",
        "a",
        "É",
        "duration",
        "error",
        "true",
        "name",
        "kind",
        "tool",
        "model",
        "start",
        "tokens",
        "spans",
        "trace",
        "root.",
        "attr.",
        "2s",
        "1m",
        "5",
        "1.5",
        "2026-03-01",
        "T10:00",
        "\"x y\"",
        "{id}",
        "key",
        "a.b",
        "!",
        "'",
        "\n",
    ]);
    prop::collection::vec(pieces, 0..14).prop_map(|pieces| pieces.concat())
}

fn check(text: &str) -> Result<(), TestCaseError> {
    match Filter::parse(text) {
        Ok(filter) => {
            let printed = filter.to_string();
            let again = Filter::parse(&printed);
            prop_assert_eq!(again.as_ref(), Ok(&filter), "{} printed as {}", text, printed);
            prop_assert_eq!(again.map(|filter| filter.to_string()), Ok(printed));
            for term in Filter::terms(text).unwrap_or_default() {
                prop_assert!(Filter::parse(&text[term.start..term.end]).is_ok(), "{} of {}", &text[term.start..term.end], text);
            }
        }
        Err(error) => {
            prop_assert!(error.start <= error.end && error.end <= text.len(), "{:?} in {}", error, text);
            prop_assert!(text.get(error.start..error.end).is_some(), "{:?} in {}", error, text);
            prop_assert!(error.message.ends_with('.'), "{}", error.message);
            prop_assert_eq!(error.drawing(text).lines().count(), 2);
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn what_is_understood_prints_as_itself(text in filters()) {
        check(&text)?;
    }

    #[test]
    fn any_text_is_understood_or_refused(text in any::<String>()) {
        check(&text)?;
    }

    #[test]
    fn any_ascii_text_is_understood_or_refused(text in "[ -~]{0,40}") {
        check(&text)?;
    }
}

//! Invalid and absurd queries: each gets an answer or an error, and the position of the error lies within the query.

use proptest::prelude::*;
use quipu::promql::{EvalOptions, Labels, PromqlTime, Samples, Series, SeriesSet, evaluate, lex};

fn series() -> SeriesSet {
    let one = |name: &str, value: f64| Series {
        labels: Labels::new([("__name__", name), ("a", "1")]),
        samples: Samples::Listed((0..50).map(|at| (at * 15_000, value * at as f64)).collect()),
    };
    SeriesSet::new(vec![one("m", 1.0), one("n", f64::NAN), one("o", -2.5)])
}

fn check(query: &str) {
    let series = series();
    for time in [PromqlTime::At(600_000), PromqlTime::Steps { start: 0, end: 600_000, step: 60_000 }] {
        if let Err(error) = evaluate(query, time, &series, &EvalOptions::default(), &quipu::model::budget::Budget::default()) {
            assert!(error.start <= error.end && error.end <= query.len(), "{query}: {error:?}");
            assert!(query.is_char_boundary(error.start) && query.is_char_boundary(error.end), "{query}: {error:?}");
            assert_eq!(error.drawing(query).lines().count(), 2, "{query}");
        }
    }
    assert!(lex(query).iter().all(|token| query.get(token.location.start..token.location.end).is_some()));
}

/// Fragments of queries, valid and invalid.
const PIECES: [&str; 64] = [
    "m",
    "n",
    "o",
    "sum",
    "by",
    "(",
    ")",
    "(",
    ")",
    "a",
    ",",
    "{",
    "}",
    "=",
    "=~",
    "!~",
    "\"1\"",
    "\"(\"",
    "'x'",
    "`y`",
    "[5m]",
    "[5m:1m]",
    "[1h:]",
    "[",
    "]",
    "offset",
    "5m",
    "-",
    "+",
    "*",
    "/",
    "^",
    "%",
    "==",
    "bool",
    ">",
    "and",
    "or",
    "unless",
    "on",
    "ignoring",
    "group_left",
    "rate",
    "topk",
    "2",
    "0.5",
    "1e400",
    "NaN",
    "Inf",
    "@",
    "start()",
    "end()",
    "histogram_quantile",
    "label_replace",
    "count_values",
    "time()",
    "é",
    "\\",
    "\"",
    "# c\n",
    "[1e300]",
    "[-5m]",
    "[0s]",
    "0x1F",
];

proptest! {
    #[test]
    fn random_fragments_get_an_answer_or_an_error(places in prop::collection::vec((0..PIECES.len(), any::<bool>()), 0..14)) {
        let query: String = places.iter().map(|(place, blank)| format!("{}{}", PIECES[*place], if *blank { " " } else { "" })).collect();
        check(&query);
    }

    #[test]
    fn any_text_gets_an_answer_or_an_error(query in "\\PC{0,40}") {
        check(&query);
    }
}

#[test]
fn queries_that_are_deep_long_or_far_are_refused() {
    for query in [
        format!("{}m{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("{}m{}", "abs(".repeat(2_000), ")".repeat(2_000)),
        "-".repeat(9_000) + "m",
        "m".to_owned() + &"+m".repeat(4_000),
        "m[1e300]".to_owned(),
        "m[NaN]".to_owned(),
        "m[Inf]".to_owned(),
        "m[1e20:1e20]".to_owned(),
        "m[99999999999y]".to_owned(),
        "m offset 1e300".to_owned(),
        "m offset -1e300".to_owned(),
        "m offset NaN".to_owned(),
        "m @ 1e300".to_owned(),
        "m @ -1e300".to_owned(),
        "max_over_time(m[100y:1ms])".to_owned(),
        "max_over_time(max_over_time(max_over_time(m[1y:1s])[1y:1s])[1y:1s])".to_owned(),
        "{__name__=~\"(((a{50}){50}){50}){50}\"}".to_owned(),
        "m".repeat(20_000),
    ] {
        check(&query);
    }
}

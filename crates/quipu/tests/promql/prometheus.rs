//! Compares answers with those of a real Prometheus over the same series. `cargo xtask slow promql` records them again.

use quipu::promql::{EvalOptions, Labels, PromqlAnswer, PromqlTime, SeriesSet, evaluate, read_openmetrics};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/promql").join(name);
    std::fs::read_to_string(path).expect("the fixture is there")
}

fn time(text: &str) -> PromqlTime {
    let numbers: Vec<i64> = text.split(' ').skip(1).map(|number| number.parse::<i64>().expect("a number") * 1_000).collect();
    match numbers.as_slice() {
        [at] => PromqlTime::At(*at),
        [start, end, step] => PromqlTime::Steps { start: *start, end: *end, step: *step },
        _ => panic!("{text} is no time"),
    }
}

fn labels(json: &Value) -> Labels {
    let object = json.as_object().expect("labels");
    Labels::new(object.iter().map(|(name, value)| (name.as_str(), value.as_str().expect("a text"))))
}

fn number(json: &Value) -> f64 {
    json.as_str().and_then(|text| text.parse().ok()).expect("a number")
}

/// Whether two numbers are equal up to rounding.
fn same(found: f64, wanted: f64) -> Result<(), String> {
    let near = (found - wanted).abs() <= 1e-6 * found.abs().min(wanted.abs());
    if found == wanted || found.is_nan() && wanted.is_nan() || near { Ok(()) } else { Err(format!("{found}, not {wanted}")) }
}

/// Values of each series by step.
type Rows = Vec<(Labels, Vec<(i64, f64)>)>;

fn theirs(time: PromqlTime, answer: &Value) -> Rows {
    let millis = |json: &Value| (json.as_f64().expect("a time") * 1_000.0).round() as i64;
    let pair = |pair: &Value| (millis(&pair[0]), number(&pair[1]));
    let result = &answer["result"];
    if answer["type"] == "scalar" {
        return vec![(Labels::default(), vec![pair(result)])];
    }
    let row = |series: &Value| {
        let points = match (time, &series["steps"], &series["value"], &series["values"]) {
            (PromqlTime::Steps { start, step, .. }, Value::Array(steps), ..) => {
                let point = |(place, value): (usize, &Value)| (!value.is_null()).then(|| (start + step * place as i64, number(value)));
                steps.iter().enumerate().filter_map(point).collect()
            }
            (_, _, value @ Value::Array(_), _) => vec![pair(value)],
            (_, _, _, Value::Array(values)) => values.iter().map(pair).collect(),
            _ => panic!("no values: {series}"),
        };
        (labels(&series["metric"]), points)
    };
    result.as_array().expect("series").iter().map(row).collect()
}

fn ours(answer: &PromqlAnswer) -> Rows {
    if let PromqlAnswer::Scalar(point) = answer {
        return vec![(Labels::default(), vec![(point.at_millis, point.value)])];
    }
    let row = |series: &quipu::promql::PromqlSeries| {
        let labels = Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        (labels, series.points.iter().map(|point| (point.at_millis, point.value)).collect())
    };
    answer.series().iter().map(row).collect()
}

fn compare(series: &SeriesSet, when: &str, query: &str, expected: &Value) -> Result<(), String> {
    let time = time(when);
    let answer =
        match (evaluate(query, time, series, &EvalOptions::default(), &quipu::model::budget::Budget::default()), &expected["error"]) {
            (Err(_), Value::String(_)) => return Ok(()),
            (Err(error), _) => return Err(format!("{error}\n{}", error.drawing(query))),
            (Ok(answer), Value::Null) => answer,
            (Ok(_), error) => return Err(format!("answers, where Prometheus says: {error}")),
        };
    if let PromqlAnswer::Text(_, text) = &answer {
        return if expected["result"][1] == text.as_str() { Ok(()) } else { Err(format!("answers {text}")) };
    }
    let (mut found, mut wanted) = (ours(&answer), theirs(time, expected));
    // The order of series in an instant query is defined only for these functions.
    if !["sort", "topk", "bottomk"].iter().any(|word| query.starts_with(word)) {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
    } else if query.contains(" by ") || query.contains("without") {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
    }
    let names = |rows: &Rows| rows.iter().map(|(labels, _)| labels.to_string()).collect::<Vec<_>>().join(" ");
    if names(&found) != names(&wanted) {
        return Err(format!("answers {}, not {}", names(&found), names(&wanted)));
    }
    for ((labels, found), (_, wanted)) in found.iter().zip(&wanted) {
        let times = |points: &[(i64, f64)]| points.iter().map(|(at, _)| *at).collect::<Vec<_>>();
        if times(found) != times(wanted) {
            return Err(format!("{labels} has values at {:?}, not {:?}", times(found), times(wanted)));
        }
        for ((at, found), (_, wanted)) in found.iter().zip(wanted) {
            same(*found, *wanted).map_err(|problem| format!("{labels} at {at}: {problem}"))?;
        }
    }
    Ok(())
}

#[test]
fn queries_answer_as_a_real_prometheus_does() {
    let series = read_openmetrics(&fixture("series.txt")).expect("series");
    let (queries, answers) = (fixture("queries.txt"), fixture("answers.jsonl"));
    assert_eq!(queries.lines().count(), answers.lines().count(), "every query has an answer");
    let mut failures = Vec::new();
    for (line, answer) in queries.lines().zip(answers.lines()) {
        let (when, query) = line.split_once(" | ").expect("a time and a query");
        let answer: Value = serde_json::from_str(answer).expect("JSON");
        if let Err(problem) = compare(&series, when, query, &answer) {
            failures.push(format!("{when} {query}\n    {problem}"));
        }
    }
    assert!(failures.is_empty(), "{} of {} differ:\n{}", failures.len(), queries.lines().count(), failures.join("\n"));
}

/// A query without its literals, for finding duplicates.
fn shape(query: &str) -> String {
    let pieces = quipu::promql::lex(query);
    let literal = |token: &&quipu::promql::Token| {
        use quipu::promql::TokenKind::{Duration, Number, Text};
        matches!(token.kind, Number | Duration | Text)
    };
    pieces.iter().map(|token| if literal(&token) { "…" } else { token.text(query) }).collect()
}

#[test]
fn the_queries_cover_the_language() {
    let (queries, answers) = (fixture("queries.txt"), fixture("answers.jsonl"));
    let queries: Vec<&str> = queries.lines().filter_map(|line| Some(line.split_once(" | ")?.1)).collect();
    let shapes: BTreeSet<String> = queries.iter().map(|query| shape(query)).collect();
    assert!(shapes.len() >= 400, "{} shapes of {} queries", shapes.len(), queries.len());
    let empty = answers.lines().filter(|answer| answer.contains("\"result\":[]")).count();
    assert!(empty * 10 <= queries.len(), "{empty} have no result");
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut matching, mut shifted) = (0, 0);
    for query in &queries {
        let tokens = quipu::promql::lex(query);
        let here: BTreeSet<&str> = tokens.iter().map(|token| token.text(query)).collect();
        here.iter().for_each(|word| *words.entry(word).or_default() += 1);
        let has = |list: &[&str]| list.iter().any(|word| here.contains(word));
        matching += usize::from(has(&["on", "ignoring", "and", "or", "unless"]));
        shifted += usize::from(has(&["@", "offset", ":"]));
    }
    assert!(matching >= 40 && shifted >= 30, "{matching} match vectors, {shifted} are subqueries or shifted");
    // Features that Debian's Prometheus 2.42 lacks, and histograms, which its text format has not, are tested by the scripts of quipu-promql.
    let newer = [
        "double_exponential_smoothing",
        "mad_over_time",
        "first_over_time",
        "histogram_avg",
        "histogram_count",
        "histogram_fraction",
        "histogram_quantiles",
        "histogram_stddev",
        "histogram_stdvar",
        "histogram_sum",
        "sort_by_label",
        "sort_by_label_desc",
        "start",
        "end",
        "step",
        "range",
        "min_of",
        "max_of",
        "limitk",
        "limit_ratio",
    ];
    let functions = quipu::promql::functions().map(|function| function.name);
    let rare: Vec<&str> = functions
        .chain(quipu::promql::AGGREGATIONS)
        .filter(|name| !newer.contains(name) && !name.starts_with("ts_of_") && words.get(name).copied().unwrap_or(0) < 4)
        .collect();
    assert!(rare.is_empty(), "fewer than four queries each: {rare:?}");
}

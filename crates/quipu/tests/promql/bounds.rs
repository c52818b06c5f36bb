//! Queries that would take all memory or time: each ends at a limit, which the message names.

use quipu::metrics::{Metrics, MetricsInput};
use quipu::model::budget::{Allowance, Budget};
use quipu::promql::{EvalOptions, Labels, PromqlAnswer, PromqlTime, Samples, Series, SeriesSet, evaluate};
use std::fmt::Write;

/// 200 series with samples every 15 seconds for an hour, and a label of 30,000 bytes.
fn series() -> SeriesSet {
    let long = "y".repeat(30_000);
    let one = |number: usize| Series {
        labels: Labels::new([("__name__", "m"), ("n", number.to_string().as_str()), ("long", long.as_str())]),
        samples: Samples::Listed((0..240).map(|at| (at * 15_000, at as f64)).collect()),
    };
    SeriesSet::new((0..200).map(one).collect())
}

fn ask(query: &str, time: PromqlTime, budget: &Budget) -> Result<PromqlAnswer, String> {
    evaluate(query, time, &series(), &EvalOptions::default(), budget).map_err(|error| {
        assert!(error.end <= query.len(), "{error:?}");
        error.message
    })
}

const NOW: PromqlTime = PromqlTime::At(3_600_000);

#[test]
fn a_label_that_grows_with_each_level_ends_at_a_length() {
    let mut query = r#"label_replace(vector(1),"x","aaaaaaaa","","")"#.to_owned();
    for _ in 0..9 {
        query = format!(r#"label_join({query},"x","","x","x","x","x","x","x","x","x","x")"#);
    }
    let told = ask(&query, NOW, &Budget::default()).expect_err("a limit");
    insta::assert_snapshot!(told, @r#"The label "x" would be longer than 64.0 KB."#);
    let mut query = r#"label_replace(vector(1),"x","aaaaaaaa","","")"#.to_owned();
    for _ in 0..9 {
        query = format!(r#"label_replace({query},"x","$0$0$0$0$0$0$0$0$0","x",".*")"#);
    }
    assert_eq!(ask(&query, NOW, &Budget::default()).expect_err("a limit"), told);
    // Where the label is long enough only for all series together.
    let joined = r#"label_join(m, "a", "", "long", "long")"#;
    assert_eq!(ask(joined, NOW, &Budget::default()).expect("an answer").series().len(), 200);
    let small = Budget::new(|| 0, Allowance { bytes: 10_000_000, ..Allowance::DEFAULT });
    insta::assert_snapshot!(ask(joined, NOW, &small).expect_err("a limit"), @"The answer would take more than 10.0 MB of memory. Ask for less.");
}

#[test]
fn results_that_wait_for_others_count_until_they_are_used() {
    let steps = PromqlTime::Steps { start: 0, end: 3_600_000, step: 1_000 };
    let one = r#"sum by (n) (m)"#;
    // 200 series at 3,601 steps take 11 MB. Brackets make all of them wait.
    let waiting = (0..12).fold(one.to_owned(), |inner, _| format!("{one} + on(n) ({inner})"));
    let after_another = (0..12).fold(one.to_owned(), |before, _| format!("{before} + on(n) {one}"));
    let budget = || Budget::new(|| 0, Allowance { bytes: 100_000_000, ..Allowance::DEFAULT });
    let told = ask(&waiting, steps, &budget()).expect_err("a limit");
    assert!(told.starts_with("The answer would take more than 100 MB of memory"), "{told}");
    assert_eq!(ask(&after_another, steps, &budget()).expect("an answer").series().len(), 200);
}

#[test]
fn steps_times_series_are_bounded_also_through_subqueries() {
    let steps = PromqlTime::Steps { start: 0, end: 10_999_000, step: 1_000 };
    for query in [
        // Few inner steps, but many outer ones.
        r#"max_over_time((m or label_replace(m, "o", "1", "", "") or label_replace(m, "o", "2", "", ""))[1h:1h])"#,
        "max_over_time(m[1h:1ms])",
        "sum_over_time(max_over_time(m[1h:1s])[1h:1s])",
        "max_over_time(vector(1)[1y:1ms])",
    ] {
        let told = ask(query, steps, &Budget::default()).expect_err(query);
        assert!(told.contains("too many values") || told.contains("too many samples"), "{query}: {told}");
    }
}

#[test]
fn a_query_ends_at_its_deadline_and_when_it_is_stopped() {
    use std::sync::atomic::{AtomicU64, Ordering};
    static TIME: AtomicU64 = AtomicU64::new(0);
    // Each look takes a millisecond.
    let slow = Budget::new(|| TIME.fetch_add(1, Ordering::Relaxed), Allowance { millis: 20, ..Allowance::DEFAULT });
    let query = "sum(rate(m[1m]))";
    let steps = PromqlTime::Steps { start: 0, end: 3_600_000, step: 1_000 };
    assert!(ask(query, steps, &Budget::default()).is_ok());
    insta::assert_snapshot!(ask(query, steps, &slow).expect_err("a limit"), @"This took longer than 20 ms and was stopped. Ask for less.");
    let stopped = Budget::default();
    stopped.stop();
    insta::assert_snapshot!(ask(query, steps, &stopped).expect_err("a limit"), @"The question was stopped.");
}

#[test]
fn long_patterns_on_long_labels_count_as_work() {
    let pattern = "(y|yy){0,40}".repeat(20);
    let selector = format!("count(m{{long=~\"{pattern}\"}})");
    let few = Budget::new(|| 0, Allowance { rows: 3_000_000, ..Allowance::DEFAULT });
    let told = ask(&selector, NOW, &few).expect_err("a limit");
    assert!(told.contains("too many samples") || told.contains("regular expression") || told.contains("rows"), "{told}");
}

#[test]
fn very_many_selectors_are_refused_and_a_few_share_one_budget() {
    let metrics = Metrics::new(MetricsInput::default());
    let query = |count: usize| quipu::SeriesQuery { selectors: vec!["m".into(); count], ..Default::default() };
    assert!(metrics.list_series(&query(100), &Budget::default()).is_ok());
    let told = metrics.list_series(&query(20_000), &Budget::default()).expect_err("a limit");
    insta::assert_snapshot!(told.message, @"There are 20,000 selectors; at most 100 are supported in one request.");
}

#[test]
fn an_answer_is_written_without_a_tree_of_it() {
    let answer = ask("m{n=~\"1|2\"}[1m]", NOW, &Budget::default()).expect("an answer");
    let json: serde_json::Value = serde_json::from_str(&answer.to_json()).expect("JSON");
    assert_eq!(json["data"]["resultType"], "matrix");
    assert_eq!(json["data"]["result"][1]["values"][2], serde_json::json!([3585, "239"]));
    let mut expected = String::new();
    write!(expected, "{}", json["data"]["result"][0]["metric"]["n"]).expect("text");
    assert_eq!(expected, "\"1\"");
}

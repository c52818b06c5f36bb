//! Metrics against plain SQL over the events, and derived metrics against the recorded outputs, found by text search.

use super::expected::{MetricEvent, metric_events};
use super::support::{NOW, Opened};
use regex_lite::Regex;
use rusqlite::Connection;
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};

fn labels(series: &Json) -> BTreeMap<String, String> {
    let list = series["labels"].as_array().expect("labels");
    list.iter().map(|label| (label["name"].as_str().expect("a name").into(), label["value"].as_str().expect("a value").into())).collect()
}

fn is_derived(series: &Json) -> bool {
    labels(series).get("source").is_some_and(|source| source == "derived")
}

/// The recorded series, without the times of instant queries.
pub(crate) fn without_derived(answer: &Json) -> Json {
    let recorded = answer["data"].as_array().expect("series").iter().filter(|series| !is_derived(series)).cloned();
    without_times(recorded.collect())
}

pub(crate) fn without_clock(_: &Json, answer: &Json) -> Json {
    without_times(answer["data"].as_array().expect("series").clone())
}

/// The time of an instant query is the current time; in these files no other point has it.
fn without_times(mut list: Vec<Json>) -> Json {
    for series in &mut list {
        let values = series["values"].as_array_mut().expect("values");
        if let [only] = values.as_mut_slice() {
            let at = only["timestamp"].as_i64().expect("a time");
            if at == NOW || at == 1_795_374_099 {
                only["timestamp"] = Json::Null;
            }
        }
    }
    Json::Array(list)
}

pub(crate) fn has_derived(answer: &Json) -> bool {
    answer["data"].as_array().expect("series").iter().any(is_derived)
}

fn granularity_seconds(params: &Json) -> Option<i64> {
    Some(match params["granularity"].as_str().filter(|text| !text.is_empty())? {
        "1s" => 1,
        "30s" => 30,
        "1m" => 60,
        "5m" => 300,
        "1h" => 3_600,
        "1d" => 86_400,
        "1w" => 604_800,
        other => panic!("{other}"),
    })
}

fn accepted(params: &Json, labels: &BTreeMap<String, String>) -> bool {
    params["label_matchers"].as_array().into_iter().flatten().all(|matcher| {
        let value = labels.get(matcher["name"].as_str().expect("a name")).map(String::as_str).unwrap_or_default();
        let wanted = matcher["value"].as_str().expect("a value");
        let matches = || Regex::new(&format!("^(?:{wanted})$")).expect("a pattern").is_match(value);
        match matcher["operator"].as_str().unwrap_or("=") {
            "=" => value == wanted,
            "!=" => value != wanted,
            "=~" => matches(),
            "!~" => !matches(),
            other => panic!("{other}"),
        }
    })
}

/// Points of one series according to the API's documentation.
fn points(params: &Json, mut events: Vec<(i64, f64)>) -> Vec<(i64, f64)> {
    if params["query_type"] == "instant" {
        return vec![(NOW, events.iter().map(|(_, value)| value).sum())];
    }
    let Some(size) = granularity_seconds(params) else {
        events.sort_by_key(|(at, _)| *at);
        return events;
    };
    let mut sums: BTreeMap<i64, f64> = BTreeMap::new();
    for (at, value) in events {
        *sums.entry(at - at.rem_euclid(size)).or_default() += value;
    }
    sums.into_iter().collect()
}

type Labels = BTreeMap<String, String>;
type Points = Vec<(i64, f64)>;

/// Whether an answer of `query_metrics` agrees with SQL and the recorded outputs.
pub(crate) fn check(params: &Json, answer: &Json, connection: &Connection) -> Result<(), String> {
    let metric = params["metric_name"].as_str().expect("a metric");
    let start = params["start_time"].as_i64().expect("a time");
    let end = params["end_time"].as_i64().filter(|end| *end != 0).unwrap_or(NOW);
    let mut ours: BTreeMap<Labels, Points> = BTreeMap::new();
    for series in answer["data"].as_array().expect("series") {
        let values = series["values"].as_array().expect("values");
        let read = |point: &Json| {
            assert_eq!((&series["metric"], &point["unit"]), (&json!(metric), &json!("tokens")));
            (point["timestamp"].as_i64().expect("a time"), point["value"].as_f64().expect("a value"))
        };
        let twice = ours.insert(labels(series), values.iter().map(read).collect());
        assert!(twice.is_none(), "two series with the same labels");
    }
    let mut expected: BTreeMap<Labels, Points> = BTreeMap::new();
    for MetricEvent { seconds, value, labels } in metric_events(connection, metric, start, end) {
        expected.entry(labels.into_iter().collect()).or_default().push((seconds, value));
    }
    let has_events = has_token_events(connection);
    if !has_events {
        for (model, seconds, value) in from_outputs(connection, metric) {
            if (start..=end).contains(&seconds) {
                let mut labels = Labels::from([("source".to_owned(), "derived".to_owned())]);
                labels.extend(model.map(|model| ("model_id".to_owned(), model)));
                expected.entry(labels).or_default().push((seconds, value));
            }
        }
    }
    let expected: BTreeMap<Labels, Points> = expected
        .into_iter()
        .filter(|(labels, _)| accepted(params, labels))
        .map(|(labels, events)| (labels, points(params, events)))
        .collect();
    if has_events {
        let derived: BTreeMap<Labels, Points>;
        (derived, ours) = ours.into_iter().partition(|(labels, _)| labels.contains_key("source"));
        check_differences(params, &derived, connection)?;
    }
    if ours == expected { Ok(()) } else { Err(format!("ours     {ours:?}\nexpected {expected:?}")) }
}

/// In a file with token events, the derived series hold exactly the counts that those events lack.
fn check_differences(params: &Json, derived: &BTreeMap<Labels, Points>, connection: &Connection) -> Result<(), String> {
    if let Some(labels) = derived.keys().find(|labels| !accepted(params, labels)) {
        return Err(format!("{labels:?} is not asked for"));
    }
    let candidates = left_out(connection, params["metric_name"].as_str().expect("a metric"));
    let mut values: Vec<f64> = derived.values().flatten().map(|(_, value)| *value).collect();
    values.sort_by(f64::total_cmp);
    let whole =
        params["start_time"].as_i64() == Some(1_795_373_953) && params["label_matchers"].is_null() && params["end_time"] != json!(0);
    let is_single = params["query_type"] != "instant" && granularity_seconds(params).is_none();
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    let fits = match (whole, is_single) {
        (true, true) => values == candidates,
        (true, false) => sum(&values) == sum(&candidates),
        (false, true) => values.iter().all(|value| candidates.contains(value)),
        (false, false) => sum(&values) <= sum(&candidates),
    };
    if fits { Ok(()) } else { Err(format!("derived  {values:?}\nleft out {candidates:?}")) }
}

fn has_token_events(connection: &Connection) -> bool {
    let sql = "SELECT count(*) FROM span_events WHERE name GLOB 'metric.*_tokens'";
    connection.query_row(sql, [], |row| row.get::<_, i64>(0)).expect("a count") > 0
}

/// Counts that token events lack, sorted: the total minus the completion where there is no prompt event, and the `usage` of embeddings.
fn left_out(connection: &Connection, metric: &str) -> Vec<f64> {
    let mut values = Vec::new();
    if !["prompt_tokens", "completion_tokens", "total_tokens"].contains(&metric) {
        return values;
    }
    if metric == "prompt_tokens" {
        let sql = "SELECT json_extract(t.attributes, '$.value') - json_extract(c.attributes, '$.value')
            FROM span_events t JOIN span_events c ON c.span_id = t.span_id AND c.name = 'metric.completion_tokens'
                AND (SELECT count(*) FROM span_events b WHERE b.span_id = t.span_id AND b.name = t.name AND b.id < t.id)
                  = (SELECT count(*) FROM span_events b WHERE b.span_id = c.span_id AND b.name = c.name AND b.id < c.id)
            WHERE t.name = 'metric.total_tokens'
                AND NOT EXISTS (SELECT 1 FROM span_events p WHERE p.span_id = t.span_id AND p.name = 'metric.prompt_tokens')";
        let mut statement = connection.prepare(sql).expect("SQL");
        values.extend(statement.query_map([], |row| row.get::<_, f64>(0)).expect("rows").map(|value| value.expect("a number")));
    }
    let sql = "SELECT json_extract(attributes, '$.output') FROM spans WHERE name = 'InferenceRouter.openai_embeddings'";
    let mut statement = connection.prepare(sql).expect("SQL");
    let usage = Regex::new(r"'usage': \{'prompt_tokens': (\d+), 'total_tokens': (\d+)\}").expect("a pattern");
    for output in statement.query_map([], |row| row.get::<_, String>(0)).expect("rows") {
        let output = output.expect("a text");
        let found = usage.captures(&output).expect("a usage");
        let (prompt, total): (f64, f64) = (found[1].parse().expect("a number"), found[2].parse().expect("a number"));
        values.push(match metric {
            "prompt_tokens" => prompt,
            "total_tokens" => total,
            _ => total - prompt,
        });
    }
    values.sort_by(f64::total_cmp);
    values
}

/// Model, second and count of every inference request, extracted from the texts.
fn from_outputs(connection: &Connection, metric: &str) -> Vec<(Option<String>, i64, f64)> {
    let pattern = Regex::new(&format!(r"'metric': '{metric}', 'value': (\d+)")).expect("a pattern");
    let usage = Regex::new(&format!(r"'usage': \{{[^}}]*'{metric}': (\d+)")).expect("a pattern");
    let model = Regex::new(r"'model(?:_id)?': '([^']+)'").expect("a pattern");
    let sql = "SELECT json_extract(attributes, '$.__args__'), json_extract(attributes, '$.output'),
        CAST(strftime('%s', end_time) AS INTEGER) FROM spans WHERE name GLOB 'InferenceRouter.*' ORDER BY end_time";
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| {
        let (args, output): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
        Ok((args.unwrap_or_default(), output.unwrap_or_default(), row.get::<_, i64>(2)?))
    });
    let mut list = Vec::new();
    for row in rows.expect("rows") {
        let (args, output, seconds) = row.expect("a row");
        if let Some(found) = pattern.captures(&output).or_else(|| usage.captures(&output)) {
            list.push((model.captures(&args).map(|found| found[1].to_owned()), seconds, found[1].parse().expect("a number")));
        }
    }
    list
}

#[test]
fn derived_series_are_labelled_and_chosen_by_matchers() {
    let mut file = Opened::fixture("real_agent.db");
    let all = file.data("query_metrics", json!({ "metric_name": "total_tokens", "start_time": 0 }));
    assert!(!all.is_empty() && all.iter().all(is_derived));
    let matcher = |operator: &str| json!([{ "name": "source", "value": "derived", "operator": operator }]);
    let chosen = |file: &mut Opened, operator: &str| {
        file.data("query_metrics", json!({ "metric_name": "total_tokens", "start_time": 0, "label_matchers": matcher(operator) }))
    };
    let matched = chosen(&mut file, "=");
    assert_eq!(matched.iter().map(labels).collect::<Vec<_>>(), all.iter().map(labels).collect::<Vec<_>>());
    // The label named by a matcher comes first, as in the reference's answers.
    assert!(matched.iter().all(|series| series["labels"][0]["name"] == "source"));
    assert_eq!(chosen(&mut file, "!="), Vec::<Json>::new());
    let totals = file.data("query_metrics", json!({ "metric_name": "total_tokens", "start_time": 0, "query_type": "instant" }));
    let sum: f64 = totals.iter().map(|series| series["values"][0]["value"].as_f64().expect("a sum")).sum();
    let models: BTreeSet<String> = totals.iter().filter_map(|series| labels(series).get("model_id").cloned()).collect();
    assert!(models.contains("fake/Llama-Guard-3-8B"), "{models:?}");
    let expected: f64 = from_outputs(&file.connection, "total_tokens").iter().map(|(_, _, value)| value).sum();
    assert_eq!(sum, expected);
}

//! Prometheus' query API, with expected values from plain SQL.

use super::support::{Reply, Server};
use quipu_tests::fixtures::{METRICS, texts};
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;

/// Percent-encodes a part of a URL.
fn encoded(text: &str) -> String {
    text.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

fn ask(server: &Server, path: &str, parameters: &[(&str, &str)]) -> Reply {
    let query: Vec<String> = parameters.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    server.get(&format!("/api/v1/{path}?{}", query.join("&")))
}

fn data(reply: &Reply) -> Json {
    let document = reply.json();
    assert_eq!(
        (reply.status, &document["status"], reply.header("content-type")),
        (200, &json!("success"), "application/json"),
        "{document}"
    );
    document["data"].clone()
}

/// Totals by model, and the last second with a value.
fn recorded(server: &Server) -> (BTreeSet<(String, i64)>, i64) {
    let sql = server.sql();
    let mut statement = sql
        .prepare(
            "SELECT json_extract(attributes, '$.model_id'), sum(json_extract(attributes, '$.value')) FROM span_events
             WHERE name = 'metric.total_tokens' GROUP BY 1",
        )
        .expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows").map(|row| row.expect("a row")).collect();
    let last = sql.query_row("SELECT max(CAST(strftime('%s', end_time) AS INTEGER)) FROM spans", [], |row| row.get(0)).expect("a time");
    (rows, last)
}

#[test]
fn a_query_answers_what_was_recorded_at_its_time() {
    let server = Server::of(METRICS, &[]);
    let (expected, last) = recorded(&server);
    let query = "llama_stack_tokens_total{source=\"\"}";
    let time = (last + 1).to_string();
    let answer = data(&ask(&server, "query", &[("query", query), ("time", &time)]));
    assert_eq!(answer["resultType"], "vector");
    let read = |series: &Json| {
        assert_eq!((&series["metric"]["__name__"], &series["value"][0]), (&json!("llama_stack_tokens_total"), &json!(last + 1)));
        let value = series["value"][1].as_str().expect("a number as a text").parse().expect("a number");
        (series["metric"]["model_id"].as_str().expect("a model").to_owned(), value)
    };
    // Scrapes are 15 seconds apart: the last one may not include all values.
    let at_scrape = |list: &Json| list.as_array().expect("series").iter().map(read).collect::<BTreeSet<(String, i64)>>();
    let known: BTreeSet<String> = expected.iter().map(|(model, _)| model.clone()).collect();
    assert_eq!(at_scrape(&answer["result"]).into_iter().map(|(model, _)| model).collect::<BTreeSet<_>>(), known);
    let later = (last + 15).to_string();
    let form = format!("query={}&time={later}", encoded(query));
    let reply = server.send("POST", "/api/v1/query", &[("Content-Type", "application/x-www-form-urlencoded")], form.as_bytes());
    let list = data(&reply)["result"].clone();
    let values: BTreeSet<(String, i64)> = list
        .as_array()
        .expect("series")
        .iter()
        .map(|series| {
            let value = series["value"][1].as_str().expect("a text").parse().expect("a number");
            (series["metric"]["model_id"].as_str().expect("a model").to_owned(), value)
        })
        .collect();
    assert_eq!(values, expected);
    // The default time is now, and the file is old.
    assert_eq!(data(&ask(&server, "query", &[("query", query)]))["result"], json!([]));
    assert_eq!(
        data(&ask(&server, "query", &[("query", "1 + 1"), ("time", "1700000000.5")])),
        json!({ "resultType": "scalar", "result": [1_700_000_000.5, "2"] })
    );
}

#[test]
fn a_query_over_time_has_a_value_at_every_step() {
    let server = Server::of(METRICS, &[]);
    let (expected, last) = recorded(&server);
    let (start, end) = (last + 15, last + 75);
    let parameters = [
        ("query", "sum by (model_id) (llama_stack_tokens_total{source=\"\"})"),
        ("start", &start.to_string()),
        ("end", &end.to_string()),
        ("step", "30s"),
    ];
    let answer = data(&ask(&server, "query_range", &parameters));
    assert_eq!(answer["resultType"], "matrix");
    let list = answer["result"].as_array().expect("series");
    assert_eq!(list.len(), expected.len());
    for series in list {
        let model = series["metric"]["model_id"].as_str().expect("a model");
        let total = expected.iter().find(|(known, _)| known == model).expect("a known model").1.to_string();
        assert_eq!(series["values"], json!([[start, total], [start + 30, total], [end, total]]));
    }
}

#[test]
fn series_labels_and_values_are_those_of_the_file() {
    let server = Server::of(METRICS, &[]);
    let strings =
        |list: &Json| list.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text").to_owned()).collect::<Vec<_>>();
    let names = strings(&data(&ask(&server, "label/__name__/values", &[])));
    for name in ["llama_stack_tokens_total", "quipu_requests_total", "quipu_span_duration_seconds_bucket"] {
        assert!(names.iter().any(|known| known == name), "{names:?}");
    }
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(names, sorted);
    let mut spans = texts(&server.sql(), "SELECT DISTINCT name FROM spans ORDER BY name").expect("names");
    spans.sort();
    assert_eq!(strings(&data(&ask(&server, "label/span_name/values", &[("match[]", "quipu_span_duration_seconds_count")]))), spans);
    let labels = strings(&data(&ask(&server, "labels", &[("match[]", "quipu_requests_total")])));
    assert_eq!(labels, ["__name__", "span_name", "status"]);
    let series =
        data(&ask(&server, "series", &[("match[]", "llama_stack_prompt_tokens_total{source=\"\"}"), ("match[]", "quipu_errors_total")]));
    let found: BTreeSet<&str> =
        series.as_array().expect("series").iter().map(|labels| labels["__name__"].as_str().expect("a name")).collect();
    assert_eq!(found, BTreeSet::from(["llama_stack_prompt_tokens_total", "quipu_errors_total"]));
    // Long before and long after the file, there is nothing.
    assert_eq!(data(&ask(&server, "labels", &[("end", "1000000000")])), json!([]));
    assert_eq!(data(&ask(&server, "labels", &[("start", "4000000000")])), json!([]));
    let cut = ask(&server, "label/__name__/values", &[("limit", "2")]).json();
    assert_eq!((cut["data"].as_array().map(Vec::len), &cut["warnings"]), (Some(2), &json!(["results truncated due to limit"])));
}

#[test]
fn what_is_wrong_is_told_in_prometheus_s_document() {
    let server = Server::of(METRICS, &[]);
    for (path, parameters) in [
        ("query", vec![]),
        ("query", vec![("query", "sum(")]),
        ("query", vec![("query", "up"), ("time", "yesterday")]),
        ("query_range", vec![("query", "up"), ("start", "1"), ("end", "2")]),
        ("query_range", vec![("query", "up"), ("start", "2"), ("end", "1"), ("step", "1")]),
        ("query_range", vec![("query", "up"), ("start", "1"), ("end", "2"), ("step", "0")]),
        ("query_range", vec![("query", "up"), ("start", "0"), ("end", "11001"), ("step", "1")]),
        ("series", vec![]),
        ("series", vec![("match[]", "sum(up)")]),
        ("labels", vec![("match[]", "{}")]),
        ("labels", vec![("limit", "many")]),
    ] {
        let reply = ask(&server, path, &parameters);
        let document = reply.json();
        assert_eq!(
            (reply.status, &document["status"], &document["errorType"]),
            (400, &json!("error"), &json!("bad_data")),
            "{path} {parameters:?}"
        );
        assert!(document["error"].as_str().is_some_and(|words| !words.is_empty()));
    }
    let reply = ask(
        &server,
        "query",
        &[
            ("query", "quipu_requests_total * on () group_left quipu_requests_total"),
            ("time", &(recorded(&server).1).to_string()),
        ],
    );
    assert_eq!((reply.status, &reply.json()["errorType"]), (422, &json!("execution")));
    assert_eq!(server.get("/api/v1/nothing").json()["errorType"], "not_found");
}

#[test]
fn what_grafana_asks_beside_queries_is_answered() {
    let server = Server::of(METRICS, &[]);
    let info = data(&server.get("/api/v1/status/buildinfo"));
    assert!(info["version"].as_str().is_some_and(|version| version.starts_with("3.")), "{info}");
    let metadata = data(&server.get("/api/v1/metadata"));
    assert_eq!(metadata["llama_stack_tokens_total"][0]["type"], "counter");
    assert_eq!(metadata["quipu_span_duration_seconds"][0]["type"], "histogram");
    let one = data(&server.get("/api/v1/metadata?metric=quipu_requests_total"));
    assert_eq!(one.as_object().map(|metrics| metrics.keys().cloned().collect::<Vec<_>>()), Some(vec!["quipu_requests_total".into()]));
    assert_eq!(data(&server.get("/api/v1/rules")), json!({ "groups": [] }));
    assert_eq!(data(&server.get("/api/v1/query_exemplars?query=up")), json!([]));
}

#[test]
fn exemplars_lead_from_a_series_to_the_spans_behind_it() {
    let server = Server::of_points(include_bytes!("../../../../tests/fixtures/otlp/modern/traceloop-openai-047_metrics.binpb.gz"));
    let of_sql = "SELECT one.value ->> 'trace_id' || ' ' || (one.value ->> 'span_id') || ' ' || coalesce(one.value ->> 'int', one.value ->> 'double')
            || ' ' || (one.value ->> 'time_unix_nano' / 1000000)
        FROM quipu_metric_points, json_each(detail, '$.exemplars') AS one WHERE metric = 'gen_ai.client.token.usage' ORDER BY 1";
    let recorded = texts(&server.sql(), of_sql).expect("SQL");
    assert!(!recorded.is_empty());
    let query = "rate(gen_ai_client_token_usage_bucket[5m])";
    let answer = data(&ask(&server, "query_exemplars", &[("query", query)]));
    let mut found = Vec::new();
    for series in answer.as_array().expect("series") {
        assert_eq!(series["seriesLabels"]["__name__"], "gen_ai_client_token_usage_bucket");
        let bound: f64 = series["seriesLabels"]["le"].as_str().and_then(|text| text.parse().ok()).expect("a bucket");
        let list = series["exemplars"].as_array().expect("exemplars");
        assert!(list.is_sorted_by_key(|one| one["timestamp"].as_f64()));
        for one in list {
            let (id, text) = (|name: &str| one["labels"][name].as_str().expect("an id"), one["value"].as_str().expect("a text"));
            assert!(text.parse::<f64>().is_ok_and(|value| value <= bound), "{series}");
            let millis = (one["timestamp"].as_f64().expect("seconds") * 1e3).round() as i64;
            found.push(format!("{} {} {text} {millis}", id("trace_id"), id("span_id")));
        }
    }
    found.sort();
    assert_eq!(found, recorded);
    let body = format!("query={}&end=1", encoded(query));
    let posted = server.send("POST", "/api/v1/query_exemplars", &[("Content-Type", "application/x-www-form-urlencoded")], body.as_bytes());
    assert_eq!(data(&posted), json!([]));
    for (parameters, words) in [
        (vec![("query", query), ("start", "2"), ("end", "1")], "before start"),
        (vec![("start", "2")], "query is missing"),
        (vec![("query", "sum(")], ""),
    ] {
        let reply = ask(&server, "query_exemplars", &parameters);
        assert_eq!((reply.status, &reply.json()["errorType"]), (400, &json!("bad_data")), "{parameters:?}");
        assert!(reply.text().contains(words), "{}", reply.text());
    }
}

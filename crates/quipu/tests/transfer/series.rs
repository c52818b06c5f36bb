//! Imported metric points as series: their names, values and times, by PromQL.

use super::tools::{import, read};
use crate::support;
use quipu::Session;
use quipu::metrics::{MetricKind, MetricOptions, PromqlQuery};
use quipu::promql::PromqlAnswer;
use std::collections::BTreeMap;

/// The answer by labels in Prometheus's notation.
fn ask_at(session: &mut Session, query: &str, end: Option<i64>) -> BTreeMap<String, f64> {
    let asked = PromqlQuery { query: query.into(), start: None, end, step: None, options: MetricOptions::default() };
    let answer = session.query_promql(&asked).expect("the file can be read").expect("an answer");
    let PromqlAnswer::Vector(list) = answer else { panic!("{answer:?}") };
    let name = |labels: &[(String, String)]| quipu::promql::Labels::new(labels.iter().cloned()).to_string();
    list.iter().filter_map(|series| Some((name(&series.labels), series.points.first()?.value))).collect()
}

fn ask(session: &mut Session, query: &str) -> BTreeMap<String, f64> {
    ask_at(session, query, None)
}

fn expected(rows: &[(&str, f64)]) -> BTreeMap<String, f64> {
    rows.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect()
}

/// Time of the first point of the generated metrics, in seconds since 1970.
const BEGIN: i64 = 1_764_000_000;

/// A metric with one point per minute; `points` are the fields that differ.
fn metric(name: &str, unit: &str, kind: &str, rest: &str, points: &[String]) -> String {
    format!(r#"{{"name":"{name}","unit":"{unit}","{kind}":{{{rest}"dataPoints":[{}]}}}}"#, points.join(","))
}

fn point(minute: i64, start: i64, fields: &str) -> String {
    let nanos = |minutes: i64| (BEGIN + minutes * 60) * 1_000_000_000;
    format!(r#"{{"startTimeUnixNano":"{}","timeUnixNano":"{}",{fields}}}"#, nanos(start), nanos(minute))
}

fn of_service(service: &str, metrics: &[String]) -> String {
    let resource = format!(r#"{{"attributes":[{{"key":"service.name","value":{{"stringValue":"{service}"}}}}]}}"#);
    format!(r#"{{"resourceMetrics":[{{"resource":{resource},"scopeMetrics":[{{"metrics":[{}]}}]}}]}}"#, metrics.join(",")) + "\n"
}

fn open(text: &str) -> Session {
    let (session, report) = import(&[("metrics.jsonl", text.as_bytes())]);
    assert_eq!(report.problem_count, 0, "{report:?}");
    session
}

fn after(minutes: i64) -> Option<i64> {
    Some((BEGIN + minutes * 60) * 1_000)
}

const CUMULATIVE: &str = r#""aggregationTemporality":2,"#;
const COUNTER: &str = r#""aggregationTemporality":2,"isMonotonic":true,"#;
const DELTA: &str = r#""aggregationTemporality":1,"isMonotonic":true,"#;

#[test]
fn a_servers_token_counters_have_the_documented_names() {
    // The expected counts are from the server's log of that run: cumulative tokens per model.
    let (mut session, _) = import(&[("metrics", &read("tests/fixtures/otlp/small_0.2.15_metrics.binpb"))]);
    for (name, own, llama, guard) in [
        ("llama_stack_prompt_tokens_total", "prompt_tokens_total", 98.0, 409.0),
        ("llama_stack_completion_tokens_total", "completion_tokens_total", 151.0, 25.0),
        ("llama_stack_tokens_total", "tokens_total", 249.0, 434.0),
    ] {
        for name in [name, own] {
            let label = |model: &str| format!("{name}{{job=\"llama-stack-oracle\", model_id=\"{model}\", provider_id=\"vllm\"}}");
            let rows = [(label("fake/Llama-3.2-3B"), llama), (label("fake/Llama-Guard-3-8B"), guard)];
            assert_eq!(ask(&mut session, name), rows.into_iter().collect(), "{name}");
        }
    }
}

#[test]
fn tokens_that_spans_and_counters_count_are_counted_once() {
    let files = ["small_0.2.15_traces.binpb", "small_0.2.15_metrics.binpb"].map(|name| read(&format!("tests/fixtures/otlp/{name}")));
    let (mut both, _) = import(&[("traces", &files[0]), ("metrics", &files[1])]);
    // Counts of streamed requests are in the counters only: 80 of 98 are in spans.
    assert_eq!(ask(&mut both, "sum(llama_stack_prompt_tokens_total)"), expected(&[("{}", 507.0)]));
    assert_eq!(ask(&mut both, "sum by (provider_id) (llama_stack_tokens_total)"), expected(&[("{provider_id=\"vllm\"}", 683.0)]));
    assert_eq!(ask(&mut both, "llama_stack_prompt_tokens_total{source=\"derived\"}"), expected(&[]));
    let (mut spans, _) = import(&[("traces", &files[0])]);
    assert_eq!(ask(&mut spans, "sum(llama_stack_prompt_tokens_total)"), expected(&[("{}", 489.0)]));
}

#[test]
fn where_events_recorded_as_much_as_the_counters_the_events_hold() {
    let line = |tokens: u32| {
        let model =
            r#""attributes":[{"key":"model_id","value":{"stringValue":"vllm/m"}},{"key":"provider_id","value":{"stringValue":"vllm"}}]"#;
        let event = r#"{"timeUnixNano":"1764000001000000000","name":"metric.prompt_tokens","attributes":[{"key":"value","value":{"intValue":"5"}},{"key":"model_id","value":{"stringValue":"m"}}]}"#;
        let span = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"x","startTimeUnixNano":"1764000000000000000","endTimeUnixNano":"1764000002000000000","events":[{event}]}}]}}]}}]}}"#
        );
        let counter = metric("prompt_tokens", "tokens", "sum", COUNTER, &[point(0, -1, &format!(r#""asInt":"{tokens}",{model}"#))]);
        span + "\n" + &of_service("s", &[counter])
    };
    // The same model under two names.
    let held = |tokens| ask(&mut open(&line(tokens)), "llama_stack_prompt_tokens_total");
    assert_eq!(held(5), expected(&[("llama_stack_prompt_tokens_total{model_id=\"m\"}", 5.0)]));
    assert_eq!(held(4), expected(&[("llama_stack_prompt_tokens_total{model_id=\"m\"}", 5.0)]));
    let counter = "llama_stack_prompt_tokens_total{job=\"s\", model_id=\"vllm/m\", provider_id=\"vllm\"}";
    assert_eq!(held(6), expected(&[(counter, 6.0)]));
}

#[test]
fn cumulative_points_are_samples_and_begin_at_zero() {
    let points = [point(1, 0, r#""asInt":"4""#), point(2, 0, r#""asInt":"9""#), point(3, 0, r#""asInt":"9""#)];
    let mut session = open(&of_service("s", &[metric("app.calls", "{call}", "sum", COUNTER, &points)]));
    let value = |session: &mut Session, minute| ask_at(session, "app_calls_total", after(minute)).values().copied().next();
    let values: Vec<_> = [-1, 0, 1, 2, 3, 7, 8].map(|minute| value(&mut session, minute)).into();
    assert_eq!(values, [None, Some(0.0), Some(4.0), Some(9.0), Some(9.0), Some(9.0), None], "found for five minutes, as in Prometheus");
    assert_eq!(ask_at(&mut session, "count_over_time(app_calls_total[1h])", after(3)), expected(&[("{job=\"s\"}", 4.0)]));
    // A server that had been counting long before the file starts.
    let late = [point(60, 0, r#""asInt":"400""#), point(61, 0, r#""asInt":"404""#)];
    let mut late = open(&of_service("s", &[metric("app.calls", "", "sum", COUNTER, &late)]));
    assert_eq!(ask_at(&mut late, "count_over_time(app_calls_total[2h])", after(61)), expected(&[("{job=\"s\"}", 2.0)]));
}

#[test]
fn counters_continue_after_a_server_restart() {
    let points = [
        point(1, 0, r#""asInt":"100""#),
        point(2, 0, r#""asInt":"100""#),
        point(5, 4, r#""asInt":"150""#),
        point(6, 4, r#""asInt":"150""#),
    ];
    let mut session = open(&of_service("s", &[metric("app.calls", "", "sum", COUNTER, &points)]));
    assert_eq!(ask_at(&mut session, "app_calls_total", after(6)), expected(&[("app_calls_total{job=\"s\"}", 150.0)]));
    // Only the start time reveals the second restart: 150 is more than 100.
    assert_eq!(ask_at(&mut session, "resets(app_calls_total[1h])", after(6)), expected(&[("{job=\"s\"}", 1.0)]));
}

#[test]
fn concurrent_servers_are_summed_and_services_are_separate() {
    let counter = |points: &[String]| [metric("app.calls", "", "sum", COUNTER, points)];
    let one = [point(1, 0, r#""asInt":"10""#), point(3, 0, r#""asInt":"12""#)];
    let two = [point(2, 1, r#""asInt":"1""#), point(4, 1, r#""asInt":"5""#)];
    let text = of_service("s", &counter(&one)) + &of_service("s", &counter(&two)) + &of_service("t", &counter(&one));
    let mut session = open(&text);
    let series = |value: f64| expected(&[("app_calls_total{job=\"s\"}", value), ("app_calls_total{job=\"t\"}", 12.0)]);
    assert_eq!(ask_at(&mut session, "app_calls_total", after(4)), series(17.0));
    assert_eq!(ask_at(&mut session, "app_calls_total", after(3)), series(13.0));
    assert_eq!(ask_at(&mut session, "resets(app_calls_total[1h])", after(4)).into_values().sum::<f64>(), 0.0);
}

#[test]
fn delta_points_are_summed() {
    let points = [point(1, 0, r#""asInt":"4""#), point(2, 1, r#""asInt":"5""#), point(9, 8, r#""asInt":"1""#)];
    let mut session = open(&of_service("s", &[metric("app.calls", "", "sum", DELTA, &points)]));
    for (minute, value) in [(1, 4.0), (2, 9.0), (8, 9.0), (9, 10.0)] {
        assert_eq!(ask_at(&mut session, "app_calls_total", after(minute)), expected(&[("app_calls_total{job=\"s\"}", value)]), "{minute}");
    }
    assert_eq!(ask(&mut session, "app_calls_total"), expected(&[("app_calls_total{job=\"s\"}", 10.0)]));
}

#[test]
fn histograms_of_token_usage_have_sums_counts_and_buckets_either_way() {
    let labels = r#""attributes":[{"key":"gen_ai.token.type","value":{"stringValue":"input"}}]"#;
    let fields =
        |count, sum, counts: &str| format!(r#""count":"{count}","sum":{sum},"bucketCounts":[{counts}],"explicitBounds":[1,4],{labels}"#);
    let cumulative = [point(1, 0, &fields(2, 7, r#""1","0","1""#)), point(2, 0, &fields(3, 9, r#""1","1","1""#))];
    let delta = [point(1, 0, &fields(2, 7, r#""1","0","1""#)), point(2, 1, &fields(1, 2, r#""0","1","0""#))];
    for (rest, points) in [(CUMULATIVE, cumulative), (r#""aggregationTemporality":1,"#, delta)] {
        let mut session = open(&of_service("s", &[metric("gen_ai.client.token.usage", "{token}", "histogram", rest, &points)]));
        let name = |part: &str, le: &str| format!("gen_ai_client_token_usage_{part}{{gen_ai_token_type=\"input\", job=\"s\"{le}}}");
        let rows = [
            (name("sum", ""), 9.0),
            (name("count", ""), 3.0),
            (name("bucket", ", le=\"1.0\""), 1.0),
            (name("bucket", ", le=\"4.0\""), 2.0),
            (name("bucket", ", le=\"+Inf\""), 3.0),
        ];
        assert_eq!(ask_at(&mut session, "{__name__=~\"gen_ai.+\"}", after(2)), rows.into_iter().collect());
        let mean = "sum(gen_ai_client_token_usage_sum) / sum(gen_ai_client_token_usage_count)";
        assert_eq!(ask_at(&mut session, mean, after(2)), expected(&[("{}", 3.0)]));
        let catalog = session.list_metrics(MetricOptions::default()).expect("a catalogue");
        let found = catalog.metrics.iter().find(|metric| metric.name == "gen_ai_client_token_usage_bucket").expect("it is there");
        assert_eq!(found.labels, ["gen_ai_token_type", "job", "le"]);
    }
}

#[test]
fn gauges_exponential_histograms_and_summaries_become_series() {
    let gauge = metric("app.load", "1", "gauge", "", &[point(1, 0, r#""asDouble":0.5"#), point(2, 0, r#""asDouble":0.25"#)]);
    let level = metric("app.queue", "", "sum", CUMULATIVE, &[point(1, 0, r#""asInt":"7""#), point(2, 0, r#""asInt":"3""#)]);
    let exponential = r#""count":"3","sum":6.5,"scale":1,"zeroCount":"1","positive":{"offset":1,"bucketCounts":["1","1"]}"#;
    let exponential = metric("app.time", "s", "exponentialHistogram", CUMULATIVE, &[point(2, 0, exponential)]);
    let summary = r#""count":"4","sum":10,"quantileValues":[{"value":1},{"quantile":0.5,"value":2.5}]"#;
    let summary = metric("app.size", "By", "summary", "", &[point(2, 0, summary)]);
    // A point without a value, which ends the series.
    let gone = metric("app.gone", "", "gauge", "", &[point(2, 0, r#""flags":1"#)]);
    let mut session = open(&of_service("s", &[gauge, level, exponential, summary, gone]));
    let rows = [
        ("app_load_ratio{job=\"s\"}", 0.25),
        ("app_queue{job=\"s\"}", 3.0),
        ("app_time_seconds_sum{job=\"s\"}", 6.5),
        ("app_time_seconds_count{job=\"s\"}", 3.0),
        ("app_size_bytes_sum{job=\"s\"}", 10.0),
        ("app_size_bytes_count{job=\"s\"}", 4.0),
        ("app_size_bytes{job=\"s\", quantile=\"0\"}", 1.0),
        ("app_size_bytes{job=\"s\", quantile=\"0.5\"}", 2.5),
    ];
    assert_eq!(ask_at(&mut session, "{__name__=~\"app.+\"}", after(2)), expected(&rows));
    let catalog = session.list_metrics(MetricOptions::default()).expect("a catalogue");
    let kind = |name: &str| catalog.metrics.iter().find(|metric| metric.name == name).map(|metric| metric.kind);
    assert_eq!(kind("app_load_ratio"), Some(MetricKind::Gauge));
    assert_eq!(kind("app_time_seconds_count"), Some(MetricKind::Histogram));
}

/// The histogram that a query selects, as text.
fn histogram_at(session: &mut Session, query: &str, end: Option<i64>) -> Option<String> {
    let asked = PromqlQuery { query: query.into(), start: None, end, step: None, options: MetricOptions::default() };
    let answer = session.query_promql(&asked).expect("the file can be read").expect("an answer");
    Some(answer.series().first()?.histograms.first()?.histogram.to_string())
}

#[test]
fn exponential_histograms_are_native_ones() {
    let fields = |scale: i32, count: u32, counts: &str| {
        format!(
            r#""count":"{count}","sum":{count},"scale":{scale},"zeroCount":"1","zeroThreshold":0.25,"positive":{{"offset":0,"bucketCounts":[{counts}]}}"#
        )
    };
    let points = [
        point(1, 0, &fields(0, 4, r#""2","1""#)),
        point(2, 0, &fields(0, 8, r#""5","2""#)),
        point(4, 0, r#""flags":1"#),
    ];
    let cumulative = metric("app.time", "s", "exponentialHistogram", CUMULATIVE, &points);
    // Finer than any native histogram: four buckets become one.
    let fine = metric("app.fine", "", "exponentialHistogram", CUMULATIVE, &[point(1, 0, &fields(10, 6, r#""1","1","1","1","1""#))]);
    let coarse = metric("app.coarse", "", "exponentialHistogram", CUMULATIVE, &[point(1, 0, &fields(-5, 3, r#""2""#))]);
    let deltas = [point(1, 0, &fields(0, 4, r#""2","1""#)), point(2, 1, &fields(0, 3, r#""0","2""#))];
    let added = metric("app.added", "", "exponentialHistogram", r#""aggregationTemporality":1,"#, &deltas);
    let mut session = open(&of_service("s", &[cumulative, fine, coarse, added]));
    let mut at = |query: &str, minutes| histogram_at(&mut session, query, after(minutes));
    assert_eq!(at("app_time_seconds", 0).as_deref(), Some("{count:0, sum:0}"));
    assert_eq!(at("app_time_seconds", 1).as_deref(), Some("{count:4, sum:4, [-0.25,0.25]:1, (1,2]:2, (2,4]:1}"));
    assert_eq!(at("app_time_seconds", 3).as_deref(), Some("{count:8, sum:8, [-0.25,0.25]:1, (1,2]:5, (2,4]:2}"));
    assert_eq!(at("app_time_seconds", 4), None, "the series ended");
    let fine = at("app_fine", 1).expect("a histogram");
    assert!(
        fine.starts_with("{count:6, sum:6, [-0.25,0.25]:1, (1,1.0027") && fine.contains("]:4, (1.0027") && fine.ends_with("]:1}"),
        "{fine}"
    );
    assert_eq!(at("app_coarse", 1), None);
    assert_eq!(at("app_added", 2).as_deref(), Some("{count:7, sum:7, [-0.25,0.25]:2, (1,2]:2, (2,4]:3}"));
    assert_eq!(ask_at(&mut session, "histogram_count(increase(app_time_seconds[2m:1m]))", after(2)), expected(&[("{job=\"s\"}", 8.0)]));
    assert_eq!(ask_at(&mut session, "histogram_quantile(0.5, app_added)", after(2)).len(), 1);
    let asked = PromqlQuery { query: "app_coarse".into(), start: None, end: None, step: None, options: MetricOptions::default() };
    let noted = session.query_promql_with_notes(&asked).expect("the file can be read").expect("an answer");
    assert_eq!(noted.warnings, ["app_coarse: 1 histogram is left out, with a scale below -4: native histograms have no buckets as wide"]);
    let catalog = session.list_metrics(MetricOptions::default()).expect("a catalogue");
    assert!(catalog.metrics.iter().any(|metric| metric.name == "app_time_seconds" && metric.kind == MetricKind::Histogram));
}

#[test]
fn a_point_without_a_value_ends_its_series() {
    let calls = [point(1, 0, r#""asInt":"4""#), point(2, 0, r#""flags":1"#), point(4, 0, r#""asInt":"6""#)];
    let load = [point(1, 0, r#""asDouble":0.5"#), point(2, 0, r#""flags":1"#)];
    let mut session =
        open(&of_service("s", &[metric("app.calls", "", "sum", COUNTER, &calls), metric("app.load", "", "gauge", "", &load)]));
    let mut found = |query: &str, minutes| ask_at(&mut session, query, after(minutes)).values().copied().next();
    assert_eq!([1, 2, 3, 4].map(|minutes| found("app_calls_total", minutes)), [Some(4.0), None, None, Some(6.0)]);
    assert_eq!([1, 2].map(|minutes| found("app_load", minutes)), [Some(0.5), None]);
    // It did not start anew.
    assert_eq!(found("resets(app_calls_total[5m])", 4), Some(0.0));
}

#[test]
fn a_file_of_spans_alone_has_no_measured_series() {
    let mut session = support::open("samples/metrics_0.2.23.db");
    assert_eq!(ask(&mut session, "{job!=\"\"}"), expected(&[]));
}

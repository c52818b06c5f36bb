//! Exemplars of imported points against plain SQL over the same points.

use crate::transfer::tools::{import_bytes, read, rows, session_of, sql_of};
use quipu::Session;
use quipu::metrics::{ExemplarQuery, Exemplars, MetricOptions, PromqlQuery};
use quipu::protocol::markup::{Attr, Node};
use quipu::protocol::{Answers, RunPromql};
use rusqlite::Connection;

const POINTS: &str = "tests/fixtures/otlp/modern/ogx150-span_metrics.binpb.gz";
const SPANS: &str = "tests/fixtures/otlp/modern/ogx150-span_traces.binpb.gz";

/// Exemplars with their metric and the smallest bucket that counts them, extracted without the core.
const EXEMPLARS: &str = "CREATE TEMP VIEW e AS SELECT metric, point.id AS point, time_unix_nano / 1000000 AS point_millis,
        one.value ->> 'time_unix_nano' / 1000000 AS millis, coalesce(one.value ->> 'int', one.value ->> 'double') AS value,
        one.value ->> 'trace_id' AS trace_id, one.value ->> 'span_id' AS span_id,
        (SELECT min(bound.value) FROM json_each(detail, '$.bounds') AS bound
            WHERE bound.value >= coalesce(one.value ->> 'int', one.value ->> 'double')) AS le
    FROM quipu_metric_points AS point, json_each(detail, '$.exemplars') AS one";

fn imported(names: &[&str]) -> (Session, Connection) {
    let inputs: Vec<(&str, Vec<u8>)> = names.iter().map(|name| (*name, read(name))).collect();
    let inputs: Vec<(&str, &[u8])> = inputs.iter().map(|(name, bytes)| (*name, bytes.as_slice())).collect();
    let (bytes, _) = import_bytes(&inputs);
    let connection = sql_of(&bytes);
    connection.execute_batch(EXEMPLARS).expect("a view");
    (session_of(bytes), connection)
}

fn query(query: &str) -> ExemplarQuery {
    ExemplarQuery { query: query.into(), start: None, end: None, limit: 1_000, options: MetricOptions::default() }
}

fn ask(session: &mut Session, query: &ExemplarQuery) -> Exemplars {
    session.list_exemplars(query).expect("the file can be read").expect("an answer")
}

/// As rows of SQL: time, value, trace and span.
fn listed(found: &Exemplars) -> Vec<Vec<String>> {
    let row = |found: &quipu::metrics::Exemplar| {
        vec![
            found.at_millis.to_string(),
            format!("{:?}", found.value),
            found.trace_id.clone(),
            found.span_id.clone(),
        ]
    };
    let mut list: Vec<Vec<String>> = found.list.iter().map(row).collect();
    list.sort();
    list
}

fn sorted(mut rows: Vec<Vec<String>>) -> Vec<Vec<String>> {
    rows.sort();
    rows
}

const COLUMNS: &str = "millis, CAST(value AS REAL), trace_id, span_id";

#[test]
fn all_exemplars_are_found_once_whatever_the_query_computes() {
    let (mut session, sql) = imported(&[SPANS, POINTS]);
    let recorded = |metric: &str| sorted(rows(&sql, &format!("SELECT {COLUMNS} FROM e WHERE metric GLOB '{metric}'")));
    let all = ask(&mut session, &query("{__name__=~\".+\"}"));
    assert_eq!(listed(&all), recorded("*"));
    assert!(all.total > 100 && all.list.is_sorted_by(|one, next| one.at_millis >= next.at_millis));
    for (asked, metric) in [
        ("histogram_quantile(0.9, sum by (le) (rate(gen_ai_client_token_usage_bucket[5m])))", "gen_ai.client.token.usage"),
        ("gen_ai_client_token_usage_sum / gen_ai_client_token_usage_count", "gen_ai.client.token.usage"),
        ("ogx_gen_ai_client_token_usage_sum", "gen_ai.client.token.usage"),
        ("sum(increase(ogx_requests_total[1h] offset 1d))", "ogx.requests_total"),
        ("http_server_duration_milliseconds_sum", "http.server.duration"),
    ] {
        let found = ask(&mut session, &query(asked));
        assert_eq!(listed(&found), recorded(metric), "{asked}");
        assert!(!found.list.is_empty(), "{asked}");
    }
    assert_eq!(ask(&mut session, &query("http_server_active_requests or vector(1)")), Exemplars::default());
    assert!(session.list_exemplars(&query("sum(")).expect("the file can be read").is_err());
}

#[test]
fn an_exemplar_of_a_histogram_belongs_to_its_bucket() {
    let (mut session, sql) = imported(&[POINTS]);
    let found = ask(&mut session, &query("ogx_inference_duration_seconds_bucket"));
    let le = |found: &quipu::metrics::Exemplar| {
        let (_, text) = found.labels.iter().find(|(name, _)| name == "le").expect("a bucket");
        vec![found.span_id.clone(), text.parse::<f64>().map(|bound| format!("{bound:?}")).expect("a number")]
    };
    let of_sql = "SELECT span_id, coalesce(CAST(le AS REAL), 'inf') FROM e WHERE metric = 'ogx.inference.duration_seconds'";
    assert_eq!(sorted(found.list.iter().map(le).collect()), sorted(rows(&sql, of_sql)));
    let (_, one) = found.list[0].labels.iter().find(|(name, _)| name == "le").expect("a bucket");
    let of_one = ask(&mut session, &query(&format!("ogx_inference_duration_seconds_bucket{{le=\"{one}\"}}")));
    assert!(!of_one.list.is_empty() && of_one.list.iter().all(|found| found.labels.contains(&("le".into(), one.clone()))));
    assert!(of_one.list.iter().all(|found| !found.has_trace), "without the spans no trace is in the file");
}

#[test]
fn a_time_range_and_a_limit_leave_out_the_others() {
    let (mut session, sql) = imported(&[SPANS, POINTS]);
    let times = rows(&sql, "SELECT (min(millis) + max(millis)) / 2, max(millis) FROM e");
    let (middle, last): (i64, i64) = (times[0][0].parse().expect("a time"), times[0][1].parse().expect("a time"));
    let all = "{__name__=~\".+\"}";
    let late = ask(&mut session, &ExemplarQuery { start: Some(middle), end: Some(last - 1), ..query(all) });
    let of_sql = format!("SELECT {COLUMNS} FROM e WHERE millis BETWEEN {middle} AND {last} - 1");
    assert_eq!(listed(&late), sorted(rows(&sql, &of_sql)));
    let few = ask(&mut session, &ExemplarQuery { limit: 3, ..query(all) });
    let whole = ask(&mut session, &query(all));
    assert_eq!((few.list.as_slice(), few.total), (&whole.list[..3], whole.list.len() as u64));
    let unknown = "SELECT count(*) FROM e WHERE trace_id NOT IN (SELECT trace_id FROM spans)";
    let without = whole.list.iter().filter(|found| !found.has_trace).count();
    assert_eq!(rows(&sql, unknown), [[without.to_string()]]);
}

#[test]
fn tokens_of_a_metric_have_their_exemplars_under_the_documented_name_too() {
    let (mut session, sql) = imported(&[POINTS]);
    let recorded = sorted(rows(&sql, &format!("SELECT {COLUMNS} FROM e WHERE metric = 'gen_ai.client.token.usage'")));
    assert_eq!(listed(&ask(&mut session, &query("llama_stack_tokens_total"))), recorded);
    // With the spans in the file, these count the tokens, and no point does.
    let (mut session, _) = imported(&[SPANS, POINTS]);
    assert_eq!(ask(&mut session, &query("llama_stack_tokens_total")).total, 0);
}

#[test]
fn a_delta_and_an_exponential_histogram_have_exemplars_and_a_repeated_one_is_listed_once() {
    let exemplar =
        r#"{"timeUnixNano":"1700000001500000000","asInt":"7","traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331"}"#;
    let point = |at: &str| {
        format!(
            r#"{{"startTimeUnixNano":"1700000000000000000","timeUnixNano":"{at}","count":"1","sum":7,"scale":0,"zeroCount":"0",
            "positive":{{"offset":2,"bucketCounts":["1"]}},"exemplars":[{exemplar},{{"asDouble":2.5}},{{"timeUnixNano":"5"}}]}}"#
        )
    };
    let points = [point("1700000002000000000"), point("1700000003000000000")].join(",");
    let body = format!(
        r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"app.time","unit":"s","exponentialHistogram":
        {{"aggregationTemporality":2,"dataPoints":[{points}]}}}}]}}]}}]}}"#
    );
    let (bytes, _) = import_bytes(&[("metrics.json", body.as_bytes())]);
    let found = ask(&mut session_of(bytes), &query("sum(rate(app_time_seconds[5m]))"));
    let short = |found: &quipu::metrics::Exemplar| (found.at_millis, found.value, found.trace_id.clone(), found.labels.len());
    // One without a time has the time of its point; one without a value is none.
    let expected = [
        (1_700_000_003_000, 2.5, String::new(), 1),
        (1_700_000_002_000, 2.5, String::new(), 1),
        (1_700_000_001_500, 7.0, "0af7651916cd43dd8448eb211c80319c".to_owned(), 1),
    ];
    assert_eq!((found.list.iter().map(short).collect::<Vec<_>>(), found.total), (expected.to_vec(), 3));
}

#[test]
fn the_page_shows_exemplars_below_an_answer_with_links_to_their_spans() {
    let (session, sql) = imported(&[SPANS, POINTS]);
    let input = session.metrics_input().expect("the file can be read").expect("the index is complete");
    let mut metrics = quipu::metrics::Metrics::new(input);
    let mut links = |asked: &str, over_time: bool| {
        let query = PromqlQuery { query: asked.into(), start: None, end: None, step: None, options: MetricOptions::default() };
        let page = metrics.answer(RunPromql { query, over_time }).expect("an answer").expect("a page");
        let mut found = Vec::new();
        page.table.iter().for_each(|node| traces_in(node, &mut found));
        (found, format!("{:?}", page.table).contains("Exemplars"))
    };
    let of_sql = "SELECT trace_id || '/' || span_id FROM e WHERE metric = 'ogx.requests_total' ORDER BY millis DESC";
    let recorded: Vec<String> = rows(&sql, of_sql).concat();
    assert_eq!(links("sum(ogx_requests_total)", true), (recorded.clone(), true));
    assert_eq!(links("sum(ogx_requests_total)", false), (recorded, true));
    assert_eq!(links("http_server_active_requests", true), (Vec::new(), false));
    let (all, _) = links("{__name__=~\".+\"}", true);
    assert_eq!(all.len(), 100);
}

/// Where the links in a node lead.
fn traces_in(node: &Node, found: &mut Vec<String>) {
    if let Node::El(element) = node {
        found.extend(element.attrs.iter().filter(|(attr, _)| *attr == Attr::Trace).map(|(_, place)| place.clone()));
        element.inside.iter().for_each(|node| traces_in(node, found));
    }
}

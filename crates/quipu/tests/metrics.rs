//! Metrics of real files against sums by plain SQL.

use crate::support::{open, sql};
use quipu::metrics::{
    CountedRequests, MetricOptions, Metrics, MetricsInput, Overview, OverviewQuery, PointQuery, PointSpans, PromqlQuery, TokensBy,
};
use quipu::model::PriceTable;
use quipu::promql::{PromqlAnswer, PromqlSeries};
use quipu::protocol::{GetFile, ListColumn, ListTraces, NameSpans, SetPrices, TraceOrder, TraceQuery};
use quipu::{Session, promql::PromqlError};
use quipu_tests::failures::FAILED;
use rusqlite::Connection;
use std::collections::BTreeMap;

const RECORDED: &str = "samples/metrics_0.2.23.db";
const DERIVED: &str = "samples/agent_0.2.15.db";

/// Metric events with their labels, extracted without the core.
const EVENTS: &str = "CREATE TEMP VIEW e AS SELECT substr(name, 8) AS metric, json_extract(attributes, '$.value') AS value,
    json_extract(attributes, '$.model_id') AS model, json_extract(attributes, '$.provider_id') AS provider,
    unixepoch(substr(timestamp, 1, 19)) + CAST('0' || substr(timestamp, 20) AS REAL) AS at
    FROM main.span_events WHERE name LIKE 'metric.%'";

fn ask_with(session: &mut Session, query: &str, end: Option<i64>, options: MetricOptions) -> Result<PromqlAnswer, PromqlError> {
    let query = PromqlQuery { query: query.into(), start: None, end, step: None, options };
    session.query_promql(&query).expect("the file can be read")
}

fn ask(session: &mut Session, query: &str) -> PromqlAnswer {
    ask_with(session, query, None, MetricOptions::default()).expect("an answer")
}

fn label<'s>(series: &'s PromqlSeries, name: &str) -> &'s str {
    series.labels.iter().find(|(label, _)| label == name).map_or("", |(_, value)| value)
}

fn by_label(answer: &PromqlAnswer, name: &str) -> BTreeMap<String, f64> {
    answer.series().iter().map(|series| (label(series, name).to_owned(), series.points[0].value)).collect()
}

fn sums(connection: &Connection, sql: &str) -> BTreeMap<String, f64> {
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("SQL");
    rows.map(|row| row.expect("a row")).collect()
}

fn number(answer: &PromqlAnswer) -> f64 {
    match answer.series() {
        [only] => only.points[0].value,
        other => panic!("{} series", other.len()),
    }
}

#[test]
fn documented_counters_are_the_sums_of_recorded_events() {
    let (mut session, file) = (open(RECORDED), sql(RECORDED, EVENTS));
    for (documented, recorded) in [
        ("llama_stack_prompt_tokens_total", "prompt_tokens"),
        ("llama_stack_completion_tokens_total", "completion_tokens"),
        ("llama_stack_tokens_total", "total_tokens"),
    ] {
        let expected = sums(&file, &format!("SELECT model, sum(value) FROM e WHERE metric = '{recorded}' GROUP BY model"));
        assert!(!expected.is_empty());
        let query = format!("sum by (model_id) ({documented}{{source=\"\"}})");
        assert_eq!(by_label(&ask(&mut session, &query), "model_id"), expected, "{documented}");
        assert_eq!(by_label(&ask(&mut session, &format!("sum by (model_id) ({recorded})")), "model_id"), expected, "{recorded}");
        let providers = sums(&file, &format!("SELECT provider, sum(value) FROM e WHERE metric = '{recorded}' GROUP BY provider"));
        assert_eq!(by_label(&ask(&mut session, &format!("sum by (provider_id) ({recorded})")), "provider_id"), providers);
    }
}

#[test]
fn a_counter_shows_what_was_recorded_until_the_scrape() {
    let (mut session, file) = (open(RECORDED), sql(RECORDED, EVENTS));
    let (first, last): (f64, f64) =
        file.query_row("SELECT min(at), max(at) FROM e", [], |row| Ok((row.get(0)?, row.get(1)?))).expect("times");
    let scrapes = (first / 15.0).floor() as i64..=(last / 15.0).ceil() as i64;
    for scrape in scrapes {
        let at = scrape * 15;
        let expected: Option<f64> = file
            .query_row("SELECT sum(value) FROM e WHERE metric = 'total_tokens' AND at <= ?1", [at as f64], |row| row.get(0))
            .expect("a sum");
        let answer = ask_with(&mut session, "sum(total_tokens)", Some(at * 1_000), MetricOptions::default()).expect("an answer");
        assert_eq!(number(&answer), expected.unwrap_or(0.0), "at {at}");
        // Nothing changes until the next scrape.
        let later = ask_with(&mut session, "sum(total_tokens)", Some(at * 1_000 + 14_999), MetricOptions::default()).expect("an answer");
        assert_eq!(number(&later), expected.unwrap_or(0.0), "14 seconds after {at}");
    }
}

#[test]
fn counters_begin_at_zero_and_end_one_scrape_behind_the_last_event() {
    let mut session = open(RECORDED);
    let catalog = session.list_metrics(MetricOptions::default()).expect("a catalogue");
    let (first, last) = catalog.extent.expect("there are series");
    let at = |session: &mut Session, at: i64| {
        let answer = ask_with(session, "sum(quipu_span_duration_seconds_count)", Some(at), MetricOptions::default()).expect("an answer");
        answer.series().first().map(|series| series.points[0].value)
    };
    assert_eq!((at(&mut session, first - 1), at(&mut session, first)), (None, Some(0.0)));
    let end =
        sql(RECORDED, "").query_row("SELECT max(unixepoch(end_time)) FROM main.spans", [], |row| row.get::<_, i64>(0)).expect("a time");
    assert!(last % 15_000 == 0 && last > end * 1_000 && last <= end * 1_000 + 30_000, "{last} and {end}");
    let spans = sql(RECORDED, "").query_row("SELECT count(*) FROM main.spans", [], |row| row.get::<_, f64>(0)).expect("a count");
    assert_eq!(at(&mut session, last), Some(spans));
    assert_eq!(at(&mut session, last + 300_000), None, "series end; five minutes later nothing is found");
}

#[test]
fn exact_increases_are_plain_sums_over_the_window() {
    let (mut session, file) = (open(RECORDED), sql(RECORDED, EVENTS));
    let exact = MetricOptions { exact: true, ..MetricOptions::default() };
    let (first, last): (f64, f64) =
        file.query_row("SELECT min(at), max(at) FROM e", [], |row| Ok((row.get(0)?, row.get(1)?))).expect("times");
    let middle = ((first + last) / 2.0) as i64;
    for window in [7, 30, 90] {
        let expected: f64 = file
            .query_row(
                "SELECT coalesce(sum(value), 0) FROM e WHERE metric = 'total_tokens' AND at > ?1 AND at <= ?2",
                [(middle - window) as f64, middle as f64],
                |row| row.get(0),
            )
            .expect("a sum");
        let query = format!("sum(increase(total_tokens[{window}s]))");
        // A window without a scrape has no series.
        if let Some(series) = ask_with(&mut session, &query, Some(middle * 1_000), exact).expect("an answer").series().first() {
            assert_eq!(series.points[0].value, expected, "{window} seconds");
        }
        let rate = ask_with(&mut session, &format!("sum(rate(total_tokens[{window}s]))"), Some(middle * 1_000), exact).expect("an answer");
        if let Some(series) = rate.series().first() {
            assert!((series.points[0].value * window as f64 - expected).abs() < 1e-6);
        }
    }
    let whole = ask_with(&mut session, "sum(increase(total_tokens[1h]))", None, exact).expect("an answer");
    let expected: f64 = file.query_row("SELECT sum(value) FROM e WHERE metric = 'total_tokens'", [], |row| row.get(0)).expect("a sum");
    assert_eq!(number(&whole), expected);
}

#[test]
fn counts_that_outputs_carry_are_derived_and_say_so() {
    let mut session = open(DERIVED);
    let recorded = ask(&mut session, "count(llama_stack_tokens_total{source=\"\"}) or vector(0)");
    assert_eq!(number(&recorded), 0.0, "0.2.15 records no metric events");
    // In outputs of 0.2.15 the counts are JSON inside JSON.
    let file = sql(DERIVED, "");
    let expected: f64 = file
        .query_row(
            "SELECT sum(m.value ->> '$.value') FROM main.spans s, json_each(
                CASE WHEN json_valid(s.attributes ->> '$.output') THEN (s.attributes ->> '$.output') ELSE '{}' END, '$.metrics') m
             WHERE s.name LIKE 'InferenceRouter.%' AND m.value ->> '$.metric' = 'total_tokens'",
            [],
            |row| row.get::<_, Option<f64>>(0),
        )
        .expect("a sum")
        .unwrap_or(0.0);
    let answer = ask(&mut session, "sum(llama_stack_tokens_total{source=\"derived\"})");
    let counted: f64 = number(&answer);
    assert!(counted >= expected && counted > 0.0, "{counted} and {expected}");
}

#[test]
fn requests_are_labelled_by_whether_they_have_counts() {
    for file in [RECORDED, DERIVED] {
        let mut session = open(file);
        let by_tokens = by_label(&ask(&mut session, "sum by (tokens) (quipu_inference_requests_total)"), "tokens");
        let of = |word: &str| by_tokens.get(word).copied().unwrap_or(0.0) as u64;
        let counted = session.list_metrics(MetricOptions::default()).expect("a catalogue").requests;
        assert_eq!(counted, CountedRequests { recorded: of("recorded"), derived: of("derived"), uncounted: of("none") });
        assert!(counted.uncounted > 0 && counted.recorded + counted.derived > 0, "{file}: {counted:?}");
    }
}

#[test]
fn requests_failures_and_durations_are_those_of_spans() {
    let (mut session, file) = (open(RECORDED), sql(RECORDED, ""));
    let requests = "SELECT name, count(*) FROM main.spans WHERE attributes ->> '$.__root__' = 1 GROUP BY name";
    assert_eq!(by_label(&ask(&mut session, "sum by (span_name) (quipu_requests_total)"), "span_name"), sums(&file, requests));
    let spans = "SELECT name, count(*) FROM main.spans GROUP BY name";
    let counts = ask(&mut session, "sum by (span_name) (quipu_span_duration_seconds_count)");
    assert_eq!(by_label(&counts, "span_name"), sums(&file, spans));
    let seconds = "(unixepoch(substr(end_time, 1, 19)) - unixepoch(substr(start_time, 1, 19))
        + CAST('0' || substr(end_time, 20) AS REAL) - CAST('0' || substr(start_time, 20) AS REAL))";
    for (le, bound) in [("0.005", 0.005), ("0.5", 0.5), ("1.0", 1.0)] {
        let expected = sums(&file, &format!("SELECT name, sum(round({seconds}, 6) <= {bound}) FROM main.spans GROUP BY name"));
        let answer = ask(&mut session, &format!("sum by (span_name) (quipu_span_duration_seconds_bucket{{le=\"{le}\"}})"));
        assert_eq!(by_label(&answer, "span_name"), expected, "le {le}");
    }
    let total: f64 = file.query_row(&format!("SELECT sum({seconds}) FROM main.spans"), [], |row| row.get(0)).expect("a sum");
    let found = number(&ask(&mut session, "sum(quipu_span_duration_seconds_sum)"));
    assert!((found - total).abs() < 1e-3, "{found} and {total}");
    let errors = format!("SELECT name, count(*) FROM main.spans WHERE {FAILED} GROUP BY name");
    assert_eq!(by_label(&ask(&mut session, "quipu_errors_total"), "span_name"), sums(&file, &errors));
}

#[test]
fn labels_are_merged_only_when_that_is_asked_for() {
    let mut session = open(RECORDED);
    let models = |session: &mut Session, merge_labels: bool| {
        let options = MetricOptions { merge_labels, ..MetricOptions::default() };
        let answer = ask_with(session, "count by (model_id) ({model_id!=\"\"})", None, options).expect("an answer");
        by_label(&answer, "model_id").into_keys().collect::<Vec<_>>()
    };
    let apart = models(&mut session, false);
    assert!(apart.contains(&"vllm/fake/Llama-3.2-3B".to_owned()) && apart.contains(&"fake/Llama-3.2-3B".to_owned()), "{apart:?}");
    let merged = models(&mut session, true);
    assert!(merged.iter().all(|model| !model.starts_with("vllm/")) && merged.contains(&"fake/Llama-3.2-3B".to_owned()), "{merged:?}");
    let total = |session: &mut Session, merge_labels: bool| {
        let options = MetricOptions { merge_labels, ..MetricOptions::default() };
        number(&ask_with(session, "sum(llama_stack_tokens_total)", None, options).expect("an answer"))
    };
    assert_eq!(total(&mut session, false), total(&mut session, true));
}

#[test]
fn the_spans_behind_a_point_add_up_to_it() {
    let mut session = open(RECORDED);
    let end = session.list_metrics(MetricOptions::default()).expect("a catalogue").extent.expect("series").1;
    let exact = MetricOptions { exact: true, ..MetricOptions::default() };
    let query = "sum by (model_id) (increase(llama_stack_tokens_total[1h]))";
    let answer = ask_with(&mut session, query, Some(end), exact).expect("an answer");
    assert!(answer.series().len() > 1);
    for series in answer.series() {
        let question = PointQuery {
            query: query.into(),
            labels: series.labels.clone(),
            at_millis: end,
            step_millis: 60_000,
            limit: 10_000,
            options: exact,
        };
        let behind: PointSpans = session.list_point_spans(&question).expect("a file").expect("an answer");
        assert_eq!(behind.spans.iter().map(|span| span.amount).sum::<f64>(), series.points[0].value, "{:?}", series.labels);
        assert!(behind.spans.windows(2).all(|pair| pair[0].at_millis >= pair[1].at_millis), "latest first");
        let few = session.list_point_spans(&PointQuery { limit: 2, ..question }).expect("a file").expect("an answer");
        assert_eq!((few.spans.as_slice(), few.total), (&behind.spans[..2.min(behind.spans.len())], behind.total));
        for span in &few.spans {
            assert_eq!(session.trace_of_span(&span.span_id).expect("the span is there"), span.trace_id);
        }
    }
}

#[test]
fn available_metrics_are_listed() {
    let mut session = open(RECORDED);
    let catalog = session.list_metrics(MetricOptions::default()).expect("a catalogue");
    let names: Vec<&str> = catalog.metrics.iter().map(|metric| metric.name.as_str()).collect();
    for name in [
        "llama_stack_tokens_total",
        "total_tokens",
        "quipu_requests_total",
        "quipu_span_duration_seconds_bucket",
    ] {
        assert!(names.contains(&name), "{names:?}");
    }
    // Everything that is listed can be queried.
    for name in names {
        ask_with(&mut session, &format!("count({name})"), None, MetricOptions::default()).expect("an answer");
    }
    let label = |name: &str| catalog.labels.iter().find(|label| label.name == name).map(|label| label.values.clone()).unwrap_or_default();
    assert!(label("model_id").contains(&"fake/Llama-3.2-3B".to_owned()) && label("status") == ["error", "ok"]);
    assert!(label("span_name").contains(&"InferenceRouter.chat_completion".to_owned()) && label("le").len() == 16);
}

#[test]
fn too_many_steps_and_invalid_queries_are_refused_with_a_message() {
    let mut session = open(RECORDED);
    let steps =
        PromqlQuery { query: "1".into(), start: Some(0), end: Some(11_000_000), step: Some(1_000), options: MetricOptions::default() };
    let error = session.query_promql(&steps).expect("a file").expect_err("too many steps");
    insta::assert_snapshot!(error, @"The range has 11001 steps; at most 11000 are supported. Use a longer step or a shorter range.");
    let mut refuse = |query: &str| {
        let error = ask_with(&mut session, query, None, MetricOptions::default()).expect_err("a mistake");
        format!("{}\n{error}\n", error.drawing(query))
    };
    let queries = [
        "rate(total_tokens)",
        "sum by (model_id total_tokens",
        "total_tokens{model_id=llama}",
        "total_tokens{model_id=\"llama}",
        "rat(total_tokens[5m])",
        "total_tokens[5m",
        "rate(sum(total_tokens)[5m])",
        "info(total_tokens)",
        "1 + ",
        "total_tokens == ",
        "sum(total_tokens) foo",
        "topk(total_tokens)",
        "1 == 1",
        "\"a\" + 1",
        "{}",
        "",
        "total_tokens / on () llama_stack_tokens_total",
    ];
    let told: Vec<String> = queries.iter().map(|query| refuse(query)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// Durations as recorded, to the microsecond. Which spans failed is taken from the index.
const DURATIONS: &str = "CREATE TEMP VIEW d AS SELECT name, json_extract(attributes, '$.__root__') IS 1 AS is_request,
    unixepoch(substr(start_time, 1, 19)) * 1000000 + CAST(round(CAST('0' || substr(start_time, 20, 7) AS REAL) * 1000000) AS INTEGER) AS start_us,
    unixepoch(substr(end_time, 1, 19)) * 1000000 + CAST(round(CAST('0' || substr(end_time, 20, 7) AS REAL) * 1000000) AS INTEGER) AS end_us
    FROM main.spans";

fn overview_of(session: &mut Session, window: Option<(i64, i64)>, by: TokensBy) -> Overview {
    session.overview(&OverviewQuery { window, bars: 60, by, options: MetricOptions::default() }).expect("the file can be read")
}

#[test]
fn the_overview_equals_counts_by_sql() {
    let (mut session, file) = (open(RECORDED), sql(RECORDED, EVENTS));
    let overview = overview_of(&mut session, None, TokensBy::Provider);
    let expected = sums(&file, "SELECT provider, sum(value) FROM e WHERE metric = 'total_tokens' GROUP BY provider");
    let totals = overview.tokens.iter().filter(|share| !share.name.is_empty());
    assert_eq!(totals.map(|share| (share.name.clone(), share.total.unwrap_or_default())).collect::<BTreeMap<_, _>>(), expected);
    for share in &overview.tokens {
        let sums = share.bars.each_ref().map(|bars| bars.iter().sum::<f64>());
        assert_eq!(sums, [share.prompt, share.completion, share.total].map(Option::unwrap_or_default), "{}", share.name);
    }

    let file = sql(RECORDED, DURATIONS);
    let routes = sums(&file, "SELECT name, count(*) FROM d WHERE is_request GROUP BY name");
    assert_eq!(overview.routes.iter().map(|route| (route.route.clone(), route.requests as f64)).collect::<BTreeMap<_, _>>(), routes);
    assert_eq!(overview.requests.iter().flatten().sum::<f64>(), routes.values().sum::<f64>());
}

#[test]
fn latencies_of_a_window_are_those_of_its_spans() {
    let (mut session, file) = (open(DERIVED), sql(DERIVED, DURATIONS));
    let ends: Vec<i64> = {
        let mut statement = file.prepare("SELECT end_us FROM d ORDER BY end_us").expect("SQL");
        statement.query_map([], |row| row.get(0)).expect("SQL").map(|end| end.expect("a row")).collect()
    };
    let middle = ends[ends.len() / 2] / 1_000;
    for window in [None, Some((middle - 2_000, middle)), Some((middle, middle + 500))] {
        let overview = overview_of(&mut session, window, TokensBy::Model);
        // Events within a millisecond are seen at its end.
        let (from, to) = window.map_or((i64::MIN, i64::MAX), |(from, to)| (from * 1_000, to * 1_000));
        let mut durations: BTreeMap<String, Vec<u64>> = BTreeMap::new();
        let mut statement =
            file.prepare("SELECT name, end_us, end_us - start_us FROM d WHERE end_us > ?1 AND end_us <= ?2 ORDER BY 3").expect("SQL");
        let mut rows = statement.query([from, to]).expect("SQL");
        while let Some(row) = rows.next().expect("a row") {
            durations.entry(row.get(0).expect("a name")).or_default().push(row.get::<_, i64>(2).expect("a time") as u64 * 1_000);
        }
        assert!(!durations.is_empty() && overview.latencies.len() == durations.len(), "{window:?}");
        for latency in &overview.latencies {
            let sorted = &durations[&latency.name];
            let rank = |percent: usize| Some(sorted[(sorted.len() * percent).div_ceil(100) - 1]);
            let expected = (sorted.len() as u64, rank(50), rank(95), rank(99), sorted.last().copied());
            assert_eq!((latency.spans, latency.median, latency.p95, latency.p99, latency.max), expected, "{} in {window:?}", latency.name);
        }
    }
}

#[test]
fn an_engine_with_the_metrics_input_answers_like_the_session() {
    for file in [RECORDED, DERIVED] {
        let mut session = open(file);
        while !session.step(&mut || false).expect("the file can be read").done {}
        let bytes = session.metrics_input().expect("the file can be read").expect("the index is complete").to_bytes();
        let elsewhere = Metrics::new(MetricsInput::from_bytes(&bytes).expect("metrics input"));
        for query in ["llama_stack_tokens_total", "quipu_span_duration_seconds_sum * 2", "{__name__=~\"quipu.*\"}"] {
            let query = PromqlQuery { query: query.into(), start: None, end: None, step: Some(15_000), options: MetricOptions::default() };
            let (here, there) = (session.query_promql(&query).expect("the file can be read"), elsewhere.query(&query, &Default::default()));
            assert!(here.as_ref().is_ok_and(|answer| !answer.series().is_empty()));
            assert_eq!(here, there);
        }
        let behind = |query: &str| PointQuery {
            query: query.into(),
            labels: Vec::new(),
            at_millis: i64::MAX / 4,
            step_millis: i64::MAX / 4,
            limit: 1_000,
            options: MetricOptions::default(),
        };
        let query = behind("quipu_requests_total");
        let rows: Vec<u32> =
            elsewhere.point_amounts(&query, &Default::default()).expect("a query").amounts.iter().map(|amount| amount.row).collect();
        let named = session.ask(NameSpans(rows)).expect("no names");
        let spans = session.list_point_spans(&query).expect("the file can be read").expect("a query").spans;
        let ids = spans.iter().map(|span| (&span.trace_id, &span.span_id));
        assert!(!spans.is_empty() && named.iter().map(|span| (&span.trace_id, &span.span_id)).eq(ids));
    }
}

#[test]
fn costs_follow_the_readers_prices_in_lists_traces_and_spans() {
    let mut session = open(DERIVED);
    let list =
        |session: &mut Session| session.ask(ListTraces(TraceQuery { limit: 1_000, ..TraceQuery::default() })).expect("an answer").rows;
    assert!(list(&mut session).iter().all(|row| row.tokens.is_none_or(|tokens| tokens.cost.is_none())), "Nothing costs anything at first.");
    session.ask(SetPrices(PriceTable::from_text("$\n*Llama-Guard*\t2\t10"))).expect("prices are taken");
    let rows = list(&mut session);
    let mut priced = 0;
    for row in &rows {
        let Some(tokens) = row.tokens else { continue };
        let (Some(prompt), Some(completion), Some(cost)) = (tokens.prompt, tokens.completion, tokens.cost) else { continue };
        priced += 1;
        // Prices are per million tokens, costs in billionths.
        assert_eq!(cost.nanos, prompt * 2_000 + completion * 10_000, "{}", row.trace_id);
        assert_eq!(cost.unit.as_str(), "$");
    }
    assert!(priced > 0, "No trace has a cost.");
    let file = session.ask(GetFile).expect("no file");
    let whole: u64 = rows.iter().filter_map(|row| row.tokens?.cost).map(|cost| cost.nanos).sum();
    let cost = file.tokens.and_then(|tokens| tokens.cost).expect("a cost");
    assert_eq!(cost.nanos, whole);
    let uncounted = file.tokens.is_some_and(|tokens| tokens.counted < tokens.requests);
    assert_eq!(cost.is_least, uncounted, "Requests without a count make it a lower bound.");
    let order = TraceOrder { column: ListColumn::Cost, descending: true };
    let page = session.ask(ListTraces(TraceQuery { order, limit: 1_000, ..TraceQuery::default() })).expect("no list");
    let costs: Vec<u64> = page.rows.iter().filter_map(|row| Some(row.tokens?.cost?.nanos)).collect();
    assert!(costs.is_sorted_by(|one, other| one >= other) && costs.len() >= priced);
}

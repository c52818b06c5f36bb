//! The sinks `otel_trace` and `otel_metric` against a local collector. Requests are decoded with OpenTelemetry's generated code and
//! compared with what real servers sent.

use crate::support::{Replayed, TTL, events_of, time};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::{Metric, Sum, metric};
use opentelemetry_proto::tonic::trace::v1::{Span, span};
use prost::Message;
use quipu::model::{Event, Primitive, StructuredLogPayload};
use quipu_telemetry::config::SinkKind;
use quipu_telemetry::otlp::{Client, OtlpMetricSink, OtlpTraceSink, Schedule, Settings, Signal, source};
use quipu_telemetry::{InferenceSpan, SqliteSink, Telemetry, TelemetryBuilder, TelemetryConfig, Usage, Warning};
use quipu_tests::Scratch;
use quipu_tests::collector::{Answer, Collector, Request};
use quipu_tests::fixtures::{SMALL, open_as_it_lies, repository};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const UNAVAILABLE: Answer = Answer("503 Service Unavailable\r\n", b"");

/// Long intervals, so that nothing is sent unless requested.
const SLOW: Schedule = Schedule { delay: Duration::from_secs(3_600), batch: 512, interval: Duration::from_secs(3_600) };

fn client(endpoint: &str, signal: Signal) -> Client {
    Client::new(Settings::to_endpoint(signal, "endpoint", endpoint, &|_| None).expect("valid")).expect("usable")
}

fn traces(endpoint: &str, schedule: Schedule, patience: Duration) -> (TelemetryBuilder, Arc<Mutex<Vec<Warning>>>) {
    let (client, warnings) = (client(endpoint, Signal::Traces), Arc::new(Mutex::new(Vec::new())));
    let theirs = warnings.clone();
    let builder = Telemetry::builder()
        .on_warning(move |warning| theirs.lock().expect("whole").push(warning.clone()))
        .sink(move || OtlpTraceSink::with_patience(client, source("my-agent", &|_| None), schedule, patience));
    (builder, warnings)
}

fn log(telemetry: &Telemetry, span_id: &str, payload: &str) {
    let body = format!(
        r#"{{"type": "structured_log", "trace_id": "{TRACE}", "span_id": "{span_id}", "timestamp": 1767607200, "payload": {payload}}}"#
    );
    telemetry.log_event(serde_json::from_str(&body).expect("an event"), 60).expect("taken");
}

fn log_span(telemetry: &Telemetry, span_id: &str) {
    log(telemetry, span_id, r#"{"type": "span_start", "name": "n"}"#);
    log(telemetry, span_id, r#"{"type": "span_end", "status": "ok"}"#);
}

fn spans_of(request: &Request) -> Vec<Span> {
    let message = ExportTraceServiceRequest::decode(request.message().as_slice()).expect("a request");
    let scopes = message.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
    scopes.flat_map(|scope| scope.spans).collect()
}

fn metrics_of(request: &Request) -> Vec<Metric> {
    let message = ExportMetricsServiceRequest::decode(request.message().as_slice()).expect("a request");
    let scopes = message.resource_metrics.into_iter().flat_map(|resource| resource.scope_metrics);
    scopes.flat_map(|scope| scope.metrics).collect()
}

fn text(attributes: &[KeyValue], key: &str) -> Option<String> {
    let value = attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    if let Value::StringValue(text) = value { Some(text) } else { panic!("{key} is no text") }
}

/// The span without its times, and the times: start, end and those of the events.
fn timeless_span(mut span: Span) -> (Span, Vec<u64>) {
    let mut times = vec![std::mem::take(&mut span.start_time_unix_nano), std::mem::take(&mut span.end_time_unix_nano)];
    times.extend(span.events.iter_mut().map(|event| std::mem::take(&mut event.time_unix_nano)));
    (span, times)
}

/// Adds the caller's context, which Llama Stack takes from the attributes.
fn with_context(start: &mut Event, expected: &Span) {
    let Event::StructuredLog(start) = start else { panic!("a start") };
    if expected.flags != 0x300 {
        return;
    }
    let StructuredLogPayload::SpanStart(payload) = &mut start.payload else { panic!("a start") };
    let parent = payload.parent_span_id.take().expect("a caller");
    let mut set = |key: &str, value: String| start.attributes.set(key.to_owned(), Primitive::Text(value));
    set("traceparent", format!("00-{}-{parent}-01", start.trace_id));
    set("tracestate", expected.trace_state.clone());
}

#[test]
fn the_events_of_a_server_arrive_as_its_own_sink_sent_them() {
    let collector = Collector::start(Vec::new());
    let (builder, warnings) = traces(&collector.endpoint(), Schedule { batch: 50, ..SLOW }, Duration::from_secs(60));
    let telemetry = builder.start().expect("it starts");
    let recorded = std::fs::read(repository().join("tests/fixtures/otlp/small_0.2.15_traces.binpb")).expect("the fixture");
    let recorded = ExportTraceServiceRequest::decode(recorded.as_slice()).expect("requests behind each other are one");
    let expected = recorded.resource_spans.iter().flat_map(|resource| &resource.scope_spans).flat_map(|scope| &scope.spans);
    let expected: Vec<_> = expected.cloned().map(timeless_span).collect();

    let mut replayed = events_of(&open_as_it_lies(&SMALL.path()).expect("the fixture"));
    for (span, (expected, _)) in replayed.iter_mut().zip(&expected) {
        with_context(&mut span.start, expected);
    }
    // Parents start before their children and end after them.
    let mut starts: Vec<Event> = replayed.iter().rev().map(|span| span.start.clone()).collect();
    starts.sort_by_key(|start| if let Event::StructuredLog(start) = start { start.timestamp.at } else { panic!("a start") });
    let rest = replayed.into_iter().flat_map(|Replayed { inside, end, .. }| inside.into_iter().chain([end]));
    for event in starts.into_iter().chain(rest) {
        telemetry.log_event(event, TTL).expect("there is room");
    }
    telemetry.shutdown().expect("all is sent");
    assert_eq!(*warnings.lock().expect("whole"), []);
    let requests = collector.requests();
    assert!(requests.iter().all(|request| request.target == "POST /v1/traces" && !spans_of(request).is_empty()));
    assert!(requests.iter().all(|request| spans_of(request).len() <= 50));
    let scope = &recorded.resource_spans[0].scope_spans[0].scope.as_ref().expect("a scope").name;
    let sent = ExportTraceServiceRequest::decode(requests[0].message().as_slice()).expect("a request");
    assert_eq!(&sent.resource_spans[0].scope_spans[0].scope.as_ref().expect("a scope").name, scope);
    let resource = sent.resource_spans[0].resource.as_ref().expect("a resource");
    assert_eq!(text(&resource.attributes, "service.name").as_deref(), Some("my-agent"));
    assert_eq!(text(&resource.attributes, "telemetry.sdk.language").as_deref(), Some("rust"));

    let found: Vec<_> = requests.iter().flat_map(spans_of).map(timeless_span).collect();
    assert_eq!(expected.len(), 136);
    assert_eq!(found.len(), expected.len());
    for ((expected, expected_times), (found, times)) in expected.iter().zip(&found) {
        assert_eq!(expected, found);
        // The events come from the database, where times are rounded to microseconds.
        assert!(
            expected_times.iter().zip(times).all(|(expected, found)| expected.abs_diff(*found) <= 1_000),
            "{expected_times:?} {times:?}"
        );
    }
}

#[test]
fn every_kind_of_value_and_a_failure_keep_their_types() {
    let collector = Collector::start(Vec::new());
    let (builder, _) = traces(&collector.endpoint(), SLOW, Duration::from_secs(60));
    let telemetry = builder.start().expect("it starts");
    let start = r#"{"type": "structured_log", "trace_id": "ABC", "span_id": "7", "timestamp": "2026-01-05T10:00:00.000000001Z",
        "attributes": {"text": "Köln", "yes": true, "whole": -3, "real": 5.0, "none": null},
        "payload": {"type": "span_start", "name": "n", "parent_span_id": "ff"}}"#;
    telemetry.log_event(serde_json::from_str(start).expect("an event"), 60).expect("taken");
    let end = r#"{"type": "structured_log", "trace_id": "ABC", "span_id": "7", "timestamp": "2026-01-05T10:00:01Z",
        "payload": {"type": "span_end", "status": "error"}}"#;
    telemetry.log_event(serde_json::from_str(end).expect("an event"), 60).expect("taken");
    telemetry.flush().expect("sent");
    let [span] = spans_of(&collector.requests()[0]).try_into().expect("one");
    assert_eq!((span.trace_id, span.span_id), (vec![0; 14].into_iter().chain([0x0a, 0xbc]).collect(), vec![0, 0, 0, 0, 0, 0, 0, 7]));
    assert_eq!(span.parent_span_id, [0, 0, 0, 0, 0, 0, 0, 0xff]);
    assert_eq!((span.start_time_unix_nano, span.end_time_unix_nano), (1_767_607_200_000_000_001, 1_767_607_201_000_000_000));
    assert_eq!((span.kind, span.status.expect("one").code), (span::SpanKind::Internal as i32, 2));
    let values: BTreeMap<String, Value> =
        span.attributes.into_iter().map(|attribute| (attribute.key, attribute.value.expect("some").value.expect("some"))).collect();
    let expected = [
        ("__ttl__", Value::IntValue(60)),
        ("real", Value::DoubleValue(5.0)),
        ("text", Value::StringValue("Köln".into())),
        ("whole", Value::IntValue(-3)),
        ("yes", Value::BoolValue(true)),
    ];
    assert_eq!(values, expected.map(|(key, value)| (key.to_owned(), value)).into());
}

#[test]
fn what_a_collector_does_not_take_is_kept_and_sent_when_it_does() {
    let collector = Collector::start(vec![UNAVAILABLE]);
    let (builder, warnings) = traces(&collector.endpoint(), SLOW, Duration::from_secs(60));
    let telemetry = builder.start().expect("it starts");
    log_span(&telemetry, "a1");
    let error = telemetry.flush().expect_err("it is away").to_string();
    let words = "/v1/traces answered 503 Service Unavailable. Pending data is kept and sent later.";
    assert!(error.starts_with("Telemetry sink otel_trace: http://") && error.ends_with(words), "{error}");
    log_span(&telemetry, "a2");
    telemetry.flush().expect("it is back");
    telemetry.shutdown().expect("nothing is left");
    let sent: Vec<Vec<u8>> = collector.requests()[1..].iter().flat_map(spans_of).map(|span| span.span_id).collect();
    assert_eq!(sent, [[0, 0, 0, 0, 0, 0, 0, 0xa1], [0, 0, 0, 0, 0, 0, 0, 0xa2]]);
    assert_eq!(warnings.lock().expect("whole").len(), 1, "what is tried again is told once");
}

#[test]
fn a_shutdown_tries_until_its_patience_ends_and_counts_what_is_lost() {
    let gone = Collector::start(Vec::new());
    let endpoint = gone.endpoint();
    drop(gone);
    let (builder, warnings) = traces(&endpoint, SLOW, Duration::from_millis(100));
    let telemetry = builder.start().expect("it starts");
    log_span(&telemetry, "a1");
    log_span(&telemetry, "a2");
    let error = telemetry.shutdown().expect_err("nobody takes it").to_string();
    assert!(error.contains("can't be reached") && error.ends_with("The shutdown timed out. Spans lost: 2."), "{error}");
    let warnings = warnings.lock().expect("whole");
    assert!(matches!(warnings.as_slice(), [Warning::SinkFailed { sink: "otel_trace", lost: 2, .. }]), "{warnings:?}");
}

#[test]
fn a_shutdown_waits_for_a_collector_that_comes_back() {
    let collector = Collector::start(vec![UNAVAILABLE, UNAVAILABLE]);
    let (builder, _) = traces(&collector.endpoint(), SLOW, Duration::from_secs(60));
    let telemetry = builder.start().expect("it starts");
    log_span(&telemetry, "a1");
    telemetry.shutdown().expect("taken at the third try");
    assert_eq!(collector.requests().len(), 3);
}

#[test]
fn a_silent_collector_holds_up_neither_the_file_nor_the_shutdown() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let endpoint = format!("http://{}", silent.local_addr().expect("bound"));
    let (builder, _) = traces(&endpoint, Schedule { batch: 1, ..SLOW }, Duration::from_millis(100));
    let scratch = Scratch::new().expect("a folder");
    let path = scratch.path().join("telemetry.db");
    let file = path.clone();
    let telemetry = builder.sink(move || SqliteSink::open(&path, "my-agent")).start().expect("it starts");
    log_span(&telemetry, "a1");
    let error = telemetry.shutdown().expect_err("nothing is answered").to_string();
    assert_eq!(error, "Telemetry sink otel_trace: The collector is too slow. The shutdown timed out. Spans lost: 1.");
    let spans: i64 = rusqlite::Connection::open(file)
        .and_then(|connection| connection.query_row("SELECT count(*) FROM spans", [], |row| row.get(0)))
        .expect("written");
    assert_eq!(spans, 1);
}

#[test]
fn refused_spans_are_counted_and_told_of() {
    let answers = vec![
        Answer("200 OK\r\ncontent-type: application/x-protobuf\r\n", b"\x0a\x0b\x08\x02\x12\x07no name"),
        Answer("400 Bad Request\r\n", b""),
    ];
    let collector = Collector::start(answers);
    let (builder, warnings) = traces(&collector.endpoint(), SLOW, Duration::from_secs(60));
    let telemetry = builder.start().expect("it starts");
    log_span(&telemetry, "a1");
    let error = telemetry.flush().expect_err("two were refused").to_string();
    assert!(error.ends_with("/v1/traces rejected entries: no name Spans lost: 2."), "{error}");
    log_span(&telemetry, "a2");
    let error = telemetry.flush().expect_err("all were refused").to_string();
    assert!(error.ends_with("/v1/traces answered 400 Bad Request. Spans lost: 1."), "{error}");
    log_span(&telemetry, "no-number");
    // The error may already have been reported.
    let _ = telemetry.flush();
    let warnings: Vec<String> = warnings.lock().expect("whole").iter().map(Warning::to_string).collect();
    assert_eq!(warnings.len(), 3);
    assert!(warnings[2].contains("Spans without hexadecimal ids"), "{warnings:?}");
    assert_eq!(collector.requests().len(), 2);
}

fn metric_sink(collector: &Collector, schedule: Schedule) -> TelemetryBuilder {
    let client = client(&collector.endpoint(), Signal::Metrics);
    Telemetry::builder().sink(move || OtlpMetricSink::start(client, source("my-agent", &|_| None), schedule))
}

fn record(telemetry: &Telemetry, model: &str, prompt: u64, completion: u64) {
    let span = InferenceSpan { trace_id: TRACE, span_id: "a1", at: time("2026-01-05T10:00:00Z") };
    let usage = Usage { prompt_tokens: Some(prompt), completion_tokens: Some(completion), total_tokens: None };
    telemetry.record_inference(span, model, "vllm", usage).expect("taken");
}

/// The metric without its times; the times of its points must be in order.
fn timeless(mut metric: Metric) -> Metric {
    let Some(metric::Data::Sum(sum)) = &mut metric.data else { panic!("no sum") };
    for point in &mut sum.data_points {
        assert!(0 < point.start_time_unix_nano && point.start_time_unix_nano <= point.time_unix_nano);
        (point.start_time_unix_nano, point.time_unix_nano) = (0, 0);
    }
    metric
}

#[test]
fn the_tokens_of_requests_arrive_as_the_counters_of_a_server() {
    let collector = Collector::start(Vec::new());
    let telemetry = metric_sink(&collector, SLOW).start().expect("it starts");
    log(&telemetry, "a1", r#"{"type": "span_start", "name": "n"}"#);
    record(&telemetry, "fake/Llama-3.2-3B", 90, 150);
    record(&telemetry, "fake/Llama-Guard-3-8B", 409, 25);
    telemetry.flush().expect("sent");
    record(&telemetry, "fake/Llama-3.2-3B", 8, 1);
    log(&telemetry, "a1", r#"{"type": "span_end", "status": "ok"}"#);
    telemetry.shutdown().expect("sent");

    let recorded = std::fs::read(repository().join("tests/fixtures/otlp/small_0.2.15_metrics.binpb")).expect("the fixture");
    let recorded = Request { body: recorded, ..Request::default() };
    let requests = collector.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[0].target, "POST /v1/metrics");
    let expected: Vec<Metric> = metrics_of(&recorded).into_iter().map(timeless).collect();
    let found: Vec<Metric> = metrics_of(&requests[1]).into_iter().map(timeless).collect();
    assert_eq!(found, expected, "sums grow from request to request");

    let start = |request: &Request| match &metrics_of(request)[0].data {
        Some(metric::Data::Sum(Sum { data_points, .. })) => data_points[0].start_time_unix_nano,
        _ => panic!("no sum"),
    };
    assert_eq!(start(&requests[0]), start(&requests[1]), "counters begin once");
}

#[test]
fn sums_are_sent_at_their_interval_also_where_nothing_comes() {
    let collector = Collector::start(vec![UNAVAILABLE]);
    let telemetry = metric_sink(&collector, Schedule { interval: Duration::from_millis(20), ..SLOW }).start().expect("it starts");
    log(&telemetry, "a1", r#"{"type": "span_start", "name": "n"}"#);
    record(&telemetry, "m", 3, 4);
    let requests = collector.wait_for(3);
    let values: Vec<_> = requests.iter().map(|request| metrics_of(request).into_iter().map(timeless).collect::<Vec<_>>()).collect();
    assert_eq!(values[0].len(), 3);
    assert_eq!(values[0], values[1], "one that was not taken is made good");
    assert_eq!(values[1], values[2], "who shows a counter must not take it for gone");
}

#[test]
fn a_configuration_with_all_four_sinks_sends_where_it_says() {
    let (collector, own) = (Collector::start(Vec::new()), Collector::start(Vec::new()));
    let scratch = Scratch::new().expect("a folder");
    let file = scratch.path().join("telemetry.db");
    // The example from Llama Stack's documentation, with local addresses.
    let yaml = format!(
        "telemetry:\n- provider_id: meta-reference\n  provider_type: inline::meta-reference\n  config:\n    service_name: \"llama-stack-service\"\n    \
         sinks: ['console', 'sqlite', 'otel_trace', 'otel_metric']\n    otel_exporter_otlp_endpoint: \"{}\"\n    sqlite_db_path: \"{}\"\n",
        collector.endpoint(),
        file.display()
    );
    let metrics = format!("{}/custom", own.endpoint());
    let lookup = move |name: &str| match name {
        "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("http://127.0.0.1:1".to_owned()),
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT" => Some(metrics.clone()),
        "OTEL_EXPORTER_OTLP_HEADERS" => Some("x-team=a%20b".to_owned()),
        "OTEL_EXPORTER_OTLP_COMPRESSION" => Some("gzip".to_owned()),
        "OTEL_RESOURCE_ATTRIBUTES" => Some("deployment.environment=test,broken,service.name=other".to_owned()),
        _ => None,
    };
    let config = TelemetryConfig::from_yaml(&yaml, &lookup).expect("valid");
    assert_eq!(config.sinks, SinkKind::ALL);
    let telemetry = config.builder(lookup).expect("its sinks are there").start().expect("it starts");
    log(&telemetry, "a1", r#"{"type": "span_start", "name": "n"}"#);
    record(&telemetry, "m", 3, 4);
    log(&telemetry, "a1", r#"{"type": "span_end", "status": "ok"}"#);
    telemetry.shutdown().expect("all is written and sent");

    let [traces] = collector.requests().try_into().expect("one: the configured endpoint is used");
    assert_eq!(traces.target, "POST /v1/traces");
    assert_eq!((traces.header("x-team"), traces.header("content-encoding")), (Some("a b"), Some("gzip")));
    let message = ExportTraceServiceRequest::decode(traces.message().as_slice()).expect("a request");
    let resource = message.resource_spans[0].resource.clone().expect("a resource").attributes;
    assert_eq!(text(&resource, "service.name").as_deref(), Some("llama-stack-service"));
    assert_eq!(text(&resource, "deployment.environment").as_deref(), Some("test"));
    let events: Vec<String> = spans_of(&traces)[0].events.iter().map(|event| event.name.clone()).collect();
    assert_eq!(events, ["metric.prompt_tokens", "metric.completion_tokens", "metric.total_tokens"]);
    let [metrics] = own.requests().try_into().expect("one: a signal's own endpoint is used as it is");
    assert_eq!(metrics.target, "POST /custom");
    let spans = "SELECT count(*) FROM spans";
    let spans: i64 = rusqlite::Connection::open(file).expect("written").query_row(spans, [], |row| row.get(0)).expect("a count");
    assert_eq!(spans, 1);
}

#[test]
fn what_says_when_to_send_is_checked() {
    for name in ["OTEL_BSP_SCHEDULE_DELAY", "OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "OTEL_METRIC_EXPORT_INTERVAL"] {
        let lookup = |asked: &str| (asked == name).then(|| "soon".to_owned());
        let error = Schedule::from_env(&lookup).expect_err("no number").to_string();
        assert_eq!(error, format!("{name} is “soon”; it must be a whole number above 0."));
    }
    let lookup = |name: &str| (name != "OTEL_BSP_SCHEDULE_DELAY").then(|| "7".to_owned());
    let expected = Schedule { delay: Duration::from_secs(5), batch: 7, interval: Duration::from_millis(7) };
    assert_eq!(Schedule::from_env(&lookup), Ok(expected));
}

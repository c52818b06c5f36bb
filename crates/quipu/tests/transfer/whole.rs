//! Every field of OTLP comes back from an export. The messages are written out without defaults, so this does not compile when
//! OpenTelemetry adds a field.

use super::tools::{export, import_as, rows, session_of, sql_of};
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, EntityRef, InstrumentationScope, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, LogsData, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::exponential_histogram_data_point::Buckets;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::summary_data_point::ValueAtQuantile;
use opentelemetry_proto::tonic::metrics::v1::{
    Exemplar, ExponentialHistogram, ExponentialHistogramDataPoint, Gauge, Histogram, HistogramDataPoint, Metric, MetricsData,
    NumberDataPoint, ResourceMetrics, ScopeMetrics, Sum, Summary, SummaryDataPoint, exemplar, number_data_point,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status, TracesData};
use prost::Message;
use quipu::protocol::{Failure, FileFormat};
use quipu::store::Layout;
use quipu::{PieceSize, Selection, Session, UnattachedPiece, UnattachedSignal};

fn any(value: Value) -> Option<AnyValue> {
    Some(AnyValue { value: Some(value) })
}

fn pair(key: &str, value: Value) -> KeyValue {
    KeyValue { key: key.into(), value: any(value), key_strindex: 0 }
}

/// Values of every type.
fn pairs(of: &str) -> Vec<KeyValue> {
    let list = ArrayValue { values: vec![AnyValue { value: Some(Value::IntValue(1)) }, AnyValue { value: None }] };
    let map = KeyValueList { values: vec![pair("inside", Value::BoolValue(false)), pair("bytes", Value::BytesValue(vec![1, 2]))] };
    vec![
        pair("of", Value::StringValue(of.into())),
        pair("empty", Value::StringValue(String::new())),
        pair("true", Value::BoolValue(true)),
        pair("least", Value::IntValue(i64::MIN)),
        pair("greatest", Value::IntValue(i64::MAX)),
        pair("whole", Value::DoubleValue(3.0)),
        pair("small", Value::DoubleValue(5e-324)),
        pair("infinite", Value::DoubleValue(f64::INFINITY)),
        pair("bytes", Value::BytesValue(vec![0, 159, 255])),
        pair("no bytes", Value::BytesValue(Vec::new())),
        pair("list", Value::ArrayValue(list)),
        pair("map", Value::KvlistValue(map)),
        KeyValue { key: "nothing".into(), value: Some(AnyValue { value: None }), key_strindex: 0 },
    ]
}

fn resource() -> Option<Resource> {
    let entity = EntityRef {
        schema_url: "https://example.org/entity".into(),
        r#type: "service".into(),
        id_keys: vec!["of".into()],
        description_keys: vec!["true".into(), "least".into()],
    };
    let mut attributes = pairs("a resource");
    attributes.push(pair("service.name", Value::StringValue("shop".into())));
    Some(Resource { attributes, dropped_attributes_count: 1, entity_refs: vec![entity] })
}

fn scope() -> Option<InstrumentationScope> {
    let (name, version) = ("a scope".into(), "1.2".into());
    Some(InstrumentationScope { name, version, attributes: pairs("a scope"), dropped_attributes_count: 2 })
}

fn traces() -> TracesData {
    let event = Event {
        time_unix_nano: 1_760_000_000_000_000_123,
        name: "an event".into(),
        attributes: pairs("an event"),
        dropped_attributes_count: 3,
    };
    let plain =
        Event { time_unix_nano: 1_760_000_000_000_000_124, name: "plain".into(), attributes: Vec::new(), dropped_attributes_count: 0 };
    let link = Link {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        trace_state: "a=1".into(),
        attributes: pairs("a link"),
        dropped_attributes_count: 4,
        flags: 0x101,
    };
    let span = Span {
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        trace_state: "b=2".into(),
        parent_span_id: vec![5; 8],
        flags: 0x301,
        name: "a span".into(),
        kind: 3,
        start_time_unix_nano: 1_760_000_000_000_000_001,
        end_time_unix_nano: 1_760_000_000_000_000_401,
        attributes: pairs("a span"),
        dropped_attributes_count: 5,
        events: vec![plain, event],
        dropped_events_count: 6,
        links: vec![link],
        dropped_links_count: 7,
        status: Some(Status { message: "it broke".into(), code: 2 }),
    };
    let other = Span { span_id: vec![6; 8], parent_span_id: Vec::new(), ..span.clone() };
    let scope_spans = ScopeSpans { scope: scope(), spans: vec![span, other], schema_url: "https://example.org/scope".into() };
    let resource_spans =
        ResourceSpans { resource: resource(), scope_spans: vec![scope_spans], schema_url: "https://example.org/resource".into() };
    TracesData { resource_spans: vec![resource_spans] }
}

#[test]
fn every_field_of_a_span_comes_back() {
    let sent = traces();
    let (bytes, report) = import_as(Layout::Quipu, &[("body", &sent.encode_to_vec())]);
    assert_eq!((report.spans, report.problem_count), (2, 0));
    let mut session = session_of(bytes);
    let back = export(&mut session, Selection::All, FileFormat::OtlpProtobuf);
    assert_eq!(TracesData::decode(back.as_slice()).expect("protobuf"), sent);
    // By way of JSON, too.
    let json = export(&mut session, Selection::All, FileFormat::OtlpJson);
    let mut again = session_of(import_as(Layout::Quipu, &[("json", &json)]).0);
    let back = export(&mut again, Selection::All, FileFormat::OtlpProtobuf);
    assert_eq!(TracesData::decode(back.as_slice()).expect("protobuf"), sent);
}

/// A record for each kind of body, and those of which parts are missing.
fn logs() -> LogsData {
    let whole = LogRecord {
        time_unix_nano: 1_760_000_000_000_000_002,
        observed_time_unix_nano: 1_760_000_000_000_000_003,
        severity_number: 18,
        severity_text: "Error2".into(),
        body: any(Value::StringValue("it broke".into())),
        attributes: pairs("a record"),
        dropped_attributes_count: 8,
        flags: 1,
        trace_id: vec![3; 16],
        span_id: vec![4; 8],
        event_name: "an.event".into(),
    };
    let bodies = pairs("a body").into_iter().map(|pair| pair.value).chain([None]);
    let mut log_records: Vec<LogRecord> = bodies.map(|body| LogRecord { body, ..whole.clone() }).collect();
    log_records.push(LogRecord { time_unix_nano: 0, ..whole.clone() });
    log_records.push(LogRecord { severity_number: 0, ..whole.clone() });
    log_records.push(LogRecord { severity_text: String::new(), ..whole.clone() });
    let named = vec![pair("event.name", Value::StringValue("by.attribute".into()))];
    log_records.push(LogRecord { event_name: String::new(), attributes: named, ..whole.clone() });
    let scope_logs = ScopeLogs { scope: scope(), log_records, schema_url: "https://example.org/scope".into() };
    let resource_logs =
        ResourceLogs { resource: resource(), scope_logs: vec![scope_logs], schema_url: "https://example.org/resource".into() };
    LogsData { resource_logs: vec![resource_logs] }
}

fn exemplars() -> Vec<Exemplar> {
    let of = |value| Exemplar {
        filtered_attributes: pairs("an exemplar"),
        time_unix_nano: 1_760_000_000_000_000_004,
        span_id: vec![4; 8],
        trace_id: vec![3; 16],
        value: Some(value),
    };
    vec![of(exemplar::Value::AsInt(i64::MAX)), of(exemplar::Value::AsDouble(2.0))]
}

fn metrics() -> MetricsData {
    let (start_time_unix_nano, time_unix_nano) = (1_760_000_000_000_000_005, 1_760_000_000_000_000_006);
    let number = |value| NumberDataPoint {
        attributes: pairs("a point"),
        start_time_unix_nano,
        time_unix_nano,
        exemplars: exemplars(),
        flags: 0,
        value: Some(value),
    };
    let numbers = vec![
        number(number_data_point::Value::AsInt(3)),
        number(number_data_point::Value::AsInt(i64::MAX)),
        number(number_data_point::Value::AsInt(i64::MIN)),
        number(number_data_point::Value::AsDouble(3.0)),
        number(number_data_point::Value::AsDouble(0.1)),
        number(number_data_point::Value::AsDouble(f64::NEG_INFINITY)),
        NumberDataPoint { flags: 1, value: None, ..number(number_data_point::Value::AsInt(0)) },
    ];
    let histogram = HistogramDataPoint {
        attributes: pairs("a histogram"),
        start_time_unix_nano,
        time_unix_nano,
        count: 6,
        sum: Some(1.5),
        bucket_counts: vec![1, 2, 3],
        explicit_bounds: vec![0.5, 1.0],
        exemplars: exemplars(),
        flags: 0,
        min: Some(0.25),
        max: Some(9.0),
    };
    let exponential = ExponentialHistogramDataPoint {
        attributes: pairs("an exponential histogram"),
        start_time_unix_nano,
        time_unix_nano,
        count: 9,
        sum: Some(4.5),
        scale: -3,
        zero_count: 2,
        positive: Some(Buckets { offset: -4, bucket_counts: vec![1, 0, 2] }),
        negative: Some(Buckets { offset: 5, bucket_counts: vec![4] }),
        flags: 0,
        exemplars: exemplars(),
        min: Some(-1.0),
        max: Some(3.0),
        zero_threshold: 0.001,
    };
    let summary = SummaryDataPoint {
        attributes: pairs("a summary"),
        start_time_unix_nano,
        time_unix_nano,
        count: 4,
        sum: 7.5,
        quantile_values: vec![ValueAtQuantile { quantile: 0.5, value: 1.25 }, ValueAtQuantile { quantile: 1.0, value: 3.0 }],
        flags: 0,
    };
    let metric = |name: &str, data| Metric {
        name: name.into(),
        description: format!("What {name} counts."),
        unit: "{thing}".into(),
        metadata: pairs("metadata"),
        data: Some(data),
    };
    let metrics = vec![
        metric("a.gauge", Data::Gauge(Gauge { data_points: numbers.clone() })),
        metric("a.sum", Data::Sum(Sum { data_points: numbers, aggregation_temporality: 2, is_monotonic: true })),
        metric("a.histogram", Data::Histogram(Histogram { data_points: vec![histogram], aggregation_temporality: 1 })),
        metric(
            "an.exponential.histogram",
            Data::ExponentialHistogram(ExponentialHistogram { data_points: vec![exponential], aggregation_temporality: 2 }),
        ),
        metric("a.summary", Data::Summary(Summary { data_points: vec![summary] })),
    ];
    let scope_metrics = ScopeMetrics { scope: scope(), metrics, schema_url: "https://example.org/scope".into() };
    let resource_metrics =
        ResourceMetrics { resource: resource(), scope_metrics: vec![scope_metrics], schema_url: "https://example.org/resource".into() };
    MetricsData { resource_metrics: vec![resource_metrics] }
}

#[test]
fn every_field_of_a_log_record_comes_back() {
    let sent = logs();
    let session = session_of(import_as(Layout::Quipu, &[("body", &sent.encode_to_vec())]).0);
    let back = LogsData::decode(request(&session, UnattachedSignal::Logs).as_slice()).expect("protobuf");
    assert_eq!(back, sent);
}

#[test]
fn every_field_of_a_metric_comes_back() {
    let sent = metrics();
    let mut session = session_of(import_as(Layout::Quipu, &[("body", &sent.encode_to_vec())]).0);
    let back = MetricsData::decode(request(&session, UnattachedSignal::Points).as_slice()).expect("protobuf");
    assert_eq!(back, sent);
    // By way of JSON, too.
    let json = export(&mut session, Selection::All, FileFormat::OtlpJson);
    let again = session_of(import_as(Layout::Quipu, &[("json", &json)]).0);
    assert_eq!(MetricsData::decode(request(&again, UnattachedSignal::Points).as_slice()).expect("protobuf"), sent);
}

/// All records or points of a file, as they would be pushed.
fn request(session: &Session, which: UnattachedSignal) -> Vec<u8> {
    let mut bytes = Vec::new();
    let size = PieceSize { entries: 1_000, bytes: 1 << 20 };
    let each = &mut |piece: UnattachedPiece| {
        bytes.extend(piece.request);
        Ok::<_, Failure>(())
    };
    session.each_unattached_piece(which, 0, size, each).expect("pieces");
    bytes
}

#[test]
fn log_records_of_spans_leave_a_whole_file_as_log_records() {
    let (traces, logs) = (traces(), logs());
    let body = [("traces", traces.encode_to_vec()), ("logs", logs.encode_to_vec())];
    for order in [[0, 1], [1, 0]] {
        let inputs = order.map(|at| (body[at].0, body[at].1.as_slice()));
        let mut session = session_of(import_as(Layout::Quipu, &inputs).0);
        let json = export(&mut session, Selection::All, FileFormat::OtlpJson);
        let again = import_as(Layout::Quipu, &[("json", &json)]).0;
        let sql = sql_of(&again);
        // The span of the records has its own two events, and one for each record.
        let records = logs.resource_logs[0].scope_logs[0].log_records.len();
        let count = |sql_text: &str| rows(&sql, sql_text)[0][0].clone();
        assert_eq!(count("SELECT count(*) FROM quipu_log_records"), records.to_string());
        assert_eq!(count("SELECT count(*) FROM span_events WHERE span_id = '0404040404040404'"), (records + 2).to_string());
        let mut session = session_of(again);
        let trace = export(&mut session, Selection::All, FileFormat::OtlpJson);
        assert_eq!(trace, json, "again the same");
    }
}

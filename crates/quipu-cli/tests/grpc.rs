//! `quipu collect` over gRPC, as OpenTelemetry's exporter and tonic's client send it.

use crate::support::{Collecting, count, fresh, read, rows};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry_otlp::{Compression, LogExporter, MetricExporter, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_proto::tonic::collector::logs::v1::logs_service_client::LogsServiceClient;
use opentelemetry_proto::tonic::collector::metrics::v1::metrics_service_client::MetricsServiceClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_client::TraceServiceClient;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use prost::Message;
use quipu_tests::fixtures;
use std::time::{Duration, Instant};
use tonic::codec::CompressionEncoding;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Status};
use tonic_types::StatusExt;

const TRACES: &str = "tests/fixtures/otlp/small_0.2.15_traces.binpb";
/// All columns except `created_at`, the time of writing. Rows by id: the two sinks wrote in their own order.
const TABLES: [&str; 3] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
];

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime")
}

async fn channel(collecting: &Collecting) -> Channel {
    endpoint(collecting).connect().await.expect("it listens")
}

fn endpoint(collecting: &Collecting) -> Endpoint {
    Endpoint::from_shared(format!("http://{}", collecting.address)).expect("an address")
}

fn traces() -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(read(TRACES).as_slice()).expect("a recorded request")
}

/// A request with one span.
fn one(id: u8) -> ExportTraceServiceRequest {
    let span = opentelemetry_proto::tonic::trace::v1::Span {
        trace_id: vec![id; 16],
        span_id: vec![id; 8],
        name: "a step".into(),
        ..Default::default()
    };
    let scope = ScopeSpans { spans: vec![span], ..ScopeSpans::default() };
    ExportTraceServiceRequest { resource_spans: vec![ResourceSpans { scope_spans: vec![scope], ..ResourceSpans::default() }] }
}

#[test]
fn calls_become_the_database_of_the_recorded_run_however_they_are_compressed() {
    let recorded = fixtures::repository().join("tests/fixtures/db/real_small.db");
    for packing in [
        None,
        Some(CompressionEncoding::Gzip),
        Some(CompressionEncoding::Deflate),
        Some(CompressionEncoding::Zstd),
    ] {
        let (_folder, db) = fresh();
        let collecting = Collecting::start(&db, &["--layout", "llama-stack"]);
        runtime().block_on(async {
            let mut client = TraceServiceClient::new(channel(&collecting).await);
            if let Some(packing) = packing {
                client = client.send_compressed(packing);
            }
            for _ in 0..2 {
                let answer = client.export(traces()).await.expect("it is taken").into_inner();
                assert_eq!(answer.partial_success, None);
                // Acknowledged data is in the file while the collector runs.
                for table in TABLES {
                    assert_eq!(rows(&db, table), rows(&recorded, table), "{packing:?} {table}");
                }
            }
        });
        assert_eq!(collecting.counter("quipu_collect_requests_total{signal=\"traces\",status=\"2xx\"}"), 2);
        collecting.end();
    }
}

#[test]
fn the_exporter_of_the_sdk_needs_nothing_but_the_endpoint() {
    for packing in [None, Some(Compression::Gzip), Some(Compression::Zstd)] {
        let (_folder, db) = fresh();
        let collecting = Collecting::start(&db, &[]);
        let to = format!("http://{}", collecting.address);
        let runtime = runtime();
        let _inside = runtime.enter();
        macro_rules! exporter {
            ($builder:expr) => {{
                let builder = $builder.with_tonic().with_endpoint(&to);
                match packing {
                    Some(packing) => builder.with_compression(packing).build().expect("an exporter"),
                    None => builder.build().expect("an exporter"),
                }
            }};
        }
        let resource = Resource::builder_empty().with_service_name("over-grpc").build();
        let tracing =
            SdkTracerProvider::builder().with_resource(resource.clone()).with_batch_exporter(exporter!(SpanExporter::builder())).build();
        let metering = SdkMeterProvider::builder()
            .with_resource(resource.clone())
            .with_periodic_exporter(exporter!(MetricExporter::builder()))
            .build();
        let logging = SdkLoggerProvider::builder().with_resource(resource).with_batch_exporter(exporter!(LogExporter::builder())).build();
        let mut span = tracing.tracer("test").start("chat");
        let (trace, id) = (span.span_context().trace_id(), span.span_context().span_id());
        span.end();
        metering.meter("test").u64_counter("requests").build().add(3, &[]);
        let logger = logging.logger("test");
        let mut record = logger.create_log_record();
        record.set_body(AnyValue::from("said"));
        logger.emit(record);
        tracing.shutdown().expect("the spans are taken");
        metering.shutdown().expect("the points are taken");
        logging.shutdown().expect("the records are taken");
        assert_eq!(rows(&db, "SELECT trace_id, span_id, name FROM spans"), [[trace.to_string(), id.to_string(), "chat".into()]]);
        assert_eq!(rows(&db, "SELECT service_name FROM traces"), [["over-grpc"]]);
        assert_eq!(collecting.counter("requests_total{service_name=\"over-grpc\"}"), 3);
        assert_eq!(collecting.counter("quipu_collect_log_records_total"), 1);
        collecting.end();
    }
}

/// Calls a method with bytes as the message.
async fn call(channel: Channel, path: &'static str, message: Vec<u8>) -> Result<(), Status> {
    let mut grpc = tonic::client::Grpc::new(channel);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    // A message whose only field has these bytes.
    let codec = tonic_prost::ProstCodec::<Vec<u8>, ()>::default();
    grpc.unary(Request::new(message), tonic::codegen::http::uri::PathAndQuery::from_static(path), codec).await.map(|_| ())
}

#[test]
fn what_is_refused_has_the_code_that_says_why() {
    let (folder, db) = fresh();
    let token = folder.write("token", "a-token-of-more-than-16-letters\n").expect("a file");
    let collecting = Collecting::start(&db, &["--token-file", token.to_str().expect("a path")]);
    let with = |value: Option<&str>| {
        let mut metadata = MetadataMap::new();
        if let Some(value) = value {
            metadata.insert("authorization", value.parse().expect("a value"));
        }
        Request::from_parts(metadata, tonic::Extensions::default(), traces())
    };
    runtime().block_on(async {
        let mut client = TraceServiceClient::new(channel(&collecting).await);
        for value in [None, Some("Bearer another-token-of-16-letters")] {
            let status = client.export(with(value)).await.expect_err("a token is asked for");
            assert!(status.code() == Code::Unauthenticated && status.get_details_retry_info().is_none(), "{status}");
            assert!(status.message().contains("“Authorization: Bearer TOKEN”"), "{status}");
        }
        assert_eq!(count(&db, "SELECT count(*) FROM spans"), 0);
        client.export(with(Some("Bearer a-token-of-more-than-16-letters"))).await.expect("the token is known");
        assert_eq!(count(&db, "SELECT count(*) FROM spans"), 136);
    });
    collecting.end();

    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    runtime().block_on(async {
        const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let open = channel(&collecting).await;
        for (code, path, message) in [
            // A resource that is none.
            (Code::InvalidArgument, EXPORT, vec![8, 1]),
            (Code::ResourceExhausted, EXPORT, vec![0; 17 << 20]),
            (Code::Unimplemented, "/opentelemetry.proto.collector.trace.v1.TraceService/Import", Vec::new()),
            (Code::Unimplemented, "/opentelemetry.proto.collector.profiles.v1development.ProfilesService/Export", Vec::new()),
            (Code::Unimplemented, "/jaeger.api_v2.CollectorService/PostSpans", Vec::new()),
        ] {
            let status = call(open.clone(), path, message).await.expect_err(path);
            assert!(status.code() == code && status.get_details_retry_info().is_none(), "{path}: {status}");
        }
        // The name that a page has whose own domain points here.
        let rebound = endpoint(&collecting).origin("http://example.org".parse().expect("an origin")).connect().await.expect("it listens");
        let status = TraceServiceClient::new(rebound).export(traces()).await.expect_err("another name");
        assert_eq!(status.code(), Code::PermissionDenied, "{status}");
        // Other signals' messages are not spans, and the other services are there.
        LogsServiceClient::new(open.clone())
            .export(opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest::default())
            .await
            .expect("none");
        MetricsServiceClient::new(open)
            .export(opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest::default())
            .await
            .expect("none");
    });
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 0);
}

#[test]
fn spans_without_ids_are_counted_as_a_partial_success() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let mut request = one(1);
    request.resource_spans[0].scope_spans[0].spans.push(opentelemetry_proto::tonic::trace::v1::Span::default());
    let answer = runtime().block_on(async { TraceServiceClient::new(channel(&collecting).await).export(request).await });
    let partial = answer.expect("it is taken").into_inner().partial_success.expect("not all of it");
    assert_eq!(
        (partial.rejected_spans, partial.error_message.as_str()),
        (1, "Some entries were not kept: a span in it has no id of its own or of its trace.")
    );
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 1);
}

#[test]
fn what_cant_be_written_now_may_come_again_after_a_while() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let other = rusqlite::Connection::open(&db).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    runtime().block_on(async {
        let mut client = TraceServiceClient::new(channel(&collecting).await);
        let status = client.export(traces()).await.expect_err("the file is locked");
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        let retry = status.get_details_retry_info().and_then(|info| info.retry_delay);
        assert_eq!(retry, Some(Duration::from_secs(5)));
        other.execute_batch("ROLLBACK").expect("the lock goes");
        client.export(traces()).await.expect("it is taken");
    });
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 136);
}

#[test]
fn a_call_that_is_withdrawn_leaves_nothing_behind_but_its_spans() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    let other = rusqlite::Connection::open(&db).expect("it opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("a lock");
    runtime().block_on(async {
        let open = channel(&collecting).await;
        let calls = (1..=50).map(|id| {
            let mut client = TraceServiceClient::new(open.clone());
            tokio::spawn(async move { tokio::time::timeout(Duration::from_millis(200), client.export(one(id))).await })
        });
        for call in calls.collect::<Vec<_>>() {
            let outcome = call.await.expect("no panic");
            assert!(outcome.is_err(), "the file is locked: {outcome:?}");
        }
        other.execute_batch("ROLLBACK").expect("the lock goes");
        TraceServiceClient::new(open).export(one(100)).await.expect("it is taken");
    });
    let began = Instant::now();
    while collecting.counter("quipu_collect_queue_requests") + collecting.counter("quipu_collect_queue_bytes") > 0 {
        assert!(began.elapsed() < Duration::from_secs(20), "what was withdrawn is not counted for ever");
    }
    collecting.end();
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), count(&db, "SELECT count(DISTINCT span_id) FROM spans"));
}

#[test]
fn the_health_check_and_the_descriptors_are_those_of_opentelemetry() {
    let (_folder, db) = fresh();
    let collecting = Collecting::start(&db, &[]);
    runtime().block_on(async {
        let open = channel(&collecting).await;
        // HealthCheckRequest { service } has one field, as `call` sends it.
        for (service, code) in [
            ("", None),
            ("opentelemetry.proto.collector.logs.v1.LogsService", None),
            ("no.Such", Some(Code::NotFound)),
        ] {
            let outcome = call(open.clone(), "/grpc.health.v1.Health/Check", service.as_bytes().to_vec()).await;
            assert_eq!(outcome.err().map(|status| status.code()), code, "{service}");
        }
    });
    // What reflection answers with is what the generated code was made from.
    let ours =
        prost_types::FileDescriptorSet::decode(read("crates/quipu-cli/src/collect/descriptors.binpb").as_slice()).expect("descriptors");
    let theirs = prost_types::FileDescriptorSet::decode(opentelemetry_proto::DESCRIPTORS).expect("descriptors");
    let mut compared = 0;
    for file in &ours.file {
        let Some(known) = theirs.file.iter().find(|known| known.name() == file.name()) else { continue };
        for service in &file.service {
            assert!(known.service.iter().any(|other| other.name() == service.name() && other.method.len() == service.method.len()));
            compared += 1;
        }
        let names = |file: &prost_types::FileDescriptorProto| file.message_type.iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
        assert_eq!(names(file), names(known), "{}", file.name());
    }
    assert_eq!(compared, 3);
}

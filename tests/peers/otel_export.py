"""Sends traces, metrics and logs with OpenTelemetry's own SDK for Python to a collector: otel_export.py ENDPOINT http|grpc gzip|none OUT.json

What was sent is written to OUT.json as the SDK tells it, to be compared with what the collector's file holds.
"""

import json
import logging
import sys

from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider, LoggingHandler
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Status, StatusCode

endpoint, protocol, packing, out = sys.argv[1:5]
if protocol == "grpc":
    from grpc import Compression
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter

    paths = ["", "", ""]
else:
    from opentelemetry.exporter.otlp.proto.http import Compression
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    paths = ["/v1/traces", "/v1/metrics", "/v1/logs"]
compression = Compression.Gzip if packing == "gzip" else Compression.NoCompression
resource = Resource.create({"service.name": f"peer-{protocol}-{packing}"})
sent = []


class Keep(SpanExporter):
    """Keeps what the SDK says of each span."""

    def export(self, spans):
        for span in spans:
            parent = span.parent
            sent.append(
                {
                    "trace_id": format(span.context.trace_id, "032x"),
                    "span_id": format(span.context.span_id, "016x"),
                    "parent_span_id": format(parent.span_id, "016x") if parent else None,
                    "name": span.name,
                    "start": span.start_time,
                    "end": span.end_time,
                    "status": span.status.status_code.name,
                    "kind": span.kind.name,
                    "attributes": dict(span.attributes),
                    "events": [event.name for event in span.events],
                }
            )
        return SpanExportResult.SUCCESS


tracing = TracerProvider(resource=resource)
tracing.add_span_processor(SimpleSpanProcessor(Keep()))
tracing.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint + paths[0], compression=compression)))
reader = PeriodicExportingMetricReader(OTLPMetricExporter(endpoint + paths[1], compression=compression), 3_600_000)
metering = MeterProvider(resource=resource, metric_readers=[reader])
logs = LoggerProvider(resource=resource)
logs.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter(endpoint + paths[2], compression=compression)))
log = logging.getLogger("peer")
log.addHandler(LoggingHandler(level=logging.INFO, logger_provider=logs))
log.setLevel(logging.INFO)

meter = metering.get_meter("peer")
tokens = {name: meter.create_counter(name, unit="tokens") for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
durations = meter.create_histogram("gen_ai.client.operation.duration", unit="s")
tracer = tracing.get_tracer("peer", "1.0")
for number in range(300):
    with tracer.start_as_current_span("request", attributes={"number": number, "text": "Köln 東京 🦙", "share": 0.5, "yes": True}):
        log.info("line %d", number)
        with tracer.start_as_current_span("chat", kind=trace.SpanKind.CLIENT) as span:
            span.add_event("token", {"at": number})
            labels = {"model_id": "m%d" % (number % 2), "provider_id": "fake"}
            for name, amount in (("prompt_tokens", 3), ("completion_tokens", 2), ("total_tokens", 5)):
                tokens[name].add(amount, labels)
            durations.record(0.01 * number, {"gen_ai.request.model": "m"})
            if number % 50 == 0:
                span.set_status(Status(StatusCode.ERROR, "broken"))
# The logs leave first, as they do where a span takes long.
logs.force_flush()
metering.force_flush()
tracing.force_flush()
for provider in (logs, metering, tracing):
    provider.shutdown()
with open(out, "w", encoding="utf-8") as file:
    json.dump(sent, file)

"""Asks a receiver what gRPC's tools ask: grpc_questions.py ADDRESS:PORT

Health, the services by reflection, and the types of their messages, which are compared with OpenTelemetry's own.
"""

import sys

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

channel = grpc.insecure_channel(sys.argv[1])
health = health_pb2_grpc.HealthStub(channel)
trace = "opentelemetry.proto.collector.trace.v1.TraceService"
for service in ("", trace):
    answer = health.Check(health_pb2.HealthCheckRequest(service=service), timeout=10)
    assert answer.status == health_pb2.HealthCheckResponse.SERVING, answer
try:
    health.Check(health_pb2.HealthCheckRequest(service="no.Such"), timeout=10)
    raise AssertionError("no.Such is healthy")
except grpc.RpcError as error:
    assert error.code() == grpc.StatusCode.NOT_FOUND, error
database = ProtoReflectionDescriptorDatabase(channel)
services = database.get_services()
assert trace in services and "grpc.health.v1.Health" in services and "grpc.reflection.v1.ServerReflection" in services, services
pool = DescriptorPool(database)
found = pool.FindServiceByName(trace).FindMethodByName("Export")
assert found.input_type.full_name == trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR.full_name
for name in services:
    pool.FindServiceByName(name)
span = pool.FindMessageTypeByName("opentelemetry.proto.trace.v1.Span")
assert "trace_id" in span.fields_by_name, span

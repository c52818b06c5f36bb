"""Writes the descriptors that `quipu collect` answers gRPC's reflection with, as a FileDescriptorSet.

They are those of the Python packages opentelemetry-proto, grpcio-health-checking and grpcio-reflection (pip install them first):
    python tests/peers/descriptors.py crates/quipu-cli/src/collect/descriptors.binpb
"""

import sys

from google.protobuf import descriptor_pb2
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2

found = {}


def add(file):
    if file.name in found:
        return
    for needed in file.dependencies:
        add(needed)
    found[file.name] = file.serialized_pb


for module in (trace_service_pb2, metrics_service_pb2, logs_service_pb2, health_pb2, reflection_pb2):
    add(module.DESCRIPTOR)

# Version 1 of reflection differs from v1alpha in its name alone; Python's package has no module for it.
text = reflection_pb2.DESCRIPTOR.serialized_pb
alpha = descriptor_pb2.FileDescriptorProto.FromString(text)
stable = descriptor_pb2.FileDescriptorProto()
stable.CopyFrom(alpha)
stable.name = alpha.name.replace("v1alpha", "v1")
stable.package = "grpc.reflection.v1"
for message in stable.message_type:
    for field in message.field:
        if field.type_name:
            field.type_name = field.type_name.replace(".v1alpha.", ".v1.")
for service in stable.service:
    for method in service.method:
        method.input_type = method.input_type.replace(".v1alpha.", ".v1.")
        method.output_type = method.output_type.replace(".v1alpha.", ".v1.")
found[stable.name] = stable.SerializeToString()

files = descriptor_pb2.FileDescriptorSet()
for serialized in found.values():
    files.file.add().ParseFromString(serialized)
with open(sys.argv[1], "wb") as out:
    out.write(files.SerializeToString(deterministic=True))

//! gRPC's reflection: tools such as grpcurl ask it for services and the types of their messages.
//!
//! The types are in a file that `tests/peers/descriptors.py` makes from OpenTelemetry's packages.

use super::calls::{SHORT, services};
use super::receiver::{LIMITS, Receiver};
use crate::http::grpc::{self, PREFIX, framed, head, ok};
use crate::http::{Encoding, Refusal};
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use http_body_util::channel::{Channel, Sender};
use hyper::body::{Bytes, Frame};
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorProto, FileDescriptorSet};
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

/// Both versions have the same messages.
pub(super) const SERVICES: [&str; 2] = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"];

/// Questions of one stream.
const MOST: usize = 200;

/// The files of all services and their messages.
static FILES: LazyLock<Vec<FileDescriptorProto>> = LazyLock::new(|| {
    // A test reads it.
    FileDescriptorSet::decode(include_bytes!("descriptors.binpb").as_slice()).unwrap_or_default().file
});

#[derive(Clone, PartialEq, Message)]
struct ServerReflectionRequest {
    #[prost(string, tag = "1")]
    host: String,
    #[prost(oneof = "Question", tags = "3, 4, 5, 6, 7")]
    question: Option<Question>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Question {
    #[prost(string, tag = "3")]
    FileByFilename(String),
    #[prost(string, tag = "4")]
    FileContainingSymbol(String),
    /// An `ExtensionRequest`: nothing here has extensions.
    #[prost(bytes = "vec", tag = "5")]
    FileContainingExtension(Vec<u8>),
    #[prost(string, tag = "6")]
    AllExtensionNumbersOfType(String),
    #[prost(string, tag = "7")]
    ListServices(String),
}

#[derive(Clone, PartialEq, Message)]
struct ServerReflectionResponse {
    #[prost(string, tag = "1")]
    valid_host: String,
    #[prost(message, optional, tag = "2")]
    original_request: Option<ServerReflectionRequest>,
    #[prost(oneof = "Answer", tags = "4, 6, 7")]
    answer: Option<Answer>,
}

#[derive(Clone, PartialEq, prost::Oneof)]
enum Answer {
    #[prost(message, tag = "4")]
    Files(FileDescriptorResponse),
    #[prost(message, tag = "6")]
    Services(ListServiceResponse),
    #[prost(message, tag = "7")]
    Error(ErrorResponse),
}

#[derive(Clone, PartialEq, Message)]
struct FileDescriptorResponse {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file_descriptor_proto: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
struct ListServiceResponse {
    #[prost(message, repeated, tag = "1")]
    service: Vec<ServiceResponse>,
}

#[derive(Clone, PartialEq, Message)]
struct ServiceResponse {
    #[prost(string, tag = "1")]
    name: String,
}

#[derive(Clone, PartialEq, Message)]
struct ErrorResponse {
    #[prost(int32, tag = "1")]
    error_code: i32,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// Answers the questions of a stream, one after the other.
pub(super) fn answer(receiver: Arc<Receiver>, request: Request<Body>) -> Response<Body> {
    let (mut sender, answers) = Channel::<Bytes, Infallible>::new(1);
    tokio::spawn(async move {
        let (head, body) = request.into_parts();
        let outcome = tokio::time::timeout(LIMITS.time, converse(&receiver, grpc::Encoding::of(&head.headers), body, &mut sender)).await;
        let outcome = outcome.unwrap_or_else(|_| Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "The stream was open for too long.")));
        let trailers = outcome.map_or_else(|refusal| refusal.in_encoding(Encoding::Grpc).trailers(), |()| ok());
        // A client that takes nothing has its stream broken off.
        let _ = sender.try_send(Frame::trailers(trailers));
    });
    head(Body::new(answers))
}

async fn converse(receiver: &Receiver, encoding: grpc::Encoding, mut body: Body, sender: &mut Sender<Bytes>) -> Result<(), Refusal> {
    let _held = receiver.room.hold(SHORT.unpacked)?;
    let (mut bytes, mut count) = (Vec::new(), 0);
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The stream is incomplete."))?;
        let Ok(data) = frame.into_data() else { continue };
        for part in data.chunks(SHORT.sent) {
            bytes.extend_from_slice(part);
            while let Some((flag, message)) = first_message(&mut bytes)? {
                count += 1;
                if count > MOST {
                    return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "There are too many questions in one stream."));
                }
                let message = encoding.packing(flag)?.unpack(message, SHORT)?;
                let asked = ServerReflectionRequest::decode(message.as_slice())
                    .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The message is not a ServerReflectionRequest."))?;
                if sender.send_data(framed(&answer_to(asked).encode_to_vec())).await.is_err() {
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Takes the first message off, if all of it is there.
fn first_message(bytes: &mut Vec<u8>) -> Result<Option<(u8, Vec<u8>)>, Refusal> {
    let Some(([flag, length @ ..], rest)) = bytes.split_first_chunk::<PREFIX>() else { return Ok(None) };
    let length = u32::from_be_bytes(*length) as usize;
    if length > SHORT.sent {
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "The message is too long."));
    }
    let Some(message) = rest.get(..length) else { return Ok(None) };
    let taken = (*flag, message.to_vec());
    bytes.drain(..PREFIX + length);
    Ok(Some(taken))
}

fn answer_to(asked: ServerReflectionRequest) -> ServerReflectionResponse {
    let found = match &asked.question {
        Some(Question::ListServices(_)) => {
            let service = services().map(|name| ServiceResponse { name: name.to_owned() }).collect();
            Ok(Answer::Services(ListServiceResponse { service }))
        }
        Some(Question::FileByFilename(name)) => files(|file| file.name() == name),
        Some(Question::FileContainingSymbol(symbol)) => files(|file| contains(file, symbol)),
        Some(Question::FileContainingExtension(_) | Question::AllExtensionNumbersOfType(_)) => Err((5, "There are no extensions here.")),
        None => Err((3, "The question is not known.")),
    };
    let answer = found.unwrap_or_else(|(error_code, words)| Answer::Error(ErrorResponse { error_code, error_message: words.to_owned() }));
    ServerReflectionResponse { valid_host: asked.host.clone(), original_request: Some(asked), answer: Some(answer) }
}

/// The first file that is wanted. Its imports are asked for by their names.
fn files(is_wanted: impl Fn(&FileDescriptorProto) -> bool) -> Result<Answer, (i32, &'static str)> {
    let file = FILES.iter().find(|file| is_wanted(file)).ok_or((5, "There is no such file or symbol here."))?;
    Ok(Answer::Files(FileDescriptorResponse { file_descriptor_proto: vec![file.encode_to_vec()] }))
}

/// Whether a file defines a symbol, given by its full name: a service, a method, a message, an enumeration.
fn contains(file: &FileDescriptorProto, symbol: &str) -> bool {
    let Some(rest) = symbol.strip_prefix(file.package()).and_then(|rest| rest.strip_prefix('.')) else { return false };
    let (first, inner) = rest.split_once('.').map_or((rest, None), |(first, inner)| (first, Some(inner)));
    let is_method = |service: &prost_types::ServiceDescriptorProto| {
        inner.is_none_or(|inner| service.method.iter().any(|method| method.name() == inner))
    };
    file.service.iter().any(|service| service.name() == first && is_method(service))
        || file.message_type.iter().any(|message| message.name() == first && has(message, inner))
        || file.enum_type.iter().any(|kind| kind.name() == first && inner.is_none())
}

/// Whether a message has a part with this name, at any depth.
fn has(message: &DescriptorProto, inner: Option<&str>) -> bool {
    let Some(inner) = inner else { return true };
    let (first, rest) = inner.split_once('.').map_or((inner, None), |(first, rest)| (first, Some(rest)));
    message.nested_type.iter().any(|nested| nested.name() == first && has(nested, rest))
        || rest.is_none() && message.enum_type.iter().any(|kind| kind.name() == first)
        || rest.is_none() && message.field.iter().any(|field| field.name() == first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_service_and_its_messages_can_be_described() {
        assert!(FILES.len() > 8, "the file can be read");
        for service in services() {
            assert!(files(|file| contains(file, service)).is_ok(), "{service}");
        }
        for symbol in [
            "opentelemetry.proto.collector.trace.v1.TraceService.Export",
            "opentelemetry.proto.trace.v1.Span",
            "opentelemetry.proto.trace.v1.Span.SpanKind",
            "opentelemetry.proto.trace.v1.Span.Event.name",
            "opentelemetry.proto.logs.v1.SeverityNumber",
            "grpc.reflection.v1.ServerReflectionRequest",
        ] {
            assert!(files(|file| contains(file, symbol)).is_ok(), "{symbol}");
        }
        for symbol in [
            "",
            "opentelemetry.proto.trace.v1",
            "opentelemetry.proto.trace.v1.Spam",
            "grpc.health.v1.Health.Nothing",
        ] {
            assert!(files(|file| contains(file, symbol)).is_err(), "{symbol}");
        }
        // Every import is there, too.
        for import in FILES.iter().flat_map(|file| &file.dependency) {
            assert!(FILES.iter().any(|file| file.name() == import), "{import}");
        }
    }
}

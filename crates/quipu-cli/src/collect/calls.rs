//! The services of gRPC: OTLP's three, the health check, and reflection.
//!
//! Bodies take the same way as those of OTLP/HTTP (`receiver`). Messages and statuses are in `http::grpc`.

use super::receiver::{Body as Sent, Form, LIMITS, Receiver};
use super::reflection;
use crate::http::grpc::{Packed, answered, read_message};
use crate::http::{Encoding, Limits, Refusal};
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use prost::Message;
use quipu::transfer::{Signal, response};
use std::sync::Arc;

/// The health check, as load balancers and Kubernetes ask for it.
const HEALTH: &str = "grpc.health.v1.Health";
/// What is asked about health and reflection is short.
pub(super) const SHORT: Limits = Limits { sent: 4 << 10, unpacked: 16 << 10, ..LIMITS };

/// The service that takes a signal.
pub(super) fn service(signal: Signal) -> &'static str {
    match signal {
        Signal::Traces => "opentelemetry.proto.collector.trace.v1.TraceService",
        Signal::Metrics => "opentelemetry.proto.collector.metrics.v1.MetricsService",
        Signal::Logs => "opentelemetry.proto.collector.logs.v1.LogsService",
    }
}

/// All services, by their full names.
pub(super) fn services() -> impl Iterator<Item = &'static str> {
    Signal::ALL.into_iter().map(service).chain([HEALTH]).chain(reflection::SERVICES)
}

pub(super) fn routes(receiver: &Arc<Receiver>) -> Router {
    let mut router = Router::new();
    for signal in Signal::ALL {
        let receiver = receiver.clone();
        let path = format!("/{}/Export", service(signal));
        router = router.route(&path, any(move |request: Request<Body>| export(receiver.clone(), signal, request)));
    }
    let health = receiver.clone();
    router = router.route(&format!("/{HEALTH}/Check"), any(move |request: Request<Body>| check(health.clone(), request)));
    for name in reflection::SERVICES {
        let receiver = receiver.clone();
        let path = format!("/{name}/ServerReflectionInfo");
        router = router.route(&path, any(move |request: Request<Body>| reflect(receiver.clone(), request)));
    }
    router
}

/// Whether a request is a call at all.
///
/// # Errors
/// If it is not, in words for those who tried it with a browser or curl.
fn called(request: &Request<Body>) -> Result<(), Refusal> {
    if Encoding::of(request.headers()) != Encoding::Grpc {
        let words = "This is a method of gRPC: it takes HTTP/2 with the Content-Type application/grpc.";
        return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
    }
    if request.method() != Method::POST { Err(Refusal::method("POST").in_encoding(Encoding::Grpc)) } else { Ok(()) }
}

fn ended(outcome: Result<Vec<u8>, Refusal>) -> Response<Body> {
    match outcome {
        Ok(message) => answered(&message),
        Err(refusal) => refusal.in_encoding(Encoding::Grpc).into_response(),
    }
}

async fn export(receiver: Arc<Receiver>, signal: Signal, request: Request<Body>) -> Response<Body> {
    if let Err(refusal) = called(&request) {
        return refusal.into_response();
    }
    let (head, body) = request.into_parts();
    let taken = async {
        let Packed { packing, message, held } = read_message(head.headers, body, LIMITS, &receiver.room).await?;
        receiver.store(Sent { signal, form: Form::Otlp(Encoding::Protobuf), packing, bytes: message, held }).await
    };
    let taken = taken.await;
    receiver.shared.answered(signal, taken.as_ref().map_or_else(Refusal::status, |_| StatusCode::OK));
    ended(taken.map(|stored| response(signal, false, stored.rejected, stored.words.as_deref())))
}

/// `grpc.health.v1.HealthCheckRequest`.
#[derive(Clone, PartialEq, Message)]
struct HealthCheckRequest {
    #[prost(string, tag = "1")]
    service: String,
}

/// `grpc.health.v1.HealthCheckResponse`.
#[derive(Clone, PartialEq, Message)]
struct HealthCheckResponse {
    #[prost(int32, tag = "1")]
    status: i32,
}

async fn check(receiver: Arc<Receiver>, request: Request<Body>) -> Response<Body> {
    if let Err(refusal) = called(&request) {
        return refusal.into_response();
    }
    let (head, body) = request.into_parts();
    let checked = async {
        let Packed { packing, message, .. } = read_message(head.headers, body, SHORT, &receiver.room).await?;
        let asked = HealthCheckRequest::decode(packing.unpack(message, SHORT)?.as_slice());
        let HealthCheckRequest { service } =
            asked.map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The message is not a HealthCheckRequest."))?;
        if service.is_empty() || services().any(|known| known == service) {
            // SERVING
            return Ok(HealthCheckResponse { status: 1 }.encode_to_vec());
        }
        Err(Refusal::new(StatusCode::NOT_FOUND, "There is no such service here."))
    };
    ended(checked.await)
}

async fn reflect(receiver: Arc<Receiver>, request: Request<Body>) -> Response<Body> {
    match called(&request) {
        Ok(()) => reflection::answer(receiver, request),
        Err(refusal) => refusal.into_response(),
    }
}

//! The routes of OTLP/HTTP, Zipkin's, `/metrics`, and what is said about paths that lead nowhere. gRPC is in `calls`.

use super::calls;
use super::counters::Shared;
use super::exposition;
use super::keeper::Jobs;
use super::receiver::{Body as Sent, Form, LIMITS, Receiver};
use crate::http::{Encoding, Packing, Peer, Refusal, Stated, content_type, read_body};
use axum::Router;
use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderName};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use hyper::body::Bytes;
use quipu::transfer::{Signal, response};
use std::sync::Arc;

/// Where Zipkin's clients send to.
const ZIPKIN: &str = "/api/v2/spans";
/// What is to be used instead of a path that leads nowhere.
const PATHS: &str =
    "Use /v1/traces, /v1/metrics or /v1/logs to send data (the endpoint of an exporter ends before /v1), and /metrics to scrape.";

pub(crate) fn routes(jobs: Jobs, shared: Arc<Shared>) -> Router {
    let receiver = Arc::new(Receiver::new(jobs, shared));
    let mut router = Router::new().fallback(missing).merge(calls::routes(&receiver));
    for signal in Signal::ALL {
        let receiver = receiver.clone();
        router = router.route(signal.path(), any(move |request: Request<Body>| export(receiver.clone(), signal, request)));
    }
    let (zipkin, scraped) = (receiver.clone(), receiver);
    router
        .route(ZIPKIN, any(move |request: Request<Body>| spans_of_zipkin(zipkin.clone(), request)))
        .route("/metrics", any(move |request: Request<Body>| scrape(scraped.clone(), request)))
}

/// Says that nothing is there, to the client and, since many clients keep quiet about it, on standard error.
async fn missing(request: Request<Body>) -> Response<Body> {
    let encoding = Encoding::of(request.headers());
    let path = request.uri().path();
    let instead = match path {
        _ if encoding == Encoding::Grpc => "which has no such method. Use OTLP: its services for traces, metrics and logs are there.",
        "/api/traces" => "which does not understand Jaeger's Thrift. Set the exporter to OTLP.",
        "/api/v1/spans" => "which does not understand version 1 of Zipkin. Set its clients to version 2, or the exporter to OTLP.",
        _ => PATHS,
    };
    // Who looks for something sees the answer.
    let is_sent = request.method() != Method::GET && request.method() != Method::HEAD;
    if let Some(peer) = request.extensions().get::<Peer>().filter(|_| is_sent) {
        let (method, local) = (request.method(), peer.local());
        let shown: String = path.chars().take(200).collect();
        peer.tell(&match instead {
            PATHS => format!("sends {method} {shown} to {local}, where nothing is. {PATHS}"),
            instead => format!("sends {method} {shown} to {local}, {instead}"),
        });
    }
    let refusal = match encoding {
        Encoding::Grpc => Refusal::new(StatusCode::NOT_IMPLEMENTED, format!("There is no method {path} here.")),
        _ => Refusal::new(StatusCode::NOT_FOUND, format!("Not found. {PATHS}")),
    };
    refusal.in_encoding(encoding).into_response()
}

/// A page of `/metrics` with its memory, which is free again when the page is sent.
struct Page {
    text: String,
    _held: crate::http::Held,
}

impl AsRef<[u8]> for Page {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

async fn scrape(receiver: Arc<Receiver>, request: Request<Body>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Refusal::method("GET, HEAD").into_response();
    }
    let (content_type, text) = exposition::answer(request.headers(), &receiver.shared);
    match receiver.room.hold(text.len()) {
        Ok(held) => ([(CONTENT_TYPE, content_type)], Body::from(Bytes::from_owner(Page { text, _held: held }))).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

async fn export(receiver: Arc<Receiver>, signal: Signal, request: Request<Body>) -> Response<Body> {
    let encoding = Encoding::of(request.headers());
    let taken = take(&receiver, signal, request, |headers| {
        let is_known = encoding != Encoding::Grpc && has_type(headers, encoding.label());
        let words = "Content-Type must be application/x-protobuf or application/json.";
        if is_known { Ok(Form::Otlp(encoding)) } else { Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words)) }
    });
    match taken.await {
        Ok((rejected, words)) => {
            let bytes = response(signal, encoding == Encoding::Json, rejected, words.as_deref());
            ([(CONTENT_TYPE, encoding.label())], bytes).into_response()
        }
        Err(refusal) => refusal.in_encoding(encoding).into_response(),
    }
}

/// Zipkin's clients learn that everything was taken, or that something was not by the words of a header.
async fn spans_of_zipkin(receiver: Arc<Receiver>, request: Request<Body>) -> Response<Body> {
    let taken = take(&receiver, Signal::Traces, request, |headers| {
        let words = "Content-Type must be application/json: spans of Zipkin's version 2 are taken as JSON.";
        let is_json = has_type(headers, Encoding::Json.label());
        if is_json { Ok(Form::Zipkin) } else { Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words)) }
    });
    match taken.await {
        Ok((_, None)) => StatusCode::ACCEPTED.into_response(),
        Ok((_, Some(words))) => (StatusCode::ACCEPTED, [(HeaderName::from_static("x-quipu-left-out"), ascii(&words))]).into_response(),
        Err(refusal) => refusal.in_encoding(Encoding::Json).into_response(),
    }
}

fn ascii(words: &str) -> String {
    words.chars().map(|letter| if letter.is_ascii_graphic() || letter == ' ' { letter } else { '?' }).take(500).collect()
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    content_type(headers).is_some_and(|said| said.eq_ignore_ascii_case(wanted))
}

/// Stores the body of a request, of which `form` says what it is. Counts the answer. Returns what was left out.
async fn take(
    receiver: &Arc<Receiver>,
    signal: Signal,
    request: Request<Body>,
    form: impl FnOnce(&HeaderMap) -> Result<Form, Refusal>,
) -> Result<(u64, Option<String>), Refusal> {
    let taken = async {
        if request.method() != Method::POST {
            return Err(Refusal::method("POST"));
        }
        let (head, body) = request.into_parts();
        let form = form(&head.headers)?;
        let packing = Packing::of(&head.headers)?;
        let stated = Stated::of(&head.headers, LIMITS)?;
        // HTTP/2 has many requests that wait for their bodies.
        drop(head);
        let (bytes, held) = read_body(stated, body, LIMITS, &receiver.room).await?;
        receiver.store(Sent { signal, form, packing, bytes, held }).await
    };
    let taken = taken.await;
    receiver.shared.answered(signal, taken.as_ref().map_or_else(Refusal::status, |_| StatusCode::OK));
    taken.map(|stored| (stored.rejected, stored.words))
}

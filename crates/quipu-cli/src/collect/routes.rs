//! The OTLP/HTTP routes and `/metrics`.

use super::counters::Shared;
use super::exposition;
use super::forward::ReceivedRequest;
use super::keeper::{Job, Jobs, Kept};
use crate::http::{Encoding, Limits, Refusal, Room, content_type, read_body, unpacked};
use axum::Router;
use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::any;
use quipu::store::Refused;
use quipu::transfer::{RequestError, Rows, Signal, read_request, response};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Semaphore, oneshot};

/// Limits of one body. The OpenTelemetry Collector's limit is 20 MB.
const LIMITS: Limits = Limits { sent: 16 << 20, unpacked: 64 << 20, time: Duration::from_secs(30) };
/// Memory for all requests together in KiB: their bodies and the rows made from them.
const HELD: usize = 256 << 10;

struct Routes {
    jobs: Jobs,
    shared: Arc<Shared>,
    /// Memory for all requests.
    room: Room,
    /// Limits the number of threads that decode.
    readers: Semaphore,
    /// Fingerprints bodies with a random key.
    hasher: RandomState,
}

pub(crate) fn routes(jobs: Jobs, shared: Arc<Shared>) -> Router {
    let readers = std::thread::available_parallelism().map_or(2, usize::from);
    let state =
        Routes { jobs, shared: shared.clone(), room: Room::new(HELD), readers: Semaphore::new(readers), hasher: RandomState::new() };
    let state = Arc::new(state);
    let mut router = Router::new().fallback(|| async {
        Refusal::new(StatusCode::NOT_FOUND, "Not found. Use /v1/traces, /v1/metrics or /v1/logs to send data, and /metrics to scrape.")
    });
    for signal in Signal::ALL {
        let state = state.clone();
        router = router.route(signal.path(), any(move |request: Request<Body>| answer(state.clone(), signal, request)));
    }
    router.route("/metrics", any(move |request: Request<Body>| scrape(shared.clone(), request)))
}

async fn scrape(shared: Arc<Shared>, request: Request<Body>) -> Response<Body> {
    if request.method() != Method::GET && request.method() != Method::HEAD {
        return Refusal::method("GET, HEAD").into_response();
    }
    let (content_type, text) = exposition::answer(request.headers(), &shared);
    ([(CONTENT_TYPE, content_type)], text).into_response()
}

async fn answer(routes: Arc<Routes>, signal: Signal, request: Request<Body>) -> Response<Body> {
    let encoding = Encoding::of(request.headers());
    match routes.take(signal, request).await {
        Ok(bytes) => {
            routes.shared.answered(signal, StatusCode::OK);
            ([(CONTENT_TYPE, encoding.label())], bytes).into_response()
        }
        Err(refusal) => {
            routes.shared.answered(signal, refusal.status());
            refusal.in_encoding(encoding).into_response()
        }
    }
}

impl Routes {
    async fn take(self: &Arc<Self>, signal: Signal, request: Request<Body>) -> Result<Vec<u8>, Refusal> {
        if request.method() != Method::POST {
            return Err(Refusal::method("POST"));
        }
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        let encoding = Encoding::of(&headers);
        if !content_type(&headers).is_some_and(|said| said.eq_ignore_ascii_case(encoding.label())) {
            let words = "Content-Type must be application/x-protobuf or application/json.";
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words));
        }
        let is_json = encoding == Encoding::Json;
        let (body, mut held) = read_body(&headers, body, LIMITS, &self.room).await?;
        let read = {
            let _place = self.readers.acquire().await.map_err(|_| ending())?;
            let routes = self.clone();
            tokio::task::spawn_blocking(move || routes.read(signal, is_json, &headers, &body))
                .await
                .map_err(|_| Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The body can't be decoded because of an internal error."))??
        };
        held.add(self.room.hold(read.length * 2 + read.rows.weight())?);
        let problems = Problems::of(&read.rows);
        let (done, is_done) = oneshot::channel();
        self.shared.waiting_requests.add(1);
        self.shared.waiting_bytes.add(read.length as u64);
        let job = Job {
            request: Some(read.request),
            rows: read.rows,
            bytes: read.length,
            fingerprint: read.fingerprint,
            refused: Refused::default(),
            done,
        };
        let outcome = if self.jobs.send(job) { is_done.await.map_err(|_| ending()) } else { Err(ending()) };
        self.shared.waiting_requests.sub(1);
        self.shared.waiting_bytes.sub(read.length as u64);
        drop(held);
        let Kept { rows, refused } = outcome?.map_err(|words| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, words).retry_after(5))?;
        drop(rows);
        let rejected = problems.count + refused.entries;
        self.shared.of(signal).refused.add(rejected);
        self.shared.refused_parts.add(refused.parts);
        Ok(response(signal, is_json, rejected, problems.words(&refused).as_deref()))
    }

    fn read(&self, signal: Signal, is_json: bool, headers: &HeaderMap, body: &[u8]) -> Result<Read, Refusal> {
        let body = unpacked(headers, body, LIMITS)?;
        self.shared.of(signal).bytes.add(body.len() as u64);
        let rows = read_request(signal, is_json, &body).map_err(|why| {
            let status = if matches!(why, RequestError::TooMuch(_)) { StatusCode::PAYLOAD_TOO_LARGE } else { StatusCode::BAD_REQUEST };
            Refusal::new(status, format!("The body {why}. Nothing of it was kept."))
        })?;
        // Duplicate spans are detected by their ids. Log records and points have none, so the whole body is fingerprinted.
        let fingerprint = (signal != Signal::Traces).then(|| self.hasher.hash_one((signal, &*body)));
        let length = body.len();
        let request = ReceivedRequest { signal, encoding: Encoding::of(headers), body: body.into_owned() };
        Ok(Read { rows, length, fingerprint, request })
    }
}

/// Entries that were left out before the file was asked.
struct Problems {
    count: u64,
    first: Option<&'static str>,
}

impl Problems {
    fn of(rows: &Rows) -> Problems {
        Problems { count: rows.problem_count(), first: rows.problems().first().map(|(what, _)| *what) }
    }

    /// The message about these problems and about rows the file rejected; `None` if everything was stored.
    fn words(&self, refused: &Refused) -> Option<String> {
        let entries = self.first.map(|first| format!("Some entries were not kept: {first}."));
        let of_file = refused.why.as_ref().map(|why| {
            let Refused { entries, parts, .. } = refused;
            format!("The file did not take {entries} entries and {parts} rows that belong to entries ({why}).")
        });
        match (entries, of_file) {
            (Some(one), Some(other)) => Some(format!("{one} {other}")),
            (one, other) => one.or(other),
        }
    }
}

struct Read {
    rows: Rows,
    length: usize,
    fingerprint: Option<u64>,
    request: ReceivedRequest,
}

fn ending() -> Refusal {
    Refusal::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "The collector is shutting down; nothing of this request was stored. Send it again later.",
    )
    .retry_after(5)
}

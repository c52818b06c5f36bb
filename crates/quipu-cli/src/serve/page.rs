//! The page, and what it asks in the stead of its worker: the same requests to a session here, over HTTP.
//!
//! A page works with one generation of the file until it opens the newest one, so that what it shows belongs together. Not here: the
//! requests and their answers (`quipu::protocol`).

use super::assets;
use super::generation::EventLog;
use super::{Shared, body_of, json};
use crate::http::Refusal;
use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY};
use axum::http::{HeaderValue, Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::post;
use quipu::protocol::{Failure, FailureKind, GetFile, Grown, News, Notification, Opened, Packed, Request as Question, SERVED_TYPE};
use serde::Serialize;
use std::time::Duration;
use tokio::sync::watch;

/// How long a page that asks for news waits for some.
const PATIENCE: Duration = Duration::from_secs(25);

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/quipu/open", post(open))
        .route("/quipu/ask", post(ask))
        .route("/quipu/metrics-input", post(metrics_input))
        .route("/quipu/news", post(news))
}

type Answer = Result<Response<Body>, Response<Body>>;

/// What a page says of itself in the address of a request.
struct Asked {
    generation: u64,
    /// The last number of the news it has heard.
    after: u64,
    /// The newest generation it has heard of.
    known: u64,
    /// Questions in SQL are to come.
    for_sql: bool,
    body: Vec<u8>,
}

impl Asked {
    async fn read(request: Request<Body>) -> Result<Asked, Response<Body>> {
        let query = request.uri().query().unwrap_or_default().to_owned();
        let value =
            |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(known, _)| known == name).map(|(_, value)| value.into_owned());
        let number = |name: &str| value(name).and_then(|text| text.parse().ok()).unwrap_or_default();
        let (generation, after, known) = (number("generation"), number("after"), number("known"));
        let for_sql = value("for").is_some_and(|purpose| purpose == "sql");
        let said = value("build").unwrap_or_default();
        if assets::build().is_some_and(|build| build != said) {
            let words = "The page and the server are from different builds. Reload the page.";
            return Err(Refusal::new(StatusCode::CONFLICT, words).into_response());
        }
        // No form and no page of another address can send this.
        if crate::http::content_type(request.headers()) != Some(SERVED_TYPE) {
            let words = format!("Only the page can use this endpoint; it sends “Content-Type: {SERVED_TYPE}”.");
            return Err(Refusal::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, words).into_response());
        }
        let body = body_of(request, SERVED_TYPE).await.map_err(IntoResponse::into_response)?;
        Ok(Asked { generation, after, known, for_sql, body })
    }
}

/// The newest generation, or one of its own for questions in SQL.
async fn open(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let asked = Asked::read(request).await?;
    let no_thread = |error: anyhow::Error| Refusal::new(StatusCode::SERVICE_UNAVAILABLE, format!("{error:#}.")).into_response();
    let generation = if asked.for_sql { served.live.open_for_sql().map_err(no_thread)? } else { served.live.newest() };
    let answer = generation.ask(GetFile).await;
    Ok(packed(&Opened { generation: generation.number, answer }))
}

async fn ask(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let asked = Asked::read(request).await?;
    let question: Question = postcard::from_bytes(&asked.body)
        .map_err(|_| Refusal::new(StatusCode::BAD_REQUEST, "The request can't be decoded. Reload the page.").into_response())?;
    let Some(generation) = served.live.generation(asked.generation) else {
        return Ok(packed(&Err::<quipu::protocol::Response, Failure>(gone(&served))));
    };
    // Statements of several pages run a few at once.
    let _place = match question {
        Question::RunSql(_) | Question::PlanSql(_) => Some(served.sql_places.enter().await.map_err(|busy| busy.refusal().into_response())?),
        _ => None,
    };
    Ok(packed(&generation.handle(question).await))
}

/// Input of the page's metrics worker: a [`MetricsInput`](quipu::metrics::MetricsInput) as bytes, or a failure.
async fn metrics_input(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let asked = Asked::read(request).await?;
    let answer = match served.live.generation(asked.generation) {
        Some(generation) => generation
            .when_indexed(|session| session.metrics_input())
            .await
            .and_then(|input| Ok(Packed::from(input?.unwrap_or_default().to_bytes()))),
        None => Err(gone(&served)),
    };
    Ok(packed(&answer))
}

/// The file as it was when the page opened it is not kept any more.
fn gone(served: &Shared) -> Failure {
    let name = served.live.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
    Failure { kind: FailureKind::FileChanged, message: format!("{name} has changed since this page opened it. Open it again.") }
}

/// Waits until something happens, or another page has to wait.
async fn news(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let asked = Asked::read(request).await?;
    // A generation that is no longer kept has no events; only a newer one can be reported.
    let generation = served.live.generation(asked.generation);
    let (_nothing, silence) = watch::channel(EventLog::new());
    let mut events = generation.as_ref().map_or(silence, |generation| generation.events());
    let mut newest = served.live.generations();
    tokio::select! {
        _ = events.wait_for(|events| events.iter().any(|(number, _)| *number > asked.after)) => {}
        _ = newest.wait_for(|newest| newest.number != asked.known) => {}
        () = served.ending.asked() => {}
        _ = served.polls.join() => {}
        () = tokio::time::sleep(PATIENCE) => {}
    }
    if let Some(generation) = generation {
        generation.touch();
    }
    let mut news = News { number: asked.after, events: Vec::new() };
    for (number, event) in events.borrow().iter().filter(|(number, _)| *number > asked.after) {
        news.number = news.number.max(*number);
        news.events.push(event.clone());
    }
    let newest = served.live.newest();
    if newest.number != asked.known
        && let Ok(spans) = newest.indexed().await
    {
        news.events.push(Notification::Grown(Grown { generation: newest.number, spans }));
    }
    Ok(packed(&news))
}

fn packed<T: Serialize>(answer: &T) -> Response<Body> {
    let Ok(bytes) = postcard::to_allocvec(answer) else {
        return Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, "The answer can't be encoded.").into_response();
    };
    let mut response = Response::new(Body::from(bytes));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(SERVED_TYPE));
    response
}

/// Files of the page, and what there is not.
pub(super) async fn missing(State(served): State<Shared>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path();
    if path.starts_with("/api/") {
        return super::prometheus::missing();
    }
    if !path.starts_with("/v1/") && [Method::GET, Method::HEAD].contains(request.method()) {
        let name = if path == "/" { "index.html" } else { path.trim_start_matches('/') };
        if let Some(asset) = assets::find(name) {
            return file(&served, name, asset, &request);
        }
        if path == "/" {
            let words = "This quipu was built without the page; `cargo xtask build` builds one with it: target/release/quipu.\n\
                Llama Stack's telemetry routes are below /v1/telemetry/, Prometheus's query API below /api/v1/.\n";
            let mut response = Response::new(Body::from(words));
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
            return response;
        }
    }
    json(StatusCode::NOT_FOUND, r#"{"detail":"Not Found"}"#.into())
}

fn file(served: &Shared, name: &str, packed: &'static [u8], request: &Request<Body>) -> Response<Body> {
    let unpacks = request.headers().get(ACCEPT_ENCODING).and_then(|said| said.to_str().ok()).is_some_and(|said| said.contains("gzip"));
    let is_index = name == "index.html";
    let mut response = match (is_index, unpacks) {
        (true, _) => Response::new(Body::from(assets::index(&file_name(served)))),
        (false, true) => Response::new(Body::from(packed)),
        (false, false) => Response::new(Body::from(assets::unpacked(packed))),
    };
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(assets::content_type(name)));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    if !is_index && unpacks {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    if let Some(policy) = assets::policy().filter(|_| is_index).and_then(|policy| HeaderValue::from_str(&policy).ok()) {
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

fn file_name(served: &Shared) -> String {
    served.live.path().file_name().unwrap_or_default().to_string_lossy().into_owned()
}

//! Llama Stack's telemetry routes: those of release 0.2.15, and `query_metrics` as of 0.2.23. docs/serving.md lists the differences.
//!
//! The core parses the parameters and answers.

use super::{Shared, body_of, json, now_seconds};
use crate::http::Refusal;
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use quipu::model::Event;
use quipu::query::QueryError;
use quipu_telemetry::{DEFAULT_TTL_SECONDS, LogError, Warning};
use serde_json::{Map, Value as Json, json};

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/v1/telemetry/traces", post(query_traces))
        .route("/v1/telemetry/traces/{trace_id}", get(get_trace))
        .route("/v1/telemetry/traces/{trace_id}/spans/{span_id}", get(get_span))
        .route("/v1/telemetry/spans", post(query_spans))
        .route("/v1/telemetry/spans/export", post(save_spans_to_dataset))
        .route("/v1/telemetry/spans/{span_id}/tree", post(get_span_tree))
        .route("/v1/telemetry/metrics/{metric_name}", post(query_metrics))
        .route("/v1/telemetry/events", post(log_event))
}

type Answer = Result<Response<Body>, Response<Body>>;

/// A call of an API method.
struct Call {
    method: &'static str,
    params: Map<String, Json>,
    /// The error message if the named trace or span does not exist.
    missing: String,
}

async fn query_traces(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = params(request, &["attribute_filters", "limit", "offset", "order_by"]).await?;
    call(&served, Call { method: "query_traces", params, missing: String::new() }).await
}

async fn get_trace(State(served): State<Shared>, Path(trace_id): Path<String>) -> Answer {
    let missing = format!("Trace {trace_id} not found");
    let params = Map::from_iter([("trace_id".to_owned(), json!(trace_id))]);
    call(&served, Call { method: "get_trace", params, missing }).await
}

async fn get_span(State(served): State<Shared>, Path((trace_id, span_id)): Path<(String, String)>) -> Answer {
    let missing = format!("Span {span_id} not found");
    let params = Map::from_iter([("trace_id".to_owned(), json!(trace_id)), ("span_id".to_owned(), json!(span_id))]);
    call(&served, Call { method: "get_span", params, missing }).await
}

async fn get_span_tree(State(served): State<Shared>, Path(span_id): Path<String>, request: Request<Body>) -> Answer {
    let mut params = params(request, &["attributes_to_return", "max_depth"]).await?;
    let missing = format!("Span {span_id} not found");
    params.insert("span_id".into(), json!(span_id));
    call(&served, Call { method: "get_span_tree", params, missing }).await
}

async fn query_spans(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = params(request, &["attribute_filters", "attributes_to_return", "max_depth"]).await?;
    call(&served, Call { method: "query_spans", params, missing: String::new() }).await
}

async fn save_spans_to_dataset(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = params(request, &["attribute_filters", "attributes_to_save", "dataset_id", "max_depth"]).await?;
    call(&served, Call { method: "save_spans_to_dataset", params, missing: String::new() }).await
}

async fn query_metrics(State(served): State<Shared>, Path(metric_name): Path<String>, request: Request<Body>) -> Answer {
    let mut params = params(request, &["start_time", "end_time", "granularity", "query_type", "label_matchers"]).await?;
    params.insert("metric_name".into(), json!(metric_name));
    call(&served, Call { method: "query_metrics", params, missing: String::new() }).await
}

/// Accepts an event, if the file may be written.
async fn log_event(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let mut params = params(request, &["event", "ttl_seconds"]).await?;
    let Some(log) = &served.log else {
        let words = "The file is served read-only. Start quipu serve with --accept-events to let programs log to it.";
        return Err(json(StatusCode::FORBIDDEN, json!({ "detail": words }).to_string()));
    };
    let Some(event) = params.remove("event") else { return Err(invalid("event", "is missing")) };
    let ttl_seconds = match params.remove("ttl_seconds") {
        None | Some(Json::Null) => DEFAULT_TTL_SECONDS,
        Some(value) => match value.as_i64().or_else(|| value.as_str()?.parse().ok()) {
            Some(seconds) => seconds,
            None => return Err(invalid("ttl_seconds", &format!("is {value}, not a whole number"))),
        },
    };
    let event: Event = serde_json::from_value(event).map_err(|error| invalid("event", &format!("can't be read: {error}")))?;
    let ends = matches!(&event, Event::StructuredLog(event) if matches!(event.payload, quipu::model::StructuredLogPayload::SpanEnd(_)));
    let busy = |words: String| json(StatusCode::SERVICE_UNAVAILABLE, json!({ "detail": words }).to_string());
    let receipt = log.event(event, ttl_seconds).map_err(|error| match error {
        LogError::Invalid { field, wrong } => invalid(&format!("event.{field}"), wrong),
        error => busy(error.to_string()),
    })?;
    if let Ok(Err(warning)) = tokio::task::spawn_blocking(move || receipt.wait()).await {
        return Err(match warning {
            Warning::UnknownSpan { .. } => invalid("event.span_id", "names no open span: its start has not come, or it has ended already"),
            Warning::StartedTwice { .. } => invalid("event.span_id", "names a span that is open already"),
            Warning::AlreadyWritten { .. } => invalid("event.span_id", "names a span that is in the file already"),
            other => busy(other.to_string()),
        });
    }
    if ends {
        // A span is written when it ends, so wait until it is in the file before answering.
        let served = served.clone();
        let flushed =
            tokio::task::spawn_blocking(move || served.log.as_ref().map_or(Ok(()), |log| log.flush()).map(|()| served.live.look_now()));
        if let Ok(Err(error)) = flushed.await {
            return Err(failed(&error.to_string()));
        }
    }
    Ok(json(StatusCode::OK, "null".into()))
}

async fn call(served: &Shared, call: Call) -> Answer {
    let Call { method, params, missing } = call;
    let params = Json::Object(params).to_string();
    #[expect(clippy::cast_possible_truncation, reason = "seconds since 1970 fit")]
    let now = now_seconds().map(|seconds| seconds as i64);
    let place = served.places.enter().await.map_err(|busy| {
        let refusal = busy.refusal();
        refusal.with_body(json!({ "detail": refusal.words() }).to_string())
    })?;
    match served.live.newest().query(method, params, now, place).await {
        Ok(Ok(answer)) => Ok(json(StatusCode::OK, answer)),
        Ok(Err(QueryError::Parameter { name, problem })) => Err(invalid(&name, &problem)),
        Ok(Err(QueryError::NotFound { .. })) => {
            Err(json(StatusCode::BAD_REQUEST, json!({ "detail": format!("Invalid value: {missing}") }).to_string()))
        }
        Ok(Err(error)) => Err(failed(&error.to_string())),
        Err(failure) => Err(failed(&failure.message)),
    }
}

/// Reads the parameters from the body. Like Llama Stack, ignores unknown parameters and accepts an empty body.
async fn params(request: Request<Body>, known: &[&str]) -> Result<Map<String, Json>, Response<Body>> {
    let refuse = |refusal: Refusal| json(refusal.status(), json!({ "detail": refusal.words() }).to_string());
    let body = body_of(request, "application/json").await.map_err(refuse)?;
    if body.is_empty() {
        return Ok(Map::new());
    }
    match serde_json::from_slice(&body) {
        Ok(Json::Object(mut params)) => {
            params.retain(|name, _| known.contains(&name.as_str()));
            Ok(params)
        }
        Ok(Json::Null) => Ok(Map::new()),
        Ok(_) => Err(invalid("", "is not an object of parameters")),
        Err(error) => Err(invalid("", &format!("is not valid JSON: {error}"))),
    }
}

/// The validation error for a parameter, in the format of Llama Stack (Pydantic).
fn invalid(name: &str, problem: &str) -> Response<Body> {
    let kind = [
        ("is missing", "missing"),
        ("is null, and has no default", "missing"),
        ("is not valid JSON", "json_invalid"),
        ("not a list", "list_type"),
        ("not a text", "string_type"),
        ("not a whole number", "int_parsing"),
        ("it is one of", "enum"),
    ];
    let kind = kind.iter().find(|(words, _)| problem.contains(words)).map_or("value_error", |(_, kind)| kind);
    let subject = if name.is_empty() { "The body" } else { name };
    let error = json!({ "loc": place(name), "msg": format!("{subject} {problem}."), "type": kind });
    json(StatusCode::BAD_REQUEST, json!({ "error": { "detail": { "errors": [error] } } }).to_string())
}

/// Converts `attribute_filters[0].op` into a location list of a validation error.
fn place(name: &str) -> Vec<Json> {
    let parts = name.split(['.', '[', ']']).filter(|part| !part.is_empty());
    let part = |part: &str| part.parse::<u64>().map_or_else(|_| json!(part), |number| json!(number));
    std::iter::once(json!("body")).chain(parts.map(part)).collect()
}

/// The response for internal errors.
fn failed(words: &str) -> Response<Body> {
    json(StatusCode::INTERNAL_SERVER_ERROR, json!({ "detail": format!("Internal server error: {words}") }).to_string())
}

#[cfg(test)]
mod tests {
    use super::place;
    use serde_json::json;

    #[test]
    fn places_are_lists_of_names_and_numbers() {
        assert_eq!(place("attribute_filters[0].op"), [json!("body"), json!("attribute_filters"), json!(0), json!("op")]);
        assert_eq!(place(""), [json!("body")]);
    }
}

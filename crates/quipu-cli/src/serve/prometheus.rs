//! Prometheus' query API over the metrics of the file, as far as Grafana and `promtool` use it: queries, series, labels, exemplars and metadata.
//!
//! Rules and targets are empty: a file has none. PromQL is in the core.

use super::places::Busy;
use super::{Shared, body_of, json, now_seconds};
use crate::http::Refusal;
use crate::json::{MOST_EXEMPLARS, exemplars};
use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::get;
use quipu::SeriesQuery;
use quipu::metrics::{ExemplarQuery, MetricKind, Metrics, PromqlQuery};
use quipu::model::budget::Budget;
use quipu::promql::{MAX_STEPS, METRIC_NAME, PromqlError, error_json, read_duration, read_time};
use quipu::protocol::Failure;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;

/// The Prometheus release whose API this is. Grafana uses it to decide which features to use.
const VERSION: &str = "3.0.0";

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/api/v1/query", get(query).post(query))
        .route("/api/v1/query_range", get(query_range).post(query_range))
        .route("/api/v1/series", get(series).post(series))
        .route("/api/v1/labels", get(labels).post(labels))
        .route("/api/v1/label/{name}/values", get(label_values))
        .route("/api/v1/metadata", get(metadata))
        .route("/api/v1/status/buildinfo", get(build_info))
        .route("/api/v1/query_exemplars", get(query_exemplars).post(query_exemplars))
        .route("/api/v1/rules", get(no_rules))
}

type Answer = Result<Response<Body>, Problem>;

/// Why a request fails.
enum Problem {
    /// A parameter is invalid.
    BadData(String),
    /// The query is invalid or its evaluation failed.
    Promql(PromqlError),
    /// The file can't be read.
    File(Failure),
    /// The HTTP request was refused.
    Refused(Refusal),
    /// Too many questions at once.
    Busy(Busy),
}

impl axum::response::IntoResponse for Problem {
    fn into_response(self) -> Response<Body> {
        let document = |kind: &str, words: &str| json!({ "status": "error", "errorType": kind, "error": words }).to_string();
        match self {
            Problem::BadData(words) => json(StatusCode::BAD_REQUEST, document("bad_data", &words)),
            Problem::Promql(error) if error.is_bad_query => json(StatusCode::BAD_REQUEST, error_json(&error)),
            Problem::Promql(error) => json(StatusCode::UNPROCESSABLE_ENTITY, error_json(&error)),
            Problem::File(failure) => json(StatusCode::INTERNAL_SERVER_ERROR, document("internal", &failure.message)),
            Problem::Busy(busy) => {
                let refusal = busy.refusal();
                refusal.with_body(document("unavailable", refusal.words()))
            }
            Problem::Refused(refusal) => json(refusal.status(), document("bad_data", refusal.words())),
        }
    }
}

impl From<Failure> for Problem {
    fn from(failure: Failure) -> Problem {
        Problem::File(failure)
    }
}

impl From<Busy> for Problem {
    fn from(busy: Busy) -> Problem {
        Problem::Busy(busy)
    }
}

impl From<PromqlError> for Problem {
    fn from(error: PromqlError) -> Problem {
        Problem::Promql(error)
    }
}

/// Parameters of the query string and the body.
struct Params(Vec<(String, String)>);

impl Params {
    async fn read(request: Request<Body>) -> Result<Params, Problem> {
        let in_address = request.uri().query().unwrap_or_default().to_owned();
        let mut list = Vec::new();
        if request.method() == Method::POST {
            let body = body_of(request, "application/x-www-form-urlencoded").await.map_err(Problem::Refused)?;
            list.extend(form_urlencoded::parse(&body).into_owned());
        }
        list.extend(form_urlencoded::parse(in_address.as_bytes()).into_owned());
        Ok(Params(list))
    }

    /// The value of a parameter; an empty value counts as missing.
    fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, value)| known == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }

    fn required(&self, name: &str) -> Result<&str, Problem> {
        self.get(name).ok_or_else(|| Problem::BadData(format!("The parameter {name} is missing.")))
    }

    /// A time parameter in milliseconds since 1970.
    fn time(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.get(name).map(read_time).transpose().map_err(|words| Problem::BadData(format!("The parameter {name}: {words}")))
    }

    fn required_time(&self, name: &str) -> Result<i64, Problem> {
        self.required(name)?;
        Ok(self.time(name)?.unwrap_or_default())
    }

    fn limit(&self) -> Result<Option<usize>, Problem> {
        let Some(text) = self.get("limit") else { return Ok(None) };
        match text.parse() {
            Ok(0) => Ok(None),
            Ok(limit) => Ok(Some(limit)),
            Err(_) => Err(Problem::BadData(format!("The parameter limit: {text:?} is not a whole number."))),
        }
    }
}

async fn query(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 fit")]
    let now = now_seconds().map(|seconds| (seconds * 1e3) as i64);
    let end = params.time("time")?.or(now);
    answer(&served, PromqlQuery { query: params.required("query")?.into(), end, start: None, step: None, options: served.metrics }).await
}

async fn query_range(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    let query = params.required("query")?.to_owned();
    let (start, end) = (params.required_time("start")?, params.required_time("end")?);
    let step = read_duration(params.required("step")?).map_err(|words| Problem::BadData(format!("The parameter step: {words}")))?;
    if end < start {
        return Err(Problem::BadData("The parameter end is before start.".into()));
    }
    let steps = end.abs_diff(start) / step.unsigned_abs().max(1);
    if steps >= MAX_STEPS {
        let words = format!("The query has {} steps; the maximum is {MAX_STEPS}. Use a longer step or a shorter range.", steps + 1);
        return Err(Problem::BadData(words));
    }
    answer(&served, PromqlQuery { query, end: Some(end), start: Some(start), step: Some(step), options: served.metrics }).await
}

async fn answer(served: &Shared, query: PromqlQuery) -> Answer {
    let place = served.places.enter().await?;
    let work = move |metrics: &Metrics, budget: &Budget| metrics.query_with_notes(&query, budget).map(|evaluated| evaluated.to_json());
    Ok(json(StatusCode::OK, served.live.newest().metrics(place, work).await??))
}

/// The label sets of the series that match the parameters.
async fn found(served: &Shared, params: &Params) -> Result<Vec<quipu::SeriesLabels>, Problem> {
    let selectors = params.0.iter().filter(|(name, _)| name == "match[]").map(|(_, value)| value.clone()).collect();
    let query = SeriesQuery { selectors, start: params.time("start")?, end: params.time("end")?, options: served.metrics };
    if query.start > query.end && query.end.is_some() {
        return Err(Problem::BadData("The parameter end is before start.".into()));
    }
    let place = served.places.enter().await?;
    Ok(served.live.newest().metrics(place, move |metrics, budget| metrics.list_series(&query, budget)).await??)
}

/// A list in the API's format, cut to the parameter `limit`.
fn listed(mut items: Vec<Json>, params: &Params) -> Answer {
    let limit = params.limit()?.unwrap_or(usize::MAX);
    let is_cut = items.len() > limit;
    items.truncate(limit);
    let mut document = json!({ "status": "success", "data": items });
    if is_cut && let Some(fields) = document.as_object_mut() {
        fields.insert("warnings".into(), json!(["results truncated due to limit"]));
    }
    Ok(json(StatusCode::OK, document.to_string()))
}

async fn series(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    params.required("match[]")?;
    let as_object =
        |labels: quipu::SeriesLabels| Json::Object(Map::from_iter(labels.into_iter().map(|(name, value)| (name, json!(value)))));
    let list = found(&served, &params).await?;
    listed(list.into_iter().map(as_object).collect(), &params)
}

async fn labels(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    let names: BTreeSet<String> = found(&served, &params).await?.into_iter().flatten().map(|(name, _)| name).collect();
    listed(names.into_iter().map(Json::String).collect(), &params)
}

async fn label_values(State(served): State<Shared>, Path(name): Path<String>, request: Request<Body>) -> Answer {
    if name.is_empty() {
        return Err(Problem::BadData("The label name is empty.".into()));
    }
    let params = Params::read(request).await?;
    let labels = found(&served, &params).await?.into_iter().flatten();
    let values: BTreeSet<String> = labels.filter(|(known, _)| *known == name).map(|(_, value)| value).collect();
    listed(values.into_iter().map(Json::String).collect(), &params)
}

/// Types of the metrics. A histogram is listed by its base name, without the suffixes of its three metrics.
async fn metadata(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    let options = served.metrics;
    let place = served.places.enter().await?;
    let catalog = served.live.newest().metrics(place, move |metrics, _| metrics.catalog(options)).await?;
    let mut document = Map::new();
    for metric in catalog.metrics {
        let endings = ["_bucket", "_sum", "_count"];
        let (name, kind) = match metric.kind {
            MetricKind::Counter => (metric.name.as_str(), "counter"),
            MetricKind::Gauge => (metric.name.as_str(), "gauge"),
            MetricKind::Histogram => {
                (endings.iter().find_map(|ending| metric.name.strip_suffix(ending)).unwrap_or(&metric.name), "histogram")
            }
        };
        if params.get("metric").is_none_or(|wanted| wanted == name) && !document.contains_key(name) {
            document.insert(name.to_owned(), json!([{ "type": kind, "help": metric.help, "unit": "" }]));
        }
    }
    let limit = params.limit()?.unwrap_or(usize::MAX);
    let document: Map<String, Json> = document.into_iter().take(limit).collect();
    Ok(json(StatusCode::OK, json!({ "status": "success", "data": document }).to_string()))
}

async fn build_info() -> Response<Body> {
    let data = json!({
        "version": VERSION, "revision": concat!("quipu-", env!("CARGO_PKG_VERSION")), "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
    });
    json(StatusCode::OK, json!({ "status": "success", "data": data }).to_string())
}

async fn query_exemplars(State(served): State<Shared>, request: Request<Body>) -> Answer {
    let params = Params::read(request).await?;
    let (start, end) = (params.time("start")?, params.time("end")?);
    if start > end && end.is_some() {
        return Err(Problem::BadData("The parameter end is before start.".into()));
    }
    let query = ExemplarQuery { query: params.required("query")?.into(), start, end, limit: MOST_EXEMPLARS, options: served.metrics };
    let place = served.places.enter().await?;
    let found = served.live.newest().metrics(place, move |metrics, budget| metrics.exemplars(&query, budget)).await??;
    Ok(json(StatusCode::OK, exemplars(&found).to_string()))
}

async fn no_rules() -> Response<Body> {
    json(StatusCode::OK, json!({ "status": "success", "data": { "groups": [] } }).to_string())
}

/// The response for an unknown path of this API.
pub(super) fn missing() -> Response<Body> {
    let words = format!("Unknown path. Label values are at /api/v1/label/{METRIC_NAME}/values and so on.");
    json(StatusCode::NOT_FOUND, json!({ "status": "error", "errorType": "not_found", "error": words }).to_string())
}

//! The recorded calls and their answers: in process and over HTTP, as calls of the same methods.

use super::support::repository;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value as Json, json};

/// One recorded call.
pub(crate) struct Case {
    pub(crate) id: String,
    pub(crate) db: String,
    pub(crate) method: String,
    pub(crate) params: Json,
    /// The text of the answer.
    pub(crate) answer: Option<String>,
    /// Type and message of the error.
    pub(crate) error: Option<String>,
    /// The server continued to write the file while the call was recorded.
    pub(crate) over_http: bool,
}

#[derive(Deserialize)]
struct Recorded {
    id: String,
    db: String,
    method: String,
    params: Json,
    answer: Option<Box<RawValue>>,
    error: Option<Json>,
}

#[derive(Deserialize)]
struct Http {
    path: String,
    method: String,
    body: Json,
    status: u16,
    answer: Box<RawValue>,
}

const FILES: [&str; 4] = [
    "real_events__0.2.15.json",
    "real_metrics_0.2.23__0.2.23.json",
    "real_old_0.2.11__0.2.23.json",
    "real_small__0.2.15.json",
];

/// Every recorded call.
pub(crate) fn cases() -> Vec<Case> {
    let read = |name: &str| std::fs::read_to_string(repository().join("tests/fixtures/oracle").join(name)).expect("an oracle");
    let mut cases = Vec::new();
    for name in FILES {
        let recorded: Vec<Recorded> = serde_json::from_str(&read(name)).expect("an oracle");
        cases.extend(recorded.into_iter().map(|case| Case {
            id: case.id,
            db: case.db,
            method: case.method,
            params: case.params,
            answer: case.answer.map(|answer| answer.get().to_owned()),
            error: case.error.map(|error| error.to_string()),
            over_http: false,
        }));
    }
    let http: Vec<Http> = serde_json::from_str(&read("http_0.2.15.json")).expect("an oracle");
    cases.extend(http.into_iter().enumerate().filter_map(|(number, case)| http_case(number, case)));
    cases
}

/// `None` for calls that are not queries: `log_event`, and routes that did not exist.
fn http_case(number: usize, case: Http) -> Option<Case> {
    let parts: Vec<&str> = case.path.trim_start_matches("/v1/telemetry/").split('/').collect();
    let mut params = if case.body.is_null() { json!({}) } else { case.body };
    let method = match (case.method.as_str(), parts.as_slice()) {
        ("POST", ["traces"]) => "query_traces",
        ("GET", ["traces", trace_id]) => {
            params["trace_id"] = json!(trace_id);
            "get_trace"
        }
        ("GET", ["traces", trace_id, "spans", span_id]) => {
            params["trace_id"] = json!(trace_id);
            params["span_id"] = json!(span_id);
            "get_span"
        }
        ("POST", ["spans", span_id, "tree"]) => {
            params["span_id"] = json!(span_id);
            "get_span_tree"
        }
        ("POST", ["spans"]) => "query_spans",
        ("POST", ["spans", "export"]) => "save_spans_to_dataset",
        ("POST", ["metrics", metric]) => {
            params["metric_name"] = json!(metric);
            "query_metrics"
        }
        _ => return None,
    };
    let answer = case.answer.get().to_owned();
    let ok = case.status == 200;
    Some(Case {
        id: format!("http#{number:03}"),
        db: "real_agent.db".into(),
        method: method.into(),
        params,
        error: (!ok).then(|| answer.clone()),
        answer: ok.then_some(answer),
        over_http: true,
    })
}

//! What recorded the spans of a file, as their resources and scopes say: SDKs and instrumentations.

use super::error::QueryError;
use super::matching::Source;
use quipu_model::Value;
use quipu_model::ordered::sort_by_key;
use quipu_model::recorded::parse_json;
use quipu_store::scan_span_sources;
use serde::Serialize;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// How many of each are reported.
const MOST: usize = 100;

/// What recorded the spans of a file, each list with those of most spans first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Writers {
    /// SDKs.
    pub sdks: Vec<Writer>,
    /// Instrumentations: the names of scopes.
    pub instrumentations: Vec<Writer>,
}

/// An SDK or an instrumentation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Writer {
    /// Its name.
    pub name: String,
    /// Its version, if it says so.
    pub version: Option<String>,
    /// The language of an SDK.
    pub language: Option<String>,
    /// Number of spans.
    pub spans: u64,
}

impl Writer {
    /// Its name, version and language in one text: `opentelemetry 1.38.0 (python)`.
    pub fn title(&self) -> String {
        let version = self.version.iter().map(|version| format!(" {version}")).collect::<String>();
        let language = self.language.iter().map(|language| format!(" ({language})")).collect::<String>();
        format!("{}{version}{language}", self.name)
    }
}

type Counts = BTreeMap<(String, Option<String>, Option<String>), u64>;

pub(crate) fn writers(source: Source<'_>) -> Result<Writers, QueryError> {
    let (mut sdks, mut instrumentations) = (Counts::new(), Counts::new());
    scan_span_sources(source.database.connection(), source.database.schema(), &mut |resource, scope, spans| {
        let read = |json: &str| parse_json(json).unwrap_or(Value::Null);
        let (resource, scope) = (read(resource), read(scope));
        let said = |of: &Value, key: &str| of.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
        let sdk = |part: &str| said(&resource, &format!("telemetry.sdk.{part}"));
        if let Some(name) = sdk("name") {
            *sdks.entry((name, sdk("version"), sdk("language"))).or_default() += spans;
        }
        if let Some(name) = said(&scope, "name") {
            *instrumentations.entry((name, said(&scope, "version"), None)).or_default() += spans;
        }
    })?;
    Ok(Writers { sdks: listed(sdks), instrumentations: listed(instrumentations) })
}

fn listed(counts: Counts) -> Vec<Writer> {
    let writer = |((name, version, language), spans)| Writer { name, version, language, spans };
    let mut writers: Vec<Writer> = counts.into_iter().map(writer).collect();
    sort_by_key(&mut writers, |writer| Reverse(writer.spans));
    writers.truncate(MOST);
    writers
}

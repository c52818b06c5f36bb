//! Which series a file has, by selectors and time: what Prometheus's API tells of series and labels.
//!
//! What is not here: HTTP, and evaluation, which this asks in PromQL's own words.

use super::Session;
use quipu_promql::{PromqlError, Token, TokenKind, lex};
use quipu_protocol::Failure;
use quipu_protocol::{MetricOptions, PromqlQuery};
use std::collections::BTreeSet;

/// Selects every series.
const ALL: &str = "{__name__=~\".+\"}";

/// Which series are meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Selectors such as `llama_stack_tokens_total{model_id="llama"}`; a series that one of them finds is meant. None: all are.
    pub selectors: Vec<String>,
    /// Only series with a sample at this time or later: milliseconds since 1970, UTC.
    pub start: Option<i64>,
    /// Only series with a sample at this time or earlier.
    pub end: Option<i64>,
    /// How the file is read.
    pub options: MetricOptions,
}

/// Names and values of the labels of a series, by name; the metric's name is `__name__`.
pub type SeriesLabels = Vec<(String, String)>;

impl Session {
    /// The series of a file, by labels, each once. The index is built first where it is not complete.
    ///
    /// # Errors
    /// The outer one when the file can't be read; the inner one is about a selector.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db"))?;
    /// # let dropped = quipu::store::Dropped { name: "metrics.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![dropped], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// let query = quipu::SeriesQuery { selectors: vec!["llama_stack_tokens_total".into()], ..Default::default() };
    /// let series = session.list_series(&query)??;
    /// assert!(series.iter().all(|labels| labels.contains(&("__name__".into(), "llama_stack_tokens_total".into()))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn list_series(&mut self, query: &SeriesQuery) -> Result<Result<Vec<SeriesLabels>, PromqlError>, Failure> {
        let mut selectors: Vec<&str> = query.selectors.iter().map(String::as_str).collect();
        if let Some(error) = selectors.iter().find_map(|selector| refuse(selector)) {
            return Ok(Err(error));
        }
        if selectors.is_empty() {
            selectors.push(ALL);
        }
        let extent = self.list_metrics(query.options)?.extent;
        // What lies outside of the file finds nothing, however far away it is.
        let window = extent.map(|(first, last)| (query.start.unwrap_or(first).max(first), query.end.unwrap_or(last).min(last)));
        let Some((start, end)) = window.filter(|(start, end)| start <= end) else { return Ok(Ok(Vec::new())) };
        let mut found = BTreeSet::new();
        for selector in selectors {
            // A range is open on its left.
            let asked = PromqlQuery {
                query: format!("last_over_time({selector}[{}ms])", end - start + 1),
                end: Some(end),
                start: None,
                step: None,
                options: query.options,
            };
            match self.query_promql(&asked)? {
                Ok(answer) => found.extend(answer.series().iter().map(|series| series.labels.clone())),
                Err(error) => return Ok(Err(PromqlError { message: format!("{selector}: {}", error.message), start: 0, end: 0, ..error })),
            }
        }
        Ok(Ok(found.into_iter().collect()))
    }
}

/// Why a text can't be a selector; whatever else is wrong with it evaluation tells.
fn refuse(selector: &str) -> Option<PromqlError> {
    let is_odd = |token: &Token| match token.kind {
        TokenKind::Comment => true,
        TokenKind::Mark => !matches!(token.text(selector), "{" | "}" | ","),
        TokenKind::Operator => !matches!(token.text(selector), "=" | "!=" | "=~" | "!~"),
        TokenKind::Keyword => token.text(selector) == "offset",
        _ => false,
    };
    let is_odd = selector.trim().is_empty() || lex(selector).iter().any(is_odd);
    let message = format!("{selector:?} is no selector of series; write metric{{label=\"value\"}}.");
    is_odd.then_some(PromqlError { message, start: 0, end: selector.len(), is_bad_query: true })
}

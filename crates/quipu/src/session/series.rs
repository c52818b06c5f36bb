//! Lists the series of a file by selector and time, as Prometheus's API does for series and labels.
//!
//! Not here: HTTP, and evaluation: this module builds PromQL queries.

use super::Session;
use quipu_promql::{PromqlError, Token, TokenKind, lex};
use quipu_protocol::Failure;
use quipu_protocol::{MetricOptions, PromqlQuery};
use std::collections::BTreeSet;

/// Selects every series.
const ALL: &str = "{__name__=~\".+\"}";

/// A selection of series.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SeriesQuery {
    /// Selectors such as `llama_stack_tokens_total{model_id="llama"}`; a series must match at least one. Empty: all series.
    pub selectors: Vec<String>,
    /// Only series with a sample at this time or later, in milliseconds since 1970, UTC.
    pub start: Option<i64>,
    /// Only series with a sample at this time or earlier, in milliseconds since 1970, UTC.
    pub end: Option<i64>,
    /// How counters are computed from the file.
    pub options: MetricOptions,
}

/// Label names and values of a series, by name; `__name__` is the metric's name.
pub type SeriesLabels = Vec<(String, String)>;

impl Session {
    /// The series of a file, deduplicated and sorted by labels. Completes the index first if necessary.
    ///
    /// # Errors
    /// The outer error: the file can't be read. The inner error: a selector is invalid.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db"))?;
    /// # let file = quipu::store::NamedSource { name: "metrics.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
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
        // Nothing lies outside of the file's extent, so a wider range is clipped to it.
        let window = extent.map(|(first, last)| (query.start.unwrap_or(first).max(first), query.end.unwrap_or(last).min(last)));
        let Some((start, end)) = window.filter(|(start, end)| start <= end) else { return Ok(Ok(Vec::new())) };
        let mut found = BTreeSet::new();
        for selector in selectors {
            // A PromQL range excludes its start.
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

/// An error if a text can't be a selector; evaluation reports all others.
fn refuse(selector: &str) -> Option<PromqlError> {
    let is_invalid = |token: &Token| match token.kind {
        TokenKind::Comment => true,
        TokenKind::Mark => !matches!(token.text(selector), "{" | "}" | ","),
        TokenKind::Operator => !matches!(token.text(selector), "=" | "!=" | "=~" | "!~"),
        TokenKind::Keyword => token.text(selector) == "offset",
        _ => false,
    };
    let is_invalid = selector.trim().is_empty() || lex(selector).iter().any(is_invalid);
    let message = format!("{selector:?} is no selector of series; write metric{{label=\"value\"}}.");
    is_invalid.then_some(PromqlError { message, start: 0, end: selector.len(), is_bad_query: true })
}

//! Lists the series of a file by selector and time, as Prometheus's API does for series and labels.
//!
//! Not here: HTTP, and evaluation: this module builds PromQL queries.

use super::source::over;
use quipu_model::budget::Budget;
use quipu_promql::{PromqlAnswer, PromqlError, Token, TokenKind, lex};
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

/// Maximum number of selectors in one query.
const MAX_SELECTORS: usize = 100;

/// Lists the series; `evaluate` answers the queries that this takes. `extent` is the first and last time of the file.
///
/// # Errors
/// If a selector is invalid, there are too many, or a limit is exceeded.
pub(super) fn list_series(
    query: &SeriesQuery,
    extent: Option<(i64, i64)>,
    budget: &Budget,
    evaluate: &dyn Fn(&PromqlQuery) -> Result<PromqlAnswer, PromqlError>,
) -> Result<Vec<SeriesLabels>, PromqlError> {
    let mut selectors: Vec<&str> = query.selectors.iter().map(String::as_str).collect();
    if selectors.len() > MAX_SELECTORS {
        let message = format!(
            "There are {} selectors; at most {MAX_SELECTORS} are supported in one request.",
            quipu_model::format::count(selectors.len() as u64)
        );
        return Err(PromqlError { message, start: 0, end: 0, is_bad_query: true });
    }
    if let Some(error) = selectors.iter().find_map(|selector| refuse(selector)) {
        return Err(error);
    }
    if selectors.is_empty() {
        selectors.push(ALL);
    }
    // Nothing lies outside of the file's extent, so a wider range is clipped to it.
    let window = extent.map(|(first, last)| (query.start.unwrap_or(first).max(first), query.end.unwrap_or(last).min(last)));
    let Some((start, end)) = window.filter(|(start, end)| start <= end) else { return Ok(Vec::new()) };
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
        let before = budget.held();
        let answer = evaluate(&asked).map_err(|error| of_selector(selector, error))?;
        budget.release_to(before);
        for series in answer.series() {
            let bytes: usize = series.labels.iter().map(|(name, value)| name.len() + value.len() + 64).sum();
            if found.insert(series.labels.clone()) {
                budget.hold(bytes as u64).map_err(over)?;
            }
        }
    }
    Ok(found.into_iter().collect())
}

/// An error in a query, as one of its selector.
fn of_selector(selector: &str, error: PromqlError) -> PromqlError {
    PromqlError { message: format!("{selector}: {}", error.message), start: 0, end: 0, ..error }
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
    let message = format!("{selector:?} is not a series selector; write metric{{label=\"value\"}}.");
    is_invalid.then_some(PromqlError { message, start: 0, end: selector.len(), is_bad_query: true })
}

//! Determines which samples a query reads in one step: its selectors with their time ranges.

use super::ast::{At, Expr, ExprKind, Timing};
use super::error::PromqlError;
use super::matcher::Matcher;
use super::parse::parse;

/// A selector and its time range `(after, until]`, in milliseconds since 1970.
pub struct SelectorRange {
    /// Matchers of the selector.
    pub matchers: Vec<Matcher>,
    /// Start of the range, exclusive.
    pub after: i64,
    /// End of the range, inclusive.
    pub until: i64,
}

/// All selectors of a query with their ranges in the step at `at`. Instant selectors are taken to look back by `step`.
///
/// # Errors
/// If the query is not valid.
pub fn selector_ranges(query: &str, at: i64, step: i64) -> Result<Vec<SelectorRange>, PromqlError> {
    let mut list = Vec::new();
    collect(&parse(query)?, (at.saturating_sub(step.max(0)), at), at, &mut list);
    Ok(list)
}

/// `seen` is the range of evaluation times: one step, or the range of a subquery.
fn collect(expr: &Expr, seen: (i64, i64), at: i64, list: &mut Vec<SelectorRange>) {
    let shifted = |timing: Timing, range: i64| {
        let (after, until) = match timing.at {
            None => seen,
            Some(At::Time(fixed)) => (fixed, fixed),
            // The bounds of the whole query are unknown; use the step instead.
            Some(At::Start | At::End) => (at, at),
        };
        let until = until.saturating_sub(timing.offset);
        (after.saturating_sub(timing.offset).min(until.saturating_sub(range)), until)
    };
    match &expr.kind {
        ExprKind::Number(_) | ExprKind::Text(_) => {}
        ExprKind::Select(selector) => {
            let (after, until) = shifted(selector.timing, 0);
            list.push(SelectorRange { matchers: selector.matchers.clone(), after, until });
        }
        ExprKind::Range(selector, range) => {
            let (_, until) = shifted(selector.timing, 0);
            list.push(SelectorRange { matchers: selector.matchers.clone(), after: until.saturating_sub(*range), until });
        }
        ExprKind::Subquery(subquery) => collect(&subquery.expr, shifted(subquery.timing, subquery.range), at, list),
        ExprKind::Call(_, arguments) => arguments.iter().for_each(|argument| collect(argument, seen, at, list)),
        ExprKind::Aggregate(aggregate) => collect(&aggregate.expr, seen, at, list),
        ExprKind::Negate(inner) | ExprKind::Paren(inner) => collect(inner, seen, at, list),
        ExprKind::Binary(binary) => {
            collect(&binary.left, seen, at, list);
            collect(&binary.right, seen, at, list);
        }
    }
}

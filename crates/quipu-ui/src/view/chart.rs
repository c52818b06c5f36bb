//! Data of charts over time.
//!
//! Scales, colours and drawing are up to the page's chart library.

use quipu_model::TokenKind;
use quipu_model::number::{narrow, truncated};
use quipu_promql::{PromqlAnswer, PromqlSeries};
use quipu_protocol::TokensShown;
use quipu_protocol::{Chart, ChartForm, ChartSeries, Overview, TokensBy};
use std::collections::BTreeMap;

/// Maximum number of series in a chart; more can't be told apart.
const MOST: usize = 24;
/// Label of an unknown model or provider.
pub const NOT_NAMED: &str = "(not named)";

/// Tokens of an overview by model or provider.
pub fn tokens_chart(overview: &Overview, by: TokensBy, shown: TokensShown) -> Chart {
    let (kind, metric, title) = match shown {
        TokensShown::Prompt => (0, TokenKind::Prompt, "Prompt tokens over time"),
        TokensShown::Completion => (1, TokenKind::Completion, "Completion tokens over time"),
        TokensShown::All => (2, TokenKind::Total, "Tokens over time"),
    };
    let metric = metric.documented_name();
    let label = if by == TokensBy::Model { "model_id" } else { "provider_id" };
    let series = overview.tokens.iter().filter_map(|share| {
        let bars = share.bars.get(kind).filter(|bars| bars.iter().any(|bar| *bar != 0.0))?;
        let name = if share.name.is_empty() { NOT_NAMED } else { &share.name };
        let query = format!("{metric}{{{label}={:?}}}", share.name);
        Some(ChartSeries { name: name.to_owned(), query, values: bars.clone().into(), ..ChartSeries::default() })
    });
    bars(overview, title, series.collect())
}

/// Requests of an overview, by success.
pub fn requests_chart(overview: &Overview) -> Chart {
    let kinds = [("OK", "ok", false), ("failed", "error", true)];
    let series = kinds.iter().zip(&overview.requests).map(|((name, status, failed), bars)| ChartSeries {
        name: (*name).to_owned(),
        query: format!("quipu_requests_total{{status={status:?}}}"),
        failed: *failed,
        values: bars.clone().into(),
        ..ChartSeries::default()
    });
    bars(overview, "Requests over time", series.collect())
}

fn bars(overview: &Overview, title: &str, mut series: Vec<ChartSeries>) -> Chart {
    let more = narrow(series.len().saturating_sub(MOST));
    series.truncate(MOST);
    let times: Vec<f64> = overview.ends.iter().map(|end| *end as f64 / 1e3).collect();
    Chart { title: title.to_owned(), form: ChartForm::Bars, times: times.into(), series, more, step_millis: overview.step_millis }
}

/// The result of a range query. The tuple is `(start, end, step)` in milliseconds.
pub fn answer_chart(answer: &PromqlAnswer, query: &str, (start, end, step): (i64, i64, i64)) -> Chart {
    let step = step.max(1);
    let count = (end.saturating_sub(start) / step).clamp(0, 20_000) + 1;
    let times: Vec<i64> = match answer {
        // Raw samples of a range selector.
        PromqlAnswer::Vector(_) | PromqlAnswer::Scalar(_) | PromqlAnswer::Text(..) => Vec::new(),
        PromqlAnswer::Matrix(_) => (0..count).map(|place| start.saturating_add(place.saturating_mul(step))).collect(),
    };
    let places: BTreeMap<i64, usize> = times.iter().enumerate().map(|(place, at)| (*at, place)).collect();
    let line = |series: &PromqlSeries| {
        let mut values = vec![f64::NAN; times.len()];
        for point in &series.points {
            if let Some(value) = places.get(&point.at_millis).and_then(|place| values.get_mut(*place)) {
                *value = point.value;
            }
        }
        ChartSeries {
            name: series_name(series),
            labels: series.labels.clone(),
            query: query.to_owned(),
            failed: false,
            values: values.into(),
        }
    };
    // Histograms are not drawn.
    let all: Vec<&PromqlSeries> = answer.series().iter().filter(|series| !series.points.is_empty()).collect();
    Chart {
        title: query.split_whitespace().collect::<Vec<_>>().join(" "),
        form: ChartForm::Lines,
        times: times.iter().map(|at| *at as f64 / 1e3).collect::<Vec<_>>().into(),
        series: all.iter().take(MOST).map(|series| line(series)).collect(),
        more: narrow(all.len().saturating_sub(MOST)),
        step_millis: step,
    }
}

/// The name of a series in Prometheus notation; `value` without labels.
pub fn series_name(series: &PromqlSeries) -> String {
    let mut name = String::new();
    let mut labels = Vec::new();
    for (label, value) in &series.labels {
        if label == "__name__" {
            name.clone_from(value);
        } else {
            labels.push(format!("{label}={value:?}"));
        }
    }
    match (name.is_empty(), labels.is_empty()) {
        (true, true) => "value".into(),
        (_, true) => name,
        _ => format!("{name}{{{}}}", labels.join(", ")),
    }
}

/// Zooms a range by `zoom` around its middle, and moves it by `shift` of its length.
pub fn moved_window((from, to): (i64, i64), zoom: f64, shift: f64) -> (i64, i64) {
    let length = to.saturating_sub(from).max(1) as f64;
    let middle = from as f64 + length / 2.0 + shift * length;
    let half = (length * zoom / 2.0).max(0.5);
    let start = truncated::<i64>((middle - half).round());
    (start, truncated::<i64>((middle + half).round()).max(start.saturating_add(1)))
}

/// Example queries as `(title, query)`. The first four are from Llama Stack's documentation.
pub const PROMQL_EXAMPLES: [(&str, &str); 10] = [
    ("All tokens", "sum(llama_stack_tokens_total)"),
    ("Tokens by model", "sum by (model_id) (llama_stack_tokens_total)"),
    ("Tokens by provider", "sum by (provider_id) (llama_stack_tokens_total)"),
    ("Tokens a second", "rate(llama_stack_tokens_total[5m])"),
    (
        "Tokens a request",
        "sum(increase(llama_stack_tokens_total[1h])) / sum(increase(quipu_inference_requests_total{tokens!=\"none\"}[1h]))",
    ),
    ("Requests a second, by route", "sum by (span_name) (rate(quipu_requests_total[5m]))"),
    ("Share of requests that failed", "sum(quipu_requests_total{status=\"error\"}) / sum(quipu_requests_total)"),
    ("What fails most", "topk(5, quipu_errors_total)"),
    (
        "95th percentile of durations, by span name",
        "histogram_quantile(0.95, sum by (le, span_name) (rate(quipu_span_duration_seconds_bucket[15m])))",
    ),
    ("Where counts come from", "sum by (tokens) (quipu_inference_requests_total)"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_promql::PromqlPoint;

    #[test]
    fn a_window_moves_and_never_ends_before_it_begins() {
        assert_eq!(moved_window((100, 200), 0.5, 0.0), (125, 175));
        assert_eq!(moved_window((100, 200), 2.0, 0.0), (50, 250));
        assert_eq!(moved_window((100, 200), 1.0, -0.5), (50, 150));
        assert_eq!(moved_window((7, 8), 0.5, 0.0), (7, 8));
        let (from, to) = moved_window((i64::MIN, i64::MAX), 2.0, 0.5);
        assert!(from < to);
    }

    #[test]
    fn a_step_without_a_value_is_a_gap() {
        let point = |at_millis, value| PromqlPoint { at_millis, value };
        let labels = vec![("__name__".to_owned(), "m".to_owned()), ("a".to_owned(), "x\"y".to_owned())];
        let answer =
            PromqlAnswer::Matrix(vec![PromqlSeries { labels, points: vec![point(1_000, 2.0), point(3_000, 4.0)], histograms: Vec::new() }]);
        let chart = answer_chart(&answer, "m\n  {a!=\"\"}", (1_000, 3_500, 1_000));
        assert_eq!((chart.title.as_str(), chart.times.as_slice()), ("m {a!=\"\"}", &[1.0, 2.0, 3.0][..]));
        let values = &chart.series[0].values;
        assert!(values[0] == 2.0 && values[1].is_nan() && values[2] == 4.0);
        assert_eq!(chart.series[0].name, r#"m{a="x\"y"}"#);
    }
}

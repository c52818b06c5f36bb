//! Charts over time, ready to draw: what lines and bars they have.
//!
//! What is not here: what is counted (`metrics`), scales, colours and the drawing itself, which are the page's chart library's.

use crate::protocol::{Chart, ChartForm, ChartSeries, Overview, PromqlAnswer, PromqlSeries};
use crate::share::TokensShown;
use std::collections::BTreeMap;

/// Series of a chart at most; a reader tells no more apart.
const MOST: usize = 24;
/// What a model or provider is called that nothing tells.
pub(crate) const NOT_NAMED: &str = "(not named)";

/// Tokens of an overview by model or provider.
pub fn tokens_chart(overview: &Overview, shown: TokensShown) -> Chart {
    let (kind, title) = match shown {
        TokensShown::Prompt => (0, "Prompt tokens over time"),
        TokensShown::Completion => (1, "Completion tokens over time"),
        TokensShown::All => (2, "Tokens over time"),
    };
    let series = overview.tokens.iter().filter_map(|share| {
        let bars = share.bars.get(kind).filter(|bars| bars.iter().any(|bar| *bar != 0.0))?;
        let name = if share.name.is_empty() { NOT_NAMED } else { &share.name };
        Some(ChartSeries { name: name.to_owned(), labels: Vec::new(), values: bars.clone().into() })
    });
    bars(overview, title, series.collect())
}

/// Requests of an overview, those that failed apart.
pub fn requests_chart(overview: &Overview) -> Chart {
    let series = ["went well", "failed"].iter().zip(&overview.requests);
    let series = series.map(|(name, bars)| ChartSeries { name: (*name).to_owned(), labels: Vec::new(), values: bars.clone().into() });
    bars(overview, "Requests over time", series.collect())
}

fn bars(overview: &Overview, title: &str, mut series: Vec<ChartSeries>) -> Chart {
    let more = series.len().saturating_sub(MOST) as u32;
    series.truncate(MOST);
    let times: Vec<f64> = overview.ends.iter().map(|end| *end as f64 / 1e3).collect();
    Chart { title: title.to_owned(), form: ChartForm::Bars, times: times.into(), series, more, step_millis: overview.step_millis }
}

/// An answer over time; `steps` are the first, the last and the milliseconds between two.
pub fn answer_chart(answer: &PromqlAnswer, query: &str, (start, end, step): (i64, i64, i64)) -> Chart {
    let step = step.max(1);
    let count = (end.saturating_sub(start) / step).clamp(0, 20_000) + 1;
    let times: Vec<i64> = match answer {
        // Samples of a range selector, as they were scraped.
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
        ChartSeries { name: series_name(series), labels: series.labels.clone(), values: values.into() }
    };
    let all = answer.series();
    Chart {
        title: query.split_whitespace().collect::<Vec<_>>().join(" "),
        form: ChartForm::Lines,
        times: times.iter().map(|at| *at as f64 / 1e3).collect::<Vec<_>>().into(),
        series: all.iter().take(MOST).map(line).collect(),
        more: all.len().saturating_sub(MOST) as u32,
        step_millis: step,
    }
}

/// A series as Prometheus writes it; one without labels is `value`.
pub(crate) fn series_name(series: &PromqlSeries) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::PromqlPoint;

    #[test]
    fn a_step_without_a_value_is_a_gap() {
        let point = |at_millis, value| PromqlPoint { at_millis, value };
        let labels = vec![("__name__".to_owned(), "m".to_owned()), ("a".to_owned(), "x\"y".to_owned())];
        let answer = PromqlAnswer::Matrix(vec![PromqlSeries { labels, points: vec![point(1_000, 2.0), point(3_000, 4.0)] }]);
        let chart = answer_chart(&answer, "m\n  {a!=\"\"}", (1_000, 3_500, 1_000));
        assert_eq!((chart.title.as_str(), chart.times.as_slice()), ("m {a!=\"\"}", &[1.0, 2.0, 3.0][..]));
        let values = &chart.series[0].values;
        assert!(values[0] == 2.0 && values[1].is_nan() && values[2] == 4.0);
        assert_eq!(chart.series[0].name, r#"m{a="x\"y"}"#);
    }
}

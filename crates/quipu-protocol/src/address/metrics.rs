//! The view state of the metrics page, and its URL parameters.

use super::keys::{Key, range, read_range, set};
use super::percent::encode;
use crate::{MetricOptions, TokensBy, TokensShown};

/// The view state of the metrics page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsView {
    /// The time range `(from, to]` in milliseconds since 1970; `None` for the whole file.
    pub window: Option<(i64, i64)>,
    /// Which tokens are shown.
    pub shown: TokensShown,
    /// How tokens are grouped.
    pub by: TokensBy,
    /// How metrics are computed from the file.
    pub options: MetricOptions,
    /// Whether queries are evaluated at the end of the range only.
    pub at_end: bool,
    /// PromQL queries in display order.
    pub queries: Vec<String>,
}

impl MetricsView {
    /// Maximum number of queries.
    pub const MAX_QUERIES: usize = 8;
}

/// The URL parameters.
pub(super) const KEYS: &[Key<MetricsView>] = &[
    Key::new(
        "window",
        |view| view.window.map(range),
        |view, text| set(&mut view.window, read_range(text).filter(|(from, to)| from < to).map(Some)),
    ),
    Key::new(
        "tokens",
        |view| (view.shown != TokensShown::All).then(|| view.shown.name().into()),
        |view, name| set(&mut view.shown, TokensShown::ALL.into_iter().find(|shown| shown.name() == name)),
    ),
    Key::new(
        "split",
        |view| (view.by == TokensBy::Provider).then(|| "provider".into()),
        |view, word| match word {
            "model" => set(&mut view.by, Some(TokensBy::Model)),
            "provider" => set(&mut view.by, Some(TokensBy::Provider)),
            _ => false,
        },
    ),
    Key::new(
        "scrape",
        |view| (view.options.scrape_millis != MetricOptions::default().scrape_millis).then(|| view.options.scrape_millis.to_string()),
        |view, millis| set(&mut view.options.scrape_millis, millis.parse().ok().filter(|millis| (1..=86_400_000).contains(millis))),
    ),
    Key::new(
        "models",
        |view| view.options.merge_labels.then(|| "merged".into()),
        |view, word| set(&mut view.options.merge_labels, (word == "merged").then_some(true)),
    ),
    Key::new(
        "rates",
        |view| view.options.exact.then(|| "exact".into()),
        |view, word| set(&mut view.options.exact, (word == "exact").then_some(true)),
    ),
    Key::new("look", |view| view.at_end.then(|| "end".into()), |view, word| set(&mut view.at_end, (word == "end").then_some(true))),
    Key::repeated(
        "query",
        |view| view.queries.iter().map(|query| encode(query)).collect(),
        |view, query| {
            let has_room = view.queries.len() < MetricsView::MAX_QUERIES;
            if has_room {
                view.queries.push(query.to_owned());
            }
            has_room
        },
    ),
];

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    pub(in crate::address) fn any_metrics() -> impl Strategy<Value = MetricsView> {
        (
            prop::option::of((any::<i32>(), 1..i32::MAX)),
            prop::sample::select(&TokensShown::ALL[..]),
            (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
            1..86_400_001_i64,
            prop::collection::vec(".*", 0..4),
        )
            .prop_map(|(window, shown, (by_provider, merge_labels, exact, at_end), scrape_millis, queries)| MetricsView {
                window: window.map(|(from, length)| (from.into(), i64::from(from) + i64::from(length))),
                shown,
                by: if by_provider { TokensBy::Provider } else { TokensBy::Model },
                options: MetricOptions { scrape_millis, merge_labels, exact },
                at_end,
                queries,
            })
    }
}

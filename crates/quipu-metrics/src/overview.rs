//! The overview on the metrics page: tokens by model or provider, requests, failures and durations in a time window.
//!
//! Totals are computed from amounts rather than scrapes, so they are exact. Not here: drawing.

use super::amounts::Amounts;
use super::names::INFERENCE_REQUESTS;
use super::source::FileSeries;
use super::spans::{Part, SpanCurve, SpanGroup};
use quipu_model::TokenKind;
use quipu_promql::{Curve, METRIC_NAME};
use quipu_protocol::{CountedRequests, Latency, Overview, OverviewQuery, RouteRequests, TokenShare, TokensBy};
use quipu_ui::view::nearest_rank;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Possible lengths of a bar, in milliseconds.
const STEPS: [i64; 25] = [
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
    3_600_000, 7_200_000, 21_600_000, 43_200_000,
];
const DAY: i64 = 86_400_000;
/// Maximum number of bars.
const MAX_BARS: u32 = 1_000;

/// Computes the overview of a time window.
pub(super) fn overview(series: &FileSeries<'_>, query: &OverviewQuery) -> Overview {
    let Some((first, last)) = series.prepared.extent else { return Overview::default() };
    let (from, to) = query.window.unwrap_or((first.saturating_sub(1), last));
    let to = to.max(from.saturating_add(1));
    let bars = Bars::new(from, to, query.bars);
    let (tokens, counted) = tokens(series, query.by, &bars);
    let (requests, routes) = requests(series, &bars);
    Overview {
        extent: Some((first, last)),
        window: (from, to),
        step_millis: bars.step,
        ends: bars.ends,
        tokens,
        requests,
        routes,
        latencies: latencies(series, from, to),
        counted,
    }
}

/// Bars of equal length that cover a window. They start at multiples of their length since 1970.
struct Bars {
    from: i64,
    to: i64,
    step: i64,
    /// End time of each bar.
    ends: Vec<i64>,
}

impl Bars {
    fn new(from: i64, to: i64, most: u32) -> Bars {
        let most = i64::from(most.clamp(1, MAX_BARS));
        let fits = |step: i64| to.div_euclid(step).saturating_sub(from.div_euclid(step)) < most;
        let days = || to.saturating_sub(from) / DAY / most + 1;
        let step = STEPS.into_iter().find(|step| fits(*step)).unwrap_or_else(|| days().saturating_mul(DAY));
        let first = from.div_euclid(step).saturating_add(1).saturating_mul(step);
        let count = (to.saturating_sub(first).max(0) + step - 1).div_euclid(step) + 1;
        let ends = (0..count).map(|bar| first.saturating_add(bar.saturating_mul(step))).collect();
        Bars { from, to, step, ends }
    }

    /// The increase of a curve within each bar, limited to the window.
    fn added(&self, curve: &dyn Curve) -> Vec<f64> {
        let mut before = curve.value_at(self.from);
        let added = |end: &i64| {
            let until = curve.value_at((*end).min(self.to));
            until - std::mem::replace(&mut before, until)
        };
        self.ends.iter().map(added).collect()
    }
}

fn add_to(bars: &mut Vec<f64>, added: &[f64]) {
    bars.resize(added.len().max(bars.len()), 0.0);
    bars.iter_mut().zip(added).for_each(|(bar, added)| *bar += added);
}

fn tokens(series: &FileSeries<'_>, by: TokensBy, bars: &Bars) -> (Vec<TokenShare>, CountedRequests) {
    let label = match by {
        TokensBy::Model => "model_id",
        TokensBy::Provider => "provider_id",
    };
    let mut counted = CountedRequests::default();
    let mut shares: BTreeMap<String, TokenShare> = BTreeMap::new();
    for counter in &series.prepared.counters {
        let name = counter.labels.get(METRIC_NAME);
        let amounts: &Arc<Amounts> = &counter.amounts;
        if name == INFERENCE_REQUESTS {
            let requests = amounts.within(bars.from, bars.to).len() as u64;
            let source = counter.labels.get("tokens");
            match source {
                "recorded" => counted.recorded += requests,
                "derived" => counted.derived += requests,
                _ => counted.uncounted += requests,
            }
            if by == TokensBy::Model && requests > 0 {
                let share = shares.entry(counter.labels.get(label).to_owned()).or_default();
                *share.requests.get_or_insert(0) += requests;
                *share.failed.get_or_insert(0) += if counter.labels.get("status") == "error" { requests } else { 0 };
                *share.counted.get_or_insert(0) += if source == "none" { 0 } else { requests };
            }
            continue;
        }
        let Some(kind) = TokenKind::ALL.iter().position(|kind| kind.documented_name() == name) else { continue };
        if amounts.within(bars.from, bars.to).is_empty() {
            continue;
        }
        let share = shares.entry(counter.labels.get(label).to_owned()).or_default();
        let sum = [&mut share.prompt, &mut share.completion, &mut share.total].into_iter().nth(kind);
        sum.into_iter().for_each(|sum| *sum.get_or_insert(0.0) += amounts.added(bars.from, bars.to));
        share.bars.get_mut(kind).into_iter().for_each(|list| add_to(list, &bars.added(amounts.as_ref())));
    }
    let named = |(name, share): (String, TokenShare)| TokenShare { name, ..share };
    let mut list: Vec<TokenShare> = shares.into_iter().map(named).collect();
    let weight = |share: &TokenShare| share.total.or(share.completion).or(share.prompt).unwrap_or(-1.0);
    list.sort_by(|one, other| weight(other).total_cmp(&weight(one)));
    (list, counted)
}

fn requests(series: &FileSeries<'_>, bars: &Bars) -> ([Vec<f64>; 2], Vec<RouteRequests>) {
    let mut all = [vec![0.0; bars.ends.len()], vec![0.0; bars.ends.len()]];
    let mut routes: BTreeMap<&str, RouteRequests> = BTreeMap::new();
    for group in series.groups.get() {
        let count = group.within(Part::Requests, bars.from, bars.to).len() as u64;
        if count == 0 {
            continue;
        }
        let name = series.name_of(group);
        let route = routes.entry(name).or_insert_with(|| RouteRequests { route: name.to_owned(), ..RouteRequests::default() });
        route.requests += count;
        route.failed += if group.failed { count } else { 0 };
        let curve = SpanCurve { group: group.clone(), part: Part::Requests };
        all.get_mut(usize::from(group.failed)).into_iter().for_each(|list| add_to(list, &bars.added(&curve)));
    }
    let mut list: Vec<RouteRequests> = routes.into_values().collect();
    list.sort_by_key(|route| std::cmp::Reverse(route.requests));
    (all, list)
}

fn latencies(series: &FileSeries<'_>, from: i64, to: i64) -> Vec<Latency> {
    let mut names: BTreeMap<&str, Vec<&SpanGroup>> = BTreeMap::new();
    for group in series.groups.get() {
        names.entry(series.name_of(group)).or_default().push(group);
    }
    let mut list: Vec<(u64, Latency)> = names.into_iter().filter_map(|(name, groups)| latency(name, &groups, from, to)).collect();
    list.sort_by_key(|(spent, _)| std::cmp::Reverse(*spent));
    list.into_iter().map(|(_, latency)| latency).collect()
}

/// Latency statistics, and the total duration in nanoseconds.
fn latency(name: &str, groups: &[&SpanGroup], from: i64, to: i64) -> Option<(u64, Latency)> {
    let count = |failed: bool| groups.iter().filter(|group| group.failed || !failed).map(|group| group.count_within(from, to)).sum();
    let mut durations: Vec<u64> = groups.iter().flat_map(|group| group.durations_within(from, to)).collect();
    durations.sort_unstable();
    let latency = Latency {
        name: name.to_owned(),
        spans: count(false),
        failed: count(true),
        median: nearest_rank(&durations, 50).copied(),
        p95: nearest_rank(&durations, 95).copied(),
        p99: nearest_rank(&durations, 99).copied(),
        max: durations.last().copied(),
    };
    let spent = durations.iter().fold(0_u64, |sum, duration| sum.saturating_add(*duration));
    (latency.spans > 0).then_some((spent, latency))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A counter that increases by one every millisecond.
    struct Clock;

    impl Curve for Clock {
        fn value_at(&self, at: i64) -> f64 {
            at as f64
        }

        fn rises(&self) -> bool {
            true
        }
    }

    #[test]
    fn bars_cover_the_window_once() {
        for (from, to, most) in [
            (0, 1, 1),
            (-7, 12, 5),
            (1_000, 61_000, 60),
            (999, 61_001, 60),
            (0, 40 * DAY, 10),
            (5, 5_000_000, 1_000),
        ] {
            let bars = Bars::new(from, to, most);
            let ends = &bars.ends;
            assert!(ends.len() <= most as usize + 1, "{from} to {to} in {} of {most}", ends.len());
            assert!(ends.first().is_some_and(|end| *end > from) && ends.last().is_some_and(|end| *end >= to), "{from} to {to}: {ends:?}");
            assert!(ends.windows(2).all(|pair| pair[1] - pair[0] == bars.step), "{ends:?}");
            assert_eq!(bars.added(&Clock).iter().sum::<f64>(), (to - from) as f64);
        }
    }
}

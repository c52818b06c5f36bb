//! Statistics by span name: count, durations, own time, failures, tokens, cost.

use super::times::{Times, self_times};
use quipu_model::Cost;
use quipu_model::number::narrow;
use quipu_model::ordered::{find_sorted, ordered};
use quipu_protocol::{StatisticsColumn, Texts, UNKNOWN_NANOS};
use std::cmp::Ordering;

/// Statistics of the spans with one name. Times are in nanoseconds. Spans of unknown duration are counted, but not included in times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameStatistics {
    /// Span name.
    pub name: String,
    /// Number of spans.
    pub count: u32,
    /// Number of failed spans.
    pub failed: u32,
    /// Sum of durations.
    pub total: u64,
    /// Sum of own times.
    pub own: u64,
    /// Shortest duration; `None` if none is known.
    pub min: Option<u64>,
    /// Longest duration.
    pub max: Option<u64>,
    /// Median duration, nearest rank like the other percentiles.
    pub median: Option<u64>,
    /// 95th percentile of durations.
    pub p95: Option<u64>,
    /// 99th percentile of durations.
    pub p99: Option<u64>,
    /// Tokens of the inference requests; `None` if there are none or no count is known.
    pub tokens: Option<u64>,
    /// Cost of these requests; `None` if it is unknown.
    pub cost: Option<Cost>,
    /// Row of the longest span.
    pub longest: u32,
}

/// Input columns in tree order, all of the same length.
#[derive(Clone, Copy, Debug)]
pub struct Spans<'a> {
    /// Parents, starts and durations.
    pub times: Times<'a>,
    /// Index into `names`.
    pub name: &'a [u32],
    /// The distinct names.
    pub names: &'a Texts,
}

/// Token counts and costs of inference requests, by ascending row.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// `(row, total tokens)` of requests whose total is known.
    pub tokens: Vec<(u32, u64)>,
    /// `(row, cost)`; empty if there are no prices.
    pub costs: Vec<(u32, Option<Cost>)>,
}

/// Statistics of all names, sorted by own time, largest first. `failed` says whether the span in a row failed.
pub fn name_statistics(spans: Spans<'_>, failed: impl Fn(u32) -> bool, usage: &Usage) -> Vec<NameStatistics> {
    let own = self_times(spans.times);
    let name_of = |row: u32| spans.name.get(row as usize).copied().unwrap_or(u32::MAX);
    let duration = |row: u32| spans.times.duration.get(row as usize).copied().unwrap_or(UNKNOWN_NANOS);
    // Within a name by duration; unknown ones have the maximum value and come last.
    let key = |at: usize| (name_of(narrow(at)), duration(narrow(at)));
    let rows: Vec<u32> = ordered(spans.name.len(), &|one, other| key(one).cmp(&key(other))).into_iter().map(narrow).collect();
    let mut out = Vec::new();
    for group in rows.chunk_by(|one, other| name_of(*one) == name_of(*other)) {
        let known = group.get(..group.partition_point(|row| duration(*row) != UNKNOWN_NANOS)).unwrap_or_default();
        let sum = |of: &dyn Fn(u32) -> u64| known.iter().fold(0_u64, |sum, row| sum.saturating_add(of(*row)));
        let rank = |percent: usize| nearest_rank(known, percent).map(|row| duration(*row));
        let counts: Vec<u64> = group.iter().filter_map(|row| find_sorted(&usage.tokens, *row).copied()).collect();
        let costs = group.iter().filter_map(|row| find_sorted(&usage.costs, *row).copied());
        let first = group.first().copied().unwrap_or(0);
        out.push(NameStatistics {
            name: spans.names.get(name_of(first) as usize).unwrap_or_default().to_owned(),
            count: narrow(group.len()),
            failed: narrow(group.iter().filter(|row| failed(**row)).count()),
            total: sum(&duration),
            own: sum(&|row| own.get(row as usize).copied().unwrap_or(0)),
            min: rank(0),
            max: rank(100),
            median: rank(50),
            p95: rank(95),
            p99: rank(99),
            tokens: (!counts.is_empty()).then(|| counts.iter().sum()),
            cost: Cost::sum(costs),
            longest: known.last().copied().unwrap_or(first),
        });
    }
    sort_statistics(&out, StatisticsColumn::Own, true)
}

/// The rows sorted by a column; equal ones by name. Unknown values come last in both directions.
pub fn sort_statistics(rows: &[NameStatistics], column: StatisticsColumn, descending: bool) -> Vec<NameStatistics> {
    let value = |row: &NameStatistics| match column {
        StatisticsColumn::Name => None,
        StatisticsColumn::Count => Some(row.count.into()),
        StatisticsColumn::Failed => Some(row.failed.into()),
        StatisticsColumn::Total => Some(row.total),
        StatisticsColumn::Own => Some(row.own),
        StatisticsColumn::Min => row.min,
        StatisticsColumn::Median => row.median,
        StatisticsColumn::P95 => row.p95,
        StatisticsColumn::P99 => row.p99,
        StatisticsColumn::Max => row.max,
        StatisticsColumn::Tokens => row.tokens,
        StatisticsColumn::Cost => row.cost.map(|cost| cost.nanos),
    };
    let key = |row: &NameStatistics| value(row).map_or((1, 0), |value: u64| (0, if descending { u64::MAX - value } else { value }));
    let compare = |one: usize, other: usize| {
        let (Some(one), Some(other)) = (rows.get(one), rows.get(other)) else { return Ordering::Equal };
        let by_name = one.name.cmp(&other.name);
        match column {
            StatisticsColumn::Name if descending => by_name.reverse(),
            _ => key(one).cmp(&key(other)).then(by_name),
        }
    };
    ordered(rows.len(), &compare).into_iter().filter_map(|at| rows.get(at).cloned()).collect()
}

/// The percentile by nearest rank, of values in ascending order.
pub fn nearest_rank<T>(sorted: &[T], percent: usize) -> Option<&T> {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::CostUnit;
    use quipu_protocol::NO_ROW;

    #[test]
    fn percentiles_are_those_of_nearest_rank() {
        let values: Vec<u32> = (1..=100).collect();
        let rank = |percent| nearest_rank(&values, percent).copied();
        assert_eq!((rank(50), rank(95), rank(99), rank(100), rank(0)), (Some(50), Some(95), Some(99), Some(100), Some(1)));
        assert_eq!(nearest_rank(&[7, 9], 50), Some(&7));
        assert_eq!(nearest_rank::<u32>(&[], 50), None);
    }

    #[test]
    fn names_are_summed_and_unknown_durations_are_in_no_sum() {
        let mut names = Texts::default();
        names.push("turn");
        names.push("inference");
        let spans = Spans {
            times: Times { parent: &[NO_ROW, 0, 0, 0], start: &[0, 0, 20, 30], duration: &[100, 10, 30, UNKNOWN_NANOS] },
            name: &[0, 1, 1, 1],
            names: &names,
        };
        let unit = CostUnit::new("$");
        let costs = vec![(1, Some(Cost { nanos: 9, is_least: false, unit })), (2, None)];
        let found = name_statistics(spans, |row| row == 2, &Usage { tokens: vec![(1, 7), (2, 40)], costs });
        let expected = [
            NameStatistics {
                name: "turn".into(),
                count: 1,
                failed: 0,
                total: 100,
                own: 60,
                min: Some(100),
                max: Some(100),
                median: Some(100),
                p95: Some(100),
                p99: Some(100),
                tokens: None,
                cost: None,
                longest: 0,
            },
            NameStatistics {
                name: "inference".into(),
                count: 3,
                failed: 1,
                total: 40,
                own: 40,
                min: Some(10),
                max: Some(30),
                median: Some(10),
                p95: Some(30),
                p99: Some(30),
                tokens: Some(47),
                cost: Some(Cost { nanos: 9, is_least: true, unit }),
                longest: 2,
            },
        ];
        assert_eq!(found, expected);
    }
}

//! Totals of the listed traces, and their positions in the scatter plot.
//!
//! Not here: which traces are listed (`session`), the plot (`view`).

use super::{Index, NO_TIME};
use quipu_model::number::narrow;
use quipu_protocol::ListTotals;
use quipu_protocol::ScatterPoint;

impl Index {
    /// Sums and percentiles over traces.
    pub(crate) fn list_totals(&self, traces: &[u32]) -> ListTotals {
        let mut totals = ListTotals { traces: narrow(traces.len()), ..ListTotals::default() };
        let mut durations: Vec<u64> = Vec::with_capacity(traces.len());
        for number in traces {
            let trace = self.traces.at(*number);
            totals.failed_traces += u32::from(trace.failed > 0);
            totals.spans += u64::from(trace.spans);
            totals.failed += u64::from(trace.failed);
            totals.tokens.merge(&self.trace_tokens(*number));
            durations.extend(trace.duration());
        }
        totals.without_duration = narrow(traces.len() - durations.len());
        totals.median_nanos = nearest_rank(&mut durations, 50);
        totals.p95_nanos = nearest_rank(&mut durations, 95);
        totals.duration_nanos = durations.iter().copied().reduce(u64::saturating_add);
        totals
    }

    /// Start and duration of traces.
    pub(crate) fn scatter_points(&self, traces: &[u32]) -> impl Iterator<Item = ScatterPoint> {
        traces.iter().map(|number| {
            let trace = self.traces.at(*number);
            let start = trace.utc_start();
            ScatterPoint { start: (start != NO_TIME).then_some(start), duration: trace.duration(), failed: trace.failed > 0 }
        })
    }
}

/// The nearest-rank percentile: the smallest value that at least `percent` percent of all do not exceed. Partially sorts `values`.
fn nearest_rank(values: &mut [u64], percent: usize) -> Option<u64> {
    let rank = (values.len() * percent).div_ceil(100).max(1);
    if values.is_empty() { None } else { Some(*values.select_nth_unstable(rank - 1).1) }
}

#[cfg(test)]
mod tests {
    use super::nearest_rank;

    #[test]
    fn percentiles_are_values_that_occur() {
        let values = |last: u64| (1..=last).rev().collect::<Vec<_>>();
        let of = |last, percent| nearest_rank(&mut values(last), percent);
        assert_eq!((of(0, 50), of(1, 50), of(2, 50), of(3, 50), of(100, 50)), (None, Some(1), Some(1), Some(2), Some(50)));
        assert_eq!((of(1, 95), of(20, 95), of(21, 95), of(100, 95)), (Some(1), Some(19), Some(20), Some(95)));
    }
}

//! Fuzzes PromQL: parsing, error positions, and the limits of what an answer takes.

use quipu::model::budget::{Allowance, Budget};
use quipu::promql::{CUSTOM_SCHEMA, EvalOptions, Histogram, Labels, PromqlTime, Samples, Series, SeriesSet, evaluate, stale_marker};
use std::sync::OnceLock;

/// Bytes and samples of a query; a process that answers two at once takes little more.
const ALLOWED: Allowance = Allowance { bytes: 50_000_000, rows: 2_000_000, ..Allowance::DEFAULT };

/// A hundred series with an hour of samples each, and labels of all lengths.
fn series() -> &'static SeriesSet {
    static SERIES: OnceLock<SeriesSet> = OnceLock::new();
    SERIES.get_or_init(|| {
        let one = |number: usize| Series {
            labels: Labels::new([
                ("__name__", ["m", "n", "o_bucket"][number % 3]),
                ("a", ["1", "2", ""][number % 3]),
                ("le", ["0.5", "1", "+Inf", "x"][number % 4]),
                ("long", "y".repeat(number * number * 4).as_str()),
                ("n", number.to_string().as_str()),
            ]),
            samples: Samples::Listed((0..240).map(|at| (at * 15_000, (at * number as i64) as f64)).collect()),
        };
        SeriesSet::new((0..100).map(one).chain((0..8).map(histograms)).collect())
    })
}

/// A series of histograms of different schemas and bounds, with numbers and a marker between them.
fn histograms(number: usize) -> Series {
    let histogram = |at: usize| {
        let count = (at * number) as f64;
        let buckets = |from: i32| (from..from + 20).map(|index| (index, count / 40.0)).collect::<Vec<_>>();
        let is_custom = number.is_multiple_of(4);
        let odd = [0.0, f64::NAN, f64::INFINITY, -1.0][at % 4];
        Histogram {
            schema: if is_custom { CUSTOM_SCHEMA } else { [8, 0, -4][(at + number) % 3] },
            count,
            sum: if at.is_multiple_of(50) { odd } else { count },
            zero_threshold: if is_custom { 0.0 } else { [0.0, 0.3, 1e300][at % 3] },
            zero_count: if is_custom { 0.0 } else { 3.0 },
            positive: if is_custom { buckets(0) } else { buckets(-10) },
            negative: if is_custom { Vec::new() } else { buckets(5) },
            bounds: if is_custom { (0..20 + at as i32 % 2).map(f64::from).collect() } else { Vec::new() },
            ..Histogram::default()
        }
    };
    let floats = if number > 5 { vec![(100_000, 1.0), (200_000, stale_marker())] } else { Vec::new() };
    let list: Vec<_> = (0..240).map(|at| (at as i64 * 15_000 + 1, histogram(at).into())).collect();
    let labels = Labels::new([("__name__", ["m", "h"][number % 2]), ("a", "1"), ("h", number.to_string().as_str())]);
    Series { labels, samples: Samples::Native(floats.into(), list.into()) }
}

/// A query is answered within its budget, or rejected with a sentence and a valid position.
pub(super) fn check(data: &[u8]) {
    let query = String::from_utf8_lossy(data);
    for time in [PromqlTime::At(3_600_000), PromqlTime::Steps { start: 0, end: 3_600_000, step: 60_000 }] {
        let budget = Budget::new(|| 0, ALLOWED);
        match evaluate(&query, time, series(), &EvalOptions::default(), &budget) {
            Ok(answer) => {
                assert!(budget.held() <= ALLOWED.bytes);
                assert!(answer.to_json().starts_with("{\"status\":\"success\""), "{query:?}");
            }
            Err(error) => {
                assert!(error.start <= error.end && error.end <= query.len(), "{error:?} is not within {query:?}");
                assert!(query.is_char_boundary(error.start) && query.is_char_boundary(error.end), "{error:?} splits a character");
                assert!(error.message.contains(' ') && error.message.ends_with(['.', '?']), "no sentence: {:?}", error.message);
            }
        }
    }
}

//! Fuzzes PromQL: parsing, error positions, and the limits of what an answer takes.

use quipu::model::budget::{Allowance, Budget};
use quipu::promql::{EvalOptions, Labels, PromqlTime, Samples, Series, SeriesSet, evaluate};
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
        SeriesSet::new((0..100).map(one).collect())
    })
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

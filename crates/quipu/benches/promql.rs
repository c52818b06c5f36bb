//! The queries of the documentation over a million spans, cold and cached: `cargo bench -p quipu --bench promql`.
//!
//! Uses the file of the query bench, or the one named by QUIPU_BENCH_FILE. The file is indexed beforehand, but nothing is prepared for
//! PromQL.

#![expect(clippy::disallowed_methods, reason = "benches read files and variables")]

mod growth;

use quipu::Session;
use quipu::metrics::{MetricOptions, PromqlQuery};
use quipu::store::OpenOptions;
use std::path::PathBuf;
use std::time::Instant;

const QUERIES: [&str; 6] = [
    "sum by (model_id) (llama_stack_tokens_total)",
    "sum by (model_id) (rate(llama_stack_tokens_total[5m]))",
    "sum(increase(llama_stack_tokens_total[1h])) / sum(increase(quipu_inference_requests_total{tokens!=\"none\"}[1h]))",
    "sum by (span_name) (rate(quipu_requests_total[5m]))",
    "histogram_quantile(0.95, sum by (le, span_name) (rate(quipu_span_duration_seconds_bucket[15m])))",
    "sum by (span_name) (quipu_span_duration_seconds_sum) / sum by (span_name) (quipu_span_duration_seconds_count)",
];

fn main() {
    // `cargo test` runs benches too, without this argument.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let path = std::env::var_os("QUIPU_BENCH_FILE").map(PathBuf::from).unwrap_or_else(|| {
        let spans = std::env::var("QUIPU_BENCH_SPANS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
        let path = std::env::temp_dir().join(format!("quipu-bench-{spans}.db"));
        if !path.exists() {
            growth::grow(&path, spans);
        }
        path
    });
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    for query in QUERIES {
        // A new session for each, so that every first run is cold.
        let mut session = Session::open_path(&path, options).expect("the file opens");
        session.complete_index().expect("an index");
        for (what, step) in [
            ("once, first", None),
            ("once, again", None),
            ("250 steps", Some(())),
            ("250 steps, again", Some(())),
        ] {
            let extent = || session_extent(&path, options);
            let start = step.map(|()| extent().0);
            let query = PromqlQuery { query: query.into(), start, end: None, step: None, options: MetricOptions::default() };
            let begin = Instant::now();
            let answer = session.query_promql(&query).expect("the file can be read").expect("an answer");
            let took = begin.elapsed();
            println!("{:>8.1} ms  {what:<17} {} series  {}", took.as_secs_f64() * 1e3, answer.series().len(), query.query);
        }
    }
}

/// The time range of the file, from a separate session so that the measured one stays cold.
fn session_extent(path: &std::path::Path, options: OpenOptions) -> (i64, i64) {
    use std::sync::OnceLock;
    static EXTENT: OnceLock<(i64, i64)> = OnceLock::new();
    *EXTENT.get_or_init(|| {
        let mut session = Session::open_path(path, options).expect("the file opens");
        session.list_metrics(MetricOptions::default()).expect("a catalogue").extent.expect("series")
    })
}

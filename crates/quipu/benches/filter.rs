//! Filters that the index decides, over 1,000,000 spans: `cargo bench -p quipu --bench filter`.
//!
//! Uses the file of the query bench; QUIPU_BENCH_SPANS sets its number of spans. An additional blank makes a filter a new one, so that each
//! run evaluates it again. Not here: strings and attributes that have to be read from the file.

#![expect(clippy::disallowed_methods, reason = "benches read files and variables")]

mod growth;

use quipu::Session;
use quipu::protocol::{ListTraces, TraceQuery};
use quipu::store::OpenOptions;
use std::path::PathBuf;

const FILTERS: [&str; 14] = [
    "error:true",
    "duration>20ms",
    "trace.duration>100ms",
    "kind:inference",
    "name:chat",
    "model:llama",
    "session=*",
    "turn:7a4",
    "tokens>50",
    "chat",
    "__class__:router",
    "{kind:inference duration>20ms -error:true}",
    "root.name:turn -error:true",
    "kind:tool error:false model:llama name:infer duration>2ms OR start>2026-11-23 -__class__:router",
];

fn main() {
    // `cargo test` runs benches too, without this argument.
    if std::env::args().any(|argument| argument == "--bench") {
        divan::main();
    }
}

fn session() -> Session {
    let spans = std::env::var("QUIPU_BENCH_SPANS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    let path: PathBuf = std::env::temp_dir().join(format!("quipu-bench-{spans}.db"));
    if !path.exists() {
        growth::grow(&path, spans);
    }
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    let mut session = Session::open_path(&path, options).expect("the file opens");
    session.complete_index().expect("an index");
    session
}

#[divan::bench(args = FILTERS, sample_count = 15, sample_size = 1)]
fn list_traces(bencher: divan::Bencher<'_, '_>, filter: &str) {
    let mut session = session();
    let mut text = filter.to_owned();
    bencher.bench_local(|| {
        text.push(' ');
        let query = TraceQuery { filter: text.clone(), ..TraceQuery::default() };
        let page = session.ask(ListTraces(query)).expect("a page");
        assert!(page.total.is_some());
        page.rows.len()
    });
}

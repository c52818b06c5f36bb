//! Trace lists: orders, groups and totals: `cargo bench -p quipu --bench lists`.
//!
//! Uses the file of the query bench, or the one named by QUIPU_BENCH_FILE. An additional blank makes a filter a new one. Not here: filters
//! themselves (`filter`).

#![expect(clippy::disallowed_methods, reason = "benches read files and variables")]

mod growth;

use quipu::Session;
use quipu::protocol::{GroupBy, Grouping, ListColumn, ListTraces, SummarizeTraces, SummaryQuery, TraceOrder, TraceQuery};
use quipu::store::OpenOptions;
use std::path::PathBuf;

fn main() {
    // `cargo test` runs benches too, without this argument.
    if std::env::args().any(|argument| argument == "--bench") {
        divan::main();
    }
}

fn session() -> Session {
    let path = std::env::var_os("QUIPU_BENCH_FILE").map(PathBuf::from).unwrap_or_else(|| {
        let spans = std::env::var("QUIPU_BENCH_SPANS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
        let path = std::env::temp_dir().join(format!("quipu-bench-{spans}.db"));
        if !path.exists() {
            growth::grow(&path, spans);
        }
        path
    });
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    let mut session = Session::open_path(&path, options).expect("the file opens");
    session.complete_index().expect("an index");
    session
}

fn list(session: &mut Session, column: ListColumn, groups: Option<GroupBy>, filter: &str) -> usize {
    let order = TraceOrder { column, descending: false };
    let groups = groups.map(|by| Grouping { by, open: Vec::new() });
    let query = TraceQuery { order, groups, filter: filter.to_owned(), ..TraceQuery::default() };
    let page = session.ask(ListTraces(query)).expect("a page");
    page.rows.len()
}

/// Sorts by every column in turn: there are more orders than are cached, so that none is reused.
#[divan::bench(sample_count = 10, sample_size = 1)]
fn thirteen_orders(bencher: divan::Bencher<'_, '_>) {
    let mut session = session();
    bencher.bench_local(|| ListColumn::ALL.map(|column| list(&mut session, column, None, "")));
}

#[divan::bench(args = ["spans>0", "error:true", "kind:inference"], sample_count = 10, sample_size = 1)]
fn group_by_turn(bencher: divan::Bencher<'_, '_>, filter: &str) {
    let mut session = session();
    let mut text = filter.to_owned();
    bencher.bench_local(|| {
        text.push(' ');
        list(&mut session, ListColumn::Start, Some(GroupBy::Turn), &text)
    });
}

#[divan::bench(sample_count = 10, sample_size = 1)]
fn summarize(bencher: divan::Bencher<'_, '_>) {
    let mut session = session();
    bencher.bench_local(|| {
        let query = SummaryQuery { filter: String::new(), failed_only: false, cells: (240, 20) };
        session.ask(SummarizeTraces(query)).expect("a summary")
    });
}

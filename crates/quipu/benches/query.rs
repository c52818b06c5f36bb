//! The query API against the reference's own SQL on the same rows: `cargo bench -p quipu --bench query`.
//!
//! The file repeats the traces of samples/agent_0.2.15.db with new ids and times; QUIPU_BENCH_SPANS sets its number of spans (200,000 by
//! default). Every run asks for a new value. SQL runs in the same build of SQLite.

#![expect(clippy::disallowed_methods, reason = "benches read files and variables")]

mod growth;

use quipu::Session;
use quipu::store::OpenOptions;
use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

fn main() {
    // `cargo test` runs benches too, without this argument.
    if std::env::args().any(|argument| argument == "--bench") {
        divan::main();
        print_ratios();
    }
}

fn file() -> &'static Path {
    static FILE: OnceLock<PathBuf> = OnceLock::new();
    FILE.get_or_init(|| {
        let spans = std::env::var("QUIPU_BENCH_SPANS").ok().and_then(|text| text.parse().ok()).unwrap_or(200_000);
        let path = std::env::temp_dir().join(format!("quipu-bench-{spans}.db"));
        if !path.exists() {
            growth::grow(&path, spans);
        }
        path
    })
}

fn fresh() -> u64 {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    COUNT.fetch_add(1, Ordering::Relaxed)
}

/// A filter, and whether the answer is ordered.
#[derive(Clone, Copy, Debug)]
enum Question {
    /// A value that does not occur, of a low-cardinality key that most spans have.
    NothingOfFewKinds,
    /// A value that does not occur, of a key whose values are all different.
    NothingOfManyKinds,
    /// A value that does not occur, of a high-cardinality key that most spans have.
    NothingOfLongTexts,
    /// Half of all traces match; the latest come first.
    Ordered,
}

const QUESTIONS: [Question; 4] = [
    Question::NothingOfFewKinds,
    Question::NothingOfManyKinds,
    Question::NothingOfLongTexts,
    Question::Ordered,
];

impl Question {
    /// Key, operator of the API and of SQL, and a value that is new in every call.
    fn ask(self) -> (&'static str, &'static str, &'static str, String) {
        match self {
            Question::NothingOfFewKinds => ("__class__", "eq", "=", format!("nothing-{}", fresh())),
            Question::NothingOfManyKinds => ("session_id", "eq", "=", format!("nothing-{}", fresh())),
            Question::NothingOfLongTexts => ("output", "eq", "=", format!("nothing-{}", fresh())),
            Question::Ordered => ("__class__", "gt", ">", format!("InferenceRoute{}", fresh())),
        }
    }

    fn in_session(self, session: &mut Session) -> String {
        let (key, op, _, value) = self.ask();
        let order = if matches!(self, Question::Ordered) { r#", "order_by": ["-start_time"]"# } else { "" };
        let params = format!(r#"{{"attribute_filters": [{{"key": "{key}", "op": "{op}", "value": "{value}"}}]{order}}}"#);
        session.query("query_traces", &params, None).expect("an answer")
    }

    /// The reference's statement: ids of matching spans' traces, joined with their columns.
    fn in_sql(self, connection: &Connection) -> Vec<String> {
        let (key, _, op, value) = self.ask();
        let order = if matches!(self, Question::Ordered) { "ORDER BY t.start_time DESC" } else { "" };
        let sql = format!(
            "WITH found AS (SELECT DISTINCT t.trace_id FROM traces t JOIN spans s ON t.trace_id = s.trace_id
                WHERE json_extract(s.attributes, '$.{key}') {op} ?1),
             listed AS (SELECT t.trace_id, t.root_span_id, t.start_time, t.end_time FROM found f JOIN traces t ON f.trace_id = t.trace_id
                LEFT JOIN spans s ON t.trace_id = s.trace_id {order})
             SELECT DISTINCT trace_id, root_span_id, start_time, end_time FROM listed LIMIT 100 OFFSET 0"
        );
        let mut statement = connection.prepare(&sql).expect("SQL");
        let rows = statement.query_map([value], |row| row.get(0)).expect("rows");
        rows.collect::<Result<_, _>>().expect("traces")
    }
}

fn session() -> Session {
    let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
    let mut session = Session::open_path(file(), options).expect("the file opens");
    session.complete_index().expect("an index");
    session
}

fn root_of_latest(session: &mut Session) -> String {
    let answer = session.query("query_traces", r#"{"limit": 1, "order_by": ["-start_time"]}"#, None).expect("an answer");
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    answer.pointer("/data/0/root_span_id").and_then(serde_json::Value::as_str).expect("a root").to_owned()
}

#[divan::bench(args = QUESTIONS, sample_count = 5, sample_size = 1)]
fn query_traces_in_a_session(bencher: divan::Bencher<'_, '_>, question: Question) {
    let mut session = session();
    bencher.bench_local(|| question.in_session(&mut session));
}

#[divan::bench(args = QUESTIONS, sample_count = 5, sample_size = 1)]
fn query_traces_in_sql(bencher: divan::Bencher<'_, '_>, question: Question) {
    let connection = Connection::open(file()).expect("the file opens");
    bencher.bench_local(|| question.in_sql(&connection));
}

#[divan::bench(sample_count = 20, sample_size = 1)]
fn get_span_tree(bencher: divan::Bencher<'_, '_>) {
    let mut session = session();
    let params = format!(r#"{{"span_id": "{}"}}"#, root_of_latest(&mut session));
    bencher.bench_local(|| session.query("get_span_tree", &params, None).expect("a tree"));
}

fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let start = Instant::now();
            work();
            start.elapsed()
        })
        .collect();
    times.sort();
    times.swap_remove(times.len() / 2)
}

fn print_ratios() {
    let mut session = session();
    let connection = Connection::open(file()).expect("the file opens");
    println!("\nMedians of five, a fresh value in every run:");
    for question in QUESTIONS {
        let ours = median(|| drop(question.in_session(&mut session)));
        let sql = median(|| drop(question.in_sql(&connection)));
        let cold = median(|| {
            let options = OpenOptions { deadline_ms: u64::MAX, ..OpenOptions::with_clock(|| 0) };
            let mut session = Session::open_path(file(), options).expect("the file opens");
            question.in_session(&mut session);
        });
        let ratio = |time: Duration| sql.as_secs_f64() / time.as_secs_f64();
        println!(
            "  {question:?}: SQL {sql:.2?}; freshly opened {cold:.2?}, {:.1} times as fast; in a session {ours:.2?}, {:.1} times as fast",
            ratio(cold),
            ratio(ours)
        );
    }
    let params = format!(r#"{{"span_id": "{}"}}"#, root_of_latest(&mut session));
    let tree = median(|| drop(session.query("get_span_tree", &params, None)));
    println!("  get_span_tree: {tree:.2?}");
}

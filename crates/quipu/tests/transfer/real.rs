//! Bodies that servers sent, against the databases they wrote in the same run.

use crate::support;
use crate::tools::{import_bytes, read, rows, sql_of};

/// Everything the reference wrote but `created_at`, which is the moment of writing. Rows by id: the two sinks wrote in their own order.
const TABLES: [&str; 3] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
];

#[test]
fn bodies_of_a_run_become_the_database_of_that_run() {
    let (bytes, report) = import_bytes(&[("traces", &read("tests/fixtures/otlp/small_0.2.15_traces.binpb"))]);
    assert_eq!((report.problem_count, report.repeated_spans), (0, 0), "{report:?}");
    let (imported, recorded) = (sql_of(&bytes), support::sql("tests/fixtures/db/real_small.db", ""));
    for table in TABLES {
        let (found, expected) = (rows(&imported, table), rows(&recorded, table));
        assert_eq!(found.len(), expected.len(), "{table}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "{table}");
        }
    }
}

//! Bodies sent by servers, against the databases those servers wrote in the same run.

use super::tools::{import, import_bytes, read, rows, sql_of};
use crate::support;
use quipu::Session;
use serde_json::{Value as Json, json};

/// The bodies of a run, and the database the server wrote meanwhile.
const RUNS: [(&str, &str); 2] = [
    ("tests/fixtures/otlp/small_0.2.15_traces.binpb", "tests/fixtures/db/real_small.db"),
    ("tests/fixtures/otlp/agent_0.2.15_traces.binpb.gz", "samples/agent_0.2.15.db"),
];

/// Everything the reference wrote except `created_at`, which is the time of writing. Sorted by id, because the two sinks wrote in different
/// orders.
const TABLES: [&str; 3] = [
    "SELECT trace_id, service_name, root_span_id, start_time, end_time FROM traces ORDER BY trace_id",
    "SELECT * FROM spans ORDER BY span_id",
    "SELECT span_id, name, timestamp, attributes FROM span_events ORDER BY span_id, timestamp, attributes",
];

#[test]
fn bodies_of_a_run_become_the_database_of_that_run() {
    for (bodies, database) in RUNS {
        let (bytes, report) = import_bytes(&[("traces", &read(bodies))]);
        assert_eq!((report.problem_count, report.repeated_spans), (0, 0), "{report:?}");
        let (imported, recorded) = (sql_of(&bytes), support::sql(database, ""));
        for table in TABLES {
            let (found, expected) = (rows(&imported, table), rows(&recorded, table));
            assert_eq!(found.len(), expected.len(), "{table}");
            for (found, expected) in found.iter().zip(&expected) {
                assert_eq!(found, expected, "{table}");
            }
        }
    }
}

/// The answer to a query; lists without a defined order are sorted.
fn answer(session: &mut Session, method: &str, params: &Json) -> Result<Json, String> {
    let answer = session.query(method, &params.to_string(), Some(1_800_000_000)).map_err(|failure| failure.message)?;
    let mut json: Json = serde_json::from_str(&answer).expect("an answer is JSON");
    if params.get("order_by").is_none()
        && let Some(list) = json.get_mut("data").and_then(Json::as_array_mut)
    {
        list.sort_by_key(Json::to_string);
    }
    Ok(json)
}

/// The queries that were sent to the reference while these files were recorded.
fn asked(oracle: &str, database: &str) -> Vec<(String, Json)> {
    let calls: Vec<Json> = serde_json::from_slice(&read(&format!("tests/fixtures/oracle/{oracle}"))).expect("an oracle");
    let of_database = calls.into_iter().filter(|call| call["db"] == database);
    of_database.map(|call| (call["method"].as_str().expect("a method").to_owned(), call["params"].clone())).collect()
}

#[test]
fn the_query_api_answers_over_bodies_as_over_the_database_of_their_run() {
    for (bodies, database) in RUNS {
        let (mut imported, _) = import(&[("traces", &read(bodies))]);
        let mut recorded = support::open(database);
        let mut calls = asked("real_small__0.2.15.json", if database.contains("small") { "real_small.db" } else { "real_agent.db" });
        let all = [
            json!({ "limit": 1_000 }),
            json!({ "limit": 1_000, "order_by": ["start_time"] }),
            json!({ "limit": 1_000, "order_by": ["end_time desc", "trace_id"] }),
        ];
        calls.extend(all.map(|params| ("query_traces".to_owned(), params)));
        for key in ["session_id", "__root__", "error", "raw_path"] {
            let filter = json!([{ "key": key, "op": "ne", "value": "x" }]);
            calls.push(("query_spans".to_owned(), json!({ "attribute_filters": filter, "attributes_to_return": [key, "__ttl__"] })));
        }
        let connection = support::sql(database, "");
        for row in rows(&connection, "SELECT trace_id, span_id FROM spans") {
            calls.push(("get_trace".to_owned(), json!({ "trace_id": row[0] })));
            calls.push(("get_span".to_owned(), json!({ "trace_id": row[0], "span_id": row[1] })));
            calls.push(("get_span_tree".to_owned(), json!({ "span_id": row[1], "max_depth": 9 })));
        }
        assert!(calls.len() > 300, "{}", calls.len());
        for (method, params) in calls {
            let (found, expected) = (answer(&mut imported, &method, &params), answer(&mut recorded, &method, &params));
            assert_eq!(found, expected, "{database} {method} {params}");
        }
    }
}

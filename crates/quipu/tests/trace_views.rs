//! Logs and statistics of real traces, against plain SQL.

use quipu::Session;
use quipu::model::LogSeverity;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use quipu::view::{LogPage, LogQuery};
use rusqlite::Connection;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db");

fn open() -> (Session, Connection) {
    let bytes = std::fs::read(FILE).expect("the sample is there");
    let file = NamedSource { name: "metrics.db".into(), source: Box::new(MemorySource(bytes)) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("it is indexed");
    (session, Connection::open_with_flags(FILE, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("SQLite opens it"))
}

fn logs(session: &Session, trace_id: &str, min_severity: Option<LogSeverity>, offset: usize, limit: usize) -> LogPage {
    session.logs(trace_id, LogQuery { min_severity, offset, limit }).expect("events")
}

fn ids(connection: &Connection, sql: &str) -> Vec<String> {
    let mut statement = connection.prepare(sql).expect("SQL");
    statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
}

#[test]
fn the_events_of_every_trace_come_in_order_of_time() {
    let (session, connection) = open();
    for trace_id in ids(&connection, "SELECT DISTINCT trace_id FROM spans") {
        let of_trace = format!("FROM span_events e JOIN spans s USING (span_id) WHERE s.trace_id = '{trace_id}'");
        let expected = ids(&connection, &format!("SELECT CAST(e.id AS TEXT) {of_trace} ORDER BY e.timestamp, e.id"));
        let mut found = Vec::new();
        while found.len() < expected.len() {
            let page = logs(&session, &trace_id, None, found.len(), 7);
            assert_eq!(page.total as usize, expected.len());
            assert!(!page.rows.is_empty());
            found.extend(page.rows.into_iter().map(|row| row.id.to_string()));
        }
        assert_eq!(found, expected, "{trace_id}");

        let errors = format!(
            "SELECT CAST(e.id AS TEXT) {of_trace} AND e.attributes ->> 'severity' IN ('error', 'critical') ORDER BY e.timestamp, e.id"
        );
        let page = logs(&session, &trace_id, Some(LogSeverity::Error), 0, 500);
        assert_eq!(page.rows.iter().map(|row| row.id.to_string()).collect::<Vec<_>>(), ids(&connection, &errors));
        assert_eq!(page.of_severity[LogSeverity::Error as usize] + page.of_severity[LogSeverity::Critical as usize], page.total);
    }
}

#[test]
fn a_log_row_has_its_message_and_a_metric_its_value() {
    let (session, connection) = open();
    let of = |name: &str| {
        let sql =
            format!("SELECT s.trace_id FROM span_events e JOIN spans s USING (span_id) WHERE e.name = '{name}' ORDER BY e.id LIMIT 1");
        ids(&connection, &sql).remove(0)
    };
    let metric = logs(&session, &of("metric.total_tokens"), None, 0, 500);
    let metric = metric.rows.iter().find(|row| row.name == "metric.total_tokens").expect("a metric");
    assert_eq!((metric.text.as_str(), metric.severity, metric.span_name.is_empty()), ("46 tokens", None, false));
    let errors = ids(
        &connection,
        "SELECT s.trace_id FROM span_events e JOIN spans s USING (span_id) WHERE e.attributes ->> 'severity' = 'error' ORDER BY e.id LIMIT 1",
    );
    let page = logs(&session, &errors[0], Some(LogSeverity::Error), 0, 10);
    assert!(page.rows[0].text.starts_with("Error executing endpoint"), "{}", page.rows[0].text);
}

#[test]
fn statistics_by_name_equal_sql() {
    let (session, connection) = open();
    let trace_id = ids(&connection, "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC LIMIT 1").remove(0);
    let found = session.statistics(&trace_id).expect("statistics");
    let sql = "SELECT name, count(*), CAST(round(sum(julianday(end_time) - julianday(start_time)) * 86400000) AS INTEGER)
               FROM spans WHERE trace_id = ?1 GROUP BY name ORDER BY name";
    let mut statement = connection.prepare(sql).expect("SQL");
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let expected: Vec<(String, u32, i64)> = statement.query_map([trace_id], read).expect("rows").map(|row| row.expect("a row")).collect();
    let mut names: Vec<(String, u32, i64)> =
        found.iter().map(|of| (of.name.clone(), of.count, (of.total as f64 / 1e6).round() as i64)).collect();
    names.sort();
    assert_eq!(names.len(), expected.len());
    for (found, expected) in names.iter().zip(&expected) {
        assert_eq!((&found.0, found.1), (&expected.0, expected.1));
        // julianday is accurate to about a tenth of a millisecond.
        assert!((found.2 - expected.2).abs() <= 1 + i64::from(found.1) / 5, "{found:?} {expected:?}");
    }
}

//! What a collector removed from a file to keep it within bounds.
//!
//! Not here: removing it (`writer::retention`).

use super::schema::Schema;
use quipu_model::Timestamp;
use quipu_model::format::counted;
use quipu_protocol::{Warning, WarningKind};
use rusqlite::{Connection, Row};

/// The table that holds it, in one row.
pub(crate) const TABLE: &str = "quipu_removed";

/// Everything that was removed since the file was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RemovedSoFar {
    /// How often something was removed.
    pub steps: i64,
    /// Traces.
    pub traces: u64,
    /// Spans.
    pub spans: u64,
    /// Log records, those of spans included.
    pub log_records: u64,
    /// Metric points.
    pub metric_points: u64,
    /// The end of the latest removed trace, in seconds since 1970.
    pub until: Option<i64>,
}

/// Reads what was removed from a file. Nothing if it has no such table, or one that can't be read.
pub fn removed_so_far(connection: &Connection, schema: &Schema) -> RemovedSoFar {
    if !schema.others.iter().any(|table| table == TABLE) {
        return RemovedSoFar::default();
    }
    let sql = "SELECT steps, until_unix, traces, spans, log_records, metric_points FROM main.quipu_removed WHERE id = 1";
    let read = |row: &Row<'_>| {
        let count = |at| row.get::<_, i64>(at).map(|count| u64::try_from(count).unwrap_or(0));
        Ok(RemovedSoFar {
            steps: row.get(0)?,
            until: row.get(1)?,
            traces: count(2)?,
            spans: count(3)?,
            log_records: count(4)?,
            metric_points: count(5)?,
        })
    };
    connection.query_row(sql, [], read).unwrap_or_default()
}

/// Tells the reader of a file that it once held more.
pub(crate) fn note(connection: &Connection, schema: &Schema, warnings: &mut Vec<Warning>) {
    let removed = removed_so_far(connection, schema);
    let parts = [
        (removed.traces, "trace", "traces"),
        (removed.log_records, "log record", "log records"),
        (removed.metric_points, "metric point", "metric points"),
    ];
    let parts: Vec<String> = parts.iter().filter(|part| part.0 > 0).map(|(number, one, many)| counted(Some(*number), one, many)).collect();
    if parts.is_empty() {
        return;
    }
    let until = removed.until.map_or_else(String::new, |seconds| {
        format!(" They had ended by {} UTC.", Timestamp(seconds.saturating_mul(1_000_000_000)).civil(0))
    });
    warnings.push(Warning {
        kind: WarningKind::Removed,
        text: format!("{} were removed from this file to keep it within its bounds.", parts.join(", ")),
        meaning: format!("The collector was started with --max-size or --max-age.{until} Counts and sums cover the remaining data."),
    });
}

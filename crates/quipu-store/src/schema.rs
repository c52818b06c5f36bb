//! Which of the reference's tables and columns a file has. All releases have the same schema; files of other tools may lack parts of it.

use super::error::StoreError;
use super::layout::{self, Layout};
use quipu_protocol::{Warning, WarningKind};
use rusqlite::Connection;

/// The columns of a table that Quipu reads and that exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableShape {
    /// Whether the table exists and has rowids.
    pub exists: bool,
    /// Names of its columns, as declared.
    pub columns: Vec<String>,
}

impl TableShape {
    /// Whether a column exists. Ignores letter case, like SQLite.
    pub fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name.eq_ignore_ascii_case(column))
    }

    /// The name of a column, or `NULL` if it doesn't exist; for use in statements.
    pub(super) fn or_null(&self, column: &'static str) -> &'static str {
        if self.has(column) { column } else { "NULL" }
    }
}

/// Schema of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// How spans are stored. Of Quipu's own layout, the three tables are views with the reference's columns.
    pub layout: Layout,
    /// Table `traces`.
    pub traces: TableShape,
    /// Table `spans`.
    pub spans: TableShape,
    /// Table `span_events`.
    pub events: TableShape,
    /// Names of all other tables.
    pub others: Vec<String>,
    /// What has the name of a table that Quipu writes and is no plain table with rowids: its kind and name, as in `view spans`.
    pub impostors: Vec<String>,
    /// Whether `traces.created_at` is indexed.
    pub created_at_indexed: bool,
}

/// Columns of each of the reference's tables, in order.
pub(super) const TRACES: [&str; 6] = ["trace_id", "service_name", "root_span_id", "start_time", "end_time", "created_at"];
pub(super) const SPANS: [&str; 9] = [
    "span_id",
    "trace_id",
    "parent_span_id",
    "name",
    "start_time",
    "end_time",
    "attributes",
    "status",
    "kind",
];
/// The tables that a writer fills.
const WRITTEN: [&str; 14] = [
    "quipu_traces",
    "quipu_spans",
    "quipu_events",
    "quipu_names",
    "quipu_resources",
    "quipu_scopes",
    "traces",
    "spans",
    "span_events",
    "quipu_sources",
    "quipu_span_extra",
    "quipu_log_records",
    "quipu_metric_points",
    "quipu_removed",
];
const EVENTS: [&str; 5] = ["id", "span_id", "name", "timestamp", "attributes"];

impl Schema {
    pub(super) fn read(connection: &Connection) -> Result<Schema, StoreError> {
        let mut schema = Schema::default();
        let mut statement = connection.prepare("SELECT type, name, sql FROM sqlite_schema")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let kind: String = row.get(0).unwrap_or_default();
            let name: String = row.get(1).unwrap_or_default();
            let sql: String = row.get(2).unwrap_or_default();
            let folded: String = sql.to_ascii_lowercase().split_whitespace().collect();
            if kind == "index" && folded.contains("traces(created_at)") {
                schema.created_at_indexed = true;
            }
            let is_plain = kind == "table" && !folded.contains("withoutrowid") && !folded.starts_with("createvirtual");
            if !is_plain && matches!(kind.as_str(), "table" | "view") && WRITTEN.iter().any(|written| name.eq_ignore_ascii_case(written)) {
                schema.impostors.push(format!("{kind} {name}"));
            }
            if kind != "table" || name.starts_with("sqlite_") {
                continue;
            }
            let shape = match name.to_ascii_lowercase().as_str() {
                "traces" => &mut schema.traces,
                "spans" => &mut schema.spans,
                "span_events" => &mut schema.events,
                _ => {
                    schema.others.push(name);
                    continue;
                }
            };
            shape.exists = is_plain;
        }
        if schema.others.iter().any(|table| table == layout::SPANS) {
            schema.layout = Layout::Quipu;
            // These are views there, and nothing is written through them.
            schema.impostors.retain(|impostor| !layout::VIEWS.iter().any(|(view, _)| *impostor == format!("view {view}")));
            for (shape, columns) in [
                (&mut schema.traces, TRACES.as_slice()),
                (&mut schema.spans, SPANS.as_slice()),
                (&mut schema.events, EVENTS.as_slice()),
            ] {
                *shape = TableShape { exists: true, columns: columns.iter().map(|column| (*column).to_owned()).collect() };
            }
            schema.others.extend(layout::EXTRA_VIEWS.map(str::to_owned));
            return Ok(schema);
        }
        for (table, shape) in [("traces", &mut schema.traces), ("spans", &mut schema.spans), ("span_events", &mut schema.events)] {
            if shape.exists {
                let mut statement = connection.prepare(&format!("PRAGMA table_info({table})"))?;
                let mut rows = statement.query([])?;
                while let Some(row) = rows.next()? {
                    shape.columns.push(row.get(1).unwrap_or_default());
                }
                // Such a column hides the rowid, which is needed to identify rows.
                shape.exists = !shape.has("rowid");
            }
        }
        Ok(schema)
    }

    /// Whether there is no table.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn is_empty(&self) -> bool {
        self.others.is_empty() && [&self.traces, &self.spans, &self.events].iter().all(|shape| shape.columns.is_empty())
    }

    /// Returns a sentence if this is not a telemetry file.
    pub(super) fn check(&self, name: &str) -> Result<(), String> {
        let spans = self.spans.exists && self.spans.has("span_id") && self.spans.has("trace_id");
        if spans || (self.traces.exists && self.traces.has("trace_id")) {
            return Ok(());
        }
        let mut found = self.others.clone();
        for (table, shape) in [("traces", &self.traces), ("spans", &self.spans), ("span_events", &self.events)] {
            if shape.exists {
                found.push(format!("{table} with other columns"));
            }
        }
        found.truncate(8);
        let found = if found.is_empty() { "no tables".to_owned() } else { found.join(", ") };
        Err(format!(
            "{name} is a SQLite database, but not a telemetry file: it has {found}. Expected the tables traces, spans and span_events that a Llama Stack server writes (telemetry.db or trace_store.db)."
        ))
    }

    /// Returns a sentence if no rows can be added, because it is another program's database or lacks columns. A database without tables is
    /// fine.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn check_writable(&self, name: &str) -> Result<(), String> {
        let tables = [
            ("traces", &self.traces, TRACES.as_slice()),
            ("spans", &self.spans, SPANS.as_slice()),
            ("span_events", &self.events, EVENTS.as_slice()),
        ];
        if let Some(impostor) = self.impostors.first() {
            return Err(format!("{name} has a {impostor} where a plain table is expected, so no rows can be added. Choose another file."));
        }
        if !self.others.is_empty() || tables.iter().any(|(_, shape, _)| !shape.columns.is_empty()) {
            self.check(name)?;
        }
        let lacks = |(table, shape, wanted): &(&str, &TableShape, &[&str])| {
            let column = wanted.iter().find(|column| !shape.columns.is_empty() && !shape.has(column))?;
            Some(format!("{name} lacks the column {table}.{column}, so no rows can be added. Choose another file."))
        };
        tables.iter().find_map(lacks).map_or(Ok(()), Err)
    }

    pub(super) fn note(&self, warnings: &mut Vec<Warning>) {
        let mut missing = Vec::new();
        for (table, shape, wanted) in [
            ("traces", &self.traces, TRACES.as_slice()),
            ("spans", &self.spans, SPANS.as_slice()),
            ("span_events", &self.events, EVENTS.as_slice()),
        ] {
            if !shape.exists {
                missing.push(format!("table {table}"));
            } else {
                missing.extend(wanted.iter().filter(|column| !shape.has(column)).map(|column| format!("{table}.{column}")));
            }
        }
        if !missing.is_empty() {
            warnings.push(Warning {
                kind: WarningKind::Schema,
                text: format!("The file lacks {}.", missing.join(", ")),
                meaning: "No release of Llama Stack writes such a file. Existing data is shown; missing parts are shown as unknown.".into(),
            });
        }
    }
}

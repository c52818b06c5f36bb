//! Runs the user's SQL on the open file: one read-only statement, with limits, and views for common expressions.
//!
//! Not here: Quipu's own statements (`reader`, `lookup`).

use super::call_sql;
use super::database::{Database, MAX_VALUE_BYTES};
use super::error::StoreError;
use super::failure_sql::{make_functions, parts};
use super::layout::Layout;
use quipu_protocol::{Failure, FailureKind, SqlKind, SqlWrong};
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::types::ValueRef;
use rusqlite::{Connection, ErrorCode};
use serde::{Deserialize, Serialize};

/// Limits of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlLimits {
    /// Maximum number of rows.
    pub rows: usize,
    /// Maximum total size of all values, in bytes.
    pub bytes: usize,
}

impl Default for SqlLimits {
    /// A million rows and 256 MiB.
    fn default() -> SqlLimits {
        SqlLimits { rows: 1_000_000, bytes: 256 << 20 }
    }
}

/// A SQLite value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SqlValue {
    /// NULL
    Null,
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT, with invalid UTF-8 replaced
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

/// The result of a query.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SqlAnswer {
    /// Column names, as given in the query; may contain duplicates.
    pub columns: Vec<String>,
    /// Rows with one value per column.
    pub rows: Vec<Vec<SqlValue>>,
    /// The limit that was reached, if there are more rows.
    pub cut: Option<SqlCut>,
}

/// The limit at which a result was cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlCut {
    /// [`SqlLimits::rows`].
    Rows,
    /// [`SqlLimits::bytes`], with the limit in bytes.
    Bytes(usize),
}

/// A view available to queries.
#[derive(Clone, Copy, Debug)]
pub struct SqlView {
    /// Name of the view.
    pub name: &'static str,
    /// Description of a row.
    pub help: &'static str,
    /// Its definition. May use the functions `quipu_failure` and `quipu_event_failure` and the views `quipu_failed_events` and
    /// `quipu_status_messages`, which are created along with it.
    pub select: &'static str,
}

/// Converts a recorded time to milliseconds since 1970 with microsecond precision; SQLite's own functions round to milliseconds.
macro_rules! millis {
    ($column:literal) => {
        concat!("(unixepoch(substr(", $column, ", 1, 19)) * 1000.0 + CAST('0' || substr(", $column, ", 20) AS REAL) * 1000)")
    };
}

/// An attribute, or NULL if the attributes are not JSON.
macro_rules! attribute {
    ($of:literal, $path:literal) => {
        concat!("CASE WHEN json_valid(", $of, "attributes) THEN json_extract(", $of, "attributes, '", $path, "') END")
    };
}

/// Whether a span failed (0 or 1), by its own row or by an event.
macro_rules! failed {
    () => {
        "(quipu_failure(status, attributes, NULL) IS NOT NULL OR span_id IN (SELECT span_id FROM temp.quipu_failed_events)) IS TRUE AS failed"
    };
}

/// The status description of a span, which imports keep in a separate table.
macro_rules! status_message {
    () => {
        "(SELECT m.status_message FROM temp.quipu_status_messages m WHERE m.id = spans.rowid AND m.span_id = spans.span_id)"
    };
}

/// Views available in addition to the file's own tables.
pub const SQL_VIEWS: [SqlView; 5] = [
    SqlView {
        name: "spans_with_duration",
        help: "spans with duration_ms, the attribute error, and whether they failed",
        select: concat!(
            "SELECT span_id, trace_id, parent_span_id, name, start_time, end_time, round(",
            millis!("end_time"),
            " - ",
            millis!("start_time"),
            ", 3) AS duration_ms, status, kind, ",
            attribute!("", "$.error"),
            " AS error, ",
            failed!(),
            ", attributes FROM spans"
        ),
    },
    SqlView {
        name: "requests",
        help: "requests to a server: spans that Llama Stack marks with __root__, and spans of the kind SERVER of other programs",
        select: concat!(
            "SELECT trace_id, span_id, name AS route, start_time, end_time, round(",
            millis!("end_time"),
            " - ",
            millis!("start_time"),
            ", 3) AS duration_ms, status, ",
            attribute!("", "$.error"),
            " AS error, ",
            failed!(),
            " FROM spans WHERE rowid IN (SELECT id FROM temp.quipu_requests)"
        ),
    },
    SqlView {
        name: "errors",
        help: "failed spans, by attribute or status, and the server's reports of failed requests",
        select: concat!(
            "SELECT trace_id, span_id, name, end_time AS time, nullif(quipu_failure(status, attributes, ",
            status_message!(),
            "), '') AS message, iif(quipu_failure(NULL, attributes, NULL) IS NULL, 'status', 'attribute') AS source FROM spans \
             WHERE quipu_failure(status, attributes, NULL) IS NOT NULL \
             UNION ALL SELECT s.trace_id, e.span_id, s.name, e.timestamp, e.message, 'log' \
             FROM temp.quipu_failed_events e LEFT JOIN spans s ON s.span_id = e.span_id"
        ),
    },
    SqlView {
        name: "token_usage",
        help: "token counts: metric events, which releases since 0.2.18 record, and attributes of model calls, each call once",
        select: concat!(
            "SELECT s.trace_id, e.span_id, e.timestamp, substr(e.name, 8) AS metric, ",
            attribute!("e.", "$.value"),
            " AS value, ",
            attribute!("e.", "$.unit"),
            " AS unit, ",
            attribute!("e.", "$.model_id"),
            " AS model_id, ",
            attribute!("e.", "$.provider_id"),
            " AS provider_id FROM span_events e LEFT JOIN spans s ON s.span_id = e.span_id WHERE e.name LIKE 'metric.%' \
             UNION ALL SELECT c.trace_id, c.span_id, c.end_time, m.column1, quipu_call_value(c.attributes, m.column1), 'tokens', \
             quipu_call_value(c.attributes, 'model_id'), quipu_call_value(c.attributes, 'provider_id') \
             FROM temp.quipu_counted_calls c JOIN (VALUES ('prompt_tokens'), ('completion_tokens'), ('total_tokens')) m \
             WHERE quipu_call_value(c.attributes, m.column1) IS NOT NULL"
        ),
    },
    SqlView {
        name: "model_calls",
        help: "model calls as instrumentation states them, with calls inside of other calls, so tokens may repeat; see token_usage",
        select: concat!(
            "SELECT trace_id, span_id, name, start_time, round(",
            millis!("end_time"),
            " - ",
            millis!("start_time"),
            ", 3) AS duration_ms, quipu_call_value(attributes, 'model_id') AS model_id, \
             quipu_call_value(attributes, 'provider_id') AS provider_id, \
             quipu_call_value(attributes, 'prompt_tokens') AS prompt_tokens, \
             quipu_call_value(attributes, 'completion_tokens') AS completion_tokens, \
             quipu_call_value(attributes, 'total_tokens') AS total_tokens, \
             quipu_call_value(attributes, 'cached_tokens') AS cached_tokens, \
             quipu_call_value(attributes, 'cache_written_tokens') AS cache_written_tokens, \
             quipu_call_value(attributes, 'reasoning_tokens') AS reasoning_tokens, \
             quipu_call_value(attributes, 'time_to_first_token_ms') AS time_to_first_token_ms, ",
            failed!(),
            " FROM temp.quipu_calls WHERE call = 1"
        ),
    },
];

/// Runs one read-only statement, or returns what is wrong with it.
///
/// # Errors
/// If the file can't be read, or the statement took too long.
pub fn query_sql(database: &mut Database, query: &str, limits: SqlLimits) -> Result<Result<SqlAnswer, SqlWrong>, Failure> {
    let ask = |database: &mut Database| ask_once(database, query, limits);
    database.budget().begin();
    #[cfg(not(target_family = "wasm"))]
    let outcome = super::long_sql::run(database, &ask);
    #[cfg(target_family = "wasm")]
    let outcome = ask(database);
    let outcome = outcome.map_err(|error| database.explain(error));
    database.budget().end();
    Ok(outcome?)
}

/// Runs the statement under the authorizer, which Quipu's own statements don't need.
fn ask_once(database: &mut Database, query: &str, limits: SqlLimits) -> Result<Result<SqlAnswer, SqlWrong>, StoreError> {
    make_views(database.connection())?;
    database.connection_mut().authorizer(Some(authorize))?;
    let outcome = read(database.connection(), query, limits);
    database.connection_mut().authorizer(None::<fn(AuthContext<'_>) -> Authorization>)?;
    match outcome {
        Ok(answer) => Ok(Ok(answer)),
        Err(error) => explain_sql(error).map(Err),
    }
}

/// Converts an error in a query to a failure, with the line of the query and a caret below the position.
pub fn refusal(wrong: SqlWrong, query: &str) -> Failure {
    Failure { kind: FailureKind::BadRequest, message: at_place(wrong, query) }
}

/// Schema of a table or view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableDescription {
    /// Name of the table or view.
    pub name: String,
    /// The highest rowid; `None` for views and tables without one.
    pub rows: Option<i64>,
    /// Name, declared type, and position in the primary key (0: not part of it) of each column.
    pub columns: Vec<(String, String, i64)>,
    /// Name and columns of each index.
    pub indexes: Vec<(String, Vec<String>)>,
}

/// Describes the tables available to queries, starting with Quipu's views. Views in the file are omitted because they are not run, and so
/// is anything that can't be described.
pub fn describe_sql(database: &mut Database) -> Result<Vec<TableDescription>, Failure> {
    make_views(database.connection()).map_err(|error| Failure::from(database.explain(error)))?;
    Ok(database.bounded(|| {
        let (connection, layout) = (database.connection(), database.schema().layout);
        let names = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
                     ORDER BY name NOT IN ('traces', 'spans', 'span_events'), rowid LIMIT 200";
        let mut statement = connection.prepare(names)?;
        let own = statement.query_map([], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        let of_layout: &[&str] = if layout == Layout::Quipu { &["traces", "spans", "span_events"] } else { &[] };
        let views = SQL_VIEWS.iter().map(|view| view.name).chain(of_layout.iter().copied()).map(|name| (name.to_owned(), true));
        let tables = views.chain(own.into_iter().map(|name| (name, false)));
        Ok(tables.filter_map(|(name, is_view)| describe_table(connection, name, is_view).ok()).collect())
    })?)
}

fn describe_table(connection: &Connection, name: String, is_view: bool) -> Result<TableDescription, StoreError> {
    let schema = if is_view { "temp" } else { "main" };
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1, ?2)")?;
    let columns = statement.query_map([name.as_str(), schema], |row| {
        Ok((row.get::<_, Option<String>>(0)?.unwrap_or_default(), row.get::<_, Option<String>>(1)?.unwrap_or_default(), row.get(2)?))
    })?;
    let columns = columns.collect::<Result<Vec<(String, String, i64)>, _>>()?;
    let mut indexes = Vec::new();
    let mut rows = None;
    if !is_view {
        let mut statement = connection.prepare("SELECT name FROM pragma_index_list(?1, ?2)")?;
        let names = statement.query_map([name.as_str(), schema], |row| row.get::<_, String>(0))?.collect::<Result<Vec<_>, _>>()?;
        for index in names {
            let mut statement = connection.prepare("SELECT coalesce(name, 'expression') FROM pragma_index_info(?1, ?2)")?;
            let of = statement.query_map([index.as_str(), schema], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
            indexes.push((index, of));
        }
        // Finding the highest rowid needs no scan. Ignore tables without one.
        let largest = format!("SELECT coalesce(max(rowid), 0) FROM main.\"{}\"", name.replace('"', "\"\""));
        rows = connection.query_row(&largest, [], |row| row.get::<_, i64>(0)).ok().filter(|rows| *rows >= 0);
    }
    Ok(TableDescription { name, rows, columns, indexes })
}

/// Creates temporary views, which exist in this connection only. Needs write access, but never writes to the file.
fn make_views(connection: &Connection) -> Result<(), StoreError> {
    let is_there = connection
        .query_row("SELECT count(*) FROM temp.sqlite_schema WHERE name = 'spans_with_duration'", [], |row| row.get::<_, i64>(0))?;
    if is_there > 0 {
        return Ok(());
    }
    make_functions(connection)?;
    #[cfg(not(target_family = "wasm"))]
    super::functions::replace_functions(connection)?;
    call_sql::make_functions(connection)?;
    let all = parts(connection).into_iter().chain(call_sql::PARTS).chain(SQL_VIEWS.iter().map(|view| (view.name, view.select)));
    connection.execute_batch("PRAGMA query_only=OFF")?;
    let made = all
        .into_iter()
        .try_for_each(|(name, select)| connection.execute_batch(&format!("CREATE TEMP VIEW IF NOT EXISTS {name} AS {select}")));
    connection.execute_batch("PRAGMA query_only=ON")?;
    Ok(made?)
}

/// Allows reads, function calls and recursion, and only those pragmas that describe the schema.
fn authorize(context: AuthContext<'_>) -> Authorization {
    const TELLING: [&str; 8] = [
        "table_info",
        "table_xinfo",
        "table_list",
        "index_list",
        "index_info",
        "index_xinfo",
        "foreign_key_list",
        "database_list",
    ];
    const REFUSED: [&str; 3] = ["load_extension", "json_patch", "jsonb_patch"];
    let is_allowed = match context.action {
        AuthAction::Select | AuthAction::Read { .. } | AuthAction::Recursive => true,
        // Merging two large objects takes the product of their lengths, and can't be interrupted.
        AuthAction::Function { function_name } => !REFUSED.contains(&function_name),
        AuthAction::Pragma { pragma_name, .. } => TELLING.iter().any(|name| name.eq_ignore_ascii_case(pragma_name)),
        _ => false,
    };
    if is_allowed { Authorization::Allow } else { Authorization::Deny }
}

fn read(connection: &Connection, query: &str, limits: SqlLimits) -> Result<SqlAnswer, StoreError> {
    let mut statement = connection.prepare(query)?;
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut answer = SqlAnswer { columns, rows: Vec::new(), cut: None };
    let mut bytes = 0_usize;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        if answer.rows.len() >= limits.rows || bytes > limits.bytes {
            answer.cut = Some(if bytes > limits.bytes { SqlCut::Bytes(limits.bytes) } else { SqlCut::Rows });
            break;
        }
        let mut values = Vec::with_capacity(answer.columns.len());
        for column in 0..answer.columns.len() {
            let value = match row.get_ref(column)? {
                ValueRef::Null => SqlValue::Null,
                ValueRef::Integer(number) => SqlValue::Integer(number),
                ValueRef::Real(number) => SqlValue::Real(number),
                ValueRef::Text(text) => SqlValue::Text(String::from_utf8_lossy(text).into_owned()),
                ValueRef::Blob(blob) => SqlValue::Blob(blob.to_vec()),
            };
            bytes = bytes.saturating_add(32).saturating_add(match &value {
                SqlValue::Text(text) => text.len(),
                SqlValue::Blob(blob) => blob.len(),
                _ => 0,
            });
            values.push(value);
        }
        answer.rows.push(values);
    }
    Ok(answer)
}

/// The message for an invalid statement, and its position if SQLite reports one. Errors of the file are passed on.
fn explain_sql(error: StoreError) -> Result<SqlWrong, StoreError> {
    let StoreError::Sqlite(cause) = &error else { return Err(error) };
    let message = match cause {
        rusqlite::Error::SqlInputError { msg, offset, .. } => {
            return Ok(SqlWrong { message: format!("SQLite does not understand this: {msg}."), offset: u32::try_from(*offset).ok() });
        }
        rusqlite::Error::MultipleStatement => "There is more than one statement; run one at a time.".to_owned(),
        _ => sentence(cause).ok_or(error)?,
    };
    Ok(SqlWrong { message, offset: None })
}

fn sentence(cause: &rusqlite::Error) -> Option<String> {
    match cause.sqlite_error_code() {
        Some(ErrorCode::AuthorizationForStatementDenied | ErrorCode::ReadOnly) => Some(
            "This statement would write, attach a file or change a setting. The file is only read: ask with SELECT, WITH or EXPLAIN."
                .into(),
        ),
        Some(ErrorCode::TooBig) => {
            let most = quipu_model::format::bytes(MAX_VALUE_BYTES.unsigned_abs().into());
            Some(format!("A value would be larger than {most}, which is the limit for one value."))
        }
        Some(ErrorCode::Unknown) => Some(format!("SQLite says: {cause}.")),
        Some(ErrorCode::ApiMisuse) => Some("There is no statement. Write a SELECT.".into()),
        _ => None,
    }
}

/// The message, below it the line it refers to, and a caret at the position.
fn at_place(wrong: SqlWrong, query: &str) -> String {
    let place = wrong.offset.and_then(|offset| query.get(..offset as usize));
    let Some(before) = place else { return wrong.message };
    let start = before.rfind('\n').map_or(0, |line| line + 1);
    let line = query.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let column = before.get(start..).unwrap_or_default().chars().count();
    format!("{line}\n{}^\n{}", " ".repeat(column), wrong.message)
}

impl SqlAnswer {
    /// Whether the first values of a column are numbers.
    pub fn is_numeric(&self, column: usize) -> bool {
        let mut kinds = self
            .rows
            .iter()
            .take(100)
            .filter_map(|row| row.get(column))
            .map(SqlValue::kind)
            .filter(|kind| *kind != SqlKind::Null)
            .peekable();
        kinds.peek().is_some() && kinds.all(|kind| matches!(kind, SqlKind::Integer | SqlKind::Real))
    }
}

impl SqlValue {
    /// Type of the value.
    pub fn kind(&self) -> SqlKind {
        match self {
            SqlValue::Null => SqlKind::Null,
            SqlValue::Integer(_) => SqlKind::Integer,
            SqlValue::Real(_) => SqlKind::Real,
            SqlValue::Text(_) => SqlKind::Text,
            SqlValue::Blob(_) => SqlKind::Blob,
        }
    }
}

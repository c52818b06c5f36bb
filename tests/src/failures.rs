//! Determines failed spans without the core, with plain SQL and with `serde_json`.
//!
//! The rules are those of `docs/sql.md`. Values that neither SQLite nor `serde_json` parses as JSON are not covered; tests state their
//! expectations for those.

use anyhow::Result;
use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use serde_json::{Map, Value};

/// An SQL expression for a row of `spans`: 1 if the span failed, otherwise 0.
pub const FAILED: &str = r#"((
    upper(status) IN ('ERROR', 'STATUS_CODE_ERROR', '2')
    OR CASE WHEN json_valid(attributes) THEN
        lower(CAST(json_extract(attributes, '$.error') AS TEXT)) NOT IN ('', 'false', '0', 'null', 'none')
    END
    OR CASE WHEN json_valid(attributes) THEN
        lower(CAST(json_extract(attributes, '$."error.type"') AS TEXT)) NOT IN ('', 'false', '0', 'null', 'none')
    END
    OR span_id IN (
        SELECT e.span_id FROM span_events e
        WHERE CASE WHEN json_valid(e.attributes) THEN
            json_extract(e.attributes, '$.severity') IN ('error', 'critical')
            AND (json_extract(e.attributes, '$.message') GLOB 'Error executing endpoint*'
                OR json_extract(e.attributes, '$.message') GLOB 'Error in sse_generator*')
        END)
) IS TRUE)"#;

/// Adds the functions and temporary views of a session to a plain connection, so that Quipu's views can be used.
///
/// # Errors
/// If SQLite fails.
pub fn make_parts(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("quipu_failure", 3, flags, |context| {
        let text = |place: usize| context.get::<Option<String>>(place);
        Ok(of_span(text(0)?.as_deref(), text(1)?.as_deref(), text(2)?.as_deref()))
    })?;
    connection.create_scalar_function("quipu_event_failure", 1, flags, |context| {
        let attributes = object(context.get::<Option<String>>(0)?.as_deref());
        let message = attributes.get("message").and_then(Value::as_str).unwrap_or_default();
        let is_report = message.starts_with("Error executing endpoint") || message.starts_with("Error in sse_generator");
        let is_error = matches!(attributes.get("severity").and_then(Value::as_str), Some("error" | "critical"));
        Ok((is_report && is_error).then(|| message.to_owned()))
    })?;
    connection.execute_batch(
        "CREATE TEMP VIEW quipu_failed_events AS SELECT span_id, timestamp, quipu_event_failure(attributes) AS message
            FROM main.span_events WHERE quipu_event_failure(attributes) IS NOT NULL;",
    )?;
    let has_messages = connection.prepare("SELECT id, span_id, status_message FROM main.quipu_span_extra").is_ok();
    let messages = if has_messages {
        "id, span_id, status_message FROM main.quipu_span_extra"
    } else {
        "0 AS id, '' AS span_id, '' AS status_message WHERE 0"
    };
    connection.execute_batch(&format!("CREATE TEMP VIEW quipu_status_messages AS SELECT {messages};"))?;
    make_calls(connection)
}

/// The parts about requests and model calls, for files of Llama Stack's own telemetry: their requests are marked, and no instrumentation
/// states a call.
fn make_calls(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("quipu_call_value", 2, flags, |_| Ok(None::<i64>))?;
    let columns = "rowid AS id, span_id, trace_id, parent_span_id, name, start_time, end_time, status, attributes, 1 AS call";
    Ok(connection.execute_batch(&format!(
        "CREATE TEMP VIEW quipu_requests AS SELECT rowid AS id FROM main.spans
            WHERE CASE WHEN json_valid(attributes) THEN json_extract(attributes, '$.__root__') END = 1;
         CREATE TEMP VIEW quipu_calls AS SELECT {columns} FROM main.spans WHERE 0;
         CREATE TEMP VIEW quipu_counted_calls AS SELECT {columns} FROM main.spans WHERE 0;"
    ))?)
}

fn object(attributes: Option<&str>) -> Map<String, Value> {
    attributes.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The failure message of a span, judged by its own row.
fn of_span(status: Option<&str>, attributes: Option<&str>, status_message: Option<&str>) -> Option<String> {
    let attributes = object(attributes);
    let said = |key: &str| {
        let value = attributes.get(key)?;
        let counts = match value {
            Value::Null => false,
            Value::Bool(truth) => *truth,
            Value::Number(number) => number.as_f64() != Some(0.0),
            Value::String(text) => !["", "false", "0", "null", "none"].contains(&text.to_lowercase().as_str()),
            Value::Array(_) | Value::Object(_) => true,
        };
        counts.then(|| shown(value))
    };
    let has_status = status.is_some_and(|status| ["ERROR", "STATUS_CODE_ERROR", "2"].contains(&status.to_uppercase().as_str()));
    if !has_status && said("error").is_none() && said("error.type").is_none() {
        return None;
    }
    let text = said("error").filter(|text| text.to_lowercase() != "true");
    let beside = status_message.filter(|text| has_status && !text.is_empty()).map(str::to_owned);
    let exception: Vec<String> = ["exception.type", "exception.message"]
        .iter()
        .filter_map(|key| attributes.get(*key).map(shown))
        .filter(|text| !text.is_empty())
        .collect();
    let exception = (!exception.is_empty()).then(|| exception.join(": "));
    Some(text.or(beside).or_else(|| said("error.message")).or(exception).or_else(|| said("error.type")).unwrap_or_default())
}

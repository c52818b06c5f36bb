//! SQL functions and internal views with which the SQL views find model calls by the rules of [`quipu_model::dialect`].
//!
//! The Rust rules are called instead of being repeated in SQL, so that index and queries agree. Not here: the views for users (`sql`).

use super::error::StoreError;
use super::failure_sql::{bytes, text};
use quipu_model::dialect::says;
use quipu_model::recorded::entries;
use quipu_model::tokens::{InferenceRole, StatedCall};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::Value;

/// Registers the functions, unless they exist.
///
/// `quipu_call(name, attributes)` is 1 for a model call that instrumentation states, 2 for a span that Llama Stack names as one, 0 for any
/// other span with token counts, otherwise NULL. `quipu_call_value(attributes, what)` is one of its values, which have the names of the
/// columns of `model_calls`.
pub(super) fn make_functions(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("quipu_call", 2, flags, |context| {
        if text(context, 0).is_some_and(|name| InferenceRole::from_name(&name).is_some()) {
            return Ok(Some(2));
        }
        // Nearly no span of a file of Llama Stack's own has any of these attributes.
        if entries(bytes(context, 1)).map_while(Result::ok).all(|(key, _)| says(&key).is_none_or(|says| !says.is_of_calls())) {
            return Ok(None);
        }
        let call = StatedCall::of(bytes(context, 1));
        Ok(if call.is_call("") { Some(1) } else { (!call.tokens.is_empty()).then_some(0) })
    })?;
    connection.create_scalar_function("quipu_call_value", 2, flags, value)?;
    Ok(())
}

fn value(context: &Context<'_>) -> rusqlite::Result<Value> {
    let call = StatedCall::of(bytes(context, 0));
    let whole = |number: Option<u64>| number.and_then(|number| i64::try_from(number).ok()).map_or(Value::Null, Value::Integer);
    let words = |text: Option<String>| text.map_or(Value::Null, Value::Text);
    Ok(match text(context, 1).as_deref() {
        Some("model_id") => words(call.model),
        Some("provider_id") => words(call.provider),
        Some("prompt_tokens") => whole(call.tokens.prompt.map(|count| count.tokens)),
        Some("completion_tokens") => whole(call.tokens.completion.map(|count| count.tokens)),
        Some("total_tokens") => whole(call.tokens.total.map(|count| count.tokens)),
        Some("cached_tokens") => whole(call.parts.cached),
        Some("cache_written_tokens") => whole(call.parts.cache_written),
        Some("reasoning_tokens") => whole(call.parts.reasoning),
        Some("time_to_first_token_ms") => call.parts.first_part_nanos.map_or(Value::Null, |nanos| Value::Real(nanos as f64 / 1e6)),
        _ => Value::Null,
    })
}

/// Internal views: the spans with token counts or model calls; of these the ones that are counted, by the rule of the index that calls
/// within each other count once; and the services that mark their requests themselves.
pub(super) const PARTS: [(&str, &str); 4] = [
    (
        "quipu_calls",
        "SELECT rowid AS id, span_id, trace_id, parent_span_id, name, start_time, end_time, status, attributes, quipu_call(name, attributes) AS call
         FROM spans WHERE quipu_call(name, attributes) IS NOT NULL",
    ),
    // Ancestors are looked for among copies of the columns that are needed, which SQLite indexes for the statement: spans of Quipu's own
    // layout have no index.
    (
        "quipu_counted_calls",
        "WITH RECURSIVE
           tree AS MATERIALIZED (SELECT span_id, trace_id, parent_span_id FROM spans),
           calls AS MATERIALIZED (
             SELECT id, span_id, trace_id, parent_span_id, call, quipu_call_value(attributes, 'total_tokens') AS total FROM temp.quipu_calls),
           above(of, call, trace_id, id, depth) AS (
             SELECT id, call, trace_id, parent_span_id, 1 FROM calls WHERE call = 0 OR call = 1 AND total IS NOT NULL
             UNION ALL SELECT above.of, above.call, above.trace_id, tree.parent_span_id, above.depth + 1
               FROM above JOIN tree ON tree.span_id = above.id AND tree.trace_id = above.trace_id WHERE above.depth < 200),
           within AS MATERIALIZED (
             SELECT DISTINCT above.of FROM above JOIN calls p ON p.span_id = above.id AND p.trace_id = above.trace_id
             WHERE p.call = above.call AND (p.call = 0 OR p.total IS NOT NULL))
         SELECT c.* FROM temp.quipu_calls c WHERE c.call = 1 AND quipu_call_value(c.attributes, 'total_tokens') IS NOT NULL
           AND c.trace_id NOT IN (SELECT trace_id FROM spans WHERE name LIKE 'InferenceRouter.%' AND quipu_call(name, NULL) = 2 AND trace_id IS NOT NULL)
           AND c.id NOT IN (SELECT of FROM within)
         UNION ALL SELECT c.* FROM temp.quipu_calls c WHERE c.call = 0
           AND c.trace_id NOT IN (SELECT trace_id FROM temp.quipu_calls WHERE call > 0 AND trace_id IS NOT NULL)
           AND c.id NOT IN (SELECT of FROM within)",
    ),
    (
        "quipu_marking_services",
        "SELECT DISTINCT coalesce(t.service_name, '') AS service FROM spans s LEFT JOIN traces t ON t.trace_id = s.trace_id
         WHERE s.attributes LIKE '%\"__root__\"%' AND CASE WHEN json_valid(s.attributes) THEN json_extract(s.attributes, '$.__root__') END = 1",
    ),
    (
        "quipu_requests",
        "SELECT rowid AS id FROM spans WHERE attributes LIKE '%\"__root__\"%'
           AND CASE WHEN json_valid(attributes) THEN json_extract(attributes, '$.__root__') END = 1
         UNION SELECT s.rowid FROM spans s WHERE s.kind = 'SERVER' COLLATE NOCASE
           AND coalesce((SELECT t.service_name FROM traces t WHERE t.trace_id = s.trace_id), '') NOT IN (SELECT service FROM temp.quipu_marking_services)",
    ),
];

//! Example queries. They run on files of all releases.

use quipu_protocol::SqlExample;

/// Titles and queries. Attributes are JSON in all files.
const EXAMPLES: [(&str, &str); 16] = [
    ("Slowest requests", "SELECT route, duration_ms, start_time, trace_id, span_id\nFROM requests\nORDER BY duration_ms DESC\nLIMIT 50"),
    (
        "Requests by route",
        "SELECT route, count(*) AS requests, sum(failed) AS failed,\n       round(avg(duration_ms), 1) AS mean_ms, max(duration_ms) AS longest_ms\nFROM requests\nGROUP BY route\nORDER BY requests DESC",
    ),
    (
        "Errors by route",
        "SELECT r.route, count(DISTINCT e.span_id) AS failed_spans, max(e.time) AS latest, min(e.message) AS one_message\nFROM errors e\nJOIN requests r ON r.trace_id = e.trace_id\nGROUP BY r.route\nORDER BY failed_spans DESC",
    ),
    ("Latest errors", "SELECT time, name, message, source, trace_id, span_id\nFROM errors\nORDER BY time DESC\nLIMIT 100"),
    (
        "Tokens by model",
        "-- As the server recorded them: releases since 0.2.18 do.\nSELECT model_id, provider_id, metric, count(*) AS requests, sum(value) AS tokens\nFROM token_usage\nGROUP BY model_id, provider_id, metric\nORDER BY tokens DESC",
    ),
    (
        "Tokens by hour",
        "SELECT substr(timestamp, 1, 13) AS hour, metric, sum(value) AS tokens\nFROM token_usage\nGROUP BY hour, metric\nORDER BY hour, metric",
    ),
    (
        "Time by span name",
        "SELECT name, count(*) AS spans, round(sum(duration_ms), 1) AS total_ms,\n       round(avg(duration_ms), 2) AS mean_ms, max(duration_ms) AS longest_ms\nFROM spans_with_duration\nGROUP BY name\nORDER BY total_ms DESC",
    ),
    (
        "Tool calls",
        "SELECT start_time, attributes ->> '$.tool_name' AS tool, attributes ->> '$.input' AS input,\n       attributes ->> '$.output' AS output, error, duration_ms, trace_id, span_id\nFROM spans_with_duration\nWHERE name = 'tool_execution' OR name LIKE 'ToolRuntimeRouter.%'\nORDER BY start_time DESC\nLIMIT 100",
    ),
    (
        "Inputs and outputs of one session",
        "-- What Llama Stack's notebook scores. Put another session's id in the place of the second SELECT.\nSELECT start_time, name, attributes ->> '$.input' AS input, attributes ->> '$.output' AS output, trace_id, span_id\nFROM spans\nWHERE trace_id IN (\n  SELECT trace_id FROM spans\n  WHERE attributes ->> '$.session_id' = (\n    SELECT attributes ->> '$.session_id' FROM spans\n    WHERE attributes ->> '$.session_id' IS NOT NULL\n    ORDER BY start_time DESC LIMIT 1))\n  AND attributes ->> '$.input' IS NOT NULL\nORDER BY start_time",
    ),
    (
        "Sessions of agents",
        "SELECT attributes ->> '$.session_id' AS session_id, count(*) AS turns, min(start_time) AS first, max(end_time) AS last\nFROM spans\nWHERE attributes ->> '$.session_id' IS NOT NULL\nGROUP BY session_id\nORDER BY last DESC",
    ),
    (
        "Spans per trace",
        "SELECT trace_id, count(*) AS spans, count(DISTINCT name) AS names\nFROM spans\nGROUP BY trace_id\nORDER BY spans DESC\nLIMIT 100",
    ),
    (
        "Longest traces",
        "SELECT trace_id, min(start_time) AS started, round(max(julianday(end_time)) * 86400 - min(julianday(start_time)) * 86400, 3) AS seconds, count(*) AS spans\nFROM spans\nGROUP BY trace_id\nORDER BY seconds DESC\nLIMIT 100",
    ),
    (
        "Time between requests",
        "SELECT route, start_time,\n       round((julianday(start_time) - julianday(lag(start_time) OVER (ORDER BY start_time))) * 86400, 3) AS seconds_since_the_one_before,\n       trace_id\nFROM requests\nORDER BY start_time",
    ),
    (
        "Logged messages",
        "SELECT timestamp, attributes ->> '$.severity' AS severity, attributes ->> '$.message' AS message, span_id\nFROM span_events\nWHERE name = 'unstructured_log'\nORDER BY timestamp DESC\nLIMIT 200",
    ),
    (
        "Keys of attributes",
        "SELECT key, count(*) AS spans, min(json_each.type) AS type, min(substr(json_each.value, 1, 60)) AS one_value\nFROM spans, json_each(spans.attributes)\nGROUP BY key\nORDER BY spans DESC",
    ),
    (
        "Spans whose parent is missing",
        "SELECT s.name, s.start_time, s.parent_span_id, s.trace_id, s.span_id\nFROM spans s\nLEFT JOIN spans p ON p.span_id = s.parent_span_id\nWHERE s.parent_span_id IS NOT NULL AND p.span_id IS NULL\nORDER BY s.start_time",
    ),
];

/// All examples in display order.
pub fn examples() -> Vec<SqlExample> {
    EXAMPLES.iter().map(|(title, query)| SqlExample { title: (*title).to_owned(), query: (*query).to_owned() }).collect()
}

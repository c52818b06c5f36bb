//! Expected answers from plain SQL, following the API's documentation and using nothing of the core.

use super::support::Ordered;
use rusqlite::types::Value as Sql;
use rusqlite::{Connection, params_from_iter};
use serde_json::{Map, Value as Json, json};

/// A recorded time as the API prints it.
pub(crate) fn printed(time: &str) -> String {
    let text = time.replacen(' ', "T", 1);
    let (text, zone) = match text.strip_suffix("+00:00") {
        Some(text) => (text.to_owned(), "Z"),
        None => (text, ""),
    };
    match text.split_once('.') {
        Some((seconds, fraction)) => format!("{seconds}.{fraction:0<6}{zone}"),
        None => format!("{text}{zone}"),
    }
}

fn bound(value: &Json) -> Sql {
    match value {
        Json::Null => Sql::Null,
        Json::Bool(flag) => Sql::Integer(i64::from(*flag)),
        Json::Number(number) => number.as_i64().map_or_else(|| Sql::Real(number.as_f64().expect("a number")), Sql::Integer),
        Json::String(text) => Sql::Text(text.clone()),
        other => panic!("{other} can't be bound"),
    }
}

/// The WHERE clause of the filters over `spans s`, with its bindings.
fn filters(params: &Json) -> (String, Vec<Sql>) {
    let mut sql = String::from("1");
    let mut values = Vec::new();
    for filter in params["attribute_filters"].as_array().into_iter().flatten() {
        let op = match filter["op"].as_str().expect("an op") {
            "eq" => "=",
            "ne" => "<>",
            "gt" => ">",
            "lt" => "<",
            other => panic!("{other}"),
        };
        sql += &format!(" AND json_extract(s.attributes, ?) {op} ?");
        values.push(Sql::Text(format!("$.{}", filter["key"].as_str().expect("a key"))));
        values.push(bound(&filter["value"]));
    }
    (sql, values)
}

/// The root of a trace: the recorded one, else the first span whose parent is not in the trace.
const ROOT: &str = "coalesce(t.root_span_id, (SELECT r.span_id FROM spans r WHERE r.trace_id = t.trace_id AND
    (r.parent_span_id IS NULL OR r.parent_span_id NOT IN (SELECT p.span_id FROM spans p WHERE p.trace_id = t.trace_id))
    ORDER BY r.start_time, r.rowid LIMIT 1))";

fn trace(row: &rusqlite::Row<'_>) -> rusqlite::Result<Json> {
    let (id, root): (String, Option<String>) = (row.get(0)?, row.get(1)?);
    let (start, end): (String, String) = (row.get(2)?, row.get(3)?);
    Ok(json!({ "trace_id": id, "root_span_id": root, "start_time": printed(&start), "end_time": printed(&end) }))
}

/// `query_traces`.
pub(crate) fn traces(connection: &Connection, params: &Json) -> Vec<Json> {
    let (condition, mut values) = filters(params);
    let order: Vec<String> = params["order_by"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|column| {
            let column = column.as_str().expect("a column");
            column.strip_prefix('-').map_or(format!("t.{column}"), |column| format!("t.{column} DESC"))
        })
        .chain(["first".to_owned()])
        .collect();
    let sql = format!(
        "SELECT t.trace_id, {ROOT}, t.start_time, t.end_time, min(s.rowid) AS first FROM spans s JOIN traces t ON t.trace_id = s.trace_id
         WHERE {condition} GROUP BY t.trace_id ORDER BY {} LIMIT ? OFFSET ?",
        order.join(", ")
    );
    let whole = |name: &str, default: i64| match &params[name] {
        Json::String(text) => text.parse().expect("a number"),
        value => value.as_i64().unwrap_or(default),
    };
    values.extend([Sql::Integer(whole("limit", 100)), Sql::Integer(whole("offset", 0))]);
    let mut statement = connection.prepare(&sql).expect("SQL");
    let rows = statement.query_map(params_from_iter(values), trace).expect("rows");
    rows.collect::<Result<_, _>>().expect("traces")
}

/// `get_trace`.
pub(crate) fn one_trace(connection: &Connection, trace_id: &str) -> Json {
    let sql = format!("SELECT t.trace_id, {ROOT}, t.start_time, t.end_time FROM traces t WHERE t.trace_id = ?");
    connection.query_row(&sql, [trace_id], trace).expect("a trace")
}

fn span(row: &rusqlite::Row<'_>) -> rusqlite::Result<Json> {
    let text = |name: &str| row.get::<_, Option<String>>(name);
    let attributes: String = row.get("attributes")?;
    Ok(json!({
        "span_id": text("span_id")?,
        "trace_id": text("trace_id")?,
        "parent_span_id": text("parent_span_id")?,
        "name": text("name")?,
        "start_time": text("start_time")?.map(|time| printed(&time)),
        "end_time": text("end_time")?.map(|time| printed(&time)),
        "attributes": serde_json::from_str::<Json>(&attributes).expect("recorded JSON"),
    }))
}

/// `get_span`.
pub(crate) fn one_span(connection: &Connection, span_id: &str) -> Json {
    connection.query_row("SELECT * FROM spans WHERE span_id = ?", [span_id], span).expect("a span")
}

/// The value of a key with its JSON type according to SQLite, so that booleans stay booleans.
fn extracted(connection: &Connection, span_id: &str, key: &str) -> Json {
    let sql = "SELECT json_type(attributes, ?1), json_extract(attributes, ?1) FROM spans WHERE span_id = ?2";
    let (kind, value): (Option<String>, Sql) =
        connection.query_row(sql, [format!("$.{key}"), span_id.to_owned()], |row| Ok((row.get(0)?, row.get(1)?))).expect("a span");
    match (kind.as_deref(), value) {
        (Some("true"), _) => json!(true),
        (Some("false"), _) => json!(false),
        (Some("object" | "array"), Sql::Text(text)) => serde_json::from_str(&text).expect("JSON"),
        (_, Sql::Text(text)) => json!(text),
        (_, Sql::Integer(whole)) => json!(whole),
        (_, Sql::Real(real)) => json!(real),
        _ => Json::Null,
    }
}

/// `get_span_tree`, in order.
pub(crate) fn tree(connection: &Connection, params: &Json) -> Ordered {
    let depth = params["max_depth"].as_i64();
    let sql = "WITH RECURSIVE tree(id, depth) AS (
        SELECT span_id, 1 FROM spans WHERE span_id = ?1
        UNION ALL SELECT c.span_id, tree.depth + 1 FROM spans c JOIN tree ON c.parent_span_id = tree.id WHERE ?2 IS NULL OR tree.depth < ?2)
        SELECT s.*, tree.depth FROM tree JOIN spans s ON s.span_id = tree.id ORDER BY tree.depth, s.start_time";
    let mut statement = connection.prepare(sql).expect("SQL");
    let root = params["span_id"].as_str().expect("an id");
    let rows = statement.query_map((root, depth), |row| {
        let mut span = span(row)?;
        span["status"] = json!(row.get::<_, String>("status")?.to_lowercase());
        Ok(span)
    });
    let mut spans: Vec<Json> = rows.expect("rows").collect::<Result<_, _>>().expect("spans");
    for span in &mut spans {
        choose(connection, span, &params["attributes_to_return"]);
    }
    Ordered(spans.into_iter().map(|span| (span["span_id"].as_str().expect("an id").to_owned(), span)).collect())
}

fn choose(connection: &Connection, span: &mut Json, keys: &Json) {
    let keys = keys.as_array().cloned().unwrap_or_default();
    if keys.is_empty() {
        return;
    }
    let id = span["span_id"].as_str().expect("an id").to_owned();
    let chosen = keys.iter().map(|key| {
        let key = key.as_str().expect("a key");
        (key.to_owned(), extracted(connection, &id, key))
    });
    span["attributes"] = Json::Object(chosen.collect::<Map<_, _>>());
}

/// `query_spans`: spans of matching traces, down from every root, that have all the attributes. Unordered.
pub(crate) fn spans(connection: &Connection, params: &Json, keys: &str) -> Vec<Json> {
    let (condition, mut values) = filters(params);
    let depth = params["max_depth"].as_i64().map_or(Sql::Null, Sql::Integer);
    values.extend([depth.clone(), depth]);
    let sql = format!(
        "WITH RECURSIVE matching(id) AS (SELECT DISTINCT s.trace_id FROM spans s JOIN traces t ON t.trace_id = s.trace_id WHERE {condition}),
        tree(id, depth) AS (
        SELECT r.span_id, 1 FROM spans r JOIN matching m ON m.id = r.trace_id WHERE r.parent_span_id IS NULL
            OR r.parent_span_id NOT IN (SELECT p.span_id FROM spans p WHERE p.trace_id = r.trace_id)
        UNION ALL SELECT c.span_id, tree.depth + 1 FROM spans c JOIN tree ON c.parent_span_id = tree.id WHERE ? IS NULL OR tree.depth < ?)
        SELECT s.* FROM tree JOIN spans s ON s.span_id = tree.id"
    );
    let mut statement = connection.prepare(&sql).expect("SQL");
    let rows = statement.query_map(params_from_iter(values), span).expect("rows");
    let mut spans: Vec<Json> = rows.collect::<Result<_, _>>().expect("spans");
    for span in &mut spans {
        choose(connection, span, &params[keys]);
    }
    let wanted = !params[keys].as_array().expect("keys").is_empty();
    spans.retain(|span| {
        let given = span["attributes"].as_object().expect("attributes");
        !given.is_empty() && (!wanted || given.values().all(|value| !value.is_null()))
    });
    spans
}

/// One recorded metric event.
pub(crate) struct MetricEvent {
    pub(crate) seconds: i64,
    pub(crate) value: f64,
    pub(crate) labels: Vec<(String, String)>,
}

/// Events of a metric within whole seconds, by time.
pub(crate) fn metric_events(connection: &Connection, metric: &str, start: i64, end: i64) -> Vec<MetricEvent> {
    let sql = "SELECT CAST(strftime('%s', timestamp) AS INTEGER), json_extract(attributes, '$.value'),
        json_extract(attributes, '$.model_id'), json_extract(attributes, '$.provider_id') FROM span_events
        WHERE name = ?1 AND unixepoch(timestamp, 'subsec') BETWEEN ?2 AND ?3 ORDER BY timestamp, id";
    let mut statement = connection.prepare(sql).expect("SQL");
    let rows = statement.query_map((format!("metric.{metric}"), start, end), |row| {
        let (model, provider): (String, String) = (row.get(2)?, row.get(3)?);
        let labels = vec![("model_id".to_owned(), model), ("provider_id".to_owned(), provider)];
        Ok(MetricEvent { seconds: row.get(0)?, value: row.get(1)?, labels })
    });
    rows.expect("rows").collect::<Result<_, _>>().expect("events")
}

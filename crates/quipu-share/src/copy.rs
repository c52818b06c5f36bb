//! Text for copying: the `quipu` command and the SQL query that show the same trace; and the name of a file with it.
//!
//! Links are in `payload`, Markdown in `markdown`.

use quipu_model::recorded::write_json_string;

/// The command that prints a trace, or a span, from a file with this name.
pub fn query_command(file_name: &str, trace_id: &str, span_id: Option<&str>) -> String {
    let (method, key, id) = match span_id {
        Some(span_id) => ("get_span_tree", "span_id", span_id),
        None => ("get_trace", "trace_id", trace_id),
    };
    let mut params = format!("{{\"{key}\": ");
    write_json_string(id, &mut params);
    params.push('}');
    format!("quipu query {} {method} {}", shell_quoted(file_name), shell_quoted(&params))
}

/// An SQL query for the spans of a trace with their events, or only for the given spans, in Llama Stack's schema.
pub fn spans_sql(trace_id: &str, span_ids: &[String]) -> String {
    let mut sql = format!(
        "SELECT s.span_id, s.parent_span_id, s.name, s.start_time, s.end_time, s.status, s.attributes,\n       e.name AS event, e.timestamp, e.attributes \
         AS event_attributes\nFROM spans s LEFT JOIN span_events e ON e.span_id = s.span_id\nWHERE s.trace_id = {}",
        sql_quoted(trace_id)
    );
    if !span_ids.is_empty() {
        let ids: Vec<String> = span_ids.iter().map(|id| sql_quoted(id)).collect();
        sql.push_str(&format!("\n  AND s.span_id IN ({})", ids.join(", ")));
    }
    sql + "\nORDER BY s.start_time, e.timestamp;"
}

/// Quotes a word for a POSIX shell.
pub fn shell_quoted(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./,:@%+=".contains(&byte);
    if !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_plain) {
        return text.to_owned();
    }
    // A name that looks like an option becomes a path.
    let dash = if text.starts_with('-') { "./" } else { "" };
    format!("'{dash}{}'", text.replace('\'', "'\\''"))
}

/// An SQL string literal. Ids contain no NUL, which would end it.
fn sql_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''").replace('\0', ""))
}

/// A file name such as `trace-cf1ea0df.md`. Only letters and digits of the id are used, because the name is used on disk.
pub fn shared_name(trace_id: Option<&str>, extension: &str) -> String {
    let id: String = trace_id.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    if id.is_empty() { format!("trace.{extension}") } else { format!("trace-{id}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pasted_means_the_same_to_a_shell_and_to_sqlite() {
        assert_eq!(query_command("telemetry.db", "abc", None), r#"quipu query telemetry.db get_trace '{"trace_id": "abc"}'"#);
        assert_eq!(
            query_command("it's $(mine).db", "abc", Some("a\"'b")),
            r#"quipu query 'it'\''s $(mine).db' get_span_tree '{"span_id": "a\"'\''b"}'"#
        );
        assert_eq!((shell_quoted("-rf").as_str(), shell_quoted("").as_str()), ("'./-rf'", "''"));
        insta::assert_snapshot!(spans_sql("it's", &["a".into(), "b';--".into()]), @r"
        SELECT s.span_id, s.parent_span_id, s.name, s.start_time, s.end_time, s.status, s.attributes,
               e.name AS event, e.timestamp, e.attributes AS event_attributes
        FROM spans s LEFT JOIN span_events e ON e.span_id = s.span_id
        WHERE s.trace_id = 'it''s'
          AND s.span_id IN ('a', 'b'';--')
        ORDER BY s.start_time, e.timestamp;
        ");
    }

    #[test]
    fn a_name_is_a_name_on_every_disk() {
        assert_eq!(shared_name(Some("../../etc/passwd"), "md"), "trace-etcpassw.md");
        assert_eq!(shared_name(Some("…"), "db"), "trace.db");
    }
}

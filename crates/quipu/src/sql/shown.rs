//! Presents SQL results on the page: one-line cells, whole values, messages, query plans as trees, the schema.

use quipu_model::encoding::hex;
use quipu_model::format::{bytes, count, counted};
use quipu_model::recorded::decode;
use quipu_model::{Encoding, Value};
use quipu_protocol::markup::Node;
use quipu_protocol::{SqlCell, SqlField, SqlKind, SqlRan, SqlTable, SqlWholeValue};
use quipu_store::{SQL_VIEWS, SqlAnswer, SqlCut, SqlValue, TableDescription};
use quipu_ui::render::list_sheet;
use quipu_ui::sql::quoted_name;

/// Maximum number of characters in a cell.
const MAX_CELL_CHARS: usize = 240;
/// Maximum number of bytes of a blob in a cell.
const MAX_CELL_BYTES: usize = 24;
/// Maximum number of bytes shown of a whole blob.
const MAX_BLOB_BYTES: usize = 65_536;
/// Maximum width of a column, in characters.
const MAX_COLUMN_CHARS: usize = 44;
/// Number of rows that determine the width of a column.
const MEASURED_ROWS: usize = 200;
/// Longer text is shown as it is, without decoding.
const MAX_DECODED_BYTES: usize = 1 << 20;

/// A value as a cell. Line breaks and other control characters become visible symbols, so that it stays on one line.
pub(crate) fn cell(value: &SqlValue) -> SqlCell {
    let of = |kind, text: String| SqlCell { text, kind, is_cut: false, is_id: false };
    match value {
        SqlValue::Null => of(SqlKind::Null, "NULL".into()),
        SqlValue::Integer(number) => of(SqlKind::Integer, number.to_string()),
        SqlValue::Real(number) => of(SqlKind::Real, real(*number)),
        SqlValue::Text(text) => {
            let mut line: String = text.chars().take(MAX_CELL_CHARS).map(one_line).collect();
            let is_cut = text.chars().nth(MAX_CELL_CHARS).is_some();
            if is_cut {
                line.push('…');
            }
            SqlCell { text: line, kind: SqlKind::Text, is_cut: is_cut || text.contains(char::is_control), is_id: is_id(text) }
        }
        SqlValue::Blob(found) => {
            let (head, rest) = found.split_at(found.len().min(MAX_CELL_BYTES));
            let more = if rest.is_empty() { "" } else { "…" };
            let text = format!("{}{more} ({})", hex(head), bytes(found.len() as u64));
            SqlCell { is_cut: !rest.is_empty(), ..of(SqlKind::Blob, text) }
        }
    }
}

fn one_line(letter: char) -> char {
    match letter {
        '\n' => '↵',
        '\r' => '␍',
        '\t' => '⇥',
        letter if letter.is_control() => '␣',
        letter => letter,
    }
}

/// Formats a real number so that it can't be mistaken for an integer.
fn real(number: f64) -> String {
    let text = number.to_string();
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') { format!("{text}.0") } else { text }
}

/// Recognises ids of 16 or 32 hex digits. Other strings may be ids too, but nothing distinguishes them.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 16 | 32) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A whole value: its type in words, and its content. JSON and Python repr become trees, followed by the text.
pub(crate) fn whole_value(value: &SqlValue) -> SqlWholeValue {
    let (about, nodes) = match value {
        SqlValue::Null => ("NULL: there is no value".into(), Vec::new()),
        SqlValue::Integer(number) => ("Integer".into(), vec![Node::Text(number.to_string())]),
        SqlValue::Real(number) => ("Real".into(), vec![Node::Text(real(*number))]),
        SqlValue::Text(text) if text.is_empty() => ("Text of no character".into(), Vec::new()),
        SqlValue::Text(text) => {
            let length = counted(Some(text.chars().count() as u64), "character", "characters");
            let decoded = (text.len() <= MAX_DECODED_BYTES).then(|| decode(text));
            match decoded {
                Some(decoded) if decoded.encoding != Encoding::Text && is_container(&decoded.value) => {
                    let title = format!("Text of {length}: {}", decoded.encoding.label());
                    (title, vec![Node::RawToggle { drawn: Box::new(Node::Tree(decoded.value)), raw: text.clone() }])
                }
                _ => (format!("Text of {length}"), vec![Node::Long(text.clone())]),
            }
        }
        SqlValue::Blob(found) => {
            let shown = found.get(..found.len().min(MAX_BLOB_BYTES)).unwrap_or_default();
            let lines: Vec<String> = shown.chunks(32).enumerate().map(|(line, part)| format!("{:08x}  {}", line * 32, hex(part))).collect();
            let cut = if shown.len() < found.len() {
                format!(", of which the first {} are shown", bytes(shown.len() as u64))
            } else {
                String::new()
            };
            (format!("Blob of {}{cut}", bytes(found.len() as u64)), vec![Node::Long(lines.join("\n"))])
        }
    };
    SqlWholeValue { about, nodes }
}

fn is_container(value: &Value) -> bool {
    quipu_ui::view::child_count(value) > 0
}

/// The summary of a result.
pub(crate) fn ran(answer: &SqlAnswer, millis: u64) -> SqlRan {
    let rows = answer.rows.len();
    let mut summary = counted(Some(rows as u64), "row", "rows");
    match answer.cut {
        Some(SqlCut::Rows) => summary += &format!(", the first of more: a result ends at {} rows", count(rows as u64)),
        Some(SqlCut::Bytes(most)) => summary += &format!(", the first of more: the values of a result end at {}", bytes(most as u64)),
        None => {}
    }
    summary += &match millis {
        0..1_000 => format!(" · {millis} ms"),
        _ => format!(" · {}.{} s", millis / 1_000, millis % 1_000 / 100),
    };
    let kinds = (0..answer.columns.len()).map(|column| kinds(answer, column));
    SqlRan {
        columns: answer.columns.iter().cloned().zip(kinds).collect(),
        style: style(answer),
        rows: u32::try_from(rows).unwrap_or(u32::MAX),
        summary,
        is_cut: answer.cut.is_some(),
    }
}

/// The types of the values in a column, from its first rows: in SQLite a column may hold values of any type.
fn kinds(answer: &SqlAnswer, column: usize) -> String {
    let mut found: Vec<&str> = Vec::new();
    for value in answer.rows.iter().take(10_000).filter_map(|row| row.get(column)) {
        let name = match value.kind() {
            SqlKind::Null => "NULL",
            kind => kind.name(),
        };
        if !found.contains(&name) {
            found.push(name);
        }
    }
    quipu_model::ordered::sort_by_key(&mut found, |name| *name == "NULL");
    found.join(" or ")
}

/// As wide as the name and the first values, up to [`MAX_COLUMN_CHARS`]; the remaining width goes to columns with long text.
fn width(answer: &SqlAnswer, column: usize) -> usize {
    let name = answer.columns.get(column).map_or(0, |name| name.chars().count());
    let values = answer.rows.iter().take(MEASURED_ROWS).filter_map(|row| row.get(column)).map(|value| cell(value).text.chars().count());
    values.max().unwrap_or(0).max(name + 8).clamp(4, MAX_COLUMN_CHARS) + 3
}

fn style(answer: &SqlAnswer) -> String {
    let widths: Vec<usize> = (0..answer.columns.len()).map(|column| width(answer, column)).collect();
    let grows = widths.iter().any(|width| *width > MAX_COLUMN_CHARS);
    // If no column has more to show, the remaining width stays empty.
    let tracks: Vec<String> = widths
        .iter()
        .map(|width| if *width > MAX_COLUMN_CHARS { format!("minmax({width}ch, 1fr)") } else { format!("{width}ch") })
        .collect();
    let rest = if grows { "" } else { " 1fr" };
    format!("--tracks:{}{rest};--width:{}ch", tracks.join(" "), widths.iter().sum::<usize>())
}

/// Turns the rows of `EXPLAIN QUERY PLAN` (id, parent, unused, detail) into nested lists.
pub(crate) fn plan(answer: &SqlAnswer) -> Vec<Node> {
    let steps: Vec<(i64, i64, String)> = answer
        .rows
        .iter()
        .filter_map(|row| match row.as_slice() {
            [SqlValue::Integer(id), SqlValue::Integer(parent), _, SqlValue::Text(text)] => Some((*id, *parent, text.clone())),
            _ => None,
        })
        .collect();
    vec![list_sheet(&steps, 0)]
}

/// A table of the schema, for the page.
pub(crate) fn described(table: TableDescription) -> SqlTable {
    let TableDescription { name, rows, columns, indexes } = table;
    let view = SQL_VIEWS.iter().find(|view| view.name == name && rows.is_none());
    let field = |(name, declared, key): (String, String, i64)| {
        let about = [declared.as_str(), if key > 0 { "key" } else { "" }]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join(", ");
        SqlField { written: quoted_name(&name), name, about }
    };
    SqlTable {
        written: quoted_name(&name),
        about: match (view, rows) {
            (Some(view), _) => view.help.to_owned(),
            (None, Some(0)) => "no rows".into(),
            (None, Some(rows)) => format!("at most {}", counted(u64::try_from(rows).ok(), "row", "rows")),
            (None, None) => String::new(),
        },
        is_temporary: view.is_some(),
        name,
        columns: columns.into_iter().map(field).collect(),
        indexes: indexes.into_iter().map(|(name, columns)| format!("{} ({name})", columns.join(", "))).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cells_show_types_and_stay_on_one_line() {
        let text = |value: SqlValue| (cell(&value).text, cell(&value).is_cut);
        assert_eq!(text(SqlValue::Text("NULL".into())).0, text(SqlValue::Null).0);
        assert_ne!(cell(&SqlValue::Text("NULL".into())).kind, cell(&SqlValue::Null).kind);
        assert_eq!(text(SqlValue::Real(2.0)), ("2.0".into(), false));
        assert_eq!(text(SqlValue::Real(1e300)).0.len(), 303);
        assert_eq!(text(SqlValue::Text("a\r\nb\tc\u{1}".into())), ("a␍↵b⇥c␣".into(), true));
        assert_eq!(text(SqlValue::Text("ü".repeat(241))).0.chars().count(), 241);
        assert_eq!(text(SqlValue::Blob(vec![7; 2])), ("0707 (2 bytes)".into(), false));
        assert!(cell(&SqlValue::Text("0123456789abcdef".into())).is_id && !cell(&SqlValue::Text("0123456789abcdeg".into())).is_id);
    }

    #[test]
    fn a_plan_is_a_tree() {
        let row = |id, parent, text: &str| {
            vec![SqlValue::Integer(id), SqlValue::Integer(parent), SqlValue::Integer(0), SqlValue::Text(text.into())]
        };
        let answer = SqlAnswer {
            rows: vec![row(2, 0, "A"), row(5, 2, "B"), row(9, 2, "C"), row(11, 0, "D"), row(3, 77, "lost")],
            ..SqlAnswer::default()
        };
        assert_eq!(quipu_ui::render::sheet_text(&plan(&answer)), "A\nB\nC\nD");
    }

    proptest! {
        #[test]
        fn every_value_has_a_cell_and_a_full_view(text in ".*", blob in prop::collection::vec(any::<u8>(), 0..100), number in any::<f64>()) {
            for found in [SqlValue::Text(text.clone()), SqlValue::Blob(blob.clone()), SqlValue::Real(number)] {
                prop_assert!(!cell(&found).text.contains(['\n', '\r']));
                whole_value(&found);
            }
        }
    }
}

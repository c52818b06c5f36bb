//! Results as the page shows them: cells on one line, whole values, sentences, plans as trees, the schema.

use quipu_model::encoding::hex;
use quipu_model::format::{bytes, count, counted};
use quipu_model::recorded::decode;
use quipu_model::{Encoding, Value};
use quipu_protocol::markup::Node;
use quipu_protocol::{SqlCell, SqlField, SqlKind, SqlRan, SqlTable};
use quipu_store::{SQL_VIEWS, SqlAnswer, SqlCut, SqlValue, TableDescription};
use quipu_ui::render::list_sheet;
use quipu_ui::sql::quoted_name;

/// Characters of a cell.
const CELL: usize = 240;
/// Bytes of a blob that a cell shows.
const CELL_BYTES: usize = 24;
/// Bytes of a blob that are shown whole.
const SHOWN_BYTES: usize = 65_536;
/// Characters of the widest column.
const WIDEST: usize = 44;
/// Rows whose values decide how wide a column is.
const MEASURED: usize = 200;
/// A longer text is shown as it is, and not decoded.
const DECODED: usize = 1 << 20;

/// A value in a cell. Line ends and other control characters are signs of their own, so that it stays on one line.
pub(crate) fn cell(value: &SqlValue) -> SqlCell {
    let of = |kind, text: String| SqlCell { text, kind, is_cut: false, is_id: false };
    match value {
        SqlValue::Null => of(SqlKind::Null, "NULL".into()),
        SqlValue::Integer(number) => of(SqlKind::Integer, number.to_string()),
        SqlValue::Real(number) => of(SqlKind::Real, real(*number)),
        SqlValue::Text(text) => {
            let mut line: String = text.chars().take(CELL).map(one_line).collect();
            let is_cut = text.chars().nth(CELL).is_some();
            if is_cut {
                line.push('…');
            }
            SqlCell { text: line, kind: SqlKind::Text, is_cut: is_cut || text.contains(char::is_control), is_id: is_id(text) }
        }
        SqlValue::Blob(found) => {
            let (head, rest) = found.split_at(found.len().min(CELL_BYTES));
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

/// A real is never taken for a whole number.
fn real(number: f64) -> String {
    let text = number.to_string();
    if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') { format!("{text}.0") } else { text }
}

/// Ids are 16 or 32 digits; some of other kinds are ids all the same, but then everything could be.
fn is_id(text: &str) -> bool {
    matches!(text.len(), 16 | 32) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A value whole: what it is, and the value. JSON and Python's repr are trees, with the text beside.
pub(crate) fn value(value: &SqlValue) -> (String, Vec<Node>) {
    match value {
        SqlValue::Null => ("NULL: there is no value".into(), Vec::new()),
        SqlValue::Integer(number) => ("Integer".into(), vec![Node::Text(number.to_string())]),
        SqlValue::Real(number) => ("Real".into(), vec![Node::Text(real(*number))]),
        SqlValue::Text(text) if text.is_empty() => ("Text of no character".into(), Vec::new()),
        SqlValue::Text(text) => {
            let length = counted(Some(text.chars().count() as u64), "character", "characters");
            let decoded = (text.len() <= DECODED).then(|| decode(text));
            match decoded {
                Some(decoded) if decoded.encoding != Encoding::Text && is_container(&decoded.value) => {
                    let title = format!("Text of {length}: {}", decoded.encoding.label());
                    (title, vec![Node::RawToggle { drawn: Box::new(Node::Tree(decoded.value)), raw: text.clone() }])
                }
                _ => (format!("Text of {length}"), vec![Node::Long(text.clone())]),
            }
        }
        SqlValue::Blob(found) => {
            let shown = found.get(..found.len().min(SHOWN_BYTES)).unwrap_or_default();
            let lines: Vec<String> = shown.chunks(32).enumerate().map(|(line, part)| format!("{:08x}  {}", line * 32, hex(part))).collect();
            let cut = if shown.len() < found.len() {
                format!(", of which the first {} are shown", bytes(shown.len() as u64))
            } else {
                String::new()
            };
            (format!("Blob of {}{cut}", bytes(found.len() as u64)), vec![Node::Long(lines.join("\n"))])
        }
    }
}

fn is_container(value: &Value) -> bool {
    quipu_ui::view::child_count(value) > 0
}

/// What is told of a result.
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

/// What the values of a column are, by its first rows: SQLite's columns hold values of any kind.
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
    found.sort_by_key(|name| *name == "NULL");
    found.join(" or ")
}

/// As wide as the name and the first values, within reason; what is left over goes to columns of long texts.
fn width(answer: &SqlAnswer, column: usize) -> usize {
    let name = answer.columns.get(column).map_or(0, |name| name.chars().count());
    let values = answer.rows.iter().take(MEASURED).filter_map(|row| row.get(column)).map(|value| cell(value).text.chars().count());
    values.max().unwrap_or(0).max(name + 8).clamp(4, WIDEST) + 3
}

fn style(answer: &SqlAnswer) -> String {
    let widths: Vec<usize> = (0..answer.columns.len()).map(|column| width(answer, column)).collect();
    let grows = widths.iter().any(|width| *width > WIDEST);
    // Where no column has more to show, the room at the end stays free.
    let tracks: Vec<String> =
        widths.iter().map(|width| if *width > WIDEST { format!("minmax({width}ch, 1fr)") } else { format!("{width}ch") }).collect();
    let rest = if grows { "" } else { " 1fr" };
    format!("--tracks:{}{rest};--width:{}ch", tracks.join(" "), widths.iter().sum::<usize>())
}

/// The rows of `EXPLAIN QUERY PLAN` (id, parent, not used, what is done) as lists in lists.
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

/// A table of the schema as the page lists it.
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
    fn cells_tell_kinds_apart_and_stay_on_one_line() {
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
        fn any_value_has_a_cell_and_a_whole(text in ".*", blob in prop::collection::vec(any::<u8>(), 0..100), number in any::<f64>()) {
            for found in [SqlValue::Text(text.clone()), SqlValue::Blob(blob.clone()), SqlValue::Real(number)] {
                prop_assert!(!cell(&found).text.contains(['\n', '\r']));
                value(&found);
            }
        }
    }
}

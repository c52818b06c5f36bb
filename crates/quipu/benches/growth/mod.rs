//! Makes a large file from a small one by repeating its traces, each time with new ids, times and UUIDs.

use quipu::model::{EventTime, Timestamp};
use regex_lite::Regex;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use std::path::Path;

/// Nanoseconds between two copies.
const APART: i64 = 20_000_000_000;

/// Writes at least `spans` spans to a new file.
pub(crate) fn grow(path: &Path, spans: usize) {
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../samples/agent_0.2.15.db");
    let source = Connection::open_with_flags(sample, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the sample");
    let unfinished = path.with_extension("unfinished");
    let _ = std::fs::remove_file(&unfinished);
    let target = Connection::open(&unfinished).expect("a new file");
    target.execute_batch("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF").expect("a new file");
    let mut statement =
        source.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'").expect("a schema");
    for sql in statement.query_map([], |row| row.get::<_, String>(0)).expect("a schema") {
        target.execute_batch(&sql.expect("SQL")).expect("the schema");
    }
    let tables = [("traces", 6), ("spans", 9), ("span_events", 5)].map(|(table, columns)| (table, rows(&source, table, columns)));
    let per_copy = tables[1].1.len();
    let uuid = Regex::new("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}").expect("a pattern");
    for copy in 0..spans.div_ceil(per_copy) as u64 {
        target.execute_batch("BEGIN").expect("a transaction");
        for (table, rows) in &tables {
            let marks = vec!["?"; rows.first().map_or(0, Vec::len)].join(", ");
            let mut insert = target.prepare_cached(&format!("INSERT INTO {table} VALUES ({marks})")).expect("SQL");
            for row in rows {
                let row = row.iter().map(|value| renewed(value, copy, &uuid));
                // Events are numbered by SQLite.
                let row = row.enumerate().map(|(at, value)| if *table == "span_events" && at == 0 { Value::Null } else { value });
                insert.execute(params_from_iter(row)).expect("a row");
            }
        }
        target.execute_batch("COMMIT").expect("a transaction");
    }
    drop(target);
    std::fs::rename(unfinished, path).expect("a finished file");
}

fn rows(source: &Connection, table: &str, columns: usize) -> Vec<Vec<Value>> {
    let mut statement = source.prepare(&format!("SELECT * FROM {table} ORDER BY rowid")).expect("SQL");
    let rows = statement.query_map([], |row| (0..columns).map(|column| row.get(column)).collect()).expect("rows");
    rows.collect::<Result<_, _>>().expect("rows")
}

/// The value in this copy; ids and times are recognised by their form.
fn renewed(value: &Value, copy: u64, uuid: &Regex) -> Value {
    let Value::Text(text) = value else { return value.clone() };
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    Value::Text(match text.len() {
        16 | 32 if is_hex => text.as_bytes().chunks(16).map(|part| renewed_id(part, copy)).collect(),
        _ if text.starts_with('{') => {
            uuid.replace_all(text, |found: &regex_lite::Captures<'_>| format!("{copy:08x}{}", &found[0][8..])).into_owned()
        }
        _ => match EventTime::parse(text).filter(|time| time.offset_seconds.is_some()) {
            Some(time) => EventTime::utc(Timestamp(time.at.0 + copy as i64 * APART)).to_string().replace('Z', "+00:00"),
            None => text.clone(),
        },
    })
}

fn renewed_id(part: &[u8], copy: u64) -> String {
    let number = std::str::from_utf8(part).ok().and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default();
    // Multiplying by an odd number keeps distinct ids distinct.
    format!("{:016x}", number.wrapping_add(copy.wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_mul(0xd6e8_feb8_6659_fd93))
}

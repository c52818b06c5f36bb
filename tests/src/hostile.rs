//! Hostile files: wrong, damaged or malicious.

use crate::Scratch;
use crate::fixtures::{Fixture, SMALL};
use crate::random::Random;
use anyhow::Result;
use rusqlite::Connection;
use std::path::PathBuf;

/// An empty file.
pub fn empty(scratch: &Scratch) -> Result<PathBuf> {
    scratch.write("empty.db", b"")
}

/// Files of other formats with a database's name: PNG, HTML, an archive, JSON.
pub fn other_formats(scratch: &Scratch) -> Result<Vec<PathBuf>> {
    let filled = |head: &[u8]| [head, &[0x5a; 6000]].concat();
    Ok(vec![
        scratch.write("picture.db", filled(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"))?,
        scratch.write("page.db", b"<!doctype html><title>Not found</title><script>document.title = 'run'</script>")?,
        scratch.write("archive.db", filled(b"PK\x03\x04\x14\0\0\0"))?,
        scratch.write("document.db", b"{\"rows\": [{\"name\": \"a\"}]}")?,
    ])
}

/// A database truncated inside its header, its first page, its middle and its last page.
pub fn truncated(scratch: &Scratch, fixture: Fixture) -> Result<Vec<PathBuf>> {
    let bytes = std::fs::read(fixture.path())?;
    let cuts = [50, 3000, bytes.len() / 2, bytes.len() - 1000];
    cuts.iter().map(|cut| scratch.write(&format!("cut_at_{cut}.db"), &bytes[..*cut])).collect()
}

/// Random bytes of a database's size, like an encrypted database.
pub fn encrypted(scratch: &Scratch) -> Result<PathBuf> {
    let mut random = Random::new(1);
    let bytes: Vec<u8> = (0..5000).flat_map(|_| random.next_u64().to_le_bytes()).collect();
    scratch.write("encrypted.db", &bytes[..36_864])
}

/// A database with another schema.
pub fn other_schema(scratch: &Scratch) -> Result<PathBuf> {
    let path = scratch.path().join("recipes.db");
    let connection = Connection::open(&path)?;
    connection.execute_batch("CREATE TABLE recipes (id INTEGER PRIMARY KEY, title TEXT); INSERT INTO recipes (title) VALUES ('Soup');")?;
    Ok(path)
}

/// `count` random bytes replaced by random ones. Deterministic for a seed.
pub fn flipped(scratch: &Scratch, fixture: Fixture, seed: u64, count: usize) -> Result<PathBuf> {
    let mut bytes = std::fs::read(fixture.path())?;
    let mut random = Random::new(seed);
    for _ in 0..count {
        let at = random.below(bytes.len());
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= (1 + random.below(255)) as u8;
        }
    }
    scratch.write(&format!("flipped_{seed}.db"), bytes)
}

/// The trace to which [`odd_values`] and [`with_secrets`] add a span.
pub const ADDED_TRACE: &str = "0123456789abcdef0123456789abcdef";
/// The added span.
pub const ADDED_SPAN: &str = "0123456789abcdef";

/// Markup that must stay text. If it were parsed as HTML, an element `#injected` would appear and `window.quipuInjected` would be set.
pub const MARKUP: &str =
    "<img id=\"injected\" src=\"x\" onerror=\"window.quipuInjected = true\"><script>window.quipuInjected = true</script>&lt;b&gt;";

/// Right-to-left text with an override, control characters, a lone combining mark.
pub const ODD_TEXT: &str = "\u{202e}שלום עולם\u{202c} \u{0007}\u{001b}[31m\u{0000}\u{fffe} \u{0301}e";

/// A span whose name, attributes and events contain [`MARKUP`] and [`ODD_TEXT`], and an attribute of `long` bytes.
pub fn odd_values(scratch: &Scratch, long: usize) -> Result<PathBuf> {
    let path = SMALL.copy(scratch, false)?;
    let name = format!("{MARKUP} {ODD_TEXT}");
    let attributes = json_object(&[("input", MARKUP), (MARKUP, "key"), ("odd", ODD_TEXT), ("long", &"lorem ipsum ".repeat(long / 12))]);
    add_span(&path, &name, &attributes, MARKUP)?;
    Ok(path)
}

/// A span with attributes that look like API keys.
pub fn with_secrets(scratch: &Scratch) -> Result<PathBuf> {
    let path = SMALL.copy(scratch, false)?;
    let key = format!("sk-{}", "a1B2c3D4".repeat(6));
    let arguments = format!("{{'provider_data': \"{{'openai_api_key': '{key}'}}\"}}");
    add_span(&path, "InferenceRouter.chat_completion", &json_object(&[("__args__", &arguments)]), "log")?;
    Ok(path)
}

/// A copy in WAL mode whose last span is only in the `-wal`. Returns the paths of both.
pub fn in_wal_mode(scratch: &Scratch) -> Result<(PathBuf, PathBuf)> {
    let source = Scratch::new()?;
    let path = SMALL.copy(&source, false)?;
    let connection = Connection::open(&path)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA wal_autocheckpoint = 0")?;
    insert_span(&connection, "only in the WAL", "{}", "log")?;
    // Copied while the connection is open: closing it would empty the WAL.
    let wal = source.path().join("real_small.db-wal");
    let database = scratch.write("wal.db", std::fs::read(&path)?)?;
    let wal = scratch.write("wal.db-wal", std::fs::read(wal)?)?;
    Ok((database, wal))
}

fn add_span(path: &std::path::Path, name: &str, attributes: &str, message: &str) -> Result<()> {
    insert_span(&Connection::open(path)?, name, attributes, message)
}

fn insert_span(connection: &Connection, name: &str, attributes: &str, message: &str) -> Result<()> {
    let (start, end) = ("2031-01-01T00:00:00+00:00", "2031-01-01T00:00:01+00:00");
    let insert = "INSERT INTO traces (trace_id, service_name, root_span_id, start_time, end_time) VALUES (?1, 'test', ?2, ?3, ?4)";
    connection.execute(insert, [ADDED_TRACE, ADDED_SPAN, start, end])?;
    connection.execute(
        "INSERT INTO spans VALUES (?1, ?2, NULL, ?3, ?4, ?5, ?6, 'OK', 'INTERNAL')",
        [ADDED_SPAN, ADDED_TRACE, name, start, end, attributes],
    )?;
    connection.execute(
        "INSERT INTO span_events (span_id, name, timestamp, attributes) VALUES (?1, 'unstructured_log', ?2, ?3)",
        [ADDED_SPAN, start, &json_object(&[("message", message), ("severity", "info")])],
    )?;
    Ok(())
}

/// A JSON object of strings, ASCII-escaped like Python's.
fn json_object(entries: &[(&str, &str)]) -> String {
    let quoted = |text: &str| {
        let mut out = String::from("\"");
        for unit in text.encode_utf16() {
            match char::from_u32(u32::from(unit)) {
                Some(c @ (' '..='!' | '#'..='[' | ']'..='~')) => out.push(c),
                _ => out.push_str(&format!("\\u{unit:04x}")),
            }
        }
        out.push('"');
        out
    };
    let entries: Vec<String> = entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), quoted(value))).collect();
    format!("{{{}}}", entries.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{number, open_as_it_lies};

    #[test]
    fn odd_values_come_back_from_the_file_as_they_were_put_in() -> Result<()> {
        let scratch = Scratch::new()?;
        let connection = Connection::open(odd_values(&scratch, 100_000)?)?;
        let attribute = |key: &str| -> Result<String> {
            let sql = "SELECT value FROM spans, json_each(spans.attributes) WHERE span_id = ?1 AND key = ?2";
            Ok(connection.query_row(sql, [ADDED_SPAN, key], |row| row.get(0))?)
        };
        assert_eq!(attribute("input")?, MARKUP);
        assert_eq!(attribute(MARKUP)?, "key");
        assert_eq!(attribute("long")?.len(), 99_996);
        Ok(())
    }

    #[test]
    fn the_wal_holds_a_span_the_database_does_not() -> Result<()> {
        let scratch = Scratch::new()?;
        let (database, _wal) = in_wal_mode(&scratch)?;
        assert_eq!(number(&open_as_it_lies(&database)?, "SELECT count(*) FROM spans")?, 136);
        assert_eq!(number(&Connection::open(&database)?, "SELECT count(*) FROM spans")?, 137);
        Ok(())
    }

    #[test]
    fn flipped_bytes_differ_from_the_original_and_are_the_same_every_time() -> Result<()> {
        let scratch = Scratch::new()?;
        let original = std::fs::read(SMALL.path())?;
        let first = std::fs::read(flipped(&scratch, SMALL, 3, 20)?)?;
        let differing = original.iter().zip(&first).filter(|(a, b)| a != b).count();
        assert!((15..=20).contains(&differing), "{differing}");
        assert_eq!(std::fs::read(flipped(&scratch, SMALL, 3, 20)?)?, first);
        Ok(())
    }
}

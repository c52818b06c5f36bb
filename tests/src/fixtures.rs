//! The fixture databases, written by real Llama Stack servers of ten releases. They are never opened in place.
//!
//! Does not use the core: expected values come from plain SQL.

use crate::Scratch;
use anyhow::{Context, Result};
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};

/// A fixture database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fixture {
    /// Short name for reports.
    pub name: &'static str,
    /// Path relative to the repository.
    path: &'static str,
    /// Whether there is a hot rollback journal next to it.
    pub has_journal: bool,
}

const fn of(name: &'static str, path: &'static str) -> Fixture {
    Fixture { name, path, has_journal: false }
}

/// 0.2.15, agent turns: tools, shields, retrieval, resumes, merged traces. The page's sample.
pub const AGENT: Fixture = of("agent", "samples/agent_0.2.15.db");
/// 0.2.23: `metric.*` events, log events, errors with tracebacks. The page's other sample.
pub const METRICS: Fixture = of("metrics", "samples/metrics_0.2.23.db");
/// 0.2.15: plain chat completions and failures.
pub const SMALL: Fixture = of("small", "tests/fixtures/db/real_small.db");
/// 0.2.15: every severity, odd values, status ERROR, orphans, a child that outlives its parent.
pub const EVENTS: Fixture = of("events", "tests/fixtures/db/real_events.db");
/// 0.0.58: naive local times, no autotraced spans.
pub const OLD_0_0_58: Fixture = of("old_0.0.58", "tests/fixtures/db/real_old_0.0.58.db");
/// 0.1.8: every root has a parent that is nowhere; no events.
pub const OLD_0_1_8: Fixture = of("old_0.1.8", "tests/fixtures/db/real_old_0.1.8.db");
/// 0.1.9: every `root_span_id` is NULL; no events.
pub const OLD_0_1_9: Fixture = of("old_0.1.9", "tests/fixtures/db/real_old_0.1.9.db");
/// 0.2.7: no events.
pub const OLD_0_2_7: Fixture = of("old_0.2.7", "tests/fixtures/db/real_old_0.2.7.db");
/// 0.2.11: a whole server run, every `root_span_id` NULL.
pub const OLD_0_2_11: Fixture = of("old_0.2.11", "tests/fixtures/db/real_old_0.2.11.db");
/// 0.2.15: taken from under a running server, with its hot journal: 294 spans as it lies, 293 after rollback.
pub const LIVE: Fixture = Fixture { name: "live", path: "tests/fixtures/db/real_live.db", has_journal: true };

/// All fixtures.
pub const ALL: [Fixture; 10] = [SMALL, AGENT, METRICS, EVENTS, OLD_0_0_58, OLD_0_1_8, OLD_0_1_9, OLD_0_2_7, OLD_0_2_11, LIVE];

/// The root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Cargo's target directory.
pub fn target() -> PathBuf {
    repository().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

impl Fixture {
    /// Its path, for reading only. For SQLite, make a [`copy`](Fixture::copy).
    pub fn path(&self) -> PathBuf {
        repository().join(self.path)
    }

    /// The path of its journal, if it has one.
    pub fn journal(&self) -> Option<PathBuf> {
        self.has_journal.then(|| repository().join(format!("{}-journal", self.path)))
    }

    /// The file name.
    pub fn file_name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }

    /// Copies the database to `scratch`, with its journal if `with_journal` is set and there is one.
    ///
    /// # Errors
    /// If a file can't be read or written.
    pub fn copy(&self, scratch: &Scratch, with_journal: bool) -> Result<PathBuf> {
        let to = scratch.path().join(self.file_name());
        copy(&self.path(), &to)?;
        if let (true, Some(journal)) = (with_journal, self.journal()) {
            copy(&journal, &scratch.path().join(format!("{}-journal", self.file_name())))?;
        }
        Ok(to)
    }

    /// Opens a private copy, with the journal applied if there is one. Keep the scratch folder while using the connection.
    ///
    /// # Errors
    /// If the copy can't be made or opened.
    pub fn open(&self) -> Result<(Scratch, Connection)> {
        let scratch = Scratch::new()?;
        let connection = Connection::open(self.copy(&scratch, true)?)?;
        Ok((scratch, connection))
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    std::fs::copy(from, to).with_context(|| format!("{} cannot be copied.", from.display()))?;
    // The original may be read-only; SQLite must write to roll back a journal.
    let mut permissions = std::fs::metadata(to)?.permissions();
    #[expect(clippy::permissions_set_readonly_false, reason = "a private copy in a temporary folder")]
    permissions.set_readonly(false);
    Ok(std::fs::set_permissions(to, permissions)?)
}

/// Opens a database in place, ignoring journals and without changing anything.
///
/// # Errors
/// If SQLite fails.
pub fn open_as_it_lies(path: &Path) -> Result<Connection> {
    let uri = format!("file:{}?immutable=1", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Ok(Connection::open_with_flags(uri, flags)?)
}

/// The columns of a span that determine the tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpanRow {
    /// `spans.span_id`.
    pub span_id: String,
    /// `spans.trace_id`.
    pub trace_id: String,
    /// `spans.parent_span_id`.
    pub parent_span_id: Option<String>,
    /// `spans.name`.
    pub name: String,
}

/// All spans in file order.
///
/// # Errors
/// If SQLite fails.
pub fn spans(connection: &Connection) -> Result<Vec<SpanRow>> {
    let mut statement = connection.prepare("SELECT span_id, trace_id, parent_span_id, name FROM spans ORDER BY rowid")?;
    let rows = statement
        .query_map([], |row| Ok(SpanRow { span_id: row.get(0)?, trace_id: row.get(1)?, parent_span_id: row.get(2)?, name: row.get(3)? }))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The ids of all traces, with or without spans, sorted.
///
/// # Errors
/// If SQLite fails.
pub fn trace_ids(connection: &Connection) -> Result<Vec<String>> {
    texts(connection, "SELECT trace_id FROM traces UNION SELECT trace_id FROM spans ORDER BY 1")
}

/// The first column of all rows of a query.
///
/// # Errors
/// If SQLite fails.
pub fn texts(connection: &Connection, sql: &str) -> Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The single number that a query returns.
///
/// # Errors
/// If SQLite fails.
pub fn number(connection: &Connection, sql: &str) -> Result<i64> {
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fixture_is_there_with_the_known_number_of_spans() -> Result<()> {
        let mut counts = Vec::new();
        for fixture in ALL {
            let (_scratch, connection) = fixture.open()?;
            let count = |table: &str| number(&connection, &format!("SELECT count(*) FROM {table}"));
            counts.push((fixture.name, trace_ids(&connection)?.len(), count("spans")?, count("span_events")?));
        }
        let expected = [
            ("small", 43, 136, 14),
            ("agent", 56, 434, 10),
            ("metrics", 261, 2004, 863),
            ("events", 10, 27, 14),
            ("old_0.0.58", 10, 21, 15),
            ("old_0.1.8", 7, 28, 0),
            ("old_0.1.9", 11, 28, 0),
            ("old_0.2.7", 11, 28, 0),
            ("old_0.2.11", 97, 434, 23),
            ("live", 60, 293, 1),
        ];
        assert_eq!(counts, expected);
        Ok(())
    }

    #[test]
    fn the_live_file_holds_a_span_more_until_its_journal_is_rolled_back() -> Result<()> {
        let scratch = Scratch::new()?;
        let raw = open_as_it_lies(&LIVE.copy(&scratch, false)?)?;
        assert_eq!(number(&raw, "SELECT count(*) FROM spans")?, 294);
        // Opening copies has not changed the original.
        assert_eq!(std::fs::metadata(LIVE.journal().expect("it has one"))?.len(), 16_928);
        Ok(())
    }
}

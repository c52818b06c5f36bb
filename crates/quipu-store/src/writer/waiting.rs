//! Requests that are committed beside the file while somebody reads it for long, and are added to it later.
//!
//! A commit needs the file for itself for a moment, and a reader can keep it for as long as it reads. The write-ahead mode of SQLite would
//! lift that, but then the file alone would not be complete. So requests go to `FILE-waiting`, a database of its own, until the reader is
//! done. The file notes how far they were added, in the same transaction, so that nothing is added twice if the process ends in between.

#![expect(clippy::disallowed_methods, reason = "removes a file; only this folder and `store::native` access the file system")]

use super::super::error::StoreError;
use super::{Writer, native::BUSY};
use rusqlite::{Connection, ErrorCode, params};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A request that waits.
pub struct Waiting {
    /// Its number, in the order of arrival.
    pub number: i64,
    /// Which signal it is, as its sender named it.
    pub signal: String,
    /// Whether the body is JSON rather than protobuf.
    pub is_json: bool,
    /// The body, decompressed.
    pub body: Vec<u8>,
}

const TABLES: &str = "CREATE TABLE IF NOT EXISTS waiting.spool AS SELECT random() AS token;
    CREATE TABLE IF NOT EXISTS waiting.requests (id INTEGER PRIMARY KEY AUTOINCREMENT, signal TEXT, is_json INTEGER, body BLOB);";
/// How far the requests of a database of waiting ones were added.
const DONE: &str = "CREATE TABLE IF NOT EXISTS main.quipu_waiting (token INTEGER, last INTEGER)";
const NEXT: &str = "SELECT id, signal, is_json, body FROM waiting.requests WHERE id > (
    SELECT coalesce(max(last), 0) FROM main.quipu_waiting WHERE token = (SELECT token FROM waiting.spool)) ORDER BY id";

/// The database of the requests that wait for a file.
fn beside(path: &Path) -> PathBuf {
    longer(path, "-waiting")
}

fn longer(path: &Path, more: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(more);
    name.into()
}

/// Opens that database in the connection.
fn attach(connection: &Connection, path: &Path) -> rusqlite::Result<()> {
    connection.execute("ATTACH ?1 AS waiting", [beside(path).to_string_lossy()])?;
    // Incomplete ones are never left behind by this mode, and a commit costs less.
    connection.query_row("PRAGMA waiting.journal_mode=TRUNCATE", [], |_| Ok(()))?;
    connection.execute_batch(TABLES)
}

impl Writer {
    /// Commits the transaction, unless others read the file for longer than `wait`: then it is rolled back, so that more can read, and the
    /// answer is `false`.
    ///
    /// # Errors
    /// As for [`Writer::commit`].
    pub fn commit_unless_read(&mut self, wait: Duration) -> Result<bool, StoreError> {
        self.unless_busy(wait, "COMMIT", |writer| writer.note_commit(), |writer| writer.roll_back())
    }

    /// Starts a transaction that has the file for itself, unless others read or write it for longer than `wait`.
    ///
    /// # Errors
    /// As for [`Writer::begin`].
    pub fn begin_unless_read(&mut self, wait: Duration) -> Result<bool, StoreError> {
        self.stay_in_place()?;
        self.unless_busy(wait, "BEGIN EXCLUSIVE", |writer| writer.check_unchanged(), |_| Ok(()))
    }

    fn unless_busy(
        &mut self,
        wait: Duration,
        sql: &str,
        done: impl FnOnce(&mut Writer) -> Result<(), StoreError>,
        busy: impl FnOnce(&mut Writer) -> Result<(), StoreError>,
    ) -> Result<bool, StoreError> {
        let explain = |writer: &Writer, error| writer.explain(&error);
        self.connection.busy_timeout(wait).map_err(|error| explain(self, error))?;
        let outcome = self.connection.execute_batch(sql);
        self.connection.busy_timeout(BUSY).map_err(|error| explain(self, error))?;
        match outcome {
            Ok(()) => done(self).map(|()| true),
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => busy(self).map(|()| false),
            Err(error) => Err(explain(self, error)),
        }
    }

    /// Whether requests wait, perhaps since an earlier process.
    pub fn has_waiting(&self) -> bool {
        self.appended.as_ref().is_some_and(|appended| beside(appended.path()).exists())
    }

    /// Commits requests beside the file, as a signal, whether it is JSON, and a body each.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn put_waiting<'r>(&mut self, requests: impl Iterator<Item = (&'r str, bool, &'r [u8])>) -> Result<(), StoreError> {
        self.attach_waiting()?;
        let put = |connection: &Connection| {
            connection.execute_batch("BEGIN")?;
            let mut statement = connection.prepare_cached("INSERT INTO waiting.requests (signal, is_json, body) VALUES (?1, ?2, ?3)")?;
            for (signal, is_json, body) in requests {
                statement.execute(params![signal, is_json, body])?;
            }
            connection.execute_batch("COMMIT")
        };
        put(&self.connection).map_err(|error| {
            // The first error is told.
            let _ = self.connection.execute_batch("ROLLBACK");
            self.explain(&error)
        })
    }

    /// In a transaction: the next requests that wait, of about so many bytes together. Empty when none are left.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn next_waiting(&mut self, bytes: usize) -> Result<Vec<Waiting>, StoreError> {
        let read = |connection: &Connection| {
            connection.execute_batch(DONE)?;
            let mut statement = connection.prepare_cached(NEXT)?;
            let mut rows = statement.query([])?;
            let (mut list, mut length) = (Vec::new(), 0);
            while length < bytes
                && let Some(row) = rows.next()?
            {
                let waiting = Waiting { number: row.get(0)?, signal: row.get(1)?, is_json: row.get(2)?, body: row.get(3)? };
                length += waiting.body.len();
                list.push(waiting);
            }
            Ok(list)
        };
        read(&self.connection).map_err(|error| self.explain(&error))
    }

    /// In a transaction: notes that the requests up to this number were added.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn note_waiting(&mut self, last: i64) -> Result<(), StoreError> {
        let note = |connection: &Connection| {
            connection.execute("DELETE FROM main.quipu_waiting", [])?;
            connection.execute("INSERT INTO main.quipu_waiting SELECT token, ?1 FROM waiting.spool", [last])
        };
        note(&self.connection).map(|_| ()).map_err(|error| self.explain(&error))
    }

    /// Removes what was beside the file, once everything in it was added.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn forget_waiting(&mut self) -> Result<(), StoreError> {
        let Some(path) = self.appended.as_mut().map(|appended| {
            appended.waits = false;
            beside(appended.path())
        }) else {
            return Ok(());
        };
        self.connection.flush_prepared_statement_cache();
        self.connection.execute_batch("DETACH waiting").map_err(|error| self.explain(&error))?;
        for path in [longer(&path, "-journal"), path] {
            match std::fs::remove_file(&path) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(StoreError::CannotWrite(format!("{} can't be removed ({error}).", path.display())));
                }
                _ => {}
            }
        }
        // Its number says nothing without the requests. If somebody reads again, it stays until the next time.
        let _ = self.connection.execute_batch("DROP TABLE IF EXISTS main.quipu_waiting");
        Ok(())
    }

    /// Opens the requests that wait.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`]
    pub fn attach_waiting(&mut self) -> Result<(), StoreError> {
        let Some(appended) = self.appended.as_ref().filter(|appended| !appended.waits) else { return Ok(()) };
        let path = appended.path().to_owned();
        super::native::make_file(&beside(&path), &beside(&path).display().to_string())?;
        attach(&self.connection, &path)
            .map_err(|error| StoreError::CannotWrite(format!("{} can't be written ({error}).", beside(&path).display())))?;
        if let Some(appended) = &mut self.appended {
            appended.waits = true;
        }
        Ok(())
    }
}

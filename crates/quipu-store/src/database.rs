//! Opens a telemetry file: checks which files were given together, how SQLite can read them, and sets limits.

use super::cache::SharedCache;
use super::error::StoreError;
use super::header::{Header, read_header};
use super::layout::{self, Layout};
use super::numbering::{Numbering, numbering};
use super::removed;
use super::schema::Schema;
use super::source::{ByteSource, SourceError};
use super::vfs::{FileSystem, MAIN};
use quipu_model::budget::{Allowance, Budget};
use quipu_model::is_companion;
use quipu_protocol::{Warning, WarningKind};
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use std::cell::OnceCell;

/// A file to be opened: bytes from anywhere, under a name.
pub struct NamedSource {
    /// The file's name. Shown to the user, and its ending tells a `-journal` or `-wal` from the database.
    pub name: String,
    /// Read while the database is open; they must not change.
    pub source: Box<dyn ByteSource>,
}

/// Platform functions and limits of a database.
#[derive(Clone, Copy)]
pub struct OpenOptions {
    /// A monotonic clock in milliseconds, used for deadlines.
    pub clock: fn() -> u64,
    /// Time limit of a request, in milliseconds.
    pub deadline_ms: u64,
    /// Limit on the memory SQLite may allocate, in bytes. A value of 100 MB needs about twice its size.
    pub heap_limit: u32,
}

impl OpenOptions {
    /// The defaults: ten seconds per request, 448 MiB for SQLite.
    pub fn with_clock(clock: fn() -> u64) -> OpenOptions {
        OpenOptions { clock, deadline_ms: 10_000, heap_limit: 448 << 20 }
    }
}

/// An open telemetry file. Never modifies the user's bytes.
pub struct Database {
    // Fields are dropped in order: the connection must go before its file system.
    connection: Connection,
    files: Option<FileSystem>,
    main: SharedCache,
    /// The file's first bytes when it was opened.
    head: Vec<u8>,
    name: String,
    schema: Schema,
    warnings: Vec<Warning>,
    /// What the question that is being answered may use.
    budget: Budget,
    options: OpenOptions,
    /// How rows of `quipu_span_extra` are numbered, once known.
    numbering: OnceCell<Numbering>,
}

/// Maximum size of a string or row; allows values of 100 MB.
pub(super) const MAX_VALUE_BYTES: i32 = 256 << 20;

impl Database {
    /// Opens a database, with its `-journal` or `-wal` if given.
    ///
    /// # Errors
    /// [`StoreError::CannotOpen`] with a sentence for the user; [`StoreError::Source`] if the bytes can't be read.
    pub fn open(files: Vec<NamedSource>, options: OpenOptions) -> Result<Database, StoreError> {
        let mut databases = Vec::new();
        let (mut journal, mut wal) = (None, None);
        for file in files {
            if file.name.ends_with("-journal") {
                journal = Some(file);
            } else if file.name.ends_with("-wal") {
                wal = Some(file);
            } else if !is_companion(&file.name) {
                databases.push(file);
            }
        }
        if databases.len() > 1 {
            let names: Vec<&str> = databases.iter().map(|file| file.name.as_str()).collect();
            return Err(StoreError::CannotOpen(format!(
                "{} can’t be opened together. Quipu opens one database at a time, with its -journal or -wal; only OTLP and Jaeger’s files are read together.",
                names.join(", ")
            )));
        }
        let Some(database) = databases.pop() else {
            return Err(StoreError::CannotOpen(
                "These files belong to a database that is missing: drop the .db file together with them.".into(),
            ));
        };
        let name = database.name;
        for (companion, suffix) in [(&journal, "-journal"), (&wal, "-wal")] {
            if let Some(file) = companion.as_ref().filter(|file| file.name != format!("{name}{suffix}")) {
                return Err(StoreError::CannotOpen(format!(
                    "{} does not belong to {name}, whose companion file is named {name}{suffix}. Drop that one with it, or {name} alone.",
                    file.name
                )));
            }
        }
        let main = SharedCache::new(database.source);
        let mut head = [0; 100];
        let got = main.read(&mut head, 0).map_err(|error| StoreError::Source { name: name.clone(), error })?;
        let header = read_header(head.get(..got).unwrap_or(&head), &name, main.len()).map_err(StoreError::CannotOpen)?;

        let mut warnings = Vec::new();
        let recovering = |file: &Option<NamedSource>| file.as_ref().is_some_and(|file| !file.source.is_empty());
        let use_journal = !header.wal && recovering(&journal);
        let use_wal = header.wal && recovering(&wal);
        note_companions(&header, &name, use_journal, use_wal, &mut warnings);
        note_length(&header, &name, main.len(), &mut warnings);

        let mut companions = Vec::new();
        if let Some(file) = journal.filter(|_| use_journal) {
            companions.push(("-journal", SharedCache::new(file.source)));
        }
        if let Some(file) = wal.filter(|_| use_wal) {
            companions.push(("-wal", SharedCache::new(file.source)));
        }
        let immutable = companions.is_empty();
        let files = FileSystem::register(&main, companions, immutable).map_err(StoreError::CannotOpen)?;
        let access = if immutable { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
        let connection = Connection::open_with_flags_and_vfs(MAIN, access | OpenFlags::SQLITE_OPEN_NO_MUTEX, files.name.as_str())?;
        // Before the first read: keeps the WAL index in memory, and stops SQLite from looking for a journal again. As plain SQL, because
        // rusqlite's pragma functions read the file first.
        connection.query_row("PRAGMA locking_mode=EXCLUSIVE", [], |_| Ok(()))?;
        Database::set_up(Some(files), connection, main, name, options, warnings)
    }

    /// Secures a new connection, reads its schema and checks that it is a telemetry file.
    pub(super) fn set_up(
        // Before the connection: on failure, parameters are dropped in reverse order, and the connection must go first.
        files: Option<FileSystem>,
        mut connection: Connection,
        main: SharedCache,
        name: String,
        options: OpenOptions,
        mut warnings: Vec<Warning>,
    ) -> Result<Database, StoreError> {
        // Reading a large file once is no fault, so rows are only counted.
        let budget = Budget::new(options.clock, Allowance { millis: options.deadline_ms, rows: u64::MAX, ..Allowance::DEFAULT });
        budget.end();
        let schema = prepare(&mut connection, &options, budget.clone()).map_err(|error| match main.take_error() {
            Some(error) => StoreError::Source { name: name.clone(), error },
            None => StoreError::CannotOpen(unreadable(&name, &error)),
        })?;
        schema.check(&name).map_err(StoreError::CannotOpen)?;
        schema.note(&mut warnings);
        removed::note(&connection, &schema, &mut warnings);
        let mut head = vec![0; 100];
        let got = main.read(&mut head, 0).map_err(|error| StoreError::Source { name: name.clone(), error })?;
        head.truncate(got);
        Ok(Database { connection, files, main, head, name, schema, warnings, budget, options, numbering: OnceCell::new() })
    }

    /// The connection, for the statements of the reader.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// The connection, to install an authorizer.
    pub(super) fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// File name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether SQLite reads the file itself under its locks, so that a long statement keeps others from writing.
    #[cfg(not(target_family = "wasm"))]
    pub(super) fn locks_file(&self) -> bool {
        self.files.is_none()
    }

    /// The options it was opened with.
    pub fn options(&self) -> OpenOptions {
        self.options
    }

    /// The file's cache: length, bytes read, and position of a scan.
    pub fn cache(&self) -> &SharedCache {
        &self.main
    }

    /// Existing tables and columns.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Warnings from opening the file.
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: Warning) {
        self.warnings.push(warning);
    }

    /// Current time of the platform's clock, in milliseconds.
    pub fn now(&self) -> u64 {
        (self.options.clock)()
    }

    /// What the question that is being answered may use. Another thread can stop it.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Runs `work` under the deadline and explains its errors with [`Database::explain`].
    pub fn bounded<T>(&self, work: impl FnOnce() -> Result<T, StoreError>) -> Result<T, StoreError> {
        self.budget.begin();
        let outcome = work().map_err(|error| self.explain(error));
        self.budget.end();
        outcome
    }

    /// How rows of `quipu_span_extra` are numbered.
    pub(super) fn numbering(&self) -> Result<Numbering, StoreError> {
        if let Some(known) = self.numbering.get() {
            return Ok(*known);
        }
        let found = if self.schema.layout == Layout::Quipu { Numbering::Rows } else { numbering(&self.connection)? };
        Ok(*self.numbering.get_or_init(|| found))
    }

    /// Reports a failed read, which looks like a damaged file to SQLite.
    ///
    /// # Errors
    /// The error of the source, if there was one.
    pub fn source_failed(&self) -> Result<(), StoreError> {
        match self.main.take_error() {
            Some(error) => Err(StoreError::Source { name: self.name.clone(), error }),
            None => Ok(()),
        }
    }

    /// Checks that the file still starts with the same bytes. A browser may silently return new bytes of a changed file, which would be
    /// mixed with cached ones. A native path is read under SQLite's locks instead.
    pub fn check_unchanged(&self) -> Result<(), StoreError> {
        if self.files.is_none() {
            return Ok(());
        }
        let error = match self.main.starts_with_head(&self.head) {
            Ok(true) => return Ok(()),
            Ok(false) => SourceError::Changed,
            Err(error) => error,
        };
        Err(StoreError::Source { name: self.name.clone(), error })
    }

    /// Replaces an error of SQLite by its cause: a changed file or a passed deadline.
    pub fn explain(&self, error: StoreError) -> StoreError {
        if let Some(source) = self.main.take_error() {
            return StoreError::Source { name: self.name.clone(), error: source };
        }
        match &error {
            StoreError::Sqlite(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::OperationInterrupted) => {
                self.budget.look().err().map_or(StoreError::TooLong(self.options.deadline_ms), StoreError::from)
            }
            StoreError::Sqlite(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::OutOfMemory) => StoreError::OutOfMemory,
            StoreError::Sqlite(cause) if cause.sqlite_error_code() == Some(rusqlite::ErrorCode::TooBig) => {
                StoreError::TooLarge(MAX_VALUE_BYTES.unsigned_abs().into())
            }
            StoreError::Sqlite(cause) if error.is_damage() => StoreError::Corrupt(cause.to_string()),
            _ => error,
        }
    }
}

/// Sets guards and limits, then reads the schema.
fn prepare(connection: &mut Connection, options: &OpenOptions, budget: Budget) -> Result<Schema, StoreError> {
    connection.progress_handler(1_000, Some(move || budget.look().is_err()))?;
    defend(connection, options.heap_limit)?;
    connection.execute_batch("PRAGMA cache_size=-8192; PRAGMA temp_store=MEMORY;")?;
    let schema = Schema::read(connection)?;
    if schema.layout == Layout::Quipu {
        layout::make_temporary_views(connection)?;
    }
    connection.execute_batch("PRAGMA query_only=ON;")?;
    Ok(schema)
}

/// Protects against hostile files: nothing stored in the file is run, and memory is limited.
fn defend(connection: &Connection, heap_limit: u32) -> Result<(), StoreError> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_LENGTH, MAX_VALUE_BYTES),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, 100_000),
        (Limit::SQLITE_LIMIT_COLUMN, 200),
        (Limit::SQLITE_LIMIT_EXPR_DEPTH, 100),
        (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 20),
        (Limit::SQLITE_LIMIT_VDBE_OP, 100_000),
        (Limit::SQLITE_LIMIT_FUNCTION_ARG, 32),
        (Limit::SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 250),
    ] {
        connection.set_limit(limit, value)?;
    }
    connection.query_row(&format!("PRAGMA hard_heap_limit={heap_limit}"), [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA cell_size_check=ON; PRAGMA mmap_size=0;").or_else(|error| match error {
        rusqlite::Error::ExecuteReturnedResults => Ok(()),
        other => Err(other),
    })?;
    Ok(())
}

fn unreadable(name: &str, error: &StoreError) -> String {
    let StoreError::Sqlite(cause) = error else { return error.to_string() };
    let what = match cause.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => "is encrypted, or its first page is damaged",
        Some(rusqlite::ErrorCode::DatabaseCorrupt) => "is damaged where it describes its tables",
        Some(rusqlite::ErrorCode::SystemIoFailure) => "ends before its tables are described: it was cut off",
        _ => "can't be read by SQLite",
    };
    format!("{name} {what} ({cause}). Copy it again from the server, or try `sqlite3 {name} .recover`.")
}

fn note_companions(header: &Header, name: &str, use_journal: bool, use_wal: bool, warnings: &mut Vec<Warning>) {
    let mut note = |text: String, meaning: &str| {
        warnings.push(Warning { kind: WarningKind::Journal, text, meaning: meaning.into() });
    };
    if use_journal {
        note(
            format!("{name}-journal was applied."),
            "The server was writing when the files were copied. The unfinished transaction was rolled back in memory; the files are unchanged.",
        );
    }
    if use_wal {
        note(format!("{name}-wal was read with it."), "The newest transactions are in the write-ahead log. Both files are unchanged.");
    } else if header.wal {
        note(
            format!("{name} is in write-ahead mode and was opened without its -wal file."),
            "The newest transactions may be missing. If there is a -wal file next to it, drop both together.",
        );
    }
}

pub(super) fn note_length(header: &Header, name: &str, len: u64, warnings: &mut Vec<Warning>) {
    let expected = header.pages.saturating_mul(header.page_size);
    if expected > len {
        warnings.push(Warning {
            kind: WarningKind::Corrupt,
            text: format!("{name} has {len} bytes, but its header says {expected}: it was cut off."),
            meaning: "Data after the end is missing. Copy the file again while the server is stopped, or with sqlite3's .backup.".into(),
        });
    }
}

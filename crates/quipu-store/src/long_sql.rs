//! Native statements of the user that may take long: they end at their deadline wherever SQLite is, and keep nobody from writing.
//!
//! A read of a file under SQLite's locks keeps other programs from committing until it ends. So a statement gets [`PATIENCE`] in the file
//! itself, and then runs over a temporary copy, which is taken in pieces and deleted with its connection. Not here: what is run (`sql`).

use super::database::Database;
use super::error::StoreError;
use quipu_model::budget::Budget;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, ErrorCode};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

/// Milliseconds for which a statement may keep others from writing. Writers wait for some five seconds.
const PATIENCE: u64 = 2_000;
/// How often the deadline is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// Bytes copied while the file is locked. If it was written in between, SQLite begins the copy again.
const PIECE: i32 = 512 << 20;

/// Runs `work` on the file, or, if that takes too long for those who wait to write, again on a copy of it.
pub(super) fn run<T>(database: &mut Database, work: &dyn Fn(&mut Database) -> Result<T, StoreError>) -> Result<T, StoreError> {
    let began = database.now();
    let is_impatient = database.locks_file();
    let outcome = watched(database, work, &|now, budget| budget.look().is_err() || (is_impatient && now.saturating_sub(began) > PATIENCE));
    let is_interrupted =
        matches!(&outcome, Err(StoreError::Sqlite(error)) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted));
    if !is_impatient || !is_interrupted || database.budget().look().is_err() {
        return outcome;
    }
    let mut copy = copied(database)?;
    let budget = database.budget().clone();
    watched(&mut copy, work, &|_, _| budget.look().is_err())
}

/// Runs `work`, and interrupts SQLite once `is_over` says so, given the time of the clock and the budget. SQLite's own progress callback
/// counts instructions, of which each can take long.
fn watched<T>(
    database: &mut Database,
    work: &dyn Fn(&mut Database) -> Result<T, StoreError>,
    is_over: &(dyn Fn(u64, &Budget) -> bool + Sync),
) -> Result<T, StoreError> {
    let interrupt = database.connection().get_interrupt_handle();
    let (clock, budget) = (database.options().clock, database.budget().clone());
    let (ended, is_running) = channel::<()>();
    std::thread::scope(|scope| {
        let watch = move || {
            while is_running.recv_timeout(LOOK) == Err(RecvTimeoutError::Timeout) {
                if is_over(clock(), &budget) {
                    interrupt.interrupt();
                }
            }
        };
        // Without a thread, the progress callback still ends most statements.
        let watching = std::thread::Builder::new().name("quipu-deadline".into()).spawn_scoped(scope, watch);
        let outcome = work(database);
        drop(ended);
        drop(watching);
        outcome
    })
}

/// A copy in a temporary file, which SQLite deletes.
fn copied(database: &Database) -> Result<Database, StoreError> {
    let mut connection = Connection::open("")?;
    let source = database.connection();
    let page_size: i32 = source.query_row("PRAGMA page_size", [], |row| row.get(0))?;
    let backup = Backup::new(source, &mut connection)?;
    loop {
        database.budget().look()?;
        if backup.step(PIECE / page_size.max(512))? == StepResult::Done {
            break;
        }
    }
    drop(backup);
    Database::set_up(None, connection, database.cache().clone(), database.name().to_owned(), database.options(), Vec::new())
}

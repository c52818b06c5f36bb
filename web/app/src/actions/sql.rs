//! Runs SQL queries: starts the second worker, passes the file to it, and takes over its answers.
//!
//! Not here: elements (`pages::sql`).

use super::router::{self, HistoryEntry};
use crate::browser::{keep_setting, load_setting, now};
use crate::client::{Client, Notice, OnReply, Reply, WorkerExit, reading};
use crate::idle::Busy;
use crate::state::{App, FileState, Kept, Loaded, Shown, Sql};
use js_sys::{Array, Uint8Array};
use leptos::prelude::*;
use quipu_model::number::narrow;
use quipu_model::ordered::sort_by;
use quipu_protocol::address::Screen;
use quipu_protocol::{
    DescribeSql, Failure, FailureKind, FileQuestions, FindIds, ListSqlRows, PlanSql, Question, ReadFile, Request, RunSql, SQL_SECONDS,
    SqlCell,
};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;
use web_sys::{Blob, File};

/// The setting that keeps the last queries.
const HISTORY: &str = "queries";
/// Seconds beyond the limit after which a query is stopped from outside.
const GRACE: f64 = 5.0;
/// Rows requested at a time: more than a screen shows.
const CHUNK: u32 = 200;

impl Sql {
    /// Cancels the running query, and starts a worker for the next one.
    pub(crate) fn cancel(&self, app: App) {
        if self.is_running() {
            let seconds = self.elapsed.get_untracked();
            self.give_up(app, format!("Cancelled after {seconds:.1} s."));
        }
    }

    fn give_up(&self, app: App, sentence: String) {
        self.stop();
        self.show(Shown::Failed(sentence));
        self.open(app);
    }

    /// Runs the query in the editor, and puts it into the address and the history.
    pub(crate) fn run(&self, app: App) {
        let query = self.draft.get_untracked();
        keep_setting(HISTORY, &quipu_ui::sql::remember(&load_setting(HISTORY).unwrap_or_default(), &query));
        self.start(app, query.clone());
        router::navigate(app, HistoryEntry::Push, |view| view.screen = Screen::Sql(query));
    }

    /// The last queries, latest first.
    pub(crate) fn history() -> Vec<String> {
        quipu_ui::sql::remembered(&load_setting(HISTORY).unwrap_or_default())
    }

    /// Forgets the last queries.
    pub(crate) fn forget_history() {
        keep_setting(HISTORY, "");
    }

    /// Runs the query of the address, unless it was run last. Queries only read, within limits, so a link is run without asking.
    pub(crate) fn follow(&self, app: App, query: &str) {
        if query.is_empty() || self.with(|kept| kept.asked.as_deref() == Some(query)) {
            return;
        }
        self.write(query.to_owned());
        self.start(app, query.to_owned());
    }

    fn start(&self, app: App, query: String) {
        self.with(|kept| kept.asked = Some(query.clone()));
        let sql = *self;
        self.begin(app);
        self.ask(app, RunSql(query.clone()), move |answer| {
            sql.end(match answer {
                Ok(Ok(ran)) => Shown::Table(Arc::new(ran)),
                Ok(Err(wrong)) => Shown::Wrong(wrong, query),
                Err(failure) => Shown::Failed(failure.message),
            });
        });
    }

    /// Shows SQLite's query plan for the query in the editor.
    pub(crate) fn plan(&self, app: App) {
        let sql = *self;
        let query = self.draft.get_untracked();
        self.begin(app);
        self.ask(app, PlanSql(query.clone()), move |answer| {
            sql.end(match answer {
                Ok(Ok(nodes)) => Shown::Plan(nodes),
                Ok(Err(wrong)) => Shown::Wrong(wrong, query),
                Err(failure) => Shown::Failed(failure.message),
            });
        });
    }

    /// Replaces the content by the running query.
    fn begin(&self, app: App) {
        if self.is_running() {
            self.stop();
        }
        self.with(|kept| {
            kept.loaded = Loaded::default();
            kept.coming = (false, None);
            kept.cursor = (0, 0);
            kept.top = 0.0;
        });
        self.show(Shown::Running);
        self.begin_clock(app);
    }

    /// Replaces the running query by its outcome.
    fn end(&self, shown: Shown) {
        self.end_clock();
        self.show(shown);
    }

    fn begin_clock(&self, app: App) {
        self.end_clock();
        let sql = *self;
        let began = now();
        self.elapsed.set(0.0);
        let tick = move || {
            let seconds = (now() - began) / 1_000.0;
            sql.elapsed.set(seconds);
            if seconds > f64::from(SQL_SECONDS) + GRACE {
                sql.give_up(app, format!("The query was stopped at the limit of {SQL_SECONDS} seconds. Narrow it down."));
            }
        };
        let ticking = set_interval_with_handle(tick, Duration::from_millis(100)).ok();
        self.with(|kept| kept.ticking = ticking);
    }

    /// Asks the second worker.
    pub(crate) fn ask<Q: Question<List = FileQuestions>>(
        &self,
        app: App,
        question: Q,
        callback: impl FnOnce(Result<Q::Answer, Failure>) + 'static,
    ) {
        self.send(app, question.into(), reading::<Q>(callback));
    }

    // Not generic in the question, because every question would duplicate this code.
    fn send(&self, app: App, request: Request, callback: OnReply) {
        let Some(client) = self.open(app) else { return };
        if self.with(|kept| kept.held.is_some()) {
            return self.with(|kept| kept.held.get_or_insert_default().push((request, callback)));
        }
        let take = move |reply: Reply| {
            if let Err(failure) = &reply
                && failure.kind == FailureKind::FileChanged
            {
                app.note_stale(failure);
            }
            callback(reply);
        };
        client.send(request, Box::new(take));
    }

    /// The second worker, with the open file; it is started if there is none.
    pub(crate) fn open(&self, app: App) -> Option<Client> {
        let known = self.with(|kept| kept.client.clone());
        if known.is_some() {
            return known;
        }
        let FileState::Open(summary) = app.file.get_untracked() else { return None };
        let (_, files) = app.opened.get_untracked().and_then(|source| app.known_files(&source))?;
        let sql = *self;
        let client = Client::for_sql(app.idle(), move |notice| {
            if let Notice::Exited(exit) = notice {
                sql.on_worker_exit(exit);
            }
        });
        self.with(|kept| kept.client = Some(client.clone()));
        if summary.in_memory {
            let generation = self.with(|kept| {
                kept.held = Some(Vec::new());
                kept.generation
            });
            let hand_over = HandOver { sql, app, generation, name: summary.name.clone(), pieces: Array::new(), busy: app.idle().begin() };
            hand_over.go_on(0);
        } else {
            self.open_files(app, &client, &files);
        }
        self.describe(app);
        Some(client)
    }

    fn open_files(&self, app: App, client: &Client, files: &[File]) {
        let sql = *self;
        client.open_for_sql(files, move |answer| {
            if let Err(failure) = answer {
                if failure.kind == FailureKind::FileChanged {
                    app.note_stale(&failure);
                }
                sql.stop();
                sql.show(Shown::Failed(failure.message));
            }
        });
    }

    fn describe(&self, app: App) {
        let sql = *self;
        if self.with(|kept| kept.schema.is_none()) {
            self.ask(app, DescribeSql, move |answer| {
                if let Ok(schema) = answer {
                    sql.with(|kept| kept.schema = Some(Arc::new(schema)));
                    sql.tell();
                }
            });
        }
    }

    fn on_worker_exit(&self, exit: WorkerExit) {
        self.end_clock();
        self.with(|kept| {
            kept.client = None;
            kept.coming = (false, None);
        });
        if !self.is_running() {
            return;
        }
        self.show(Shown::Failed(match exit {
            WorkerExit::NotStarted(why) => format!("The SQL worker could not be started{why}. Reload the page."),
            WorkerExit::OutOfMemory => "The query ran out of memory. Select fewer rows or columns, or aggregate more.".into(),
            WorkerExit::Stopped(why) => format!("The SQL worker stopped{why}. Run the query again."),
            WorkerExit::Unserved(why) => why,
        }));
    }

    /// Loads these of `rows` rows, if they are not loaded.
    pub(crate) fn want(&self, app: App, wanted: Range<u32>, width: usize, rows: u32) {
        let here = self.with(|Kept { loaded, .. }| {
            let end = loaded.from + narrow(loaded.cells.len() / width.max(1));
            wanted.start >= loaded.from && wanted.end.min(rows) <= end
        });
        if here || rows == 0 {
            return;
        }
        let count = wanted.end.saturating_sub(wanted.start);
        let from = wanted.start.saturating_sub(CHUNK.saturating_sub(count) / 2);
        if self.with(|kept| kept.coming.0) {
            // Of many scroll positions, only the last one counts.
            return self.with(|kept| kept.coming.1 = Some(from));
        }
        self.load(app, from, count);
    }

    fn load(&self, app: App, from: u32, count: u32) {
        let sql = *self;
        self.with(|kept| kept.coming = (true, None));
        self.ask(app, ListSqlRows { from, count: CHUNK.max(count * 2) }, move |answer| {
            let (_, next) = sql.with(|kept| std::mem::take(&mut kept.coming));
            if let Ok(rows) = answer {
                sql.find_ids(app, &rows.cells);
                sql.with(|kept| kept.loaded = Loaded { from: rows.from, cells: Arc::new(rows.cells) });
                sql.tell_rows();
            }
            if let Some(from) = next {
                sql.load(app, from, count);
            }
        });
    }

    /// Asks the first worker for the link targets of ids; it knows them once the file is indexed.
    fn find_ids(&self, app: App, cells: &[SqlCell]) {
        let sql = *self;
        let mut ids: Vec<String> = self.with(|kept| {
            let unknown = cells.iter().filter(|cell| cell.is_id && !kept.places.contains_key(&cell.text));
            unknown.map(|cell| cell.text.clone()).collect()
        });
        sort_by(&mut ids, Ord::cmp);
        ids.dedup();
        if ids.is_empty() {
            return;
        }
        let asked = ids.clone();
        app.ask(FindIds(ids), move |answer| {
            if let Ok(found) = answer {
                sql.with(|kept| kept.places.extend(asked.into_iter().zip(found)));
                sql.tell_rows();
            }
        });
    }

    /// Looks up the ids of the loaded rows again, because the index is complete.
    pub(crate) fn find_ids_again(&self, app: App) {
        let loaded = self.with(|kept| kept.loaded.clone());
        self.find_ids(app, &loaded.cells);
    }
}

/// Copies a database from the memory of the first worker to the second, piece by piece.
struct HandOver {
    sql: Sql,
    app: App,
    generation: u32,
    name: String,
    pieces: Array,
    /// Keeps the page marked as busy.
    busy: Busy,
}

impl HandOver {
    fn go_on(self, offset: u64) {
        let app = self.app;
        app.ask(ReadFile { offset }, move |answer| {
            if self.sql.with(|kept| kept.generation) != self.generation {
                return;
            }
            let part = match answer {
                Ok(part) => part,
                Err(failure) => {
                    self.sql.stop();
                    return self.sql.show(Shown::Failed(failure.message));
                }
            };
            let next = offset + part.bytes.len() as u64;
            // The browser stores blobs, on disk if they are large.
            if let Ok(blob) = Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(part.bytes.as_slice()))) {
                self.pieces.push(&blob);
            }
            match next < part.len && !part.bytes.is_empty() {
                true => self.go_on(next),
                false => self.end(),
            }
        });
    }

    fn end(self) {
        let HandOver { sql, app, name, pieces, busy, .. } = self;
        if let (Some(client), Ok(file)) = (sql.with(|kept| kept.client.clone()), File::new_with_blob_sequence(&pieces, &name)) {
            sql.open_files(app, &client, &[file]);
        }
        for (request, callback) in sql.with(|kept| kept.held.take()).unwrap_or_default() {
            sql.send(app, request, callback);
        }
        drop(busy);
    }
}

//! Questions in SQL: the second worker, what was asked of it, and what it answered. One value of the page's state, kept while other screens
//! are shown.
//!
//! What is not here: elements (`editor`, `side`, `result`), SQL.

use crate::browser::{keep_setting, load_setting, now};
use crate::client::{Client, Death, Notice};
use crate::idle::Busy;
use crate::router::{self, Step};
use crate::state::{App, FileState};
use js_sys::{Array, Uint8Array};
use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use quipu_protocol::address::Place;
use quipu_protocol::markup::Node;
use quipu_protocol::{
    AskSql, Failure, FailureKind, FindIds, IdPlace, ReadFile, SQL_SECONDS, SqlCell, SqlRan, SqlRequest, SqlResponse, SqlSchema, SqlWrong,
};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use web_sys::{Blob, File};

/// The setting that keeps the last queries.
const HISTORY: &str = "queries";
/// Seconds a worker that should have stopped by itself is given beyond its limit.
const GRACE: f64 = 5.0;
/// Rows asked for at a time: more than a screen has.
const CHUNK: u32 = 200;

/// What is shown below the editor.
#[derive(Clone, Default)]
pub(crate) enum Shown {
    /// Nothing was asked.
    #[default]
    Nothing,
    /// A question is being answered.
    Running,
    /// A result.
    Table(Arc<SqlRan>),
    /// How SQLite would go about it.
    Plan(Vec<Node>),
    /// This query is wrong.
    Wrong(SqlWrong, String),
    /// There is no answer: a sentence.
    Failed(String),
}

/// The rows that are here: the place of the first one, and their cells.
#[derive(Clone, Default)]
pub(crate) struct Loaded {
    /// The place of the first one.
    pub(crate) from: u32,
    /// Row after row.
    pub(crate) cells: Arc<Vec<SqlCell>>,
}

type Callback = Box<dyn FnOnce(Result<SqlResponse, Failure>)>;
type Held = (SqlRequest, Callback);

/// What is kept.
#[derive(Default)]
pub(crate) struct Kept {
    /// What can be asked of.
    pub(crate) schema: Option<Arc<SqlSchema>>,
    /// What is shown.
    pub(crate) shown: Shown,
    /// The rows that are here.
    pub(crate) loaded: Loaded,
    /// Where ids in the result lead; `None` for what is no id of the file.
    pub(crate) places: HashMap<String, Option<IdPlace>>,
    /// The cell the keyboard is on: its row and its column.
    pub(crate) cursor: (u32, u32),
    /// Where the result is scrolled to.
    pub(crate) top: f64,
    /// The query that was run last.
    asked: Option<String>,
    /// Whether rows are on their way, and those wanted after them.
    coming: (bool, Option<u32>),
    client: Option<Client>,
    /// Which worker this is.
    generation: u32,
    /// What was asked of a worker that does not have its file yet.
    held: Option<Vec<Held>>,
    ticking: Option<IntervalHandle>,
}

/// All of it. Copied freely: it is a handle. Few kinds of signals, because each is code of its own.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    kept: StoredValue<Rc<RefCell<Kept>>, LocalStorage>,
    /// What stands in the editor.
    pub(crate) draft: RwSignal<String>,
    /// Counts what was put into the editor by other means than typing.
    pub(crate) put: RwSignal<u32>,
    /// Counts changes of what is shown, or can be asked of.
    changed: RwSignal<u32>,
    /// Counts changes of the rows that are here.
    pub(crate) rows_changed: RwSignal<u32>,
    /// Counts moves of the cursor.
    pub(crate) moved: RwSignal<u32>,
    /// Seconds since the question that is being answered was asked.
    pub(crate) elapsed: RwSignal<f64>,
}

impl Sql {
    /// Nothing asked yet.
    pub(crate) fn new() -> Sql {
        Sql {
            kept: StoredValue::new_local(Rc::default()),
            draft: RwSignal::default(),
            put: RwSignal::new(0),
            changed: RwSignal::new(0),
            rows_changed: RwSignal::new(0),
            moved: RwSignal::new(0),
            elapsed: RwSignal::new(0.0),
        }
    }

    /// Reads what is kept, or changes it, without telling anybody.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&mut Kept) -> T) -> T {
        let kept = self.kept.get_value();
        let mut kept = kept.borrow_mut();
        read(&mut kept)
    }

    /// What is shown; whoever draws it hears of changes.
    pub(crate) fn shown(&self) -> Shown {
        self.changed.track();
        self.with(|kept| kept.shown.clone())
    }

    /// What can be asked of, likewise.
    pub(crate) fn schema(&self) -> Option<Arc<SqlSchema>> {
        self.changed.track();
        self.with(|kept| kept.schema.clone())
    }

    /// The result; none where something else is shown.
    pub(crate) fn table(&self) -> Option<Arc<SqlRan>> {
        self.with(|kept| match &kept.shown {
            Shown::Table(ran) => Some(ran.clone()),
            _ => None,
        })
    }

    /// Whether a question is being answered.
    pub(crate) fn is_running(&self) -> bool {
        self.with(|kept| matches!(kept.shown, Shown::Running))
    }

    fn show(&self, shown: Shown) {
        self.with(|kept| kept.shown = shown);
        self.tell();
    }

    /// What is shown is drawn anew.
    pub(crate) fn tell(&self) {
        self.changed.update(|times| *times += 1);
    }

    fn tell_rows(&self) {
        self.rows_changed.update(|times| *times += 1);
    }

    /// Moves the keyboard to a cell.
    pub(crate) fn move_to(&self, cell: (u32, u32)) {
        self.with(|kept| kept.cursor = cell);
        self.moved.update(|times| *times += 1);
    }

    /// Another file is open: nothing of what was asked is of it. The draft stays.
    pub(crate) fn reset(&self) {
        self.stop();
        self.with(|kept| {
            kept.schema = None;
            kept.places.clear();
            kept.asked = None;
        });
        self.show(Shown::Nothing);
    }

    /// Ends the worker, whatever it does: inside SQLite it hears nothing. The next question starts another one.
    fn stop(&self) {
        self.end_clock();
        let (client, held) = self.with(|kept| {
            kept.generation += 1;
            kept.coming = (false, None);
            kept.loaded = Loaded::default();
            (kept.client.take(), kept.held.take())
        });
        if let Some(client) = client {
            client.stop();
        }
        drop(held);
    }

    /// Ends the question that is being answered, and has another worker ready for the next.
    pub(crate) fn cancel(&self, app: App) {
        if self.is_running() {
            let seconds = self.elapsed.get_untracked();
            self.give_up(app, format!("It was cancelled after {seconds:.1} s."));
        }
    }

    fn give_up(&self, app: App, sentence: String) {
        self.stop();
        self.show(Shown::Failed(sentence));
        self.open(app);
    }

    /// Puts a text into the editor.
    pub(crate) fn write(&self, text: String) {
        self.draft.set(text);
        self.put.update(|times| *times += 1);
    }

    /// Runs what stands in the editor: it goes into the address and the history.
    pub(crate) fn run(&self, app: App) {
        let query = self.draft.get_untracked();
        keep_setting(HISTORY, &quipu_ui::sql::remember(&load_setting(HISTORY).unwrap_or_default(), &query));
        self.start(app, query.clone());
        router::navigate(app, Step::Push, |view| view.place = Place::Sql(query));
    }

    /// The query that was run last; empty where none was.
    pub(crate) fn asked(&self) -> String {
        self.changed.track();
        self.with(|kept| kept.asked.clone()).unwrap_or_default()
    }

    /// The last queries, latest first.
    pub(crate) fn history() -> Vec<String> {
        quipu_ui::sql::remembered(&load_setting(HISTORY).unwrap_or_default())
    }

    /// Forgets the last queries.
    pub(crate) fn forget_history() {
        keep_setting(HISTORY, "");
    }

    /// What the address asks: it is run where it was not. It only reads, and within limits, so a link is answered without asking.
    pub(crate) fn follow(&self, app: App, query: &str) {
        if query.is_empty() || self.with(|kept| kept.asked.as_deref() == Some(query)) {
            return;
        }
        self.write(query.to_owned());
        self.start(app, query.to_owned());
    }

    fn start(&self, app: App, query: String) {
        self.with(|kept| kept.asked = Some(query.clone()));
        self.begin(app, SqlRequest::Run(query));
    }

    /// Shows how SQLite would go about what stands in the editor.
    pub(crate) fn plan(&self, app: App) {
        self.begin(app, SqlRequest::Plan(self.draft.get_untracked()));
    }

    fn begin(&self, app: App, request: SqlRequest) {
        let sql = *self;
        let (SqlRequest::Run(query) | SqlRequest::Plan(query)) = request.clone() else { return };
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
        self.ask(app, request, move |answer| {
            sql.end_clock();
            sql.show(match answer {
                Ok(SqlResponse::Ran(ran)) => Shown::Table(Arc::new(ran)),
                Ok(SqlResponse::Plan(nodes)) => Shown::Plan(nodes),
                Ok(SqlResponse::Wrong(wrong)) => Shown::Wrong(wrong, query),
                Ok(_) => Shown::Failed("The worker answered something else than was asked; reload the page.".into()),
                Err(failure) => Shown::Failed(failure.message),
            });
        });
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
                sql.give_up(
                    app,
                    format!("It took more than {SQL_SECONDS} seconds, which is the limit, and was stopped. Ask for less of the file."),
                );
            }
        };
        let ticking = set_interval_with_handle(tick, Duration::from_millis(100)).ok();
        self.with(|kept| kept.ticking = ticking);
    }

    fn end_clock(&self) {
        if let Some(ticking) = self.with(|kept| kept.ticking.take()) {
            ticking.clear();
        }
    }

    /// Asks the second worker.
    pub(crate) fn ask(&self, app: App, request: SqlRequest, callback: impl FnOnce(Result<SqlResponse, Failure>) + 'static) {
        self.ask_boxed(app, request, Box::new(callback));
    }

    fn ask_boxed(&self, app: App, request: SqlRequest, callback: Callback) {
        let Some(client) = self.open(app) else { return };
        if self.with(|kept| kept.held.is_some()) {
            return self.with(|kept| kept.held.get_or_insert_default().push((request, callback)));
        }
        client.ask(AskSql(request), move |answer| {
            if let Err(failure) = &answer
                && failure.kind == FailureKind::FileChanged
            {
                app.note_stale(failure);
            }
            callback(answer);
        });
    }

    /// The second worker over the open file; it is started where there is none.
    pub(crate) fn open(&self, app: App) -> Option<Client> {
        let known = self.with(|kept| kept.client.clone());
        if known.is_some() {
            return known;
        }
        let FileState::Open(summary) = app.file.get_untracked() else { return None };
        let (_, files) = app.opened.get_untracked().and_then(|source| app.known_files(&source))?;
        let sql = *self;
        let client = Client::new(app.idle(), move |notice| {
            if let Notice::Died(death) = notice {
                sql.mourn(death);
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
            self.ask(app, SqlRequest::Describe, move |answer| {
                if let Ok(SqlResponse::Schema(schema)) = answer {
                    sql.with(|kept| kept.schema = Some(Arc::new(schema)));
                    sql.tell();
                }
            });
        }
    }

    fn mourn(&self, death: Death) {
        self.end_clock();
        self.with(|kept| {
            kept.client = None;
            kept.coming = (false, None);
        });
        if !self.is_running() {
            return;
        }
        self.show(Shown::Failed(match death {
            Death::NotStarted(why) => format!("The worker for SQL could not be started{why}. Reload the page."),
            Death::OutOfMemory => "There was not enough memory for this. Ask for fewer rows or columns, or group and sum more.".into(),
            Death::Stopped(why) => format!("The worker for SQL stopped{why}. Ask again."),
            Death::Unserved(why) => why,
        }));
    }

    /// Loads the rows from `first` on, where they are not here.
    pub(crate) fn want(&self, app: App, first: u32, count: u32, width: usize, rows: u32) {
        let here = self.with(|Kept { loaded, .. }| {
            let end = loaded.from + (loaded.cells.len() / width.max(1)) as u32;
            first >= loaded.from && (first + count).min(rows) <= end
        });
        if here || rows == 0 {
            return;
        }
        let from = first.saturating_sub(CHUNK.saturating_sub(count) / 2);
        if self.with(|kept| kept.coming.0) {
            // Only the last of many steps of a scroll counts.
            return self.with(|kept| kept.coming.1 = Some(from));
        }
        self.load(app, from, count);
    }

    fn load(&self, app: App, from: u32, count: u32) {
        let sql = *self;
        self.with(|kept| kept.coming = (true, None));
        self.ask(app, SqlRequest::ListRows { from, count: CHUNK.max(count * 2) }, move |answer| {
            let (_, next) = sql.with(|kept| std::mem::take(&mut kept.coming));
            if let Ok(SqlResponse::Rows(rows)) = answer {
                sql.find_ids(app, &rows.cells);
                sql.with(|kept| kept.loaded = Loaded { from: rows.from, cells: Arc::new(rows.cells) });
                sql.tell_rows();
            }
            if let Some(from) = next {
                sql.load(app, from, count);
            }
        });
    }

    /// Asks the first worker where ids lead; it knows once the file is indexed.
    fn find_ids(&self, app: App, cells: &[SqlCell]) {
        let sql = *self;
        let mut ids: Vec<String> = self.with(|kept| {
            let unknown = cells.iter().filter(|cell| cell.is_id && !kept.places.contains_key(&cell.text));
            unknown.map(|cell| cell.text.clone()).collect()
        });
        ids.sort_unstable();
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

    /// What is here is looked at again for ids: the index is complete now.
    pub(crate) fn find_ids_again(&self, app: App) {
        let loaded = self.with(|kept| kept.loaded.clone());
        self.find_ids(app, &loaded.cells);
    }
}

/// A database that lies in the memory of the first worker on its way to the second, in pieces, as a file of its own.
struct HandOver {
    sql: Sql,
    app: App,
    generation: u32,
    name: String,
    pieces: Array,
    /// The page waits for it.
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
            // The browser keeps what is in a blob, on its disk where it is much.
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
            sql.ask_boxed(app, request, callback);
        }
        drop(busy);
    }
}

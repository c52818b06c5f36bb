//! The state of the SQL screen: the second worker, the last query, and its result. Kept while other screens are shown.
//!
//! Not here: what changes it (`actions`), and elements (`pages`).

use crate::client::{Client, OnReply};
use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use quipu_protocol::markup::Node;
use quipu_protocol::{IdPlace, Request, SqlCell, SqlRan, SqlSchema, SqlWrong};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

/// The content below the editor.
#[derive(Clone, Default)]
pub(crate) enum Shown {
    /// No query was run.
    #[default]
    Nothing,
    /// A query is running.
    Running,
    /// A result.
    Table(Arc<SqlRan>),
    /// A query plan.
    Plan(Vec<Node>),
    /// An error in this query.
    Wrong(SqlWrong, String),
    /// The query failed; with a message.
    Failed(String),
}

/// The loaded rows.
#[derive(Clone, Default)]
pub(crate) struct Loaded {
    /// The index of the first row.
    pub(crate) from: u32,
    /// The cells, row after row.
    pub(crate) cells: Arc<Vec<SqlCell>>,
}

/// The state of the SQL screen that needs no signals.
#[derive(Default)]
pub(crate) struct Kept {
    /// The schema.
    pub(crate) schema: Option<Arc<SqlSchema>>,
    /// The content.
    pub(crate) shown: Shown,
    /// The loaded rows.
    pub(crate) loaded: Loaded,
    /// The link targets of ids in the result; `None` for values that are not ids of the file.
    pub(crate) places: HashMap<String, Option<IdPlace>>,
    /// The cell with the keyboard cursor: its row and column.
    pub(crate) cursor: (u32, u32),
    /// The scroll position of the result.
    pub(crate) top: f64,
    /// The query that was run last.
    pub(crate) asked: Option<String>,
    /// Whether a request for rows is pending, and the rows wanted after it.
    pub(crate) coming: (bool, Option<u32>),
    pub(crate) client: Option<Client>,
    /// Counts workers.
    pub(crate) generation: u32,
    /// Questions to a worker that does not have its file yet.
    pub(crate) held: Option<Vec<(Request, OnReply)>>,
    pub(crate) ticking: Option<IntervalHandle>,
}

/// The state of the SQL screen. `Copy`: every field is a handle. There are few types of signals, because each generates code.
#[derive(Clone, Copy)]
pub(crate) struct Sql {
    kept: StoredValue<Rc<RefCell<Kept>>, LocalStorage>,
    /// The text in the editor.
    pub(crate) draft: RwSignal<String>,
    /// Counts texts that were put into the editor by other means than typing.
    pub(crate) put: RwSignal<u32>,
    /// Counts changes of the content or the schema.
    changed: RwSignal<u32>,
    /// Counts changes of the loaded rows.
    pub(crate) rows_changed: RwSignal<u32>,
    /// Counts moves of the cursor.
    pub(crate) moved: RwSignal<u32>,
    /// Seconds since the running query was started.
    pub(crate) elapsed: RwSignal<f64>,
}

impl Sql {
    /// No query was run yet.
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

    /// Reads or changes the state, without notifying anybody.
    pub(crate) fn with<T>(&self, read: impl FnOnce(&mut Kept) -> T) -> T {
        let kept = self.kept.get_value();
        let mut kept = kept.borrow_mut();
        read(&mut kept)
    }

    /// The content; tracked.
    pub(crate) fn shown(&self) -> Shown {
        self.changed.track();
        self.with(|kept| kept.shown.clone())
    }

    /// The schema; tracked.
    pub(crate) fn schema(&self) -> Option<Arc<SqlSchema>> {
        self.changed.track();
        self.with(|kept| kept.schema.clone())
    }

    /// The result; `None` when something else is shown.
    pub(crate) fn table(&self) -> Option<Arc<SqlRan>> {
        self.with(|kept| match &kept.shown {
            Shown::Table(ran) => Some(ran.clone()),
            _ => None,
        })
    }

    /// Whether a query is running.
    pub(crate) fn is_running(&self) -> bool {
        self.with(|kept| matches!(kept.shown, Shown::Running))
    }

    pub(crate) fn show(&self, shown: Shown) {
        self.with(|kept| kept.shown = shown);
        self.tell();
    }

    /// Redraws the content.
    pub(crate) fn tell(&self) {
        self.changed.update(|times| *times += 1);
    }

    pub(crate) fn tell_rows(&self) {
        self.rows_changed.update(|times| *times += 1);
    }

    /// Moves the keyboard to a cell.
    pub(crate) fn move_to(&self, cell: (u32, u32)) {
        self.with(|kept| kept.cursor = cell);
        self.moved.update(|times| *times += 1);
    }

    /// Forgets results and schema, because another file is opened. The draft stays.
    pub(crate) fn reset(&self) {
        self.stop();
        self.with(|kept| {
            kept.schema = None;
            kept.places.clear();
            kept.asked = None;
        });
        self.show(Shown::Nothing);
    }

    /// Ends the worker: inside SQLite it handles no messages. The next query starts a new one.
    pub(crate) fn stop(&self) {
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

    /// Puts a text into the editor.
    pub(crate) fn write(&self, text: String) {
        self.draft.set(text);
        self.put.update(|times| *times += 1);
    }

    /// The query that was run last; empty if none was.
    pub(crate) fn asked(&self) -> String {
        self.changed.track();
        self.with(|kept| kept.asked.clone()).unwrap_or_default()
    }

    pub(crate) fn end_clock(&self) {
        if let Some(ticking) = self.with(|kept| kept.ticking.take()) {
            ticking.clear();
        }
    }
}

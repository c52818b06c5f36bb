//! The state of the SQL screen: the second worker, the last query, and its result. Kept while other screens are shown.
//!
//! What is not here: what changes it (`actions`), and elements (`pages`).

use crate::client::Client;
use leptos::leptos_dom::helpers::IntervalHandle;
use leptos::prelude::*;
use quipu_protocol::markup::Node;
use quipu_protocol::{Failure, IdPlace, SqlCell, SqlRan, SqlRequest, SqlResponse, SqlSchema, SqlWrong};
use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

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

/// Waits for an answer in SQL.
pub(crate) type Callback = Box<dyn FnOnce(Result<SqlResponse, Failure>)>;
pub(crate) type Held = (SqlRequest, Callback);

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
    pub(crate) asked: Option<String>,
    /// Whether rows are on their way, and those wanted after them.
    pub(crate) coming: (bool, Option<u32>),
    pub(crate) client: Option<Client>,
    /// Which worker this is.
    pub(crate) generation: u32,
    /// What was asked of a worker that does not have its file yet.
    pub(crate) held: Option<Vec<Held>>,
    pub(crate) ticking: Option<IntervalHandle>,
}

/// The state of the SQL screen. `Copy`: every field is a handle. There are few kinds of signals, because each is code of its own.
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

    pub(crate) fn show(&self, shown: Shown) {
        self.with(|kept| kept.shown = shown);
        self.tell();
    }

    /// What is shown is drawn anew.
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

    /// The query that was run last; empty where none was.
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

//! The list of traces, page by page as the window moves.
//!
//! What is not here: how it is drawn (`traces`).

use crate::state::App;
use leptos::prelude::*;
use quipu::protocol::{Request, Response, TracePage, TraceQuery, TraceRow};
use quipu::share::ListView;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows asked for at once.
const PAGE: u32 = 100;
/// Pages kept; beyond, those far from the window are dropped.
const KEPT: usize = 60;

/// What was loaded of the list.
#[derive(Clone, Copy)]
pub(crate) struct TraceList {
    pages: RwSignal<HashMap<u32, Arc<Vec<TraceRow>>>>,
    /// Rows of the whole list, once known.
    pub(crate) total: RwSignal<Option<u32>>,
    /// Rows known to be there.
    seen: RwSignal<u32>,
    /// Whether the list needs the whole index.
    pub(crate) not_indexed: RwSignal<bool>,
    /// Why it can't be listed.
    pub(crate) failure: RwSignal<Option<String>>,
    /// The row the keyboard is on.
    pub(crate) cursor: RwSignal<Option<u32>>,
    /// Counts lists: an answer for another one is dropped.
    generation: RwSignal<u32>,
    asked: StoredValue<HashSet<u32>>,
    shown_as: StoredValue<Option<ListView>>,
    /// Where the list was scrolled to, for the way back.
    pub(crate) scroll_top: StoredValue<f64>,
}

impl TraceList {
    /// Nothing loaded.
    pub(crate) fn new() -> TraceList {
        TraceList {
            pages: RwSignal::default(),
            total: RwSignal::new(None),
            seen: RwSignal::new(0),
            not_indexed: RwSignal::new(false),
            failure: RwSignal::new(None),
            cursor: RwSignal::new(None),
            generation: RwSignal::new(0),
            asked: StoredValue::new(HashSet::new()),
            shown_as: StoredValue::new(None),
            scroll_top: StoredValue::new(0.0),
        }
    }

    /// Forgets everything: another file, or another order.
    pub(crate) fn reset(&self) {
        self.pages.update(HashMap::clear);
        self.total.set(None);
        self.seen.set(0);
        self.cursor.set(None);
        self.scroll_top.set_value(0.0);
        self.shown_as.set_value(None);
        self.refresh();
    }

    /// Asks again for what is shown; what is there stays until its successor comes.
    pub(crate) fn refresh(&self) {
        self.asked.update_value(HashSet::clear);
        self.not_indexed.set(false);
        self.failure.set(None);
        self.generation.update(|generation| *generation += 1);
    }

    /// Asks again for what is not there: the worker that was asked is dead.
    pub(crate) fn ask_missing(&self) {
        let there: HashSet<u32> = self.pages.with_untracked(|pages| pages.keys().copied().collect());
        self.asked.set_value(there);
        self.generation.update(|generation| *generation += 1);
    }

    /// Rows to lay out: all, or those seen so far.
    pub(crate) fn len(&self) -> u32 {
        self.total.get().unwrap_or_else(|| self.seen.get())
    }

    /// [`TraceList::len`], without listening.
    pub(crate) fn len_untracked(&self) -> u32 {
        self.total.get_untracked().unwrap_or_else(|| self.seen.get_untracked())
    }

    /// Whether anything was answered yet.
    pub(crate) fn is_loaded(&self) -> bool {
        self.total.with(Option::is_some) || self.pages.with(|pages| !pages.is_empty())
    }

    /// The row at `place`, where it is loaded.
    pub(crate) fn row(&self, place: u32) -> Option<TraceRow> {
        self.pages.with(|pages| pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).cloned())
    }

    /// Tells two loads of the row at `place` apart: a row that came anew is drawn anew.
    pub(crate) fn row_load(&self, place: u32) -> usize {
        self.pages.with(|pages| pages.get(&(place / PAGE)).map_or(0, |page| Arc::as_ptr(page) as usize))
    }

    /// The trace id at `place`, without listening.
    pub(crate) fn trace_id(&self, place: u32) -> Option<String> {
        self.pages.with_untracked(|pages| {
            pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).map(|row| row.trace_id.clone())
        })
    }

    /// The longest duration among the loaded rows: the scale of the bars.
    pub(crate) fn longest(&self) -> u64 {
        self.pages.with(|pages| pages.values().flat_map(|page| page.iter()).filter_map(|row| row.duration_nanos).max().unwrap_or(0))
    }

    /// Sees to it that the rows `first..first + count` are loaded for `list`.
    pub(crate) fn want(&self, app: App, list: ListView, first: u32, count: u32) {
        let generation = self.generation.get();
        if self.shown_as.with_value(|shown| shown.as_ref() != Some(&list)) {
            let fresh = self.shown_as.with_value(Option::is_none);
            if !fresh {
                self.reset();
            }
            self.shown_as.set_value(Some(list.clone()));
            if !fresh {
                // The reset counts as a new list: this comes again.
                return;
            }
        }
        let last = first.saturating_add(count.max(1)) / PAGE;
        for page in first / PAGE..=last {
            let beyond = self.total.get_untracked().is_some_and(|total| page > 0 && page * PAGE >= total);
            let asked = self.asked.with_value(|asked| asked.contains(&page));
            if !beyond && !asked {
                self.asked.update_value(|asked| {
                    asked.insert(page);
                });
                self.load(app, &list, page, generation);
            }
        }
    }

    fn load(&self, app: App, list: &ListView, page: u32, generation: u32) {
        let query =
            TraceQuery { order: list.order, failed_only: list.failed_only, filter: list.filter.clone(), offset: page * PAGE, limit: PAGE };
        let this = *self;
        app.ask(Request::ListTraces(query), move |answer| {
            if this.generation.get_untracked() != generation {
                return;
            }
            match answer {
                Ok(Response::Traces(found)) => this.keep(page, found),
                Ok(Response::NotIndexedYet) => this.not_indexed.set(true),
                Ok(_) => this.failure.set(Some("The worker answered something else than traces; reload the page.".into())),
                Err(failure) => this.failure.set(Some(failure.message)),
            }
        });
    }

    fn keep(&self, page: u32, found: TracePage) {
        let end = page * PAGE + found.rows.len() as u32;
        // Without a total, a full page means that there may be more: one more page is laid out, and asked for when it is seen.
        let more = if found.rows.len() as u32 == PAGE { 1 } else { 0 };
        self.seen.update(|seen| *seen = (*seen).max(end + more));
        self.pages.update(|pages| {
            if pages.len() >= KEPT {
                pages.retain(|kept, _| kept.abs_diff(page) < KEPT as u32 / 2);
                let kept: HashSet<u32> = pages.keys().copied().collect();
                self.asked.update_value(|asked| asked.retain(|asked| *asked == page || kept.contains(asked)));
            }
            pages.insert(page, Arc::new(found.rows));
        });
        // Once known, it stays so: a worker that was restarted may not know it yet.
        if found.total.is_some() && self.total.get_untracked() != found.total {
            self.total.set(found.total);
        }
    }
}

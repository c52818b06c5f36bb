//! The list of traces and that of hits, page by page as the window moves.
//!
//! What is not here: how they are drawn (`traces`, `hits`).

use crate::browser::now;
use crate::state::App;
use leptos::prelude::*;
use quipu_model::format;
use quipu_protocol::address::ListView;
use quipu_protocol::{Failure, Grouping, HitPage, HitQuery, ListHits, ListTraces, SearchHit, TracePage, TraceQuery, TraceRow};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows asked for at once.
const PAGE: u32 = 100;
/// Pages kept; beyond, those far from the window are dropped.
const KEPT: usize = 60;
/// Milliseconds at least between two looks at a list that a search fills.
const LOOK_MS: f64 = 300.0;

/// A row of a list.
#[derive(PartialEq)]
pub(crate) enum Row {
    /// A trace, or a group of them.
    Trace(TraceRow),
    /// A span that holds a text.
    Hit(SearchHit),
}

impl Row {
    /// The id of what it shows, to be copied.
    pub(crate) fn id(&self) -> &str {
        match self {
            Row::Trace(row) => row.group.as_ref().map_or(&row.trace_id, |group| &group.key),
            Row::Hit(hit) => &hit.span_id,
        }
    }
}

/// What a list has rows of.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Traces, in groups or not.
    Traces,
    /// Spans that hold the filter's texts.
    Hits,
}

impl Listed {
    /// Asks for the rows `offset..offset + limit` of a list.
    fn ask(self, app: App, list: &ListView, offset: u32, limit: u32, callback: impl FnOnce(Result<Found, Failure>) + 'static) {
        let filter = list.filter.clone();
        match self {
            Listed::Traces => {
                let groups = list.group.map(|by| Grouping { by, open: list.open.clone() });
                let query = TraceQuery { order: list.order, failed_only: list.failed_only, filter, groups, offset, limit };
                app.ask(ListTraces(query), |answer| callback(answer.map(Found::from)));
            }
            Listed::Hits => {
                let query = HitQuery { filter, trace_id: None, offset, limit };
                app.ask(ListHits(query), |answer| callback(answer.map(Found::from)));
            }
        }
    }
}

/// Rows that were found, how many there are in all where that is known, and how many so far; and how many traces that is.
struct Found {
    rows: Vec<Row>,
    total: Option<u32>,
    so_far: u32,
    traces: u32,
}

impl From<TracePage> for Found {
    fn from(page: TracePage) -> Found {
        let rows = page.rows.into_iter().map(Row::Trace).collect();
        Found { rows, total: page.total, so_far: page.so_far, traces: page.traces }
    }
}

impl From<HitPage> for Found {
    fn from(page: HitPage) -> Found {
        let rows = page.hits.into_iter().map(Row::Hit).collect();
        Found { rows, total: page.total, so_far: page.so_far, traces: page.so_far }
    }
}

/// What was loaded of a list.
#[derive(Clone, Copy)]
pub(crate) struct PagedList {
    of: Listed,
    pages: RwSignal<HashMap<u32, Vec<Arc<Row>>>>,
    /// Rows of the whole list, once known.
    pub(crate) total: RwSignal<Option<u32>>,
    /// Rows to lay out while the total is unknown: those known to be there, and one where there may be more.
    seen: RwSignal<u32>,
    /// How many rows, and how many traces, were found so far.
    so_far: RwSignal<(u32, u32)>,
    /// Whether the list needs the whole index.
    pub(crate) not_indexed: RwSignal<bool>,
    /// Why it can't be listed.
    pub(crate) failure: RwSignal<Option<String>>,
    /// The row the keyboard is on.
    pub(crate) cursor: RwSignal<Option<u32>>,
    /// Counts lists: an answer for another one is dropped.
    generation: RwSignal<u32>,
    asked: StoredValue<HashSet<u32>>,
    /// Answers on their way, and when the list was looked at last.
    under_way: StoredValue<(u32, f64)>,
    shown_as: StoredValue<Option<ListView>>,
    /// Where the list was scrolled to, for the way back.
    pub(crate) scroll_top: StoredValue<f64>,
}

impl PagedList {
    /// Nothing loaded.
    pub(crate) fn new(of: Listed) -> Self {
        PagedList {
            of,
            pages: RwSignal::default(),
            total: RwSignal::new(None),
            seen: RwSignal::new(0),
            so_far: RwSignal::default(),
            not_indexed: RwSignal::new(false),
            failure: RwSignal::new(None),
            cursor: RwSignal::new(None),
            generation: RwSignal::new(0),
            asked: StoredValue::new(HashSet::new()),
            under_way: StoredValue::new((0, 0.0)),
            shown_as: StoredValue::new(None),
            scroll_top: StoredValue::new(0.0),
        }
    }

    /// Forgets everything: another file, or another order.
    pub(crate) fn reset(&self) {
        self.pages.update(HashMap::clear);
        self.total.set(None);
        self.seen.set(0);
        self.so_far.set((0, 0));
        self.cursor.set(None);
        self.scroll_top.set_value(0.0);
        self.shown_as.set_value(None);
        self.refresh();
    }

    /// Asks again for what is shown; what is there stays until its successor comes.
    pub(crate) fn refresh(&self) {
        self.asked.update_value(HashSet::clear);
        self.under_way.set_value((0, now()));
        self.not_indexed.set(false);
        self.failure.set(None);
        self.generation.update(|generation| *generation += 1);
    }

    /// Asks again because a search may have found more: not too often, and not while answers are on their way, unless this is the `last`
    /// look.
    pub(crate) fn look_again(&self, last: bool) {
        let (under_way, looked) = self.under_way.get_value();
        if last || (under_way == 0 && now() - looked >= LOOK_MS) {
            self.refresh();
        }
    }

    /// Asks again for what is not there: the worker that was asked is dead.
    pub(crate) fn ask_missing(&self) {
        let there: HashSet<u32> = self.pages.with_untracked(|pages| pages.keys().copied().collect());
        self.asked.set_value(there);
        self.under_way.set_value((0, 0.0));
        self.generation.update(|generation| *generation += 1);
    }

    /// Rows to lay out: all, or those seen so far.
    pub(crate) fn len(&self) -> u32 {
        self.total.get().unwrap_or_else(|| self.seen.get())
    }

    /// [`PagedList::len`], without listening.
    pub(crate) fn len_untracked(&self) -> u32 {
        self.total.get_untracked().unwrap_or_else(|| self.seen.get_untracked())
    }

    /// How many were found, so far or in all; nothing before any answer.
    pub(crate) fn count_text(&self, one: &str, many: &str) -> Option<String> {
        let so_far = if self.total.get().is_some() { "" } else { " so far" };
        self.is_loaded().then(|| format!("{}{so_far}", format::counted(Some(self.found().into()), one, many)))
    }

    /// How many traces, or hits, were found so far.
    pub(crate) fn found(&self) -> u32 {
        self.so_far.get().1
    }

    /// Changes when something else is listed, and when more of it was found.
    pub(crate) fn state(&self) -> (u32, u32, bool) {
        (self.generation.get(), self.found(), self.total.get().is_some())
    }

    /// Whether anything was answered yet.
    pub(crate) fn is_loaded(&self) -> bool {
        self.total.with(Option::is_some) || self.pages.with(|pages| !pages.is_empty())
    }

    /// The row at `place`, where it is loaded. One that came again as it was is the same.
    pub(crate) fn row(&self, place: u32) -> Option<Arc<Row>> {
        self.pages.with(|pages| pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).cloned())
    }

    /// [`PagedList::row`], without listening.
    pub(crate) fn row_untracked(&self, place: u32) -> Option<Arc<Row>> {
        self.pages.with_untracked(|pages| pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).cloned())
    }

    /// Calls `each` with every loaded row.
    pub(crate) fn visit(&self, mut each: impl FnMut(&Row)) {
        self.pages.with(|pages| pages.values().flatten().for_each(|row| each(row)));
    }

    /// Sees to it that the rows `first..first + count` are loaded for `list`.
    pub(crate) fn want(&self, app: App, list: ListView, first: u32, count: u32) {
        let generation = self.generation.get();
        let list = list.rows();
        if self.shown_as.with_value(|shown| shown.as_ref() != Some(&list)) {
            let closed = |list: &ListView| ListView { open: Vec::new(), ..list.clone() };
            let before = self.shown_as.get_value();
            let fresh = before.is_none();
            match before {
                // Groups that open or close move the rows below them; what is in sight stays until it is answered.
                Some(before) if closed(&before) == closed(&list) => self.refresh(),
                Some(_) => self.reset(),
                None => {}
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
                self.load(app, list.clone(), page, 0, generation);
            }
        }
    }

    /// Asks for the rows of a page behind its first `skip`.
    fn load(&self, app: App, list: ListView, page: u32, skip: u32, generation: u32) {
        let this = *self;
        self.under_way.update_value(|under_way| under_way.0 += 1);
        self.of.ask(app, &list.clone(), page * PAGE + skip, PAGE - skip, move |answer| {
            if this.generation.get_untracked() == generation {
                this.under_way.update_value(|under_way| under_way.0 -= 1);
                // Of large rows fewer come at once.
                if let Some(skip) = this.hear(page, skip, answer) {
                    this.load(app, list, page, skip, generation);
                }
            }
        });
    }

    /// Takes an answer over; how many rows of the page are here, where more of it are to be asked for.
    fn hear(&self, page: u32, skip: u32, answer: Result<Found, Failure>) -> Option<u32> {
        match answer {
            Ok(found) => {
                let (came, all) = (found.rows.len() as u32, found.so_far);
                self.keep(page, skip, found);
                let here = skip + came;
                return (came > 0 && here < PAGE && page * PAGE + here < all).then_some(here);
            }
            Err(failure) if failure.is_not_indexed_yet() => self.not_indexed.set(true),
            Err(failure) => self.failure.set(Some(failure.message)),
        }
        None
    }

    fn keep(&self, page: u32, skip: u32, found: Found) {
        let rows = skip + found.rows.len() as u32;
        let end = page * PAGE + rows;
        // Without a total, a full page means that there may be more: one more page is laid out, and asked for when it is seen.
        let more = if rows == PAGE { 1 } else { 0 };
        let seen = self.seen.get_untracked().max(end + more).max(found.so_far);
        if seen != self.seen.get_untracked() {
            self.seen.set(seen);
        }
        let so_far = (found.so_far, found.traces);
        if so_far != self.so_far.get_untracked() {
            self.so_far.set(so_far);
        }
        self.pages.update(|pages| {
            if pages.len() >= KEPT {
                pages.retain(|kept, _| kept.abs_diff(page) < KEPT as u32 / 2);
                let kept: HashSet<u32> = pages.keys().copied().collect();
                self.asked.update_value(|asked| asked.retain(|asked| *asked == page || kept.contains(asked)));
            }
            // What came as it was is not drawn again.
            let mut kept: Vec<Arc<Row>> = pages.remove(&page).unwrap_or_default();
            let known = kept.split_off(kept.len().min(skip as usize));
            let keep = |(at, row): (usize, Row)| known.get(at).filter(|known| ***known == row).cloned().unwrap_or_else(|| Arc::new(row));
            kept.extend(found.rows.into_iter().enumerate().map(keep));
            pages.insert(page, kept);
        });
        // Once known, it stays so: a worker that was restarted may not know it yet.
        if found.total.is_some() && self.total.get_untracked() != found.total {
            self.total.set(found.total);
        }
    }
}

//! The rows of the lists of traces, of matches and of log records, page by page.
//!
//! Not here: asking for them (`actions`), and how they are drawn (`pages`).

use crate::browser::now;
use leptos::prelude::*;
use quipu_model::format;
use quipu_model::number::narrow;
use quipu_protocol::address::{ListView, LogView};
use quipu_protocol::{LogItem, SearchHit, TraceRow};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows requested at once.
pub(crate) const PAGE: u32 = 100;
/// Pages kept; beyond that, pages far from the view are dropped.
const KEPT: usize = 60;
/// The minimum interval between two requests of a list that a search fills, in milliseconds.
const LOOK_MS: f64 = 300.0;

/// A row of a list.
#[derive(PartialEq)]
#[expect(clippy::large_enum_variant, reason = "nearly all rows are traces")]
pub(crate) enum Row {
    /// A trace, or a group of them.
    Trace(TraceRow),
    /// A span that matches a search.
    Hit(SearchHit),
    /// A log record.
    Log(LogItem),
}

impl Row {
    /// The id of the row's subject, for copying.
    pub(crate) fn id(&self) -> &str {
        match self {
            Row::Trace(row) => row.group.as_ref().map_or(&row.trace_id, |group| &group.key),
            Row::Hit(hit) => &hit.span_id,
            Row::Log(log) => log.trace_id.as_deref().unwrap_or_default(),
        }
    }
}

/// The kind of rows in a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listed {
    /// Traces, grouped or not.
    Traces,
    /// Spans that contain the filter's texts.
    Hits,
    /// Log records.
    Logs,
}

/// What the rows of a list depend on.
#[derive(Clone, PartialEq)]
pub(crate) enum ListedBy {
    /// Traces and matches.
    List(ListView),
    /// Log records.
    Logs(LogView),
}

impl ListedBy {
    /// Without what does not change the rows.
    pub(crate) fn rows(&self) -> ListedBy {
        match self {
            ListedBy::List(view) => ListedBy::List(view.rows()),
            ListedBy::Logs(view) => ListedBy::Logs(view.rows()),
        }
    }

    /// With all groups closed.
    pub(crate) fn closed(&self) -> ListedBy {
        match self {
            ListedBy::List(view) => ListedBy::List(ListView { open: Vec::new(), ..view.clone() }),
            ListedBy::Logs(view) => ListedBy::Logs(view.clone()),
        }
    }
}

/// A loaded part of a list.
pub(crate) struct LoadedRows {
    pub(crate) rows: Vec<Row>,
    /// Rows of the whole list, once known.
    pub(crate) total: Option<u32>,
    /// Rows found so far.
    pub(crate) so_far: u32,
    /// Traces found so far.
    pub(crate) traces: u32,
}

/// The loaded rows of a list. `Copy`: every field is a handle.
#[derive(Clone, Copy)]
pub(crate) struct PagedList {
    pub(crate) of: Listed,
    pages: RwSignal<HashMap<u32, Vec<Arc<Row>>>>,
    /// Rows of the whole list, once known.
    pub(crate) total: RwSignal<Option<u32>>,
    /// Rows to lay out while the total is unknown: the known ones, and one more if there may be more.
    seen: RwSignal<u32>,
    /// The number of rows, and of traces, found so far.
    so_far: RwSignal<(u32, u32)>,
    /// Whether the list needs the complete index.
    pub(crate) not_indexed: RwSignal<bool>,
    /// Why listing failed.
    pub(crate) failure: RwSignal<Option<String>>,
    /// The row with the keyboard cursor.
    pub(crate) cursor: RwSignal<Option<u32>>,
    /// Counts changes of the list: an answer for an earlier one is dropped.
    pub(crate) generation: RwSignal<u32>,
    pub(crate) asked: StoredValue<HashSet<u32>>,
    /// The number of pending requests, and when the list was requested last.
    pub(crate) under_way: StoredValue<(u32, f64)>,
    pub(crate) shown_as: StoredValue<Option<ListedBy>>,
    /// The scroll position, restored when the reader returns.
    pub(crate) scroll_top: StoredValue<f64>,
}

impl PagedList {
    /// An empty list.
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

    /// Forgets everything, for another file or another order.
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

    /// Requests the shown rows again; the loaded ones stay until the answers arrive.
    pub(crate) fn refresh(&self) {
        self.asked.update_value(HashSet::clear);
        self.under_way.set_value((0, now()));
        self.not_indexed.set(false);
        self.failure.set(None);
        self.generation.update(|generation| *generation += 1);
    }

    /// Requests the rows again because a search may have found more: not too often, and not while requests are pending, unless this is the
    /// `last` time.
    pub(crate) fn look_again(&self, last: bool) {
        let (under_way, looked) = self.under_way.get_value();
        if last || (under_way == 0 && now() - looked >= LOOK_MS) {
            self.refresh();
        }
    }

    /// Requests missing rows again, because the worker that was asked has exited.
    pub(crate) fn ask_missing(&self) {
        let there: HashSet<u32> = self.pages.with_untracked(|pages| pages.keys().copied().collect());
        self.asked.set_value(there);
        self.under_way.set_value((0, 0.0));
        self.generation.update(|generation| *generation += 1);
    }

    /// The number of rows to lay out: all, or those known so far.
    pub(crate) fn len(&self) -> u32 {
        self.total.get().unwrap_or_else(|| self.seen.get())
    }

    /// [`PagedList::len`], without tracking.
    pub(crate) fn len_untracked(&self) -> u32 {
        self.total.get_untracked().unwrap_or_else(|| self.seen.get_untracked())
    }

    /// How many were found, so far or in total, as text; `None` before the first answer.
    pub(crate) fn count_text(&self, one: &str, many: &str) -> Option<String> {
        let so_far = if self.total.get().is_some() { "" } else { " so far" };
        self.is_loaded().then(|| format!("{}{so_far}", format::counted(Some(self.found().into()), one, many)))
    }

    /// The number of traces, or matches, found so far.
    pub(crate) fn found(&self) -> u32 {
        self.so_far.get().1
    }

    /// Changes when another list is shown, or more of it was found.
    pub(crate) fn state(&self) -> (u32, u32, bool) {
        (self.generation.get(), self.found(), self.total.get().is_some())
    }

    /// Whether any rows were answered yet.
    pub(crate) fn is_loaded(&self) -> bool {
        self.total.with(Option::is_some) || self.pages.with(|pages| !pages.is_empty())
    }

    /// The row at `place`, if it is loaded. A row that did not change stays the same `Arc`.
    pub(crate) fn row(&self, place: u32) -> Option<Arc<Row>> {
        self.pages.with(|pages| pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).cloned())
    }

    /// [`PagedList::row`], without tracking.
    pub(crate) fn row_untracked(&self, place: u32) -> Option<Arc<Row>> {
        self.pages.with_untracked(|pages| pages.get(&(place / PAGE)).and_then(|page| page.get((place % PAGE) as usize)).cloned())
    }

    /// Calls `each` with every loaded row.
    pub(crate) fn visit(&self, mut each: impl FnMut(&Row)) {
        self.pages.with(|pages| pages.values().flatten().for_each(|row| each(row)));
    }

    /// Takes over the rows of a page after its first `skip`.
    pub(crate) fn keep(&self, page: u32, skip: u32, found: LoadedRows) {
        let rows = skip + narrow(found.rows.len());
        let end = page * PAGE + rows;
        // Without a total, a full page means that there may be more: one more row is laid out, and requested when it comes into view.
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
                pages.retain(|kept, _| kept.abs_diff(page) < narrow(KEPT) / 2);
                let kept: HashSet<u32> = pages.keys().copied().collect();
                self.asked.update_value(|asked| asked.retain(|asked| *asked == page || kept.contains(asked)));
            }
            // Rows that did not change are not redrawn.
            let mut kept: Vec<Arc<Row>> = pages.remove(&page).unwrap_or_default();
            let known = kept.split_off(kept.len().min(skip as usize));
            let keep = |(at, row): (usize, Row)| known.get(at).filter(|known| ***known == row).cloned().unwrap_or_else(|| Arc::new(row));
            kept.extend(found.rows.into_iter().enumerate().map(keep));
            pages.insert(page, kept);
        });
        // Once known, the total stays: a restarted worker may not know it yet.
        if found.total.is_some() && self.total.get_untracked() != found.total {
            self.total.set(found.total);
        }
    }
}

//! Requests the rows of the lists, page by page as the reader scrolls.

use crate::state::{App, Listed, ListedBy, LoadedRows, PAGE, PagedList, Row};
use leptos::prelude::*;
use quipu_model::number::narrow;
use quipu_protocol::address::{LogView, Screen};
use quipu_protocol::{Failure, Grouping, HitPage, HitQuery, ListHits, ListLogs, ListTraces, LogListQuery, TracePage, TraceQuery};
use std::ops::Range;
use std::sync::Arc;

/// Bars of the chart of log records.
const BARS: u16 = 160;

impl Listed {
    /// Asks for the rows `offset..offset + limit` of a list.
    fn ask(self, app: App, list: &ListedBy, offset: u32, limit: u32, callback: impl FnOnce(Result<LoadedRows, Failure>) + 'static) {
        let ListedBy::List(list) = list else { return };
        let filter = list.filter.clone();
        match self {
            // They are asked for until they were all read.
            Listed::Logs => {}
            Listed::Traces => {
                let groups = list.group.map(|by| Grouping { by, open: list.open.clone() });
                let query = TraceQuery { order: list.order, failed_only: list.failed_only, filter, groups, offset, limit };
                app.ask(ListTraces(query), |answer| callback(answer.map(LoadedRows::from)));
            }
            Listed::Hits => {
                let query = HitQuery { filter, trace_id: None, offset, limit };
                app.ask(ListHits(query), |answer| callback(answer.map(LoadedRows::from)));
            }
        }
    }
}

impl From<TracePage> for LoadedRows {
    fn from(page: TracePage) -> LoadedRows {
        let rows = page.rows.into_iter().map(Row::Trace).collect();
        LoadedRows { rows, total: page.total, so_far: page.so_far, traces: page.traces }
    }
}

impl From<HitPage> for LoadedRows {
    fn from(page: HitPage) -> LoadedRows {
        let rows = page.hits.into_iter().map(Row::Hit).collect();
        LoadedRows { rows, total: page.total, so_far: page.so_far, traces: page.so_far }
    }
}

impl PagedList {
    /// Loads these rows of `list`, if they are not loaded.
    pub(crate) fn want(&self, app: App, list: ListedBy, rows: Range<u32>) {
        let generation = self.generation.get();
        let list = list.rows();
        if self.shown_as.with_value(|shown| shown.as_ref() != Some(&list)) {
            let before = self.shown_as.get_value();
            let fresh = before.is_none();
            match before {
                // Opening or closing a group moves the rows below it; they stay in view until the answer arrives.
                Some(before) if before.closed() == list.closed() => self.refresh(),
                Some(_) => self.reset(),
                None => {}
            }
            self.shown_as.set_value(Some(list.clone()));
            if !fresh {
                // The reset notifies the caller, which calls this again.
                return;
            }
        }
        let last = rows.end.max(rows.start.saturating_add(1)) / PAGE;
        for page in rows.start / PAGE..=last {
            let beyond = self.total.get_untracked().is_some_and(|total| page > 0 && page * PAGE >= total);
            let asked = self.asked.with_value(|asked| asked.contains(&page));
            if !beyond && !asked {
                self.asked.update_value(|asked| {
                    asked.insert(page);
                });
                match &list {
                    ListedBy::List(_) => self.load(app, list.clone(), page, 0, generation),
                    ListedBy::Logs(view) => self.load_logs(app, view.clone(), page, generation),
                }
            }
        }
    }

    /// Requests the rows of a page after its first `skip`.
    fn load(&self, app: App, list: ListedBy, page: u32, skip: u32, generation: u32) {
        let this = *self;
        self.under_way.update_value(|under_way| under_way.0 += 1);
        self.of.ask(app, &list.clone(), page * PAGE + skip, PAGE - skip, move |answer| {
            if this.generation.get_untracked() == generation {
                this.under_way.update_value(|under_way| under_way.0 -= 1);
                // An answer with large rows has fewer of them.
                if let Some(skip) = this.on_rows(page, skip, answer) {
                    this.load(app, list, page, skip, generation);
                }
            }
        });
    }

    /// Requests a page of log records, again until the file was read for them; what is found meanwhile is shown.
    fn load_logs(&self, app: App, view: LogView, page: u32, generation: u32) {
        let this = *self;
        let LogView { filter, min_severity, oldest_first, .. } = view.clone();
        let query = LogListQuery { filter, min_severity, oldest_first, offset: page * PAGE, limit: PAGE, bars: BARS };
        app.ask(ListLogs(query), move |answer| {
            if this.generation.get_untracked() != generation {
                return;
            }
            let mut answer = match answer {
                Ok(answer) => answer,
                Err(failure) => {
                    this.on_rows(page, 0, Err(failure));
                    return;
                }
            };
            let items = std::mem::take(&mut answer.items);
            let (is_done, total) = (answer.reading.done, answer.total);
            app.log_page.set(Some(Arc::new(answer)));
            let rows = items.into_iter().map(Row::Log).collect();
            this.keep(page, 0, LoadedRows { rows, total: is_done.then_some(total), so_far: total, traces: total });
            if is_done {
                return;
            }
            if app.view.with_untracked(|view| matches!(view.screen, Screen::Logs(_))) {
                this.load_logs(app, view, page, generation);
            } else {
                // It goes on when the reader comes back.
                this.asked.update_value(|asked| {
                    asked.remove(&page);
                });
            }
        });
    }

    /// Takes over an answer. Returns how many rows of the page are loaded, if more have to be requested.
    fn on_rows(&self, page: u32, skip: u32, answer: Result<LoadedRows, Failure>) -> Option<u32> {
        match answer {
            Ok(found) => {
                let (came, all) = (narrow(found.rows.len()), found.so_far);
                self.keep(page, skip, found);
                let here = skip + came;
                return (came > 0 && here < PAGE && page * PAGE + here < all).then_some(here);
            }
            Err(failure) if failure.is_not_indexed_yet() => self.not_indexed.set(true),
            Err(failure) => self.failure.set(Some(failure.message)),
        }
        None
    }
}

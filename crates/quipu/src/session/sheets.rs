//! The tabs of a trace: reads the data here, and renders it with `quipu_ui::render`.

use super::{Session, conversation, figures, no_request};
use quipu_model::Cost;
use quipu_model::llm::ConversationPage;
use quipu_model::ordered::sort_by;
use quipu_protocol::FlameWeight;
use quipu_protocol::TraceTab;
use quipu_protocol::markup::Node;
use quipu_protocol::{Failure, SheetQuery, TraceColumns, TraceScope};
use quipu_ui::render::{FlameShown, FlameSource, LOGS_PAGE, conversation_sheet, flame_sheet, logs_sheet, statistics_sheet};
use quipu_ui::view::{FlameGraph, FlameOrder, FlameWindow, LogPage, LogQuery, NameStatistics, Usage};
use std::rc::Rc;

/// Maximum number of names to choose from.
const MAX_NAMES: usize = 500;

/// A conversation, and the request it was read for.
pub(super) struct CachedConversation {
    trace: u32,
    whole_session: bool,
    request: Option<String>,
    page: Rc<ConversationPage>,
}

impl Session {
    /// The conversation of a trace, or of all traces of its agent session. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist; when its spans can't be read.
    pub fn conversation(&self, trace_id: &str, whole_session: bool) -> Result<Rc<ConversationPage>, Failure> {
        self.conversation_of(trace_id, whole_session, None)
    }

    /// Like [`Self::conversation`]. Unless it is for the whole session, it can be restricted to the request whose root is the span with id
    /// `request`.
    fn conversation_of(&self, trace_id: &str, whole_session: bool, request: Option<&str>) -> Result<Rc<ConversationPage>, Failure> {
        let trace = self.trace_number(trace_id)?;
        let request = request.filter(|_| !whole_session);
        let is_same =
            |said: &&CachedConversation| (said.trace, said.whole_session, said.request.as_deref()) == (trace, whole_session, request);
        if let Some(said) = self.said.borrow().as_ref().filter(is_same) {
            return Ok(said.page.clone());
        }
        let rows = self.rows_of_request(trace, request)?;
        let read = || conversation::of_trace(&self.database, &self.index, trace, whole_session, rows.as_deref());
        let mut page = self.database.bounded(read)?;
        page.notes.splice(0..0, self.request_note(trace, request));
        let page = Rc::new(page);
        *self.said.borrow_mut() =
            Some(CachedConversation { trace, whole_session, request: request.map(str::to_owned), page: page.clone() });
        Ok(page)
    }

    /// The rows of one request of a trace, ascending; `None` if `request` is `None`.
    fn rows_of_request(&self, trace: u32, request: Option<&str>) -> Result<Option<Vec<u32>>, Failure> {
        let Some(request) = request else { return Ok(None) };
        self.index.request_rows(trace, request).ok_or_else(|| no_request(request)).map(Some)
    }

    /// A note that only one request of several is shown.
    fn request_note(&self, trace: u32, request: Option<&str>) -> Option<String> {
        let row = self.index.find_span(request?)?;
        let count = self.index.request_count(trace);
        let name = self.index.span_name(row);
        Some(format!("Only the request {name} is shown here, one of {count} that the server merged into this trace."))
    }

    /// A page of the events of a trace, by time. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist; when its events can't be read.
    pub fn logs(&self, trace_id: &str, query: LogQuery) -> Result<LogPage, Failure> {
        self.logs_of(trace_id, None, query)
    }

    /// Like [`Self::logs`], optionally for a single request.
    fn logs_of(&self, trace_id: &str, request: Option<&str>, query: LogQuery) -> Result<LogPage, Failure> {
        let trace = self.trace_number(trace_id)?;
        let rows = self.rows_of_request(trace, request)?;
        let read = || self.trace_logs.borrow_mut().page(&self.database, &self.index, trace, rows.as_deref(), query);
        let mut page = self.database.bounded(read)?;
        page.notes.splice(0..0, self.request_note(trace, request));
        Ok(page)
    }

    /// Statistics of a trace by span name, the name with the most self time first. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist.
    pub fn statistics(&self, trace_id: &str) -> Result<Vec<NameStatistics>, Failure> {
        let columns = self.columns(self.trace_number(trace_id)?, &TraceScope::default())?;
        Ok(figures::statistics(&columns, &self.usage(&columns)))
    }

    /// The boxes of a trace's flame graph. For a complete index only.
    ///
    /// # Errors
    /// When the trace does not exist.
    pub fn flame(&self, trace_id: &str, order: &FlameOrder, weight: FlameWeight, window: FlameWindow) -> Result<FlameGraph, Failure> {
        let columns = self.columns(self.trace_number(trace_id)?, &TraceScope::default())?;
        Ok(figures::flame(&columns, &self.usage(&columns), order, weight, window))
    }

    pub(super) fn sheet(&self, query: &SheetQuery) -> Result<Vec<Node>, Failure> {
        let trace = self.trace_number(&query.trace_id)?;
        let zero = self.index.trace_rows(trace).iter().filter_map(|row| self.index.start_of(*row)).min();
        let view = &query.view;
        let request = query.scope.request.as_deref();
        Ok(match query.tab {
            TraceTab::Timeline => Vec::new(),
            TraceTab::Conversation => {
                let page = self.conversation_of(&query.trace_id, view.whole_session, request)?;
                let zero = if view.whole_session { page.conversation.turns.first().and_then(|turn| turn.start) } else { zero };
                conversation_sheet(&page, zero, view)
            }
            TraceTab::Logs => {
                let page =
                    |offset| self.logs_of(&query.trace_id, request, LogQuery { min_severity: view.min_severity, offset, limit: LOGS_PAGE });
                let offset = view.page as usize * LOGS_PAGE;
                let mut found = page(offset)?;
                if found.rows.is_empty() && found.total > 0 {
                    // A page beyond the last one is replaced by the last one.
                    found = page((found.total as usize - 1) / LOGS_PAGE * LOGS_PAGE)?;
                }
                logs_sheet(&found, zero, view)
            }
            TraceTab::Statistics => {
                let columns = self.columns(trace, &query.scope)?;
                let id_of = |row: u32| columns.span_id.get(row as usize).unwrap_or_default();
                statistics_sheet(&figures::statistics(&columns, &self.usage(&columns)), columns.duration_nanos, &id_of, view)
            }
            TraceTab::Flame => {
                let columns = self.columns(trace, &query.scope)?;
                flame(&columns, &self.usage(&columns), query)
            }
        })
    }
}

/// The span names of a trace in alphabetical order.
fn names(columns: &TraceColumns) -> Vec<String> {
    let mut names: Vec<String> = columns.names.iter().take(MAX_NAMES).map(str::to_owned).collect();
    sort_by(&mut names, String::cmp);
    names
}

fn flame(columns: &TraceColumns, usage: &Usage, query: &SheetQuery) -> Vec<Node> {
    let selected = query.span_id.as_deref().and_then(|id| columns.span_id.find(id));
    let source = FlameSource {
        names: &|name| columns.names.get(name as usize).unwrap_or_default().to_owned(),
        span: &|row| {
            let kind = columns.kind.get(row as usize).copied().unwrap_or(quipu_model::SpanKind::Other);
            (columns.span_id.get(row as usize).unwrap_or_default(), kind)
        },
        graph: &|order, weight, window| figures::flame(columns, usage, order, weight, window),
        has_tokens: !usage.tokens.is_empty(),
        cost: Cost::sum(usage.costs.iter().map(|(_, cost)| *cost)),
        all_names: names(columns),
        name: columns.name_of(selected.unwrap_or(0) as usize).to_owned(),
        selected,
    };
    flame_sheet(&source, &FlameShown { view: &query.view, window: query.window, find: &query.find, width: query.width })
}

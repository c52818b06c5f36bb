//! Trace lists, with and without a filter, and completions for the filter.
//!
//! Not here: the first rows before the index is complete (`first`), the filter language (`filter`), full-text search (`search`).

use super::asked::Asked;
use super::{Session, bad_request, first};
use crate::index;
use crate::index::filter::{Counts, decide, suggest};
use crate::index::{Decided, Groups, Index};
use crate::search::Searches;
use quipu_protocol::filter::Filter;
use quipu_protocol::{Failure, Grouping, Suggestions, SummaryQuery, TraceOrder, TracePage, TraceQuery, TraceSummary};
use quipu_store::under_one_lock;
use quipu_ui::view::scatter;

/// Number of cached sort orders.
const MAX_CACHED_ORDERS: usize = 6;

/// Caches the last list for paging, recent sort orders, and the counts behind suggestions.
#[derive(Default)]
pub(super) struct Listing {
    filter: String,
    /// `None` before the first filter.
    decided: Option<Decided>,
    /// Sorted lists of all traces, most recently used last. Each takes four bytes per trace.
    orders: Vec<(TraceOrder, Vec<u32>)>,
    /// The last list; only if it belongs to `filter` and its answer is complete.
    listed: Option<Listed>,
    counts: Option<Counts>,
}

/// The matching traces in an order, and their groups.
struct Listed {
    order: TraceOrder,
    failed_only: bool,
    is_filtered: bool,
    traces: Vec<u32>,
    groups: Option<Groups>,
}

impl Listing {
    /// The traces that match a filter, as far as is known. Starts the searches it needs.
    ///
    /// # Errors
    /// When the filter is invalid.
    pub(super) fn decide(&mut self, filter: &str, index: &Index, searches: &mut Searches) -> Result<&Decided, Failure> {
        let is_settled = self.filter == filter && self.decided.as_ref().is_some_and(Decided::is_known);
        if !is_settled {
            // While a search is running, the answer is recomputed on every call.
            let parsed = parse(filter)?;
            self.decided = None;
            self.listed = None;
            self.filter = filter.to_owned();
            let decided = decide(&parsed, index, &mut |wanted| searches.decided(wanted, index));
            self.decided = Some(decided);
        }
        Ok(self.decided.get_or_insert_default())
    }

    /// All traces in an order.
    fn ordered<'a>(&'a mut self, order: TraceOrder, index: &'a Index) -> &'a [u32] {
        if order == TraceOrder::NEWEST {
            return index.newest_traces();
        }
        let found = match self.orders.iter().position(|(known, _)| *known == order) {
            Some(at) => self.orders.remove(at),
            None => (order, index.sorted_traces(order)),
        };
        if self.orders.len() >= MAX_CACHED_ORDERS {
            self.orders.remove(0);
        }
        self.orders.push(found);
        self.orders.last().map(|(_, traces)| traces.as_slice()).unwrap_or_default()
    }

    fn page(
        &mut self,
        query: &TraceQuery,
        index: &Index,
        searches: &mut Searches,
        asked: &dyn Fn(u32) -> Option<String>,
    ) -> Result<TracePage, Failure> {
        let is_filtered = !query.filter.trim().is_empty();
        let is_known = !is_filtered || self.decide(&query.filter, index, searches)?.is_known();
        if !is_filtered && !query.failed_only && query.groups.is_none() {
            let traces = self.ordered(query.order, index);
            return Ok(index.trace_page(query, &index::Listing::Traces(traces), traces.len(), asked));
        }
        let is_wanted =
            |listed: &Listed| (listed.order, listed.failed_only, listed.is_filtered) == (query.order, query.failed_only, is_filtered);
        let mut listed = match self.listed.take().filter(is_wanted) {
            Some(listed) => listed,
            None => {
                let decided = if is_filtered { self.decided.take() } else { None };
                let is_listed = |trace: u32| {
                    decided.as_ref().is_none_or(|decided| decided.yes.has(trace)) && (!query.failed_only || index.has_failed(trace))
                };
                let traces = self.ordered(query.order, index).iter().copied().filter(|trace| is_listed(*trace)).collect();
                if is_filtered {
                    self.decided = decided;
                }
                Listed { order: query.order, failed_only: query.failed_only, is_filtered, traces, groups: None }
            }
        };
        let traces = listed.traces.len();
        let mut page = match &query.groups {
            None => index.trace_page(query, &index::Listing::Traces(&listed.traces), traces, asked),
            Some(Grouping { by, open }) => {
                let known = listed.groups.take().filter(|groups| groups.by == *by);
                let groups = listed.groups.insert(known.unwrap_or_else(|| Groups::collect(index, &listed.traces, *by, query.order)));
                groups.set_open(index, open);
                index.trace_page(query, &index::Listing::Groups(groups), traces, asked)
            }
        };
        self.listed = Some(listed);
        if !is_known {
            page.total = None;
        }
        Ok(page)
    }

    fn summary(&mut self, query: &SummaryQuery, index: &Index, searches: &mut Searches) -> Result<TraceSummary, Failure> {
        let is_filtered = !query.filter.trim().is_empty();
        let decided = if is_filtered { Some(self.decide(&query.filter, index, searches)?) } else { None };
        let traces: Vec<u32> = (0..index.trace_count())
            .filter(|trace| decided.is_none_or(|decided| decided.yes.has(*trace)) && (!query.failed_only || index.has_failed(*trace)))
            .collect();
        Ok(TraceSummary {
            whole: decided.is_none_or(Decided::is_known),
            totals: index.list_totals(&traces),
            scatter: scatter(&mut index.scatter_points(&traces), query.cells),
        })
    }
}

pub(super) fn parse(filter: &str) -> Result<Filter, Failure> {
    Filter::parse(filter).map_err(|error| bad_request(error.message))
}

impl Session {
    pub(super) fn list_traces(&mut self, query: &TraceQuery) -> Result<TracePage, Failure> {
        if self.index.is_complete() {
            let asked = Asked::new(&self.database, &self.index);
            let (listing, searches) = (&mut self.listing, &mut self.searches);
            let page = || listing.page(query, &self.index, searches, &|trace| asked.line(trace));
            return under_one_lock(self.database.connection(), page);
        }
        let is_filtered = !query.filter.trim().is_empty();
        if is_filtered {
            parse(&query.filter)?;
        }
        let is_other = is_filtered || query.failed_only || query.groups.is_some() || query.order != TraceOrder::NEWEST;
        if is_other || query.offset >= first::MAX_ROWS {
            return Err(Failure::not_indexed_yet());
        }
        Ok(self.database.bounded(|| first::newest(&self.database, query))?)
    }

    /// What a whole list has in all, as far as is known.
    pub(super) fn summarize_traces(&mut self, query: &SummaryQuery) -> Result<TraceSummary, Failure> {
        self.require_index()?;
        self.listing.summary(query, &self.index, &mut self.searches)
    }

    /// Before the index is complete only what the language itself knows is suggested.
    pub(super) fn suggest(&mut self, filter: &str, cursor: u32) -> Suggestions {
        let known = if self.index.is_complete() {
            let counts = self.listing.counts.get_or_insert_with(|| Counts::of(&self.index));
            Some((&*self.index, &*counts))
        } else {
            None
        };
        suggest(filter, cursor as usize, known)
    }
}

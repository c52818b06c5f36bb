//! Lists of traces, filtered and not, and how a filter that is being typed may go on.
//!
//! What is not here: the first rows before there is an index (`first`), the language (`filter`), the search for texts (`search`).

use super::{Session, bad_request, first};
use crate::filter::{Counts, Filter, decide, suggest};
use crate::index::{Decided, Index};
use crate::protocol::{Failure, Response, TraceOrder, TraceQuery};
use crate::search::Searches;

/// The last filtered list, so that its pages are not decided again, and what suggestions are counted from.
#[derive(Default)]
pub(super) struct Listing {
    filter: String,
    /// `None` before the first filter.
    decided: Option<Decided>,
    /// The traces that match for sure, in this order; for an answer that is whole.
    ordered: Option<(TraceOrder, bool, Vec<u32>)>,
    counts: Option<Counts>,
}

impl Listing {
    /// Which traces a filter matches, as far as is known. Searches for its texts that were not asked for yet begin.
    ///
    /// # Errors
    /// What is wrong with the filter.
    pub(super) fn decide(&mut self, filter: &str, index: &Index, searches: &mut Searches) -> Result<&Decided, Failure> {
        let is_settled = self.filter == filter && self.decided.as_ref().is_some_and(Decided::is_known);
        if !is_settled {
            // What a search found meanwhile is not told: an answer that waits for one is made anew.
            let parsed = parse(filter)?;
            self.decided = None;
            self.ordered = None;
            self.filter = filter.to_owned();
            let decided = decide(&parsed, index, &mut |wanted| searches.decided(wanted, index));
            self.decided = Some(decided);
        }
        Ok(self.decided.get_or_insert_default())
    }

    fn page(&mut self, query: &TraceQuery, index: &Index, searches: &mut Searches) -> Result<Response, Failure> {
        self.decide(&query.filter, index, searches)?;
        let decided = self.decided.get_or_insert_default();
        let is_known = decided.is_known();
        let is_listed = |listed: &(TraceOrder, bool, Vec<u32>)| (listed.0, listed.1) == (query.order, query.failed_only);
        if !self.ordered.as_ref().is_some_and(is_listed) {
            let order = index.ordered_traces(query.order, query.failed_only);
            let matching = order.iter().copied().filter(|trace| decided.yes.has(*trace)).collect();
            self.ordered = Some((query.order, query.failed_only, matching));
        }
        let traces = self.ordered.as_ref().map(|(_, _, traces)| traces.as_slice()).unwrap_or_default();
        let mut page = index.trace_page(query, traces);
        if !is_known {
            page.total = None;
        }
        Ok(Response::Traces(page))
    }
}

pub(super) fn parse(filter: &str) -> Result<Filter, Failure> {
    Filter::parse(filter).map_err(|error| bad_request(error.message))
}

impl Session {
    pub(super) fn list_traces(&mut self, query: &TraceQuery) -> Result<Response, Failure> {
        let is_filtered = !query.filter.trim().is_empty();
        if self.index.is_complete() {
            if is_filtered {
                return self.listing.page(query, &self.index, &mut self.searches);
            }
            let order = self.index.ordered_traces(query.order, query.failed_only);
            return Ok(Response::Traces(self.index.trace_page(query, order)));
        }
        if is_filtered {
            parse(&query.filter)?;
        }
        if is_filtered || query.failed_only || query.order != TraceOrder::Newest || query.offset >= first::MAX_ROWS {
            return Ok(Response::NotIndexedYet);
        }
        let page = self.database.bounded(|| first::newest(&self.database, query))?;
        Ok(Response::Traces(page))
    }

    /// Before the index is complete only what the language itself knows is suggested.
    pub(super) fn suggest(&mut self, filter: &str, cursor: u32) -> Response {
        let known = if self.index.is_complete() {
            let counts = self.listing.counts.get_or_insert_with(|| Counts::of(&self.index));
            Some((&self.index, &*counts))
        } else {
            None
        };
        Response::Suggestions(suggest(filter, cursor as usize, known))
    }
}

//! Which spans of a trace are requests, and which model calls are counted.
//!
//! - **Requests** are the spans that Llama Stack marks with `__root__`, and spans of kind `SERVER` of services that mark none. (A web
//!   framework's instrumentation times the requests of Llama Stack 0.3 a second time.)
//! - **Model calls** by Llama Stack's names come first: the router's spans; without a router, the providers'; without either, the agent's
//!   steps. Calls that instrumentation states are counted like a provider's.
//! - **Each call is counted once.** A client's call holds the server's call of the same request, a call of the Responses API those of its
//!   steps, a retry its attempts: of stated calls within each other, the outermost is the request. It has its own tokens, or else the sum of
//!   the calls within it.
//! - **Sums are not calls.** The tokens of agents and chains repeat those of their calls. They count only in a trace without any call; of
//!   several within each other, the outermost.
//!
//! Not here: tokens in `metric.*` events (`tokens::attach`).

#![expect(
    clippy::indexing_slicing,
    reason = "a place is an index in the rows of one trace, and every list about them has an entry for each"
)]

use super::Index;
use hashbrown::{HashMap, HashSet};
use quipu_model::ordered::find_sorted;
use quipu_model::tokens::{InferenceRole, add};
use quipu_model::{CallParts, SpanFlags, SpanKind, TokenRecord};

/// The services that mark their requests themselves, by number.
pub(super) type MarkingServices = HashSet<Option<u16>>;

/// The services with a span marked as `__root__`.
pub(super) fn services_that_mark(index: &Index) -> MarkingServices {
    let marked = index.spans.flags.zip(&index.spans.trace).filter(|(flags, _)| flags.has(SpanFlags::REQUEST));
    marked.map(|(_, trace)| index.traces.at(*trace).service).collect()
}

/// Flags the requests of a trace. Returns how many there are, and whether Llama Stack put several into one trace.
pub(super) fn mark_requests(index: &mut Index, rows: &[u32], service: Option<u16>, marking: &MarkingServices) -> (u32, bool) {
    let is_marked = marking.contains(&service);
    let (mut requests, mut marked) = (0, 0);
    for row in rows {
        let flags = index.spans.flags.at_mut(*row);
        if flags.has(SpanFlags::REQUEST) {
            marked += 1;
        } else if flags.has(SpanFlags::SERVER) && !is_marked {
            flags.add(SpanFlags::REQUEST);
            requests += 1;
            let kind = index.spans.kind.at_mut(*row);
            if *kind == SpanKind::Other {
                *kind = SpanKind::Request;
            }
        }
    }
    (requests + marked, marked > 1)
}

impl Index {
    /// Whether the span in `row` is a call of a database that instrumentation recorded. Methods of Llama Stack's own storage are known by
    /// their names.
    pub(super) fn is_database_call(&self, row: u32) -> bool {
        *self.spans.kind.at(row) == SpanKind::Storage && self.names.facts(*self.spans.name.at(row)).kind == SpanKind::Other
    }
}

/// The inference requests of a trace.
pub(super) struct Calls {
    /// For each span whether it is one.
    pub(super) is_request: Vec<bool>,
    /// Pairs of a call that is not one and the place of the request that contains it, if its tokens count for that.
    pub(super) within: Vec<(usize, usize)>,
}

/// Finds the inference requests; `None` if there are none.
pub(super) fn find_calls(
    index: &Index,
    rows: &[u32],
    parents: &[Option<usize>],
    cut: &[bool],
    outputs: &[(u32, TokenRecord)],
) -> Option<Calls> {
    let flags = |place: usize| *index.spans.flags.at(rows[place]);
    let named = |place: usize| index.names.facts(*index.spans.name.at(rows[place])).role;
    let stated = |place: usize| named(place).is_none() && flags(place).has(SpanFlags::INFERENCE_REQUEST);
    let role = |place: usize| named(place).or_else(|| stated(place).then_some(InferenceRole::Provider));
    let roles: Vec<Option<InferenceRole>> = (0..rows.len()).map(role).collect();
    let counted =
        [InferenceRole::Router, InferenceRole::Provider, InferenceRole::AgentStep].into_iter().find(|role| roles.contains(&Some(*role)));
    let Some(counted) = counted else {
        let sums: Vec<bool> = (0..rows.len()).map(|place| flags(place).has(SpanFlags::SUMS)).collect();
        return sums.contains(&true).then(|| outermost(&sums, parents, cut, &|_| true));
    };
    // Of the spans that Llama Stack's own telemetry names, only a direct child of the same role repeats its parent, as a router that calls
    // itself, or a provider that wraps another. The server may push a request under the open span of an unrelated one by mistake, and that
    // request stays a request of its own.
    let repeats = |place: usize| parents[place].is_some_and(|parent| roles[parent] == Some(counted));
    let has_tokens = |place: usize| find_sorted(outputs, rows[place]).is_some();
    let calls: Vec<bool> = (0..rows.len()).map(stated).collect();
    let mut found = if counted == InferenceRole::Provider && calls.contains(&true) {
        outermost(&calls, parents, cut, &has_tokens)
    } else {
        Calls { is_request: vec![false; rows.len()], within: Vec::new() }
    };
    for place in 0..rows.len() {
        found.is_request[place] |= !calls[place] && roles[place] == Some(counted) && !repeats(place);
    }
    Some(found)
}

/// What is known about the calls around a span.
#[derive(Clone, Copy, PartialEq)]
enum Around {
    Unknown,
    /// The outermost call, if there is one, and whether it or a call below it has tokens.
    Known(Option<usize>, bool),
}

/// Of these calls the outermost ones, in one walk over the trace.
fn outermost(calls: &[bool], parents: &[Option<usize>], cut: &[bool], has_tokens: &dyn Fn(usize) -> bool) -> Calls {
    let mut around = vec![Around::Unknown; calls.len()];
    let mut found = Calls { is_request: vec![false; calls.len()], within: Vec::new() };
    let mut path = Vec::new();
    for first in 0..calls.len() {
        let mut at = Some(first);
        let mut above = Around::Known(None, false);
        while let Some(place) = at {
            if around[place] != Around::Unknown {
                above = around[place];
                break;
            }
            path.push(place);
            at = parents[place].filter(|_| !cut[place]);
        }
        while let Some(place) = path.pop() {
            if let (true, Around::Known(outer, is_counted)) = (calls[place], above) {
                let counts = has_tokens(place);
                match outer {
                    None => found.is_request[place] = true,
                    Some(outer) if counts && !is_counted => found.within.push((place, outer)),
                    Some(_) => {}
                }
                above = Around::Known(outer.or(Some(place)), is_counted || counts);
            }
            around[place] = above;
        }
    }
    found
}

/// What the calls within each request add up to, by the request's place.
pub(super) fn sums_within(
    index: &Index,
    rows: &[u32],
    calls: &Calls,
    outputs: &[(u32, TokenRecord)],
) -> HashMap<usize, (TokenRecord, CallParts)> {
    let mut sums: HashMap<usize, (TokenRecord, CallParts)> = HashMap::new();
    for (inner, outer) in &calls.within {
        let record = find_sorted(outputs, rows[*inner]).copied().unwrap_or_default();
        let (sum, parts) = sums.entry(*outer).or_default();
        *sum = add(*sum, record);
        parts.add(&index.call_parts_of(rows[*inner]));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls by their parents; returns the requests, and which calls count within which.
    fn of(parents: &[Option<usize>], calls: &[usize], with_tokens: &[usize]) -> (Vec<usize>, Vec<(usize, usize)>) {
        let is_call: Vec<bool> = (0..parents.len()).map(|place| calls.contains(&place)).collect();
        let found = outermost(&is_call, parents, &vec![false; parents.len()], &|place| with_tokens.contains(&place));
        ((0..parents.len()).filter(|place| found.is_request[*place]).collect(), found.within)
    }

    #[test]
    fn of_calls_within_each_other_the_outermost_is_counted() {
        // 0 agent; 1 the client's call, 2 HTTP, 3 and 4 the server's calls; 5 another call.
        let parents = [None, Some(0), Some(1), Some(2), Some(2), Some(0)];
        assert_eq!(of(&parents, &[1, 3, 4, 5], &[1, 3, 4, 5]), (vec![1, 5], vec![]));
        // A call without tokens has those of the calls within it, each once.
        assert_eq!(of(&parents, &[1, 3, 4, 5], &[3, 4, 5]), (vec![1, 5], vec![(3, 1), (4, 1)]));
        assert_eq!(of(&parents, &[1, 2, 3, 4], &[2, 3, 4]), (vec![1], vec![(2, 1)]));
        // Rows need not be in the order of the tree.
        assert_eq!(of(&[Some(2), Some(2), None], &[0, 1, 2], &[0, 1]), (vec![2], vec![(0, 2), (1, 2)]));
    }

    #[test]
    fn a_cycle_of_parents_ends_where_it_is_cut() {
        let parents = [Some(1), Some(0)];
        let found = outermost(&[true, true], &parents, &[true, false], &|_| true);
        assert_eq!(found.is_request, [true, false]);
    }
}

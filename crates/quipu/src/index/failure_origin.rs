//! Finds the step in which a request failed: for a failed stream the server records the failure on the request only, and not on the step.
//!
//! Derived: an agent's step gets its `output` when it completes, so the last step of a failed request without an `output` is where it
//! failed. Not here: which spans failed (`quipu_model::failure`), and how that is shown (`view`, `llm`).

#![expect(
    clippy::indexing_slicing,
    reason = "a place is an index in the rows of one trace, and every list about them has an entry for each"
)]

use super::{Index, UNKNOWN_PROFILE};
use quipu_model::SpanFlags;
use quipu_model::llm::is_agent_step;
use quipu_model::number::narrow;

/// Stands for a missing index.
const NONE: u32 = u32::MAX;
const NEW: u32 = u32::MAX - 1;

/// Marks the steps of a trace in which its requests failed. `parents` are indexes into `rows`; `cut` is set where a cycle of parents is
/// cut.
pub(super) fn mark_failure_origins(index: &mut Index, rows: &[u32], parents: &[Option<usize>], cut: &[bool]) {
    let flags = |place: usize| rows.get(place).map(|row| *index.spans.flags.at(*row)).unwrap_or_default();
    let parent = |place: usize| parents.get(place).copied().flatten().filter(|_| !cut.get(place).copied().unwrap_or(true));
    // With a trace context from the client the server flags no request; then the root of the trace is one.
    let is_boundary = |place: usize| flags(place).has(SpanFlags::REQUEST) || parent(place).is_none();
    // Requests whose own failure is to be explained.
    if !(0..rows.len()).any(|place| is_boundary(place) && flags(place).has(SpanFlags::FAILED)) {
        return;
    }
    let owners = owners(rows.len(), parent, is_boundary);
    // Whether a descendant failed, not counting nested requests.
    let mut fails_below = vec![false; rows.len()];
    for place in (0..rows.len()).filter(|place| flags(*place).has(SpanFlags::FAILED) && !is_boundary(*place)) {
        let mut above = parent(place);
        while let Some(at) = above.filter(|at| !std::mem::replace(&mut fails_below[*at], true)) {
            above = if is_boundary(at) { None } else { parent(at) };
        }
    }
    // The last step of each failed request, and the last failure outside its steps.
    let mut last: Vec<Option<(i64, usize)>> = vec![None; rows.len()];
    for (place, owner) in owners.iter().enumerate() {
        let is_told = *owner != NONE && *owner as usize != place && flags(*owner as usize).has(SpanFlags::FAILED);
        let step = is_agent_step(index.name_of(rows[place]));
        if is_told && (step || flags(place).has(SpanFlags::FAILED)) {
            let found = (*index.spans.start.at(rows[place]), place);
            let slot = &mut last[*owner as usize];
            *slot = slot.map_or(Some(found), |known| Some(known.max(found)));
        }
    }
    let mut found = Vec::new();
    for (_, place) in last.into_iter().flatten() {
        let row = rows[place];
        let profile = index.profiles.of(row);
        let is_through = profile == UNKNOWN_PROFILE || index.profiles.entries(profile).any(|entry| entry.key == "output");
        let has_outcome = flags(place).has(SpanFlags::FAILED) || fails_below[place] || is_through;
        if is_agent_step(index.name_of(row)) && !has_outcome {
            found.push(row);
        }
    }
    for row in found {
        index.spans.flags.at_mut(row).add(SpanFlags::FAILURE_ORIGIN);
    }
}

/// For each of `count` spans the request it belongs to: the nearest boundary among the span and its ancestors.
fn owners(count: usize, parent: impl Fn(usize) -> Option<usize>, is_boundary: impl Fn(usize) -> bool) -> Vec<u32> {
    let mut owners = vec![NEW; count];
    let mut path = Vec::new();
    for first in 0..count {
        let mut at = Some(first);
        let owner = loop {
            match at {
                None => break NONE,
                Some(place) if owners[place] != NEW => break owners[place],
                Some(place) => {
                    path.push(place);
                    if is_boundary(place) {
                        break narrow(place);
                    }
                    at = parent(place);
                }
            }
        };
        path.drain(..).for_each(|place| owners[place] = owner);
    }
    owners
}

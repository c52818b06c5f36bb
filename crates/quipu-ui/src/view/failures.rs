//! Where failures originated and which spans they affected; the requests of a trace.

use super::waterfall::{ancestors, subtree};
use quipu_model::SpanFlags;
use quipu_model::format::{count, counted, duration_text, offset_text};
use quipu_model::ordered::sort_by_key;
use quipu_protocol::{RequestOutline, TraceColumns};

/// Maximum number of span names in a sentence.
const NAMED: usize = 3;

/// A failure: the span where it originated, and its propagation.
///
/// If only the request records the failure, the step it failed in is derived (`SpanFlags::FAILURE_ORIGIN`) and used as the origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FailureChain {
    /// Row of the failed span without failed descendants, or of the step in which a request failed.
    pub origin: u32,
    /// Whether the origin is derived.
    pub derived: bool,
    /// Rows of the failed ancestors, nearest first.
    pub failed: Vec<u32>,
    /// Row of the nearest ancestor that did not fail; `None` if there is none.
    pub survivor: Option<u32>,
}

/// Whether a failure originated in the failed span in `row`: nothing below it failed, and no step below it is the derived origin.
fn is_origin(columns: &TraceColumns, row: u32) -> bool {
    let end = row.saturating_add(subtree(columns, row));
    [&columns.failed_rows, &columns.began_rows].into_iter().all(|rows| {
        let next = rows.partition_point(|found| *found <= row);
        rows.get(next).is_none_or(|next| *next >= end)
    })
}

/// The rows in which failures originated, in order: failed spans and derived steps.
pub fn failure_origins(columns: &TraceColumns) -> Vec<u32> {
    let mut origins: Vec<u32> = columns.failed_rows.iter().copied().filter(|row| is_origin(columns, *row)).collect();
    origins.extend(columns.began_rows.iter());
    sort_by_key(&mut origins, |row| *row);
    origins
}

/// The first `most` failures of a trace, in row order.
pub fn failure_chains(columns: &TraceColumns, most: usize) -> Vec<FailureChain> {
    let fails = |row: &u32| columns.flags.get(*row as usize).is_some_and(|flags| flags.has(SpanFlags::FAILED));
    let chain = |origin: u32| {
        let around: Vec<u32> = ancestors(columns, origin).collect();
        let outermost = around.iter().rposition(fails);
        FailureChain {
            origin,
            derived: columns.began_rows.binary_search(&origin).is_ok(),
            failed: around.iter().take(outermost.map_or(0, |at| at + 1)).copied().filter(fails).collect(),
            survivor: around.get(outermost.map_or(0, |at| at + 1)).copied(),
        }
    };
    failure_origins(columns).into_iter().take(most).map(chain).collect()
}

/// The effect of a failure on its ancestors, as the end of a sentence: `failed run_shield_guard and /v1/… with it`, `inference went on`.
pub fn chain_text(columns: &TraceColumns, chain: &FailureChain) -> String {
    let name = |row: &u32| columns.name_of(*row as usize).to_owned();
    if chain.derived {
        // In a trace of several requests, spans may be below another request's span.
        let perhaps = if columns.requests > 1 { "perhaps here" } else { "here" };
        let request = chain.failed.first().map(name).unwrap_or_default();
        return format!("{request} failed {perhaps} (derived: its last step, without an output)");
    }
    let survivor = chain.survivor.as_ref().map(|row| format!("{} went on", name(row)));
    if chain.failed.is_empty() {
        return survivor.unwrap_or_default();
    }
    let mut names: Vec<String> = chain.failed.iter().take(NAMED).map(name).collect();
    if chain.failed.len() > NAMED {
        names.push(format!("{} more", count((chain.failed.len() - NAMED) as u64)));
    }
    let last = names.pop().unwrap_or_default();
    let names = if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) };
    match survivor {
        Some(survivor) => format!("failed {names} with it; {survivor}"),
        None => format!("failed {names} with it"),
    }
}

/// Describes one of several requests for the selection: `+1.20 s  /v1/agents, 2.31 s, 14 spans, 1 failed`.
pub fn outline_text(outline: &RequestOutline) -> String {
    let start = offset_text(i64::try_from(outline.start_nanos).unwrap_or(i64::MAX));
    let spans = counted(Some(outline.spans.into()), "span", "spans");
    let failed = if outline.failed > 0 { format!(", {} failed", count(outline.failed.into())) } else { String::new() };
    format!("{start}  {}, {}, {spans}{failed}", outline.name, duration_text(outline.duration))
}

#[cfg(test)]
mod tests {
    use super::super::waterfall::tests::trace;
    use super::*;

    fn told(spans: &[(u32, &str, u64, u64, bool)]) -> Vec<String> {
        let columns = trace(spans);
        failure_chains(&columns, 10)
            .iter()
            .map(|chain| format!("{}: {}", columns.name_of(chain.origin as usize), chain_text(&columns, chain)))
            .collect()
    }

    #[test]
    fn a_failure_is_told_from_where_it_began_to_who_survived_it() {
        let spans = [
            (0, "turn", 0, 100, false),
            (1, "run_shields", 1, 20, false),
            (2, "run_shield_guard", 2, 18, true),
            (3, "SafetyRouter.run_shield", 3, 16, true),
            (4, "ShieldsRoutingTable.get_shield", 3, 1, true),
            (1, "inference", 25, 70, true),
            (1, "tool_execution", 96, 4, false),
        ];
        assert_eq!(
            told(&spans),
            [
                "ShieldsRoutingTable.get_shield: failed SafetyRouter.run_shield and run_shield_guard with it; run_shields went on",
                "inference: turn went on",
            ]
        );
    }

    #[test]
    fn a_request_that_only_itself_tells_of_its_failure_failed_in_the_step_that_is_derived() {
        let mut columns = trace(&[(0, "/v1/turn", 0, 9, true), (1, "inference", 1, 3, false), (1, "tool_execution", 5, 2, false)]);
        columns.began_rows.push(2);
        let told = |columns: &TraceColumns| {
            let chains = failure_chains(columns, 10);
            chains.iter().map(|chain| (chain.origin, chain_text(columns, chain))).collect::<Vec<_>>()
        };
        assert_eq!(told(&columns), [(2, "/v1/turn failed here (derived: its last step, without an output)".to_owned())]);
        columns.requests = 2;
        assert_eq!(told(&columns), [(2, "/v1/turn failed perhaps here (derived: its last step, without an output)".to_owned())]);
    }

    #[test]
    fn a_failure_of_everything_has_no_survivor_even_where_one_between_was_marked_ok() {
        let spans = [(0, "/v1/a", 0, 9, true), (1, "b", 1, 7, false), (2, "c", 2, 5, true), (2, "d", 7, 1, false)];
        assert_eq!(told(&spans), ["c: failed /v1/a with it"]);
        assert_eq!(told(&[(0, "/v1/a", 0, 9, true)]), ["/v1/a: "]);
    }
}

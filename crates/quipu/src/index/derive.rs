//! Derives what the recorded columns lack, once the pass is complete: roots, orphans, cycles, requests merged into one trace, inference
//! requests and their tokens, the zone of local clocks; then the sort orders of the lists.

#![expect(
    clippy::indexing_slicing,
    reason = "a place is an index in the rows of one trace, and every list about them has an entry for each"
)]

use super::calls::{MarkingServices, find_calls, mark_requests, services_that_mark, sums_within};
use super::events::{Metric, NO_SPAN, attach_event};
use super::failure_origin::mark_failure_origins;
use super::ids::SpanKey;
use super::shapes::Shapes;
use super::traces::zone_offset;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::number::narrow;
use quipu_model::ordered::sort_by_key;
use quipu_model::tokens::{Group, SpanNode, attach, join};
use quipu_model::{CallParts, SpanFlags, TokenRecord, TokenTotals};

/// Traces derived between two checks of the time budget.
const BLOCK: u32 = 64;

/// Up to this many spans a trace is searched linearly.
const SMALL_TRACE_SPANS: usize = 32;

#[derive(Default)]
pub(super) struct Derive {
    placed: bool,
    next_trace: u32,
    /// The services whose spans of kind `SERVER` are not requests.
    marking: MarkingServices,
}

impl Derive {
    pub(super) fn has_begun(&self) -> bool {
        self.placed
    }

    /// Works until `spent` returns true. Returns whether it is done.
    pub(super) fn step(&mut self, index: &mut Index, outputs: &mut Vec<(u32, TokenRecord)>, spent: &mut dyn FnMut() -> bool) -> bool {
        if !self.placed {
            for waiting in std::mem::take(&mut index.events.waiting) {
                match index.spans.find(waiting.span) {
                    Some(row) => attach_event(index, row, waiting.facts),
                    None => {
                        index.anomalies.lost_events += 1;
                        if let Some(of) = waiting.facts.metric {
                            index.events.metrics.push(Metric { span: NO_SPAN, id: waiting.facts.id, at: waiting.facts.at, of });
                        }
                    }
                }
            }
            index.events.sort();
            index.traces.place_spans(&index.spans);
            sort_by_key(outputs, |(row, _)| *row);
            self.marking = services_that_mark(index);
            self.placed = true;
        }
        let traces = narrow(index.traces.len());
        while self.next_trace < traces {
            let until = traces.min(self.next_trace + BLOCK);
            for trace in self.next_trace..until {
                derive_trace(index, trace, outputs, &self.marking);
            }
            self.next_trace = until;
            if self.next_trace < traces && spent() {
                return false;
            }
        }
        settle_zones(index);
        sort_by_key(&mut index.tokens, |(row, _)| *row);
        index.call_parts = std::mem::take(&mut index.request_parts);
        sort_by_key(&mut index.call_parts, |(row, _)| *row);
        index.tokens.shrink_to_fit();
        sort_by_key(&mut index.strays, |stray| *stray);
        outputs.clear();
        outputs.shrink_to_fit();
        index.derive_lists();
        index.detect_unfinished_end();
        index.shapes = Shapes::default();
        true
    }
}

fn derive_trace(index: &mut Index, trace: u32, outputs: &[(u32, TokenRecord)], marking: &MarkingServices) {
    let rows = index.traces.rows(trace).to_vec();
    let entry = *index.traces.at(trace);
    if rows.is_empty() {
        index.anomalies.traces_without_spans += 1;
        return;
    }
    index.anomalies.spans_without_trace += u64::from(entry.rowid.is_none());
    let parents = find_parents(index, &rows);
    let cut = cut_cycles(index, &rows, &parents);
    index.anomalies.skewed_spans += index.count_skewed(&rows, &parents);
    let (requests, is_merged) = mark_requests(index, &rows, entry.service, marking);

    let mut failed = 0;
    for (place, row) in rows.iter().enumerate() {
        let parent = *index.spans.parent.at(*row);
        let key = *index.spans.key.at(*row);
        let flags = index.spans.flags.at_mut(*row);
        if cut[place] {
            flags.add(SpanFlags::CYCLE);
            flags.add(SpanFlags::ROOT);
            index.anomalies.cycles += 1;
        } else if parents[place].is_none() {
            flags.add(SpanFlags::ROOT);
            if parent != SpanKey::NONE {
                flags.add(SpanFlags::ORPHAN);
                index.anomalies.orphans += 1;
            }
        }
        if key == entry.recorded_root {
            flags.add(SpanFlags::RECORDED_ROOT);
        }
        failed += u32::from(flags.has(SpanFlags::FAILED));
    }

    if failed > 0 {
        mark_failure_origins(index, &rows, &parents, &cut);
    }
    let of_framework = |row: &u32| index.names.facts(*index.spans.name.at(*row)).of_framework;
    index.anomalies.framework_traces += u64::from(rows.iter().all(of_framework));
    index.anomalies.database_traces += u64::from(rows.iter().all(|row| index.is_database_call(*row)));
    let tokens = derive_tokens(index, &rows, &parents, &cut, outputs);
    if let Some(totals) = tokens {
        index.trace_tokens.push((trace, totals));
        index.file_tokens.merge(&totals);
    }
    index.anomalies.failed_spans += u64::from(failed);
    index.anomalies.requests += u64::from(requests);
    index.anomalies.merged_traces += u64::from(is_merged);
    let root = rows
        .iter()
        .filter(|row| index.spans.flags.at(**row).has(SpanFlags::ROOT))
        .min_by_key(|row| (*index.spans.start.at(**row), **row))
        .copied();
    let offset = if entry.local { local_offset(&entry) } else { None };
    let slot = index.traces.at_mut(trace);
    slot.failed = failed;
    slot.requests = requests;
    slot.merged = is_merged;
    slot.root = root;
    if let Some(offset) = offset {
        slot.offset_minutes = offset;
    }
}

fn local_offset(entry: &super::traces::Trace) -> Option<i16> {
    if entry.first_end == NO_TIME || entry.created == NO_TIME { None } else { zone_offset(entry.first_end, entry.created) }
}

/// The index of each span's parent among `rows`. Also records the spans whose parent is in another trace.
fn find_parents(index: &mut Index, rows: &[u32]) -> Vec<Option<usize>> {
    // Scanning the few keys of a small trace is faster than a look-up among those of all spans.
    let nearby = rows.len() <= SMALL_TRACE_SPANS && !index.spans.ids_repeat;
    let find = |row: &u32| {
        if nearby {
            let parent = *index.spans.parent.at(*row);
            return rows.iter().position(|row| *index.spans.key.at(*row) == parent);
        }
        rows.binary_search(&index.parent_row(*row)?).ok()
    };
    let parents: Vec<Option<usize>> = rows.iter().map(find).collect();
    for (row, _) in rows.iter().zip(&parents).filter(|(_, parent)| parent.is_none()) {
        if index.any_parent_row(*row).is_some() {
            index.strays.push((*index.spans.parent.at(*row), *row));
        }
    }
    parents
}

/// For each span, whether a cycle of parents is cut there: each cycle is cut at the span that started first.
fn cut_cycles(index: &Index, rows: &[u32], parents: &[Option<usize>]) -> Vec<bool> {
    const NEW: u32 = 0;
    const DONE: u32 = u32::MAX;
    let mut seen = vec![NEW; rows.len()];
    let mut cut = vec![false; rows.len()];
    for first in 0..rows.len() {
        let walk = narrow(first) + 1;
        let mut at = first;
        while seen[at] == NEW {
            seen[at] = walk;
            match parents[at] {
                Some(parent) => at = parent,
                None => break,
            }
        }
        if seen[at] == walk && parents[at].is_some() {
            let mut earliest = at;
            let mut around = parents[at];
            while let Some(place) = around.filter(|place| *place != at) {
                let age = |place: usize| (*index.spans.start.at(rows[place]), rows[place]);
                if age(place) < age(earliest) {
                    earliest = place;
                }
                around = parents[place];
            }
            cut[earliest] = true;
        }
        let mut at = Some(first);
        while let Some(place) = at.filter(|place| seen[*place] == walk) {
            seen[place] = DONE;
            at = parents[place];
        }
    }
    cut
}

/// Marks the inference requests of a trace and assigns tokens to each; `None` if there are no inference requests.
fn derive_tokens(
    index: &mut Index,
    rows: &[u32],
    parents: &[Option<usize>],
    cut: &[bool],
    outputs: &[(u32, TokenRecord)],
) -> Option<TokenTotals> {
    let calls = find_calls(index, rows, parents, cut, outputs)?;
    let within = sums_within(index, rows, &calls, outputs);
    let mut spans = Vec::with_capacity(rows.len());
    for (place, row) in rows.iter().enumerate() {
        let is_request = calls.is_request[place];
        let flags = index.spans.flags.at_mut(*row);
        if is_request {
            flags.add(SpanFlags::INFERENCE_REQUEST);
        } else {
            flags.remove(SpanFlags::INFERENCE_REQUEST);
        }
        spans.push(SpanNode { parent: parents[place], start: *index.spans.start.at(*row), is_request });
    }
    let mut groups: Vec<Group> = Vec::new();
    for (place, row) in rows.iter().enumerate() {
        let start = index.events.metrics.partition_point(|metric| metric.span < *row);
        let of_span = index.events.metrics.iter().skip(start).take_while(|metric| metric.span == *row);
        let counts: Vec<_> = of_span.filter_map(|metric| Some((metric.of.kind?, metric.of.value))).collect();
        if !counts.is_empty() {
            groups.push(Group { span: place, counts });
        }
    }
    let (from_events, lost) = attach(&spans, &groups);
    index.anomalies.lost_metrics += lost as u64;
    let from_events: HashMap<usize, TokenRecord> = from_events.into_iter().collect();
    let mut totals = TokenTotals::default();
    for (place, row) in rows.iter().enumerate().filter(|(place, _)| spans[*place].is_request) {
        let output = quipu_model::ordered::find_sorted(outputs, *row).copied();
        let inner = within.get(&place);
        let output = output.or_else(|| inner.map(|(record, _)| *record));
        let record = join(from_events.get(&place).copied().unwrap_or_default(), output.unwrap_or_default());
        let mut parts = index.call_parts_of(*row);
        if let Some((_, inner)) = inner {
            parts.add(inner);
        }
        totals.add(Some(&record));
        totals.parts.add(&CallParts { first_part_nanos: None, ..parts });
        if !parts.is_empty() {
            index.request_parts.push((*row, parts));
        }
        if !record.is_empty() {
            index.tokens.push((*row, record));
        }
    }
    Some(totals)
}

/// Assigns the most common offset to traces with a local clock whose own row does not reveal one.
fn settle_zones(index: &mut Index) {
    let mut offsets: HashMap<i16, u32> = HashMap::new();
    for trace in index.traces.iter().filter(|trace| trace.local) {
        index.anomalies.local_traces += 1;
        if let Some(offset) = local_offset(trace) {
            *offsets.entry(offset).or_default() += 1;
        }
    }
    let Some((common, _)) = offsets.iter().max_by_key(|(offset, count)| (**count, **offset)) else { return };
    index.anomalies.zone = Some(*common);
    index.anomalies.zones = offsets.len();
    let common = *common;
    for number in 0..narrow(index.traces.len()) {
        let trace = index.traces.at_mut(number);
        if trace.local && local_offset(trace).is_none() {
            trace.offset_minutes = common;
        }
    }
}

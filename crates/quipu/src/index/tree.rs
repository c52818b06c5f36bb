//! A trace as columns in tree order: parents before children, siblings by start.

#![expect(
    clippy::indexing_slicing,
    reason = "a place is an index in the rows of one trace, and every list about them has an entry for each; `offsets` has one more"
)]

use super::scope::TreePosition;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::number::narrow;
use quipu_model::ordered::sort_places;
use quipu_model::{SpanFlags, SpanKind, Timestamp};
use quipu_protocol::{NO_ROW, Packed, TraceColumns, TraceScope, UNKNOWN_NANOS, Warning, WarningKind};

impl Index {
    /// The spans of a trace in `scope`; `None` if there is no such request. For complete indexes only. The caller fills in `service_name`,
    /// `recorded_root` and the levels of detail.
    pub(crate) fn trace_columns(&self, number: u32, scope: &TraceScope) -> Option<TraceColumns> {
        let rows = self.traces.rows(number);
        let trace = self.traces.at(number);
        let mut order = self.tree_order(rows);
        let chosen = self.choose(rows, &mut order, scope, trace.start)?;
        let (zero, end) = chosen.times.unwrap_or((trace.start, trace.end));
        let known = zero != NO_TIME;
        let mut columns = TraceColumns {
            trace_id: self.non_hex_ids.trace_text(trace.key),
            start: known.then(|| Timestamp(trace.utc(zero))),
            duration_nanos: if known && end != NO_TIME { u64::try_from(end.saturating_sub(zero)).unwrap_or(0) } else { 0 },
            token_totals: chosen.tokens.unwrap_or_else(|| self.trace_tokens(number)),
            requests: trace.requests,
            outlines: chosen.outlines,
            spans_in_trace: narrow(rows.len()),
            framework_spans: chosen.framework_spans,
            ..TraceColumns::default()
        };
        let mut names: HashMap<(u32, Option<u32>), u32> = HashMap::new();
        let mut tools: HashMap<u32, u32> = HashMap::new();
        let mut services: HashMap<u32, u32> = HashMap::new();
        for (at, (place, parent, depth)) in order.iter().enumerate() {
            let row = rows[*place];
            let (name, shown) = (*self.spans.name.at(row), self.facets.shown_name.number_of(row));
            let name = *names.entry((name, shown)).or_insert_with(|| {
                columns.names.push(self.shown_name_of(row));
                narrow(columns.names.len()) - 1
            });
            let (start, end) = (*self.spans.start.at(row), *self.spans.end.at(row));
            let known = start != NO_TIME && end != NO_TIME && end >= start;
            let flags = *self.spans.flags.at(row);
            let key = *self.spans.key.at(row);
            match key.hex_number() {
                Some(number) => columns.span_id.push_number(number),
                None => columns.span_id.push(&self.non_hex_ids.span_text(key)),
            }
            columns.name.push(name);
            columns.parent.push(*parent);
            columns.depth.push(*depth);
            columns.subtree.push(1);
            columns.start_nanos.push(if start == NO_TIME { 0 } else { start.abs_diff(zero) });
            columns.duration.push(if known { end.abs_diff(start) } else { UNKNOWN_NANOS });
            columns.flags.push(flags);
            let kind = *self.spans.kind.at(row);
            columns.kind.push(kind);
            if let Some(tool) = self.facets.tool.number_of(row).filter(|_| kind == SpanKind::Tool) {
                let name = *tools.entry(tool).or_insert_with(|| {
                    columns.tool_names.push(self.facets.tool.values.text(tool));
                    narrow(columns.tool_names.len()) - 1
                });
                columns.tool_rows.push(narrow(at));
                columns.tool.push(name);
            }
            columns.service.push(self.service_of(row).map_or(NO_ROW, |service| {
                *services.entry(service).or_insert_with(|| {
                    columns.service_names.push(self.services().text(service));
                    narrow(columns.service_names.len()) - 1
                })
            }));
            if flags.has(SpanFlags::FAILURE_ORIGIN) {
                columns.began_rows.push(narrow(at));
            }
            if flags.has(SpanFlags::FAILED) {
                columns.failed_rows.push(narrow(at));
            }
            if let Some(record) = self.tokens_of(row) {
                columns.tokens.push((narrow(at), record));
            }
        }
        for at in (0..order.len()).rev() {
            let parent = columns.parent[at];
            if parent != NO_ROW {
                columns.subtree[parent as usize] += columns.subtree[at];
                columns.has_branches = true;
            }
        }
        if services.len() < 2 {
            columns.service = Packed::default();
        }
        columns.span_id.finish();
        columns.warnings = trace_warnings(&columns.flags);
        Some(columns)
    }

    /// Rows of a trace's spans in tree order, each with its parent's position in that order. For complete indexes only.
    pub(crate) fn rows_in_tree_order(&self, trace: u32) -> Vec<(u32, Option<usize>)> {
        let rows = self.traces.rows(trace);
        let place = |parent: u32| (parent != NO_ROW).then_some(parent as usize);
        self.tree_order(rows).into_iter().filter_map(|(at, parent, _)| Some((*rows.get(at)?, place(parent)))).collect()
    }

    /// Indexes into `rows` in tree order, each with its parent's position in that order and its depth.
    fn tree_order(&self, rows: &[u32]) -> Vec<TreePosition> {
        let mut by_age: Vec<usize> = (0..rows.len()).collect();
        let age = |place: usize| (*self.spans.start.at(rows[place]), rows[place]);
        sort_places(&mut by_age, &|one, other| age(one).cmp(&age(other)));
        // Children of each span, oldest first, in one array: counted first, then placed.
        let parents: Vec<Option<usize>> = rows
            .iter()
            .map(|row| {
                let is_root = self.spans.flags.at(*row).has(SpanFlags::ROOT);
                if is_root { None } else { self.parent_row(*row).and_then(|parent| rows.binary_search(&parent).ok()) }
            })
            .collect();
        let mut offsets = vec![0_usize; rows.len() + 1];
        for parent in parents.iter().flatten() {
            offsets[parent + 1] += 1;
        }
        for at in 0..rows.len() {
            offsets[at + 1] += offsets[at];
        }
        let mut next = offsets.clone();
        let mut children = vec![0_usize; offsets[rows.len()]];
        for place in &by_age {
            if let Some(parent) = parents[*place] {
                children[next[parent]] = *place;
                next[parent] += 1;
            }
        }
        let mut order = Vec::with_capacity(rows.len());
        let roots = by_age.iter().rev().filter(|place| parents[**place].is_none());
        let mut stack: Vec<TreePosition> = roots.map(|place| (*place, NO_ROW, 0)).collect();
        while let Some((place, parent, depth)) = stack.pop() {
            let at = narrow(order.len());
            order.push((place, parent, depth));
            stack.extend(children[offsets[place]..offsets[place + 1]].iter().rev().map(|child| (*child, at, depth + 1)));
        }
        order
    }
}

fn trace_warnings(flags: &[SpanFlags]) -> Vec<Warning> {
    let count = |mark: SpanFlags| flags.iter().filter(|flags| flags.has(mark)).count();
    let mut warnings = Vec::new();
    let mut warn = |kind, text: String, meaning: &str| warnings.push(Warning { kind, text, meaning: meaning.into() });
    // Servers of several programs may answer requests in one trace; Llama Stack's own telemetry has one each.
    let requests =
        count(SpanFlags::REQUEST) - flags.iter().filter(|flags| flags.has(SpanFlags::REQUEST) && flags.has(SpanFlags::SERVER)).count();
    if requests > 1 {
        warn(
            WarningKind::MergedRequests,
            format!("This trace holds {} requests.", quipu_model::format::count(requests as u64)),
            "The server put concurrent requests, or one that followed a stream, into one trace. A request nested in another is not its child.",
        );
    }
    let orphans = count(SpanFlags::ORPHAN);
    if orphans > 0 {
        warn(
            WarningKind::Orphans,
            format!("{} a parent that is not in the file.", spans_have(orphans)),
            "The parent belongs to another program, was dropped, or had not ended yet. Such spans are shown as roots.",
        );
    }
    let cycles = count(SpanFlags::CYCLE);
    if cycles > 0 {
        warn(
            WarningKind::Cycles,
            format!(
                "{} its own descendant as parent.",
                if cycles == 1 { "One span has".into() } else { format!("{cycles} spans each have") }
            ),
            "The cycle is cut at the span that started first, which is shown as a root.",
        );
    }
    let early = count(SpanFlags::EARLY_EVENT);
    if early > 0 {
        warn(
            WarningKind::EarlyEvents,
            format!("{} events from before their start.", spans_have(early)),
            "Servers record a span's start when it leaves a queue; the times of events are the accurate ones.",
        );
    }
    warnings
}

fn spans_have(count: usize) -> String {
    if count == 1 { "One span has".into() } else { format!("{} spans have", quipu_model::format::count(count as u64)) }
}

//! Selects the spans of a trace to show: with or without framework spans, or a single one of several requests.
//!
//! Not here: reading the index (`tree`), which only asks which spans to keep.

use super::{Index, NO_TIME};
use quipu_model::number::narrow;
use quipu_model::ordered::{sort_by_key, sort_numbers};
use quipu_model::{Cost, SpanFlags, SpanKind, TokenTotals};
use quipu_protocol::{NO_ROW, RequestOutline, TraceScope};

/// Maximum number of outlined requests.
const MAX_OUTLINES: usize = 1_000;

/// A span of a trace: its index among the trace's rows, its parent's position in tree order or [`NO_ROW`], and its depth.
pub(super) type TreePosition = (usize, u32, u32);

/// The facts that decide whether a span is shown. In tree order.
#[derive(Clone, Copy)]
struct Node {
    parent: u32,
    kind: SpanKind,
    flags: SpanFlags,
}

/// Findings made while selecting spans.
pub(super) struct Chosen {
    pub(super) outlines: Vec<RequestOutline>,
    /// Number of framework spans.
    pub(super) framework_spans: u32,
    /// Token sums over the spans of the selected request, if one was selected.
    pub(super) tokens: Option<TokenTotals>,
    /// Earliest start and latest end of the selected request, if known; as recorded, not converted to UTC.
    pub(super) times: Option<(i64, i64)>,
}

impl Index {
    /// Reduces `order`, the tree order of the spans in `rows`, to the spans in `scope`. Returns `None` if there is no such request.
    pub(super) fn choose(&self, rows: &[u32], order: &mut Vec<TreePosition>, scope: &TraceScope, zero: i64) -> Option<Chosen> {
        let row_of = |placed: &TreePosition| rows.get(placed.0).copied().unwrap_or(0);
        let nodes: Vec<Node> = order.iter().map(|placed| self.node(row_of(placed), placed.1)).collect();
        let owners = requests(&nodes);
        let outlines = self.outline(rows, order, &nodes, &owners, zero);
        let mut kept = vec![true; nodes.len()];
        let mut chosen = Chosen { outlines, framework_spans: 0, tokens: None, times: None };
        if let Some(request) = &scope.request {
            let root = self.find_span_in(self.trace_of(*rows.first()?), request)?;
            let owner = narrow(order.iter().position(|placed| row_of(placed) == root)?);
            if owners.get(owner as usize) != Some(&owner) {
                return None;
            }
            kept.iter_mut().zip(&owners).for_each(|(kept, found)| *kept = *found == owner);
            let (mut tokens, mut costs) = (TokenTotals::default(), Vec::new());
            for ((placed, node), _) in order.iter().zip(&nodes).zip(&kept).filter(|(_, kept)| **kept) {
                let row = row_of(placed);
                if node.flags.has(SpanFlags::INFERENCE_REQUEST) {
                    tokens.add(self.tokens_of(row).as_ref());
                    costs.push(self.cost_of(row));
                }
                let (start, end) = (*self.spans.start.at(row), *self.spans.end.at(row));
                if start != NO_TIME {
                    let (first, last) = chosen.times.unwrap_or((start, start));
                    chosen.times = Some((first.min(start), last.max(if end == NO_TIME { start } else { end })));
                }
            }
            tokens.cost = Cost::sum(costs);
            chosen.tokens = Some(tokens);
        }
        let folded = framework_spans(&nodes);
        for (kept, folded) in kept.iter_mut().zip(folded) {
            chosen.framework_spans += u32::from(*kept && folded);
            *kept &= !(folded && scope.folded);
        }
        if kept.contains(&false) {
            keep(order, &kept);
        }
        Some(chosen)
    }

    fn node(&self, row: u32, parent: u32) -> Node {
        let (mut flags, mut kind) = self.flags_of(row);
        // Servers that instrument their databases record several spans for each statement.
        if self.is_database_call(row) {
            flags.add(SpanFlags::AUTOTRACED);
            kind = SpanKind::Other;
        }
        // Spans that a web framework creates about its own work are framework spans too.
        if self.names.facts(*self.spans.name.at(row)).of_framework {
            flags.add(SpanFlags::AUTOTRACED);
        }
        Node { parent, kind, flags }
    }

    /// The rows of the request whose root span has this id, ascending, without requests nested in it; `None` if there is no such request.
    pub(crate) fn request_rows(&self, trace: u32, span_id: &str) -> Option<Vec<u32>> {
        let order = self.rows_in_tree_order(trace);
        let root = self.find_span_in(trace, span_id)?;
        let nodes: Vec<Node> = order.iter().map(|(row, parent)| self.node(*row, parent.map_or(NO_ROW, narrow))).collect();
        let owner = narrow(order.iter().position(|(row, _)| *row == root)?);
        let owners = requests(&nodes);
        if owners.get(owner as usize) != Some(&owner) {
            return None;
        }
        let mut rows: Vec<u32> = order.iter().zip(owners).filter(|(_, found)| *found == owner).map(|((row, _), _)| *row).collect();
        sort_numbers(&mut rows);
        Some(rows)
    }

    fn outline(&self, rows: &[u32], order: &[TreePosition], nodes: &[Node], owners: &[u32], zero: i64) -> Vec<RequestOutline> {
        let roots: Vec<usize> = owners.iter().enumerate().filter(|(at, owner)| *at == **owner as usize).map(|(at, _)| at).collect();
        if roots.len() < 2 {
            return Vec::new();
        }
        let mut counts = vec![(0_u32, 0_u32); order.len()];
        for (node, owner) in nodes.iter().zip(owners) {
            if let Some(count) = counts.get_mut(*owner as usize) {
                count.0 += 1;
                count.1 += u32::from(node.flags.has(SpanFlags::FAILED));
            }
        }
        let outline = |at: &usize| {
            let row = *rows.get(order.get(*at)?.0)?;
            let start = *self.spans.start.at(row);
            let (spans, failed) = counts.get(*at).copied().unwrap_or_default();
            Some(RequestOutline {
                span_id: self.span_id_of(row),
                name: self.name_of(row).to_owned(),
                start_nanos: if start == NO_TIME || zero == NO_TIME { 0 } else { start.abs_diff(zero) },
                duration: self.times_of(row).1,
                spans,
                failed,
            })
        };
        let mut outlines: Vec<RequestOutline> = roots.iter().take(MAX_OUTLINES).filter_map(outline).collect();
        sort_by_key(&mut outlines, |outline| outline.start_nanos);
        outlines
    }
}

/// Removes the spans that are not kept; their children move to the nearest kept ancestor.
fn keep(order: &mut Vec<TreePosition>, kept: &[bool]) {
    // For each span its new position and depth, or those of its nearest kept ancestor.
    let mut moved: Vec<(u32, u32)> = Vec::with_capacity(order.len());
    let mut chosen = Vec::new();
    for ((place, parent, _), kept) in order.iter().zip(kept) {
        let around = moved.get(*parent as usize).copied().unwrap_or((NO_ROW, 0));
        if !kept {
            moved.push(around);
            continue;
        }
        let depth = if around.0 == NO_ROW { 0 } else { around.1 + 1 };
        moved.push((narrow(chosen.len()), depth));
        chosen.push((*place, around.0, depth));
    }
    *order = chosen;
}

/// For each span, whether it is a framework span: traced automatically, without information that an ancestor does not have. Explicitly
/// traced spans, roots, requests, inference requests, origins of failures, and the outermost span of each kind are not.
fn framework_spans(nodes: &[Node]) -> Vec<bool> {
    let mut fails_below = vec![false; nodes.len()];
    for node in nodes.iter().enumerate().rev() {
        let (at, Node { parent, flags, .. }) = node;
        let fails = fails_below.get(at).copied().unwrap_or(false) || flags.has(SpanFlags::FAILED);
        if let Some(below) = fails_below.get_mut(*parent as usize).filter(|_| fails) {
            *below = true;
        }
    }
    // Kinds of the kept ancestors of each span, as a bit set.
    let mut around: Vec<u16> = Vec::with_capacity(nodes.len());
    let mut folded = Vec::with_capacity(nodes.len());
    for (node, fails_below) in nodes.iter().zip(fails_below) {
        let outside = around.get(node.parent as usize).copied().unwrap_or(0);
        let kind = 1_u16 << node.kind as u8;
        let tells_nothing = matches!(node.kind, SpanKind::Routing | SpanKind::Other) || outside & kind != 0;
        let begins_failure = node.flags.has(SpanFlags::FAILED) && !fails_below;
        let matters = node.parent == NO_ROW
            || node.flags.has(SpanFlags::REQUEST)
            || node.flags.has(SpanFlags::INFERENCE_REQUEST)
            || begins_failure
            || !node.flags.has(SpanFlags::AUTOTRACED);
        let is_of_framework = !matters && tells_nothing;
        folded.push(is_of_framework);
        around.push(if is_of_framework { outside } else { outside | kind });
    }
    folded
}

/// The request each span belongs to, as the position of its root: the nearest request root among the span and its ancestors; [`NO_ROW`] for
/// none.
fn requests(nodes: &[Node]) -> Vec<u32> {
    let mut found: Vec<u32> = Vec::with_capacity(nodes.len());
    for (at, node) in nodes.iter().enumerate() {
        let around = found.get(node.parent as usize).copied().unwrap_or(NO_ROW);
        found.push(if node.flags.has(SpanFlags::REQUEST) { narrow(at) } else { around });
    }
    found
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;

    /// `(depth, name, autotraced, request, failed)` in tree order.
    fn nodes(spans: &[(usize, &str, &str)]) -> Vec<Node> {
        let mut path: Vec<u32> = Vec::new();
        let mut nodes = Vec::new();
        for (at, (depth, name, words)) in spans.iter().enumerate() {
            path.truncate(*depth);
            let mut flags = SpanFlags::default();
            for (word, mark) in [
                ("auto", SpanFlags::AUTOTRACED),
                ("request", SpanFlags::REQUEST),
                ("failed", SpanFlags::FAILED),
                ("counted", SpanFlags::INFERENCE_REQUEST),
            ] {
                if words.contains(word) {
                    flags.add(mark);
                }
            }
            nodes.push(Node { parent: path.last().copied().unwrap_or(NO_ROW), kind: quipu_model::dialect::kind_of_name(name), flags });
            path.push(at as u32);
        }
        nodes
    }

    fn kept(spans: &[(usize, &'static str, &'static str)]) -> Vec<&'static str> {
        let folded = framework_spans(&nodes(spans));
        spans.iter().zip(folded).filter(|(_, folded)| !folded).map(|((_, name, _), _)| *name).collect()
    }

    #[test]
    fn explicit_spans_and_the_outermost_of_each_kind_are_kept() {
        let turn = [
            (0, "/v1/agents/{agent_id}/session/{session_id}/turn", "request"),
            (1, "run_shields", ""),
            (2, "SafetyRouter.run_shield", "auto"),
            (3, "ShieldsRoutingTable.get_shield", "auto"),
            (1, "inference", ""),
            (2, "InferenceRouter.chat_completion", "auto counted"),
            (3, "ModelsRoutingTable.get_model", "auto"),
            (3, "VLLMInferenceAdapter.chat_completion", "auto"),
            (1, "MemoryToolRuntimeImpl.query", "auto"),
            (2, "VectorIORouter.query_chunks", "auto"),
        ];
        assert_eq!(
            kept(&turn),
            [
                "/v1/agents/{agent_id}/session/{session_id}/turn",
                "run_shields",
                "inference",
                "InferenceRouter.chat_completion",
                "MemoryToolRuntimeImpl.query",
            ]
        );
    }

    #[test]
    fn the_origin_of_a_failure_is_kept_but_not_the_spans_it_passed_through() {
        let failed = [
            (0, "/v1/tool-runtime/invoke", "request failed"),
            (1, "ToolRuntimeRouter.invoke_tool", "auto failed"),
            (2, "ToolGroupsRoutingTable.get_provider_impl", "auto failed"),
            (3, "ToolGroupsRoutingTable.get_tool_group", "auto failed"),
        ];
        assert_eq!(kept(&failed), ["/v1/tool-runtime/invoke", "ToolRuntimeRouter.invoke_tool", "ToolGroupsRoutingTable.get_tool_group"]);
    }

    #[test]
    fn a_span_belongs_to_the_nearest_request_around_it() {
        let merged = nodes(&[(0, "/a", "request"), (1, "x", ""), (1, "/b", "request"), (2, "y", ""), (0, "z", "")]);
        assert_eq!(requests(&merged), [0, 0, 2, 2, NO_ROW]);
    }
}

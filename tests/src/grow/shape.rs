//! Arranges spans: copies side by side, below one root, or nested.

use super::source::{Source, Span, Trace};
use super::target::{Placed, Shift, Target};
use super::text::{Id, Salt, prose};
use super::{Plan, Shape};
use anyhow::{Context, Result};
use std::collections::HashSet;

/// Average microseconds between traces: a hundred thousand spans are about a day and a half.
const GAP: u64 = 10_000_000;
/// Number of traces between checks of the file size.
const LOOK: u64 = 200;
/// Name of the span above all requests of a single trace.
const TOP_NAME: &str = "/v1/agents/{agent_id}/session/{session_id}/turn";
/// Attributes of a request's span, as written by releases since 0.2.
const TOP_ATTRIBUTES: &str =
    r#"{"__root__": true, "__root_span__": true, "__local_root_span__": true, "__location__": "server", "__ttl__": 604800}"#;

/// Writes all rows.
pub(super) fn fill(plan: &Plan, source: &Source, target: &mut Target<'_>) -> Result<()> {
    let end = match plan.shape {
        Shape::Spans(spans) => side_by_side(plan, source, target, |target, _| Ok(target.grown.spans >= spans))?,
        Shape::Once => side_by_side(plan, source, target, |_, traces| Ok(traces >= source.traces.len() as u64))?,
        Shape::Bytes(bytes) => {
            side_by_side(plan, source, target, |target, traces| Ok(traces.is_multiple_of(LOOK) && target.bytes()? >= bytes))?
        }
        Shape::OneTrace(spans) => below_one_root(plan, source, target, spans)?,
        Shape::Deep(spans) => each_below_the_other(plan, source, target, spans)?,
    };
    match plan.attribute_bytes {
        Some(bytes) => huge_attribute(plan, source, target, bytes, end),
        None => Ok(()),
    }
}

/// The source's traces, repeated: a number, the copy's salt and the trace.
fn copies<'a>(plan: &Plan, source: &'a Source) -> impl Iterator<Item = (u64, Salt, &'a Trace)> {
    let seed = plan.seed;
    let rounds = (0u64..).flat_map(move |copy| source.traces.iter().map(move |trace| (Salt::new(seed, copy), trace)));
    (0u64..).zip(rounds).map(|(number, (salt, trace))| (number, salt, trace))
}

/// A factor for durations: most traces take about as long as in the source, some several times, a few up to a minute or more.
fn stretch(salt: Salt) -> i64 {
    let (kind, share) = (salt.below(1, 100), salt.below(2, 1_000) as i64);
    match kind {
        0..70 => 500 + share,
        70..97 => 1_500 + share * 4,
        _ => 5_000 + share * 55,
    }
}

/// Writes whole traces until `enough`. Returns the end of the last one.
fn side_by_side(plan: &Plan, source: &Source, target: &mut Target<'_>, enough: impl Fn(&Target<'_>, u64) -> Result<bool>) -> Result<i64> {
    let mut clock = source.traces.iter().map(|trace| trace.start).min().unwrap_or_default();
    for (number, salt, trace) in copies(plan, source) {
        if enough(target, number)? {
            break;
        }
        let own = salt.with(number);
        let shift = Shift { from: trace.start, to: clock, per_mille: stretch(own) };
        clock += own.below(3, 2 * GAP) as i64;
        let trace_id = trace.id.renewed(salt);
        if let Some(recorded) = &trace.recorded {
            let root = recorded.root.as_ref().map(|root| root.renewed(salt));
            target.trace(recorded, &trace_id, root.as_deref(), shift, None)?;
        }
        for span in &trace.spans {
            let (span_id, parent) = (span.id.renewed(salt), span.parent.as_ref().map(|parent| parent.renewed(salt)));
            let placed = Placed { trace_id: &trace_id, span_id: &span_id, parent: parent.as_deref(), times: None };
            target.span(span, &placed, shift, salt)?;
        }
    }
    Ok(clock)
}

/// A single trace: the source's traces one after the other, below one root.
fn below_one_root(plan: &Plan, source: &Source, target: &mut Target<'_>, spans: u64) -> Result<i64> {
    let form = source.traces.first().context("The source holds no trace.")?;
    let salt = Salt::new(plan.seed, u64::MAX);
    let (trace_id, top) = (Id::new(&"0".repeat(32)).renewed(salt), Id::new(&"0".repeat(16)).renewed(salt));
    let (begin, mut clock, mut end) = (form.start, form.start + 1_000, form.start + 2_000);
    let mut left = spans.saturating_sub(1);
    for (number, salt, trace) in copies(plan, source) {
        if left == 0 {
            break;
        }
        let own = salt.with(number);
        let shift = Shift { from: trace.start, to: clock, per_mille: stretch(own) };
        let trace_end = shift.moved(trace.end);
        end = end.max(trace_end);
        // Some start before the previous one has ended.
        clock += (trace_end - clock) * (500 + own.below(3, 600) as i64) / 1_000 + 1_000;
        // Children are written before their parents, so what is too much is cut from the front.
        let whole = trace.spans.len() as u64;
        let skipped = whole.saturating_sub(left) as usize;
        let kept: HashSet<&str> = trace.spans.iter().skip(skipped).map(|span| span.id.text()).collect();
        for span in trace.spans.iter().skip(skipped) {
            let span_id = span.id.renewed(salt);
            let here = span.parent.as_ref().filter(|parent| span.parent_is_here && kept.contains(parent.text()));
            let parent = here.map_or_else(|| top.clone(), |parent| parent.renewed(salt));
            let placed = Placed { trace_id: &trace_id, span_id: &span_id, parent: Some(&parent), times: None };
            target.span(span, &placed, shift, salt)?;
        }
        left -= whole - skipped as u64;
    }
    let end = end.max(clock);
    let placed = Placed { trace_id: &trace_id, span_id: &top, parent: None, times: Some((begin, end)) };
    target.own_span(first_span(form)?, TOP_NAME, TOP_ATTRIBUTES, &placed)?;
    whole_trace(target, form, &trace_id, &top, begin, end)?;
    Ok(end)
}

/// A single trace in which every span is the only child of the previous one. The innermost is written first, because it ends first.
fn each_below_the_other(plan: &Plan, source: &Source, target: &mut Target<'_>, spans: u64) -> Result<i64> {
    let form = source.traces.first().context("The source holds no trace.")?;
    let salt = Salt::new(plan.seed, u64::MAX);
    let trace_id = Id::new(&"0".repeat(32)).renewed(salt);
    let id_at = |depth: u64| Id::new(&format!("{depth:016x}")).renewed(salt);
    let kinds: Vec<&Span> = source.traces.iter().flat_map(|trace| &trace.spans).collect();
    // One millisecond between starts, and between ends.
    let times = |depth: u64| (form.start + depth as i64 * 1_000, form.start + (2 * spans - depth) as i64 * 1_000);
    let shift = Shift { from: 0, to: 0, per_mille: 1_000 };
    for depth in (1..spans).rev() {
        let span = kinds.get((depth % kinds.len() as u64) as usize).context("The source holds no span.")?;
        let (span_id, parent) = (id_at(depth), id_at(depth - 1));
        let placed = Placed { trace_id: &trace_id, span_id: &span_id, parent: Some(&parent), times: Some(times(depth)) };
        target.span(span, &placed, shift, Salt::new(plan.seed, depth))?;
    }
    let (begin, end) = times(0);
    let top = id_at(0);
    let placed = Placed { trace_id: &trace_id, span_id: &top, parent: None, times: Some((begin, end)) };
    target.own_span(first_span(form)?, TOP_NAME, TOP_ATTRIBUTES, &placed)?;
    whole_trace(target, form, &trace_id, &top, begin, end)?;
    Ok(end)
}

/// A trace of one request with a huge input.
fn huge_attribute(plan: &Plan, source: &Source, target: &mut Target<'_>, bytes: usize, at: i64) -> Result<()> {
    let form = source.traces.first().context("The source holds no trace.")?;
    let salt = Salt::new(plan.seed, u64::MAX - 1);
    let (trace_id, span_id) = (Id::new(&"0".repeat(32)).renewed(salt), Id::new(&"0".repeat(16)).renewed(salt));
    let (opening, closing) = (r#"[{\"role\": \"user\", \"content\": \""#, r#"\"}]"#);
    let words = prose(salt, bytes.saturating_sub(opening.len() + closing.len()));
    let attributes = format!(r#"{{"__root__": true, "__location__": "server", "input": "{opening}{words}{closing}", "__ttl__": 604800}}"#);
    let (begin, end) = (at, at + 3_000_000);
    let placed = Placed { trace_id: &trace_id, span_id: &span_id, parent: None, times: Some((begin, end)) };
    target.own_span(first_span(form)?, "/v1/inference/chat-completion", &attributes, &placed)?;
    whole_trace(target, form, &trace_id, &span_id, begin, end)
}

fn first_span(trace: &Trace) -> Result<&Span> {
    trace.spans.first().context("The source's first trace holds no span.")
}

/// Writes the row of `traces` of a generated trace.
fn whole_trace(target: &mut Target<'_>, form: &Trace, trace_id: &str, root: &str, begin: i64, end: i64) -> Result<()> {
    let Some(recorded) = &form.recorded else { return Ok(()) };
    let shift = Shift { from: 0, to: 0, per_mille: 1_000 };
    target.trace(recorded, trace_id, Some(root), shift, Some((begin, end)))
}

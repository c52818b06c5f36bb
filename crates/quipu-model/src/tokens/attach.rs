//! Assigns groups of `metric.*` events to inference requests. Depending on the release, they were recorded on the router's span, on a
//! helper span below it, on a helper span next to it (streaming), or on the request's root if they came late.

use super::{TokenKind, set_count};
use crate::ordered::{sort_by_key, sort_places};
use crate::{TokenRecord, TokenSource};

/// A span of a trace.
#[derive(Clone, Copy)]
pub struct SpanNode {
    /// Index of the parent in the same slice.
    pub parent: Option<usize>,
    /// Start time in nanoseconds since 1970, UTC.
    pub start: i64,
    /// Whether it is an inference request.
    pub is_request: bool,
}

/// Metric events of one span, in recorded order.
pub struct Group {
    /// Index of the span.
    pub span: usize,
    /// Recorded counts by token kind.
    pub counts: Vec<(TokenKind, f64)>,
}

/// Assigns token records to requests. Returns span indices with their records, and the number of records without a request in the trace.
pub fn attach(spans: &[SpanNode], groups: &[Group]) -> (Vec<(usize, TokenRecord)>, usize) {
    let mut finder = Finder::new(spans);
    let mut attached: Vec<(usize, TokenRecord)> = Vec::new();
    let mut lost = 0;
    let mut order: Vec<&Group> = groups.iter().collect();
    sort_by_key(&mut order, |group| spans.get(group.span).map(|span| span.start));
    for group in order {
        for record in records(group) {
            match finder.take(group.span) {
                Some(span) => attached.push((span, record)),
                None => lost += 1,
            }
        }
    }
    (attached, lost)
}

/// Splits a group into records. A new one starts whenever a metric repeats.
fn records(group: &Group) -> Vec<TokenRecord> {
    let mut records: Vec<TokenRecord> = Vec::new();
    for (kind, tokens) in &group.counts {
        let has = |record: &TokenRecord| record.get(*kind).is_some();
        if records.last().is_none_or(has) {
            records.push(TokenRecord::default());
        }
        if let Some(record) = records.last_mut() {
            set_count(record, *kind, *tokens, TokenSource::MetricEvent);
        }
    }
    records.retain(|record| !record.is_empty());
    records
}

/// Maximum number of ancestors or taken requests to look at, since a trace may have a million spans.
const MAX_BACK: usize = 1_000;

struct Finder<'p> {
    spans: &'p [SpanNode],
    taken: Vec<bool>,
    /// Requests ordered by start.
    requests: Vec<usize>,
    /// Requests ordered by parent, then start.
    by_parent: Vec<usize>,
}

impl<'p> Finder<'p> {
    fn new(spans: &'p [SpanNode]) -> Finder<'p> {
        let start = |span: usize| spans.get(span).map(|node| node.start);
        let parent = |span: usize| spans.get(span).and_then(|node| node.parent);
        let mut requests: Vec<usize> = spans.iter().enumerate().filter_map(|(span, node)| node.is_request.then_some(span)).collect();
        sort_places(&mut requests, &|one, other| start(one).cmp(&start(other)));
        let mut by_parent = requests.clone();
        sort_places(&mut by_parent, &|one, other| parent(one).cmp(&parent(other)));
        Finder { spans, taken: vec![false; spans.len()], requests, by_parent }
    }

    /// Finds the request for the events of the span at index `from`, and marks it as taken.
    fn take(&mut self, from: usize) -> Option<usize> {
        let found = self.find(from)?;
        *self.taken.get_mut(found)? = true;
        Some(found)
    }

    fn start(&self, span: usize) -> Option<i64> {
        self.spans.get(span).map(|node| node.start)
    }

    fn parent(&self, span: usize) -> Option<usize> {
        self.spans.get(span)?.parent
    }

    fn is_free(&self, span: usize) -> bool {
        self.taken.get(span) == Some(&false)
    }

    fn find(&self, from: usize) -> Option<usize> {
        let mut above = Some(from);
        for _ in 0..MAX_BACK {
            let Some((span, node)) = above.and_then(|span| Some((span, self.spans.get(span)?))) else { break };
            if node.is_request && self.is_free(span) {
                return Some(span);
            }
            above = node.parent;
        }
        let siblings = self.parent(from).map(|parent| self.children(parent)).unwrap_or_default();
        self.latest(siblings, from)
            .or_else(|| self.children(from).iter().take(MAX_BACK).find(|span| self.is_free(**span)).copied())
            .or_else(|| self.latest(&self.requests, from))
            .or_else(|| self.next(from))
    }

    fn children(&self, parent: usize) -> &[usize] {
        let start = self.by_parent.partition_point(|span| self.parent(*span) < Some(parent));
        let end = self.by_parent.partition_point(|span| self.parent(*span) <= Some(parent));
        self.by_parent.get(start..end).unwrap_or_default()
    }

    /// The first free request that started after the span at `from`. With concurrent requests, the server attached events to any open span.
    fn next(&self, from: usize) -> Option<usize> {
        let after = self.requests.partition_point(|span| self.start(*span) <= self.start(from));
        self.requests.iter().skip(after).take(MAX_BACK).find(|span| self.is_free(**span)).copied()
    }

    /// The last free request that started before the span at `from`.
    fn latest(&self, requests: &[usize], from: usize) -> Option<usize> {
        let before = requests.partition_point(|span| self.start(*span) <= self.start(from));
        requests.iter().take(before).rev().take(MAX_BACK).find(|span| self.is_free(**span)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(parent: Option<usize>, start: i64, is_request: bool) -> SpanNode {
        SpanNode { parent, start, is_request }
    }

    fn totals(spans: &[SpanNode], groups: &[Group]) -> Vec<(usize, u64)> {
        let (records, _) = attach(spans, groups);
        records.iter().map(|(span, record)| (*span, record.total.map_or(0, |count| count.tokens))).collect()
    }

    #[test]
    fn a_helper_below_or_next_to_its_request_finds_it() {
        // 0 root, 1 request, 2 helper below it; 3 request, 4 helper next to it (streaming).
        let spans = [
            span(None, 0, false),
            span(Some(0), 1, true),
            span(Some(1), 2, false),
            span(Some(0), 5, true),
            span(Some(0), 7, false),
        ];
        let groups = [
            Group { span: 4, counts: vec![(TokenKind::Completion, 3.0), (TokenKind::Total, 40.0)] },
            Group { span: 2, counts: vec![(TokenKind::Total, 20.0)] },
        ];
        assert_eq!(totals(&spans, &groups), [(1, 20), (3, 40)]);
    }

    #[test]
    fn late_events_on_the_root_go_to_the_request_below_it() {
        let spans = [span(None, 0, false), span(Some(0), 1, true)];
        let groups = [Group { span: 0, counts: vec![(TokenKind::Total, 9.0)] }];
        assert_eq!(totals(&spans, &groups), [(1, 9)]);
    }

    #[test]
    fn a_request_gets_one_record_and_the_rest_is_counted_as_lost() {
        let spans = [span(None, 0, true)];
        let groups = [Group { span: 0, counts: vec![(TokenKind::Total, 1.0), (TokenKind::Total, 2.0)] }];
        let (records, lost) = attach(&spans, &groups);
        assert_eq!((records.len(), lost), (1, 1));
    }
}

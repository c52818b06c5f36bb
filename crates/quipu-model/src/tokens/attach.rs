//! Which inference request a group of `metric.*` events belongs to. Releases hang them on the router's span, on a helper under it,
//! on a helper beside it (streams), or on the request's root when they came late.

use super::{TokenKind, set_count};
use crate::ordered::{sort_by_key, sort_places};
use crate::{TokenRecord, TokenSource};

/// One span of a trace, as attaching sees it.
#[derive(Clone, Copy)]
pub struct Place {
    /// The parent's place in the same slice.
    pub parent: Option<usize>,
    /// Nanoseconds since 1970, UTC.
    pub start: i64,
    /// Whether it is an inference request.
    pub is_request: bool,
}

/// The metric events of one span, in the order they were recorded.
pub struct Group {
    /// Index into the places.
    pub place: usize,
    /// Each kind of token with its recorded count.
    pub counts: Vec<(TokenKind, f64)>,
}

/// Records by place, and how many records found no request in the trace.
pub fn attach(places: &[Place], groups: &[Group]) -> (Vec<(usize, TokenRecord)>, usize) {
    let mut finder = Finder::new(places);
    let mut attached: Vec<(usize, TokenRecord)> = Vec::new();
    let mut lost = 0;
    let mut order: Vec<&Group> = groups.iter().collect();
    sort_by_key(&mut order, |group| places[group.place].start);
    for group in order {
        for record in records(group) {
            match finder.take(group.place) {
                Some(place) => attached.push((place, record)),
                None => lost += 1,
            }
        }
    }
    (attached, lost)
}

/// One record for each time the same metric comes again.
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

/// How far a search goes, over ancestors or over requests that have their record already: traces may hold a million spans.
const MAX_BACK: usize = 1_000;

struct Finder<'p> {
    places: &'p [Place],
    taken: Vec<bool>,
    /// Requests by start.
    requests: Vec<usize>,
    /// Requests by parent, then start.
    by_parent: Vec<usize>,
}

impl<'p> Finder<'p> {
    fn new(places: &'p [Place]) -> Finder<'p> {
        let mut requests: Vec<usize> = (0..places.len()).filter(|place| places[*place].is_request).collect();
        sort_places(&mut requests, &|one, other| places[one].start.cmp(&places[other].start));
        let mut by_parent = requests.clone();
        sort_places(&mut by_parent, &|one, other| places[one].parent.cmp(&places[other].parent));
        Finder { places, taken: vec![false; places.len()], requests, by_parent }
    }

    /// The request the events of the span at `from` belong to, marked as taken.
    fn take(&mut self, from: usize) -> Option<usize> {
        let found = self.find(from)?;
        self.taken[found] = true;
        Some(found)
    }

    fn find(&self, from: usize) -> Option<usize> {
        let places = self.places;
        let mut above = Some(from);
        for _ in 0..MAX_BACK {
            let Some(place) = above else { break };
            if places[place].is_request && !self.taken[place] {
                return Some(place);
            }
            above = places[place].parent;
        }
        let siblings = places[from].parent.map(|parent| self.children(parent)).unwrap_or_default();
        self.latest(siblings, from)
            .or_else(|| self.children(from).iter().take(MAX_BACK).find(|place| !self.taken[**place]).copied())
            .or_else(|| self.latest(&self.requests, from))
            .or_else(|| self.next(from))
    }

    fn children(&self, parent: usize) -> &[usize] {
        let start = self.by_parent.partition_point(|place| self.places[*place].parent < Some(parent));
        let end = self.by_parent.partition_point(|place| self.places[*place].parent <= Some(parent));
        &self.by_parent[start..end]
    }

    /// The free request that started first after the span at `from`: under concurrency the server hung the events on a span that was open.
    fn next(&self, from: usize) -> Option<usize> {
        let after = self.requests.partition_point(|place| self.places[*place].start <= self.places[from].start);
        self.requests[after..].iter().take(MAX_BACK).find(|place| !self.taken[**place]).copied()
    }

    /// The free request that started last before the span at `from`.
    fn latest(&self, requests: &[usize], from: usize) -> Option<usize> {
        let before = requests.partition_point(|place| self.places[*place].start <= self.places[from].start);
        requests[..before].iter().rev().take(MAX_BACK).find(|place| !self.taken[**place]).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(parent: Option<usize>, start: i64, is_request: bool) -> Place {
        Place { parent, start, is_request }
    }

    fn totals(places: &[Place], groups: &[Group]) -> Vec<(usize, u64)> {
        let (records, _) = attach(places, groups);
        records.iter().map(|(place, record)| (*place, record.total.map_or(0, |count| count.tokens))).collect()
    }

    #[test]
    fn a_helper_below_its_request_and_one_beside_it_find_it() {
        // 0 root, 1 request, 2 helper under it; 3 request, 4 helper beside it (a stream).
        let places = [
            place(None, 0, false),
            place(Some(0), 1, true),
            place(Some(1), 2, false),
            place(Some(0), 5, true),
            place(Some(0), 7, false),
        ];
        let groups = [
            Group { place: 4, counts: vec![(TokenKind::Completion, 3.0), (TokenKind::Total, 40.0)] },
            Group { place: 2, counts: vec![(TokenKind::Total, 20.0)] },
        ];
        assert_eq!(totals(&places, &groups), [(1, 20), (3, 40)]);
    }

    #[test]
    fn late_events_on_the_root_go_to_the_request_below_it() {
        let places = [place(None, 0, false), place(Some(0), 1, true)];
        let groups = [Group { place: 0, counts: vec![(TokenKind::Total, 9.0)] }];
        assert_eq!(totals(&places, &groups), [(1, 9)]);
    }

    #[test]
    fn a_request_gets_one_record_and_the_rest_is_counted_as_lost() {
        let places = [place(None, 0, true)];
        let groups = [Group { place: 0, counts: vec![(TokenKind::Total, 1.0), (TokenKind::Total, 2.0)] }];
        let (records, lost) = attach(&places, &groups);
        assert_eq!((records.len(), lost), (1, 1));
    }
}

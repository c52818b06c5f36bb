//! Groups listed traces by session or turn, and produces the rows of the grouped list.
//!
//! A trace that belongs to several groups is in each of them; traces without a key form the last group. Not here: which traces are listed,
//! and in which order (`session`).

#![expect(
    clippy::indexing_slicing,
    reason = "`slot` limits a value to the dictionary and one entry after it, and a group's places are a range of `members`"
)]

use super::order::{ranks, sort_by_key, time_key, token_key};
use super::values::{NO_VALUE, TraceValues};
use super::{Dictionary, Index, NO_TIME};
use quipu_model::number::narrow;
use quipu_model::ordered::sort_rows;
use quipu_model::{Timestamp, TokenTotals};
use quipu_protocol::{GroupBy, GroupRow, ListColumn, TraceOrder, TraceRow};
use std::ops::Range;

/// Maximum number of distinct models shown for a group.
const MAX_NAMED: usize = 64;

/// One group, with sums over its listed traces.
struct Group {
    /// Number of the key, or [`NO_VALUE`].
    value: u32,
    /// Its range in [`Groups::members`].
    members: Range<u32>,
    start: i64,
    end: i64,
    spans: u64,
    failed: u64,
    failed_traces: u32,
    requests: u64,
    tokens: TokenTotals,
}

/// The number to sort a group by.
type SortKey<'a> = Box<dyn Fn(&Group) -> Option<u64> + 'a>;

pub(crate) struct Groups {
    pub(crate) by: GroupBy,
    /// In list order.
    groups: Vec<Group>,
    /// The traces of all groups, group by group, in list order.
    members: Vec<u32>,
    /// Keys of the expanded groups, as requested.
    open: Vec<String>,
    /// For each group whether it is expanded, and its row; the last entry holds the number of rows.
    rows: Vec<(bool, u32)>,
}

/// A row of a grouped list.
enum Line<'a> {
    Group(&'a Group, bool),
    Trace(u32),
}

impl Groups {
    /// Groups `traces`, which are in list order.
    pub(crate) fn collect(index: &Index, traces: &[u32], by: GroupBy, order: TraceOrder) -> Groups {
        let (values, dictionary) = index.grouped_by(by);
        // Counting sort by value; traces without one come last.
        let mut counts = vec![0_u32; dictionary.len() + 1];
        let slot = |value: u32| (value as usize).min(dictionary.len());
        traces.iter().flat_map(|trace| values.of(*trace)).for_each(|value| counts[slot(value)] += 1);
        let mut groups = Vec::new();
        let mut ends = vec![0_u32; counts.len()];
        let mut end = 0;
        for (value, count) in (0..).zip(&counts).filter(|(_, count)| **count > 0) {
            let start = end;
            end += count;
            ends[value as usize] = start;
            let value = if value as usize == dictionary.len() { NO_VALUE } else { value };
            groups.push(Group::new(value, start..end));
        }
        let mut members = vec![0; end as usize];
        for trace in traces {
            for value in values.of(*trace) {
                let end = &mut ends[slot(value)];
                members[*end as usize] = *trace;
                *end += 1;
            }
        }
        for group in &mut groups {
            members[group.places()].iter().for_each(|trace| group.add(index, *trace));
        }
        let mut groups = Groups { by, groups, members, open: Vec::new(), rows: Vec::new() };
        groups.sort(index, order);
        groups.set_open(index, &[]);
        groups
    }

    fn sort(&mut self, index: &Index, order: TraceOrder) {
        let facets = &index.facets;
        let mut places: Vec<u32> = (0..narrow(self.groups.len())).collect();
        let groups = &self.groups;
        // Ties are sorted by latest start; the group without a key is last.
        sort_by_key(&mut places, true, |place| time_key(groups[place as usize].start));
        let first_value = |group: &Group, values: &TraceValues| self.members[group.places()].iter().find_map(|trace| values.first(*trace));
        let key: SortKey<'_> = match order.column {
            ListColumn::Asked => Box::new(|_| None),
            ListColumn::Start => Box::new(|group| time_key(group.start)),
            ListColumn::Duration => Box::new(Group::duration),
            ListColumn::Spans => Box::new(|group| Some(group.spans)),
            ListColumn::Failed => Box::new(|group| Some(group.failed)),
            ListColumn::Requests => Box::new(|group| Some(group.requests)),
            ListColumn::Prompt | ListColumn::Completion | ListColumn::Tokens | ListColumn::Cost => {
                Box::new(|group| token_key(order.column, &group.tokens))
            }
            ListColumn::Name => {
                let ranks = ranks(index.grouped_by(self.by).1.texts());
                Box::new(move |group| ranks.get(group.value as usize).map(|rank| u64::from(*rank)))
            }
            // A session has many turns.
            ListColumn::Turn if self.by == GroupBy::Session => Box::new(|_| None),
            ListColumn::Model | ListColumn::Session | ListColumn::Turn | ListColumn::Agent | ListColumn::Service => {
                let (values, texts) = match order.column {
                    ListColumn::Model => (&index.values.model, &facets.model.values),
                    ListColumn::Session => (&index.values.session, &facets.session.values),
                    ListColumn::Turn => (&index.values.turn, &facets.turn.values),
                    ListColumn::Service => (&index.values.service, index.services()),
                    _ => (&index.values.agent, &facets.agent.values),
                };
                let ranks = ranks(texts.texts());
                Box::new(move |group| ranks.get(first_value(group, values)? as usize).map(|rank| u64::from(*rank)))
            }
        };
        sort_by_key(&mut places, order.descending, |place| key(&groups[place as usize]));
        drop(key);
        let is_last = |place: u32| groups[place as usize].value == NO_VALUE;
        sort_rows(&mut places, &|one, other| is_last(one).cmp(&is_last(other)));
        let mut sorted: Vec<Option<Group>> = self.groups.drain(..).map(Some).collect();
        self.groups = places.into_iter().filter_map(|place| sorted[place as usize].take()).collect();
    }

    /// Expands the groups with these keys and collapses all others.
    pub(crate) fn set_open(&mut self, index: &Index, open: &[String]) {
        if self.open == open && !self.rows.is_empty() {
            return;
        }
        let dictionary = index.grouped_by(self.by).1;
        let mut wanted: Vec<&str> = open.iter().map(String::as_str).collect();
        quipu_model::ordered::sort_by_key(&mut wanted, |text| *text);
        let mut row = 0;
        self.rows.clear();
        for group in &self.groups {
            let is_open = !wanted.is_empty() && wanted.binary_search(&key_text(dictionary, group.value)).is_ok();
            self.rows.push((is_open, row));
            row += 1 + if is_open { narrow(group.members.len()) } else { 0 };
        }
        self.rows.push((false, row));
        self.open = open.to_vec();
    }

    /// Number of rows: groups, and traces of expanded groups.
    pub(crate) fn len(&self) -> usize {
        self.rows.last().map_or(0, |(_, row)| *row as usize)
    }

    /// The row at index `place`, which must be below [`Groups::len`].
    pub(crate) fn row(&self, index: &Index, place: usize, asked: &dyn Fn(u32) -> Option<String>) -> Option<TraceRow> {
        Some(match self.line(place)? {
            Line::Trace(trace) => index.trace_row(trace, asked),
            Line::Group(group, open) => self.group_row(index, group, open, asked),
        })
    }

    fn line(&self, place: usize) -> Option<Line<'_>> {
        let at = self.rows.partition_point(|(_, row)| *row as usize <= place).checked_sub(1)?;
        let (group, (open, first)) = (self.groups.get(at)?, self.rows.get(at)?);
        match place - *first as usize {
            0 => Some(Line::Group(group, *open)),
            nth => self.members.get(group.places())?.get(nth - 1).map(|trace| Line::Trace(*trace)),
        }
    }

    fn group_row(&self, index: &Index, group: &Group, open: bool, asked: &dyn Fn(u32) -> Option<String>) -> TraceRow {
        let members = self.members.get(group.places()).unwrap_or_default();
        let facets = &index.facets;
        let first = |values: &TraceValues, dictionary: &Dictionary| {
            members.iter().find_map(|trace| values.first(*trace)).map(|value| dictionary.text(value).to_owned())
        };
        let distinct = |values: &TraceValues| {
            let mut found: Vec<u32> = Vec::new();
            for value in members.iter().flat_map(|trace| values.of(*trace)).filter(|value| *value != NO_VALUE) {
                if found.len() < MAX_NAMED && !found.contains(&value) {
                    found.push(value);
                }
            }
            found
        };
        let (models, services) = (distinct(&index.values.model), distinct(&index.values.service));
        let has_key = group.value != NO_VALUE;
        let first_trace = members.iter().copied().min_by_key(|trace| (index.traces.at(*trace).utc_start(), *trace)).filter(|_| has_key);
        TraceRow {
            group: Some(GroupRow {
                key: key_text(index.grouped_by(self.by).1, group.value).to_owned(),
                traces: narrow(members.len()),
                failed_traces: group.failed_traces,
                open,
            }),
            trace_id: String::new(),
            start: (group.start != NO_TIME).then_some(Timestamp(group.start)),
            duration_nanos: group.duration(),
            root_name: None,
            root_kind: None,
            asked: first_trace.and_then(asked),
            spans: u32::try_from(group.spans).ok(),
            failed: u32::try_from(group.failed).ok(),
            requests: u32::try_from(group.requests).ok(),
            tokens: Some(group.tokens),
            model: models.first().map(|model| facets.model.values.text(*model).to_owned()),
            more_models: narrow(models.len().saturating_sub(1)),
            // The traces of the group without a key have nothing in common.
            session: first(&index.values.session, &facets.session.values).filter(|_| has_key),
            turn: first(&index.values.turn, &facets.turn.values).filter(|_| has_key && self.by == GroupBy::Turn),
            agent: first(&index.values.agent, &facets.agent.values).filter(|_| has_key),
            service: services.first().map(|service| index.services().text(*service).to_owned()),
            more_services: narrow(services.len().saturating_sub(1)),
        }
    }
}

fn key_text(dictionary: &Dictionary, value: u32) -> &str {
    if value == NO_VALUE { "" } else { dictionary.text(value) }
}

impl Group {
    fn new(value: u32, members: Range<u32>) -> Group {
        Group {
            value,
            members,
            start: NO_TIME,
            end: NO_TIME,
            spans: 0,
            failed: 0,
            failed_traces: 0,
            requests: 0,
            tokens: TokenTotals::default(),
        }
    }

    fn places(&self) -> Range<usize> {
        self.members.start as usize..self.members.end as usize
    }

    fn add(&mut self, index: &Index, number: u32) {
        let trace = index.traces.at(number);
        let start = trace.utc_start();
        if start != NO_TIME {
            self.start = if self.start == NO_TIME { start } else { self.start.min(start) };
            self.end = self.end.max(trace.utc(trace.end));
        }
        self.spans += u64::from(trace.spans);
        self.failed += u64::from(trace.failed);
        self.failed_traces += u32::from(trace.failed > 0);
        self.requests += u64::from(trace.requests);
        self.tokens.merge(&index.trace_tokens(number));
    }

    /// Nanoseconds from the earliest start to the latest end.
    fn duration(&self) -> Option<u64> {
        (self.start != NO_TIME).then(|| self.end.abs_diff(self.start))
    }
}

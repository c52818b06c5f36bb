//! The columns of spans, and the hash table from id to row.

use super::column::{Column, RowIds};
use super::ids::{SpanKey, halves};
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use quipu_model::number::narrow;
use quipu_model::{SpanFlags, SpanKind};

/// Each column has one entry per span, in rowid order.
#[derive(Clone, Default)]
pub(super) struct Spans {
    pub(super) key: Column<SpanKey>,
    pub(super) trace: Column<u32>,
    pub(super) parent: Column<SpanKey>,
    pub(super) name: Column<u32>,
    /// Nanoseconds since 1970, read as UTC if the text has no zone; `NO_TIME` if it can't be parsed.
    pub(super) start: Column<i64>,
    pub(super) end: Column<i64>,
    pub(super) flags: Column<SpanFlags>,
    pub(super) kind: Column<SpanKind>,
    /// The number of each span's resource and scope; empty where spans have none of their own.
    pub(super) source: Column<u32>,
    pub(super) rowids: RowIds,
    rows: HashTable<u32>,
    /// Number of rows that are in `rows`.
    filed: u32,
    /// Some id occurs twice in a trace, as in damaged files.
    pub(super) ids_repeat: bool,
}

/// A span to be added.
pub(super) struct NewSpan {
    pub(super) rowid: i64,
    pub(super) key: SpanKey,
    pub(super) trace: u32,
    pub(super) parent: SpanKey,
    pub(super) name: u32,
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) flags: SpanFlags,
    pub(super) kind: SpanKind,
    pub(super) source: Option<u32>,
}

/// Ids are random already; mixing only prevents crafted ids from colliding.
pub(super) fn mix(number: u64) -> u64 {
    let product = u128::from(number ^ 0x9e37_79b9_7f4a_7c15) * 0xd6e8_feb8_6659_fd93_u128;
    let (low, high) = halves(product);
    low ^ high
}

impl Spans {
    pub(super) fn len(&self) -> usize {
        self.key.len()
    }

    pub(super) fn push(&mut self, span: NewSpan) -> u32 {
        let row = narrow(self.key.len());
        self.key.push(span.key);
        self.trace.push(span.trace);
        self.parent.push(span.parent);
        self.name.push(span.name);
        self.start.push(span.start);
        self.end.push(span.end);
        self.flags.push(span.flags);
        self.kind.push(span.kind);
        if let Some(source) = span.source {
            self.source.push(source);
        }
        self.rowids.push(row, span.rowid);
        row
    }

    /// Adds the spans pushed since the last call to the hash table. Inserting many at once lets the processor overlap cache misses.
    pub(super) fn file(&mut self) {
        let (keys, traces) = (&self.key, &self.trace);
        for row in self.filed..narrow(keys.len()) {
            let (key, trace) = (*keys.at(row), *traces.at(row));
            // With the same id twice in a trace, the first row wins.
            let is_same = |other: &u32| *keys.at(*other) == key && *traces.at(*other) == trace;
            match self.rows.entry(mix(key.0), is_same, |row| mix(keys.at(*row).0)) {
                Entry::Vacant(free) => drop(free.insert(row)),
                Entry::Occupied(_) => self.ids_repeat = true,
            }
        }
        self.filed = narrow(keys.len());
    }

    /// Reserves space in the hash table, which would otherwise be rehashed several times.
    pub(super) fn reserve(&mut self, spans: usize) {
        let keys = &self.key;
        self.rows.reserve(spans, |row| mix(keys.at(*row).0));
    }

    /// The row of a span that is in the hash table; the first one, where several traces have a span with this id.
    pub(super) fn find(&self, key: SpanKey) -> Option<u32> {
        self.rows_of(key).min()
    }

    /// The rows of all spans with this id.
    pub(super) fn rows_of(&self, key: SpanKey) -> impl Iterator<Item = u32> {
        self.rows.iter_hash(mix(key.0)).copied().filter(move |row| *self.key.at(*row) == key)
    }

    /// The row of the span of a trace.
    pub(super) fn find_in(&self, trace: u32, key: SpanKey) -> Option<u32> {
        self.rows.find(mix(key.0), |row| *self.key.at(*row) == key && *self.trace.at(*row) == trace).copied()
    }
}

//! The records that a filter selects: pages of them, and how many there are over time.

use super::select::{LogTest, Texts};
use super::{Entry, Logs, NO_SEVERITY};
use crate::index::{Bits, Index, NO_TIME};
use quipu_model::number::narrow;
use quipu_model::{LogSeverity, Timestamp};
use quipu_protocol::filter::Filter;
use quipu_protocol::{LogChart, LogId, LogListQuery, LogReading};
use quipu_store::{Database, StoreError, event_columns, log_record};

/// Selections kept, so that several readers of one file do not disturb each other.
const MAX_SELECTIONS: usize = 4;
/// Records read in one step, and the bytes after which a step ends.
const STEP_ROWS: usize = 4_096;
const STEP_BYTES: usize = 4 << 20;
/// Maximum number of bars of a chart.
const MAX_BARS: u64 = 1_000;

/// The records that one filter matches, as far as is known.
pub(crate) struct Selected {
    filter: String,
    min_severity: Option<LogSeverity>,
    test: LogTest,
    /// The records found so far that the filter matches, of any severity.
    yes: Bits,
    /// Records that have to be read, ascending; read from the end.
    open: Vec<u32>,
    to_read: usize,
    /// Those of `yes` with the severity that is asked for, ascending by time.
    matched: Vec<u32>,
    by_severity: [u32; 7],
}

/// The selections used last.
#[derive(Default)]
pub(crate) struct LogLists {
    /// The one used last.
    current: Option<Selected>,
    /// Those used before, the latest last.
    others: Vec<Selected>,
}

impl LogLists {
    /// The selection of a query, prepared or continued.
    ///
    /// # Errors
    /// A sentence about what can't be asked of log records.
    pub(crate) fn select(&mut self, query: &LogListQuery, filter: &Filter, logs: &Logs, index: &Index) -> Result<&mut Selected, String> {
        self.others.extend(self.current.take());
        let is_it = |known: &Selected| known.filter == query.filter && known.min_severity == query.min_severity;
        let selected = match self.others.iter().position(is_it) {
            Some(at) => self.others.remove(at),
            None => Selected::new(query, LogTest::prepare(filter, logs, index)?, logs, index),
        };
        if self.others.len() >= MAX_SELECTIONS {
            self.others.remove(0);
        }
        Ok(self.current.insert(selected))
    }
}

fn severity_place(entry: &Entry) -> usize {
    usize::from(entry.severity.min(NO_SEVERITY))
}

impl Selected {
    fn new(query: &LogListQuery, test: LogTest, logs: &Logs, index: &Index) -> Selected {
        let mut yes = Bits::filled(logs.len(), false);
        let mut open = Vec::new();
        for (number, entry) in (0..).zip(logs.entries()) {
            match test.holds(logs, index, entry, None) {
                Some(true) => yes.insert(number),
                Some(false) => {}
                None => open.push(number),
            }
        }
        let mut selected = Selected {
            filter: query.filter.clone(),
            min_severity: query.min_severity,
            test,
            yes,
            to_read: open.len(),
            open,
            matched: Vec::new(),
            by_severity: [0; 7],
        };
        selected.count(logs);
        selected
    }

    /// Reads the latest records that memory does not decide.
    ///
    /// # Errors
    /// When the file can't be read any more. A record that is damaged does not match.
    pub(crate) fn step(&mut self, logs: &Logs, index: &Index, database: &Database) -> Result<(), StoreError> {
        let (mut rows, mut bytes) = (0, 0);
        while rows < STEP_ROWS && bytes < STEP_BYTES {
            let Some(number) = self.open.pop() else { break };
            let Some(entry) = logs.entry(number) else { continue };
            rows += 1;
            if self.read(logs, index, database, entry, &mut bytes)? {
                self.yes.insert(number);
            }
        }
        if rows > 0 {
            self.count(logs);
        }
        Ok(())
    }

    fn read(&self, logs: &Logs, index: &Index, database: &Database, entry: &Entry, bytes: &mut usize) -> Result<bool, StoreError> {
        let (connection, schema) = (database.connection(), database.schema());
        let mut holds = |texts: &Texts<'_>| {
            *bytes += texts.attributes.len();
            self.test.holds(logs, index, entry, Some(texts)).unwrap_or(false)
        };
        let found = match entry.log_id() {
            LogId::Event(id) => event_columns(connection, schema, id, |event| {
                let span_id = event.span_id.as_deref().unwrap_or_default();
                holds(&Texts { name: event.name.as_deref().unwrap_or_default(), attributes: event.attributes, trace_id: "", span_id })
            }),
            LogId::Record(id) => log_record(connection, schema, id).map(|record| {
                let record = record?;
                let of = |text: &Option<String>| text.clone().unwrap_or_default();
                let (name, trace_id, span_id) = (of(&record.name), of(&record.trace_id), of(&record.span_id));
                let attributes = record.attributes.as_deref().unwrap_or_default().as_bytes();
                Some(holds(&Texts { name: &name, attributes, trace_id: &trace_id, span_id: &span_id }))
            }),
        };
        match found {
            Ok(found) => Ok(found.unwrap_or(false)),
            Err(error) if error.is_damage() => database.source_failed().map(|()| false),
            Err(error) => Err(error),
        }
    }

    fn count(&mut self, logs: &Logs) {
        self.by_severity = [0; 7];
        self.matched.clear();
        for number in self.yes.iter() {
            let Some(entry) = logs.entry(number) else { continue };
            let severity = severity_place(entry);
            if let Some(count) = self.by_severity.get_mut(severity) {
                *count += 1;
            }
            let is_severe = |least: LogSeverity| severity >= least as usize && entry.severity != NO_SEVERITY;
            if self.min_severity.is_none_or(is_severe) {
                self.matched.push(number);
            }
        }
    }

    pub(crate) fn reading(&self) -> LogReading {
        let (all, left) = (self.to_read as u64, self.open.len() as u64);
        LogReading { rows: all - left, expected: all, done: left == 0 }
    }

    pub(crate) fn total(&self) -> u32 {
        narrow(self.matched.len())
    }

    pub(crate) fn by_severity(&self) -> [u32; 7] {
        self.by_severity
    }

    /// The records of a page.
    pub(crate) fn page<'a>(&self, query: &LogListQuery, limit: usize, logs: &'a Logs) -> Vec<&'a Entry> {
        let (skip, take) = (query.offset as usize, (query.limit as usize).min(limit));
        let entry = |number: &u32| logs.entry(*number);
        // Records without a time are the first in memory, and the last of either list.
        let timeless = self.matched.partition_point(|number| logs.entry(*number).is_some_and(|entry| entry.time == NO_TIME));
        let (timeless, timed) = self.matched.split_at(timeless);
        if query.oldest_first {
            timed.iter().chain(timeless).skip(skip).take(take).filter_map(entry).collect()
        } else {
            timed.iter().rev().chain(timeless.iter().rev()).skip(skip).take(take).filter_map(entry).collect()
        }
    }

    /// The records over time, in at most so many bars.
    pub(crate) fn chart(&self, bars: u16, logs: &Logs) -> Option<LogChart> {
        let times = || self.matched.iter().filter_map(|number| logs.entry(*number)).filter(|entry| entry.time != NO_TIME);
        let (first, last) = (times().next()?.time, times().next_back()?.time);
        let width = bar_nanos(last.abs_diff(first).saturating_add(1), u64::from(bars).clamp(1, MAX_BARS));
        let step = i64::try_from(width).unwrap_or(i64::MAX);
        let start = first.div_euclid(step).saturating_mul(step);
        let mut found: Vec<[u32; 7]> = Vec::new();
        for entry in times() {
            let at = usize::try_from(entry.time.abs_diff(start) / width).unwrap_or(0);
            if found.len() <= at && at <= usize::from(u16::MAX) {
                found.resize(at + 1, [0; 7]);
            }
            if let Some(count) = found.get_mut(at).and_then(|bar| bar.get_mut(severity_place(entry))) {
                *count += 1;
            }
        }
        Some(LogChart { start: Timestamp(start), bar_nanos: width, bars: found })
    }
}

/// The smallest round width with which `span` nanoseconds take at most `bars` bars.
fn bar_nanos(span: u64, bars: u64) -> u64 {
    const SECOND: u64 = 1_000_000_000;
    const ROUND: [u64; 15] = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 10_800, 21_600];
    const DAY: u64 = 86_400 * SECOND;
    // One more, because the first bar begins before the first record.
    let fits = |width: &u64| span / width < bars;
    let below = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    let round = ROUND.into_iter().map(|seconds| seconds * SECOND);
    let days = (0..24).map(|power: u32| DAY.saturating_mul(2_u64.saturating_pow(power)));
    below.chain(round).chain(days).find(fits).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::bar_nanos;

    #[test]
    fn bars_are_round_and_no_more_than_asked_for() {
        const SECOND: u64 = 1_000_000_000;
        for span in [1, 7, SECOND, 60 * SECOND, 3_601 * SECOND, 86_400 * SECOND, 400 * 86_400 * SECOND, u64::MAX / 2] {
            let width = bar_nanos(span, 120);
            assert!(span.div_ceil(width) <= 121, "{span} {width}");
        }
        assert_eq!((bar_nanos(7, 120), bar_nanos(SECOND, 120), bar_nanos(3_600 * SECOND, 120)), (1, 10_000_000, 60 * SECOND));
        assert_eq!(bar_nanos(86_400 * SECOND, 120), 900 * SECOND);
        assert!(bar_nanos(u64::MAX, 1) >= u64::MAX / 2);
    }
}

//! How large and how old the collected data may become.
//!
//! Not here: what is removed (`quipu::store`), and when there is time for it (`keeper`).

use clap::Args;
use quipu::format;
use quipu::store::{FileSize, Removed};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Removing begins at this share of the greatest size, in percent, and ends at the second. A transaction adds tens of megabytes at most.
const BEGIN: u64 = 94;
const END: u64 = 90;
/// At this share, requests wait until there is room.
const URGENT: u64 = 99;
/// All of a file, in thousandths.
pub(crate) const ALL: u64 = 1_000;
/// How often it is looked for what has become too old.
const LOOK: Duration = Duration::from_secs(10);
/// Free pages in percent of the file that are given back to the system. Fewer are soon used again.
const RETURN: u64 = 10;

/// The bounds of a file.
#[derive(Args, Clone, Copy, Debug, Default)]
pub(crate) struct Retention {
    /// Maximum size of the file, like 500MB or 2GB. The oldest traces are removed, with the log records and metric points of their time
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    max_size: Option<u64>,
    /// Maximum age of traces, log records and metric points, like 12h or 7d
    #[arg(long, value_name = "AGE", value_parser = parse_age)]
    max_age: Option<Duration>,
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Due {
    /// Nothing.
    Nothing,
    /// This share of the file is to be removed, in thousandths.
    Remove(u64),
    /// The same, before anything else is written.
    RemoveFirst(u64),
    /// What was created before this time is to be removed, in seconds since 1970.
    RemoveBefore(u64),
    /// Free pages are to be given back.
    Return,
}

/// Decides when something is due, and adds up what was removed.
#[derive(Debug, Default)]
pub(crate) struct Pruning {
    retention: Retention,
    /// Whether removing has begun and not reached its end.
    goes_on: bool,
    /// When it was last found that nothing is too old.
    looked: Option<std::time::Instant>,
    /// Whether the last attempt to give back pages did nothing.
    keeps_pages: bool,
    removed: Removed,
    begun_at: u64,
}

impl Pruning {
    pub(crate) fn new(retention: Retention) -> Pruning {
        Pruning { retention, ..Pruning::default() }
    }

    /// Whether the file has bounds at all.
    pub(crate) fn is_bounded(&self) -> bool {
        self.retention.max_size.is_some() || self.retention.max_age.is_some()
    }

    /// How long nothing can become due unless something is written.
    pub(crate) fn pause(&self) -> Option<Duration> {
        self.retention.max_age.map(|_| LOOK)
    }

    /// What is due, with a file of this size.
    pub(crate) fn due(&mut self, size: FileSize) -> Due {
        let used = size.total.saturating_sub(size.free);
        if let Some(most) = self.retention.max_size {
            let percent = |percent: u64| most / 100 * percent;
            let surplus = used.saturating_sub(percent(END)).saturating_mul(1_000) / used.max(1);
            if used > percent(URGENT) {
                return self.begin(used, Due::RemoveFirst(surplus));
            }
            if used > percent(if self.goes_on { END } else { BEGIN }) {
                return self.begin(used, Due::Remove(surplus));
            }
        }
        if let Some(before) = self.too_old() {
            return self.begin(used, Due::RemoveBefore(before));
        }
        let is_above = self.retention.max_size.is_some_and(|most| size.total > most);
        if !self.keeps_pages && (is_above || size.free > size.total / 100 * RETURN) && size.free > 0 { Due::Return } else { Due::Nothing }
    }

    fn begin(&mut self, used: u64, due: Due) -> Due {
        if !std::mem::replace(&mut self.goes_on, true) {
            self.begun_at = used;
        }
        due
    }

    fn too_old(&self) -> Option<u64> {
        let age = self.retention.max_age.filter(|_| self.looked.is_none_or(|looked| looked.elapsed() >= LOOK))?;
        // Before 1970, nothing is older.
        SystemTime::now().duration_since(UNIX_EPOCH).ok()?.checked_sub(age).map(|before| before.as_secs())
    }

    /// Notes what a step removed. Returns a sentence if it was the last one.
    pub(crate) fn note(&mut self, removed: Removed, due: Due, size: FileSize) -> Option<String> {
        self.removed += removed;
        self.keeps_pages &= removed.is_empty();
        if removed.is_empty() && matches!(due, Due::RemoveBefore(_)) {
            self.looked = Some(std::time::Instant::now());
        }
        let used = size.total.saturating_sub(size.free);
        let is_large = self.retention.max_size.is_some_and(|most| used > most / 100 * END);
        // What is left may be too much all the same: pinned traces, or a single one.
        if !removed.is_empty() && (is_large || matches!(due, Due::RemoveBefore(_))) {
            return None;
        }
        self.goes_on = false;
        let all = std::mem::take(&mut self.removed);
        (!all.is_empty()).then(|| sentence(all, self.begun_at.saturating_sub(used)))
    }

    /// Notes whether giving back pages made the file smaller.
    pub(crate) fn note_returned(&mut self, is_smaller: bool) {
        self.keeps_pages = !is_smaller;
    }
}

fn sentence(removed: Removed, bytes: u64) -> String {
    let parts = [
        (removed.traces, "trace", "traces"),
        (removed.spans, "span", "spans"),
        (removed.log_records, "log record", "log records"),
        (removed.metric_points, "metric point", "metric points"),
    ];
    let parts: Vec<String> =
        parts.iter().filter(|part| part.0 > 0).map(|(number, one, many)| format::counted(Some(*number), one, many)).collect();
    format!("Removed what was oldest: {} ({}).", parts.join(", "), format::bytes(bytes))
}

/// Reads a size such as `500MB`, `2GB` or `1GiB`.
///
/// # Errors
/// A sentence that says how to write one.
fn parse_size(text: &str) -> Result<u64, String> {
    let size: bytesize::ByteSize = text.parse().map_err(|_| format!("“{text}” is not a size; write it like 500MB, 2GB or 1GiB"))?;
    if size.as_u64() < LEAST { Err(format!("the smallest size is {}", format::bytes(LEAST))) } else { Ok(size.as_u64()) }
}

/// A file smaller than this is mostly tables and what a single transaction adds.
const LEAST: u64 = 50_000_000;

/// Reads an age such as `12h` or `7d`.
///
/// # Errors
/// A sentence that says how to write one.
fn parse_age(text: &str) -> Result<Duration, String> {
    let age = humantime::parse_duration(text).map_err(|_| format!("“{text}” is not an age; write it like 90m, 12h or 7d"))?;
    if age.as_secs() < 60 { Err("the shortest age is 1m".to_owned()) } else { Ok(age) }
}

//! State shared by the collector's threads: its own counters, and the received series.

use super::series::Series;
use crate::http::UnusableCounts;
use axum::http::StatusCode;
use quipu::store::Removed;
use quipu::transfer::{Recorded, Signal};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A counter that threads can increment.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(crate) fn sub(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Counters of one signal.
#[derive(Debug, Default)]
pub(crate) struct OfSignal {
    /// Requests by status class: `2xx`, `4xx`, `5xx`.
    pub(crate) answered: [Counter; 3],
    /// Bytes of decompressed bodies.
    pub(crate) bytes: Counter,
    /// Rejected entries of accepted requests.
    pub(crate) refused: Counter,
}

#[derive(Debug, Default)]
pub(crate) struct Shared {
    traces: OfSignal,
    metrics: OfSignal,
    logs: OfSignal,
    /// Connections that can't be used.
    pub(crate) unusable: Arc<UnusableCounts>,
    pub(crate) spans: Counter,
    pub(crate) repeated_spans: Counter,
    pub(crate) events: Counter,
    pub(crate) log_records: Counter,
    pub(crate) metric_points: Counter,
    pub(crate) repeated_requests: Counter,
    /// Rows of kept entries that the file did not take.
    pub(crate) refused_parts: Counter,
    pub(crate) commits: Counter,
    pub(crate) failed_commits: Counter,
    /// Requests waiting to be committed, and the bytes of their bodies.
    pub(crate) waiting_requests: Counter,
    pub(crate) waiting_bytes: Counter,
    /// Requests not printed because the console was too slow.
    pub(crate) console_dropped: Counter,
    /// Requests forwarded, and requests that could not be.
    pub(crate) forwarded: Counter,
    pub(crate) forward_dropped: Counter,
    /// What was removed to keep the file within its bounds.
    pub(crate) removed_traces: Counter,
    pub(crate) removed_spans: Counter,
    pub(crate) removed_log_records: Counter,
    pub(crate) removed_metric_points: Counter,
    series: Mutex<Series>,
}

impl Shared {
    pub(crate) fn of(&self, signal: Signal) -> &OfSignal {
        match signal {
            Signal::Traces => &self.traces,
            Signal::Metrics => &self.metrics,
            Signal::Logs => &self.logs,
        }
    }

    pub(crate) fn series(&self) -> MutexGuard<'_, Series> {
        // A panic while locked leaves the numbers consistent.
        self.series.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn answered(&self, signal: Signal, status: StatusCode) {
        let class = match status.as_u16() {
            ..400 => 0,
            400..500 => 1,
            _ => 2,
        };
        if let Some(counter) = self.of(signal).answered.get(class) {
            counter.add(1);
        }
    }

    pub(crate) fn removed(&self, removed: Removed) {
        self.removed_traces.add(removed.traces);
        self.removed_spans.add(removed.spans);
        self.removed_log_records.add(removed.log_records);
        self.removed_metric_points.add(removed.metric_points);
    }

    pub(crate) fn committed(&self, recorded: Recorded) {
        self.commits.add(1);
        self.spans.add(recorded.spans);
        self.repeated_spans.add(recorded.repeated_spans);
        self.events.add(recorded.events);
        self.log_records.add(recorded.logs);
        self.metric_points.add(recorded.points);
    }
}

//! Writes events that programs send over HTTP to the served file.
//!
//! Events are defined in `quipu::model`; `quipu-telemetry` turns them into rows.

use anyhow::Result;
use quipu::model::Event;
use quipu_telemetry::{FlushError, LogError, Receipt, SqliteSink, Telemetry};
use std::path::Path;

/// Service name of the traces written here: the one Llama Stack records if none is configured.
const SERVICE_NAME: &str = "\u{200b}";

/// The writer of the served file.
pub(super) struct Log(Telemetry);

impl Log {
    /// Opens the file for writing and creates it if necessary.
    ///
    /// # Errors
    /// If the file can't be opened; the message names it.
    pub(super) fn open(path: &Path) -> Result<Log> {
        let path = path.to_owned();
        Ok(Log(Telemetry::builder().sink(move || SqliteSink::open(&path, SERVICE_NAME)).start()?))
    }

    /// Queues an event; the receipt reports its outcome.
    ///
    /// # Errors
    /// If the event is invalid or the queue is full.
    pub(super) fn event(&self, event: Event, ttl_seconds: i64) -> Result<Receipt, LogError> {
        self.0.log_event_with_receipt(event, ttl_seconds)
    }

    /// Waits until all queued events are in the file. Blocks the calling thread.
    ///
    /// # Errors
    /// If something could not be written.
    pub(super) fn flush(&self) -> Result<(), FlushError> {
        self.0.flush()
    }

    /// Writes the remaining events and closes the file.
    ///
    /// # Errors
    /// If something could not be written.
    pub(super) fn close(&self) -> Result<(), FlushError> {
        self.0.shutdown()
    }
}

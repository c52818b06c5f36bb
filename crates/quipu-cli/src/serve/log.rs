//! What programs log over HTTP, written to the served file as the writing side writes it.
//!
//! What is not here: events (`quipu::model`), and their way into rows (`quipu-telemetry`).

use anyhow::Result;
use quipu::model::Event;
use quipu_telemetry::{FlushError, LogError, SqliteSink, Telemetry};
use std::path::Path;

/// The service name of traces that come this way: that of a server where nobody named it.
const SERVICE_NAME: &str = "\u{200b}";

/// The writing side of the served file.
pub(super) struct Log(Telemetry);

impl Log {
    /// Opens the file for writing, and makes it where there is none.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn open(path: &Path) -> Result<Log> {
        let path = path.to_owned();
        Ok(Log(Telemetry::builder().sink(move || SqliteSink::open(&path, SERVICE_NAME)).start()?))
    }

    /// Takes an event.
    ///
    /// # Errors
    /// It was not taken.
    pub(super) fn event(&self, event: Event, ttl_seconds: i64) -> Result<(), LogError> {
        self.0.log_event(event, ttl_seconds)
    }

    /// Waits until everything that was taken is in the file. Not for a thread that others wait for.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn flush(&self) -> Result<(), FlushError> {
        self.0.flush()
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// What could not be written.
    pub(super) fn close(&self) -> Result<(), FlushError> {
        self.0.shutdown()
    }
}

//! What the decisions need of the page and of its worker.

use crate::{Signals, VisitFiles};
use quipu_protocol::address::Source;
use quipu_protocol::{Failure, FileSummary};

/// The answer to opening a file.
pub(crate) type Opened = Result<FileSummary, Failure>;

/// The worker that reads files.
pub trait Worker {
    /// A file of the reader's.
    type File;

    /// Opens `files`; answers to earlier questions are dropped. A served file has no `files`.
    fn open(&self, source: &Source, files: &[Self::File], callback: impl FnOnce(Result<FileSummary, Failure>) + 'static);

    /// Opens the newest generation of the served file.
    fn open_served(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static);

    /// Requests the summary of the open file.
    fn get_file(&self, callback: impl FnOnce(Result<FileSummary, Failure>) + 'static);

    /// Stops the search through the file.
    fn stop_searching(&self, callback: impl FnOnce(Result<(), Failure>) + 'static);

    /// Ends the worker, and drops what it was asked. The next question starts a new one.
    fn stop(&self);

    /// Starts the worker before it is needed.
    fn warm_up(&self);
}

/// The page around the open file. Cheap to copy; all copies are one page.
pub trait Page: Copy + 'static {
    /// A file of the reader's.
    type File: Clone + 'static;
    /// The worker that reads files.
    type Worker: Worker<File = Self::File>;

    /// The state of the open file.
    fn signals(&self) -> Signals;

    /// The worker.
    fn worker(&self) -> Self::Worker;

    /// Reads or changes the files of this visit.
    fn with_files<T>(&self, work: impl FnOnce(&mut VisitFiles<Self::File>) -> T) -> T;

    /// The name to show while `files` are opened as `source`.
    fn opening_name(&self, source: &Source, files: &[Self::File]) -> String;

    /// The current time, in milliseconds since 1970.
    fn now_ms(&self) -> f64;

    /// Forgets what the lists and SQL loaded: another file is being opened.
    fn reset_lists(&self);

    /// Requests the rows of the lists again; they stay until the answer arrives.
    fn refresh_lists(&self);

    /// Requests the rows that the exited worker did not answer.
    fn request_missing_rows(&self);

    /// A search found more: the lists look again, at any rate when this is the `last` report.
    fn look_again(&self, last: bool);

    /// Requests the first rows, where the view is a list.
    fn request_first_rows(&self);

    /// Puts an opened file into the address. `was_empty`: no file was open before.
    fn enter_source(&self, source: Source, was_empty: bool);

    /// Opens what the address names.
    fn follow_address(&self);
}

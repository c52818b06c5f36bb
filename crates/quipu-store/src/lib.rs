//! Reads and writes telemetry files with SQLite: opening untrusted files safely, knowing their tables, reading rows; writing rows to new files.
//!
//! [`Database`] is an open file, [`Writer`] one being written. Nothing here reads a clock or the network, and only [`FileSource`] and `Writer`
//! touch the file system: bytes come from a [`ByteSource`], the time from a closure.
//!
//! Not here: lists, trees and totals, which the index of `quipu` computes in one pass, and decoding of attribute values
//! (`quipu_model::recorded`).

mod cache;
mod call_sql;
mod database;
mod error;
mod extra;
mod failure_sql;
#[cfg(not(target_family = "wasm"))]
mod file_source;
#[cfg(not(target_family = "wasm"))]
mod functions;
mod header;
mod layout;
#[cfg(not(target_family = "wasm"))]
mod like;
#[cfg(not(target_family = "wasm"))]
mod long_sql;
mod lookup;
mod names;
#[cfg(not(target_family = "wasm"))]
mod native;
mod numbering;
mod other_file;
mod overlay;
mod reader;
mod removed;
mod row_copy;
mod schema;
mod source;
mod sql;
mod sql_text;
mod vfs;
mod writer;

pub use cache::{CHUNK_BYTES, SharedCache};
pub use database::{Database, NamedSource, OpenOptions};
pub use error::StoreError;
#[cfg(not(target_family = "wasm"))]
pub use file_source::FileSource;
pub use layout::{Layout, STORED_TABLES};
pub use other_file::{other_file, other_json};
pub use removed::{RemovedSoFar, removed_so_far};
pub use row_copy::{copy_others, copy_span, copy_trace};
pub use schema::{Schema, TableShape};
pub use source::{ByteSource, MemorySource, SourceError};
pub use sql::{SQL_VIEWS, SqlAnswer, SqlCut, SqlLimits, SqlValue, SqlView, TableDescription};
pub use sql_text::sql_text;
pub use writer::{Added, Copied, OwnEvent, OwnSpan, OwnTrace, Refused, TraceFacts, Writer, WrittenSource};

pub use extra::{
    LogsOf, RowsAfter, ScanLog, count_after, count_rows, is_log_event, log_ids, log_record, logs_after, logs_of_span, logs_of_trace,
    max_log_id, points_after, scan_log_records, scan_point_series, scan_points, scan_sources, scan_span_sources, source, span_extra,
};
pub use lookup::{
    EventColumns, TraceColumn, TraceFull, attributes_at, compare_integer_real, event_columns, scan_attributes, scan_events_named,
    scan_links, scan_trace_ids, small_attributes_at, span_rowid, trace_by_id, trace_by_rowid, under_one_lock,
};
pub use reader::{
    EventOwner, EventRow, NewestTrace, ScanEvent, ScanSpan, ScanTrace, SpanRow, Stored, TextTable, event_record, event_row, newest_spans,
    newest_traces, rowids, scan_events, scan_spans, scan_texts, scan_traces, span_record, span_row, trace_record, trace_recorded,
};
pub use sql::{describe_sql, query_sql, refusal};
pub use writer::TraceUpdate;
#[cfg(not(target_family = "wasm"))]
pub use writer::{FileSize, Removed, Waiting};

/// Runs the example of README.md.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

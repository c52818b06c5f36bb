//! Other formats, as pure bytes: OTLP (protobuf, JSON, JSON lines) and Jaeger JSON into a database of the reference's schema, and what a
//! file holds into formats that other programs read.
//!
//! The one way in: bytes, told apart by what they are, are cut into pieces (`split`, `wire`), each piece becomes a tree of values, and the
//! tree [`Rows`], which a [`Recorder`] writes; a `dialect` of JSON is a file and a line; [`Importer`] does all of it for files, [`read_request`] begins it for a collector. Protobuf is read by a table of the messages' fields into the same tree as JSON, so that both are understood
//! in one place; a generated reader would weigh as much in the worker as everything else that imports.
//! What is not here: files, and unpacking where the platform does it; the database (`store`).

mod content;
mod dialect;
mod export;
mod gzip;
mod import;
mod jaeger;
mod otlp;
mod problems;
mod recorder;
mod split;

/// Every dialect of JSON that is imported.
const DIALECTS: [&dialect::Dialect; 2] = [&otlp::DIALECT, &jaeger::DIALECT];

pub use content::{Content, are_imported, content};
pub(crate) use export::Exporter;
pub use import::{ImportError, ImportProgress, Importer};
pub use problems::{ImportReport, Problem};
pub use quipu_otlp::{
    ExportAnswer, NewSpan, OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, Rows, Signal, attributes_text, metrics_request, one_line, otlp_id,
    python_float, read_request, response, status_message, traces_request,
};
pub(crate) use quipu_otlp::{Source, Unattached, is_known};
pub use recorder::{Recorded, Recorder};

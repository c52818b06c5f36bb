//! Import and export, as pure functions on bytes: OTLP (protobuf, JSON, JSON lines) and the JSON of other programs into a database with the
//! reference's schema, and the content of a file into formats that other programs read.
//!
//! Import has one path: the format of the bytes is detected, what is around them is taken off (`unpack`), they are split into pieces
//! (`split`, `wire`), each piece is parsed to a tree of values, and the tree becomes [`Rows`], which a [`Recorder`] writes. A JSON
//! `dialect` is a module and an entry in a table.
//! [`Importer`] does all of this for files; [`read_request`] is the first part, for a collector. Protobuf is parsed by a table of message
//! fields into the same tree as JSON, so that both are interpreted in one place; generated code would add as much to the worker's size as
//! all other import code. Not here: files; the database (`store`).

mod chrome;
mod console;
mod content;
mod dialect;
mod export;
mod import;
mod input;
mod jaeger;
mod langfuse;
mod otlp;
mod phoenix;
mod plain;
mod problems;
mod recorder;
mod split;
mod unpack;
mod zipkin;
mod zipkin_request;

/// Every JSON dialect that can be imported. A document is of the first one that recognises it.
const DIALECTS: [&dialect::Dialect; 7] = [
    &otlp::DIALECT,
    &jaeger::DIALECT,
    &console::DIALECT,
    &phoenix::DIALECT,
    &langfuse::DIALECT,
    &zipkin::DIALECT,
    &chrome::DIALECT,
];

pub use content::{Content, DETECTION_BYTES, are_imported, content};
pub(crate) use export::Exporter;
pub use import::{ImportError, ImportProgress, Importer};
pub use problems::{ImportReport, Problem};
pub use quipu_otlp::{
    ExportAnswer, NewSpan, OtlpPoint, OtlpSource, OtlpSpan, OtlpSum, RequestError, Rows, Signal, attributes_text, metrics_request,
    one_line, otlp_id, python_float, read_request, response, status_message, traces_request,
};
pub(crate) use quipu_otlp::{Source, Unattached, is_known};
pub(crate) use recorder::more;
pub use recorder::{Recorded, Recorder};
pub use zipkin_request::zipkin_request;

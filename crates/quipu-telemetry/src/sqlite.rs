//! The SQLite sink: a telemetry file as a Llama Stack server writes it, while others read it.
//!
//! What ended since the last commit is one transaction. What is not here: the schema and its statements (`quipu_store`).

use crate::sink::{EndedSpan, Sink, SinkError};
use quipu_model::{EventRecord, SpanRecord, SpanStatus, Timestamp, reference_time};
use quipu_otlp::attributes_text;
use quipu_store::{TraceFacts, Writer};
use std::path::Path;

/// Spans that are kept while the file can't be written; the oldest of more are lost, and told of.
const KEPT: usize = 100_000;

/// Writes ended spans into a SQLite file.
pub struct SqliteSink {
    writer: Writer,
    service_name: String,
    waiting: Vec<Row>,
}

struct Row {
    span: SpanRecord,
    events: Vec<EventRecord>,
    is_root: bool,
}

impl SqliteSink {
    /// Opens the file, and makes it and the folders above it where there are none. `service_name` is written to new rows of `traces`.
    ///
    /// # Errors
    /// A sentence that names the file.
    pub fn open(path: &Path, service_name: &str) -> Result<SqliteSink, SinkError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|error| SinkError::new(format!("The folder {} can't be made ({error}).", folder.display())))?;
        }
        let writer = Writer::append_to(path).map_err(|error| SinkError::new(error.to_string()))?;
        Ok(SqliteSink { writer, service_name: service_name.to_owned(), waiting: Vec::new() })
    }

    /// Writes all that waits in one transaction; how many were left out because the file has spans of their ids.
    fn write(&mut self) -> Result<u64, quipu_store::StoreError> {
        self.writer.begin()?;
        let mut left_out = 0;
        for row in &self.waiting {
            let facts = TraceFacts { service_name: Some(&self.service_name), is_root: row.is_root, created_at: None };
            left_out += u64::from(!self.writer.add(&row.span, &row.events, facts)?);
        }
        self.writer.commit()?;
        Ok(left_out)
    }
}

impl Sink for SqliteSink {
    fn name(&self) -> &'static str {
        "sqlite"
    }

    fn end(&mut self, ended: &EndedSpan) {
        let span = &ended.span;
        let event = |event: &crate::SpanEvent| EventRecord {
            span_id: Some(span.span_id.clone()),
            name: Some(event.name.clone()),
            timestamp: Some(recorded(event.at)),
            attributes: Some(attributes_text(&event.attributes)),
        };
        self.waiting.push(Row {
            events: ended.events.iter().map(event).collect(),
            is_root: span.is_local_root(),
            span: SpanRecord {
                span_id: span.span_id.clone(),
                trace_id: Some(span.trace_id.clone()),
                parent_span_id: span.parent_span_id.clone(),
                name: Some(span.name.clone()),
                start_time: Some(recorded(span.start)),
                end_time: Some(recorded(ended.end)),
                attributes: Some(attributes_text(&span.attributes)),
                status: Some(if ended.status == SpanStatus::Ok { "OK" } else { "ERROR" }.into()),
                kind: Some("INTERNAL".into()),
            },
        });
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match self.write() {
            Ok(left_out) => {
                self.waiting.clear();
                if left_out == 0 {
                    return Ok(());
                }
                Err(SinkError { why: "Spans were left out because the file has spans of their ids.".into(), lost: left_out })
            }
            Err(error) => {
                // Without a transaction this fails too; the first error is the one to tell.
                let _ = self.writer.roll_back();
                let lost = self.waiting.len().saturating_sub(KEPT);
                self.waiting.drain(..lost);
                Err(SinkError { why: format!("{error} What waits is kept and written later."), lost: lost as u64 })
            }
        }
    }
}

fn recorded(at: Timestamp) -> String {
    reference_time(at.0.unsigned_abs())
}

//! The SQLite sink: writes a telemetry file with Llama Stack's schema, which others can read at the same time.
//!
//! All spans ended since the last commit form one transaction. The schema and its statements are in `quipu_store`.

use crate::sink::{EndedSpan, Sink, SinkError};
use crate::weight::FIXED;
use quipu_model::{EventRecord, SpanRecord, SpanStatus, Timestamp, reference_time};
use quipu_otlp::attributes_text;
use quipu_store::{Refused, TraceFacts, Writer};
use std::path::Path;

/// Maximum number of spans kept while the file can't be written, and of their bytes. The oldest are dropped and reported.
const KEPT: usize = 100_000;
const KEPT_BYTES: usize = 64 << 20;

/// Writes ended spans to a SQLite file.
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

impl Row {
    fn bytes(&self) -> usize {
        let of = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let events = self.events.iter().map(|event| of(&event.attributes) + of(&event.name) + FIXED);
        of(&self.span.attributes) + of(&self.span.name) + events.sum::<usize>() + 4 * FIXED
    }
}

impl SqliteSink {
    /// How many of the oldest pending spans are beyond what is kept.
    fn surplus(&self) -> usize {
        let mut bytes = 0;
        let fit = self.waiting.iter().rev().take(KEPT).take_while(|row| {
            bytes += row.bytes();
            bytes <= KEPT_BYTES
        });
        self.waiting.len() - fit.count()
    }

    /// Opens the file. Creates it and its parent folders if necessary. `service_name` is written to new rows of `traces`.
    ///
    /// # Errors
    /// If the file can't be opened; the message names it.
    pub fn open(path: &Path, service_name: &str) -> Result<SqliteSink, SinkError> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            let made = std::fs::create_dir_all(folder);
            made.map_err(|error| SinkError::new(format!("The folder {} can't be created ({error}).", folder.display())))?;
        }
        let writer = Writer::append_to(path).map_err(|error| SinkError::new(error.to_string()))?;
        Ok(SqliteSink { writer, service_name: service_name.to_owned(), waiting: Vec::new() })
    }

    /// Writes all pending spans in one transaction. Returns how many the file does not have by that, and why.
    fn write(&mut self) -> Result<LeftOut, quipu_store::StoreError> {
        let mut left_out = self.write_here();
        if matches!(left_out, Err(quipu_store::StoreError::Moved(_))) {
            // The file that is at the path now is opened by the next transaction.
            left_out = self.write_here();
        }
        left_out
    }

    fn write_here(&mut self) -> Result<LeftOut, quipu_store::StoreError> {
        // Of a transaction that was rolled back.
        let _ = self.writer.take_refused();
        self.writer.begin()?;
        let mut spans = 0;
        for row in &self.waiting {
            let facts = TraceFacts { service_name: Some(&self.service_name), is_root: row.is_root, created_at: None };
            spans += u64::from(!self.writer.add(&row.span, &row.events, facts)?);
        }
        self.writer.commit()?;
        Ok(LeftOut { spans, refused: self.writer.take_refused() })
    }
}

/// Rows that are not in the file after a commit.
struct LeftOut {
    /// Spans whose id the file has, or which it does not take.
    spans: u64,
    refused: Refused,
}

impl LeftOut {
    fn report(self) -> Result<(), SinkError> {
        let LeftOut { spans, refused } = self;
        let why = match (&refused.why, spans) {
            (None, 0) => return Ok(()),
            (None, _) => "Spans were skipped because the file has spans with the same ids.".into(),
            (Some(why), _) => format!("Rows were skipped because the file does not take them ({why})."),
        };
        Err(SinkError { why, lost: spans })
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

    fn has_stored(&mut self, span_id: &str) -> bool {
        self.waiting.iter().any(|row| row.span.span_id == span_id) || self.writer.has_span(span_id).unwrap_or(false)
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        match self.write() {
            Ok(left_out) => {
                self.waiting.clear();
                left_out.report()
            }
            Err(error) => {
                // This also fails without a transaction; only the first error is reported.
                let _ = self.writer.roll_back();
                let lost = self.surplus();
                self.waiting.drain(..lost);
                Err(SinkError { why: format!("{error} Pending spans are kept and written later."), lost: lost as u64 })
            }
        }
    }
}

fn recorded(at: Timestamp) -> String {
    reference_time(at.0.unsigned_abs())
}

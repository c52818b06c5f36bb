//! What leaves, made of what was chosen: private kinds taken out, then long values left out.
//!
//! Over columns as well as over rows, so that a program without SQLite can do it beside the one that reads the file. What is not here:
//! reading rows (`session`), the forms they leave in.

use super::payload::{LinkError, leave_out, pack, unpack};
use super::redact;
use quipu_model::Recording;
use quipu_protocol::LeftOut;
use quipu_protocol::RedactReport;
use quipu_protocol::{ShareOptions, Shared};

/// Rows that leave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// The rows.
    pub recording: Recording,
    /// The id of the first trace.
    pub trace_id: Option<String>,
    /// The id of the span that was asked for, as it leaves.
    pub span_id: Option<String>,
    /// What was found, and what was taken out.
    pub report: RedactReport,
    /// What was left out for its length.
    pub left_out: LeftOut,
}

/// The rows without what is not to leave; `span_id` is a span to be told the id of as it leaves.
pub fn leaving(chosen: &Recording, options: ShareOptions, span_id: Option<&str>) -> Leaving {
    let (mut recording, report) = redact(chosen, options.redact);
    // Rows keep their order.
    let place = span_id.and_then(|id| chosen.spans.iter().position(|row| row.span_id == id));
    let span_id = place.and_then(|place| recording.spans.get(place)).map(|row| row.span_id.clone());
    let left_out = options.leave_out_over.map_or(LeftOut::default(), |limit| leave_out(&mut recording, limit));
    let trace_id = recording.traces.first().map(|row| row.trace_id.clone());
    let trace_id = trace_id.or_else(|| recording.spans.first().and_then(|row| row.trace_id.clone()));
    Leaving { recording, trace_id, span_id, report, left_out }
}

/// The same over columns, from [`pack`] to [`pack`].
///
/// # Errors
/// [`LinkError`] where they are no columns.
pub fn leaving_columns(columns: &[u8], options: ShareOptions, span_id: Option<&str>) -> Result<Shared, LinkError> {
    let left = leaving(&unpack(columns)?, options, span_id);
    let file_name = shared_name(left.trace_id.as_deref(), "quipu");
    let Leaving { recording, trace_id, span_id, report, left_out } = left;
    Ok(Shared { bytes: pack(&recording), file_name, trace_id, span_id, report, left_out })
}

/// `trace-cf1ea0df.md`: letters and digits of the id alone, because the name is written to a disk.
pub fn shared_name(trace_id: Option<&str>, extension: &str) -> String {
    let id: String = trace_id.unwrap_or_default().chars().filter(char::is_ascii_alphanumeric).take(8).collect();
    if id.is_empty() { format!("trace.{extension}") } else { format!("trace-{id}.{extension}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::SpanRecord;

    #[test]
    fn columns_leave_as_rows_do() {
        let span = |id: &str| SpanRecord {
            span_id: id.into(),
            attributes: Some("{\"own\": \"sk-proj-0123456789\"}".into()),
            ..SpanRecord::default()
        };
        let chosen = Recording { spans: vec![span("a"), span("b")], ..Recording::default() };
        let rows = leaving(&chosen, ShareOptions::default(), Some("b"));
        let columns = leaving_columns(&pack(&chosen), ShareOptions::default(), Some("b")).expect("columns");
        assert_eq!(unpack(&columns.bytes), Ok(rows.recording));
        assert_eq!((columns.report, columns.span_id.as_deref()), (rows.report, Some("b")));
    }

    #[test]
    fn a_name_is_a_name_on_every_disk() {
        assert_eq!(shared_name(Some("../../etc/passwd"), "md"), "trace-etcpassw.md");
        assert_eq!(shared_name(Some("…"), "db"), "trace.db");
    }
}

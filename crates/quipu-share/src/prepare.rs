//! Prepares rows for sharing: redacts them, then omits long values.
//!
//! Also works on packed columns, so that a program without SQLite can do it. Reading rows is up to the core.

use super::payload::{LinkError, leave_out, pack, unpack};
use super::redact;
use quipu_model::Recording;
use quipu_protocol::LeftOut;
use quipu_protocol::RedactReport;
use quipu_protocol::{ShareOptions, Shared};

/// The prepared rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Leaving {
    /// The rows.
    pub recording: Recording,
    /// Id of the first trace.
    pub trace_id: Option<String>,
    /// Id of the requested span after redaction.
    pub span_id: Option<String>,
    /// What was found and removed.
    pub report: RedactReport,
    /// Values omitted because of their length.
    pub left_out: LeftOut,
}

/// Prepares rows. `span_id` is a span whose id after redaction is returned.
pub fn leaving(chosen: &Recording, options: ShareOptions, span_id: Option<&str>) -> Leaving {
    let (mut recording, report) = redact(chosen, options.redact);
    // The order of rows does not change.
    let place = span_id.and_then(|id| chosen.spans.iter().position(|row| row.span_id == id));
    let span_id = place.and_then(|place| recording.spans.get(place)).map(|row| row.span_id.clone());
    let left_out = options.leave_out_over.map_or(LeftOut::default(), |limit| leave_out(&mut recording, limit));
    let trace_id = recording.traces.first().map(|row| row.trace_id.clone());
    let trace_id = trace_id.or_else(|| recording.spans.first().and_then(|row| row.trace_id.clone()));
    Leaving { recording, trace_id, span_id, report, left_out }
}

/// Prepares packed columns: both input and output are those of [`pack`].
///
/// # Errors
/// [`LinkError`] if the input is not packed columns.
pub fn leaving_columns(columns: &[u8], options: ShareOptions, span_id: Option<&str>) -> Result<Shared, LinkError> {
    let left = leaving(&unpack(columns)?, options, span_id);
    let file_name = shared_name(left.trace_id.as_deref(), "quipu");
    let Leaving { recording, trace_id, span_id, report, left_out } = left;
    Ok(Shared { bytes: pack(&recording), file_name, trace_id, span_id, report, left_out })
}

/// A file name such as `trace-cf1ea0df.md`. Only letters and digits of the id are used, because the name is used on disk.
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

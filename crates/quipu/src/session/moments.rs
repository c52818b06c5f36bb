//! The times of span events, which the timeline flags on its bars.
//!
//! Not here: the content of events, which comes with the span or the trace's logs.

use super::Session;
use super::trace_logs::{attribute, read_time};
use quipu_model::failure::is_error_severity;
use quipu_protocol::{Failure, SpanMoments};
use quipu_store::event_row;

/// Maximum number of spans per answer.
const MAX_SPANS: usize = 100;
/// Maximum number of events read per span.
const MAX_EVENTS: usize = 200;

impl Session {
    pub(super) fn moments(&self, trace_id: &str, span_ids: &[String]) -> Result<Vec<SpanMoments>, Failure> {
        let trace = self.trace_number(trace_id)?;
        let (connection, schema, offset) = (self.database.connection(), self.database.schema(), self.index.offset_minutes(trace));
        let mut found = Vec::new();
        for span_id in span_ids.iter().take(MAX_SPANS) {
            let row = self.find_row(trace_id, span_id)?;
            let ids = self.index.event_ids(row);
            let mut span = SpanMoments { events: u32::try_from(ids.len()).unwrap_or(u32::MAX), ..SpanMoments::default() };
            for id in ids.take(MAX_EVENTS) {
                let Some(event) = self.database.bounded(|| event_row(connection, schema, id))? else { continue };
                if let Some(time) = read_time(&event, offset) {
                    span.moments.push((time, is_error_severity(attribute(&event, "severity").as_deref())));
                }
            }
            quipu_model::ordered::sort_by_key(&mut span.moments, |moment| *moment);
            found.push(span);
        }
        Ok(found)
    }
}

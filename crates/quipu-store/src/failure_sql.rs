//! What SQL views need to tell failed spans by the rules of [`quipu_model::failure`]: two functions, and two views that are not described to users.
//!
//! The rules are called, not written a second time in SQL: what an index counts and what a query counts cannot drift apart.
//!
//! What is not here: the views that users query (`sql`).

use super::error::StoreError;
use quipu_model::failure::{EventReason, SpanVerdict, reasons};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use std::borrow::Cow;

/// Makes the functions, where they are not there yet.
///
/// `quipu_failure(status, attributes, status_message)` is why the row of a span says that it failed, in words: an empty text where it has none,
/// NULL where the row does not say so. `quipu_event_failure(attributes)` is the message of an event that fails its span, else NULL.
pub(super) fn make_functions(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("quipu_failure", 3, flags, |context| {
        let (status, attributes, message) = (text(context, 0), bytes(context, 1), text(context, 2));
        if !SpanVerdict::of(status.as_deref(), attributes).failed() {
            return Ok(None);
        }
        let reason = reasons(status.as_deref(), attributes, message.as_deref(), &[]).into_iter().next();
        Ok(Some(reason.map(|reason| reason.message.into_owned()).unwrap_or_default()))
    })?;
    connection.create_scalar_function("quipu_event_failure", 1, flags, |context| {
        Ok(match EventReason::of("", bytes(context, 0)) {
            Some(EventReason::Failure(message)) => Some(message),
            Some(EventReason::Exception(_)) | None => None,
        })
    })?;
    Ok(())
}

/// The SELECTs of views that stand on a table which a file may lack: without it, or where another program made it with other columns, they
/// have no rows.
pub(super) fn parts(connection: &Connection) -> [(&'static str, &'static str); 2] {
    let either = |select: &'static str, without: &'static str| if connection.prepare(select).is_ok() { select } else { without };
    [
        (
            "quipu_failed_events",
            either(
                "SELECT span_id, timestamp, quipu_event_failure(attributes) AS message FROM main.span_events
                 WHERE quipu_event_failure(attributes) IS NOT NULL",
                "SELECT NULL AS span_id, NULL AS timestamp, NULL AS message WHERE FALSE",
            ),
        ),
        (
            "quipu_status_messages",
            either(
                "SELECT id, span_id, status_message FROM main.quipu_span_extra",
                "SELECT NULL AS id, NULL AS span_id, NULL AS status_message WHERE FALSE",
            ),
        ),
    ]
}

/// An argument as the index reads the column: texts and blobs as their bytes, anything else as nothing.
fn bytes<'c>(context: &'c Context<'_>, place: usize) -> &'c [u8] {
    match context.get_raw(place) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

fn text<'c>(context: &'c Context<'_>, place: usize) -> Option<Cow<'c, str>> {
    match context.get_raw(place) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Null | ValueRef::Real(_) => None,
    }
}

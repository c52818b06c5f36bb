//! SQL functions and internal views with which the SQL views find failed spans by the rules of [`quipu_model::failure`].
//!
//! The Rust rules are called instead of being repeated in SQL, so that index and queries agree.
//!
//! Not here: the views for users (`sql`).

use super::error::StoreError;
use quipu_model::failure::{EventReason, SpanVerdict, reasons};
use rusqlite::Connection;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::ValueRef;
use std::borrow::Cow;

/// Registers the functions, unless they exist.
///
/// `quipu_failure(status, attributes, status_message)` is the reason why a span's row means that it failed: an empty string if no reason is
/// recorded, NULL if it did not fail. `quipu_event_failure(attributes)` is the message of an event that fails its span, otherwise NULL.
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

/// Definitions of views over a table that may be missing. Without it, or if another program made it with other columns, they have no rows.
pub(super) fn parts(connection: &Connection) -> [(&'static str, &'static str); 2] {
    let either = |select: &'static str, without: &'static str| if connection.prepare(select).is_ok() { select } else { without };
    [
        (
            "quipu_failed_events",
            either(
                "SELECT span_id, timestamp, quipu_event_failure(attributes) AS message FROM span_events
                 WHERE quipu_event_failure(attributes) IS NOT NULL",
                "SELECT NULL AS span_id, NULL AS timestamp, NULL AS message WHERE FALSE",
            ),
        ),
        (
            "quipu_status_messages",
            either(
                "SELECT id, span_id, status_message FROM quipu_span_extra",
                "SELECT NULL AS id, NULL AS span_id, NULL AS status_message WHERE FALSE",
            ),
        ),
    ]
}

/// An argument as the index reads the column: the bytes of a string or blob, otherwise nothing.
pub(super) fn bytes<'c>(context: &'c Context<'_>, place: usize) -> &'c [u8] {
    match context.get_raw(place) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes,
        ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) => &[],
    }
}

pub(super) fn text<'c>(context: &'c Context<'_>, place: usize) -> Option<Cow<'c, str>> {
    match context.get_raw(place) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes)),
        ValueRef::Integer(number) => Some(number.to_string().into()),
        ValueRef::Null | ValueRef::Real(_) => None,
    }
}

//! The numbering of rows in `quipu_span_extra`, and look-ups by it.

use super::error::StoreError;
use rusqlite::{Connection, OptionalExtension, Row, ToSql};

/// How rows of `quipu_span_extra` are numbered. The table has a row for nearly every span that comes by OTLP; an index of ids, which lie
/// anywhere in it, would cost a collector as much as that of the spans themselves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Numbering {
    /// As the rows of their spans.
    Rows,
    /// In the same order, as in a file that was written out as SQL and read in again after rows were deleted: the first and the last
    /// number whose span is there.
    Order {
        /// The first.
        first: i64,
        /// The last.
        last: i64,
    },
    /// Not at all: the table is of a Quipu that had an index of ids, or of another program.
    None,
}

/// Told by the first and the last row whose spans are there. It may go through all rows whose are not, so once is enough.
pub(crate) fn numbering(connection: &Connection) -> Result<Numbering, StoreError> {
    let end = |order: &str| {
        let sql = format!("SELECT e.id, s.rowid {WITH_SPAN} ORDER BY e.id {order} LIMIT 1");
        if_ours(pair(connection, &sql, &[]))
    };
    Ok(match (end("ASC")?, end("DESC")?) {
        (None, _) | (_, None) => Numbering::None,
        (Some(Some((first, _))), Some(Some((last, row)))) if last != row => Numbering::Order { first, last },
        _ => Numbering::Rows,
    })
}

const WITH_SPAN: &str = "FROM quipu_span_extra e CROSS JOIN spans s ON s.span_id = e.span_id";

fn pair(connection: &Connection, sql: &str, values: &[&dyn ToSql]) -> rusqlite::Result<Option<(i64, i64)>> {
    let read = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    connection.prepare_cached(sql).and_then(|mut statement| statement.query_row(values, read).optional())
}

/// The number of the row of this span, looked for by halves: rows of which the first is of an earlier span stand before.
pub(super) fn number_in_order(connection: &Connection, span_id: &str, mut first: i64, mut last: i64) -> Result<Option<i64>, StoreError> {
    let wanted = if_ours(pair(connection, "SELECT rowid, 0 FROM spans WHERE span_id = ?1", &[&span_id]))?;
    let Some((wanted, _)) = wanted.flatten() else { return Ok(None) };
    let at = format!("SELECT e.id, s.rowid {WITH_SPAN} WHERE e.id <= ?1 ORDER BY e.id DESC LIMIT 1");
    while first <= last {
        let middle = first.midpoint(last);
        let end = match if_ours(pair(connection, &at, &[&middle]))?.flatten() {
            Some((id, found)) if id >= first && found == wanted => return Ok(Some(id)),
            Some((id, found)) if id >= first && found > wanted => id.checked_sub(1).map(|before| last = before),
            _ => middle.checked_add(1).map(|after| first = after),
        };
        if end.is_none() {
            break;
        }
    }
    Ok(None)
}

/// A table of that name that another program made has other columns: then there is nothing to read.
pub(super) fn if_ours<T>(read: rusqlite::Result<T>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(found) => Ok(Some(found)),
        // What is wrong with a statement at a place in it is an error of its own kind.
        Err(rusqlite::Error::SqlInputError { .. } | rusqlite::Error::InvalidColumnType(..)) => Ok(None),
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::Unknown) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

//! SQL functions whose time is linear in their arguments. They replace SQLite's own, whose time can be the product of the lengths.
//!
//! SQLite can't be interrupted while a function runs, so `instr` of two large values would never end. Results are SQLite's. Only native builds
//! have them: the page ends the worker that runs SQL. Not here: when a statement is stopped (`sql`).

use super::error::StoreError;
use super::like::{Dialect, is_like};
use memchr::memmem;
use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, Error};
use std::sync::{Mutex, PoisonError};

/// Maximum product of the lengths of two arguments where SQLite's own function is used: below a second.
const MAX_PRODUCT: usize = 200_000_000;

/// Maximum length of a pattern, which is SQLite's.
const MAX_PATTERN: usize = 50_000;

/// Functions of two arguments that SQLite takes the product for, and how SQLite's own is called.
const OWN: [(&str, &str); 4] = [
    ("trim", "SELECT trim(?1, ?2)"),
    ("ltrim", "SELECT ltrim(?1, ?2)"),
    ("rtrim", "SELECT rtrim(?1, ?2)"),
    ("unhex", "SELECT unhex(?1, ?2)"),
];

/// The operators `LIKE` and `GLOB`, with their arguments.
const LIKE: [(&str, i32, &str); 3] = [
    ("like", 2, "SELECT like(?1, ?2)"),
    ("like", 3, "SELECT like(?1, ?2, ?3)"),
    ("glob", 2, "SELECT glob(?1, ?2)"),
];

/// Puts the functions in the place of SQLite's.
pub(super) fn replace_functions(connection: &Connection) -> Result<(), StoreError> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_scalar_function("instr", 2, flags, {
        let own = Own::new("SELECT instr(?1, ?2)")?;
        move |context| match (context.get_raw(0), context.get_raw(1)) {
            (ValueRef::Blob(text), ValueRef::Blob(wanted)) => Ok(Value::Integer(found_at(text, wanted, false))),
            // A blob beside a text is read as one.
            (ValueRef::Text(text) | ValueRef::Blob(text), ValueRef::Text(wanted) | ValueRef::Blob(wanted)) => {
                Ok(Value::Integer(found_at(text, wanted, true)))
            }
            _ => own.call(context, 2),
        }
    })?;
    connection.create_scalar_function("replace", 3, flags, {
        let own = Own::new("SELECT replace(?1, ?2, ?3)")?;
        move |context| match (context.get_raw(0), context.get_raw(1), context.get_raw(2)) {
            (ValueRef::Text(text), ValueRef::Text(wanted), ValueRef::Text(with)) if !wanted.is_empty() && !text.contains(&0) => {
                replaced(text, wanted, with)
            }
            _ => own.call(context, 3),
        }
    })?;
    for (name, arguments, select) in LIKE {
        let own = Own::new(select)?;
        connection.create_scalar_function(name, arguments, flags, move |context| like(context, &own, name == "glob"))?;
    }
    for (name, select) in OWN {
        let own = Own::new(select)?;
        connection.create_scalar_function(name, 2, flags, move |context| own.call(context, 2))?;
    }
    Ok(())
}

/// Whether the second argument is like the first.
fn like(context: &Context<'_>, own: &Own, is_glob: bool) -> Result<Value, Error> {
    let text = |place: usize| match context.get_raw(place) {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(bytes),
        _ => None,
    };
    let escape = if context.len() > 2 { text(2).map(Some) } else { Some(None) };
    let is_one =
        |escape: &Option<&[u8]>| escape.is_none_or(|escape| std::str::from_utf8(escape).is_ok_and(|text| text.chars().count() == 1));
    match (text(0).filter(|pattern| pattern.len() <= MAX_PATTERN), text(1), escape.filter(is_one)) {
        (Some(pattern), Some(value), Some(escape)) => {
            let words = "The value is too large for this pattern; shorten it with substr, or use instr.";
            let found = is_like(pattern, value, if is_glob { Dialect::Glob } else { Dialect::Like(escape) });
            found.map(|found| Value::Integer(found.into())).ok_or_else(|| Error::UserFunctionError(words.into()))
        }
        // Numbers, NULL, and what is an error.
        _ => own.call(context, context.len()),
    }
}

/// SQLite's own function, in a connection without a file.
struct Own {
    // Statements of a connection are used by one thread at a time.
    connection: Mutex<Connection>,
    select: &'static str,
}

impl Own {
    fn new(select: &'static str) -> Result<Own, StoreError> {
        Ok(Own { connection: Mutex::new(Connection::open_in_memory()?), select })
    }

    /// Calls the function with the first arguments of the context.
    fn call(&self, context: &Context<'_>, arguments: usize) -> Result<Value, Error> {
        let values: Vec<ValueRef<'_>> = (0..arguments).map(|place| context.get_raw(place)).collect();
        let length = |place: usize| match values.get(place) {
            Some(ValueRef::Text(bytes) | ValueRef::Blob(bytes)) => bytes.len(),
            _ => 32,
        };
        if length(0).saturating_mul(length(1)) > MAX_PRODUCT {
            let words = "Both values are too large for this function; shorten one of them with substr.";
            return Err(Error::UserFunctionError(words.into()));
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let mut statement = connection.prepare_cached(self.select)?;
        let values = values.into_iter().map(Value::try_from).collect::<Result<Vec<_>, _>>()?;
        statement.query_row(rusqlite::params_from_iter(values), |row| row.get(0))
    }
}

/// The position of the first occurrence, from 1; 0 if there is none. Texts are counted in characters.
fn found_at(text: &[u8], wanted: &[u8], in_letters: bool) -> i64 {
    let is_inside = |byte: &u8| in_letters && byte & 0xc0 == 0x80;
    let starts_letter = |at: &usize| *at == 0 || !text.get(*at).is_some_and(is_inside);
    let found = memmem::find_iter(text, wanted).find(starts_letter);
    let Some(before) = found.and_then(|at| text.get(..at)) else { return 0 };
    let letters = before.len() - before.iter().skip(1).filter(|byte| is_inside(byte)).count();
    i64::try_from(letters).unwrap_or(i64::MAX).saturating_add(1)
}

/// A text with all occurrences replaced; an error where it would be longer than SQLite takes.
fn replaced(text: &[u8], wanted: &[u8], with: &[u8]) -> Result<Value, Error> {
    let count = memmem::find_iter(text, wanted).count();
    let length = (text.len() - count * wanted.len()).saturating_add(count.saturating_mul(with.len()));
    if length > super::database::MAX_VALUE_BYTES as usize {
        return Err(Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_TOOBIG), Some("string or blob too big".into())));
    }
    let mut out = Vec::with_capacity(length);
    let mut rest = 0;
    for at in memmem::find_iter(text, wanted) {
        out.extend_from_slice(text.get(rest..at).unwrap_or_default());
        out.extend_from_slice(with);
        rest = at + wanted.len();
    }
    out.extend_from_slice(text.get(rest..).unwrap_or_default());
    // The bytes of a damaged text can't be returned as a text.
    Ok(String::from_utf8(out).map_or_else(|error| Value::Text(String::from_utf8_lossy(error.as_bytes()).into_owned()), Value::Text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_those_of_sqlite() {
        let plain = Connection::open_in_memory().expect("SQLite");
        let ours = Connection::open_in_memory().expect("SQLite");
        replace_functions(&ours).expect("functions");
        let values = [
            "NULL",
            "''",
            "'a'",
            "'aXbXc'",
            "'X'",
            "'äöü'",
            "'ö'",
            "'aaa'",
            "'aa'",
            "x''",
            "x'61'",
            "x'c3a4c3b6'",
            "x'b6'",
            "12.50",
            "1e20",
            "-3",
            "'1e'",
            "'e'",
            "'3'",
            "'a' || char(0) || 'b'",
            "'6161'",
            "'61 61'",
            "' '",
            "'a%'",
            "'%B_%'",
            "'A*'",
            "'[a-c]*'",
        ];
        let ask = |connection: &Connection, sql: &str| {
            let answer: Result<Value, Error> = connection.query_row(sql, [], |row| row.get(0));
            answer.map_err(|error| error.to_string())
        };
        for one in values {
            for other in values {
                for name in ["instr", "trim", "ltrim", "rtrim", "unhex", "like", "glob"] {
                    let sql = format!("SELECT {name}({one}, {other})");
                    assert_eq!(ask(&ours, &sql), ask(&plain, &sql), "{sql}");
                }
                for escape in ["'a'", "'ö'", "''", "'ab'", "NULL", "3"] {
                    let sql = format!("SELECT like({one}, {other}, {escape})");
                    assert_eq!(ask(&ours, &sql), ask(&plain, &sql), "{sql}");
                }
                for with in ["'-'", "''", "NULL", "x'2d'", "1.0", "'äa'"] {
                    let sql = format!("SELECT replace({one}, {other}, {with})");
                    assert_eq!(ask(&ours, &sql), ask(&plain, &sql), "{sql}");
                }
            }
        }
    }

    #[test]
    fn large_values_take_no_product_of_their_lengths() {
        let ours = Connection::open_in_memory().expect("SQLite");
        replace_functions(&ours).expect("functions");
        let text = "replace(hex(zeroblob(5000000)), '0', 'a')";
        let half = "replace(hex(zeroblob(2500000)), '0', 'a')";
        for (sql, expected) in [
            ("SELECT instr(zeroblob(20000000), zeroblob(10000000) || x'01')".to_owned(), Ok(Value::Integer(0))),
            (format!("SELECT instr({text}, {half} || 'b')"), Ok(Value::Integer(0))),
            (format!("SELECT length(replace({text}, {half} || 'b', ''))"), Ok(Value::Integer(10_000_000))),
            (format!("SELECT length(replace({text}, 'a', {half}))"), Err("string or blob too big")),
            (format!("SELECT {text} LIKE '%a%a%b%'"), Ok(Value::Integer(0))),
            (format!("SELECT trim({text}, {half})"), Err("Both values are too large for this function; shorten one of them with substr.")),
        ] {
            let answer: Result<Value, Error> = ours.query_row(&sql, [], |row| row.get(0));
            match (answer, expected) {
                (Err(error), Err(words)) => assert!(error.to_string().contains(words), "{sql}: {error}"),
                (answer, expected) => assert_eq!(answer.ok(), expected.ok(), "{sql}"),
            }
        }
    }
}

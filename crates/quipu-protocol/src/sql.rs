//! Questions in SQL, and their answers. The page asks a worker of its own: a query blocks it while it runs. None needs the index.

use super::FileFormat;
use crate::markup::Node;
use serde::{Deserialize, Serialize};

/// Seconds a query may run on the page.
pub const SQL_SECONDS: u32 = 60;

/// Asks for the tables and views that queries can read, with examples.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DescribeSql;

/// Runs one statement that reads, for as long as the deadline the file was opened with allows. Its result is kept, and paged from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSql(pub String);

/// Asks for SQLite's plan of a statement: a list of steps, each with the steps it consists of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSql(pub String);

/// Asks for rows of the last result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListSqlRows {
    /// Rows to skip.
    pub from: u32,
    /// Rows at most; an answer has a thousand at most.
    pub count: u32,
}

/// Asks for one value of the last result, uncut.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GetSqlValue {
    /// Index of the row in the whole result, from 0.
    pub row: u32,
    /// Index of the column, from 0.
    pub column: u32,
}

/// Asks for the last result as text, one piece at a time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSql {
    /// One for [`Contents::SqlResult`](super::Contents::SqlResult).
    pub format: FileFormat,
    /// The row to continue at; 0 for the first piece.
    pub from: u32,
}

/// Asks for completions of a query that is being typed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompleteSql {
    /// The text in the editor, which need not be complete or valid.
    pub query: String,
    /// The cursor's position in `query`, in bytes.
    pub cursor: u32,
}

/// The tables that queries can read, and example queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlSchema {
    /// The views for queries, then the file's tables and views.
    pub tables: Vec<SqlTable>,
    /// Queries that run on files of every release.
    pub examples: Vec<SqlExample>,
}

/// A table or a view that queries can read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlTable {
    /// Without quotation marks.
    pub name: String,
    /// `name` as a query writes it: in quotation marks if it needs them.
    pub written: String,
    /// For a view of Quipu's, what one row of it is; for a table of the file, the maximum number of rows.
    pub about: String,
    /// Whether it is a view of Quipu's, which exists only while the file is open.
    pub is_temporary: bool,
    /// In the order of `SELECT *`.
    pub columns: Vec<SqlField>,
    /// Columns and names of the indexes: `created_at (idx_traces_created_at)`.
    pub indexes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlField {
    /// Without quotation marks.
    pub name: String,
    /// `name` as a query writes it: in quotation marks if it needs them.
    pub written: String,
    /// The declared type, and whether it is part of the primary key: `TEXT, key`; empty if nothing is declared.
    pub about: String,
}

/// An example query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlExample {
    /// The question it answers, as an item of a menu.
    pub title: String,
    /// One statement, in several lines.
    pub query: String,
}

/// The outcome of [`RunSql`]. The rows are kept, and asked for with [`ListSqlRows`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlRan {
    /// For each column its name, and the types of its values: `integer`, `text or NULL`. Names may repeat.
    pub columns: Vec<(String, String)>,
    /// The columns' widths as CSS properties: `--tracks` of a grid, and `--width`, the minimum width of all together.
    pub style: String,
    /// Number of rows kept, a million at most.
    pub rows: u32,
    /// The number of rows, the limit that cut the result, and the time it took: `3 rows · 12 ms`.
    pub summary: String,
    /// Whether there are more rows than were kept.
    pub is_cut: bool,
}

/// Why SQLite refused a statement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlWrong {
    /// A sentence for the user.
    pub message: String,
    /// The position in the query that the message is about, in bytes; `None` if SQLite does not report one.
    pub offset: Option<u32>,
}

/// Rows of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlRows {
    /// Index of the first row in the whole result.
    pub from: u32,
    /// Row after row; each row has as many cells as the result has columns.
    pub cells: Vec<SqlCell>,
}

/// A value of a result, uncut.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SqlWholeValue {
    /// Its type and size: `Text of 120 characters: JSON`.
    pub about: String,
    /// The value, ready to draw.
    pub nodes: Vec<Node>,
}

/// A piece of an exported result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlText {
    /// Whole rows; in the first piece after the head of the format.
    pub text: String,
    /// The row the next piece begins at; `None` after the last piece.
    pub next: Option<u32>,
}

/// One value as a cell shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlCell {
    /// One line of 240 characters at most. Control characters are symbols, and a blob is its first bytes in hexadecimal.
    pub text: String,
    /// The value's type, which may differ within a column.
    pub kind: SqlKind,
    /// Whether the value has more than `text` shows: see [`GetSqlValue`].
    pub is_cut: bool,
    /// Whether it has 16 or 32 hexadecimal digits, as ids of spans and traces do.
    pub is_id: bool,
}

/// SQLite's type of a value.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlKind {
    /// No value.
    #[default]
    Null,
    /// 64 bits, signed.
    Integer,
    /// 64 bits, floating point.
    Real,
    /// UTF-8; invalid bytes were replaced.
    Text,
    /// Bytes, shown in hexadecimal.
    Blob,
}

impl SqlKind {
    /// The type in lower case, as in the summary of columns and in CSS classes.
    pub fn name(self) -> &'static str {
        match self {
            SqlKind::Null => "null",
            SqlKind::Integer => "integer",
            SqlKind::Real => "real",
            SqlKind::Text => "text",
            SqlKind::Blob => "blob",
        }
    }
}

/// What an id in a result refers to: a trace, or a span of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdPlace {
    /// The trace, or the one that holds the span.
    pub trace_id: String,
    /// `None` if the id is that of a trace.
    pub span_id: Option<String>,
}

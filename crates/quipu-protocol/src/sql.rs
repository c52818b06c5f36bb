//! Questions in SQL, and their answers. The page asks a worker of its own: a query blocks it while it runs. None needs the index.

use super::FileFormat;
use crate::markup::Node;
use serde::{Deserialize, Serialize};

/// Seconds a question in SQL may take.
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
    /// From 0.
    pub row: u32,
    /// From 0.
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
    /// The query so far.
    pub query: String,
    /// The cursor's position in it, in bytes.
    pub cursor: u32,
}

/// What can be asked of, and examples that ask it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlSchema {
    /// The views for queries, then the file's tables and views.
    pub tables: Vec<SqlTable>,
    /// Queries that run on it.
    pub examples: Vec<SqlExample>,
}

/// A table or a view.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlTable {
    /// Its name.
    pub name: String,
    /// Its name as a query writes it: in quotation marks where it needs such.
    pub written: String,
    /// What a row of it is; of the file's own tables how many rows there are at most.
    pub about: String,
    /// Whether it is a view that exists for queries only.
    pub is_temporary: bool,
    /// Its columns, in order.
    pub columns: Vec<SqlField>,
    /// Its indexes, in words: `created_at (idx_traces_created_at)`.
    pub indexes: Vec<String>,
}

/// A column of a table.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlField {
    /// Its name.
    pub name: String,
    /// Its name as a query writes it.
    pub written: String,
    /// Its declared type, and whether it is the key: `TEXT, key`; empty where nothing is declared.
    pub about: String,
}

/// A query that shows what can be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlExample {
    /// What it answers.
    pub title: String,
    /// The query.
    pub query: String,
}

/// A result that is kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlRan {
    /// Names of columns, and what their values are: `integer`, `text or NULL`; several names may be equal.
    pub columns: Vec<(String, String)>,
    /// The columns' widths as a style has them: `--tracks`, of a CSS grid, and `--width`, which all take at least.
    pub style: String,
    /// Rows.
    pub rows: u32,
    /// How many rows there are, what it took, and what limit cut it: a sentence.
    pub summary: String,
    /// Whether a limit cut it.
    pub is_cut: bool,
}

/// Why a statement can't be answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlWrong {
    /// A sentence.
    pub message: String,
    /// The byte of the query it is about, where SQLite tells.
    pub offset: Option<u32>,
}

/// Rows of a result.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SqlRows {
    /// The first one's place.
    pub from: u32,
    /// Their values, row after row.
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
    /// On one line, its beginning where it is long.
    pub text: String,
    /// What it is.
    pub kind: SqlKind,
    /// Whether the value is more than `text`.
    pub is_cut: bool,
    /// Whether it looks like the id of a trace or a span.
    pub is_id: bool,
}

/// What a value is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlKind {
    /// NULL.
    #[default]
    Null,
    /// A whole number.
    Integer,
    /// A number.
    Real,
    /// A text.
    Text,
    /// Bytes.
    Blob,
}

impl SqlKind {
    /// Its name, as a style sheet has it, too.
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

/// Where an id leads: to a trace, or to a span of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdPlace {
    /// As recorded.
    pub trace_id: String,
    /// As recorded; `None` for the id of a trace.
    pub span_id: Option<String>,
}

//! Questions in SQL: what a worker that does nothing else is asked, and what it answers.

use super::{FileFormat, Suggestions};
use crate::markup::Node;
use serde::{Deserialize, Serialize};

/// Seconds a question in SQL may take.
pub const SQL_SECONDS: u32 = 60;

/// Asks about the file in SQL. Needs no index, and may take as long as the deadline the file was opened with allows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskSql(pub SqlRequest);

/// A question about the file in SQL. What was run last is kept, and paged from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlRequest {
    /// What can be asked of. Answer: [`SqlResponse::Schema`].
    Describe,
    /// Runs one statement that reads. Answer: [`SqlResponse::Ran`], or [`SqlResponse::Wrong`].
    Run(String),
    /// How SQLite would go about a statement. Answer: [`SqlResponse::Plan`], or [`SqlResponse::Wrong`].
    Plan(String),
    /// Rows of the last result. Answer: [`SqlResponse::Rows`].
    ListRows {
        /// Rows to skip.
        from: u32,
        /// Rows at most; a thousand are answered at most.
        count: u32,
    },
    /// One value of the last result, whole. Answer: [`SqlResponse::Value`].
    GetValue {
        /// Its row, from 0.
        row: u32,
        /// Its column, from 0.
        column: u32,
    },
    /// The last result as a text, in pieces. Answer: [`SqlResponse::Text`].
    Export {
        /// One for [`Contents::SqlResult`](super::Contents::SqlResult).
        format: FileFormat,
        /// The row to go on at; 0 begins.
        from: u32,
    },
    /// How a query that is being typed may go on. Answer: [`SqlResponse::Completions`].
    Complete {
        /// The query so far.
        query: String,
        /// Where the cursor stands in it, in bytes.
        cursor: u32,
    },
}

/// An answer to a [`SqlRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum SqlResponse {
    /// To [`SqlRequest::Describe`].
    Schema(SqlSchema),
    /// To [`SqlRequest::Run`].
    Ran(SqlRan),
    /// The statement can't be answered.
    Wrong(SqlWrong),
    /// To [`SqlRequest::Plan`]: a list of steps, in it those they are made of.
    Plan(Vec<Node>),
    /// To [`SqlRequest::ListRows`].
    Rows(SqlRows),
    /// To [`SqlRequest::GetValue`]: what it is, and the value ready to draw.
    Value(String, Vec<Node>),
    /// To [`SqlRequest::Export`].
    Text {
        /// The piece.
        text: String,
        /// The row the next one goes on at; `None`: this was the last.
        next: Option<u32>,
    },
    /// To [`SqlRequest::Complete`].
    Completions(Suggestions),
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

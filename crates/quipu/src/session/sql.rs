//! Runs the user's SQL, and pages through the result.

use super::Session;
use crate::sql::{cell, described, plan, ran, sql_text, whole_value};
use quipu_protocol::markup::Node;
use quipu_protocol::{
    Contents, Failure, FileFormat, FilePart, IdPlace, SqlRan, SqlRows, SqlSchema, SqlTable, SqlText, SqlWholeValue, SqlWrong, Suggestions,
};
use quipu_store::{SqlAnswer, SqlLimits, StoreError, describe_sql, query_sql, refusal};
use quipu_ui::sql::{complete, examples};

/// Maximum number of rows per answer.
const MAX_ROWS: usize = 1_000;
/// Minimum bytes of a piece of exported text, and the size of a piece of the file.
const PIECE_BYTES: usize = 1 << 20;
/// Maximum number of ids resolved at a time.
const MAX_IDS: usize = 2_000;

/// State kept between questions.
#[derive(Default)]
pub(super) struct SqlCache {
    answer: SqlAnswer,
    tables: Vec<SqlTable>,
}

impl Session {
    /// Runs one SQL statement that reads the file. Besides its tables there are the views of [`quipu_store::SQL_VIEWS`]. It may take as
    /// long as the deadline the file was opened with, and needs no index.
    ///
    /// # Errors
    /// A message: the statement writes, is not a statement, is invalid, or took too long.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db"))?;
    /// # let file = quipu::store::NamedSource { name: "agent.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// use quipu::store::{SqlLimits, SqlValue};
    /// let answer = session.query_sql("SELECT count(*) AS traces FROM traces", SqlLimits::default())?;
    /// assert_eq!((answer.columns[0].as_str(), &answer.rows[0][0]), ("traces", &SqlValue::Integer(56)));
    /// assert!(session.query_sql("DELETE FROM traces", SqlLimits::default()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_sql(&mut self, query: &str, limits: SqlLimits) -> Result<SqlAnswer, Failure> {
        query_sql(&mut self.database, query, limits)?.map_err(|wrong| refusal(wrong, query))
    }

    /// The schema, with example queries.
    pub(super) fn sql_schema(&mut self) -> Result<SqlSchema, Failure> {
        Ok(SqlSchema { tables: self.describe_sql()?, examples: examples() })
    }

    /// Runs a query and keeps its result.
    pub(super) fn run_sql(&mut self, query: &str) -> Result<Result<SqlRan, SqlWrong>, Failure> {
        // Frees the previous result first.
        self.sql.answer = SqlAnswer::default();
        let began = self.database.now();
        let answer = match query_sql(&mut self.database, query, SqlLimits::default())? {
            Ok(answer) => answer,
            Err(wrong) => return Ok(Err(wrong)),
        };
        // Otherwise the result might mix values from before and after a change.
        self.database.check_unchanged()?;
        let summary = ran(&answer, self.database.now().saturating_sub(began));
        self.sql.answer = answer;
        Ok(Ok(summary))
    }

    /// SQLite's plan of a query.
    pub(super) fn plan_sql(&mut self, query: &str) -> Result<Result<Vec<Node>, SqlWrong>, Failure> {
        const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
        let answer = query_sql(&mut self.database, &format!("{EXPLAIN}{query}"), SqlLimits::default())?;
        Ok(answer.map(|answer| plan(&answer)).map_err(|wrong| {
            let offset = wrong.offset.and_then(|offset| offset.checked_sub(quipu_model::number::narrow(EXPLAIN.len())));
            SqlWrong { offset, ..wrong }
        }))
    }

    /// Rows of the last result.
    pub(super) fn sql_rows(&self, from: u32, count: u32) -> SqlRows {
        let rows = self.sql.answer.rows.iter().skip(from as usize).take((count as usize).min(MAX_ROWS));
        SqlRows { from, cells: rows.flatten().map(cell).collect() }
    }

    /// One value of the last result.
    pub(super) fn sql_value(&self, row: u32, column: u32) -> Result<SqlWholeValue, Failure> {
        let found = self.sql.answer.rows.get(row as usize).and_then(|row| row.get(column as usize));
        Ok(whole_value(found.ok_or_else(|| super::not_found("There is no such value in the result.".into()))?))
    }

    /// A piece of the last result as text.
    pub(super) fn export_sql(&self, format: FileFormat, from: u32) -> Result<SqlText, Failure> {
        let (text, next) =
            sql_text(&self.sql.answer, format, from as usize, PIECE_BYTES).ok_or_else(|| format.refusal(Contents::SqlResult))?;
        Ok(SqlText { text, next: next.and_then(|next| u32::try_from(next).ok()) })
    }

    /// Completions of a query.
    pub(super) fn complete_sql(&mut self, query: &str, cursor: u32) -> Result<Suggestions, Failure> {
        Ok(complete(query, cursor as usize, &self.describe_sql()?))
    }

    fn describe_sql(&mut self) -> Result<Vec<SqlTable>, Failure> {
        if self.sql.tables.is_empty() {
            self.sql.tables = describe_sql(&mut self.database)?.into_iter().map(described).collect();
        }
        Ok(self.sql.tables.clone())
    }

    /// The places that ids refer to, in the order of `ids`.
    pub(super) fn find_ids(&self, ids: &[String]) -> Vec<Option<IdPlace>> {
        let find = |id: &String| {
            if let Some(row) = self.index.find_span(id) {
                return Some(IdPlace { trace_id: self.index.trace_id_of(row), span_id: Some(id.clone()) });
            }
            self.index.find_trace(id).map(|_| IdPlace { trace_id: id.clone(), span_id: None })
        };
        ids.iter().take(MAX_IDS).map(find).collect()
    }

    /// A part of the file's bytes.
    pub(super) fn read_file(&self, offset: u64) -> Result<FilePart, Failure> {
        let cache = self.database.cache();
        let mut bytes = vec![0; PIECE_BYTES];
        let got = cache.read(&mut bytes, offset).map_err(|error| StoreError::Source { name: self.database.name().to_owned(), error })?;
        bytes.truncate(got);
        Ok(FilePart { bytes, len: cache.len() })
    }
}

//! A user's own SQL behind the session, and the result it pages from.

use super::Session;
use crate::sql::{cell, described, plan, ran, sql_text, value};
use quipu_protocol::{Contents, Failure, FilePart, IdPlace, Response, SqlRequest, SqlResponse, SqlRows, SqlSchema, SqlTable};
use quipu_store::{SqlAnswer, SqlLimits, StoreError, describe_sql, query_sql, refusal};
use quipu_ui::sql::{complete, examples};

/// Rows of one answer at most.
const ROWS: usize = 1_000;
/// Bytes after which a piece of an exported text, or of the file, ends.
const PIECE: usize = 1 << 20;
/// Ids that are answered for at a time.
const IDS: usize = 2_000;

/// What is kept between questions.
#[derive(Default)]
pub(super) struct SqlCache {
    answer: SqlAnswer,
    tables: Vec<SqlTable>,
}

impl Session {
    /// Answers one SQL statement that reads the file. Beside its tables there are the views of [`quipu_store::SQL_VIEWS`]. It takes as
    /// long as the deadline the file was opened with allows, and needs no index.
    ///
    /// # Errors
    /// A sentence: the statement writes, is none, is wrong, or took too long.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/agent_0.2.15.db"))?;
    /// # let dropped = quipu::store::Dropped { name: "agent.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![dropped], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// use quipu::store::{SqlLimits, SqlValue};
    /// let answer = session.query_sql("SELECT count(*) AS traces FROM traces", SqlLimits::default())?;
    /// assert_eq!((answer.columns[0].as_str(), &answer.rows[0][0]), ("traces", &SqlValue::Integer(56)));
    /// assert!(session.query_sql("DELETE FROM traces", SqlLimits::default()).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_sql(&mut self, query: &str, limits: SqlLimits) -> Result<SqlAnswer, Failure> {
        query_sql(&mut self.database, query, limits)?.map_err(|wrong| refusal(wrong, query))
    }

    /// Answers a question in SQL; what was run last is paged from, and told of by [`SqlResponse::Ran`].
    pub(super) fn ask_sql(&mut self, request: SqlRequest) -> Result<Response, Failure> {
        let response = match request {
            SqlRequest::Describe => SqlResponse::Schema(SqlSchema { tables: self.describe_sql()?, examples: examples() }),
            SqlRequest::Run(query) => {
                // The result before makes room.
                self.sql.answer = SqlAnswer::default();
                let began = self.database.now();
                match query_sql(&mut self.database, &query, SqlLimits::default())? {
                    Ok(answer) => {
                        // Values of before and after a change may stand in it side by side.
                        self.database.check_unchanged()?;
                        let told = ran(&answer, self.database.now().saturating_sub(began));
                        self.sql.answer = answer;
                        SqlResponse::Ran(told)
                    }
                    Err(wrong) => SqlResponse::Wrong(wrong),
                }
            }
            SqlRequest::Plan(query) => {
                const EXPLAIN: &str = "EXPLAIN QUERY PLAN ";
                match query_sql(&mut self.database, &format!("{EXPLAIN}{query}"), SqlLimits::default())? {
                    Ok(answer) => SqlResponse::Plan(plan(&answer)),
                    Err(mut wrong) => {
                        wrong.offset = wrong.offset.and_then(|offset| offset.checked_sub(EXPLAIN.len() as u32));
                        SqlResponse::Wrong(wrong)
                    }
                }
            }
            SqlRequest::ListRows { from, count } => {
                let rows = self.sql.answer.rows.iter().skip(from as usize).take((count as usize).min(ROWS));
                SqlResponse::Rows(SqlRows { from, cells: rows.flatten().map(cell).collect() })
            }
            SqlRequest::GetValue { row, column } => {
                let found = self.sql.answer.rows.get(row as usize).and_then(|row| row.get(column as usize));
                let (about, nodes) = value(found.ok_or_else(|| super::not_found("There is no such value in the result.".into()))?);
                SqlResponse::Value(about, nodes)
            }
            SqlRequest::Export { format, from } => {
                let (text, next) =
                    sql_text(&self.sql.answer, format, from as usize, PIECE).ok_or_else(|| format.refusal(Contents::SqlResult))?;
                SqlResponse::Text { text, next: next.and_then(|next| u32::try_from(next).ok()) }
            }
            SqlRequest::Complete { query, cursor } => SqlResponse::Completions(complete(&query, cursor as usize, &self.describe_sql()?)),
        };
        Ok(Response::Sql(Box::new(response)))
    }

    fn describe_sql(&mut self) -> Result<Vec<SqlTable>, Failure> {
        if self.sql.tables.is_empty() {
            self.sql.tables = describe_sql(&mut self.database)?.into_iter().map(described).collect();
        }
        Ok(self.sql.tables.clone())
    }

    /// Where ids lead, in their order.
    pub(super) fn find_ids(&self, ids: &[String]) -> Vec<Option<IdPlace>> {
        let find = |id: &String| {
            if let Some(row) = self.index.find_span(id) {
                return Some(IdPlace { trace_id: self.index.trace_id_of(row), span_id: Some(id.clone()) });
            }
            self.index.find_trace(id).map(|_| IdPlace { trace_id: id.clone(), span_id: None })
        };
        ids.iter().take(IDS).map(find).collect()
    }

    /// A part of the file's bytes.
    pub(super) fn read_file(&self, offset: u64) -> Result<Response, Failure> {
        let cache = self.database.cache();
        let mut bytes = vec![0; PIECE];
        let got = cache.read(&mut bytes, offset).map_err(|error| StoreError::Source { name: self.database.name().to_owned(), error })?;
        bytes.truncate(got);
        Ok(Response::Bytes(FilePart { bytes, len: cache.len() }))
    }
}

//! A user's own SQL behind the session.

use super::Session;
use crate::protocol::Failure;
use crate::store::{SqlAnswer, SqlLimits, query_sql};

impl Session {
    /// Answers one SQL statement that reads the file. Beside its tables there are the views of [`crate::store::SQL_VIEWS`]. It takes as
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
        query_sql(&mut self.database, query, limits)
    }
}

//! Metrics behind the session: PromQL over the file, what there is to ask for, and the spans behind a point.
//!
//! What is not here: evaluation (`promql`), what counters are made of (`metrics`).

use super::Session;
use crate::metrics::{
    Collector, FileSeries, Labelling, Measured, MetricCatalog, MetricOptions, PointQuery, Prepared, PromqlQuery, SpansBehind, catalog,
    spans_behind,
};
use crate::promql::{EvalOptions, PromqlAnswer, PromqlError, PromqlTime, SeriesSource, evaluate};
use crate::protocol::Failure;
use crate::query::model_of;
use crate::store::{scan_points, scan_sources};
use std::sync::Arc;

/// Steps of a query over time that names no step.
const STEPS: i64 = 250;

impl Session {
    /// Answers a PromQL query over the file. The index is built first, which takes as long as reading the file.
    ///
    /// # Errors
    /// The outer one when the file can't be read; the inner one is about the query, and says where in it.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db"))?;
    /// # let dropped = quipu::store::Dropped { name: "metrics.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![dropped], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// use quipu::metrics::{MetricOptions, PromqlQuery};
    /// let query = "sum by (model_id) (llama_stack_tokens_total)".to_owned();
    /// let query = PromqlQuery { query, start: None, end: None, step: None, options: MetricOptions::default() };
    /// let answer = session.query_promql(&query)??;
    /// assert!(!answer.series().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_promql(&mut self, query: &PromqlQuery) -> Result<Result<PromqlAnswer, PromqlError>, Failure> {
        self.complete_index()?;
        let prepared = self.prepared(query.options)?;
        let series = self.file_series(&prepared, query.options);
        let options = EvalOptions { exact: query.options.exact, ..EvalOptions::default() };
        Ok(evaluate(&query.query, time(query, &series), &series, &options))
    }

    /// The metrics of the file with their labels and values.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn list_metrics(&mut self, options: MetricOptions) -> Result<MetricCatalog, Failure> {
        self.complete_index()?;
        let prepared = self.prepared(options)?;
        Ok(catalog(&self.file_series(&prepared, options), &prepared))
    }

    /// The spans a point of an answer is made of, latest first.
    ///
    /// # Errors
    /// As [`Session::query_promql`].
    pub fn list_spans_behind(&mut self, query: &PointQuery) -> Result<Result<SpansBehind, PromqlError>, Failure> {
        self.complete_index()?;
        let prepared = self.prepared(query.options)?;
        Ok(spans_behind(&self.file_series(&prepared, query.options), query))
    }

    fn file_series<'a>(&'a self, prepared: &'a Prepared, options: MetricOptions) -> FileSeries<'a> {
        FileSeries { prepared, index: &self.index, scrape_millis: options.scrape_millis }
    }

    /// The counters, made where they are not there yet.
    fn prepared(&self, options: MetricOptions) -> Result<Arc<Prepared>, Failure> {
        let labelling = Labelling { merged: options.merge_labels };
        let mut kept = self.metrics.borrow_mut();
        if let Some(prepared) = kept.as_ref().filter(|prepared| prepared.is(labelling)) {
            return Ok(prepared.clone());
        }
        let measured = self.measured()?;
        let mut read_model = |row: u32| {
            let source = crate::query::Source { database: &self.database, index: Some(&self.index) };
            // A span that can't be read any more has no model.
            model_of(source, &self.index, row).ok().flatten()
        };
        let prepared = Arc::new(Prepared::new(&self.index, labelling, &measured, &mut read_model));
        *kept = Some(prepared.clone());
        Ok(prepared)
    }

    /// Points that were imported with the file.
    fn measured(&self) -> Result<Measured, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let mut collector = Collector::default();
        scan_sources(connection, schema, &mut |number, resource| collector.add_source(number, resource))
            .and_then(|()| scan_points(connection, schema, &mut |point| collector.add(point)))
            .map_err(|error| self.database.explain(error))?;
        Ok(collector.finish())
    }
}

/// When a query is evaluated: what it leaves open is the file's.
fn time(query: &PromqlQuery, series: &FileSeries<'_>) -> PromqlTime {
    let extent = || series.extent().unwrap_or_default();
    if query.start.is_none() && query.step.is_none() {
        return PromqlTime::At(query.end.unwrap_or_else(|| extent().1));
    }
    let start = query.start.unwrap_or_else(|| extent().0);
    let end = query.end.unwrap_or_else(|| extent().1);
    let scrape = query.options.scrape_millis.max(1);
    // A multiple of the scrapes, so that every step sees as many of them.
    let step = query.step.unwrap_or_else(|| (end.saturating_sub(start) / STEPS / scrape + 1).saturating_mul(scrape));
    PromqlTime::Steps { start, end, step }
}

//! Metrics of an open file: PromQL queries, the metrics there are, and the spans behind a point.
//!
//! Not here: evaluation (`promql`), computing counters (`metrics`).

use super::listing::Listing;
use super::{Session, own};
use crate::index::Index;
use crate::metrics::{Collector, each_request, read};
use crate::query::model_of;
use quipu_metrics::{Measured, MetricsInput};
#[cfg(feature = "promql")]
use quipu_metrics::{Metrics, SeriesLabels, SeriesQuery};
#[cfg(feature = "promql")]
use quipu_model::budget::{Allowance, Budget};
use quipu_model::dialect::TokenPart;
use quipu_model::{CallParts, Cost, TokenKind, TokenTotals};
#[cfg(feature = "promql")]
use quipu_promql::{Evaluated, PromqlAnswer, PromqlError};
#[cfg(feature = "promql")]
use quipu_protocol::{
    ExemplarQuery, Exemplars, MetricCatalog, MetricOptions, Overview, OverviewQuery, PointAmount, PointQuery, PointSpan, PointSpans,
    PromqlQuery,
};
use quipu_protocol::{Failure, NamedSpan};
use quipu_store::{scan_points, scan_sources};
#[cfg(feature = "promql")]
use std::sync::Arc;

impl Session {
    /// Applies the prices to the sums of tokens, once the index is complete.
    pub(super) fn apply_prices(&mut self) {
        if !self.index.is_complete() {
            return;
        }
        let mut costs = Vec::new();
        let prices = &self.prices;
        // Without prices there are no costs, and the models need not be read.
        if !prices.is_empty() {
            each_request(&self.index, &mut |row| self.model_in_file(row), &mut |row, model, tokens| {
                costs.push((row, prices.cost_of(model, &tokens)));
            });
        }
        own(&mut self.index).set_costs(costs);
        self.listing = Listing::default();
        // Conversations show the cost of answers.
        *self.said.borrow_mut() = None;
    }

    /// The cost of the inference request in `row`. If its model is not in the index, the span is read.
    pub(super) fn cost_of(&self, row: u32) -> Option<Cost> {
        self.index.cost_of(row).or_else(|| {
            let tokens = self.index.tokens_of(row).filter(|_| !self.prices.is_empty())?;
            self.prices.cost_of(self.model_in_file(row).as_deref(), &tokens)
        })
    }

    /// The model of the span in `row`, read from the file; `None` if the span can't be read.
    fn model_in_file(&self, row: u32) -> Option<String> {
        let source = crate::query::Source { database: &self.database, index: Some(&self.index) };
        model_of(source, &self.index, row).ok().flatten()
    }

    /// The input of the metrics engine, for a caller that runs its own. `None` before the index is complete.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn metrics_input(&self) -> Result<Option<MetricsInput>, Failure> {
        if !self.index.is_complete() {
            return Ok(None);
        }
        let mut measured = self.measured()?;
        for exemplar in measured.exemplars.iter_mut().flat_map(|group| &mut group.list) {
            exemplar.has_trace = self.index.find_trace(&exemplar.trace_id).is_some();
        }
        Ok(Some(read(&self.index, measured, &mut |row| self.model_in_file(row))))
    }

    /// The imported metric points.
    fn measured(&self) -> Result<Measured, Failure> {
        let (connection, schema) = (self.database.connection(), self.database.schema());
        let mut collector = Collector::default();
        scan_sources(connection, schema, &mut |number, resource, _| collector.add_source(number, resource))
            .and_then(|()| scan_points(connection, schema, &mut |point| collector.add(point)))
            .map_err(|error| self.database.explain(error))?;
        Ok(collector.finish())
    }

    /// The tokens that imported metrics count; nothing if they can't be read, which opening the metrics page reports.
    pub(super) fn tokens_in_metrics(&self) -> TokenTotals {
        let measured = self.measured().unwrap_or_default();
        let [prompt, completion, total] = TokenKind::ALL.map(|kind| measured.tokens(kind));
        let [cached, cache_written, reasoning] =
            [TokenPart::Cached, TokenPart::CacheWritten, TokenPart::Reasoning].map(|part| measured.part(part));
        let parts = CallParts { cached, cache_written, reasoning, ..CallParts::default() };
        TokenTotals { prompt, completion, total, parts, ..TokenTotals::default() }
    }

    /// Ids and names of spans by row; rows that do not exist are skipped.
    pub(super) fn name_spans(&self, rows: &[u32]) -> Vec<NamedSpan> {
        rows.iter().filter_map(|row| named(&self.index, *row)).collect()
    }
}

fn named(index: &Index, row: u32) -> Option<NamedSpan> {
    ((row as usize) < index.span_count()).then(|| NamedSpan {
        row,
        rowid: index.rowid_of(row),
        trace_id: index.trace_id_of(row),
        span_id: index.span_id_of(row),
        name: index.span_name(row).to_owned(),
    })
}

#[cfg(feature = "promql")]
impl Session {
    /// Evaluates a PromQL query over the file. Completes the index first, which takes as long as reading the file.
    ///
    /// # Errors
    /// The outer error: the file can't be read. The inner error: the query is invalid, with the position in it.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db"))?;
    /// # let file = quipu::store::NamedSource { name: "metrics.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// use quipu::metrics::{MetricOptions, PromqlQuery};
    /// let query = "sum by (model_id) (llama_stack_tokens_total)".to_owned();
    /// let query = PromqlQuery { query, start: None, end: None, step: None, options: MetricOptions::default() };
    /// let answer = session.query_promql(&query)??;
    /// assert!(!answer.series().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn query_promql(&mut self, query: &PromqlQuery) -> Result<Result<PromqlAnswer, PromqlError>, Failure> {
        Ok(self.query_promql_with_notes(query)?.map(|evaluated| evaluated.answer))
    }

    /// Evaluates a PromQL query like [`Session::query_promql`], and returns warnings and remarks with the answer.
    ///
    /// # Errors
    /// As [`Session::query_promql`].
    pub fn query_promql_with_notes(&mut self, query: &PromqlQuery) -> Result<Result<Evaluated, PromqlError>, Failure> {
        let budget = self.metrics_budget();
        Ok(self.metrics()?.query_with_notes(query, &budget))
    }

    /// The metrics of the file with their labels and values.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn list_metrics(&mut self, options: MetricOptions) -> Result<MetricCatalog, Failure> {
        Ok(self.metrics()?.catalog(options))
    }

    /// Tokens, requests and durations of a part of the file.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn overview(&mut self, query: &OverviewQuery) -> Result<Overview, Failure> {
        Ok(self.metrics()?.overview(query))
    }

    /// The spans that contribute to a point of an answer, latest first.
    ///
    /// # Errors
    /// As [`Session::query_promql`].
    pub fn list_point_spans(&mut self, query: &PointQuery) -> Result<Result<PointSpans, PromqlError>, Failure> {
        let budget = self.metrics_budget();
        let found = match self.metrics()?.point_amounts(query, &budget) {
            Ok(found) => found,
            Err(error) => return Ok(Err(error)),
        };
        let span = |PointAmount { row, at_millis, amount, series }| {
            let NamedSpan { rowid, trace_id, span_id, name, .. } = named(&self.index, row)?;
            Some(PointSpan { rowid, trace_id, span_id, name, at_millis, amount, series })
        };
        let spans = found.amounts.into_iter().filter_map(span).collect();
        Ok(Ok(PointSpans { spans, total: found.total, without_span: found.without_span }))
    }

    /// The exemplars of the series that a query selects, latest first.
    ///
    /// # Errors
    /// As [`Session::query_promql`].
    pub fn list_exemplars(&mut self, query: &ExemplarQuery) -> Result<Result<Exemplars, PromqlError>, Failure> {
        let budget = self.metrics_budget();
        Ok(self.metrics()?.exemplars(query, &budget))
    }

    /// The series of a file, deduplicated and sorted by labels. Completes the index first if necessary.
    ///
    /// # Errors
    /// The outer error: the file can't be read. The inner error: a selector is invalid, or a limit is exceeded.
    ///
    /// ```
    /// # let bytes = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../../samples/metrics_0.2.23.db"))?;
    /// # let file = quipu::store::NamedSource { name: "metrics.db".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    /// # let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
    /// let query = quipu::SeriesQuery { selectors: vec!["llama_stack_tokens_total".into()], ..Default::default() };
    /// let series = session.list_series(&query)??;
    /// assert!(series.iter().all(|labels| labels.contains(&("__name__".into(), "llama_stack_tokens_total".into()))));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn list_series(&mut self, query: &SeriesQuery) -> Result<Result<Vec<SeriesLabels>, PromqlError>, Failure> {
        let budget = self.metrics_budget();
        Ok(self.metrics()?.list_series(query, &budget))
    }

    /// A budget for one question to the metrics engine, which begins now.
    pub fn metrics_budget(&self) -> Budget {
        let options = self.database.options();
        Budget::new(options.clock, Allowance { millis: options.deadline_ms, ..Allowance::DEFAULT })
    }

    /// The metrics engine, which is created by the first call and can answer on other threads. Completes the index first if necessary.
    ///
    /// # Errors
    /// When the file can't be read.
    pub fn metrics(&mut self) -> Result<Arc<Metrics>, Failure> {
        if self.metrics.is_none() {
            self.complete_index()?;
            self.metrics = Some(Arc::new(Metrics::new(self.metrics_input()?.unwrap_or_default())));
        }
        Ok(self.metrics.get_or_insert_default().clone())
    }
}

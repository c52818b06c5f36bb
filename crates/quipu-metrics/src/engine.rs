//! Entry point: answers all questions about the metrics of a file from its [`MetricsInput`].
//!
//! Not here: where the input comes from (`read` in `quipu`), and the spans that rows refer to.

use super::catalogue::catalog;
use super::complete::complete;
use super::exemplars::exemplars;
use super::metrics_input::MetricsInput;
use super::overview::overview;
use super::point_amounts::point_amounts;
use super::prepare::Prepared;
use super::series_list::{SeriesLabels, SeriesQuery, list_series};
use super::source::FileSeries;
use super::spans::Groups;
use quipu_model::budget::Budget;
use quipu_promql::{EvalOptions, Evaluated, METRIC_NAME, PromqlTime, SeriesSource, evaluate_with_notes, selector_ranges};
use quipu_promql::{PromqlAnswer, PromqlError, PromqlSeries};
use quipu_protocol::{
    AnswerPage, AnswerSeries, Answers, CompletePromql, ExemplarQuery, Exemplars, Failure, GetOverview, ListPointAmounts, LoadMetricsInput,
    MetricCatalog, MetricOptions, Overview, OverviewPage, OverviewQuery, PointAmounts, PointQuery, PromqlQuery, RunPromql, Suggestions,
};
use quipu_ui::render::{answer_sheet, overview_page};
use quipu_ui::view::{answer_chart, series_name};
use std::sync::{Arc, Mutex, PoisonError};

/// Number of steps of a range query without a step.
const STEPS: i64 = 250;

/// Most exemplars below a result.
const MOST_EXEMPLARS: u32 = 100;

/// The metrics of a file.
#[derive(Default)]
pub struct Metrics {
    /// The input without its spans.
    input: MetricsInput,
    groups: Groups,
    /// Counters, for the label options of the last request.
    prepared: Mutex<Option<Arc<Prepared>>>,
}

impl Metrics {
    /// Creates the engine from its input.
    pub fn new(mut input: MetricsInput) -> Metrics {
        let groups = Groups::new(std::mem::take(&mut input.spans));
        Metrics { input, groups, prepared: Mutex::default() }
    }

    /// Evaluates a PromQL query.
    ///
    /// # Errors
    /// If the query is invalid, can't be evaluated, or exceeds a limit; with a location.
    pub fn query(&self, query: &PromqlQuery, budget: &Budget) -> Result<PromqlAnswer, PromqlError> {
        self.query_with_notes(query, budget).map(|evaluated| evaluated.answer)
    }

    /// Evaluates a PromQL query, with warnings and remarks.
    ///
    /// # Errors
    /// See [`Metrics::query`].
    pub fn query_with_notes(&self, query: &PromqlQuery, budget: &Budget) -> Result<Evaluated, PromqlError> {
        let series = self.series(query.options);
        let options = EvalOptions { exact: query.options.exact, ..EvalOptions::default() };
        let mut evaluated = evaluate_with_notes(&query.query, time(query, &series), &series, &options, budget)?;
        evaluated.warnings.extend(self.too_coarse(&query.query));
        Ok(evaluated)
    }

    /// What a query asks for and the file has only in buckets that are too wide.
    fn too_coarse(&self, query: &str) -> Vec<String> {
        if self.input.measured.too_coarse.is_empty() {
            return Vec::new();
        }
        let asked = selector_ranges(query, 0, 0).unwrap_or_default();
        let is_asked = |name: &str| {
            let mut names = asked.iter().flat_map(|range| &range.matchers).filter(|matcher| matcher.name() == METRIC_NAME);
            names.any(|matcher| matcher.accepts(name))
        };
        let metrics = self.input.measured.too_coarse.iter().filter(|(name, _)| is_asked(name));
        let sentence = |(name, left_out): (&String, &u64)| {
            let histograms = quipu_model::format::counted(Some(*left_out), "histogram is", "histograms are");
            format!("{name}: {histograms} left out, with a scale below -4: native histograms have no buckets as wide")
        };
        metrics.map(sentence).collect()
    }

    /// Evaluates a query and prepares the result for display.
    fn answer_page(&self, query: &PromqlQuery, over_time: bool) -> Result<AnswerPage, PromqlError> {
        let (first, last) = self.series(query.options).extent().unwrap_or_default();
        let asked = match over_time {
            true => PromqlQuery { start: Some(query.start.unwrap_or(first).max(first)), ..query.clone() },
            false => PromqlQuery { start: None, step: None, ..query.clone() },
        };
        let Evaluated { answer, warnings, infos } = self.query_with_notes(&asked, &Budget::default())?;
        let notes: Vec<String> = warnings.into_iter().chain(infos).collect();
        let PromqlQuery { start, end, options, .. } = *query;
        let exemplars = ExemplarQuery { query: query.query.clone(), start, end, limit: MOST_EXEMPLARS, options };
        let exemplars = self.exemplars(&exemplars, &Budget::default())?;
        let chart = match time(&asked, &self.series(query.options)) {
            PromqlTime::At(_) => None,
            PromqlTime::Steps { start, end, step } => Some(answer_chart(&answer, &query.query, (start, end, step))),
        };
        let series = |series: &PromqlSeries| AnswerSeries {
            name: series_name(series),
            labels: series.labels.clone(),
            last_millis: (series.points.last().map(|point| point.at_millis))
                .max(series.histograms.last().map(|point| point.at_millis))
                .unwrap_or(last),
        };
        Ok(AnswerPage {
            table: answer_sheet(&answer, chart.as_ref(), &notes, &exemplars),
            series: answer.series().iter().map(series).collect(),
            step_millis: chart.as_ref().map_or(last.saturating_sub(first).saturating_add(1), |chart| chart.step_millis),
            chart,
        })
    }

    /// The available metrics with their labels and values.
    pub fn catalog(&self, options: MetricOptions) -> MetricCatalog {
        catalog(&self.series(options))
    }

    /// The amounts that contribute to a point of a result, latest first.
    ///
    /// # Errors
    /// See [`Metrics::query`].
    pub fn point_amounts(&self, query: &PointQuery, budget: &Budget) -> Result<PointAmounts, PromqlError> {
        point_amounts(&self.series(query.options), query, budget)
    }

    /// The exemplars of the series that a query selects, latest first.
    ///
    /// # Errors
    /// If the query is invalid, or the budget is used up.
    pub fn exemplars(&self, query: &ExemplarQuery, budget: &Budget) -> Result<Exemplars, PromqlError> {
        exemplars(&self.input.measured, &self.series(query.options), query, budget)
    }

    /// Tokens, requests and durations in a part of the file.
    pub fn overview(&self, query: &OverviewQuery) -> Overview {
        overview(&self.series(query.options), query)
    }

    /// Suggestions for a query that is being typed.
    pub fn complete(&self, query: &str, cursor: u32, options: MetricOptions) -> Suggestions {
        complete(query, cursor as usize, &self.catalog(options))
    }

    /// The label sets of the series that a query selects, deduplicated and sorted.
    ///
    /// # Errors
    /// If a selector is invalid, there are too many, or a limit is exceeded.
    pub fn list_series(&self, query: &SeriesQuery, budget: &Budget) -> Result<Vec<SeriesLabels>, PromqlError> {
        let extent = self.series(query.options).extent();
        list_series(query, extent, budget, &|asked| self.query(asked, budget))
    }

    fn series(&self, options: MetricOptions) -> FileSeries<'_> {
        let mut prepared = self.prepared.lock().unwrap_or_else(PoisonError::into_inner);
        let known = prepared.take().filter(|known| known.merged == options.merge_labels);
        let known = known.unwrap_or_else(|| Arc::new(Prepared::new(&self.input, options.merge_labels)));
        *prepared = Some(known.clone());
        FileSeries { prepared: known, groups: &self.groups, span_names: &self.input.span_names, scrape_millis: options.scrape_millis }
    }
}

impl Answers<LoadMetricsInput> for Metrics {
    /// The caller has created the engine from the input, which travels beside the question.
    fn answer(&mut self, _: LoadMetricsInput) -> Result<(), Failure> {
        Ok(())
    }
}

impl Answers<GetOverview> for Metrics {
    fn answer(&mut self, GetOverview { query, shown, prices }: GetOverview) -> Result<OverviewPage, Failure> {
        Ok(overview_page(&self.overview(&query), query.by, shown, &prices))
    }
}

impl Answers<RunPromql> for Metrics {
    fn answer(&mut self, RunPromql { query, over_time }: RunPromql) -> Result<Result<AnswerPage, PromqlError>, Failure> {
        Ok(self.answer_page(&query, over_time))
    }
}

impl Answers<ListPointAmounts> for Metrics {
    fn answer(&mut self, ListPointAmounts(query): ListPointAmounts) -> Result<Result<PointAmounts, PromqlError>, Failure> {
        Ok(self.point_amounts(&query, &Budget::default()))
    }
}

impl Answers<CompletePromql> for Metrics {
    fn answer(&mut self, CompletePromql { query, cursor, options }: CompletePromql) -> Result<Suggestions, Failure> {
        Ok(self.complete(&query, cursor, options))
    }
}

/// Evaluation time of a query; defaults to the extent of the file.
fn time(query: &PromqlQuery, series: &FileSeries<'_>) -> PromqlTime {
    let extent = || series.extent().unwrap_or_default();
    if query.start.is_none() && query.step.is_none() {
        return PromqlTime::At(query.end.unwrap_or_else(|| extent().1));
    }
    let start = query.start.unwrap_or_else(|| extent().0);
    let end = query.end.unwrap_or_else(|| extent().1);
    let scrape = query.options.scrape_millis.max(1);
    // A multiple of the scrape interval, so that each step covers the same number of scrapes.
    let step = query.step.unwrap_or_else(|| (end.saturating_sub(start) / STEPS / scrape + 1).saturating_mul(scrape));
    PromqlTime::Steps { start, end, step }
}

//! Input of the metrics engine: recorded metric events, and the end, duration and outcome of every span.
//!
//! Not here: series (`metrics`).

use super::events::NO_SPAN;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::number::narrow;
use quipu_model::{Cost, SpanFlags};

/// A recorded metric event.
pub(crate) struct MetricEvent {
    /// Number of its name and labels.
    pub(crate) series: u16,
    /// Nanoseconds since 1970, UTC.
    pub(crate) at: i64,
    pub(crate) value: f64,
    /// The row of its span, if that is in the file.
    pub(crate) span: Option<u32>,
}

/// The facts about a span that counters are computed from.
pub(crate) struct SpanEnd {
    pub(crate) row: u32,
    pub(crate) name: u32,
    pub(crate) flags: SpanFlags,
    /// Its end, or its start if the end can't be parsed; nanoseconds since 1970, UTC.
    pub(crate) at: i64,
    /// Nanoseconds.
    pub(crate) duration: Option<u64>,
}

impl Index {
    /// Series of recorded metrics, by number: the metric's name, then names and values of labels, separated by zero bytes.
    pub(crate) fn metric_series(&self) -> impl ExactSizeIterator<Item = &str> {
        self.events.series.texts()
    }

    /// Recorded metric events that have a time.
    pub(crate) fn metric_events(&self) -> impl Iterator<Item = MetricEvent> {
        self.events.metrics.iter().filter_map(|metric| {
            let span = (metric.span != NO_SPAN).then_some(metric.span);
            let at = match span {
                Some(row) => self.traces.at(self.trace_of(row)).utc(metric.at),
                None => metric.at,
            };
            (at != NO_TIME).then_some(MetricEvent { series: metric.of.series?, at, value: metric.of.value, span })
        })
    }

    /// Every span that has a time, by row.
    pub(crate) fn span_ends(&self) -> impl Iterator<Item = SpanEnd> {
        let times = self.spans.start.zip(&self.spans.end);
        let facts = self.spans.name.zip(&self.spans.flags).zip(self.spans.trace.iter());
        times.zip(facts).enumerate().filter_map(|(row, ((start, end), ((name, flags), trace)))| {
            let is_known = *start != NO_TIME && *end != NO_TIME && end >= start;
            let at = self.traces.at(*trace).utc(if *end == NO_TIME { *start } else { *end });
            let duration = is_known.then(|| end.abs_diff(*start));
            (at != NO_TIME).then_some(SpanEnd { row: narrow(row), name: *name, flags: *flags, at, duration })
        })
    }

    /// The model of each inference request, by row, ascending; `None` if the method's arguments do not start with one.
    pub(crate) fn inference_models(&self) -> impl Iterator<Item = (u32, Option<&str>)> {
        let mut models = self.facets.model.rows().peekable();
        let requests = self.spans.flags.iter().enumerate().filter(|(_, flags)| flags.has(SpanFlags::INFERENCE_REQUEST));
        requests.map(move |(row, _)| {
            let row = narrow(row);
            while models.next_if(|(found, _)| *found < row).is_some() {}
            let model = models.peek().filter(|(found, _)| *found == row).map(|(_, number)| self.facets.model.values.text(*number));
            (row, model)
        })
    }

    /// The provider of the model call in `row`, if its attributes name one.
    pub(crate) fn provider_of(&self, row: u32) -> Option<&str> {
        let facet = &self.facets.provider;
        facet.number_of(row).map(|number| facet.values.text(number))
    }

    /// Sets the costs of all inference requests: pairs of row and cost, ascending by row.
    pub(crate) fn set_costs(&mut self, costs: Vec<(u32, Option<Cost>)>) {
        let mut of_traces: HashMap<u32, Vec<Option<Cost>>> = HashMap::new();
        for (row, cost) in &costs {
            of_traces.entry(self.trace_of(*row)).or_default().push(*cost);
        }
        for (trace, totals) in &mut self.trace_tokens {
            totals.cost = of_traces.get(trace).and_then(|costs| Cost::sum(costs.iter().copied()));
        }
        self.file_tokens.cost = Cost::sum(costs.iter().map(|(_, cost)| *cost));
        self.costs = costs;
    }

    /// The earliest end of a span or time of a metric, in nanoseconds since 1970, UTC.
    pub(crate) fn first_amount(&self) -> Option<i64> {
        self.span_ends().map(|end| end.at).chain(self.metric_events().map(|event| event.at)).min()
    }

    /// The latest end of a span or time of a metric, in nanoseconds since 1970, UTC.
    pub(crate) fn last_time(&self) -> Option<i64> {
        let ends = self.traces.iter().map(|trace| trace.utc(trace.end)).filter(|at| *at != NO_TIME);
        ends.chain(self.metric_events().map(|event| event.at)).max()
    }
}

//! What metrics are made of: recorded metric events, and when every span ended, how long it took and what it was.
//!
//! What is not here: series (`metrics`).

use super::events::NO_SPAN;
use super::{Index, NO_TIME};
use hashbrown::HashMap;
use quipu_model::{Cost, SpanFlags};

/// A recorded metric event.
pub(crate) struct MetricEvent {
    /// The number of its name and labels.
    pub(crate) series: u16,
    /// Nanoseconds since 1970, UTC.
    pub(crate) at: i64,
    pub(crate) value: f64,
    /// The row of its span, where that is in the file.
    pub(crate) span: Option<u32>,
}

/// What counters count of a span.
pub(crate) struct SpanEnd {
    pub(crate) row: u32,
    pub(crate) name: u32,
    pub(crate) flags: SpanFlags,
    /// Nanoseconds since 1970, UTC: its end, or its start where the end can't be read.
    pub(crate) at: i64,
    /// Nanoseconds.
    pub(crate) duration: Option<u64>,
}

impl Index {
    /// Names and labels of recorded metrics, by number: parts with zero bytes between, the name first, then name and value of each label.
    pub(crate) fn metric_series(&self) -> impl ExactSizeIterator<Item = &str> {
        self.events.series.texts()
    }

    /// Recorded metric events with a time.
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

    /// Every span with a time, by row.
    pub(crate) fn span_ends(&self) -> impl Iterator<Item = SpanEnd> {
        let times = self.spans.start.zip(&self.spans.end);
        let facts = self.spans.name.zip(&self.spans.flags).zip(self.spans.trace.iter());
        times.zip(facts).enumerate().filter_map(|(row, ((start, end), ((name, flags), trace)))| {
            let is_known = *start != NO_TIME && *end != NO_TIME && end >= start;
            let at = self.traces.at(*trace).utc(if *end == NO_TIME { *start } else { *end });
            let duration = is_known.then(|| end.abs_diff(*start));
            (at != NO_TIME).then_some(SpanEnd { row: row as u32, name: *name, flags: *flags, at, duration })
        })
    }

    /// The model each inference request names, by row, ascending; `None` where its arguments do not begin with one.
    pub(crate) fn inference_models(&self) -> impl Iterator<Item = (u32, Option<&str>)> {
        let mut models = self.facets.model.rows().peekable();
        let requests = self.spans.flags.iter().enumerate().filter(|(_, flags)| flags.has(SpanFlags::INFERENCE_REQUEST));
        requests.map(move |(row, _)| {
            let row = row as u32;
            while models.next_if(|(found, _)| *found < row).is_some() {}
            let model = models.peek().filter(|(found, _)| *found == row).map(|(_, number)| self.facets.model.values.text(*number));
            (row, model)
        })
    }

    /// Takes what inference requests cost: row and cost by row, ascending, of all of them.
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

    /// The time of the first span's end or of the first metric, nanoseconds since 1970, UTC.
    pub(crate) fn first_amount(&self) -> Option<i64> {
        self.span_ends().map(|end| end.at).chain(self.metric_events().map(|event| event.at)).min()
    }

    /// The time of the last span's end and of the last metric, nanoseconds since 1970, UTC.
    pub(crate) fn last_time(&self) -> Option<i64> {
        let ends = self.traces.iter().map(|trace| trace.utc(trace.end)).filter(|at| *at != NO_TIME);
        ends.chain(self.metric_events().map(|event| event.at)).max()
    }
}

//! The values of each trace: for each facet the first value, and the others of the few traces that have several.
//!
//! Not here: the values of single spans (`facets`).

use super::Index;
use super::column::Column;
use super::facets::Facet;
use quipu_model::number::narrow;

/// Stands for the absence of a value.
pub(crate) const NO_VALUE: u32 = u32::MAX;

/// The values of one facet, by trace.
#[derive(Clone, Default)]
pub(crate) struct TraceValues {
    /// Number of the first value of each trace, or [`NO_VALUE`].
    first: Vec<u32>,
    /// Pairs of a trace and a further value, sorted and deduplicated.
    others: Vec<(u32, u32)>,
}

impl TraceValues {
    /// Collects the values of spans, given as pairs of a row and a value number.
    fn collect(of_spans: impl Iterator<Item = (u32, u32)>, trace_of: &Column<u32>, traces: usize) -> TraceValues {
        let mut values = TraceValues { first: vec![NO_VALUE; traces], others: Vec::new() };
        for (row, value) in of_spans {
            let trace = *trace_of.at(row);
            match values.first.get_mut(trace as usize) {
                Some(first) if *first == NO_VALUE => *first = value,
                Some(first) if *first != value && values.others.last() != Some(&(trace, value)) => values.others.push((trace, value)),
                _ => {}
            }
        }
        values.others.sort_unstable();
        values.others.dedup();
        values.others.shrink_to_fit();
        values
    }

    /// Puts another value first where `first_of` a trace gives one.
    fn with_first(mut self, first_of: impl Fn(u32) -> Option<u32>) -> TraceValues {
        for (first, trace) in self.first.iter_mut().zip(0..) {
            if let Some(wanted) = first_of(trace).filter(|wanted| wanted != first) {
                let before = std::mem::replace(first, wanted);
                if before != NO_VALUE {
                    self.others.push((trace, before));
                }
            }
        }
        let first = &self.first;
        self.others.retain(|(trace, value)| first.get(*trace as usize) != Some(value));
        self.others.sort_unstable();
        self
    }

    /// Number of the trace's first value.
    pub(crate) fn first(&self, trace: u32) -> Option<u32> {
        self.first.get(trace as usize).copied().filter(|value| *value != NO_VALUE)
    }

    /// Numbers of the trace's other values, ascending.
    pub(crate) fn others(&self, trace: u32) -> impl Iterator<Item = u32> + '_ {
        let start = self.others.partition_point(|(of, _)| *of < trace);
        self.others.get(start..).unwrap_or_default().iter().take_while(move |(of, _)| *of == trace).map(|(_, value)| *value)
    }

    /// All value numbers of a trace, the first one first; [`NO_VALUE`] if it has none.
    pub(crate) fn of(&self, trace: u32) -> impl Iterator<Item = u32> + '_ {
        std::iter::once(self.first(trace).unwrap_or(NO_VALUE)).chain(self.others(trace))
    }
}

/// The values that the trace list shows.
#[derive(Clone, Default)]
pub(crate) struct ValuesOfTraces {
    pub(crate) model: TraceValues,
    pub(crate) session: TraceValues,
    pub(crate) turn: TraceValues,
    pub(crate) agent: TraceValues,
    /// The services of the spans, the root's first.
    pub(crate) service: TraceValues,
}

impl ValuesOfTraces {
    pub(super) fn collect(index: &Index) -> ValuesOfTraces {
        let (facets, trace_of, traces) = (&index.facets, &index.spans.trace, index.traces.len());
        let collect = |facet: &Facet| TraceValues::collect(facet.rows(), trace_of, traces);
        ValuesOfTraces {
            model: collect(&facets.model),
            session: collect(&facets.session),
            turn: collect(&facets.turn),
            agent: collect(&facets.agent),
            service: services(index),
        }
    }
}

/// The services of each trace.
fn services(index: &Index) -> TraceValues {
    let traces = index.traces.len();
    if index.traces_have_services() {
        let first = index.traces.iter().map(|trace| trace.service.map_or(NO_VALUE, u32::from)).collect();
        return TraceValues { first, others: Vec::new() };
    }
    let of_spans = (0..narrow(index.spans.len())).filter_map(|row| Some((row, index.service_of(row)?)));
    let services = TraceValues::collect(of_spans, &index.spans.trace, traces);
    services.with_first(|trace| index.service_of(index.traces.at(trace).root?))
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the numbers of a test are small")]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_comes_first_and_every_other_once() {
        let mut facet = Facet::default();
        let mut trace_of = Column::default();
        // Rows of traces 0, 1, 0, 0, 2, 0.
        for (row, (trace, value)) in
            [(0, Some("b")), (1, Some("a")), (0, Some("a")), (0, Some("c")), (2, None), (0, Some("a"))].into_iter().enumerate()
        {
            trace_of.push(trace);
            if let Some(value) = value {
                facet.add(row as u32, value);
            }
        }
        let values = TraceValues::collect(facet.rows(), &trace_of, 4);
        let texts = |trace| values.of(trace).map(|value| facet.values.text(value).to_owned()).collect::<Vec<_>>();
        assert_eq!((texts(0), texts(1)), (vec!["b".into(), "a".into(), "c".into()], vec!["a".into()]));
        let turned = values.clone().with_first(|trace| [Some(2), None, Some(1), None].get(trace as usize).copied().flatten());
        let numbers = |trace| turned.of(trace).collect::<Vec<_>>();
        assert_eq!((numbers(0), numbers(1), numbers(2), numbers(3)), (vec![2, 0, 1], vec![1], vec![1], vec![NO_VALUE]));
        assert_eq!((values.first(2), values.of(2).collect::<Vec<_>>(), values.first(3)), (None, vec![NO_VALUE], None));
    }
}

//! A series of a result.

use crate::labels::Labels;
use crate::native::Histogram;
use crate::series::Point;
use std::sync::Arc;

/// A series of a result: labels, and an optional value per step, which is a number or a histogram.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) labels: Labels,
    pub(crate) values: Vec<Option<f64>>,
    /// Empty if there are none, which is the rule; otherwise one per step.
    pub(crate) histograms: Vec<Option<Arc<Histogram>>>,
}

impl Row {
    pub(crate) fn new(labels: Labels, values: Vec<Option<f64>>) -> Row {
        Row { labels, values, histograms: Vec::new() }
    }

    /// The number at a step.
    pub(crate) fn at(&self, step: usize) -> Option<f64> {
        self.values.get(step).copied().flatten()
    }

    /// The histogram at a step.
    pub(crate) fn histogram(&self, step: usize) -> Option<&Arc<Histogram>> {
        self.histograms.get(step).and_then(Option::as_ref)
    }

    /// The number or histogram at a step.
    pub(crate) fn point(&self, step: usize) -> Option<Point> {
        self.at(step).map(Point::Float).or_else(|| self.histogram(step).cloned().map(Point::Histogram))
    }

    /// Whether there is a number or histogram at a step.
    pub(crate) fn has(&self, step: usize) -> bool {
        self.at(step).is_some() || self.histogram(step).is_some()
    }

    pub(crate) fn has_histograms(&self) -> bool {
        !self.histograms.is_empty()
    }

    /// Sets the value at a step.
    pub(crate) fn put(&mut self, step: usize, point: Option<Point>) {
        let (value, histogram) = match point {
            Some(Point::Float(value)) => (Some(value), None),
            Some(Point::Histogram(histogram)) => (None, Some(histogram)),
            None => (None, None),
        };
        if histogram.is_some() && self.histograms.is_empty() {
            self.histograms.resize(self.values.len(), None);
        }
        if let Some(slot) = self.values.get_mut(step) {
            *slot = value;
        }
        if let Some(slot) = self.histograms.get_mut(step) {
            *slot = histogram;
        }
    }

    /// Removes the values at the steps that `keep` rejects.
    pub(crate) fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let histograms = self.histograms.iter_mut().enumerate().filter(|(step, _)| !keep(*step));
        histograms.for_each(|(_, histogram)| *histogram = None);
        let values = self.values.iter_mut().enumerate().filter(|(step, _)| !keep(*step));
        values.for_each(|(_, value)| *value = None);
    }

    /// About how many bytes it takes. A histogram that is repeated counts once.
    pub(super) fn bytes(&self) -> usize {
        let mut before: Option<&Arc<Histogram>> = None;
        let histograms = self.histograms.iter().flatten().map(|histogram| {
            let is_repeated = before.replace(histogram).is_some_and(|before| Arc::ptr_eq(before, histogram));
            size_of::<Option<Arc<Histogram>>>() + if is_repeated { 0 } else { histogram.bytes() }
        });
        size_of::<Row>() + self.labels.bytes() + self.values.len() * size_of::<Option<f64>>() + histograms.sum::<usize>()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.values.iter().all(Option::is_none) && self.histograms.iter().all(Option::is_none)
    }
}

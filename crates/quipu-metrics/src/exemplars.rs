//! Finds the exemplars of the series that a query selects.
//!
//! Not here: reading them (`points` in `quipu`), and the traces that they name.

use super::exemplar_series::{ExemplarSeries, OneSeries};
use super::source::{FileSeries, over, without_namespace};
use super::streams::{Measured, MeasuredExemplar};
use quipu_model::budget::Budget;
use quipu_promql::{Matcher, PromqlError, accepts_all, selector_ranges};
use quipu_protocol::{Exemplar, ExemplarQuery, Exemplars};

/// An exemplar and its series.
type Entry<'a> = (&'a MeasuredExemplar, &'a OneSeries);

/// The exemplars of the series that any selector of the query finds, latest first. An exemplar is listed once, with one series.
///
/// # Errors
/// If the query is invalid, or the budget is used up.
pub(super) fn exemplars(
    measured: &Measured,
    series: &FileSeries<'_>,
    query: &ExemplarQuery,
    budget: &Budget,
) -> Result<Exemplars, PromqlError> {
    let groups = &series.prepared.exemplars;
    let mut selectors: Vec<Vec<Matcher>> = Vec::new();
    for range in selector_ranges(&query.query, 0, 0)? {
        let plain = without_namespace(&range.matchers);
        let finds = |matchers: &[Matcher]| any_series(groups, |one| accepts_all(matchers, &one.labels, budget));
        selectors.push(match plain {
            Some(plain) if !finds(&range.matchers)? => plain,
            _ => range.matchers,
        });
    }
    let (start, end) = (query.start.unwrap_or(i64::MIN), query.end.unwrap_or(i64::MAX));
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for ExemplarSeries { group, series } in groups {
        let mut selected: Vec<bool> = Vec::new();
        for one in series {
            let mut is_selected = false;
            for matchers in &selectors {
                is_selected = is_selected || accepts_all(matchers, &one.labels, budget)?;
            }
            selected.push(is_selected);
        }
        if selected.iter().all(|is_selected| !is_selected) {
            continue;
        }
        let list = measured.exemplars.get(*group).map(|group| group.list.as_slice()).unwrap_or_default();
        let mut buckets: Vec<f64> = series.iter().filter_map(|one| one.bound).collect();
        buckets.sort_by(f64::total_cmp);
        // Each entry is copied once while they are sorted.
        budget.read(list.len() as u64).and_then(|()| budget.hold(list.len() as u64 * 2 * size_of::<Entry<'_>>() as u64)).map_err(over)?;
        for exemplar in list.iter().filter(|exemplar| (start..=end).contains(&exemplar.at)) {
            let own = buckets.get(buckets.partition_point(|bound| *bound < exemplar.value));
            let fits = |one: &OneSeries| one.bound.is_none() || one.bound.as_ref() == own;
            let found = series.iter().zip(&selected).find(|(one, is_selected)| **is_selected && fits(one));
            entries.extend(found.map(|(one, _)| (exemplar, one)));
        }
    }
    entries.sort_by(|(one, of_one), (other, of_other)| {
        let by_time = other.at.cmp(&one.at).then_with(|| of_one.labels.cmp(&of_other.labels));
        by_time.then_with(|| key(one).cmp(&key(other)))
    });
    // A cumulative point may repeat what an earlier one told.
    entries.dedup_by(|(one, of_one), (other, of_other)| one.at == other.at && key(one) == key(other) && of_one.labels == of_other.labels);
    let listed = entries.iter().take(query.limit as usize).map(|(exemplar, one)| Exemplar {
        labels: one.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        at_millis: exemplar.at,
        value: exemplar.value,
        trace_id: exemplar.trace_id.clone(),
        span_id: exemplar.span_id.clone(),
        has_trace: exemplar.has_trace,
    });
    Ok(Exemplars { list: listed.collect(), total: entries.len() as u64 })
}

fn key(exemplar: &MeasuredExemplar) -> (&str, &str, u64) {
    (&exemplar.trace_id, &exemplar.span_id, exemplar.value.to_bits())
}

fn any_series(groups: &[ExemplarSeries], accepts: impl Fn(&OneSeries) -> Result<bool, PromqlError>) -> Result<bool, PromqlError> {
    for one in groups.iter().flat_map(|group| &group.series) {
        if accepts(one)? {
            return Ok(true);
        }
    }
    Ok(false)
}

//! Finds the amounts that contribute to a point: those in the time ranges that the query's selectors read.
//!
//! Not here: the spans that rows refer to, which the index knows.

use super::metrics_input::NO_ROW;
use super::source::{FileSeries, SeriesData, over};
use super::spans::Part;
use quipu_model::budget::Budget;
use quipu_promql::{Labels, METRIC_NAME, PromqlError, SelectorRange, selector_ranges};
use quipu_protocol::{PointAmount, PointAmounts, PointQuery};

/// An amount: time, value, row, and index of its series.
type Entry = (i64, f64, u32, usize);

/// Finds the amounts that contribute to a point.
///
/// # Errors
/// If the query is invalid, or the budget is used up.
pub(super) fn point_amounts(series: &FileSeries<'_>, query: &PointQuery, budget: &Budget) -> Result<PointAmounts, PromqlError> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for SelectorRange { matchers, after, until } in selector_ranges(&query.query, query.at_millis, query.step_millis)? {
        series.find(&matchers, budget, &mut |labels, found| {
            if agrees(&labels, &query.labels) {
                let before = entries.len();
                let number = names.len();
                names.push(labels.to_string());
                take(&found, after, until, &mut |at, value, row| entries.push((at, value, row, number)));
                // Each entry is copied once while they are sorted.
                let added = (entries.len() - before) as u64;
                budget.read(added).and_then(|()| budget.hold(added * 2 * size_of::<Entry>() as u64)).map_err(over)?;
            }
            Ok(())
        })?;
    }
    entries.sort_by_key(|entry| std::cmp::Reverse((entry.0, entry.2, entry.3)));
    // The same selector may occur twice in a query.
    entries.dedup_by(|one, other| one.0 == other.0 && one.2 == other.2 && one.2 != NO_ROW && names.get(one.3) == names.get(other.3));
    let without_span = entries.iter().filter(|entry| entry.2 == NO_ROW).count() as u64;
    let total = entries.len() as u64;
    let known = entries.into_iter().filter(|entry| entry.2 != NO_ROW).take(query.limit as usize);
    let amount = |(at_millis, amount, row, number): Entry| PointAmount {
        row,
        at_millis,
        amount,
        series: names.get(number).cloned().unwrap_or_default(),
    };
    Ok(PointAmounts { amounts: known.map(amount).collect(), total, without_span })
}

/// Whether a series may contribute to a point with these labels: the labels they have in common must be equal.
fn agrees(labels: &Labels, point: &[(String, String)]) -> bool {
    point.iter().filter(|(name, _)| name != METRIC_NAME).all(|(name, value)| [value.as_str(), ""].contains(&labels.get(name)))
}

fn take(found: &SeriesData, after: i64, until: i64, give: &mut dyn FnMut(i64, f64, u32)) {
    match found {
        SeriesData::Amounts(amounts) => amounts.within(after, until).iter().for_each(|amount| give(amount.at, amount.value, amount.row)),
        // Samples of a counter are not linked to spans.
        SeriesData::Listed(_) | SeriesData::Histograms(_) => {}
        SeriesData::Spans(group, part) => {
            for (at, row) in group.within(*part, after, until) {
                give(at, if *part == Part::Seconds { group.seconds_of(at, row) } else { 1.0 }, row);
            }
        }
    }
}

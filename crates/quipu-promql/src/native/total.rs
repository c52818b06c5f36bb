//! Sums and differences of native histograms.

use super::{BucketCount, Histogram, ResetHint, bound};
use crate::sum::Sum;

/// Exponential and custom buckets can't be added.
#[derive(Debug)]
pub(crate) struct Incompatible;

/// The sum of histograms, compensated for rounding. It has the coarsest schema, the widest zero bucket and the common bounds of all.
#[derive(Clone)]
pub(crate) struct Total {
    hint: ResetHint,
    schema: i32,
    zero_threshold: f64,
    zero: Sum,
    count: Sum,
    sum: Sum,
    positive: Vec<(i32, Sum)>,
    negative: Vec<(i32, Sum)>,
    bounds: Vec<f64>,
    /// Whether custom bounds differed.
    pub(crate) is_reconciled: bool,
    /// Whether one histogram says that it was reset and another that it was not.
    pub(crate) is_conflict: bool,
}

impl Total {
    pub(crate) fn of(first: &Histogram) -> Total {
        let sums = |list: &[BucketCount]| list.iter().map(|(index, count)| (*index, Sum::of(*count))).collect();
        Total {
            hint: first.hint,
            schema: first.schema,
            zero_threshold: first.zero_threshold,
            zero: Sum::of(first.zero_count),
            count: Sum::of(first.count),
            sum: Sum::of(first.sum),
            positive: sums(&first.positive),
            negative: sums(&first.negative),
            bounds: first.bounds.clone(),
            is_reconciled: false,
            is_conflict: false,
        }
    }

    /// Adds a histogram, or subtracts it if the sign is -1.
    pub(crate) fn add(&mut self, other: &Histogram, sign: f64) -> Result<(), Incompatible> {
        let is_custom = other.is_custom();
        if is_custom != (self.schema == super::CUSTOM_SCHEMA) {
            return Err(Incompatible);
        }
        self.meet_hint(other.hint);
        self.count.add(other.count * sign);
        self.sum.add(other.sum * sign);
        if is_custom {
            self.add_custom(other, sign);
            return Ok(());
        }
        let (mut other_zero, mut other_threshold) = (other.zero_count, other.zero_threshold);
        loop {
            if other_threshold < self.zero_threshold {
                (other_zero, other_threshold) = other.wider_zero(self.zero_threshold);
            } else if other_threshold > self.zero_threshold {
                self.widen_zero(other_threshold);
            } else {
                break;
            }
        }
        self.zero.add(other_zero * sign);
        self.meet_schema(other.schema);
        for (list, added) in [(&mut self.positive, &other.positive), (&mut self.negative, &other.negative)] {
            for (index, count) in added.iter().filter(|(index, _)| other.bound(i64::from(*index)) > self.zero_threshold) {
                put(list, coarser(*index, other.schema, self.schema), *count * sign);
            }
        }
        Ok(())
    }

    /// Makes the buckets at least as coarse as those of a schema of the same kind.
    pub(crate) fn meet_schema(&mut self, schema: i32) {
        if schema < self.schema {
            reduce(&mut self.positive, self.schema, schema);
            reduce(&mut self.negative, self.schema, schema);
            self.schema = schema;
        }
    }

    /// The hint of a sum of two.
    fn meet_hint(&mut self, other: ResetHint) {
        use ResetHint::{Gauge, NotReset, Reset};
        self.is_conflict |= matches!((self.hint, other), (Reset, NotReset) | (NotReset, Reset));
        self.hint = match (self.hint, other) {
            (one, other) if one == other => one,
            (Gauge, _) | (_, Gauge) => Gauge,
            _ => ResetHint::Unknown,
        };
    }

    fn add_custom(&mut self, other: &Histogram, sign: f64) {
        if self.bounds == other.bounds {
            other.positive.iter().for_each(|(index, count)| put(&mut self.positive, *index, *count * sign));
            return;
        }
        self.is_reconciled = true;
        let common = common(&self.bounds, &other.bounds);
        let mut list = Vec::new();
        for (index, count) in &self.positive {
            merge(&mut list, moved(*index, &self.bounds, &common), *count);
        }
        for (index, count) in &other.positive {
            put(&mut list, moved(*index, &other.bounds, &common), *count * sign);
        }
        (self.positive, self.bounds) = (list, common);
    }

    /// Makes the zero bucket at least this wide, and moves into it what it then covers.
    fn widen_zero(&mut self, threshold: f64) {
        let counts = |list: &[(i32, Sum)]| list.iter().map(|(index, sum)| (*index, sum.value())).collect::<Vec<BucketCount>>();
        let schema = self.schema;
        let threshold = no_split(schema, threshold, &[&counts(&self.positive), &counts(&self.negative)]);
        self.zero_threshold = threshold;
        let zero = &mut self.zero;
        for list in [&mut self.positive, &mut self.negative] {
            list.retain(|(index, count)| {
                let stays = bound(schema, &[], i64::from(*index) - 1) >= threshold;
                if !stays {
                    zero.add_sum(*count);
                }
                stays
            });
        }
    }

    /// Whether a sum is infinite.
    pub(crate) fn overflows(&self) -> bool {
        let buckets = self.positive.iter().chain(&self.negative).map(|(_, sum)| sum);
        [&self.zero, &self.count, &self.sum].into_iter().chain(buckets).any(|sum| sum.value().is_infinite())
    }

    /// Changes every count; `change` is linear.
    fn change(&mut self, change: impl Fn(f64) -> f64) {
        let buckets = self.positive.iter_mut().chain(&mut self.negative).map(|(_, sum)| sum);
        [&mut self.zero, &mut self.count, &mut self.sum].into_iter().chain(buckets).for_each(|sum| *sum = sum.map(&change));
    }

    pub(crate) fn finish(self) -> Histogram {
        let counts = |list: Vec<(i32, Sum)>| {
            let count = |(index, sum): (i32, Sum)| Some((index, sum.value())).filter(|(_, count)| *count != 0.0);
            list.into_iter().filter_map(count).collect()
        };
        Histogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero.value(),
            count: self.count.value(),
            sum: self.sum.value(),
            positive: counts(self.positive),
            negative: counts(self.negative),
            bounds: self.bounds,
        }
    }
}

/// The mean of histograms, computed step by step if their sum is infinite.
pub(crate) fn mean<'h>(list: impl ExactSizeIterator<Item = &'h Histogram> + Clone) -> Result<Option<Total>, Incompatible> {
    let count = list.len() as f64;
    let Some(mut total) = total(list.clone())? else { return Ok(None) };
    if !total.overflows() {
        total.change(|sum| sum / count);
        return Ok(Some(total));
    }
    let mut rest = list;
    let Some(mut mean) = rest.next().map(Total::of) else { return Ok(None) };
    let mut number = 1.0;
    for histogram in rest {
        number += 1.0;
        let weight = (number - 1.0) / number;
        mean.change(|sum| sum * weight);
        // Divided, so that what cancels out does so exactly.
        mean.add(&histogram.divided(number), 1.0)?;
    }
    (mean.is_reconciled, mean.is_conflict) = (total.is_reconciled, total.is_conflict);
    Ok(Some(mean))
}

/// The sum of histograms; `None` if there are none.
pub(crate) fn total<'h>(mut list: impl Iterator<Item = &'h Histogram>) -> Result<Option<Total>, Incompatible> {
    let Some(first) = list.next() else { return Ok(None) };
    let mut total = Total::of(first);
    let (mut was_reset, mut was_not) = (first.hint == ResetHint::Reset, first.hint == ResetHint::NotReset);
    for histogram in list {
        was_reset |= histogram.hint == ResetHint::Reset;
        was_not |= histogram.hint == ResetHint::NotReset;
        total.add(histogram, 1.0)?;
    }
    total.is_conflict = was_reset && was_not;
    Ok(Some(total))
}

fn put(list: &mut Vec<(i32, Sum)>, index: i32, count: f64) {
    match list.binary_search_by_key(&index, |(index, _)| *index) {
        Ok(at) => list.get_mut(at).into_iter().for_each(|(_, sum)| sum.add(count)),
        Err(at) => list.insert(at, (index, Sum::of(count))),
    }
}

/// Appends a bucket, or adds it to the last one if the index is the same.
pub(super) fn merge(list: &mut Vec<(i32, Sum)>, index: i32, count: Sum) {
    match list.last_mut() {
        Some((last, sum)) if *last == index => sum.add_sum(count),
        _ => list.push((index, count)),
    }
}

fn reduce(list: &mut Vec<(i32, Sum)>, from: i32, to: i32) {
    for (index, count) in std::mem::take(list) {
        merge(list, coarser(index, from, to), count);
    }
}

/// The bucket of a coarser schema that contains a bucket.
pub(super) fn coarser(index: i32, from: i32, to: i32) -> i32 {
    (index.saturating_sub(1) >> from.saturating_sub(to).clamp(0, 31)) + 1
}

/// The bounds in both lists.
pub(super) fn common(one: &[f64], other: &[f64]) -> Vec<f64> {
    let is_in_other = |bound: &f64| other.get(other.partition_point(|found| found < bound)) == Some(bound);
    one.iter().copied().filter(is_in_other).collect()
}

/// The bucket between some of the bounds that contains a bucket between all.
pub(super) fn moved(index: i32, bounds: &[f64], common: &[f64]) -> i32 {
    let bound = usize::try_from(index).ok().and_then(|index| bounds.get(index));
    let place = bound.map_or(common.len(), |bound| common.partition_point(|common| common < bound));
    i32::try_from(place).unwrap_or(i32::MAX)
}

/// The smallest threshold of at least this size that splits no bucket.
fn no_split(schema: i32, mut threshold: f64, sides: &[&[BucketCount]]) -> f64 {
    loop {
        let before = threshold;
        for (index, count) in sides.iter().flat_map(|side| side.iter()) {
            let (lower, upper) = (bound(schema, &[], i64::from(*index) - 1), bound(schema, &[], i64::from(*index)));
            if lower < threshold && upper > threshold && *count != 0.0 {
                threshold = upper;
            }
        }
        if threshold == before || threshold.is_nan() {
            return threshold;
        }
    }
}

impl Histogram {
    /// The zero bucket if it were this wide, or as much wider as the buckets require: its count and threshold.
    pub(super) fn wider_zero(&self, threshold: f64) -> (f64, f64) {
        let threshold = no_split(self.schema, threshold, &[&self.positive, &self.negative]);
        let covered = self.positive.iter().chain(&self.negative).filter(|(index, _)| self.bound(i64::from(*index) - 1) < threshold);
        let mut zero = Sum::of(self.zero_count);
        covered.for_each(|(_, count)| zero.add(*count));
        (zero.value(), threshold)
    }

    /// The sum of two histograms; `None` if one has custom bounds and the other has not.
    pub fn sum_with(&self, other: &Histogram) -> Option<Histogram> {
        self.plus(other).ok().map(Total::finish)
    }

    /// What a counter added since an earlier sample: everything if it was reset.
    pub fn added_since(&self, before: &Histogram) -> Histogram {
        let difference = if self.is_reset_since(before) { None } else { self.minus(before).ok() };
        difference.map_or_else(|| self.clone(), Total::finish)
    }

    pub(crate) fn plus(&self, other: &Histogram) -> Result<Total, Incompatible> {
        let mut total = Total::of(self);
        total.add(other, 1.0).map(|()| total)
    }

    pub(crate) fn minus(&self, other: &Histogram) -> Result<Total, Incompatible> {
        let mut total = Total::of(self);
        total.add(other, -1.0).map(|()| total)
    }

    /// With every count changed.
    fn mapped(&self, change: impl Fn(f64) -> f64) -> Histogram {
        let counts = |list: &[BucketCount]| {
            let counts = list.iter().map(|(index, count)| (*index, change(*count)));
            counts.filter(|(_, count)| *count != 0.0).collect()
        };
        Histogram {
            hint: self.hint,
            schema: self.schema,
            zero_threshold: self.zero_threshold,
            zero_count: change(self.zero_count),
            count: change(self.count),
            sum: change(self.sum),
            positive: counts(&self.positive),
            negative: counts(&self.negative),
            bounds: self.bounds.clone(),
        }
    }

    pub(crate) fn times(&self, factor: f64) -> Histogram {
        let product = self.mapped(|count| count * factor);
        if factor < 0.0 { product.into_gauge() } else { product }
    }

    /// Division by zero leaves no buckets.
    pub(crate) fn divided(&self, divisor: f64) -> Histogram {
        let mut quotient = self.mapped(|count| count / divisor);
        if divisor == 0.0 {
            quotient.positive.clear();
            quotient.negative.clear();
        }
        if divisor < 0.0 { quotient.into_gauge() } else { quotient }
    }

    pub(crate) fn into_gauge(self) -> Histogram {
        Histogram { hint: ResetHint::Gauge, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(schema: i32, count: f64, positive: &[BucketCount]) -> Histogram {
        Histogram { schema, count, sum: count, positive: positive.to_vec(), ..Histogram::default() }
    }

    #[test]
    fn a_sum_has_the_coarser_schema_and_the_wider_zero_bucket() {
        let fine = Histogram { zero_threshold: 0.5, zero_count: 1.0, ..histogram(1, 5.0, &[(1, 1.0), (2, 1.0), (3, 2.0)]) };
        let coarse = histogram(0, 4.0, &[(-3, 1.0), (1, 3.0)]);
        let mut total = Total::of(&fine);
        total.add(&coarse, 1.0).expect("both are exponential");
        let sum = total.finish();
        assert_eq!((sum.schema, sum.zero_threshold, sum.zero_count, sum.count), (0, 0.5, 2.0, 9.0));
        assert_eq!(sum.positive, [(1, 5.0), (2, 2.0)]);
        assert!(Total::of(&fine).add(&Histogram { schema: super::super::CUSTOM_SCHEMA, ..Histogram::default() }, 1.0).is_err());
    }

    #[test]
    fn a_zero_bucket_covers_whole_buckets_only() {
        let buckets = histogram(0, 3.0, &[(0, 1.0), (1, 2.0)]);
        // 0.7 is inside of the bucket that ends at 1.
        assert_eq!(buckets.wider_zero(0.7), (1.0, 1.0));
        let mut total = Total::of(&buckets);
        total
            .add(&Histogram { zero_threshold: 0.7, zero_count: 4.0, count: 4.0, ..Histogram::default() }, 1.0)
            .expect("both are exponential");
        let sum = total.finish();
        assert_eq!((sum.zero_threshold, sum.zero_count, sum.positive), (1.0, 5.0, vec![(1, 2.0)]));
    }

    #[test]
    fn different_bounds_leave_the_common_ones() {
        let custom = |bounds: &[f64], positive: &[BucketCount]| Histogram {
            bounds: bounds.to_vec(),
            ..histogram(super::super::CUSTOM_SCHEMA, positive.iter().map(|(_, count)| count).sum(), positive)
        };
        let (one, other) = (custom(&[1.0, 2.0, 3.0], &[(0, 1.0), (2, 5.0), (3, 2.0)]), custom(&[2.0, 4.0], &[(0, 3.0), (1, 1.0)]));
        let total = other.minus(&one).expect("both are custom");
        assert!(total.is_reconciled);
        let difference = total.finish();
        assert_eq!((difference.bounds, difference.positive), (vec![2.0], vec![(0, 2.0), (1, -6.0)]));
    }

    #[test]
    fn a_mean_of_huge_counts_is_finite() {
        let list = [histogram(0, f64::MAX, &[(1, 3.0)]), histogram(0, f64::MAX, &[(1, 5.0)])];
        let mean = mean(list.iter()).expect("compatible").expect("not empty").finish();
        assert_eq!((mean.count, mean.positive), (f64::MAX, vec![(1, 4.0)]));
    }
}

//! Comparisons of native histograms: whether two are the same, and whether a counter was reset between them.

use super::total::{coarser, common, merge, moved};
use super::{BucketCount, Histogram, ResetHint};
use crate::sum::Sum;

impl Histogram {
    /// Whether both have the same observations in the same buckets.
    pub(crate) fn equals(&self, other: &Histogram) -> bool {
        let same = |one: f64, other: f64| one.to_bits() == other.to_bits();
        let all = |one: &[BucketCount], other: &[BucketCount]| {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
        };
        self.schema == other.schema
            && same(self.count, other.count)
            && same(self.sum, other.sum)
            && self.zero_threshold == other.zero_threshold
            && same(self.zero_count, other.zero_count)
            && self.bounds == other.bounds
            && all(&self.positive, &other.positive)
            && all(&self.negative, &other.negative)
    }

    /// Whether a counter was reset between an earlier sample and this one: some count fell, or the buckets became finer.
    pub(crate) fn is_reset_since(&self, before: &Histogram) -> bool {
        match self.hint {
            ResetHint::Reset => return true,
            ResetHint::NotReset => return false,
            ResetHint::Unknown | ResetHint::Gauge => {}
        }
        if self.count < before.count || self.schema > before.schema || self.is_custom() != before.is_custom() {
            return true;
        }
        if self.is_custom() {
            return self.falls_with_custom_bounds(before);
        }
        if self.zero_threshold < before.zero_threshold {
            return true;
        }
        let (zero, threshold) = if self.zero_threshold > before.zero_threshold {
            before.wider_zero(self.zero_threshold)
        } else {
            (before.zero_count, before.zero_threshold)
        };
        if threshold != self.zero_threshold || self.zero_count < zero {
            return true;
        }
        [(&self.positive, &before.positive), (&self.negative, &before.negative)].into_iter().any(|(now, before_list)| {
            let mut earlier = Vec::new();
            for (index, count) in before_list.iter().filter(|(index, _)| before.bound(i64::from(*index)) > threshold) {
                merge(&mut earlier, coarser(*index, before.schema, self.schema), Sum::of(*count));
            }
            fell(&earlier, now)
        })
    }

    fn falls_with_custom_bounds(&self, before: &Histogram) -> bool {
        let common = common(&self.bounds, &before.bounds);
        let rolled = |histogram: &Histogram| {
            let mut list = Vec::new();
            for (index, count) in &histogram.positive {
                merge(&mut list, moved(*index, &histogram.bounds, &common), Sum::of(*count));
            }
            list
        };
        let now: Vec<BucketCount> = rolled(self).into_iter().map(|(index, sum)| (index, sum.value())).collect();
        fell(&rolled(before), &now)
    }
}

/// Whether a bucket has fewer observations than before.
fn fell(before: &[(i32, Sum)], now: &[BucketCount]) -> bool {
    before.iter().any(|(index, count)| {
        let now = now.binary_search_by_key(index, |(index, _)| *index).ok().and_then(|at| now.get(at));
        now.map_or(count.value() != 0.0, |(_, now)| *now < count.value())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(schema: i32, count: f64, positive: &[BucketCount]) -> Histogram {
        Histogram { schema, count, sum: count, positive: positive.to_vec(), ..Histogram::default() }
    }

    #[test]
    fn a_reset_is_any_count_that_fell() {
        let before = histogram(1, 4.0, &[(1, 1.0), (2, 1.0), (5, 2.0)]);
        assert!(!histogram(0, 5.0, &[(1, 2.0), (3, 3.0)]).is_reset_since(&before));
        assert!(histogram(0, 5.0, &[(1, 1.0), (3, 4.0)]).is_reset_since(&before));
        assert!(histogram(0, 5.0, &[(3, 5.0)]).is_reset_since(&before));
        assert!(histogram(2, 9.0, &[]).is_reset_since(&before));
        assert!(!Histogram { hint: ResetHint::NotReset, ..histogram(0, 0.0, &[]) }.is_reset_since(&before));
    }

    #[test]
    fn different_bounds_are_compared_between_the_common_ones() {
        let custom = |bounds: &[f64], positive: &[BucketCount]| Histogram {
            bounds: bounds.to_vec(),
            ..histogram(super::super::CUSTOM_SCHEMA, positive.iter().map(|(_, count)| count).sum(), positive)
        };
        let (one, other) = (custom(&[1.0, 2.0, 3.0], &[(0, 1.0), (2, 5.0), (3, 2.0)]), custom(&[2.0, 4.0], &[(0, 3.0), (1, 1.0)]));
        assert!(other.is_reset_since(&one) && one.is_reset_since(&other));
        assert!(!custom(&[2.0], &[(0, 3.0), (1, 9.0)]).is_reset_since(&one));
    }
}

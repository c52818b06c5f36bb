//! Quantiles, fractions and variances of native histograms: within a bucket, values are taken to be spread evenly over its logarithm, or over
//! the bucket itself if it contains zero or has custom bounds.

use super::{Bucket, Histogram};
use crate::sum::Sum;

/// What observations that are not numbers do to a quantile. They are in the count and in no bucket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Skew {
    None,
    /// It is higher than that of the numbers.
    Higher,
    /// It is not a number.
    NotANumber,
}

impl Histogram {
    /// The zero bucket reaches to one side only if there are no observations on the other.
    pub(super) fn one_sided(&self, bucket: Bucket) -> Bucket {
        if self.is_custom() || bucket.lower > 0.0 || bucket.upper < 0.0 {
            return bucket;
        }
        match (self.negative.is_empty(), self.positive.is_empty()) {
            (true, false) => Bucket { lower: 0.0, ..bucket },
            (false, true) => Bucket { upper: 0.0, ..bucket },
            _ => bucket,
        }
    }

    pub(super) fn is_linear(&self, bucket: &Bucket) -> bool {
        self.is_custom() || bucket.lower <= 0.0 && bucket.upper >= 0.0
    }

    /// A quantile.
    pub(crate) fn quantile(&self, share: f64) -> (f64, Skew) {
        if share < 0.0 {
            return (f64::NEG_INFINITY, Skew::None);
        }
        if share > 1.0 {
            return (f64::INFINITY, Skew::None);
        }
        if self.count == 0.0 || share.is_nan() {
            return (f64::NAN, Skew::None);
        }
        // From the nearer end, for precision. With NaN in the count, only the lower end is certain.
        let is_upwards = self.sum.is_nan() || share < 0.5;
        let mut rank = if is_upwards { share * self.count } else { (1.0 - share) * self.count };
        let buckets: Vec<Bucket> = if is_upwards { self.buckets().collect() } else { self.buckets().rev().collect() };
        let Some(found) = place_of(&buckets, rank) else {
            return if self.sum.is_nan() { (f64::NAN, Skew::NotANumber) } else { (0.0, Skew::None) };
        };
        let Some(bucket) = buckets.get(found.number).map(|bucket| self.one_sided(*bucket)) else { return (f64::NAN, Skew::None) };
        let (mut lower, upper) = (bucket.lower, bucket.upper);
        if self.is_custom() {
            if lower == f64::NEG_INFINITY {
                if upper <= 0.0 {
                    return (upper, Skew::None);
                }
                lower = 0.0;
            } else if upper == f64::INFINITY {
                return (lower, Skew::None);
            }
        }
        let so_far = found.so_far.min(self.count);
        if so_far < rank {
            return if self.sum.is_nan() { (f64::NAN, Skew::NotANumber) } else { (upper, Skew::None) };
        }
        rank = if is_upwards { rank - (so_far - bucket.count) } else { so_far - rank };
        let all: f64 = buckets.iter().map(|bucket| bucket.count).sum();
        let skew = if self.sum.is_nan() && all < self.count { Skew::Higher } else { Skew::None };
        let part = rank / bucket.count;
        if self.is_linear(&bucket) {
            return (lower + (upper - lower) * part, skew);
        }
        let (low, high) = (lower.abs().log2(), upper.abs().log2());
        let value = if lower > 0.0 { (low + (high - low) * part).exp2() } else { -(high + (low - high) * (1.0 - part)).exp2() };
        (value, skew)
    }

    /// The fraction of observations between two bounds, and whether observations that are not numbers are left out.
    pub(crate) fn fraction(&self, lower: f64, upper: f64) -> (f64, bool) {
        if self.count == 0.0 || lower.is_nan() || upper.is_nan() {
            return (f64::NAN, false);
        }
        if lower >= upper {
            return (0.0, false);
        }
        let all: f64 = self.buckets().map(|bucket| bucket.count).sum();
        let total = if self.sum.is_nan() { all } else { self.count };
        let rank = |bound: f64| self.rank_of(bound).unwrap_or(total).min(total);
        ((rank(upper) - rank(lower)) / self.count, self.sum.is_nan() && all < self.count)
    }

    /// The number of observations below a bound; `None` if it is above all buckets.
    fn rank_of(&self, bound: f64) -> Option<f64> {
        let mut below = 0.0;
        for bucket in self.buckets().map(|bucket| self.one_sided(bucket)) {
            // The first custom bucket begins at zero if it can.
            let begins_at_zero = self.is_custom() && bucket.lower <= 0.0 && bucket.upper >= 0.0;
            let bucket = if begins_at_zero { Bucket { lower: 0.0, ..bucket } } else { bucket };
            if bucket.lower >= bound {
                return Some(below);
            }
            if bucket.upper > bound {
                let inside = if bucket.lower == f64::NEG_INFINITY { bucket.count } else { bucket.count * self.part_below(&bucket, bound) };
                return Some(below + inside);
            }
            below += bucket.count;
        }
        None
    }

    /// The part of a bucket that is below a value inside of it.
    pub(super) fn part_below(&self, bucket: &Bucket, value: f64) -> f64 {
        if self.is_linear(bucket) {
            return (value - bucket.lower) / (bucket.upper - bucket.lower);
        }
        let [low, high, at] = [bucket.lower, bucket.upper, value].map(|bound| bound.abs().log2());
        if value > 0.0 { (at - low) / (high - low) } else { 1.0 - (at - high) / (low - high) }
    }

    /// The variance, with every observation in the middle of its bucket.
    pub(crate) fn variance(&self) -> f64 {
        let mean = self.sum / self.count;
        let mut squares = Sum::default();
        for bucket in self.buckets() {
            let value = if self.is_custom() {
                f64::midpoint(bucket.upper, bucket.lower)
            } else if self.is_linear(&bucket) {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            squares.add(bucket.count * (value - mean) * (value - mean));
        }
        squares.value() / self.count
    }
}

struct Place {
    number: usize,
    /// Observations up to and including this bucket.
    so_far: f64,
}

/// The bucket in which a rank is, or the last one.
fn place_of(buckets: &[Bucket], rank: f64) -> Option<Place> {
    let mut so_far = 0.0;
    for (number, bucket) in buckets.iter().enumerate() {
        so_far += bucket.count;
        if so_far >= rank {
            return Some(Place { number, so_far });
        }
    }
    Some(Place { number: buckets.len().checked_sub(1)?, so_far })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spread_over_the_logarithm_of_their_bucket() {
        let histogram = Histogram { count: 4.0, sum: 10.0, positive: vec![(1, 2.0), (3, 2.0)], ..Histogram::default() };
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|share| histogram.quantile(share).0), [1.0, 2_f64.sqrt(), 4.0, 32_f64.sqrt(), 8.0]);
        assert!((histogram.fraction(0.0, 2_f64.sqrt()).0 - 0.25).abs() < 1e-12);
        assert_eq!(histogram.fraction(2.0, 4.0), (0.0, false));
        let mirrored = Histogram { positive: Vec::new(), negative: histogram.positive.clone(), ..histogram };
        assert_eq!([0.0, 0.75, 1.0].map(|share| mirrored.quantile(share).0), [-8.0, -(2_f64.sqrt()), -1.0]);
    }

    #[test]
    fn observations_that_are_not_numbers_are_above_all_others() {
        let histogram = Histogram { count: 4.0, sum: f64::NAN, positive: vec![(1, 2.0)], ..Histogram::default() };
        assert_eq!(histogram.quantile(0.25), (2_f64.sqrt(), Skew::Higher));
        assert_eq!(histogram.quantile(0.75).1, Skew::NotANumber);
        assert_eq!(histogram.fraction(f64::NEG_INFINITY, f64::INFINITY), (0.5, true));
    }
}

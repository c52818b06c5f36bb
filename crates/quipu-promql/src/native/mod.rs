//! Native histograms: their buckets, as plain data and as text.
//!
//! Modules: `total` adds them up, `compare` compares them, `estimate` reads quantiles and fractions from them, `trim` cuts them. Available without
//! the feature `grammar`, because results contain them. Not here: classic histograms, whose buckets are series (`functions::histogram`).

#[cfg(feature = "grammar")]
mod compare;
#[cfg(feature = "grammar")]
pub(crate) mod estimate;
#[cfg(feature = "grammar")]
pub(crate) mod total;
#[cfg(feature = "grammar")]
pub(crate) mod trim;

use serde::{Deserialize, Serialize};
use std::fmt;

/// The schema of histograms with bounds of their own.
pub const CUSTOM_SCHEMA: i32 = -53;
/// The coarsest and the finest schema with exponential buckets.
pub const EXPONENTIAL_SCHEMAS: std::ops::RangeInclusive<i32> = -4..=8;
/// The exponent of the bound above the largest number. The last bucket ends at that number, so that only infinity is beyond.
const LAST_EXPONENT: i64 = 1_024;

/// What is known about resets of a counter before a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ResetHint {
    /// Nothing: the sample has to be compared with the one before.
    #[default]
    Unknown,
    /// The counter was reset.
    Reset,
    /// The counter was not reset.
    NotReset,
    /// It is not a counter.
    Gauge,
}

/// The number of observations in a bucket, by the bucket's index.
pub type BucketCount = (i32, f64);

/// A native histogram.
///
/// A bucket with the index `i` ends at `2^(i / 2^schema)` and begins where the bucket before it ends. With custom bounds, it ends at the bound
/// number `i`, and the one after the last bound has none.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// What is known about resets.
    pub hint: ResetHint,
    /// One of [`EXPONENTIAL_SCHEMAS`], or [`CUSTOM_SCHEMA`].
    pub schema: i32,
    /// Observations this close to zero are in the zero bucket.
    pub zero_threshold: f64,
    /// Observations in the zero bucket.
    pub zero_count: f64,
    /// All observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
    /// Buckets that are not empty, by index.
    pub positive: Vec<BucketCount>,
    /// Buckets of negative observations, mirrored.
    pub negative: Vec<BucketCount>,
    /// Upper bounds, ascending, of the schema with custom bounds.
    pub bounds: Vec<f64>,
}

/// A bucket with its bounds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bucket {
    /// Lower bound.
    pub lower: f64,
    /// Upper bound.
    pub upper: f64,
    /// Whether an observation equal to the lower bound is inside.
    pub has_lower: bool,
    /// Whether an observation equal to the upper bound is inside.
    pub has_upper: bool,
    /// Observations.
    pub count: f64,
}

impl Histogram {
    /// Whether it has bounds of its own.
    pub fn is_custom(&self) -> bool {
        self.schema == CUSTOM_SCHEMA
    }

    /// The upper bound of a bucket.
    pub(crate) fn bound(&self, index: i64) -> f64 {
        bound(self.schema, &self.bounds, index)
    }

    /// A bucket of positive observations.
    pub(crate) fn bucket(&self, (index, count): BucketCount) -> Bucket {
        let index = i64::from(index);
        let (lower, upper) = (self.bound(index - 1), self.bound(index));
        let (has_lower, has_upper) = if self.is_custom() { (index == 0, true) } else { (lower < 0.0, upper > 0.0) };
        let lower = if lower > 0.0 { lower.max(self.zero_threshold) } else { lower };
        Bucket { lower, upper, has_lower, has_upper, count }
    }

    /// The zero bucket.
    pub(crate) fn zero_bucket(&self) -> Bucket {
        Bucket { lower: -self.zero_threshold, upper: self.zero_threshold, has_lower: true, has_upper: true, count: self.zero_count }
    }

    /// All buckets that are not empty, ascending.
    pub fn buckets(&self) -> impl DoubleEndedIterator<Item = Bucket> {
        let negative = self.negative.iter().rev().map(|bucket| self.bucket(*bucket).mirrored());
        let zero = (self.zero_count != 0.0 && !self.is_custom()).then(|| self.zero_bucket());
        negative.chain(zero).chain(self.positive.iter().map(|bucket| self.bucket(*bucket)))
    }

    /// What looking at it costs, in rows of a budget: one more than it has buckets.
    pub fn size(&self) -> u64 {
        1 + self.positive.len() as u64 + self.negative.len() as u64
    }

    /// About how many bytes it takes.
    pub fn bytes(&self) -> usize {
        let buckets = self.positive.len() + self.negative.len();
        size_of::<Histogram>() + buckets * size_of::<BucketCount>() + self.bounds.len() * size_of::<f64>()
    }
}

impl Bucket {
    pub(super) fn mirrored(self) -> Bucket {
        Bucket { lower: -self.upper, upper: -self.lower, has_lower: self.has_upper, has_upper: self.has_lower, count: self.count }
    }
}

/// The upper bound of a bucket.
fn bound(schema: i32, bounds: &[f64], index: i64) -> f64 {
    if schema == CUSTOM_SCHEMA {
        return match usize::try_from(index) {
            Ok(index) => bounds.get(index).copied().unwrap_or(f64::INFINITY),
            Err(_) => f64::NEG_INFINITY,
        };
    }
    let shift = schema.unsigned_abs().min(16);
    let (whole, part) = if schema < 0 { (index << shift, 0) } else { (index >> shift, index & ((1 << shift) - 1)) };
    if whole == LAST_EXPONENT && part == 0 {
        return f64::MAX;
    }
    (part as f64 / f64::from(1_u32 << shift)).exp2() * (whole as f64).exp2()
}

/// As Prometheus writes it: `{count:3, sum:4.5, (1,2]:3}`.
impl fmt::Display for Histogram {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{{count:{}, sum:{}", short_number(self.count), short_number(self.sum))?;
        for bucket in self.buckets() {
            let (open, close) = (if bucket.has_lower { '[' } else { '(' }, if bucket.has_upper { ']' } else { ')' });
            let [lower, upper, count] = [bucket.lower, bucket.upper, bucket.count].map(short_number);
            write!(out, ", {open}{lower},{upper}{close}:{count}")?;
        }
        out.write_str("}")
    }
}

/// A number in few digits: with an exponent if it is below 0.0001, or has more than 21 digits before the point.
pub(crate) fn short_number(value: f64) -> String {
    exponent_number(value, 1e-4..1e21)
}

/// A number without an exponent within a range, otherwise with one of at least two digits.
pub(crate) fn exponent_number(value: f64, plain: std::ops::Range<f64>) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    if value == 0.0 || plain.contains(&value.abs()) {
        return value.to_string();
    }
    let text = format!("{value:e}");
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |exponent| ('-', exponent));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_powers_of_two_and_their_roots() {
        let histogram = |schema| Histogram { schema, ..Histogram::default() };
        assert_eq!([-1, 0, 1, 3].map(|index| histogram(0).bound(index)), [0.5, 1.0, 2.0, 8.0]);
        assert_eq!([-1, 1, 2].map(|index| histogram(-2).bound(index)), [0.0625, 16.0, 256.0]);
        assert_eq!([-2, 2].map(|index| histogram(1).bound(index)), [0.5, 2.0]);
        assert_eq!(histogram(3).bound(4), std::f64::consts::SQRT_2);
        assert_eq!([64, 65].map(|index| histogram(-4).bound(index)), [f64::MAX, f64::INFINITY]);
        assert_eq!([1_024 << 8, (1_024 << 8) + 1].map(|index| histogram(8).bound(index)), [f64::MAX, f64::INFINITY]);
        let custom = Histogram { schema: CUSTOM_SCHEMA, bounds: vec![5.0, 10.0], ..Histogram::default() };
        assert_eq!([-1, 0, 1, 2].map(|index| custom.bound(index)), [f64::NEG_INFINITY, 5.0, 10.0, f64::INFINITY]);
    }

    #[test]
    fn the_text_has_every_bucket_with_its_bounds() {
        let histogram = Histogram {
            zero_threshold: 0.001,
            zero_count: 2.0,
            count: 7.5,
            sum: -1e-7,
            positive: vec![(1, 3.0), (4, 1.0)],
            negative: vec![(0, 1.0), (1, 0.5)],
            ..Histogram::default()
        };
        assert_eq!(histogram.to_string(), "{count:7.5, sum:-1e-07, [-2,-1):0.5, [-1,-0.5):1, [-0.001,0.001]:2, (1,2]:3, (8,16]:1}");
        let custom = Histogram {
            schema: CUSTOM_SCHEMA,
            count: 3.0,
            sum: f64::NAN,
            positive: vec![(0, 1.0), (2, 2.0)],
            bounds: vec![5.0, 10.0],
            ..Histogram::default()
        };
        assert_eq!(custom.to_string(), "{count:3, sum:NaN, [-Inf,5]:1, (10,+Inf]:2}");
    }
}

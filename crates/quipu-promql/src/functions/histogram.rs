//! Quantiles and fractions of classic histograms.
//!
//! Not here: native histograms (`native::estimate`).

/// A cumulative bucket: upper bound, and number of values up to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bucket {
    pub(crate) bound: f64,
    pub(crate) count: f64,
}

/// Relative differences below this are rounding errors.
const TOLERANCE: f64 = 1e-12;

fn nearly_equal(one: f64, other: f64) -> bool {
    let (sum, difference) = (one.abs() + other.abs(), (one - other).abs());
    if one == other {
        return true;
    }
    if one == 0.0 || other == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}

/// Sorts by bound, merges equal bounds, and makes counts monotonic. `None` unless there are at least two buckets and the last bound is
/// infinite; otherwise whether counts fell by more than rounding.
fn normalize(buckets: &mut Vec<Bucket>) -> Option<bool> {
    buckets.sort_unstable_by(|one, other| one.bound.total_cmp(&other.bound));
    if buckets.last()?.bound != f64::INFINITY {
        return None;
    }
    buckets.dedup_by(|later, kept| {
        let is_same = later.bound == kept.bound;
        if is_same {
            kept.count += later.count;
        }
        is_same
    });
    let mut highest = buckets.first()?.count;
    let mut fell = false;
    for bucket in buckets.iter_mut() {
        fell |= bucket.count < highest && !nearly_equal(bucket.count, highest);
        if nearly_equal(bucket.count, highest) || bucket.count < highest {
            bucket.count = highest;
        }
        highest = bucket.count;
    }
    (buckets.len() >= 2).then_some(fell)
}

/// A quantile, interpolated linearly within its bucket, and whether counts had to be corrected because they fell.
pub(crate) fn quantile(share: f64, buckets: &mut Vec<Bucket>) -> (f64, bool) {
    if share.is_nan() {
        return (f64::NAN, false);
    }
    if !(0.0..=1.0).contains(&share) {
        return (f64::INFINITY.copysign(share), false);
    }
    let Some(fell) = normalize(buckets) else { return (f64::NAN, false) };
    let (Some(first), Some(last)) = (buckets.first(), buckets.last()) else { return (f64::NAN, false) };
    (within(share * last.count, *first, buckets), fell)
}

/// The value at a rank.
fn within(rank: f64, first: Bucket, buckets: &[Bucket]) -> f64 {
    let Some(last) = buckets.last().filter(|last| last.count != 0.0 && !last.count.is_nan()) else { return f64::NAN };
    let bounded = buckets.len() - 1;
    let Some(index) = buckets.iter().take(bounded).position(|bucket| bucket.count >= rank) else {
        // Nothing is known about values above the last finite bound.
        return buckets.get(bounded.saturating_sub(1)).map_or(last.bound, |bucket| bucket.bound);
    };
    if index == 0 && first.bound <= 0.0 {
        return first.bound;
    }
    let Some(bucket) = buckets.get(index) else { return f64::NAN };
    let (start, below) = match index.checked_sub(1).and_then(|before| buckets.get(before)) {
        Some(before) => (before.bound, before.count),
        None => (0.0, 0.0),
    };
    start + (bucket.bound - start) * ((rank - below) / (bucket.count - below))
}

/// The fraction of values between two bounds.
pub(crate) fn fraction(lower: f64, upper: f64, buckets: &mut Vec<Bucket>) -> f64 {
    let is_single = buckets.len() == 1 && buckets.first().is_some_and(|bucket| bucket.bound == f64::INFINITY);
    if normalize(buckets).is_none() && !is_single {
        return f64::NAN;
    }
    let total = buckets.last().map_or(0.0, |last| last.count);
    if total == 0.0 || total.is_nan() || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (rank_of(upper, buckets, total) - rank_of(lower, buckets, total)) / total
}

/// The number of values below a bound, interpolated within its bucket.
fn rank_of(bound: f64, buckets: &[Bucket], total: f64) -> f64 {
    let (mut start, mut below) = (f64::NEG_INFINITY, 0.0);
    for (index, bucket) in buckets.iter().enumerate() {
        if index == 0 {
            // The first bucket starts at 0 if its bound is positive.
            start = if bucket.bound > 0.0 { 0.0 } else { f64::NEG_INFINITY };
        }
        if bound <= start {
            return below;
        }
        if bound < bucket.bound {
            // How values are spread is not known in a bucket without a bound: those in the first are below any value, others above.
            return match (start.is_finite(), bucket.bound.is_finite()) {
                (false, _) => bucket.count,
                (true, false) => below,
                (true, true) => below + (bucket.count - below) * ((bound - start) / (bucket.bound - start)),
            };
        }
        (start, below) = (bucket.bound, bucket.count);
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    fn buckets(list: &[(f64, f64)]) -> Vec<Bucket> {
        list.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn quantiles_are_interpolated_within_their_bucket() {
        let list = buckets(&[(1.0, 10.0), (2.0, 30.0), (INF, 40.0)]);
        let of = |share| quantile(share, &mut list.clone()).0;
        assert_eq!((of(0.125), of(0.25), of(0.5), of(0.75)), (0.5, 1.0, 1.5, 2.0));
        // Above the last finite bound, the bound itself is the best estimate.
        assert_eq!((of(1.0), of(-1.0), of(1.5)), (2.0, f64::NEG_INFINITY, INF));
    }

    #[test]
    fn invalid_buckets_are_repaired_or_give_no_quantile() {
        let of = |list: &[(f64, f64)]| quantile(0.5, &mut buckets(list));
        assert!(of(&[(1.0, 10.0)]).0.is_nan());
        assert!(of(&[(INF, 10.0)]).0.is_nan());
        assert!(of(&[(1.0, 0.0), (INF, 0.0)]).0.is_nan());
        assert_eq!(of(&[(INF, 10.0), (1.0, 10.0)]), (0.5, false));
        assert_eq!(of(&[(-1.0, 10.0), (INF, 10.0)]), (-1.0, false));
        // Bucket counts must not decrease.
        assert_eq!(of(&[(1.0, 8.0), (2.0, 4.0), (INF, 8.0)]), (0.5, true));
    }

    #[test]
    fn fractions_are_the_inverse_of_quantiles() {
        let list = buckets(&[(1.0, 10.0), (2.0, 30.0), (INF, 40.0)]);
        let of = |lower, upper| fraction(lower, upper, &mut list.clone());
        assert_eq!((of(0.0, 0.5), of(0.0, 1.5), of(1.0, 2.0), of(-INF, INF)), (0.125, 0.5, 0.5, 1.0));
        assert_eq!((of(2.0, 1.0), of(-5.0, 0.0)), (0.0, 0.0));
    }
}

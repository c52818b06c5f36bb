//! `</` and `>/`: the observations of a native histogram below or above a value. Their sum is estimated from the middles of the buckets.

use super::{Bucket, BucketCount, Histogram};

/// Which observations to keep, and up to which value.
#[derive(Clone, Copy)]
pub(crate) struct Cut {
    pub(crate) at: f64,
    /// Those below, rather than those above.
    pub(crate) keeps_lower: bool,
}

impl Histogram {
    pub(crate) fn trimmed(&self, cut: Cut) -> Histogram {
        let mut trimmed = self.clone();
        let (mut count, mut sum) = (0.0, 0.0);
        let mut is_whole = true;
        let mut keep = |bucket: Bucket, (kept, middle): (f64, f64)| {
            count += kept;
            sum += middle * kept;
            is_whole &= kept == bucket.count;
            kept
        };
        let mut side = |list: &mut Vec<BucketCount>, is_negative: bool| {
            for place in &mut *list {
                let bucket = if is_negative { self.bucket(*place).mirrored() } else { self.bucket(*place) };
                place.1 = keep(bucket, self.kept(bucket, cut));
            }
            list.retain(|(_, count)| *count != 0.0);
        };
        side(&mut trimmed.positive, false);
        side(&mut trimmed.negative, true);
        if self.zero_count > 0.0 {
            let bucket = self.one_sided(self.zero_bucket());
            trimmed.zero_count = keep(bucket, self.kept(bucket, cut));
        }
        if !is_whole {
            (trimmed.count, trimmed.sum) = (count, sum);
        }
        trimmed
    }

    /// How many observations of a bucket are kept, and the middle of where they are.
    fn kept(&self, bucket: Bucket, Cut { at, keeps_lower }: Cut) -> (f64, f64) {
        let (lower, upper, count) = (bucket.lower, bucket.upper, bucket.count);
        let (is_inside, is_outside) = if keeps_lower { (upper <= at, lower >= at) } else { (lower >= at, upper <= at) };
        let is_linear = self.is_linear(&bucket);
        if is_inside {
            return (count, middle(lower, upper, is_linear));
        }
        if is_outside {
            return (0.0, 0.0);
        }
        if lower == f64::NEG_INFINITY || upper == f64::INFINITY {
            return kept_of_open(bucket, at, keeps_lower);
        }
        let below = self.part_below(&bucket, at);
        if keeps_lower { (count * below, middle(lower, at, is_linear)) } else { (count - count * below, middle(at, upper, is_linear)) }
    }
}

fn middle(lower: f64, upper: f64, is_linear: bool) -> f64 {
    match (lower.is_infinite(), upper.is_infinite()) {
        (true, true) => 0.0,
        (true, false) if upper > 0.0 => upper / 2.0,
        (true, false) => upper,
        (false, true) => lower,
        _ if is_linear => f64::midpoint(lower, upper),
        _ => (lower * upper).sqrt().copysign(upper),
    }
}

/// The same for a bucket without a lower or an upper bound, inside of which the cut is. The first bucket begins at zero if it can.
fn kept_of_open(Bucket { lower, upper, count, .. }: Bucket, at: f64, keeps_lower: bool) -> (f64, f64) {
    let begins_at_zero = lower == f64::NEG_INFINITY && upper.is_finite() && upper > 0.0;
    match keeps_lower {
        true if begins_at_zero && at > 0.0 => (count * at / upper, at / 2.0),
        true if lower == f64::NEG_INFINITY && upper <= 0.0 => (count, at),
        false if begins_at_zero && at >= 0.0 => (count * (1.0 - at / upper), f64::midpoint(at, upper)),
        // How its observations are spread is not known: those above its lower bound may be above any value.
        false if lower != f64::NEG_INFINITY => (count, at),
        _ => (0.0, 0.0),
    }
}

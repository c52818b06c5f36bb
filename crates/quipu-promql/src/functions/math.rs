//! Functions of a single value and optional scalars.

/// The sign: -1, 0 or 1; NaN for NaN.
pub(super) fn sgn(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

/// Rounds to the nearest multiple of `to`; halves are rounded up.
pub(super) fn round(value: f64, to: f64) -> f64 {
    let inverse = 1.0 / to;
    (value * inverse + 0.5).floor() / inverse
}

/// The minimum. NaN if either is NaN, unless the other is negative infinity, like in Go.
pub(crate) fn at_most(value: f64, limit: f64) -> f64 {
    if (value.is_nan() || limit.is_nan()) && value.min(limit) != f64::NEG_INFINITY { f64::NAN } else { value.min(limit) }
}

/// The maximum. NaN if either is NaN, unless the other is infinity, like in Go.
pub(crate) fn at_least(value: f64, limit: f64) -> f64 {
    if (value.is_nan() || limit.is_nan()) && value.max(limit) != f64::INFINITY { f64::NAN } else { value.max(limit) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_rounded_up() {
        assert_eq!((round(2.5, 1.0), round(-2.5, 1.0), round(0.75, 0.5)), (3.0, -2.0, 1.0));
        assert_eq!((round(13.0, 5.0), round(12.4, 5.0)), (15.0, 10.0));
    }

    #[test]
    fn signs_and_limits_keep_nan() {
        assert!(sgn(f64::NAN).is_nan() && at_most(1.0, f64::NAN).is_nan() && at_least(f64::NAN, 1.0).is_nan());
        assert_eq!((sgn(-3.0), sgn(0.0), sgn(f64::INFINITY)), (-1.0, 0.0, 1.0));
    }
}

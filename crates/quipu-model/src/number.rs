//! Conversions between numbers that `as` makes silently and `From` does not offer, each with its rule for numbers that don't fit.

/// A count, row or offset in the 32 bits that columns and answers have for it. What is counted so is in memory, with several bytes for each,
/// so there are fewer than 2^32. A greater number becomes the greatest that fits.
#[inline]
pub fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A number without its fraction; the nearest limit of the type if it is outside of them, and 0 for NaN.
///
/// ```
/// use quipu_model::number::truncated;
/// assert_eq!((truncated::<u8>(2.9), truncated::<u8>(-1.0), truncated::<u8>(1e9), truncated::<u8>(f64::NAN)), (2, 0, 255, 0));
/// ```
#[inline]
pub fn truncated<T: Truncated>(number: f64) -> T {
    T::truncated(number)
}

/// The types of [`truncated`].
pub trait Truncated {
    /// What [`truncated`] returns.
    fn truncated(number: f64) -> Self;
}

macro_rules! truncated {
    ($($of:ty),*) => {$(
        impl Truncated for $of {
            #[inline]
            #[expect(clippy::cast_possible_truncation, reason = "cutting off the fraction is the purpose; beyond its limits, `as` saturates")]
            fn truncated(number: f64) -> $of {
                number as $of
            }
        }
    )*};
}

truncated!(u8, u16, u32, u64, usize, i32, i64);

//! Conversions between numbers that `as` makes silently and `From` does not offer, each with its rule for numbers that don't fit.

/// A count, row or offset in the 32 bits that columns and answers have for it. What is numbered so is in memory, a few bytes each, so it is
/// fewer than 2^32; a number beyond them is the greatest.
#[inline]
pub fn narrow(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// The whole part of a number. Beyond the type's limits it is the limit, and without a number 0.
///
/// ```
/// use quipu_model::number::whole;
/// assert_eq!((whole::<u8>(2.9), whole::<u8>(-1.0), whole::<u8>(1e9), whole::<u8>(f64::NAN)), (2, 0, 255, 0));
/// ```
#[inline]
pub fn whole<T: Whole>(number: f64) -> T {
    T::whole(number)
}

/// The types of [`whole`].
pub trait Whole {
    /// What [`whole`] returns.
    fn whole(number: f64) -> Self;
}

macro_rules! whole {
    ($($of:ty),*) => {$(
        impl Whole for $of {
            #[inline]
            #[expect(clippy::cast_possible_truncation, reason = "cutting off the fraction is the purpose; beyond its limits, `as` saturates")]
            fn whole(number: f64) -> $of {
                number as $of
            }
        }
    )*};
}

whole!(u8, u16, u32, u64, usize, i32, i64);

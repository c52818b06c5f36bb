//! Reads decimal numbers as the standard library does, without its tables of powers, which weigh 12 KB in the page's programs.
//!
//! Not here: which spellings a price may have ([`read_amount`](crate::read_amount)).

use std::iter::repeat_n;

/// The nearest double to a number such as `-1.5e3`: the same as `text.parse::<f64>()`, with its spellings of NaN and infinity.
///
/// ```
/// use quipu_model::decimal::read_f64;
/// assert_eq!((read_f64("0.1"), read_f64("-INF"), read_f64("1e")), (Some(0.1), Some(f64::NEG_INFINITY), None));
/// ```
pub fn read_f64(text: &str) -> Option<f64> {
    let (unsigned, is_negative) = match text.strip_prefix('-') {
        Some(unsigned) => (unsigned, true),
        None => (text.strip_prefix('+').unwrap_or(text), false),
    };
    let value = match Decimal::read(unsigned) {
        Some(decimal) => decimal.exact().unwrap_or_else(|| decimal.nearest()),
        None => not_finite(unsigned)?,
    };
    Some(if is_negative { -value } else { value })
}

fn not_finite(text: &str) -> Option<f64> {
    if text.eq_ignore_ascii_case("nan") {
        return Some(f64::NAN);
    }
    (text.eq_ignore_ascii_case("inf") || text.eq_ignore_ascii_case("infinity")).then_some(f64::INFINITY)
}

/// A number without a sign, as it is written.
pub(crate) struct Decimal<'a> {
    whole: &'a [u8],
    fraction: &'a [u8],
    /// The written exponent.
    exponent: i64,
    /// The digits without zeros at the end, if they fit, and how many zeros that are.
    short: Option<(u64, i64)>,
}

impl<'a> Decimal<'a> {
    /// `None` if the text is not a number.
    pub(crate) fn read(text: &'a str) -> Option<Decimal<'a>> {
        let (number, exponent) = match text.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, read_exponent(exponent)?),
            None => (text, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let mut decimal = Decimal { whole: whole.as_bytes(), fraction: fraction.as_bytes(), exponent, short: Some((0, 0)) };
        for byte in decimal.bytes() {
            decimal.short = match (byte, decimal.short) {
                (b'0', Some((digits, zeros))) => Some((digits, zeros + 1)),
                (b'1'..=b'9', Some((0, _))) => Some((u64::from(byte - b'0'), 0)),
                (b'1'..=b'9', Some((digits, zeros))) => appended(digits, zeros, byte - b'0').map(|digits| (digits, 0)),
                (b'0'..=b'9', None) => None,
                _ => return None,
            };
        }
        (!number.is_empty() && number != ".").then_some(decimal)
    }

    /// The number, if it is a product or quotient of two exact doubles: there is one rounding then.
    pub(crate) fn exact(&self) -> Option<f64> {
        let (digits, zeros) = self.short.filter(|(digits, _)| *digits <= 1 << f64::MANTISSA_DIGITS)?;
        let power = self.power() + zeros;
        match digits as f64 {
            0.0 => Some(0.0),
            digits if power < 0 => Some(digits / power_of_ten(power)?),
            digits => Some(digits * power_of_ten(power)?),
        }
    }

    /// The nearest double, by arithmetic on all digits that may decide it.
    fn nearest(&self) -> f64 {
        let digits = self.bytes().skip_while(|byte| **byte == b'0');
        let count = digits.clone().count();
        let (kept, power) = (count.min(MAX_DIGITS), self.power() + count.saturating_sub(MAX_DIGITS) as i64);
        let mut parts = Parts::default();
        digits.clone().take(kept).for_each(|byte| parts.multiply(10, byte - b'0'));
        let is_more = digits.skip(kept).any(|byte| *byte != b'0');
        // Beyond these, the number is greater than all doubles, or rounds to zero.
        match power + kept as i64 {
            ..=-330 => 0.0,
            310.. => f64::INFINITY,
            _ => parts.times_power_of_ten(power, is_more),
        }
    }

    /// The power of ten of all digits.
    fn power(&self) -> i64 {
        self.exponent - self.fraction.len() as i64
    }

    fn bytes(&self) -> impl Iterator<Item = &'a u8> + Clone + use<'a> {
        self.whole.iter().chain(self.fraction)
    }
}

/// A digit after digits and zeros; `None` if that is too long.
fn appended(digits: u64, zeros: i64, digit: u8) -> Option<u64> {
    let power = 10_u64.checked_pow(u32::try_from(zeros + 1).ok()?)?;
    digits.checked_mul(power)?.checked_add(u64::from(digit))
}

/// An exponent with or without a sign. Greater ones than any that matters are cut off there.
fn read_exponent(text: &str) -> Option<i64> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.bytes().fold(0, |value, byte| MAX_EXPONENT.min(value * 10 + i64::from(byte - b'0')));
    Some(if text.starts_with('-') { -value } else { value })
}

/// More digits only decide whether the number is greater than what its first digits say.
const MAX_DIGITS: usize = 800;
/// So large that no text in memory has as many digits.
const MAX_EXPONENT: i64 = 1 << 40;

/// The powers of ten that are exact doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// The power of ten of an exponent without its sign, if it is an exact double.
fn power_of_ten(exponent: i64) -> Option<f64> {
    POWERS.get(usize::try_from(exponent.unsigned_abs()).ok()?).copied()
}

/// A large whole number, in parts of 32 bits, the lowest first.
#[derive(Default)]
struct Parts(Vec<u32>);

/// The greatest power of five that fits into a part.
const FIVES: (u32, usize) = (1_220_703_125, 13);

impl Parts {
    fn multiply(&mut self, by: u32, plus: u8) {
        let mut carry = u32::from(plus);
        for part in &mut self.0 {
            (*part, carry) = halves(u64::from(*part) * u64::from(by) + u64::from(carry));
        }
        if carry > 0 {
            self.0.push(carry);
        }
    }

    /// Divides, and returns whether something remains.
    fn divide(&mut self, by: u32) -> bool {
        let mut rest = 0;
        for part in self.0.iter_mut().rev() {
            let value = (rest << 32) | u64::from(*part);
            (*part, _) = halves(value / u64::from(by));
            rest = value % u64::from(by);
        }
        rest > 0
    }

    /// The nearest double to the product with a power of ten. `is_more`: the number is a little greater than its parts.
    fn times_power_of_ten(mut self, power: i64, mut is_more: bool) -> f64 {
        // A power of ten is one of five, and one of two, which is only an exponent.
        let (mut fives, mut exponent) = (usize::try_from(power.unsigned_abs()).unwrap_or_default(), power);
        if power < 0 {
            // Each division takes less than 32 bits, and 64 are enough for a double.
            let room = fives / FIVES.1 + 4;
            self.0.splice(..0, repeat_n(0, room));
            exponent -= room as i64 * 32;
        }
        while fives > 0 {
            let (by, count) = if fives < FIVES.1 { (5, 1) } else { FIVES };
            if power < 0 {
                is_more |= self.divide(by);
            } else {
                self.multiply(by, 0);
            }
            fives -= count;
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
        let below = self.0.len().saturating_sub(4);
        let mut highest = 0;
        for (at, part) in self.0.iter().enumerate().rev() {
            if at >= below {
                highest = (highest << 32) | u128::from(*part);
            } else {
                is_more |= *part > 0;
            }
        }
        rounded(highest, is_more, exponent + below as i64 * 32)
    }
}

/// The lower and the upper half.
fn halves(value: u64) -> (u32, u32) {
    let [a, b, c, d, e, f, g, h] = value.to_le_bytes();
    (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]))
}

/// The nearest double to a whole number times a power of two; of two that are equally near, the even one. `is_more`: the number is a little
/// greater, and has more than 64 bits.
fn rounded(number: u128, is_more: bool, exponent: i64) -> f64 {
    const BITS: i64 = f64::MANTISSA_DIGITS as i64;
    /// The power of two of the lowest bit of the smallest doubles.
    const LOWEST: i64 = -1_074;
    let length = i64::from(u128::BITS - number.leading_zeros());
    let dropped = (length - BITS).max(LOWEST - exponent);
    let kept = match u32::try_from(dropped) {
        Err(_) => number << dropped.unsigned_abs(),
        Ok(0) => number,
        // All of it, and the highest bit of that is 0.
        Ok(128..) => 0,
        Ok(count) => {
            let (kept, half) = (number >> count, 1 << (count - 1));
            let rest = number - (kept << count);
            kept + u128::from(rest > half || (rest == half && (is_more || kept % 2 == 1)))
        }
    };
    let fraction = u64::try_from(kept).unwrap_or_default();
    // The highest bit is not stored, and adds one to the exponent; so does a number that was rounded up to a power of two.
    let stored = exponent + dropped - LOWEST;
    match u64::try_from(stored) {
        Ok(stored @ ..=2_046) => f64::from_bits((stored << (BITS - 1)) + fraction).min(f64::INFINITY),
        _ => f64::INFINITY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn agrees(text: &str) -> Result<(), TestCaseError> {
        let (ours, theirs) = (read_f64(text), text.parse::<f64>().ok());
        prop_assert_eq!(ours.map(f64::to_bits), theirs.map(f64::to_bits), "{}", text);
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_number_is_read_as_the_standard_library_reads_it(text in "[+-]?[0-9]{0,25}([.][0-9]{0,25})?([eE][+-]?[0-9]{0,3})?") {
            agrees(&text)?;
        }

        #[test]
        fn a_double_is_read_as_it_was(bits in any::<u64>().prop_map(f64::from_bits).prop_filter("a number", |it| it.is_finite())) {
            agrees(&bits.to_string())?;
            agrees(&format!("{bits:e}"))?;
        }

        // The exact decimals of a double and of the point halfway to the next one, with and without a digit that decides.
        #[test]
        fn halves_are_rounded_to_even(bits in 0..0x7fef_ffff_ffff_ffff_u64, more in "|0{0,40}1", small in any::<bool>()) {
            let bits = if small { bits % (1 << 54) } else { bits };
            let (one, next) = (f64::from_bits(bits), f64::from_bits(bits + 1));
            agrees(&format!("{one:.1074}{more}"))?;
            // Doubles near 1e-300 have halves with 1075 digits; adding them as texts of ten times the number keeps all digits.
            let sum = halfway(&format!("{one:.1074}"), &format!("{next:.1074}"));
            agrees(&format!("{sum}{more}"))?;
        }

        #[test]
        fn anything_else_is_refused(text in "[-+.eE0-9 _infatyINFATY]{0,8}") {
            agrees(&text)?;
        }
    }

    /// Half the sum of two decimals with as many digits behind the point.
    fn halfway(one: &str, other: &str) -> String {
        let width = one.len().max(other.len());
        let (one, other) = (format!("{one:0>width$}0"), format!("{other:0>width$}0"));
        let mut carry = 0;
        let mut sum: Vec<u32> = one
            .bytes()
            .zip(other.bytes())
            .rev()
            .map(|(a, b)| {
                if a == b'.' {
                    return 10;
                }
                let digit = u32::from(a - b'0') + u32::from(b - b'0') + carry;
                carry = digit / 10;
                digit % 10
            })
            .collect();
        sum.push(carry);
        let mut rest = 0;
        let half = sum.into_iter().rev().map(|digit| {
            if digit == 10 {
                return '.';
            }
            let value = rest * 10 + digit;
            rest = value % 2;
            char::from_digit(value / 2, 10).expect("a digit")
        });
        half.collect()
    }

    #[test]
    fn the_limits_are_read_as_the_standard_library_reads_them() {
        let long = format!("1{}e-1100", "0".repeat(1_100));
        let deep = format!("0.{}1e1101", "0".repeat(1_100));
        let texts = [
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "1e309",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "0e99999999999999999999",
            "-0",
            "1e-99999999999",
            "9007199254740993",
            "18446744073709551616",
            "123456789012345678901234567890",
            ".5",
            "5.",
            ".",
            "",
            "-",
            "+",
            "e1",
            "1e",
            "1e+",
            "1e5.",
            "Infinity",
            "-nan",
            "infin",
            "１",
            "1 ",
            long.as_str(),
            deep.as_str(),
        ];
        for text in texts {
            agrees(text).expect(text);
        }
    }
}

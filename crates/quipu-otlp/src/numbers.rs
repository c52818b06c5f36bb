//! Numbers and ids in JSON and protobuf, and floats as Python prints them.

use quipu_model::Value;
use quipu_model::encoding::{from_base64, hex};
use quipu_model::number::truncated;

/// A non-negative integer, given as a number or string.
pub fn unsigned(value: Option<&Value>) -> Option<u64> {
    match value?.unwrapped() {
        Value::Number(number) => number.0.parse().ok().or_else(|| number.as_f64().filter(|real| *real >= 0.0).map(truncated)),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A number, given as a number or string; may be `NaN` or `Infinity`.
pub fn real(value: Option<&Value>) -> Option<f64> {
    match value?.unwrapped() {
        Value::Number(number) => number.as_f64(),
        Value::Text(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// Formats a double like Python's `json`, for attributes like the reference's.
pub fn python_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".into();
    }
    if number.is_infinite() {
        return if number > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let text = format!("{number:?}");
    // Rust and Python switch to scientific notation at the same magnitudes, but Python prints a sign and two digits.
    match text.split_once('e') {
        None => text,
        Some((digits, power)) => {
            let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
            format!("{digits}e{sign}{power:0>2}")
        }
    }
}

/// A span id (8 bytes) or trace id (16 bytes) as lower-case hexadecimal digits. Accepts hexadecimal digits in either case, and base64,
/// which some exporters send. Missing leading zeros are added, because Jaeger omits them. Anything else is kept as it is; `None` if empty
/// or invalid (zero).
pub fn id(value: Option<&Value>, bytes: usize) -> Option<String> {
    let text = value?.as_str()?.trim();
    let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let text = if is_hex && text.len() == bytes * 2 {
        text.to_ascii_lowercase()
    } else if let Some(decoded) = from_base64(text.as_bytes()).filter(|decoded| decoded.len() == bytes) {
        hex(&decoded)
    } else if is_hex && text.len() < bytes * 2 {
        format!("{:0>width$}", text.to_ascii_lowercase(), width = bytes * 2)
    } else {
        text.to_owned()
    };
    (!text.bytes().all(|byte| byte == b'0')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_python_writes_them() {
        // repr(x) of each.
        for (number, text) in [
            (1.0, "1.0"),
            (0.1, "0.1"),
            (-2.5e-7, "-2.5e-07"),
            (1e16, "1e+16"),
            (1e15, "1000000000000000.0"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (1.5e300, "1.5e+300"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(python_float(number), text);
        }
    }

    #[test]
    fn ids_come_in_hex_and_base64() {
        let read = |text: &str, bytes| id(Some(&Value::Text(text.into())), bytes);
        assert_eq!(read("0AF7651916CD43DD8448EB211C80319C", 16).as_deref(), Some("0af7651916cd43dd8448eb211c80319c"));
        assert_eq!(read("Ih8Wl3s7S2LeURn2ECAY3Q==", 16).as_deref(), Some("221f16977b3b4b62de5119f6102018dd"));
        assert_eq!(read("OVq16fFPEhA=", 8).as_deref(), Some("395ab5e9f14f1210"));
        assert_eq!(read("OVq16fFPEhA", 8).as_deref(), Some("395ab5e9f14f1210"));
        assert_eq!(read("abc", 8).as_deref(), Some("0000000000000abc"));
        assert_eq!(read("no hex", 8).as_deref(), Some("no hex"));
        assert_eq!(read("0000000000000000", 8), None);
        assert_eq!(read("", 8), None);
    }
}

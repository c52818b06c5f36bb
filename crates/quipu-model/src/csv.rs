//! Comma-separated values as defined by RFC 4180. Writing only.
//!
//! An absent value (NULL in SQL, `null` in JSON) is an empty field and an empty string is `""`, so the two stay distinct. Other fields are
//! quoted if they contain a comma, a quotation mark or a line break. Lines end in CR LF.
//!
//! A spreadsheet runs a cell that begins with `=`, `+`, `-`, `@`, a tab or a carriage return as a formula, and recorded text may come from
//! anybody. Such cells get a leading apostrophe, unless they are numbers or the row is raw.

/// Appends one row to `out`, including its line end. No cell is a formula.
pub fn push_row<F: AsRef<str>>(out: &mut String, fields: impl IntoIterator<Item = Option<F>>) {
    push(out, fields, false);
}

/// Appends one row to `out` as it is, for programs that read it.
pub fn push_raw_row<F: AsRef<str>>(out: &mut String, fields: impl IntoIterator<Item = Option<F>>) {
    push(out, fields, true);
}

fn push<F: AsRef<str>>(out: &mut String, fields: impl IntoIterator<Item = Option<F>>, raw: bool) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let Some(field) = field else { continue };
        let field = field.as_ref();
        let defused = if !raw && is_formula(field) { "'" } else { "" };
        if field.is_empty() || field.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(defused);
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(defused);
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

/// Whether a spreadsheet would run a cell.
fn is_formula(field: &str) -> bool {
    field.starts_with(['=', '+', '-', '@', '\t', '\r']) && !is_number(field)
}

/// Whether a field is a number such as `-12`, `+0.5` and `-1e-9`.
fn is_number(field: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (number, power) = field.split_once(['e', 'E']).unwrap_or((field, "0"));
    let (whole, part) = match unsigned(number).split_once('.') {
        Some(("", part)) => ("0", part),
        Some(parts) => parts,
        None => (unsigned(number), "0"),
    };
    digits(whole) && digits(part) && digits(unsigned(power))
}

fn unsigned(text: &str) -> &str {
    text.strip_prefix(['+', '-']).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_string_differs_from_no_value() {
        let mut out = String::new();
        push_row(&mut out, [Some("a b"), None, Some(""), Some("x,\"y\"\r\nz"), Some("1")]);
        push_row(&mut out, [None::<&str>]);
        assert_eq!(out, "a b,,\"\",\"x,\"\"y\"\"\r\nz\",1\r\n\r\n");
    }

    #[test]
    fn no_cell_is_a_formula_and_numbers_stay_numbers() {
        let of = |field: &str, raw: bool| {
            let mut out = String::new();
            if raw {
                push_raw_row(&mut out, [Some(field)])
            } else {
                push_row(&mut out, [Some(field)])
            }
            out.trim_end_matches("\r\n").to_owned()
        };
        for formula in [
            "=1+1",
            "+cmd|' /C calc'!A0",
            "-1+1",
            "-",
            "@SUM(A1)",
            "\tx",
            "--1",
            "-1.2.3",
            "-e5",
            "+",
            "-1e",
            "-inf",
        ] {
            assert_eq!((of(formula, false), of(formula, true)), (format!("'{formula}"), formula.to_owned()));
        }
        assert_eq!(of("\r=1", false), "\"'\r=1\"");
        assert_eq!(of("=A1,\"B\"", false), "\"'=A1,\"\"B\"\"\"");
        for plain in ["-12", "+0.5", "-1e-9", "-.5", "1=1", "a-b", "12", "-1.5E+3", "'x", " =1"] {
            assert_eq!(of(plain, false), plain);
        }
    }
}

//! Comma-separated values as defined by RFC 4180. Writing only.
//!
//! An absent value (NULL in SQL, `null` in JSON) is an empty field and an empty string is `""`, so the two stay distinct. Other fields are
//! quoted if they contain a comma, a quotation mark or a line break. Lines end in CR LF.

/// Appends one row to `out`, including its line end.
pub fn push_row<F: AsRef<str>>(out: &mut String, fields: impl IntoIterator<Item = Option<F>>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let Some(field) = field else { continue };
        let field = field.as_ref();
        if field.is_empty() || field.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::push_row;

    #[test]
    fn an_empty_string_differs_from_no_value() {
        let mut out = String::new();
        push_row(&mut out, [Some("a b"), None, Some(""), Some("x,\"y\"\r\nz"), Some("1")]);
        push_row(&mut out, [None::<&str>]);
        assert_eq!(out, "a b,,\"\",\"x,\"\"y\"\"\r\nz\",1\r\n\r\n");
    }
}

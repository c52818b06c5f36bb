//! Substitutes variables in configuration values: `${env.NAME}` and its forms with a default.
//!
//! The environment is passed in as a function.

use crate::setting::Lookup;

const OPENING: &str = "${env.";

/// Substitutes all variables. An unset variable with an empty default becomes an empty string.
///
/// | form | result |
/// |---|---|
/// | `${env.NAME}` | the value, which must be set and not empty |
/// | `${env.NAME:=default}` | the value, or the default if it is unset or empty |
/// | `${env.NAME:+text}` | the text if the variable is set and not empty, otherwise nothing |
/// | `${env.NAME:default}` | the value, or the default if it is unset; the form used before 0.2.13 |
///
/// # Errors
/// The problem, to follow the field name in a sentence.
pub(super) fn substitute(text: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, from)) = rest.split_once(OPENING) {
        out.push_str(before);
        let Some((inside, after)) = from.split_once('}') else {
            return Err(format!("has “{OPENING}{from}” without the closing brace"));
        };
        out.push_str(&value(inside, lookup)?);
        rest = after;
    }
    out.push_str(rest);
    Ok(out)
}

/// The value of an expression between `${env.` and `}`.
fn value(inside: &str, lookup: Lookup<'_>) -> Result<String, String> {
    let (name, form) = inside.split_once(':').map_or((inside, None), |(name, form)| (name, Some(form)));
    if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err(format!("has “{OPENING}{inside}}}”; names of variables are letters, digits and underscores"));
    }
    let set = lookup(name);
    let filled = set.clone().filter(|value| !value.is_empty());
    match form {
        None => {
            filled.ok_or_else(|| format!("needs the variable {name}, which is not set or empty; set it, or write ${{env.{name}:=default}}"))
        }
        Some(form) => Ok(if let Some(default) = form.strip_prefix('=') {
            filled.unwrap_or_else(|| default.to_owned())
        } else if let Some(text) = form.strip_prefix('+') {
            filled.map(|_| text.to_owned()).unwrap_or_default()
        } else {
            set.unwrap_or_else(|| form.to_owned())
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_becomes_what_it_says() {
        let lookup = |name: &str| match name {
            "SET" => Some("value".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let of = |text: &str| substitute(text, &lookup);
        for (text, expected) in [
            ("plain", "plain"),
            ("${env.SET}", "value"),
            ("a/${env.SET}/b/${env.NONE:=c}", "a/value/b/c"),
            ("${env.SET:=d}", "value"),
            ("${env.EMPTY:=d}", "d"),
            ("${env.NONE:=}", ""),
            ("${env.NONE:=http://localhost:4318}", "http://localhost:4318"),
            ("${env.SET:+yes}", "yes"),
            ("${env.EMPTY:+yes}", ""),
            ("${env.NONE:+yes}", ""),
            ("${env.NONE:old}", "old"),
            ("${env.EMPTY:old}", ""),
            ("${env.SET:old}", "value"),
            ("$HOME ${other}", "$HOME ${other}"),
        ] {
            assert_eq!(of(text).as_deref(), Ok(expected), "{text}");
        }
        for (text, words) in [
            ("${env.NONE}", "needs the variable NONE"),
            ("${env.EMPTY}", "not set or empty"),
            ("${env.SET", "closing brace"),
            ("${env.A B}", "letters, digits"),
            ("${env.}", "letters, digits"),
        ] {
            let error = of(text).expect_err(text);
            assert!(error.contains(words), "{error}");
        }
    }
}

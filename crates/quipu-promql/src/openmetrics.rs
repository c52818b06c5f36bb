//! Reads series from OpenMetrics text with timestamps.
//!
//! Not here: `# TYPE` and other comments, exemplars, native histograms.

use super::labels::{Labels, METRIC_NAME};
use super::series::{Sample, Samples, Series, SeriesSet};
use std::collections::BTreeMap;

/// Size limit of the text in bytes.
const MAX_BYTES: usize = 256 << 20;

/// Reads lines such as `name{label="value"} 1.5 1700000000.25`. The last of several values of a series with the same time counts.
///
/// # Errors
/// A message with the number and text of the invalid line.
///
/// ```
/// let series = quipu_promql::read_openmetrics("up{job=\"a\"} 1 0\nup{job=\"a\"} 0 15\n# EOF\n")?;
/// assert_eq!(series.series().len(), 1);
/// # Ok::<(), String>(())
/// ```
pub fn read_openmetrics(text: &str) -> Result<SeriesSet, String> {
    if text.len() > MAX_BYTES {
        return Err(format!("The text has {} bytes; at most {MAX_BYTES} are supported.", text.len()));
    }
    let mut series: BTreeMap<Labels, BTreeMap<i64, f64>> = BTreeMap::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line == "# EOF" {
            break;
        }
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let (labels, (at, value)) = read_line(line).map_err(|problem| format!("Line {} {problem}: {line}", number + 1))?;
        series.entry(labels).or_default().insert(at, value);
    }
    let list = |(labels, samples): (Labels, BTreeMap<i64, f64>)| Series { labels, samples: Samples::Listed(samples.into_iter().collect()) };
    Ok(SeriesSet::new(series.into_iter().map(list).collect()))
}

fn read_line(line: &str) -> Result<(Labels, Sample), &'static str> {
    let end = line.find(|letter: char| letter == '{' || letter.is_whitespace()).ok_or("has no value")?;
    let (name, mut rest) = line.split_at_checked(end).ok_or("has no value")?;
    let mut labels: Vec<(String, String)> = Vec::new();
    if !name.is_empty() {
        labels.push((METRIC_NAME.to_owned(), name.to_owned()));
    }
    if let Some(inside) = rest.strip_prefix('{') {
        rest = read_labels(inside, &mut labels)?;
    }
    if labels.is_empty() {
        return Err("has no name");
    }
    let mut words = rest.split_whitespace();
    let value: f64 = words.next().and_then(|word| word.parse().ok()).ok_or("has no value")?;
    let seconds = words.next().ok_or("has no timestamp: every sample needs one, in seconds")?;
    let seconds: f64 = seconds.parse().map_err(|_| "has a timestamp that is not a number of seconds")?;
    if seconds.is_nan() || seconds.abs() > 9e12 {
        return Err("has a timestamp out of range");
    }
    #[expect(clippy::cast_possible_truncation, reason = "rounded, and within the limit above")]
    let millis = (seconds * 1_000.0).round() as i64;
    Ok((Labels::new(labels), (millis, value)))
}

/// Reads labels up to the closing brace. Returns the rest of the line.
fn read_labels<'a>(mut rest: &'a str, labels: &mut Vec<(String, String)>) -> Result<&'a str, &'static str> {
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        if let Some(rest) = rest.strip_prefix('}') {
            return Ok(rest);
        }
        let name;
        if rest.starts_with('"') {
            (name, rest) = read_quoted(rest)?;
            let Some(after) = rest.trim_start().strip_prefix('=') else {
                labels.push((METRIC_NAME.to_owned(), name));
                continue;
            };
            rest = after;
        } else {
            let (before, after) = rest.split_once('=').ok_or("has a label without a value")?;
            (name, rest) = (before.trim().to_owned(), after);
        }
        let (value, after) = read_quoted(rest.trim_start())?;
        labels.push((name, value));
        rest = after;
    }
}

fn read_quoted(text: &str) -> Result<(String, &str), &'static str> {
    let inside = text.strip_prefix('"').ok_or("has a label whose value is not in double quotes")?;
    let mut value = String::new();
    let mut escaped = false;
    for (at, letter) in inside.char_indices() {
        let was_escaped = std::mem::replace(&mut escaped, false);
        match letter {
            'n' if was_escaped => value.push('\n'),
            '"' | '\\' if was_escaped => value.push(letter),
            letter if was_escaped => value.extend(['\\', letter]),
            '\\' => escaped = true,
            '"' => return Ok((value, inside.get(at + 1..).unwrap_or_default())),
            letter => value.push(letter),
        }
    }
    Err("has a string without closing quote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_series_and_invalid_ones_are_reported() {
        let set = read_openmetrics(
            "# TYPE a counter\na{b=\"x\\\"\\n\\\\y\", } 1e3 0.0005 # {} 1\na_total +Inf -2\n{\"dotted.name\",c=\"d\"} NaN 3\n# EOF\nrest",
        );
        let shown: Vec<String> = set
            .as_ref()
            .map_or_else(|problem| vec![problem.clone()], |set| set.series().iter().map(|series| series.labels.to_string()).collect());
        assert_eq!(shown, [r#"a{b="x\"\n\\y"}"#, "a_total", r#"dotted.name{c="d"}"#]);
        let problem = |text: &str| read_openmetrics(text).err().unwrap_or_default();
        assert_eq!(problem("a 1 0\nb 1"), "Line 2 has no timestamp: every sample needs one, in seconds: b 1");
        assert_eq!(problem("a{b=\"c} 1 0"), "Line 1 has a string without closing quote: a{b=\"c} 1 0");
        assert!(problem("a{b 1 0").starts_with("Line 1 has a label without a value"));
    }
}

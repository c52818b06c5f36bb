//! The shorthand for series: `name{label="value"} 1 _ 2+3x4 stale {{count:2 buckets:[1 1]}}x3`.

use super::histograms::{plus, read_histogram};
use quipu_promql::{Histogram, Labels, read_openmetrics};

/// A sample.
#[derive(Clone, Debug)]
pub(super) enum Item {
    Float(f64),
    /// A staleness marker.
    Stale,
    /// A histogram, and whether it says something about resets.
    Histogram(Histogram, bool),
}

/// A series with a sample or a gap at each step.
pub(super) struct Loaded {
    pub(super) labels: Labels,
    pub(super) items: Vec<Option<Item>>,
}

/// Reads a series.
pub(super) fn read_series(text: &str) -> Option<Loaded> {
    let (labels, items) = text.split_at(end_of_labels(text)?);
    // The labels are parsed by the OpenMetrics parser, from a made-up sample.
    let labels = match labels.trim() {
        "{}" | "" => Labels::default(),
        labels => read_openmetrics(&format!("{} 0 0", labels.replace("\\'", "'"))).ok()?.series().first()?.labels.clone(),
    };
    let mut list = Vec::new();
    let mut rest = items.trim_start();
    while !rest.is_empty() {
        let end = end_of_item(rest);
        let (word, after) = rest.split_at(end);
        expand(word, &mut list)?;
        rest = after.trim_start();
    }
    Some(Loaded { labels, items: list })
}

fn end_of_labels(text: &str) -> Option<usize> {
    let brace = text.find('{').filter(|at| !text[*at..].starts_with("{{"));
    let blank = text.find(char::is_whitespace).unwrap_or(text.len());
    // A value without labels.
    if number(text.get(..blank)?).is_some() || text.starts_with("{{") {
        return Some(0);
    }
    // Labels may be separated from the name.
    let Some(open) = brace.filter(|at| text[..*at].split_whitespace().count() < 2) else { return Some(blank) };
    let (mut quote, mut escaped) = (None, false);
    for (at, letter) in text.char_indices().skip_while(|(at, _)| *at < open) {
        match (quote, letter) {
            (Some(_), _) if escaped => escaped = false,
            (Some(_), '\\') => escaped = true,
            (Some(open), letter) if open == letter => quote = None,
            (None, '"' | '\'') => quote = Some(letter),
            (None, '}') => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// The end of the first item, which may have blanks inside of braces.
fn end_of_item(text: &str) -> usize {
    let mut depth = 0;
    for (at, letter) in text.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            letter if letter.is_whitespace() && depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn expand(word: &str, list: &mut Vec<Option<Item>>) -> Option<()> {
    if let Some(rest) = word.strip_prefix("{{") {
        return expand_histogram(rest, list);
    }
    if let Some(count) = word.strip_prefix("_x") {
        list.extend(vec![None; count.parse::<usize>().ok()?]);
        return Some(());
    }
    if let Some(count) = word.strip_prefix("stalex") {
        list.extend(vec![Some(Item::Stale); count.parse::<usize>().ok()? + 1]);
        return Some(());
    }
    match word {
        "_" => {
            list.push(None);
            return Some(());
        }
        "stale" => {
            list.push(Some(Item::Stale));
            return Some(());
        }
        _ => {}
    }
    let has_count = |(before, count): &(&str, &str)| !before.ends_with('0') && count.chars().all(|letter| letter.is_ascii_digit());
    let split = word.rsplit_once('x').filter(|(before, count)| !before.is_empty() && has_count(&(before.trim_end_matches('0'), count)));
    let Some((values, count)) = split else {
        list.push(Some(Item::Float(number(word)?)));
        return Some(());
    };
    let count: usize = count.parse().ok()?;
    // A sign after the first character, unless it belongs to an exponent.
    let bytes = values.as_bytes();
    let sign = (1..bytes.len()).find(|at| matches!(bytes[*at], b'+' | b'-') && !matches!(bytes[at - 1], b'e' | b'E'));
    let (first, difference) = match sign {
        Some(at) => (number(&values[..at])?, number(&values[at..])?),
        None => (number(values)?, 0.0),
    };
    let mut value = first;
    for _ in 0..=count {
        list.push(Some(Item::Float(value)));
        value += difference;
    }
    Some(())
}

/// `…}}`, `…}}x3` or `…}}+{{…}}x3`.
fn expand_histogram(text: &str, list: &mut Vec<Option<Item>>) -> Option<()> {
    let (inside, rest) = text.split_once("}}")?;
    let (mut histogram, has_hint) = read_histogram(inside)?;
    let (added, rest) = match (rest.strip_prefix("+{{"), rest.strip_prefix("-{{")) {
        (Some(more), _) => more.split_once("}}").map(|(inside, rest)| (Some((inside, 1.0)), rest))?,
        (_, Some(less)) => less.split_once("}}").map(|(inside, rest)| (Some((inside, -1.0)), rest))?,
        _ => (None, rest),
    };
    let added = match added {
        Some((inside, sign)) => Some((read_histogram(inside)?.0, sign)),
        None => None,
    };
    let count = match rest {
        "" => 0,
        count => count.strip_prefix('x')?.parse::<usize>().ok()?,
    };
    for place in 0..=count {
        if let (Some((added, sign)), true) = (&added, place > 0) {
            histogram = plus(&histogram, added, *sign);
        }
        list.push(Some(Item::Histogram(histogram.clone(), has_hint)));
    }
    Some(())
}

/// Reads a number, also with a hexadecimal or no mantissa.
pub(super) fn number(text: &str) -> Option<f64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(|number| number as f64);
    }
    text.parse().ok()
}

/// Reads a duration such as `1h30m`, or seconds, as milliseconds.
pub(super) fn millis(text: &str) -> i64 {
    if let Ok(seconds) = text.parse::<f64>() {
        return (seconds * 1_000.0).round() as i64;
    }
    let (negative, mut rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let mut sum = 0;
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len());
        let unit_end = rest[digits..].find(|letter: char| letter.is_ascii_digit()).map_or(rest.len(), |end| digits + end);
        let unit = match &rest[digits..unit_end] {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            "w" => 7 * 86_400_000,
            "y" => 365 * 86_400_000,
            other => panic!("{text}: no unit {other:?}"),
        };
        sum += rest[..digits].parse::<i64>().expect("digits") * unit;
        rest = &rest[unit_end..];
    }
    if negative { -sum } else { sum }
}

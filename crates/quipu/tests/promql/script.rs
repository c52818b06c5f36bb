//! Runs scripts in the format of Prometheus's own PromQL tests: they load series in a shorthand, evaluate queries, and list the expected
//! results.
//!
//! Supported: `load STEP`, `clear`, `eval [_ordered|_fail] instant at TIME QUERY`, `eval range from A to B step C QUERY`, and lines such as
//! `expect fail`, `expect ordered`, `expect no_warn` after an `eval`. Native histograms are not supported.

use quipu::promql::{
    EvalOptions, Labels, PromqlAnswer, PromqlSeries, PromqlTime, Sample, Samples, Series, SeriesSet, evaluate, read_openmetrics,
};

/// The outcome of a script.
#[derive(Default)]
pub(crate) struct Report {
    pub(crate) passed: usize,
    pub(crate) failures: Vec<String>,
    /// Evaluations skipped because they are out of scope.
    pub(crate) skipped: usize,
}

struct Eval<'t> {
    line: usize,
    query: &'t str,
    time: PromqlTime,
    is_ordered: bool,
    fails: bool,
    expected: Vec<&'t str>,
}

/// Runs a script, without the queries for which `skips` returns true.
pub(crate) fn run(script: &str, skips: &dyn Fn(&str) -> bool) -> Report {
    let mut report = Report::default();
    let mut series: Vec<Series> = Vec::new();
    let mut odd_series = false;
    let lines: Vec<&str> = script.lines().collect();
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        at += 1;
        let number = at;
        let mut block = || {
            let start = at;
            while at < lines.len() && !lines[at].trim().is_empty() && lines[at].starts_with([' ', '\t', '#']) {
                at += 1;
            }
            lines[start..at].iter().map(|line| line.trim()).filter(|line| !line.starts_with('#')).collect::<Vec<_>>()
        };
        if line.is_empty() || line.starts_with('#') {
            continue;
        } else if line == "clear" {
            series.clear();
            odd_series = false;
        } else if let Some(step) = line.strip_prefix("load ") {
            let step = step.trim();
            for text in block() {
                match load(text, millis(step.strip_prefix("_with_nhcb ").unwrap_or(step))) {
                    Some(loaded) => series.push(loaded),
                    None => odd_series = true,
                }
            }
        } else if line.starts_with("load_with_nhcb ") {
            block();
            odd_series = true;
        } else if line.starts_with("eval") {
            let Some(eval) = read_eval(line, number, block()) else {
                report.failures.push(format!("line {number}: not understood: {line}"));
                continue;
            };
            let about_histograms = |line: &str| line.contains("{{");
            if skips(eval.query) || eval.expected.iter().any(|line| about_histograms(line)) || odd_series && mentions(eval.query) {
                report.skipped += 1;
                continue;
            }
            match judge(&eval, &SeriesSet::new(series.clone())) {
                Ok(()) => report.passed += 1,
                Err(problem) => report.failures.push(format!("line {}: {}\n    {problem}", eval.line, eval.query)),
            }
        } else {
            report.failures.push(format!("line {number}: not understood: {line}"));
        }
    }
    report
}

fn mentions(query: &str) -> bool {
    query.contains("histogram") || query.contains("native") || query.contains("nhcb")
}

fn read_eval<'t>(line: &'t str, number: usize, block: Vec<&'t str>) -> Option<Eval<'t>> {
    let (word, rest) = line.split_once(' ')?;
    let (time, query) = if let Some(rest) = rest.strip_prefix("instant at ") {
        let (at, query) = rest.split_once(char::is_whitespace)?;
        (PromqlTime::At(millis(at)), query)
    } else {
        let rest = rest.strip_prefix("range from ")?;
        let (start, rest) = rest.split_once(" to ")?;
        let (end, rest) = rest.split_once(" step ")?;
        let (step, query) = rest.split_once(char::is_whitespace)?;
        (PromqlTime::Steps { start: millis(start), end: millis(end), step: millis(step) }, query)
    };
    let mut eval = Eval {
        line: number,
        query: query.trim(),
        time,
        is_ordered: word.contains("ordered"),
        fails: word.contains("fail"),
        expected: Vec::new(),
    };
    for line in block {
        match line.split_once(' ') {
            Some(("expect", what)) => {
                eval.fails |= what.starts_with("fail");
                eval.is_ordered |= what.starts_with("ordered");
            }
            Some(("expected_fail_message" | "expected_fail_regexp", _)) => {}
            _ => eval.expected.push(line),
        }
    }
    Some(eval)
}

fn judge(eval: &Eval<'_>, series: &SeriesSet) -> Result<(), String> {
    let outcome = evaluate(eval.query, eval.time, series, &EvalOptions::default(), &quipu::model::budget::Budget::default());
    let answer = match (outcome, eval.fails) {
        (Err(_), true) => return Ok(()),
        (Err(error), false) => return Err(format!("{error}\n{}", error.drawing(eval.query))),
        (Ok(answer), true) => return Err(format!("should fail; answers {answer:?}")),
        (Ok(answer), false) => answer,
    };
    match (&answer, eval.expected.as_slice()) {
        (PromqlAnswer::Scalar(point), [value]) => same(point.value, number(value).ok_or("no number expected")?),
        (PromqlAnswer::Text(_, text), [expected]) => {
            let expected = expected.trim_start_matches("expect string ").trim_matches('"');
            if text == expected { Ok(()) } else { Err(format!("answers {text:?}")) }
        }
        (_, expected) => {
            let (start, step) = match eval.time {
                PromqlTime::At(at) => (at, 1),
                PromqlTime::Steps { start, step, .. } => (start, step),
            };
            let wanted: Vec<(Labels, Vec<Sample>)> = expected
                .iter()
                .filter(|line| !line.starts_with("expect"))
                .map(|line| {
                    let (labels, values) = read_series(line).ok_or(format!("expectation not understood: {line}"))?;
                    let sample = |(place, value): (usize, Option<f64>)| Some((start + step * place as i64, value?));
                    Ok((labels, values.into_iter().enumerate().filter_map(sample).collect()))
                })
                .collect::<Result<_, String>>()?;
            compare(answer.series(), wanted, eval.is_ordered)
        }
    }
}

fn compare(found: &[PromqlSeries], mut wanted: Vec<(Labels, Vec<Sample>)>, is_ordered: bool) -> Result<(), String> {
    let labels = |series: &PromqlSeries| Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut found: Vec<(Labels, &PromqlSeries)> = found.iter().map(|series| (labels(series), series)).collect();
    if !is_ordered {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
    }
    let names = |list: Vec<String>| list.join(" ");
    if found.iter().map(|(labels, _)| labels).ne(wanted.iter().map(|(labels, _)| labels)) {
        let (found, wanted) = (found.iter().map(|(labels, _)| labels.to_string()), wanted.iter().map(|(labels, _)| labels.to_string()));
        return Err(format!("answers the series {}, not {}", names(found.collect()), names(wanted.collect())));
    }
    for ((labels, series), (_, wanted)) in found.iter().zip(&wanted) {
        let times = |list: &[i64]| format!("{list:?}");
        let (found, expected): (Vec<i64>, Vec<i64>) =
            (series.points.iter().map(|point| point.at_millis).collect(), wanted.iter().map(|(at, _)| *at).collect());
        if found != expected {
            return Err(format!("{labels} has values at {}, not {}", times(&found), times(&expected)));
        }
        for (point, (_, value)) in series.points.iter().zip(wanted) {
            same(point.value, *value).map_err(|problem| format!("{labels} at {}: {problem}", point.at_millis))?;
        }
    }
    Ok(())
}

/// Whether two numbers are equal up to rounding.
pub(crate) fn same(found: f64, wanted: f64) -> Result<(), String> {
    let near = (found - wanted).abs() <= 1e-6 * found.abs().min(wanted.abs());
    if found == wanted || found.is_nan() && wanted.is_nan() || near { Ok(()) } else { Err(format!("{found}, not {wanted}")) }
}

fn load(text: &str, step: i64) -> Option<Series> {
    let (labels, values) = read_series(text)?;
    let sample = |(place, value): (usize, Option<f64>)| Some((step * place as i64, value?));
    Some(Series { labels, samples: Samples::Listed(values.into_iter().enumerate().filter_map(sample).collect()) })
}

/// Parses `name{label="value"} 1 _ 2+3x4 5x2`: labels, and a value or a gap per step. `None` for native histograms and markers.
fn read_series(text: &str) -> Option<(Labels, Vec<Option<f64>>)> {
    let end = match text.rfind('}') {
        Some(end) => end + 1,
        None => text.find(char::is_whitespace)?,
    };
    let (labels, values) = text.split_at(end);
    // The labels are parsed by the OpenMetrics parser, from a made-up sample.
    let is_bare = labels == "{}";
    let set = read_openmetrics(&format!("{} 0 0", if is_bare { "x" } else { labels })).ok()?;
    let labels = if is_bare { Labels::default() } else { set.series().first()?.labels.clone() };
    let mut list = Vec::new();
    for word in values.split_whitespace() {
        expand(word, &mut list)?;
    }
    Some((labels, list))
}

fn expand(word: &str, list: &mut Vec<Option<f64>>) -> Option<()> {
    if let Some(count) = word.strip_prefix("_x") {
        list.extend(vec![None; count.parse::<usize>().ok()?]);
        return Some(());
    }
    // Staleness markers are treated as gaps: they only affect look-backs, which are shorter than these scripts' steps.
    if word == "_" || word == "stale" {
        list.push(None);
        return Some(());
    }
    let has_count = |(before, count): &(&str, &str)| !before.ends_with('0') && count.chars().all(|letter| letter.is_ascii_digit());
    let split = word.rsplit_once('x').filter(|(before, count)| !before.is_empty() && has_count(&(before.trim_end_matches('0'), count)));
    let Some((values, count)) = split else {
        list.push(Some(number(word)?));
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
        list.push(Some(value));
        value += difference;
    }
    Some(())
}

fn number(text: &str) -> Option<f64> {
    if let Some(hex) = text.strip_prefix("0x") {
        return i64::from_str_radix(hex, 16).ok().map(|number| number as f64);
    }
    text.parse().ok()
}

/// Parses a duration such as `1h30m`, or seconds, to milliseconds.
fn millis(text: &str) -> i64 {
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

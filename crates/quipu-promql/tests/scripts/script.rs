//! Runs scripts in the format of Prometheus's own PromQL tests: they load series in a shorthand, evaluate queries, and list the expected
//! results.
//!
//! Supported: `load STEP`, `load_with_nhcb STEP`, `clear`, `eval[_ordered|_fail|_warn|_info] instant at TIME QUERY`,
//! `eval range from A to B step C QUERY`, and after an `eval` lines such as `expect fail`, `expect warn msg: …`, `expect no_info`,
//! `expect ordered`, `expect string …` and `expect range vector from A to B step C`. Messages of errors are not compared.

use super::histograms::{same_histogram, with_custom_buckets, with_hints};
use super::notation::{Item, Loaded, millis, number, read_series};
use quipu_model::budget::Budget;
use quipu_promql::{
    EvalOptions, Evaluated, Labels, PromqlAnswer, PromqlSeries, PromqlTime, Samples, Series, SeriesSet, evaluate_with_notes, stale_marker,
};
use regex_lite::Regex;
use std::collections::BTreeMap;

/// The outcome of a script.
#[derive(Default)]
pub(super) struct Report {
    pub(super) passed: usize,
    pub(super) failures: Vec<String>,
    /// How many evaluations were skipped, by reason.
    pub(super) skipped: BTreeMap<&'static str, usize>,
}

/// Parts of queries, and why such a query is skipped.
const SKIPPED: [(&str, &str); 6] = [
    ("anchored", "experimental selectors"),
    ("smoothed", "experimental selectors"),
    ("fill", "experimental matching"),
    ("info(", "info()"),
    ("limit_ratio", "limit_ratio"),
    ("start_timestamp", "start timestamps"),
];

/// Samples of each series by time.
type Store = BTreeMap<Labels, BTreeMap<i64, Item>>;

#[derive(Default)]
struct Expectations<'t> {
    is_ordered: bool,
    fails: bool,
    /// Expected warnings and infos: `None` if they are not looked at, an empty list if there must be none.
    notes: [Option<Vec<Message<'t>>>; 2],
    text: Option<&'t str>,
    /// Start and step of the samples of a range vector.
    range: Option<(i64, i64)>,
    series: Vec<&'t str>,
}

enum Message<'t> {
    Any,
    Is(&'t str),
    Matches(&'t str),
}

impl Message<'_> {
    fn accepts(&self, note: &str) -> bool {
        match self {
            Message::Any => true,
            Message::Is(text) => note == *text,
            Message::Matches(pattern) => Regex::new(&format!("^(?:{pattern})$")).is_ok_and(|pattern| pattern.is_match(note)),
        }
    }
}

/// Runs a script.
pub(super) fn run(script: &str) -> Report {
    let mut report = Report::default();
    let mut store = Store::new();
    let mut loads_start_times = false;
    let lines: Vec<&str> = script.lines().collect();
    let mut at = 0;
    while let Some(line) = lines.get(at).map(|line| line.trim()) {
        at += 1;
        let number = at;
        let is_command = |line: &str| ["load", "eval", "clear"].iter().any(|word| line.starts_with(word));
        let start = at;
        while lines.get(at).is_some_and(|line| !line.trim().is_empty() && !is_command(line)) {
            at += 1;
        }
        let block = lines[start..at].iter().map(|line| line.trim()).filter(|line| !line.starts_with('#'));
        if line.is_empty() || line.starts_with('#') {
            at = number;
        } else if line == "clear" {
            store.clear();
            loads_start_times = false;
            at = number;
        } else if let Some((command, step)) = line.split_once(' ').filter(|(command, _)| command.starts_with("load")) {
            let (start_times, texts): (Vec<&str>, Vec<&str>) = block.partition(|text| text.contains("@st"));
            loads_start_times |= !start_times.is_empty();
            if let Err(problem) = load(&mut store, &texts, millis(step.trim()), command == "load_with_nhcb") {
                report.failures.push(format!("line {number}: {problem}"));
            }
        } else if let Some((time, query)) = line.starts_with("eval").then(|| read_eval(line)).flatten() {
            let word = line.split(' ').next().unwrap_or_default();
            let reason = SKIPPED.iter().find(|(part, _)| query.contains(part)).map(|(_, reason)| *reason);
            let reason = reason.filter(|_| word != "eval_fail").or(loads_start_times.then_some("start timestamps"));
            if let Some(reason) = reason {
                *report.skipped.entry(reason).or_default() += 1;
                continue;
            }
            let outcome = read_expectations(word, block).and_then(|expected| judge(query, time, &expected, &series_of(&store)));
            match outcome {
                Ok(()) => report.passed += 1,
                Err(problem) => report.failures.push(format!("line {number}: {query}\n    {problem}")),
            }
        } else {
            report.failures.push(format!("line {number}: not understood: {line}"));
        }
    }
    report
}

fn load(store: &mut Store, texts: &[&str], step: i64, is_converted: bool) -> Result<(), String> {
    let mut read: Vec<Loaded> = Vec::new();
    for text in texts {
        let mut loaded = read_series(text).ok_or_else(|| format!("not understood: {text}"))?;
        with_hints(&mut loaded.items);
        read.push(loaded);
    }
    if is_converted {
        let converted = with_custom_buckets(&read);
        read.extend(converted);
    }
    for Loaded { labels, items } in read {
        let samples = store.entry(labels).or_default();
        samples.extend(items.into_iter().enumerate().filter_map(|(place, item)| Some((step * place as i64, item?))));
    }
    Ok(())
}

fn series_of(store: &Store) -> SeriesSet {
    let series = store.iter().map(|(labels, items)| {
        let (mut floats, mut histograms) = (Vec::new(), Vec::new());
        for (at, item) in items {
            match item {
                Item::Float(value) => floats.push((*at, *value)),
                Item::Stale => floats.push((*at, stale_marker())),
                Item::Histogram(histogram, _) => histograms.push((*at, histogram.clone().into())),
            }
        }
        let samples =
            if histograms.is_empty() { Samples::Listed(floats.into()) } else { Samples::Native(floats.into(), histograms.into()) };
        Series { labels: labels.clone(), samples }
    });
    SeriesSet::new(series.collect())
}

fn read_eval(line: &str) -> Option<(PromqlTime, &str)> {
    let (_, rest) = line.split_once(' ')?;
    if let Some(rest) = rest.trim().strip_prefix("instant at ") {
        let (at, query) = rest.trim().split_once(char::is_whitespace)?;
        return Some((PromqlTime::At(millis(at)), query.trim()));
    }
    if let Some(query) = rest.trim().strip_prefix("instant ") {
        return Some((PromqlTime::At(0), query.trim()));
    }
    let rest = rest.strip_prefix("range from ")?;
    let (start, rest) = rest.split_once(" to ")?;
    let (end, rest) = rest.split_once(" step ")?;
    let (step, query) = rest.split_once(char::is_whitespace)?;
    Some((PromqlTime::Steps { start: millis(start), end: millis(end), step: millis(step) }, query.trim()))
}

fn read_expectations<'t>(word: &str, block: impl Iterator<Item = &'t str>) -> Result<Expectations<'t>, String> {
    let mut expected = Expectations { is_ordered: word == "eval_ordered", fails: word == "eval_fail", ..Expectations::default() };
    for (place, name) in ["eval_warn", "eval_info"].into_iter().enumerate() {
        expected.notes[place] = (word == name).then(|| vec![Message::Any]);
    }
    for line in block {
        if line.starts_with("expected_fail") {
            continue;
        }
        let Some(what) = line.strip_prefix("expect ") else {
            expected.series.push(line);
            continue;
        };
        let (kind, rest) = what.split_once(' ').unwrap_or((what, ""));
        let rest = rest.trim();
        let message = if let Some(text) = rest.strip_prefix("msg:") {
            Message::Is(text.trim())
        } else if let Some(text) = rest.strip_prefix("regex:") {
            Message::Matches(text.trim())
        } else {
            Message::Any
        };
        match kind {
            "fail" => expected.fails = true,
            "ordered" => expected.is_ordered = true,
            "string" => expected.text = Some(rest),
            "warn" => expected.notes[0].get_or_insert_default().push(message),
            "info" => expected.notes[1].get_or_insert_default().push(message),
            "no_warn" => expected.notes[0] = Some(Vec::new()),
            "no_info" => expected.notes[1] = Some(Vec::new()),
            "range" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                let ["vector", "from", from, "to", _, "step", step] = words.as_slice() else {
                    return Err(format!("not understood: {line}"));
                };
                expected.range = Some((millis(from), millis(step)));
            }
            _ => return Err(format!("not understood: {line}")),
        }
    }
    Ok(expected)
}

fn judge(query: &str, time: PromqlTime, expected: &Expectations<'_>, series: &SeriesSet) -> Result<(), String> {
    let outcome = evaluate_with_notes(query, time, series, &EvalOptions::default(), &Budget::default());
    let Evaluated { answer, warnings, infos } = match (outcome, expected.fails) {
        (Err(_), true) => return Ok(()),
        (Err(error), false) => return Err(format!("{error}\n{}", error.drawing(query))),
        (Ok(evaluated), true) => return Err(format!("should fail; answers {:?}", evaluated.answer)),
        (Ok(evaluated), false) => evaluated,
    };
    for (kind, found, expected) in [("warnings", warnings, &expected.notes[0]), ("infos", infos, &expected.notes[1])] {
        let Some(messages) = expected else { continue };
        let is_odd = |note: &String| !messages.iter().any(|message| message.accepts(note));
        let is_missing = messages.iter().any(|message| !found.iter().any(|note| message.accepts(note)));
        if is_missing || found.iter().any(is_odd) {
            return Err(format!("has the {kind} {found:?}"));
        }
    }
    match (&answer, expected.text, expected.series.as_slice()) {
        (PromqlAnswer::Text(_, text), Some(expected), _) => {
            if text == expected.get(1..expected.len() - 1).unwrap_or_default() {
                Ok(())
            } else {
                Err(format!("answers {text:?}"))
            }
        }
        (PromqlAnswer::Text(_, text), None, [expected]) if expected.trim_matches('"') == text => Ok(()),
        (PromqlAnswer::Scalar(point), _, [value]) => same(point.value, number(value).ok_or("no number is expected")?),
        (_, _, lines) => {
            let (start, step) = match (expected.range, time) {
                (Some(range), _) => range,
                (None, PromqlTime::At(at)) => (at, 1),
                (None, PromqlTime::Steps { start, step, .. }) => (start, step),
            };
            let mut wanted = Vec::new();
            for line in lines {
                let Loaded { labels, items } = read_series(line).ok_or_else(|| format!("expectation not understood: {line}"))?;
                let items = items.into_iter().enumerate().filter_map(|(place, item)| Some((start + step * place as i64, item?)));
                wanted.push((labels, items.collect::<Vec<_>>()));
            }
            compare(answer.series(), wanted, expected.is_ordered)
        }
    }
}

fn compare(found: &[PromqlSeries], mut wanted: Vec<(Labels, Vec<(i64, Item)>)>, is_ordered: bool) -> Result<(), String> {
    let labels = |series: &PromqlSeries| Labels::new(series.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    let mut found: Vec<(Labels, &PromqlSeries)> = found.iter().map(|series| (labels(series), series)).collect();
    if !is_ordered {
        found.sort_by(|one, other| one.0.cmp(&other.0));
        wanted.sort_by(|one, other| one.0.cmp(&other.0));
    }
    // Series without any value are not in an answer.
    wanted.retain(|(_, items)| !items.is_empty());
    let names = |list: Vec<String>| list.join(" ");
    if found.iter().map(|(labels, _)| labels).ne(wanted.iter().map(|(labels, _)| labels)) {
        let (found, wanted) = (found.iter().map(|(labels, _)| labels.to_string()), wanted.iter().map(|(labels, _)| labels.to_string()));
        return Err(format!("answers the series {}, not {}", names(found.collect()), names(wanted.collect())));
    }
    for ((labels, series), (_, wanted)) in found.iter().zip(&wanted) {
        let floats = series.points.iter().map(|point| (point.at_millis, Item::Float(point.value)));
        let histograms = series.histograms.iter().map(|point| (point.at_millis, Item::Histogram(point.histogram.as_ref().clone(), true)));
        let found: BTreeMap<i64, Item> = floats.chain(histograms).collect();
        let times: Vec<i64> = wanted.iter().map(|(at, _)| *at).collect();
        if !found.keys().eq(&times) {
            return Err(format!("{labels} has values at {:?}, not {times:?}", found.keys().collect::<Vec<_>>()));
        }
        for ((at, item), (_, wanted)) in found.iter().zip(wanted) {
            same_item(item, wanted).map_err(|problem| format!("{labels} at {at}: {problem}"))?;
        }
    }
    Ok(())
}

fn same_item(found: &Item, wanted: &Item) -> Result<(), String> {
    match (found, wanted) {
        (Item::Float(found), Item::Float(wanted)) => same(*found, *wanted),
        (Item::Histogram(found, _), Item::Histogram(wanted, has_hint)) => same_histogram(found, wanted, *has_hint),
        _ => Err(format!("{found:?}, not {wanted:?}")),
    }
}

/// Whether two numbers are equal up to rounding.
pub(super) fn same(found: f64, wanted: f64) -> Result<(), String> {
    let near = (found - wanted).abs() <= 1e-6 * found.abs().min(wanted.abs());
    if found == wanted || found.is_nan() && wanted.is_nan() || near { Ok(()) } else { Err(format!("{found}, not {wanted}")) }
}

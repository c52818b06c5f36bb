//! `quipu promql`: evaluates a query over a telemetry file or OpenMetrics text.

use crate::arguments::Promql;
use crate::json::{MOST_EXEMPLARS, exemplars, left_out};
use crate::open::open_indexed;
use crate::output::{Ink, Output, WrongCommandLine, clean_line};
use crate::table::{Column, lines};
use anyhow::{Context, Result, bail};
use quipu::metrics::{Exemplar, ExemplarQuery, Exemplars, MetricOptions, PromqlQuery};
use quipu::model::Timestamp;
use quipu::model::budget::Budget;
use quipu::promql::{
    EvalOptions, Evaluated, Labels, PromqlAnswer, PromqlError, PromqlSeries, PromqlTime, SeriesSource, error_json, evaluate_with_notes,
    read_duration, read_openmetrics, read_time,
};
use std::path::Path;

/// Runs the command. Returns `false` if the query failed.
pub(crate) fn run(promql: &Promql, as_json: bool, output: &mut Output) -> Result<bool> {
    let wrong = |message: String| anyhow::Error::new(WrongCommandLine(message));
    let time = |text: &Option<String>| text.as_deref().map(read_time).transpose().map_err(wrong);
    let options = MetricOptions {
        scrape_millis: read_duration(&promql.scrape).map_err(wrong)?,
        merge_labels: promql.merge_labels,
        exact: promql.exact,
    };
    let step = promql.step.as_deref().map(read_duration).transpose().map_err(wrong)?;
    let mut asked = PromqlQuery { query: String::new(), start: time(&promql.start)?, end: time(&promql.end)?, step, options };
    if let Some(at) = time(&promql.time)? {
        asked.end = Some(at);
    } else if !promql.exemplars && asked.end.is_some() && asked.start.is_none() && step.is_none() {
        bail!(WrongCommandLine("--end requires --start and --step. For a single point in time, use --time.".into()));
    }
    let answer = match (promql.words.as_slice(), &promql.openmetrics) {
        ([query], Some(series)) => {
            asked.query.clone_from(query);
            of_text(series, &asked)?
        }
        ([file, query], None) if promql.exemplars => {
            asked.query.clone_from(query);
            let PromqlQuery { query, start, end, options, .. } = asked.clone();
            let asked_exemplars = ExemplarQuery { query, start, end, limit: MOST_EXEMPLARS, options };
            return match open_indexed(Path::new(file))?.list_exemplars(&asked_exemplars)? {
                Ok(found) if as_json => output.line(&exemplars(&found).to_string()).map(|()| true),
                Ok(found) => print_exemplars(&found, output).map(|()| true),
                Err(error) => fail(error, &asked.query, as_json, output),
            };
        }
        ([file, query], None) => {
            asked.query.clone_from(query);
            open_indexed(Path::new(file))?.query_promql_with_notes(&asked)?
        }
        (_, Some(_)) => bail!(WrongCommandLine("--openmetrics takes a query and no telemetry file.".into())),
        (_, None) => bail!(WrongCommandLine("A telemetry file and a query are required: quipu promql FILE QUERY".into())),
    };
    match answer {
        Ok(evaluated) if as_json => output.line(&evaluated.to_json()).map(|()| true),
        Ok(evaluated) => {
            for note in evaluated.warnings.iter().chain(&evaluated.infos) {
                eprintln!("{}", clean_line(note));
            }
            print(&evaluated.answer, output).map(|()| true)
        }
        Err(error) => fail(error, &asked.query, as_json, output),
    }
}

/// Reports an error in a query.
fn fail(error: PromqlError, query: &str, as_json: bool, output: &mut Output) -> Result<bool> {
    if as_json {
        return output.line(&error_json(&error)).map(|()| false);
    }
    let words = format!("{}\n{error}", error.drawing(query));
    Err(if error.is_bad_query { WrongCommandLine(words).into() } else { anyhow::anyhow!(words) })
}

fn of_text(path: &Path, asked: &PromqlQuery) -> Result<Result<Evaluated, PromqlError>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("{} can't be read", path.display()))?;
    let series = read_openmetrics(&text).map_err(|problem| anyhow::anyhow!("{}: {problem}", path.display()))?;
    let (first, last) = series.extent().unwrap_or_default();
    let time = match (asked.start, asked.step) {
        (None, None) => PromqlTime::At(asked.end.unwrap_or(last)),
        (start, step) => PromqlTime::Steps {
            start: start.unwrap_or(first),
            end: asked.end.unwrap_or(last),
            step: step.context("A range query requires --step")?,
        },
    };
    let options = EvalOptions { exact: asked.options.exact, ..EvalOptions::default() };
    Ok(evaluate_with_notes(&asked.query, time, &series, &options, &Budget::default()))
}

fn print(answer: &PromqlAnswer, output: &mut Output) -> Result<()> {
    let left = |heading| Column { heading, right: false };
    let value = Column { heading: "VALUE", right: true };
    let (columns, rows): (Vec<Column>, Vec<Vec<String>>) = match answer {
        PromqlAnswer::Scalar(point) => return output.line(&point.value.to_string()),
        PromqlAnswer::Text(_, text) => return output.line(&clean_line(text)),
        PromqlAnswer::Vector(list) => {
            let row = |series: &PromqlSeries| vec![last_value(series), name(&series.labels)];
            (vec![value, left("SERIES")], list.iter().map(row).collect())
        }
        PromqlAnswer::Matrix(list) => {
            let rows = list.iter().flat_map(|series| {
                values(series).into_iter().map(|(at_millis, value)| vec![time_text(at_millis), value, name(&series.labels)])
            });
            (vec![left("TIME (UTC)"), value, left("SERIES")], rows.collect())
        }
    };
    if rows.is_empty() {
        return output.line(&output.ink("No series has a value at that time.", Ink::Faint));
    }
    for (number, line) in lines(&columns, &rows, output.width()).into_iter().enumerate() {
        output.line(&output.ink(&line, if number == 0 { Ink::Faint } else { Ink::Plain }))?;
    }
    Ok(())
}

fn print_exemplars(found: &Exemplars, output: &mut Output) -> Result<()> {
    if found.list.is_empty() {
        return output.line(&output.ink("These series have no exemplar at that time.", Ink::Faint));
    }
    let left = |heading| Column { heading, right: false };
    let columns = [
        left("TIME (UTC)"),
        Column { heading: "VALUE", right: true },
        left("TRACE"),
        left("SPAN"),
        left("SERIES"),
    ];
    let id = |id: &str| if id.is_empty() { quipu::format::DASH.to_owned() } else { clean_line(id) };
    let row = |found: &Exemplar| {
        let value = found.value.to_string();
        vec![time_text(found.at_millis), value, id(&found.trace_id), id(&found.span_id), name(&found.labels)]
    };
    let rows: Vec<Vec<String>> = found.list.iter().map(row).collect();
    for (number, line) in lines(&columns, &rows, output.width()).into_iter().enumerate() {
        output.line(&output.ink(&line, if number == 0 { Ink::Faint } else { Ink::Plain }))?;
    }
    match left_out(found) {
        Some(sentence) => output.line(&output.ink(&sentence, Ink::Faint)),
        None => Ok(()),
    }
}

fn time_text(at_millis: i64) -> String {
    let at = Timestamp(at_millis.saturating_mul(1_000_000)).civil(0);
    quipu::format::cut_to_millis(&at).to_owned()
}

/// Times and texts of numbers and histograms.
fn values(series: &PromqlSeries) -> Vec<(i64, String)> {
    let numbers = series.points.iter().map(|point| (point.at_millis, point.value.to_string()));
    let histograms = series.histograms.iter().map(|point| (point.at_millis, point.histogram.to_string()));
    let mut values: Vec<(i64, String)> = numbers.chain(histograms).collect();
    values.sort_by_key(|(at, _)| *at);
    values
}

fn last_value(series: &PromqlSeries) -> String {
    values(series).pop().map_or_else(|| quipu::format::DASH.to_owned(), |(_, text)| text)
}

fn name(labels: &[(String, String)]) -> String {
    let pairs = labels.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    clean_line(&Labels::new(pairs).to_string())
}

//! Spans as a dataset in text form: JSON lines or CSV, row by row in constant memory.

use super::error::QueryError;
use super::json::{AttributeMap, JsonText};
use super::matching::Source;
use super::params::Object;
use super::spans::{SpanQuery, dataset_row};
use super::types::DatasetRow;
use quipu_model::recorded::{entries, write_json_string};
use quipu_model::{Recording, SpanRecord, csv};
use quipu_protocol::{Contents, FileFormat};
use quipu_share::Redactor;
use serde_json::Value as Json;
use std::ops::ControlFlow;

const FIXED: [&str; 6] = ["trace_id", "span_id", "parent_span_id", "name", "start_time", "end_time"];

/// How rows are written.
pub(crate) struct RowForm<'r> {
    pub(crate) format: FileFormat,
    /// Whether cells of CSV may be formulas.
    pub(crate) raw: bool,
    /// Redacts rows, those of a trace together, or only looks at them.
    pub(crate) redactor: Option<&'r mut Redactor>,
    /// Whether rows leave as they are nevertheless.
    pub(crate) only_looks: bool,
}

/// Writes text to `sink`, line by line, until it returns false. Returns the number of spans, and of those that lack an attribute.
pub(super) fn export_spans(
    source: Source<'_>,
    params: &Json,
    form: RowForm<'_>,
    sink: &mut dyn FnMut(&str) -> bool,
) -> Result<(u64, u64), QueryError> {
    let RowForm { format, raw, mut redactor, only_looks } = form;
    let params = Object::read(params, &["attribute_filters", "attributes_to_save", "max_depth"])?;
    let query = SpanQuery::read(&params, "attributes_to_save")?;
    let columns: Vec<String> = query.columns().into_iter().map(str::to_owned).collect();
    // Spans have different attributes: without a selection, one column holds them all.
    let one_column = columns.is_empty();
    let write: &dyn Fn(&DatasetRow) -> String = match format {
        FileFormat::JsonLines => &|row| serde_json::to_string(row).map(|line| line + "\n").unwrap_or_default(),
        FileFormat::Csv => {
            let columns = if one_column { vec!["attributes"] } else { columns.iter().map(String::as_str).collect() };
            // The names of columns are keys of attributes.
            let columns: Vec<String> = match &mut redactor {
                Some(redactor) if !one_column => columns.into_iter().map(|column| redactor.key(column)).collect(),
                _ => columns.into_iter().map(str::to_owned).collect(),
            };
            if !sink(&csv_line(FIXED.into_iter().chain(columns.iter().map(String::as_str)).map(Some), raw)) {
                return Ok((0, 0));
            }
            &move |row| csv_line(csv_fields(row, one_column), raw)
        }
        _ => return Err(QueryError::Format(format.refusal(Contents::Spans).message)),
    };
    let (mut count, mut waiting) = (0, Vec::new());
    let mut put = |rows: &mut Vec<DatasetRow>, redactor: &mut Option<&mut Redactor>| {
        let rows = std::mem::take(rows);
        let rows = match redactor {
            Some(redactor) => redacted(rows, redactor, only_looks),
            None => rows,
        };
        rows.iter().all(|row| sink(&write(row)))
    };
    let left_out = query.visit(source, &mut |span| {
        let row = dataset_row(span);
        count += 1;
        let is_next = redactor.is_none() || waiting.first().is_some_and(|first: &DatasetRow| first.trace_id != row.trace_id);
        let goes_on = !is_next || put(&mut waiting, &mut redactor);
        waiting.push(row);
        Ok(if goes_on { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    put(&mut waiting, &mut redactor);
    Ok((count, left_out))
}

/// The rows of a trace, redacted.
fn redacted(rows: Vec<DatasetRow>, redactor: &mut Redactor, only_looks: bool) -> Vec<DatasetRow> {
    let record = |row: &DatasetRow| {
        let mut attributes = String::from("{");
        for (place, (key, value)) in row.attributes.0.iter().enumerate() {
            attributes.push_str(if place == 0 { "" } else { ", " });
            write_json_string(key, &mut attributes);
            attributes.push_str(": ");
            attributes.push_str(value.get());
        }
        SpanRecord {
            span_id: row.span_id.clone(),
            trace_id: Some(row.trace_id.clone()),
            parent_span_id: row.parent_span_id.clone(),
            name: Some(row.name.clone()),
            attributes: Some(attributes + "}"),
            ..SpanRecord::default()
        }
    };
    let left = redactor.recording(&Recording { spans: rows.iter().map(record).collect(), ..Recording::default() });
    if only_looks {
        return rows;
    }
    let one = |(row, span): (DatasetRow, SpanRecord)| {
        let text = span.attributes.unwrap_or_default();
        let pairs = entries(text.as_bytes()).flatten().map(|(key, value)| (key.into_owned(), JsonText::recorded(value.bytes())));
        DatasetRow {
            trace_id: span.trace_id.unwrap_or_default(),
            span_id: span.span_id,
            parent_span_id: span.parent_span_id,
            name: span.name.unwrap_or_default(),
            attributes: AttributeMap(pairs.collect()),
            ..row
        }
    };
    rows.into_iter().zip(left.spans).map(one).collect()
}

/// Strings as they are, other values as JSON.
fn csv_fields(row: &DatasetRow, one_column: bool) -> Vec<Option<String>> {
    let time = |time: Option<quipu_model::EventTime>| time.map(|time| time.to_string());
    let mut fields = vec![
        Some(row.trace_id.clone()),
        Some(row.span_id.clone()),
        row.parent_span_id.clone(),
        Some(row.name.clone()),
        time(row.start_time),
        time(row.end_time),
    ];
    if one_column {
        fields.push(serde_json::to_string(&row.attributes).ok());
    } else {
        let field = |value: &super::json::JsonText| match value.as_text() {
            Some(text) => Some(text),
            None if value.is_null() => None,
            None => Some(value.get().to_owned()),
        };
        fields.extend(row.attributes.0.iter().map(|(_, value)| field(value)));
    }
    fields
}

fn csv_line<F: AsRef<str>>(fields: impl IntoIterator<Item = Option<F>>, raw: bool) -> String {
    let mut line = String::new();
    if raw {
        csv::push_raw_row(&mut line, fields)
    } else {
        csv::push_row(&mut line, fields)
    }
    line
}

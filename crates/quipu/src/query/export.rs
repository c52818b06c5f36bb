//! Spans as a dataset in text form: JSON lines or CSV, row by row in constant memory.

use super::error::QueryError;
use super::matching::Source;
use super::params::Object;
use super::spans::{SpanQuery, dataset_row};
use super::types::DatasetRow;
use quipu_model::csv;
use quipu_protocol::{Contents, FileFormat};
use serde_json::Value as Json;
use std::ops::ControlFlow;

const FIXED: [&str; 6] = ["trace_id", "span_id", "parent_span_id", "name", "start_time", "end_time"];

/// Writes text to `sink`, line by line, until it returns false. Returns the number of spans.
pub(super) fn export_spans(
    source: Source<'_>,
    params: &Json,
    format: FileFormat,
    sink: &mut dyn FnMut(&str) -> bool,
) -> Result<u64, QueryError> {
    let params = Object::read(params, &["attribute_filters", "attributes_to_save", "max_depth"])?;
    let query = SpanQuery::read(&params, "attributes_to_save")?;
    let columns: Vec<String> = query.columns().into_iter().map(str::to_owned).collect();
    // Spans have different attributes: without a selection, one column holds them all.
    let one_column = columns.is_empty();
    let write: &dyn Fn(&DatasetRow) -> String = match format {
        FileFormat::JsonLines => &|row| serde_json::to_string(row).map(|line| line + "\n").unwrap_or_default(),
        FileFormat::Csv => {
            let columns = if one_column { vec!["attributes"] } else { columns.iter().map(String::as_str).collect() };
            if !sink(&csv_line(FIXED.into_iter().chain(columns).map(Some))) {
                return Ok(0);
            }
            &move |row| csv_line(csv_fields(row, one_column))
        }
        _ => return Err(QueryError::Format(format.refusal(Contents::Spans).message)),
    };
    let mut count = 0;
    query.visit(source, &mut |span| {
        let line = write(&dataset_row(span));
        count += 1;
        Ok(if sink(&line) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(count)
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

fn csv_line<F: AsRef<str>>(fields: impl IntoIterator<Item = Option<F>>) -> String {
    let mut line = String::new();
    csv::push_row(&mut line, fields);
    line
}

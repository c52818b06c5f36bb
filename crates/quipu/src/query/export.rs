//! Spans as a data set in text: JSON lines or CSV, row by row, so that a large file needs no memory.

use super::error::QueryError;
use super::matching::Source;
use super::params::Object;
use super::spans::{SpanQuery, dataset_row};
use super::types::DatasetRow;
use serde_json::Value as Json;
use std::ops::ControlFlow;

/// How rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DatasetFormat {
    /// One JSON object a line.
    JsonLines,
    /// Comma-separated values with a heading; texts as they are, other values as JSON, null empty.
    Csv,
}

const FIXED: [&str; 6] = ["trace_id", "span_id", "parent_span_id", "name", "start_time", "end_time"];

/// Hands text to `sink`, line by line, until it answers false. Returns the number of spans.
pub(super) fn export_spans(
    source: Source<'_>,
    params: &Json,
    format: DatasetFormat,
    sink: &mut dyn FnMut(&str) -> bool,
) -> Result<u64, QueryError> {
    let params = Object::read(params, &["attribute_filters", "attributes_to_save", "max_depth"])?;
    let query = SpanQuery::read(&params, "attributes_to_save")?;
    let columns: Vec<String> = query.columns().into_iter().map(str::to_owned).collect();
    // Without chosen attributes every span has others: one column holds them all.
    let one_column = columns.is_empty();
    if format == DatasetFormat::Csv {
        let mut heading: Vec<String> = FIXED.map(str::to_owned).to_vec();
        heading.extend(if one_column { vec!["attributes".to_owned()] } else { columns.clone() });
        if !sink(&csv_line(&heading)) {
            return Ok(0);
        }
    }
    let mut count = 0;
    query.visit(source, &mut |span| {
        let row = dataset_row(span);
        let line = match format {
            DatasetFormat::JsonLines => serde_json::to_string(&row).map(|line| line + "\n").unwrap_or_default(),
            DatasetFormat::Csv => csv_line(&csv_fields(&row, one_column)),
        };
        count += 1;
        Ok(if sink(&line) { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    })?;
    Ok(count)
}

fn csv_fields(row: &DatasetRow, one_column: bool) -> Vec<String> {
    let time = |time: Option<quipu_model::EventTime>| time.map(|time| time.to_string()).unwrap_or_default();
    let mut fields = vec![
        row.trace_id.clone(),
        row.span_id.clone(),
        row.parent_span_id.clone().unwrap_or_default(),
        row.name.clone(),
        time(row.start_time),
        time(row.end_time),
    ];
    if one_column {
        fields.push(serde_json::to_string(&row.attributes).unwrap_or_default());
    } else {
        let field = |value: &super::json::JsonText| match value.as_text() {
            Some(text) => text,
            None if value.is_null() => String::new(),
            None => value.get().to_owned(),
        };
        fields.extend(row.attributes.0.iter().map(|(_, value)| field(value)));
    }
    fields
}

/// One line by RFC 4180: quoted where a comma, a quote or a line break stands in a field.
fn csv_line(fields: &[String]) -> String {
    let quote = |field: &String| {
        if field.contains([',', '"', '\n', '\r']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.clone() }
    };
    fields.iter().map(quote).collect::<Vec<_>>().join(",") + "\r\n"
}

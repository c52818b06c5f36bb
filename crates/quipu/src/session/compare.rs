//! Compares the input of a span with that of the previous span of the same name, in its trace or else in its agent session.

use super::Session;
use quipu_model::llm::input_key;
use quipu_model::recorded::{decode, entries};
use quipu_protocol::markup::Node;
use quipu_protocol::{Failure, TextRef};
use quipu_store::span_row;
use quipu_ui::render::{Compared, compare_sheet, nothing_to_compare};
use quipu_ui::view::compare;

/// Longer texts are not compared.
const MAX_BYTES: usize = 4 << 20;

impl Session {
    pub(super) fn compare_input(&self, row: u32) -> Result<Vec<Node>, Failure> {
        let index = &self.index;
        let Some((key, after)) = self.input(row, None)? else {
            return Ok(nothing_to_compare("No input was recorded with this span."));
        };
        let name = index.span_name(row);
        let Some(before_row) = self.previous_of_name(row) else {
            return Ok(nothing_to_compare(&format!("This is the first {name} of its trace and of its session.")));
        };
        let Some((_, before)) = self.input(before_row, Some(&key))? else {
            return Ok(nothing_to_compare(&format!("The {name} before this one has no attribute {key}.")));
        };
        if before.len().max(after.len()) > MAX_BYTES {
            return Ok(nothing_to_compare("The inputs are longer than 4 MB, which is too long to compare here."));
        }
        let comparison = compare(&decode(&before).value, &decode(&after).value);
        let (trace, before_trace) = (index.trace_of(row), index.trace_of(before_row));
        let elsewhere = (trace != before_trace).then(|| index.trace_id(before_trace));
        let starts = index.start_of(row).zip(index.start_of(before_row));
        Ok(compare_sheet(&Compared {
            name,
            before: &index.span_id_of(before_row),
            elsewhere: elsewhere.as_deref(),
            nanos: starts.and_then(|(after, before)| u64::try_from(after.nanos_since(before)).ok()),
            key: &key,
            comparison: &comparison,
        }))
    }

    /// The last span of the same name that started before this one.
    fn previous_of_name(&self, row: u32) -> Option<u32> {
        let index = &self.index;
        let (name, start, trace) = (index.span_name(row), index.start_of(row)?, index.trace_of(row));
        let last_of = |traces: &[u32]| {
            let rows = traces.iter().flat_map(|trace| index.trace_rows(*trace)).copied();
            let earlier = rows.filter(|other| *other != row && index.span_name(*other) == name);
            earlier.filter_map(|other| Some((index.start_of(other).filter(|at| *at < start)?, other))).max().map(|found| found.1)
        };
        let in_session = || last_of(&index.traces_of_session(index.session_of(trace)?));
        last_of(&[trace]).or_else(in_session)
    }

    /// The input of a span: the attribute `key`, or the first attribute that holds an input.
    fn input(&self, row: u32, key: Option<&str>) -> Result<Option<(String, String)>, Failure> {
        let rowid = self.index.rowid_of(row);
        let recorded = self.database.bounded(|| span_row(self.database.connection(), self.database.schema(), rowid))?;
        let Some(attributes) = recorded.and_then(|row| row.attributes) else { return Ok(None) };
        let keys: Vec<String> = entries(attributes.as_bytes()).map_while(Result::ok).map(|(key, _)| key.into_owned()).collect();
        let mut names = keys.iter().map(String::as_str);
        let found = match key {
            Some(key) => names.find(|name| *name == key),
            None => input_key(names),
        };
        let Some(key) = found else { return Ok(None) };
        let text = self.text(&TextRef::SpanAttribute { rowid, key: Some(key.to_owned()) })?;
        Ok(Some((key.to_owned(), text)))
    }
}

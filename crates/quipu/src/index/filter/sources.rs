//! Maps each field of the filter language to the columns of the index it reads.
//!
//! Evaluation and suggestions both use this mapping. Not here: names and descriptions of fields (`fields`), and the few fields that are
//! neither numbers nor strings, which `decide` handles one by one.

use crate::index::{Bits, Dictionary, Facet, Index, TraceNumbers};
use quipu_model::{CallParts, TokenTotals};
use quipu_protocol::filter::expression::Compare;
use quipu_protocol::filter::fields::{NumberField, TextField};

/// How to read a number field of traces and of spans; `None` if they do not have it.
#[derive(Clone, Copy, Default)]
pub(super) struct NumberSource {
    /// The traces, by number, whose value satisfies a comparison.
    pub(super) of_traces: Option<Read>,
    /// The spans, by row, whose value satisfies a comparison.
    pub(super) of_spans: Option<Read>,
}

/// The traces or spans whose value satisfies a comparison. Unknown values never do.
type Read = fn(&Index, &Compare) -> Bits;

pub(super) fn numbers(field: NumberField) -> NumberSource {
    match field {
        NumberField::Duration => of_spans(|index, compare| those(index.span_count(), index.durations(), compare)),
        NumberField::TraceDuration => of_traces(|index, compare| traces(index, compare, |trace| trace.duration.map(signed))),
        NumberField::Start => of_both(
            |index, compare| traces(index, compare, |trace| trace.start),
            |index, compare| those(index.span_count(), index.span_starts(), compare),
        ),
        NumberField::Tokens => of_both(
            |index, compare| trace_tokens(index, compare, |totals| totals.total),
            |index, compare| span_tokens(index, compare, |totals| totals.total),
        ),
        NumberField::PromptTokens => of_both(
            |index, compare| trace_tokens(index, compare, |totals| totals.prompt),
            |index, compare| span_tokens(index, compare, |totals| totals.prompt),
        ),
        NumberField::CompletionTokens => of_both(
            |index, compare| trace_tokens(index, compare, |totals| totals.completion),
            |index, compare| span_tokens(index, compare, |totals| totals.completion),
        ),
        NumberField::CachedTokens => of_both(
            |index, compare| trace_tokens(index, compare, |totals| totals.parts.cached),
            |index, compare| call_parts(index, compare, |parts| parts.cached),
        ),
        NumberField::ReasoningTokens => of_both(
            |index, compare| trace_tokens(index, compare, |totals| totals.parts.reasoning),
            |index, compare| call_parts(index, compare, |parts| parts.reasoning),
        ),
        NumberField::FirstPart => of_spans(|index, compare| call_parts(index, compare, |parts| parts.first_part_nanos)),
        NumberField::Spans => of_traces(|index, compare| traces(index, compare, |trace| Some(trace.spans.into()))),
        NumberField::Failures => of_traces(|index, compare| traces(index, compare, |trace| Some(trace.failed.into()))),
        NumberField::Requests => of_traces(|index, compare| traces(index, compare, |trace| Some(trace.requests.into()))),
        NumberField::Inferences => of_traces(|index, compare| {
            // Traces without an inference request have no sums; they count as 0.
            let mut counts = vec![Some(0); index.trace_count() as usize];
            for (trace, totals) in index.all_trace_tokens() {
                if let Some(count) = counts.get_mut(*trace as usize) {
                    *count = Some(totals.requests.into());
                }
            }
            those(counts.len(), counts.iter().copied(), compare)
        }),
    }
}

/// Where a string field has its values.
pub(super) enum TextSource<'a> {
    Names,
    Facet(&'a Facet),
    /// A facet of the spans whose value is not `usual`; the empty string if none was recorded.
    Exceptions {
        facet: &'a Facet,
        usual: &'static str,
    },
    /// Values, and the accessor of a span's value number.
    OfSpans {
        values: &'a Dictionary,
        number: fn(&Index, u32) -> Option<u32>,
    },
}

pub(super) fn texts(field: TextField, index: &Index) -> TextSource<'_> {
    let facets = index.facets();
    match field {
        TextField::Name => TextSource::Names,
        TextField::Model => TextSource::Facet(&facets.model),
        TextField::Tool => TextSource::Facet(&facets.tool),
        TextField::Session => TextSource::Facet(&facets.session),
        TextField::Turn => TextSource::Facet(&facets.turn),
        TextField::Agent => TextSource::Facet(&facets.agent),
        TextField::Status => TextSource::Exceptions { facet: &facets.unusual_status, usual: "OK" },
        TextField::Service => TextSource::OfSpans { values: index.services(), number: Index::service_of },
        TextField::Scope => TextSource::OfSpans { values: index.scopes(), number: Index::scope_of },
    }
}

fn of_traces(read: Read) -> NumberSource {
    NumberSource { of_traces: Some(read), ..NumberSource::default() }
}

fn of_spans(read: Read) -> NumberSource {
    NumberSource { of_spans: Some(read), ..NumberSource::default() }
}

fn of_both(traces: Read, spans: Read) -> NumberSource {
    NumberSource { of_traces: Some(traces), of_spans: Some(spans) }
}

fn those(len: usize, values: impl Iterator<Item = Option<i64>>, compare: &Compare) -> Bits {
    Bits::collect(len, values.map(|value| value.is_some_and(|value| compare.holds(value))))
}

fn traces(index: &Index, compare: &Compare, value: impl Fn(&TraceNumbers) -> Option<i64>) -> Bits {
    those(index.trace_count() as usize, index.trace_numbers().map(|trace| value(&trace)), compare)
}

fn trace_tokens(index: &Index, compare: &Compare, count: impl Fn(&TokenTotals) -> Option<u64>) -> Bits {
    let mut traces = Bits::filled(index.trace_count() as usize, false);
    for (trace, totals) in index.all_trace_tokens() {
        if count(totals).is_some_and(|count| compare.holds(signed(count))) {
            traces.insert(*trace);
        }
    }
    traces
}

fn span_tokens(index: &Index, compare: &Compare, count: impl Fn(&TokenTotals) -> Option<u64>) -> Bits {
    let mut rows = Bits::filled(index.span_count(), false);
    for (row, record) in index.token_records() {
        let mut totals = TokenTotals::default();
        totals.add(Some(record));
        if count(&totals).is_some_and(|count| compare.holds(signed(count))) {
            rows.insert(*row);
        }
    }
    rows
}

fn call_parts(index: &Index, compare: &Compare, value: impl Fn(&CallParts) -> Option<u64>) -> Bits {
    let mut rows = Bits::filled(index.span_count(), false);
    for (row, parts) in index.all_call_parts() {
        if value(parts).is_some_and(|value| compare.holds(signed(value))) {
            rows.insert(*row);
        }
    }
    rows
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_protocol::filter::fields::{FIELDS, Field, FieldLevel};

    #[test]
    fn fields_are_read_at_the_level_the_table_names() {
        for info in FIELDS {
            let (of_traces, of_spans) = match info.field {
                Field::Number(field) => (numbers(field).of_traces.is_some(), numbers(field).of_spans.is_some()),
                Field::Text(_) => (false, true),
                Field::Kind | Field::Error | Field::Id(_) => continue,
            };
            assert_eq!(of_traces, info.level != FieldLevel::Span, "{}", info.name);
            assert_eq!(of_spans, info.level != FieldLevel::Trace, "{}", info.name);
        }
    }
}

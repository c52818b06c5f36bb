//! Reads and decodes the spans that are part of a conversation.
//!
//! Not here: extracting messages and ordering them (`llm`).

use super::detail;
use crate::index::Index;
use quipu_model::dialect::{self, Says};
use quipu_model::llm::{ConversationPage, SpanMessages, conversation, event_attributes, is_message_event};
use quipu_model::number::narrow;
use quipu_model::recorded::{RecordedAttribute, attributes};
use quipu_model::tokens::InferenceRole;
use quipu_model::{SpanFlags, SpanKind, Spent, Value};
use quipu_store::{Database, StoreError, event_row, span_row};

/// Maximum number of spans read, and maximum bytes of their attributes.
const MAX_SPANS: usize = 2_000;
const MAX_BYTES: usize = 48 << 20;
/// Maximum number of events examined per span.
const MAX_EVENTS: usize = 1_000;
/// Longer values are truncated.
const MAX_VALUE_BYTES: usize = 1 << 20;

/// The conversation of `trace`, of all traces of its agent session, or of `rows` of the trace only, which ascend.
pub(super) fn of_trace(
    database: &Database,
    index: &Index,
    trace: u32,
    whole_session: bool,
    only: Option<&[u32]>,
) -> Result<ConversationPage, StoreError> {
    let session = index.session_of(trace).map(|session| index.traces_of_session(session)).unwrap_or_default();
    let traces = if whole_session && !session.is_empty() { session.as_slice() } else { &[trace] };
    let mut page = of_traces(database, index, traces, only)?;
    page.trace_ids = traces.iter().map(|trace| index.trace_id(*trace)).collect();
    page.session_traces = narrow(session.len());
    Ok(page)
}

fn of_traces(database: &Database, index: &Index, traces: &[u32], only: Option<&[u32]>) -> Result<ConversationPage, StoreError> {
    let dialects = index.profiles().with_keys(dialect::speaks);
    let mut spans = Vec::new();
    let mut notes = Vec::new();
    let (mut bytes, mut left_out, mut cut) = (0, 0_u32, 0_u32);
    for trace in traces {
        let order = index.rows_in_tree_order(*trace);
        // The index in `spans` of each span, or of its nearest ancestor there.
        let mut places: Vec<Option<usize>> = Vec::with_capacity(order.len());
        for (row, parent) in order {
            let above = parent.and_then(|parent| places.get(parent).copied().flatten());
            let (flags, kind) = index.flags_of(row);
            let is_dialect = dialects.get(usize::from(index.profiles().of(row))).copied().unwrap_or(false);
            let is_asked = only.is_none_or(|only| only.binary_search(&row).is_ok());
            if !is_asked || !(is_dialect || speaks(index, row, kind, flags)) {
                places.push(above);
                continue;
            }
            if spans.len() >= MAX_SPANS || bytes >= MAX_BYTES {
                left_out += 1;
                places.push(above);
                continue;
            }
            let Some(recorded) = span_row(database.connection(), database.schema(), index.rowid_of(row))? else {
                places.push(above);
                continue;
            };
            let text = recorded.attributes.as_deref().unwrap_or_default();
            bytes += text.len();
            let mut read = decoded(text, &mut cut);
            if is_dialect {
                bytes += read_events(database, index, row, &mut read, &mut cut)?;
            }
            let (start, duration_nanos) = index.times_of(row);
            let failure = if flags.has(SpanFlags::FAILED) {
                Some(detail::first_failure(database, index, row)?)
            } else if flags.has(SpanFlags::FAILURE_ORIGIN) {
                let perhaps = if index.is_merged(*trace) { "perhaps " } else { "" };
                let text = detail::first_failure(database, index, row)?;
                let because = "derived: it is the request’s last step, and it recorded no output";
                Some(format!("The request {perhaps}failed here ({because}): {text}"))
            } else {
                None
            };
            places.push(Some(spans.len()));
            spans.push(SpanMessages {
                span_id: recorded.span_id.unwrap_or_default(),
                name: recorded.name.unwrap_or_default(),
                kind,
                // Llama Stack puts requests below each other that have nothing to do with each other; other servers do not.
                is_request: flags.has(SpanFlags::REQUEST) && !flags.has(SpanFlags::SERVER) || kind == SpanKind::Turn,
                parent: above,
                start,
                duration_nanos,
                failure,
                spent: index.tokens_of(row).map(|tokens| Spent { tokens, cost: index.cost_of(row) }),
                attributes: read,
            });
        }
    }
    if left_out > 0 {
        notes.push(format!("{left_out} more spans belong to this conversation; they are not shown here, but in the timeline."));
    }
    if cut > 0 {
        notes.push(format!("{cut} values are longer than 1 MiB; only their beginning was read. The span panel has them in full."));
    }
    Ok(ConversationPage { conversation: conversation(&spans), notes, ..ConversationPage::default() })
}

/// The decoded attributes of a span. Values that were truncated are counted in `cut`.
fn decoded(text: &str, cut: &mut u32) -> Vec<(String, Value)> {
    let read = |attribute: RecordedAttribute| {
        let value = match quipu_ui::view::clip(&attribute.text, MAX_VALUE_BYTES) {
            Some(head) => {
                *cut += 1;
                Value::Text(format!("{head}…"))
            }
            None if is_flat(&attribute.key) => attribute.nested(),
            None => attribute.decoded().value,
        };
        (attribute.key, value)
    };
    attributes(text.as_bytes()).unwrap_or_default().into_iter().map(read).collect()
}

/// Whether the attribute is a field of a message, whose text is shown as it is.
fn is_flat(key: &str) -> bool {
    matches!(dialect::says(key), Some(Says::FlatInput | Says::FlatOutput | Says::AnswerText))
}

/// Adds messages from the span's events to its attributes, if the attributes have none. Returns the number of bytes read.
fn read_events(database: &Database, index: &Index, row: u32, read: &mut Vec<(String, Value)>, cut: &mut u32) -> Result<usize, StoreError> {
    let has = |prefix: &str, read: &[(String, Value)]| read.iter().any(|(key, _)| key.starts_with(prefix));
    let (has_input, has_output) = (has("gen_ai.input.messages", read), has("gen_ai.output.messages", read));
    let mut bytes = 0;
    for id in index.event_ids(row).take(MAX_EVENTS) {
        let Some(event) = event_row(database.connection(), database.schema(), id)? else { continue };
        let name = event.name.unwrap_or_default();
        if !is_message_event(&name) {
            continue;
        }
        let text = event.attributes.unwrap_or_default();
        bytes += text.len();
        for (key, value) in event_attributes(&name, decoded(&text, cut)) {
            let known = (key == "gen_ai.input.messages" && has_input) || (key == "gen_ai.output.messages" && has_output);
            let is_message = key.ends_with(".messages");
            if !known && (is_message || !read.iter().any(|(found, _)| *found == key)) {
                read.push((key, value));
            }
        }
    }
    Ok(bytes)
}

/// Whether a span of Llama Stack is part of a conversation. Look-ups of models, keys and tools are not.
fn speaks(index: &Index, row: u32, kind: SpanKind, flags: SpanFlags) -> bool {
    match kind {
        // A provider's span repeats the router's messages; when streaming, it is even its sibling.
        SpanKind::Inference => match InferenceRole::from_name(index.span_name(row)) {
            Some(InferenceRole::Provider) => flags.has(SpanFlags::INFERENCE_REQUEST),
            role => role.is_some(),
        },
        SpanKind::Turn | SpanKind::Request | SpanKind::Tool | SpanKind::Safety | SpanKind::Retrieval => true,
        SpanKind::Routing | SpanKind::Storage | SpanKind::Other => flags.has(SpanFlags::REQUEST),
    }
}

//! What OTLP says of a span beyond the reference's columns: its resource and scope, links, and what its program dropped.

use super::attributes::read_attributes;
use crate::index::Index;
use quipu_model::format::counted;
use quipu_model::recorded::{entries, json_text, parse_json};
use quipu_model::{SpanExtra, Value};
use quipu_protocol::{Attribute, SpanDetail, SpanLink, TextRef};
use quipu_store::{Database, StoreError, source};

/// Maximum number of links of one span that are shown.
const MAX_LINKS: usize = 1_000;

/// The fields of a span's `more` that count what its program dropped.
const DROPPED: [(&str, &str, &str); 3] = [
    ("dropped_attributes_count", "attribute", "attributes"),
    ("dropped_events_count", "event", "events"),
    ("dropped_links_count", "link", "links"),
];

/// Fills in what `extra` holds about the span in `row`.
pub(super) fn add_extra(
    detail: &mut SpanDetail,
    database: &Database,
    index: &Index,
    row: u32,
    extra: Option<&SpanExtra>,
) -> Result<(), StoreError> {
    detail.service = index.service_of(row).map(|service| index.services().text(service).to_owned());
    let Some(extra) = extra else { return Ok(()) };
    (detail.resource, detail.scope) = source_attributes(database, extra.source)?;
    detail.links = links(index, extra);
    detail.trace_state = extra.trace_state.clone();
    detail.notes.extend(dropped(extra.more.as_deref(), "span"));
    Ok(())
}

/// The attributes of the resource and of the scope with this number.
pub(super) fn source_attributes(database: &Database, number: Option<i64>) -> Result<(Vec<Attribute>, Vec<Attribute>), StoreError> {
    let Some(number) = number else { return Ok(Default::default()) };
    let Some((resource, scope)) = source(database.connection(), database.schema(), number)? else { return Ok(Default::default()) };
    let shown = |text: &str, text_ref: &dyn Fn(Option<String>) -> TextRef| -> Vec<Attribute> {
        read_attributes(Some(text), text_ref).0.into_iter().map(|read| read.shown).collect()
    };
    let resource = service_first(shown(&resource, &|key| TextRef::Resource { number, key }));
    Ok((resource, shown(&scope, &|key| TextRef::Scope { number, key })))
}

fn links(index: &Index, extra: &SpanExtra) -> Vec<SpanLink> {
    let Some(Value::List(items)) = extra.links.as_deref().and_then(parse_json) else { return Vec::new() };
    let read = |item: &Value| {
        let text = |key: &str| item.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (trace_id, span_id) = (text("trace_id"), text("span_id"));
        let found = index.find_trace(&trace_id).is_some_and(|trace| index.find_span_in(trace, &span_id).is_some());
        let attributes = match item.get("attributes") {
            Some(Value::Map(entries)) if !entries.is_empty() => json_text(&Value::Map(entries.clone())),
            _ => String::new(),
        };
        SpanLink { trace_id, span_id, attributes, found }
    };
    items.iter().take(MAX_LINKS).map(read).collect()
}

/// A sentence for each kind of thing that the program which sent a span or a log record left out.
pub(super) fn dropped(more: Option<&str>, from: &str) -> Vec<String> {
    let Some(more) = more else { return Vec::new() };
    let number = |key: &str| {
        let found = entries(more.as_bytes()).flatten().find(|(name, _)| name.as_ref() == key);
        found.and_then(|(_, value)| value.as_number_text()?.parse::<u64>().ok()).filter(|number| *number > 0)
    };
    let sentence = |(key, one, many): &(&str, &str, &str)| {
        let count = number(key)?;
        let were = if count == 1 { "was" } else { "were" };
        Some(format!("{} {were} dropped by the program that sent this {from}.", counted(Some(count), one, many)))
    };
    DROPPED.iter().filter_map(sentence).collect()
}

/// The whole text of an attribute of a resource or a scope; `key` is `None` for the whole object.
pub(super) fn source_text(database: &Database, number: i64, is_scope: bool, key: Option<&str>) -> Result<Option<String>, StoreError> {
    let found = source(database.connection(), database.schema(), number)?;
    let Some(object) = found.map(|(resource, scope)| if is_scope { scope } else { resource }) else { return Ok(None) };
    let Some(key) = key else { return Ok(Some(object)) };
    let value = entries(object.as_bytes()).flatten().filter(|(name, _)| name.as_ref() == key).last();
    Ok(value.map(|(_, value)| value.as_str().unwrap_or_else(|| value.as_written()).into_owned()))
}

/// Attributes whose keys come first, in this order, then the others as recorded.
fn service_first(mut attributes: Vec<Attribute>) -> Vec<Attribute> {
    const FIRST: [&str; 5] = [
        "service.name",
        "service.namespace",
        "service.version",
        "service.instance.id",
        "deployment.environment.name",
    ];
    let rank = |attribute: &Attribute| FIRST.iter().position(|key| *key == attribute.key).unwrap_or(FIRST.len());
    quipu_model::ordered::sort_by_key(&mut attributes, rank);
    attributes
}

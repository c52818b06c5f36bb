//! The properties of the targets.

use super::{file, mutate};
use quipu::address::{parse_fragment, print_fragment};
use quipu::model::{Encoding, Value};
use quipu::protocol::{Command, Notification, RedactOptions, ShareWhat};
use quipu::recorded::{attributes, decode, entries, json_text};
use quipu::share::payload::{are_tables, inflated, pack, unpack, unseal};
use quipu::share::redact;
use quipu::store::OpenOptions;
use quipu::{Session, llm, recorded};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Decoding accepts everything, is lossless, and has bounded depth and size; scanning and parsing attributes agree.
pub(super) fn recorded(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let decoded = decode(&text);
    if decoded.encoding == Encoding::Text {
        assert_eq!(decoded.value, Value::Text(text.clone().into_owned()), "what is only text is the whole text");
    }
    let (mut depth, mut texts) = (0, 0);
    measure(&decoded.value, 0, &mut depth, &mut texts);
    assert!(depth <= recorded::MAX_DEPTH * 2 + 2, "{depth} levels");
    // The text itself, nested texts of at most four times its length, and their contents.
    assert!(texts <= text.len() * 10 + 16, "{texts} bytes of texts out of {}", text.len());
    let _ = llm::messages(&decoded.value);
    let _ = decode(&json_text(&decoded.value));

    let scanned: Result<Vec<_>, _> = entries(data).map(|entry| entry.map(|(key, _)| key.into_owned())).collect();
    match (scanned, attributes(data)) {
        (Ok(keys), Ok(read)) => {
            assert!(read.iter().map(|attribute| &attribute.key).eq(&keys), "both ways have the same keys");
            for attribute in &read {
                let _ = attribute.decoded();
            }
            // SQLite and the decoder may disagree about JSON, but entries are only read from objects.
            assert!(text.trim_start().starts_with('{'), "entries were read of what is no object");
        }
        (Err(_), Err(_)) => {}
        (one, other) => panic!("one way reads the attributes and the other does not: {one:?}, {other:?}"),
    }
}

fn measure(value: &Value, level: usize, depth: &mut usize, texts: &mut usize) {
    *depth = (*depth).max(level);
    match value {
        Value::Null | Value::Bool(_) => {}
        Value::Number(number) => *texts += number.0.len(),
        Value::Text(text) | Value::Opaque(text) => *texts += text.len(),
        Value::Nested { raw, value, .. } => {
            *texts += raw.len();
            measure(value, level + 1, depth, texts);
        }
        Value::List(items) => items.iter().for_each(|item| measure(item, level + 1, depth, texts)),
        Value::Map(entries) => entries.iter().for_each(|(key, item)| {
            *texts += key.len();
            measure(item, level + 1, depth, texts);
        }),
        Value::Tagged { tag, value } => {
            *texts += tag.len();
            measure(value, level + 1, depth, texts);
        }
    }
}

/// A database damaged by the instructions in `data` gives errors or a consistent view.
pub(super) fn file(data: &[u8]) {
    let _ = file::read_all(mutate::broken(data));
}

/// A URL is followed as far as it is valid, and printing the result gives an equivalent URL.
pub(super) fn address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (state, notes) = parse_fragment(&text);
    assert!(notes.iter().all(|note| note.ends_with('.')), "{notes:?}");
    assert_eq!(parse_fragment(&print_fragment(&state)), (state, Vec::new()), "of {text:?}");
}

/// A decoded message can be encoded and decoded again.
pub(super) fn message(data: &[u8]) {
    // Messages of the page's own worker are shallow; a few thousand bytes can't overflow the stack.
    let data = data.get(..4_096).unwrap_or(data);
    let (kind, data) = data.split_first().unwrap_or((&0, &[]));
    if kind % 2 == 0 { comes_back::<Command>(data) } else { comes_back::<Notification>(data) }
}

/// Columns that can be unpacked are packed to equal ones, and what a link carries is opened and indexed; invalid base64url and deflate are
/// rejected.
pub(super) fn link(data: &[u8]) {
    let _ = unseal(&String::from_utf8_lossy(data));
    let _ = inflated(data);
    if let Ok(recording) = unpack(data) {
        assert_eq!(unpack(&pack(&recording)), Ok(recording.clone()));
        let (left, _) = redact(&recording, RedactOptions::STRUCTURE);
        assert_eq!((left.spans.len(), left.events.len()), (recording.spans.len(), recording.events.len()));
    }
    if are_tables(data)
        && let Ok(mut session) = Session::open_shared(data.to_vec(), OpenOptions::with_clock(|| 0))
        && session.complete_index().is_ok()
    {
        let _ = session.copy_part(&ShareWhat::All);
    }
}

fn comes_back<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(message) = postcard::from_bytes::<T>(data) else { return };
    let written = postcard::to_stdvec(&message).expect("a message can be written");
    let again: T = postcard::from_bytes(&written).expect("what was written can be read");
    assert!(postcard::to_stdvec(&again).is_ok_and(|again| again == written), "a message changes on its way");
}

//! Fuzzes redaction: any attributes, names and messages.

use quipu::model::{EventRecord, Recording, SpanRecord};
use quipu::protocol::RedactOptions;
use quipu::share::redact;

/// What is redacted keeps its rows, and is not much longer than before.
pub(super) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let id = "b7ad6b7169203331";
    let span = SpanRecord { span_id: id.into(), name: Some(text.clone()), attributes: Some(text.clone()), ..SpanRecord::default() };
    let event = EventRecord { span_id: Some(id.into()), attributes: Some(text.clone()), ..EventRecord::default() };
    let recording = Recording { spans: vec![span], events: vec![event], ..Recording::default() };
    for options in [RedactOptions::default(), RedactOptions::STRUCTURE, RedactOptions::NOTHING] {
        let (left, _) = redact(&recording, options);
        assert_eq!((left.spans.len(), left.events.len()), (1, 1));
        let length = left.records().map(|record| record.text_bytes()).sum::<usize>();
        assert!(length <= 16 * 3 * text.len() + 4_096, "{length} bytes out of {}", text.len());
    }
}

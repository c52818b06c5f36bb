//! Round trips of link data, and rejection of anything else.

use super::bytes::Out;
use super::*;
use proptest::prelude::*;
use quipu_model::{EventRecord, LogRecord, Recording, SpanRecord, TraceRecord, WholeRows};
use quipu_protocol::LeftOut;

fn text() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "\\PC{0,20}".prop_map(Some),
        Just(Some(String::new())),
        prop::sample::select(vec!["OK", "INTERNAL", "inference", "{\"a\": 1}"]).prop_map(|text| Some(text.to_owned())),
    ]
}

fn id() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "[0-9a-f]{16}".prop_map(Some),
        (0..9_u8).prop_map(|number| Some(format!("{number:016x}"))),
        (250..260_u16).prop_map(|number| Some(format!("{number:032x}"))),
        "[0-9A-F]{8}|\\PC{0,12}".prop_map(Some),
    ]
}

fn time() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        "\\PC{0,8}".prop_map(Some),
        (1_600_000_000_000_000_i64..1_900_000_000_000_000, 0..3_u8).prop_map(|(micros, form)| {
            Some(times::write(micros, times::TimeForm::of_code(form + 2).unwrap_or(times::TimeForm::Zoned)))
        }),
        prop::sample::select(vec![
            "2026-11-22T18:39:22+00:00",
            "2026-11-22T18:39:22.500000Z",
            "2026-11-22T18:39:22.1",
            "0001-01-01T00:00:00",
            "2026-11-22T18:39:22+01:00"
        ])
        .prop_map(|text| Some(text.to_owned())),
    ]
}

prop_compose! {
    fn span()(span_id in id(), trace_id in id(), parent_span_id in id(), name in text(), start_time in time(), end_time in time(), attributes in text(), status in text(), kind in text()) -> SpanRecord {
        SpanRecord { span_id: span_id.unwrap_or_default(), trace_id, parent_span_id, name, start_time, end_time, attributes, status, kind }
    }
}

prop_compose! {
    fn trace()(trace_id in id(), service_name in text(), root_span_id in id(), start_time in time(), end_time in time(), created_at in time()) -> TraceRecord {
        TraceRecord { trace_id: trace_id.unwrap_or_default(), service_name, root_span_id, start_time, end_time, created_at }
    }
}

prop_compose! {
    fn event()(span_id in id(), name in text(), timestamp in time(), attributes in text()) -> EventRecord {
        EventRecord { span_id, name, timestamp, attributes }
    }
}

prop_compose! {
    fn recording()(traces in prop::collection::vec(trace(), 0..3), spans in prop::collection::vec(span(), 0..12), events in prop::collection::vec(event(), 0..5)) -> Recording {
        Recording { traces, spans, events }
    }
}

proptest! {
    #[test]
    fn what_is_packed_comes_back_the_same(recording in recording()) {
        prop_assert_eq!(unpack(&pack(&recording)), Ok(recording.clone()));
        let letters = seal(&deflated(&pack(&recording)), Form::Deflated);
        let (form, body) = unseal(&letters).expect("sealed");
        prop_assert_eq!((form, inflated(&body).and_then(|columns| unpack(&columns))), (Form::Deflated, Ok(recording)));
    }

    #[test]
    fn no_bytes_stop_the_reader(bytes in prop::collection::vec(any::<u8>(), 0..200), letters in "\\PC*") {
        let _ = unpack(&bytes);
        let _ = inflated(&bytes);
        let _ = unseal(&letters);
    }

    #[test]
    fn columns_that_were_changed_do_not_stop_the_reader(recording in recording(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = pack(&recording);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = unpack(&bytes);
        let _ = unpack(&bytes[..at]);
    }

    #[test]
    fn a_link_that_was_cut_or_changed_is_told(recording in recording(), at in any::<prop::sample::Index>(), letter in "[A-Za-z0-9_-]") {
        let letters = seal(&deflated(&pack(&recording)), Form::Deflated);
        // The last bits of a character may belong to no byte.
        let at = at.index(letters.len() - 1);
        let mut changed = letters.clone();
        changed.replace_range(at..=at, &letter);
        if changed != letters {
            prop_assert!(unseal(&changed).is_err());
        }
        prop_assert!(unseal(&letters[..at]).is_err());
    }
}

#[test]
fn every_way_a_link_fails_has_its_sentence() {
    let good = seal(&deflated(&pack(&Recording::default())), Form::Deflated);
    let later = base64_url(&[LINK_VERSION + 1, 0, 1, 2, 3, 4, 5]);
    let bomb = miniz_oxide::deflate::compress_to_vec(&vec![0; MAX_UNPACKED_BYTES + 1], 1);
    let sentences = [
        unseal("nö").expect_err("none").to_string(),
        unseal("").expect_err("none").to_string(),
        unseal(&good[..good.len() - 3]).expect_err("cut").to_string(),
        unseal(&later).expect_err("later").to_string(),
        inflated(&bomb).expect_err("bomb").to_string(),
        unpack(&[1, 0, 0, 0, 0]).expect_err("malformed").to_string(),
    ];
    insta::assert_snapshot!(sentences.join("\n"), @r"
    The link contains no trace. Ask for the link again.
    The link contains no trace. Ask for the link again.
    The link is damaged: a part of it was cut off or changed on its way. Chat and mail programs shorten long links; ask for it again, or for a file.
    The link was made by a later Quipu: its data has version 3, and this Quipu reads versions up to 2. Reload the page to get its newest release, or open the link in a Quipu that is as new as the sender’s.
    This link holds more than 64.0 MB when unpacked. Ask for a file.
    The link’s data is inconsistent and can’t be read. Ask for the link again.
    ");
}

#[test]
fn few_bytes_that_name_one_text_many_times_are_refused() {
    // A string of 1 MiB, used by each of 300 spans.
    let span = SpanRecord { span_id: "a".into(), attributes: Some("x".repeat(1 << 20)), ..SpanRecord::default() };
    let recording = Recording { spans: vec![span; 300], ..Recording::default() };
    let bytes = pack(&recording);
    assert!(bytes.len() < (1 << 20) + 8_000);
    assert_eq!(unpack(&bytes), Err(LinkError::TooLarge { bytes: 256_000_000 }));
}

#[test]
fn a_short_link_that_holds_millions_of_rows_is_refused_before_they_are_made() {
    // The counts of texts, ids, traces, spans and events; the one id; then a column of each, of which all bytes but one are zero.
    for (counts, expected) in [
        ([0, 1, 0, 5_000_000, 0], 256_000_000),
        ([0, 0, 0, 0, 12_000_000], 256_000_000),
        ([30_000_000, 0, 0, 0, 0], 256_000_000),
    ] {
        let mut out = Out::default();
        counts.iter().for_each(|count: &u64| out.number(*count));
        let mut columns = out.0;
        columns.resize(60_000_000, 0);
        let letters = seal(&deflated(&columns), Form::Deflated);
        assert!(letters.len() < 100_000, "{} letters", letters.len());
        let (_, body) = unseal(&letters).expect("a link");
        let told = inflated(&body).and_then(|columns| unpack(&columns)).expect_err("a limit");
        assert_eq!(told, LinkError::TooLarge { bytes: expected });
        assert_eq!(told.to_string(), "This link holds more than 256 MB when unpacked. Ask for a file.");
    }
}

#[test]
fn mail_that_breaks_a_link_into_lines_does_no_harm() {
    let letters = seal(b"some bytes that are long enough", Form::Encrypted);
    let broken = format!("{}\r\n {}", &letters[..10], &letters[10..]);
    assert_eq!(unseal(&broken), Ok((Form::Encrypted, b"some bytes that are long enough".to_vec())));
}

#[test]
fn the_data_of_a_link_is_found_wherever_the_link_is() {
    let fragment = "#v1/trace/abc?tab=logs&data=AQAB_-";
    assert_eq!(link_data(fragment), Some("AQAB_-"));
    assert_eq!(link_data(&format!(" https://example.org/quipu/?x=1{fragment}\n")), Some("AQAB_-"));
    assert_eq!(link_data(&format!("# Look\nat <https://example.org/{fragment}>.\nRegards")), Some("AQAB_-"));
    assert_eq!(link_data("#v1/trace/abc?tab=logs"), None);
    assert_eq!(link_data("data=AQAB"), None);
}

#[test]
fn programs_take_links_as_long_as_they_do() {
    let takers = |letters| taken_by(letters).filter(|(_, takes)| *takes).map(|(limit, _)| limit.name).collect::<Vec<_>>();
    assert_eq!(takers(4_000), ["Slack", "a GitHub comment", "Safari", "Firefox", "Chromium"]);
    assert_eq!(takers(3_000_000), [""; 0]);
}

#[test]
fn long_values_leave_their_size_behind_and_short_ones_stay() {
    let long = "y".repeat(1_000);
    let attributes = format!(r#"{{"a": "{long}", "b": "{{'x': '{long}', 'n': 1}}", "c": [1, "{long}"], "d": "short", "e": 1.50}}"#);
    let span = SpanRecord { attributes: Some(attributes.clone()), ..SpanRecord::default() };
    let log = LogRecord { attributes: Some(format!(r#"{{"message": "{long}"}}"#)), ..LogRecord::default() };
    let recording = Recording { spans: vec![span], ..Recording::default() };
    let mut rows = WholeRows { recording, logs: vec![log], ..WholeRows::default() };
    assert_eq!(leave_out(&mut rows, 2_000), LeftOut::default());
    assert_eq!(rows.recording.spans[0].attributes.as_deref(), Some(attributes.as_str()));
    assert_eq!(leave_out(&mut rows, 500), LeftOut { values: 4, bytes: 4_000 });
    assert_eq!(rows.logs[0].attributes.as_deref(), Some(r#"{"message": "[left out: 1,000 bytes]"}"#));
    insta::assert_snapshot!(
        rows.recording.spans[0].attributes.as_deref().unwrap_or_default(),
        @r#"{"a": "[left out: 1,000 bytes]", "b": "{'x': '[left out: 1,000 bytes]', 'n': 1}", "c": [1, "[left out: 1,000 bytes]"], "d": "short", "e": 1.50}"#
    );
    let limits: Vec<u32> = std::iter::successors(next_limit(None), |limit| next_limit(Some(*limit))).collect();
    assert_eq!(limits, [65_536, 16_384, 4_096, 1_024, 256, 64]);
}

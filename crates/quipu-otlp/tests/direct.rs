//! Spans read from protobuf directly become the same rows as by a tree, whatever the bytes are.

#![expect(
    clippy::cast_possible_truncation,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "a test: its numbers are small, it reads fixtures, and its places are in what it made"
)]

use proptest::prelude::*;
use quipu_otlp::direct::read_resource;
use quipu_otlp::messages::RESOURCE_SPANS;
use quipu_otlp::parts::{Room, read_protobuf};
use quipu_otlp::rows::Rows;
use quipu_otlp::wire::{Reader, Wire};

fn varint(mut number: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
    out
}

fn bytes(number: u64, content: &[u8]) -> Vec<u8> {
    [varint(number << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn number(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3), varint(value)].concat()
}

fn fixed(number: u64, value: u64) -> Vec<u8> {
    [varint(number << 3 | 1), value.to_le_bytes().to_vec()].concat()
}

fn fixed_32(number: u64, value: u32) -> Vec<u8> {
    [varint(number << 3 | 5), value.to_le_bytes().to_vec()].concat()
}

/// The rows of a resource, or the error, as text: by a tree, and directly.
fn read(message: &[u8]) -> [String; 2] {
    let room = Room::of(message.len());
    let told = |rows: &Rows| {
        let mut spans = String::new();
        for span in rows.spans() {
            spans.push_str(&format!("{span:?}\n"));
        }
        format!("{spans}{:?} {:?} {:?} {}", rows.resources, rows.sources, rows.problems(), rows.weight())
    };
    let (mut by_tree, mut direct) = (Rows::default(), Rows::default());
    let mut parts = [0, 0];
    let tree = read_protobuf(message, &RESOURCE_SPANS, room, &mut by_tree, &mut |rows, part| {
        rows.take("resourceSpans", part);
        parts[0] += 1;
    });
    let read = read_resource(message, ("resourceSpans", &RESOURCE_SPANS), room, &mut direct, &mut |_| parts[1] += 1);
    [
        format!("{tree:?} {} {}", parts[0], told(&by_tree)),
        format!("{read:?} {} {}", parts[1], told(&direct)),
    ]
}

/// A key or text: mostly plain, sometimes with letters that are escaped, or no UTF-8.
fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        3 => prop::sample::select(vec!["a", "b", "__ttl__", "__local_root_span__", "", "0", "name with \"quotes\" \\ and\n\t\r\u{8}\u{c}\u{1}\u{7f}", "äß€🦙"])
            .prop_map(|text| text.as_bytes().to_vec()),
        1 => ".{0,20}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..5),
    ]
}

/// A number of which the ends are as likely as the rest.
fn integer() -> impl Strategy<Value = u64> {
    prop_oneof![0..5_u64, any::<u64>(), Just(u64::MAX), Just(1 << 63), Just(u64::from(u32::MAX) + 1)]
}

fn double() -> impl Strategy<Value = u64> {
    prop_oneof![
        any::<u64>(),
        any::<f64>().prop_map(f64::to_bits),
        prop::sample::select(vec![0.0, -0.0, 1.0, 1e16, -2.5e-7, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, f64::MAX])
            .prop_map(f64::to_bits),
    ]
}

/// An `AnyValue`.
fn value() -> impl Strategy<Value = Vec<u8>> {
    let leaf = prop_oneof![
        4 => text().prop_map(|text| bytes(1, &text)),
        2 => (0..3_u64).prop_map(|truth| number(2, truth)),
        2 => integer().prop_map(|value| number(3, value)),
        2 => double().prop_map(|value| fixed(4, value)),
        1 => prop::collection::vec(any::<u8>(), 0..9).prop_map(|value| bytes(7, &value)),
        1 => Just(Vec::new()),
        1 => (1..10_u64).prop_map(|kind| number(kind, 1)),
        1 => (20..30_usize).prop_map(|depth| (0..depth).fold(bytes(1, b"x"), |inner, _| bytes(5, &bytes(1, &inner)))),
        1 => (20..30_usize).prop_map(|depth| {
            (0..depth).fold(bytes(1, b"x"), |inner, _| bytes(6, &bytes(1, &[bytes(1, b"k"), bytes(2, &inner)].concat())))
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4)
                .prop_map(|items| bytes(5, &items.iter().flat_map(|item| bytes(1, item)).collect::<Vec<u8>>())),
            prop::collection::vec(pair(inner.clone()), 0..4).prop_map(|pairs| bytes(6, &pairs.concat())),
            // Of several kinds the first counts.
            (inner.clone(), inner).prop_map(|(first, second)| [first, second].concat()),
        ]
    })
}

/// Field 1 with a `KeyValue`; sometimes without a part, with one twice, or turned around.
fn pair(value: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    (text(), value, 0..12_u8).prop_map(|(key, value, form)| {
        let (key, value) = (bytes(1, &key), bytes(2, &value));
        bytes(
            1,
            &match form {
                0 => key,
                1 => value,
                2 => [value, key].concat(),
                3 => [key.clone(), value, key].concat(),
                4 => [key, number(9, 1), value].concat(),
                _ => [key, value].concat(),
            },
        )
    })
}

/// `KeyValue`s in a field.
fn pairs(field: u64) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(pair(value()), 0..4).prop_map(move |pairs| {
        let mut out = Vec::new();
        for pair in pairs {
            let mut reader = Reader::new(&pair);
            if let Ok(Some((1, Wire::Bytes(pair)))) = reader.field() {
                out.extend(bytes(field, pair));
            }
        }
        out
    })
}

fn id(length: usize) -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => prop::collection::vec(any::<u8>(), length..=length),
        1 => Just(vec![0; length]),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    (integer(), text(), pairs(3), 0..2_u64, 0..8_u8).prop_map(|(time, name, pairs, dropped, form)| match form {
        0 => pairs,
        1 => [bytes(2, &name), fixed(1, time), fixed(1, time), pairs].concat(),
        2 => [number(1, time), pairs].concat(),
        _ => [fixed(1, time), bytes(2, &name), pairs, number(4, dropped)].concat(),
    })
}

fn link() -> impl Strategy<Value = Vec<u8>> {
    (id(16), id(8), text(), pairs(4), any::<u32>()).prop_map(|(trace, span, state, pairs, flags)| {
        [bytes(1, &trace), bytes(2, &span), bytes(3, &state), pairs, fixed_32(6, flags)].concat()
    })
}

/// A span, as the fields of its message.
fn span() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let ids = (id(16), id(8), prop::option::of(id(8)));
    let status = (text(), 0..5_u64).prop_map(|(message, code)| [bytes(2, &message), number(3, code)].concat());
    let lists = (pairs(9), prop::collection::vec(event(), 0..3), prop::collection::vec(link(), 0..2));
    (ids, text(), integer(), (integer(), integer()), lists, prop::option::of(status), integer()).prop_map(
        |((trace, own, parent), name, kind, (start, end), (pairs, events, links), status, dropped)| {
            let mut fields = vec![bytes(1, &trace), bytes(2, &own)];
            fields.extend(parent.map(|parent| bytes(4, &parent)));
            fields.extend([bytes(5, &name), number(6, kind), fixed(7, start), fixed(8, end), pairs]);
            fields.extend(events.iter().map(|event| bytes(11, event)));
            fields.extend(links.iter().map(|link| bytes(13, link)));
            fields.extend(status.map(|status| bytes(15, &status)));
            if dropped < 5 {
                fields.extend([bytes(3, &name), number(10, dropped), number(12, 1), number(14, 2), fixed_32(16, 257), number(40, 1)]);
            }
            fields
        },
    )
}

/// Spans with their fields in order, or in another order, or one field twice.
fn spans() -> impl Strategy<Value = Vec<u8>> {
    let one = (span(), 0..6_u8, any::<prop::sample::Index>()).prop_map(|(mut fields, form, at)| {
        match form {
            0 => fields.reverse(),
            1 => fields.push(at.get(&fields).clone()),
            2 => drop(fields.remove(at.index(fields.len()))),
            _ => {}
        }
        bytes(2, &fields.concat())
    });
    prop::collection::vec(one, 1..4).prop_map(|spans| spans.concat())
}

fn resource() -> impl Strategy<Value = Vec<u8>> {
    (pairs(1), prop::collection::vec((text(), pairs(3), spans()), 0..3)).prop_map(|(attributes, scopes)| {
        let scopes = scopes
            .iter()
            .map(|(name, pairs, spans)| bytes(2, &[bytes(1, &[bytes(1, name), pairs.clone()].concat()), spans.clone()].concat()));
        [bytes(1, &attributes), scopes.collect::<Vec<_>>().concat()].concat()
    })
}

/// Bytes with some of them changed, removed or repeated.
fn mutated(mut message: Vec<u8>, changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    for (change, at, byte) in changes.iter().filter(|_| !message.is_empty()).cloned().collect::<Vec<_>>() {
        if message.is_empty() {
            break;
        }
        let at = at.index(message.len());
        match change % 5 {
            0 => message[at] = byte,
            1 => message[at] ^= 1 << (byte % 8),
            2 => drop(message.remove(at)),
            3 => message.insert(at, byte),
            _ => message.truncate(at),
        }
    }
    message
}

fn changes() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, u8)>> {
    prop::collection::vec((any::<u8>(), any::<prop::sample::Index>(), any::<u8>()), 0..4)
}

fn assert_same(message: &[u8]) {
    let [by_tree, direct] = read(message);
    assert_eq!(direct, by_tree, "{message:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn spans_read_directly_are_those_of_a_tree(message in resource(), changes in changes()) {
        assert_same(&message);
        assert_same(&mutated(message, &changes));
    }
}

/// The resources of the requests in `tests/fixtures/otlp`.
fn recorded() -> Vec<Vec<u8>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/fixtures/otlp");
    let mut found = Vec::new();
    for name in [
        "direct_0.2.23",
        "genai_events",
        "genai_messages",
        "genai_traceloop",
        "openinference",
        "small_0.2.15",
    ] {
        let body = std::fs::read(format!("{folder}/{name}_traces.binpb")).expect("a fixture");
        let mut reader = Reader::new(&body);
        while let Some((_, Wire::Bytes(resource))) = reader.field().expect("a request") {
            found.push(resource.to_vec());
        }
    }
    found
}

#[test]
fn recorded_spans_read_the_same() {
    let recorded = recorded();
    assert!(recorded.len() >= 6);
    recorded.iter().for_each(|resource| assert_same(resource));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn changed_recorded_spans_read_the_same(at in any::<prop::sample::Index>(), changes in changes()) {
        let recorded = recorded();
        assert_same(&mutated(at.get(&recorded).clone(), &changes));
    }
}

//! Tests in a real browser's worker: files read in place, with SQLite compiled to wasm.

use crate::blob::{BlobSource, Loaded};
use js_sys::{Array, Uint8Array};
use quipu::Session;
use quipu::protocol::GetFile;
use quipu::store::{ByteSource, NamedSource, OpenOptions};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::Blob;

wasm_bindgen_test_configure!(run_in_dedicated_worker);

fn blob(bytes: &[u8]) -> Blob {
    Blob::new_with_u8_array_sequence(&Array::of1(&Uint8Array::from(bytes))).expect("a blob")
}

fn named(name: &str, bytes: &[u8]) -> NamedSource {
    NamedSource { name: name.into(), source: Box::new(BlobSource::new(blob(bytes), Loaded::default()).expect("a reader")) }
}

fn spans(files: Vec<NamedSource>) -> Option<u64> {
    let mut session = Session::open(files, OpenOptions::with_clock(|| 0)).expect("a real file opens");
    while !session.step(&mut || true).expect("a real file is read").done {}
    session.ask(GetFile).expect("a summary").spans
}

#[wasm_bindgen_test]
fn a_blob_is_read_in_pieces() {
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at & 0xff) as u8).collect();
    let source = BlobSource::new(blob(&bytes), Loaded::default()).expect("a reader");
    let (mut one, mut other) = ([0; 10], [0; 300]);
    source.read_into(70_000, &mut [&mut one, &mut other]).expect("a blob is readable");
    assert_eq!([&one[..], &other[..]].concat(), bytes.get(70_000..70_310).unwrap_or_default());
}

#[wasm_bindgen_test]
fn a_database_is_opened_and_indexed_where_it_lies() {
    assert_eq!(spans(vec![named("agent.db", include_bytes!("../../../samples/agent_0.2.15.db"))]), Some(434));
}

#[wasm_bindgen_test]
fn a_hot_journal_is_rolled_back_in_memory() {
    let database = include_bytes!("../../../tests/fixtures/db/real_live.db");
    let journal = include_bytes!("../../../tests/fixtures/db/real_live.db-journal");
    assert_eq!(spans(vec![named("real_live.db", database)]), Some(294));
    assert_eq!(spans(vec![named("real_live.db", database), named("real_live.db-journal", journal)]), Some(293));
}

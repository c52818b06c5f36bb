//! Importing in one call, and rows by plain SQL.

use crate::support;
use quipu::protocol::Failure;
use quipu::protocol::FileFormat;
use quipu::store::{Layout, NamedSource, OpenOptions, Writer};
use quipu::transfer::{ImportReport, Importer};
use quipu::{Selection, Session};
use rusqlite::Connection;
use rusqlite::types::ValueRef;

/// Imports the inputs to the bytes of a database in the reference's layout.
pub(crate) fn import_bytes(inputs: &[(&str, &[u8])]) -> (Vec<u8>, ImportReport) {
    import_as(Layout::Reference, inputs)
}

/// Imports the inputs to the bytes of a database.
pub(crate) fn import_as(layout: Layout, inputs: &[(&str, &[u8])]) -> (Vec<u8>, ImportReport) {
    let mut importer = Importer::new(Writer::in_memory_with(layout).expect("a writer")).expect("an importer");
    for (name, bytes) in inputs {
        importer.begin(name);
        // In chunks of an odd length, so that every boundary occurs.
        for chunk in bytes.chunks(4_093) {
            importer.push(chunk).expect("it is understood");
        }
        importer.end().expect("it is understood");
    }
    let (writer, report) = importer.finish().expect("it is written");
    (writer.into_bytes().expect("bytes"), report)
}

/// Imports the inputs, and opens and indexes the result.
pub(crate) fn import(inputs: &[(&str, &[u8])]) -> (Session, ImportReport) {
    let (bytes, report) = import_bytes(inputs);
    (session_of(bytes), report)
}

/// Opens and indexes the bytes of a database.
pub(crate) fn session_of(bytes: Vec<u8>) -> Session {
    let file = NamedSource { name: "imported".into(), source: Box::new(quipu::store::MemorySource(bytes)) };
    let mut session = Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("an index");
    session
}

/// A file of the repository.
pub(crate) fn read(name: &str) -> Vec<u8> {
    std::fs::read(support::path(name)).expect("the fixture is there")
}

/// A connection of plain SQLite over the bytes of a database.
pub(crate) fn sql_of(bytes: &[u8]) -> Connection {
    let mut connection = Connection::open_in_memory().expect("SQLite");
    connection.deserialize_read_exact("main", bytes, bytes.len(), false).expect("a database");
    connection
}

/// Rows as strings.
pub(crate) fn rows(connection: &Connection, sql: &str) -> Vec<Vec<String>> {
    let mut statement = connection.prepare(sql).expect("SQL");
    let columns = statement.column_count();
    let read = |row: &rusqlite::Row<'_>| (0..columns).map(|at| Ok(show(row.get_ref(at)?))).collect();
    statement.query_map([], read).expect("rows").collect::<Result<_, _>>().expect("rows")
}

fn show(value: ValueRef<'_>) -> String {
    match value {
        ValueRef::Null => "NULL".into(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Real(number) => format!("{number:?}"),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// A gzip member with the bytes stored uncompressed.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut blocks = bytes.chunks(0xffff).peekable();
    while let Some(block) = blocks.next() {
        out.push(u8::from(blocks.peek().is_none()));
        out.extend_from_slice(&(block.len() as u16).to_le_bytes());
        out.extend_from_slice(&(!(block.len() as u16)).to_le_bytes());
        out.extend_from_slice(block);
    }
    let checksum = !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |rest, _| if rest & 1 == 1 { rest >> 1 ^ 0xedb8_8320 } else { rest >> 1 })
    });
    out.extend_from_slice(&checksum.to_le_bytes());
    out.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    out
}

/// Exports a selection in a format.
pub(crate) fn export(session: &mut Session, selection: Selection<'_>, format: FileFormat) -> Vec<u8> {
    let mut out = Vec::new();
    let sink = &mut |bytes: &[u8]| {
        out.extend_from_slice(bytes);
        Ok::<(), Failure>(())
    };
    session.export(selection, format, sink).expect("an export");
    out
}

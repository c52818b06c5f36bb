//! Reads the header of a SQLite database, or identifies a file that is not one.

use crate::other_file::other_file;

/// Fields of the first 100 bytes.
pub(super) struct Header {
    /// Write-ahead logging: bytes 18 and 19 are 2.
    pub(super) wal: bool,
    pub(super) page_size: u64,
    /// Number of pages; 0 if an old writer did not set it.
    pub(super) pages: u64,
}

/// Parses the header, or returns a sentence that says what the file is instead.
pub(super) fn read_header(head: &[u8], name: &str, len: u64) -> Result<Header, String> {
    const WANTED: &str = "Quipu opens the SQLite file a Llama Stack server wrote (telemetry.db or trace_store.db), and traces of OTLP, Jaeger, Zipkin, Langfuse, Phoenix and others, compressed or not.";
    if len == 0 {
        return Err(format!("{name} is empty (0 bytes). {WANTED}"));
    }
    if !head.starts_with(b"SQLite format 3\0") {
        let what = other_file(head).unwrap_or("not a SQLite database, or an encrypted one");
        return Err(format!("{name} is {what}. {WANTED}"));
    }
    let Some(head) = head.first_chunk::<100>() else {
        return Err(format!("{name} ends after {len} bytes, within the header of a SQLite database: it was cut off. Copy it again."));
    };
    let number = |at: usize| head.get(at..)?.first_chunk().map(|bytes| u64::from(u32::from_be_bytes(*bytes)));
    let page_size = match u16::from_be_bytes([head[16], head[17]]) {
        1 => 65_536,
        size => u64::from(size),
    };
    // The page count is valid only if both change counters are equal.
    let pages = if number(24) == number(92) { number(28).unwrap_or_default() } else { 0 };
    Ok(Header { wal: head[18] == 2 && head[19] == 2, page_size, pages })
}

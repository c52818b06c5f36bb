//! Damages a real database as a script of bytes says: each instruction is a byte, followed by its arguments.
//!
//! The format is SQLite's (<https://www.sqlite.org/fileformat.html>): pages are b-trees of cells, cells have varint lengths, and there are
//! chains of overflow pages. Files that were never databases are in `hostile`.

use super::file::Files;
use crate::fixtures::{EVENTS, Fixture, LIVE, METRICS, OLD_0_0_58, OLD_0_2_7, SMALL};

/// The databases to damage. They are small, so that many can be tried; one has a hot journal, one has overflow pages.
const SOURCES: [Fixture; 6] = [EVENTS, SMALL, OLD_0_0_58, OLD_0_2_7, LIVE, METRICS];
/// Maximum number of instructions.
const MOST: usize = 24;
/// Numbers at the limits of something.
const EDGES: [u64; 12] = [0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0xffff_ffff, 0x7fff_ffff_ffff_ffff, u64::MAX];

/// The remaining bytes of a script.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn byte(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    /// A number below `bound`; 0 at the end of the script.
    fn below(&mut self, bound: usize) -> usize {
        let number = u32::from_le_bytes([self.byte(), self.byte(), self.byte(), None].map(Option::unwrap_or_default));
        number as usize % bound.max(1)
    }

    fn coin(&mut self) -> bool {
        self.byte().is_none_or(|byte| byte < 0x80)
    }

    fn edge(&mut self) -> u64 {
        match self.byte().unwrap_or_default() {
            byte @ 0..200 => EDGES[usize::from(byte) % EDGES.len()],
            byte => u64::from(byte) << (self.byte().unwrap_or_default() % 57),
        }
    }
}

/// The damaged files, as given to a page.
pub(super) fn broken(script: &[u8]) -> Files {
    let mut script = Script(script);
    let source = SOURCES[usize::from(script.byte().unwrap_or_default()) % SOURCES.len()];
    let mut database = Database(bytes_of(&source, false));
    let mut companion = if source.has_journal { Some(("some.db-journal", bytes_of(&source, true))) } else { None };
    for _ in 0..MOST {
        let Some(instruction) = script.byte() else { break };
        match instruction % 16 {
            14 => companion = change_companion(companion, &mut script),
            _ => database.change(instruction % 16, &mut script),
        }
    }
    let mut files = vec![("some.db", database.0)];
    files.extend(companion);
    files
}

/// The bytes of a fixture or its journal; empty if it can't be read, which is a case too.
fn bytes_of(fixture: &Fixture, journal: bool) -> Vec<u8> {
    let path = if journal { fixture.journal() } else { Some(fixture.path()) };
    path.and_then(|path| std::fs::read(path).ok()).unwrap_or_default()
}

/// Flips, cuts or invents a journal or a write-ahead log.
fn change_companion(companion: Option<(&'static str, Vec<u8>)>, script: &mut Script<'_>) -> Option<(&'static str, Vec<u8>)> {
    let (name, mut bytes) = companion.unwrap_or_else(|| {
        // The first bytes of a journal and of a write-ahead log.
        let journal = [&b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7"[..], &[0; 1_200]].concat();
        let wal = [&b"\x37\x7f\x06\x82\x00\x2d\xe2\x18\x00\x00\x10\x00"[..], &[0; 8_240]].concat();
        if script.coin() { ("some.db-journal", journal) } else { ("some.db-wal", wal) }
    });
    let at = script.below(bytes.len().min(600));
    if let Some(byte) = bytes.get_mut(at) {
        *byte ^= script.byte().unwrap_or(1) | 1;
    }
    if script.byte().unwrap_or_default() > 200 {
        bytes.truncate(script.below(bytes.len()));
    }
    Some((name, bytes))
}

struct Database(Vec<u8>);

/// A b-tree page, as far as its header is valid.
struct Page {
    /// Offset of the page, and of its header: the first page starts with the file header.
    begin: usize,
    header: usize,
    is_leaf: bool,
    is_table: bool,
    cells: usize,
}

/// Encodes a varint of SQLite: seven bits per byte, eight in the ninth.
fn varint(number: u64) -> Vec<u8> {
    if number >> 56 != 0 {
        let high = (1..=8).rev().map(|group| 0x80 | (number >> (7 * group + 1)) as u8);
        return high.chain([number as u8]).collect();
    }
    let groups = (u64::BITS - number.leading_zeros()).div_ceil(7).max(1);
    (0..groups).rev().map(|group| (number >> (7 * group)) as u8 & 0x7f | if group > 0 { 0x80 } else { 0 }).collect()
}

impl Database {
    fn change(&mut self, instruction: u8, script: &mut Script<'_>) {
        match instruction {
            0 => self.flip(script),
            1 => self.set_header(script),
            2 => self.set_page_header(script),
            3 => self.set_cell_pointer(script),
            4 => self.set_payload_length(script),
            5 => self.set_record_header(script),
            6 => self.set_overflow(script),
            7 => self.set_child(script),
            8 => self.change_schema(script),
            9 => self.cut(script),
            10 => self.change_text(script),
            11 => self.copy_page(script),
            12 => self.swap_cells(script),
            13 => self.set_rowid(script),
            _ => self.flip_in_cell(script),
        }
    }

    fn page_bytes(&self) -> usize {
        match self.number(16, 2) {
            Some(1) => 65_536,
            Some(bytes @ 512..=65_536) => bytes as usize,
            _ => 4_096,
        }
    }

    fn pages(&self) -> usize {
        self.0.len() / self.page_bytes()
    }

    fn number(&self, at: usize, bytes: usize) -> Option<u64> {
        Some(self.0.get(at..at + bytes)?.iter().fold(0, |sum, byte| sum << 8 | u64::from(*byte)))
    }

    /// Writes the lowest bytes of a number in big endian, within the file.
    fn put(&mut self, at: usize, number: u64, bytes: usize) {
        for (place, byte) in (at..).zip(&number.to_be_bytes()[8 - bytes..]) {
            if let Some(old) = self.0.get_mut(place) {
                *old = *byte;
            }
        }
    }

    /// Overwrites a varint, with as many bytes as the number needs.
    fn put_varint(&mut self, at: usize, number: u64) {
        for (place, byte) in (at..).zip(varint(number)) {
            if let Some(old) = self.0.get_mut(place) {
                *old = byte;
            }
        }
    }

    /// Reads a varint; also returns its length.
    fn varint_at(&self, at: usize) -> (u64, usize) {
        let mut number = 0u64;
        for len in 1..=9 {
            let byte = self.0.get(at + len - 1).copied().unwrap_or_default();
            if len == 9 {
                return (number << 8 | u64::from(byte), 9);
            }
            number = number << 7 | u64::from(byte & 0x7f);
            if byte < 0x80 {
                return (number, len);
            }
        }
        (number, 9)
    }

    /// Searches for a b-tree page, starting where the script says.
    fn page(&self, script: &mut Script<'_>, wanted: impl Fn(&Page) -> bool) -> Option<Page> {
        let (pages, first) = (self.pages(), script.below(self.pages()));
        (0..pages).map(|step| (first + step) % pages).find_map(|number| {
            let begin = number * self.page_bytes();
            let header = if number == 0 { 100 } else { begin };
            let kind = *self.0.get(header)?;
            let page = Page {
                begin,
                header,
                is_leaf: matches!(kind, 10 | 13),
                is_table: matches!(kind, 5 | 13),
                cells: self.number(header + 3, 2)? as usize,
            };
            (matches!(kind, 2 | 5 | 10 | 13) && page.cells > 0 && wanted(&page)).then_some(page)
        })
    }

    /// The offset of a cell pointer, and its target.
    fn cell(&self, page: &Page, script: &mut Script<'_>) -> Option<(usize, usize)> {
        let pointer = page.header + if page.is_leaf { 8 } else { 12 } + 2 * script.below(page.cells);
        Some((pointer, page.begin + self.number(pointer, 2)? as usize))
    }

    /// The offsets of the payload length, rowid and payload of a cell in a table leaf.
    fn row(&self, script: &mut Script<'_>) -> Option<(usize, usize, usize)> {
        let page = self.page(script, |page| page.is_leaf && page.is_table)?;
        let (_, length) = self.cell(&page, script)?;
        let rowid = length + self.varint_at(length).1;
        Some((length, rowid, rowid + self.varint_at(rowid).1))
    }

    fn flip(&mut self, script: &mut Script<'_>) {
        let at = script.below(self.0.len());
        if let Some(byte) = self.0.get_mut(at) {
            *byte ^= script.byte().unwrap_or(1) | 1;
        }
    }

    fn set_header(&mut self, script: &mut Script<'_>) {
        // Page size, versions, reserved bytes, counters, freelist, encoding, vacuum, size.
        let fields = [
            (16, 2),
            (18, 1),
            (19, 1),
            (20, 1),
            (21, 1),
            (24, 4),
            (28, 4),
            (32, 4),
            (36, 4),
            (44, 4),
            (52, 4),
            (56, 4),
            (64, 4),
            (92, 4),
        ];
        let (at, bytes) = fields[script.below(fields.len())];
        let number = script.edge();
        self.put(at, number, bytes);
    }

    fn set_page_header(&mut self, script: &mut Script<'_>) {
        let Some(page) = self.page(script, |_| true) else { return };
        // Kind, free blocks, number of cells, start of the cells, fragmented bytes, right child.
        let fields = [(0, 1), (1, 2), (3, 2), (5, 2), (7, 1), (8, 4)];
        let (at, bytes) = fields[script.below(fields.len())];
        let number = if at == 0 { [2, 5, 10, 13, 0, 255][script.below(6)] } else { script.edge() };
        self.put(page.header + at, number, bytes);
    }

    fn set_cell_pointer(&mut self, script: &mut Script<'_>) {
        let Some(page) = self.page(script, |_| true) else { return };
        let Some((pointer, _)) = self.cell(&page, script) else { return };
        let number = if script.coin() { script.edge() } else { script.below(self.page_bytes()) as u64 };
        self.put(pointer, number, 2);
    }

    fn swap_cells(&mut self, script: &mut Script<'_>) {
        let Some(page) = self.page(script, |_| true) else { return };
        let (Some((one, _)), Some((other, _))) = (self.cell(&page, script), self.cell(&page, script)) else { return };
        let (Some(first), Some(second)) = (self.number(one, 2), self.number(other, 2)) else { return };
        self.put(one, second, 2);
        self.put(other, first, 2);
    }

    fn set_payload_length(&mut self, script: &mut Script<'_>) {
        let Some((length, _, _)) = self.row(script) else { return };
        let number = script.edge();
        self.put_varint(length, number);
    }

    fn set_rowid(&mut self, script: &mut Script<'_>) {
        let Some((_, rowid, _)) = self.row(script) else { return };
        let number = if script.coin() { script.edge() } else { script.below(200) as u64 };
        self.put_varint(rowid, number);
    }

    fn set_record_header(&mut self, script: &mut Script<'_>) {
        let Some((_, _, payload)) = self.row(script) else { return };
        // The record header's length, or a column type: NULL, numbers, BLOBs and text of any length.
        let at = payload + script.below(12);
        let number = if script.coin() { script.edge() } else { script.below(200) as u64 };
        self.put_varint(at, number);
    }

    fn set_overflow(&mut self, script: &mut Script<'_>) {
        // The number of the next page is at the start of a page or after a cell; both are four bytes.
        let pages = self.pages();
        let at = if script.coin() {
            script.below(pages) * self.page_bytes()
        } else {
            let Some((length, _, payload)) = self.row(script) else { return };
            // The local part of a long payload, by the format's formula; the number of the next page follows.
            let (whole, usable) = (self.varint_at(length).0 as usize, self.page_bytes());
            let least = (usable - 12) * 32 / 255 - 23;
            let kept = least + whole.saturating_sub(least) % (usable - 4);
            payload + if kept <= usable - 35 { kept } else { least }
        };
        let number = if script.coin() { script.edge() } else { script.below(pages + 2) as u64 };
        self.put(at, number, 4);
    }

    fn set_child(&mut self, script: &mut Script<'_>) {
        let Some(page) = self.page(script, |page| !page.is_leaf) else { return };
        let number = script.below(self.pages() + 2) as u64;
        let at = if script.coin() { Some(page.header + 8) } else { self.cell(&page, script).map(|(_, cell)| cell) };
        if let Some(at) = at {
            self.put(at, number, 4);
        }
    }

    fn change_schema(&mut self, script: &mut Script<'_>) {
        const CHANGES: [(&str, &str); 12] = [
            ("TEXT", "BLOB"),
            ("span_id", "spam_id"),
            ("attributes", "attributed"),
            ("CREATE TABLE", "CREATE VIEW "),
            ("PRIMARY KEY", "NOT NULL   "),
            ("traces", "tracks"),
            ("spans", "spams"),
            ("TIMESTAMP", "INT UNIQUE"),
            ("span_events", "span_EVENTS"),
            ("(", "["),
            (",", ";"),
            ("status TEXT", "rowid  TEXT"),
        ];
        let (from, to) = CHANGES[script.below(CHANGES.len())];
        let end = self.page_bytes().min(self.0.len());
        let found: Vec<usize> = (0..end).filter(|at| self.0.get(*at..).is_some_and(|rest| rest.starts_with(from.as_bytes()))).collect();
        let Some(at) = found.get(script.below(found.len())).copied() else { return };
        for (place, byte) in (at..).zip(to.bytes()) {
            if let Some(old) = self.0.get_mut(place) {
                *old = byte;
            }
        }
    }

    fn cut(&mut self, script: &mut Script<'_>) {
        let len = self.0.len();
        match script.byte().unwrap_or_default() % 4 {
            0 => self.0.truncate(script.below(len)),
            1 => self.0.truncate(script.below(self.pages()) * self.page_bytes()),
            2 => self.0.extend(vec![0xa5; script.below(20_000)]),
            _ => {
                // A zeroed part of a page, like a bad block.
                let (page, bytes) = (script.below(self.pages()), self.page_bytes());
                let end = ((page + 1) * bytes).min(len);
                if let Some(hole) = self.0.get_mut(page * bytes..end) {
                    hole.fill(0);
                }
            }
        }
    }

    fn change_text(&mut self, script: &mut Script<'_>) {
        let Some((_, _, payload)) = self.row(script) else { return };
        const TEXTS: [&[u8]; 10] = [b"\"", b"\\", b"\0", b"\xff\xfe", b"{", b"]", b"\\ud800", b"1e999", b"+99:99", b"-0001-"];
        let at = payload + script.below(1_500);
        let text = TEXTS[script.below(TEXTS.len())];
        for (place, byte) in (at..).zip(text) {
            if let Some(old) = self.0.get_mut(place) {
                *old = *byte;
            }
        }
    }

    fn copy_page(&mut self, script: &mut Script<'_>) {
        let bytes = self.page_bytes();
        let (from, to) = (script.below(self.pages()) * bytes, script.below(self.pages()) * bytes);
        let Some(page) = self.0.get(from..from + bytes).map(<[u8]>::to_vec) else { return };
        if let Some(place) = self.0.get_mut(to..to + bytes) {
            place.copy_from_slice(&page);
        }
    }

    fn flip_in_cell(&mut self, script: &mut Script<'_>) {
        let Some((length, _, _)) = self.row(script) else { return };
        let at = length + script.below(40);
        if let Some(byte) = self.0.get_mut(at) {
            *byte ^= script.byte().unwrap_or(1) | 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn a_varint_is_written_as_sqlite_reads_it() {
        for (number, bytes) in [
            (0, vec![0]),
            (127, vec![127]),
            (128, vec![0x81, 0]),
            (u64::MAX, vec![255; 9]),
            (1 << 56, vec![0x80, 0xc0, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0]),
        ] {
            let mut database = Database(vec![0x55; 12]);
            database.put_varint(1, number);
            assert_eq!(database.0.get(1..1 + bytes.len()), Some(bytes.as_slice()), "{number}");
            assert_eq!(database.varint_at(1), (number, bytes.len()));
        }
    }

    #[test]
    fn every_instruction_changes_most_files() {
        for instruction in (0..16).filter(|instruction| *instruction != 14) {
            let mut changed = 0;
            for seed in 0..40 {
                let mut random = Random::new(seed);
                let arguments: Vec<u8> = (0..24).map(|_| random.next_u64() as u8).collect();
                let original = bytes_of(&SOURCES[seed as usize % SOURCES.len()], false);
                let mut database = Database(original.clone());
                database.change(instruction, &mut Script(&arguments));
                changed += usize::from(database.0 != original);
            }
            // Some instructions write what is already there, or need something a small file lacks.
            assert!(changed > 8, "instruction {instruction} changed {changed} of 40 files");
        }
    }

    #[test]
    fn a_script_gives_the_same_files_each_time_and_an_empty_one_a_whole_database() {
        let script: Vec<u8> = (0..60).collect();
        assert!(broken(&script) == broken(&script));
        assert!(broken(&[]) == vec![("some.db", bytes_of(&SOURCES[0], false))]);
        assert!(broken(&[0, 14, 0, 0, 0, 0])[1].0.starts_with("some.db-"));
    }
}

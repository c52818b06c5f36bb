//! The column format, version 2: the tables of a part of a file as they are stored, for files in Quipu's own layout.
//!
//! Nothing here knows which tables there are, so a column that is added later needs no other format. Each string, and each id, is stored once.
//!
//! Order: a mark that no version 1 begins with; the number of texts, their lengths, their bytes; the number of tables, and of each its name,
//! its columns, the number of its rows, and column by column one byte a row for the type, then the values. An integer is the difference to
//! the last integer of its column, a text or blob the difference of its number to the last one of its column.

use super::LinkError;
use super::bytes::{In, Out};
use quipu_model::Cell;
use quipu_model::budget::{Allowance, Budget};
use std::collections::BTreeMap;

/// What version 1 can't begin with: a number of strings that no memory holds.
const MARK: u64 = u64::MAX;
/// Maximum size of the rows that are read: a text that is stored once can be used a million times.
const MAX_ROW_BYTES: u64 = 256_000_000;
/// What a row and each of its cells take beside their texts.
const CELL_BYTES: usize = 16;
/// No table has more columns.
const MAX_COLUMNS: usize = 64;

/// A column being written or read: types, values, and the last integer and text in it.
#[derive(Default)]
struct Column {
    types: Vec<u8>,
    values: Out,
    integer: i64,
    text: i64,
}

struct Table {
    head: Out,
    rows: u64,
    columns: Vec<Column>,
}

/// Tables being written, one after the other.
#[derive(Default)]
pub struct TablesOut {
    numbers: BTreeMap<Vec<u8>, i64>,
    lengths: Out,
    texts: Vec<u8>,
    tables: Vec<Table>,
}

impl TablesOut {
    /// Begins a table.
    pub fn table(&mut self, name: &str, columns: &[&str]) {
        let mut head = Out::default();
        for word in [name].iter().chain(columns) {
            head.number(word.len() as u64);
            head.0.extend_from_slice(word.as_bytes());
        }
        self.tables.push(Table { head, rows: 0, columns: columns.iter().map(|_| Column::default()).collect() });
    }

    /// Adds a row to the last table. Cells beyond its columns are left out.
    pub fn row<'a>(&mut self, cells: impl Iterator<Item = Cell<'a>>) {
        let TablesOut { numbers, lengths, texts, tables } = self;
        let Some(table) = tables.last_mut() else { return };
        let mut number_of = |bytes: &[u8]| {
            if let Some(number) = numbers.get(bytes) {
                return *number;
            }
            let number = i64::try_from(numbers.len()).unwrap_or(i64::MAX);
            numbers.insert(bytes.to_vec(), number);
            lengths.number(bytes.len() as u64);
            texts.extend_from_slice(bytes);
            number
        };
        table.rows += 1;
        for (column, cell) in table.columns.iter_mut().zip(cells) {
            match cell {
                Cell::Null => column.types.push(0),
                Cell::Integer(number) => {
                    column.types.push(1);
                    column.values.signed(number.wrapping_sub(column.integer));
                    column.integer = number;
                }
                Cell::Real(number) => {
                    column.types.push(2);
                    column.values.0.extend_from_slice(&number.to_le_bytes());
                }
                Cell::Text(text) => column.text(3, number_of(text.as_bytes())),
                Cell::Blob(bytes) => column.text(4, number_of(bytes)),
            }
        }
    }

    /// The tables as bytes, which [`unpack_tables`] reads.
    pub fn finish(self) -> Vec<u8> {
        let mut out = Out::default();
        out.number(MARK);
        out.number(self.numbers.len() as u64);
        out.0.extend_from_slice(&self.lengths.0);
        out.0.extend_from_slice(&self.texts);
        out.number(self.tables.len() as u64);
        for table in self.tables {
            out.number(table.columns.len() as u64);
            out.0.extend_from_slice(&table.head.0);
            out.number(table.rows);
            for column in table.columns {
                out.0.extend_from_slice(&column.types);
                out.number(column.values.0.len() as u64);
                out.0.extend_from_slice(&column.values.0);
            }
        }
        out.0
    }
}

impl Column {
    fn text(&mut self, kind: u8, number: i64) {
        self.types.push(kind);
        self.values.signed(number.wrapping_sub(self.text));
        self.text = number;
    }
}

/// Whether data is in this format, rather than in version 1.
#[inline]
pub fn are_tables(bytes: &[u8]) -> bool {
    In(bytes).number() == Ok(MARK)
}

/// Takes a row: the name of its table, the columns, and the cells.
pub type RowSeen<'s, E> = dyn FnMut(&str, &[&str], &[Cell<'_>]) -> Result<(), E> + 's;

/// Reads tables, and calls `seen` with the name, the columns and the cells of each row. Never panics, and holds nothing but the places of
/// texts.
///
/// # Errors
/// [`LinkError::Malformed`] or [`LinkError::TooLarge`]; errors of `seen`.
pub fn unpack_tables<E: From<LinkError>>(bytes: &[u8], seen: &mut RowSeen<'_, E>) -> Result<(), E> {
    let budget = Budget::new(|| 0, Allowance { bytes: MAX_ROW_BYTES, ..Allowance::DEFAULT });
    let hold = |bytes: usize| budget.hold(bytes as u64).map_err(|_| LinkError::TooLarge { bytes: MAX_ROW_BYTES });
    let mut input = In(bytes);
    if input.number()? != MARK {
        return Err(LinkError::Malformed.into());
    }
    let count = input.count()?;
    hold(count.saturating_mul(size_of::<usize>() + size_of::<&[u8]>()))?;
    let lengths = (0..count).map(|_| input.count()).collect::<Result<Vec<_>, _>>()?;
    let texts = lengths.into_iter().map(|length| input.bytes(length)).collect::<Result<Vec<_>, _>>()?;
    for _ in 0..input.count()? {
        let width = input.count()?;
        if width > MAX_COLUMNS {
            return Err(LinkError::Malformed.into());
        }
        let name = word(&mut input)?;
        let names = (0..width).map(|_| word(&mut input)).collect::<Result<Vec<_>, _>>()?;
        let rows = input.count()?;
        let mut columns = Vec::with_capacity(width);
        for _ in 0..width {
            let types = input.bytes(rows)?;
            let length = input.count()?;
            columns.push(Reading { types: types.iter(), values: In(input.bytes(length)?), integer: 0, text: 0 });
        }
        let mut cells = Vec::with_capacity(width);
        for _ in 0..rows {
            cells.clear();
            for column in &mut columns {
                let cell = column.next(&texts)?;
                let length = match cell {
                    Cell::Text(text) => text.len(),
                    Cell::Blob(bytes) => bytes.len(),
                    _ => 0,
                };
                hold(length.saturating_add(CELL_BYTES))?;
                cells.push(cell);
            }
            seen(name, &names, &cells)?;
        }
    }
    if input.0.is_empty() { Ok(()) } else { Err(LinkError::Malformed.into()) }
}

#[inline]
fn word<'a>(input: &mut In<'a>) -> Result<&'a str, LinkError> {
    let length = input.count()?;
    std::str::from_utf8(input.bytes(length)?).map_err(|_| LinkError::Malformed)
}

/// A column being read.
struct Reading<'a> {
    types: std::slice::Iter<'a, u8>,
    values: In<'a>,
    integer: i64,
    text: i64,
}

impl<'a> Reading<'a> {
    #[inline]
    fn next(&mut self, texts: &[&'a [u8]]) -> Result<Cell<'a>, LinkError> {
        Ok(match self.types.next() {
            Some(0) => Cell::Null,
            Some(1) => {
                self.integer = self.integer.wrapping_add(self.values.signed()?);
                Cell::Integer(self.integer)
            }
            Some(2) => Cell::Real(f64::from_le_bytes(self.values.bytes(8)?.try_into().map_err(|_| LinkError::Malformed)?)),
            Some(3) => Cell::Text(std::str::from_utf8(self.bytes(texts)?).map_err(|_| LinkError::Malformed)?),
            Some(4) => Cell::Blob(self.bytes(texts)?),
            _ => return Err(LinkError::Malformed),
        })
    }

    #[inline]
    fn bytes(&mut self, texts: &[&'a [u8]]) -> Result<&'a [u8], LinkError> {
        self.text = self.text.wrapping_add(self.values.signed()?);
        usize::try_from(self.text).ok().and_then(|at| texts.get(at)).copied().ok_or(LinkError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Row = Vec<Option<Owned>>;

    #[derive(Clone, Debug, PartialEq)]
    enum Owned {
        Integer(i64),
        Real(f64),
        Text(String),
        Blob(Vec<u8>),
    }

    fn cell(value: &Option<Owned>) -> Cell<'_> {
        match value {
            None => Cell::Null,
            Some(Owned::Integer(number)) => Cell::Integer(*number),
            Some(Owned::Real(number)) => Cell::Real(*number),
            Some(Owned::Text(text)) => Cell::Text(text),
            Some(Owned::Blob(bytes)) => Cell::Blob(bytes),
        }
    }

    fn packed(rows: &[Row]) -> Vec<u8> {
        let mut out = TablesOut::default();
        out.table("empty", &[]);
        out.table("rows", &["a", "b", "c"]);
        rows.iter().for_each(|row| out.row(row.iter().map(cell)));
        out.finish()
    }

    fn unpacked(bytes: &[u8]) -> Result<Vec<Row>, LinkError> {
        let mut rows = Vec::new();
        unpack_tables::<LinkError>(bytes, &mut |name, columns, cells| {
            assert_eq!((name, columns), ("rows", ["a", "b", "c"].as_slice()));
            let owned = cells.iter().map(|cell| match *cell {
                Cell::Null => None,
                Cell::Integer(number) => Some(Owned::Integer(number)),
                Cell::Real(number) => Some(Owned::Real(number)),
                Cell::Text(text) => Some(Owned::Text(text.to_owned())),
                Cell::Blob(bytes) => Some(Owned::Blob(bytes.to_vec())),
            });
            rows.push(owned.collect());
            Ok(())
        })?;
        Ok(rows)
    }

    fn value() -> impl Strategy<Value = Option<Owned>> {
        prop_oneof![
            Just(None),
            any::<i64>().prop_map(|number| Some(Owned::Integer(number))),
            (-1e300..1e300).prop_map(|number| Some(Owned::Real(number))),
            ".{0,12}".prop_map(|text| Some(Owned::Text(text))),
            prop::collection::vec(any::<u8>(), 0..12).prop_map(|bytes| Some(Owned::Blob(bytes))),
        ]
    }

    proptest! {
        #[test]
        fn rows_come_back_as_they_were(rows in prop::collection::vec(prop::collection::vec(value(), 3), 0..20)) {
            let bytes = packed(&rows);
            prop_assert!(are_tables(&bytes));
            prop_assert_eq!(unpacked(&bytes), Ok(rows));
        }

        #[test]
        fn altered_bytes_are_refused_or_read(at in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>()) {
            let rows = vec![vec![Some(Owned::Text("a".into())), Some(Owned::Integer(-3)), None]; 5];
            let mut bytes = packed(&rows);
            let place = at.index(bytes.len());
            if let Some(changed) = bytes.get_mut(place) {
                *changed = byte;
            }
            bytes.truncate(cut.index(bytes.len()) + 1);
            let _ = unpack_tables::<LinkError>(&bytes, &mut |_, _, _| Ok(()));
        }
    }

    #[test]
    fn a_text_used_a_million_times_is_counted_each_time() {
        let text = "x".repeat(100_000);
        let mut out = TablesOut::default();
        out.table("rows", &["a"]);
        (0..10_000).for_each(|_| out.row([Cell::Text(&text)].into_iter()));
        let bytes = out.finish();
        assert!(bytes.len() < 200_000);
        let mut rows = 0_u64;
        let outcome = unpack_tables::<LinkError>(&bytes, &mut |_, _, _| {
            rows += 1;
            Ok(())
        });
        assert_eq!(outcome, Err(LinkError::TooLarge { bytes: MAX_ROW_BYTES }));
        assert!(rows < 3_000, "{rows}");
    }
}

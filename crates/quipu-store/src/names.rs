//! Names of spans and events in Quipu's own layout, which refers to them by number: each is read once in a while, instead of by a subquery
//! for every row.

use hashbrown::HashMap;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};

/// How many names are kept, and how many bytes of them, before all are forgotten.
const NAMES: usize = 1 << 12;
const BYTES: usize = 1 << 20;

/// Names that were read.
pub(crate) struct Names<'c> {
    connection: &'c Connection,
    known: HashMap<i64, Option<Box<[u8]>>>,
    bytes: usize,
}

impl<'c> Names<'c> {
    pub(crate) fn new(connection: &'c Connection) -> Names<'c> {
        Names { connection, known: HashMap::new(), bytes: 0 }
    }

    /// The name whose number is in a column.
    pub(crate) fn of(&mut self, row: &Row<'_>, column: usize) -> Option<&[u8]> {
        let Ok(ValueRef::Integer(number)) = row.get_ref(column) else { return None };
        if !self.known.contains_key(&number) {
            if self.known.len() >= NAMES || self.bytes >= BYTES {
                self.known.clear();
                self.bytes = 0;
            }
            let name = self.read(number);
            self.bytes += name.as_deref().map_or(0, <[u8]>::len);
            self.known.insert(number, name);
        }
        self.known.get(&number).and_then(Option::as_deref)
    }

    /// `None` also for a name that can't be read, as for the subquery of a damaged page.
    fn read(&self, number: i64) -> Option<Box<[u8]>> {
        let mut statement = self.connection.prepare_cached("SELECT name FROM main.quipu_names WHERE id = ?1").ok()?;
        let read = |row: &Row<'_>| {
            Ok(match row.get_ref(0)? {
                ValueRef::Text(name) | ValueRef::Blob(name) => Some(name.into()),
                _ => None,
            })
        };
        statement.query_row([number], read).optional().ok().flatten().flatten()
    }
}

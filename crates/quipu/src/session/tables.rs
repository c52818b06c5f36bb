//! A part of a file in Quipu's own layout as what a link carries, and back.
//!
//! Not here: the format (`share`), and which rows are in the part.

use quipu_protocol::{Failure, FailureKind};
use quipu_share::payload::{LinkError, TablesOut, unpack_tables};
use quipu_store::{Layout, STORED_TABLES, StoreError, Writer};

/// The error for a link that can't be opened.
pub(super) fn link_failure(error: LinkError) -> Failure {
    Failure { kind: FailureKind::CannotOpen, message: error.to_string() }
}

/// The tables of a database that was written in memory.
///
/// # Errors
/// When it can't be read.
pub(super) fn packed(writer: &Writer) -> Result<Vec<u8>, Failure> {
    let out = std::cell::RefCell::new(TablesOut::default());
    for table in STORED_TABLES {
        let columns = &mut |names: &[&str]| out.borrow_mut().table(table, names);
        writer.each_stored(table, columns, &mut |row| out.borrow_mut().row(row))?;
    }
    Ok(out.into_inner().finish())
}

/// A database in memory with these tables.
///
/// # Errors
/// The message of a [`LinkError`]; when memory is insufficient.
pub(super) fn unpacked(columns: &[u8]) -> Result<Writer, Failure> {
    let mut writer = Writer::in_memory_with(Layout::Quipu)?;
    writer.begin()?;
    unpack_tables::<Unpacking>(columns, &mut |table, names, cells| Ok(writer.add_stored(table, names, cells)?))?;
    writer.commit()?;
    Ok(writer)
}

struct Unpacking(Failure);

impl From<LinkError> for Unpacking {
    fn from(error: LinkError) -> Unpacking {
        Unpacking(link_failure(error))
    }
}

impl From<StoreError> for Unpacking {
    fn from(error: StoreError) -> Unpacking {
        // What the link says of its tables is wrong, unless the memory is full.
        match error {
            StoreError::OutOfMemory => Unpacking(error.into()),
            _ => LinkError::Malformed.into(),
        }
    }
}

impl From<Unpacking> for Failure {
    fn from(Unpacking(failure): Unpacking) -> Failure {
        failure
    }
}

//! An in-memory database. Its pages are outside SQLite's heap and its limit, and become a byte source without copying.

use super::super::error::StoreError;
use super::super::source::{ByteSource, SourceError};
use super::super::vfs::{FileSystem, MAIN, SharedFile};
use super::{Target, Writer};
use rusqlite::{Connection, OpenFlags};

/// The file system of the database.
pub(super) struct Memory {
    /// Must outlive the connection, which is dropped first.
    _files: FileSystem,
    file: SharedFile,
}

impl Memory {
    pub(super) fn open() -> Result<(Memory, Connection), String> {
        let (files, file) = FileSystem::register_empty()?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(MAIN, flags, files.name.as_str()).map_err(|error| error.to_string())?;
        Ok((Memory { _files: files, file }, connection))
    }
}

/// A database that was written in memory, as a byte source.
pub struct WrittenSource(SharedFile);

impl ByteSource for WrittenSource {
    fn len(&self) -> u64 {
        self.0.borrow().len()
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        let file = self.0.borrow();
        let mut at = offset;
        for part in parts {
            if file.read(part, at)? < part.len() {
                return Err(SourceError::Other("read past the end of the database".into()));
            }
            at += part.len() as u64;
        }
        Ok(())
    }
}

impl Writer {
    /// Size of the database in bytes, including uncommitted data; 0 for a file on disk.
    pub fn len_in_memory(&self) -> u64 {
        match &self.target {
            // Some pages are still in SQLite's cache.
            Target::Memory(_) => {
                let pages: rusqlite::Result<i64> = self.connection.query_row("PRAGMA page_count", [], |row| row.get(0));
                pages.ok().and_then(|pages| u64::try_from(pages).ok()).unwrap_or(0) * self.layout.page_bytes()
            }
            #[cfg(not(target_family = "wasm"))]
            Target::Path(_) => 0,
        }
    }

    /// Closes an in-memory database. The source contains committed data.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] for a file on disk.
    pub fn into_source(self) -> Result<WrittenSource, StoreError> {
        match &self.target {
            Target::Memory(memory) => {
                let file = memory.file.clone();
                // Closes the connection before the source is read.
                drop(self);
                Ok(WrittenSource(file))
            }
            #[cfg(not(target_family = "wasm"))]
            Target::Path(_) => Err(StoreError::CannotWrite(format!("{} is a file, not in memory.", self.name))),
        }
    }

    /// Closes an in-memory database and returns its bytes, in the format of a file.
    ///
    /// # Errors
    /// [`StoreError::CannotWrite`] for a file on disk.
    pub fn into_bytes(self) -> Result<Vec<u8>, StoreError> {
        let source = self.into_source()?;
        let mut bytes = vec![0; usize::try_from(source.len()).unwrap_or(usize::MAX)];
        source.read_into(0, &mut [&mut bytes]).map_err(|error| StoreError::CannotWrite(error.to_string()))?;
        Ok(bytes)
    }
}

//! Sources of a file's bytes: a browser `File`, memory, or anything else with a length and random access.

use std::fmt;

/// Random read access to the bytes of a file.
pub trait ByteSource {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether the file is empty.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Reads contiguous bytes from `offset` into `parts`, in order. The caller must stay within the length.
    ///
    /// # Errors
    /// If the bytes can't be read: the file changed or vanished, or the device failed.
    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError>;
}

/// Why bytes can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The file was changed after it was chosen. Some platforms report a removed file like this, too.
    Changed,
    /// The file was moved or removed after it was chosen.
    Gone,
    /// Any other error, as reported by the platform.
    Other(String),
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            SourceError::Changed => f.write_str("the file was changed or removed after it was chosen"),
            SourceError::Gone => f.write_str("the file was moved or removed after it was chosen"),
            SourceError::Other(words) => f.write_str(words),
        }
    }
}

/// A file in memory.
pub struct MemorySource(pub Vec<u8>);

impl ByteSource for MemorySource {
    fn len(&self) -> u64 {
        self.0.len() as u64
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        let mut at = usize::try_from(offset).unwrap_or(usize::MAX);
        for part in parts {
            let bytes = at.checked_add(part.len()).and_then(|end| self.0.get(at..end));
            let Some(bytes) = bytes else { return Err(SourceError::Other("read past the end of the file".into())) };
            part.copy_from_slice(bytes);
            at += part.len();
        }
        Ok(())
    }
}

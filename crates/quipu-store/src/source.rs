//! Where a file's bytes come from: a browser `File`, memory, or anything with a length and random reads.

use std::fmt;

/// Random access to the bytes of one file. Never writes.
pub trait ByteSource {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there is no byte.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One contiguous read from `offset`, spread over `parts` in order. The caller stays within the length.
    ///
    /// # Errors
    /// When the bytes can't be had: the file changed, vanished, or the device failed.
    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError>;
}

/// Why bytes can't be had.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceError {
    /// The file was changed, or in a way the platform does not tell apart removed, after it was chosen.
    Changed,
    /// The file was moved or removed after it was chosen.
    Gone,
    /// Anything else, in the platform's words.
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

/// A file wholly in memory.
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

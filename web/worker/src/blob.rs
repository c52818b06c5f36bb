//! A browser `File` or `Blob` as a source of bytes, read synchronously: only a worker may.

use js_sys::Uint8Array;
use quipu::store::{ByteSource, SourceError};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, DomException, FileReaderSync};

/// The bytes of a chosen file, where it lies.
pub(crate) struct BlobSource {
    blob: Blob,
    len: u64,
    reader: FileReaderSync,
}

impl BlobSource {
    pub(crate) fn new(blob: Blob) -> Result<BlobSource, SourceError> {
        let reader = FileReaderSync::new().map_err(|error| explain(&error))?;
        Ok(BlobSource { len: blob.size() as u64, blob, reader })
    }
}

impl ByteSource for BlobSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn read_into(&self, offset: u64, parts: &mut [&mut [u8]]) -> Result<(), SourceError> {
        let total: usize = parts.iter().map(|part| part.len()).sum();
        let end = offset + total as u64;
        let slice = self.blob.slice_with_f64_and_f64(offset as f64, end as f64).map_err(|error| explain(&error))?;
        let buffer = self.reader.read_as_array_buffer(&slice).map_err(|error| explain(&error))?;
        let bytes = Uint8Array::new(&buffer);
        if bytes.length() as usize != total {
            return Err(SourceError::Changed);
        }
        let mut at = 0;
        for part in parts {
            let end = at + part.len() as u32;
            bytes.subarray(at, end).copy_to(part);
            at = end;
        }
        Ok(())
    }
}

/// The browser's error in our words: a file that was written to after it was chosen can't be read any more, nor can one that is gone.
pub(crate) fn explain(error: &JsValue) -> SourceError {
    match error.dyn_ref::<DomException>() {
        Some(exception) if exception.name() == "NotReadableError" => SourceError::Changed,
        Some(exception) if exception.name() == "NotFoundError" => SourceError::Gone,
        Some(exception) => SourceError::Other(format!("{}: {}", exception.name(), exception.message())),
        None => SourceError::Other(format!("{error:?}")),
    }
}

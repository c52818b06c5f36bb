//! Mends what an old wasm-opt breaks: Binaryen up to 108, which Debian 12 ships, writes every exported table as table 0.
//! wasm-bindgen exports its table of JavaScript values, and the module then fails to start.
//!
//! What is not here: any other part of the module. A module without the fault is left as it is.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

const TABLES: u8 = 4;
const EXPORTS: u8 = 7;
const EXPORT_OF_TABLE: u8 = 1;
const EXTERNREF: u8 = 0x6f;
/// What wasm-bindgen calls the table of JavaScript values.
const VALUES: &[u8] = b"__wbindgen_externrefs";

/// Points the export of the table of JavaScript values in the module at `path` to a table of such values.
pub(crate) fn mend(path: &Path) -> Result<()> {
    let mut module = fs::read(path).with_context(|| format!("{} cannot be read.", path.display()))?;
    if mend_module(&mut module).with_context(|| format!("{} is no WebAssembly module that can be mended.", path.display()))? {
        fs::write(path, module).with_context(|| format!("{} cannot be written.", path.display()))?;
    }
    Ok(())
}

/// Whether something was changed.
fn mend_module(module: &mut [u8]) -> Result<bool> {
    if !module.starts_with(b"\0asm") {
        bail!("it does not begin as one");
    }
    let mut values_table = None;
    let mut export_at = None;
    let mut reader = Reader { bytes: module, at: 8 };
    while reader.at < reader.bytes.len() {
        let id = reader.byte()?;
        let length = reader.number()? as usize;
        let end = reader.at.checked_add(length).filter(|end| *end <= reader.bytes.len()).context("a section is cut off")?;
        match id {
            TABLES => values_table = read_tables(&mut reader)?,
            EXPORTS => export_at = read_exports(&mut reader)?,
            _ => {}
        }
        reader.at = end;
    }
    let Some(at) = export_at else { return Ok(false) };
    let table = values_table.context("it exports a table of values but has none")?;
    if module[at] == table {
        return Ok(false);
    }
    module[at] = table;
    Ok(true)
}

/// The number of the table that holds JavaScript values.
fn read_tables(reader: &mut Reader<'_>) -> Result<Option<u8>> {
    let mut found = None;
    for table in 0..reader.number()? {
        if reader.byte()? == EXTERNREF {
            found = u8::try_from(table).ok().filter(|table| *table < 0x80);
        }
        let has_maximum = reader.byte()? & 1 == 1;
        reader.number()?;
        if has_maximum {
            reader.number()?;
        }
    }
    Ok(found)
}

/// Where the number of the exported table of JavaScript values stands.
fn read_exports(reader: &mut Reader<'_>) -> Result<Option<usize>> {
    for _ in 0..reader.number()? {
        let length = reader.number()? as usize;
        let name = reader.bytes.get(reader.at..reader.at + length).context("an export's name is cut off")?;
        let is_values = name == VALUES;
        reader.at += length;
        let kind = reader.byte()?;
        let at = reader.at;
        reader.number()?;
        if is_values && kind == EXPORT_OF_TABLE {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

struct Reader<'m> {
    bytes: &'m [u8],
    at: usize,
}

impl Reader<'_> {
    fn byte(&mut self) -> Result<u8> {
        let byte = *self.bytes.get(self.at).context("it is cut off")?;
        self.at += 1;
        Ok(byte)
    }

    /// An unsigned LEB128 number.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        bail!("a number is too long")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with a table of functions, one of values, and the export of one of them.
    fn module(exported: u8) -> Vec<u8> {
        let mut module = b"\0asm\x01\0\0\0".to_vec();
        module.extend([TABLES, 8, 2, 0x70, 1, 9, 9, EXTERNREF, 0, 5]);
        let mut exports = vec![2, 1, b'm', 2, 0, VALUES.len() as u8];
        exports.extend(VALUES);
        exports.extend([EXPORT_OF_TABLE, exported]);
        module.push(EXPORTS);
        module.push(exports.len() as u8);
        module.extend(exports);
        module
    }

    #[test]
    fn an_export_of_the_wrong_table_is_mended_and_a_right_one_left() -> Result<()> {
        let mut wrong = module(0);
        assert!(mend_module(&mut wrong)?);
        assert_eq!(wrong, module(1));
        assert!(!mend_module(&mut wrong)?);
        Ok(())
    }

    #[test]
    fn a_module_that_is_cut_off_is_refused() {
        let whole = module(0);
        let exports_begin = 18;
        for len in (9..whole.len()).filter(|len| *len != exports_begin) {
            assert!(mend_module(&mut whole[..len].to_vec()).is_err(), "{len}");
        }
    }
}

//! Writes a ZIP archive of a folder. Files are stored uncompressed: web servers compress what they send.
//!
//! Format: PKWARE's APPNOTE, sections 4.3.7 (local header), 4.3.12 (central directory), 4.3.16 (end record). No Zip64, encryption or dates
//! (all entries have 1980-01-01, so that the archive is reproducible).

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::Path;

/// Packs all files below `dir` into `to` and returns their number.
pub(crate) fn pack(dir: &Path, to: &Path) -> Result<usize> {
    let mut files = Vec::new();
    collect(dir, "", &mut files)?;
    if files.is_empty() {
        bail!("{} holds no files to pack.", dir.display());
    }
    files.sort();
    fs::write(to, archive(&files)?).with_context(|| format!("{} cannot be written.", to.display()))?;
    Ok(files.len())
}

fn collect(dir: &Path, prefix: &str, into: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    for entry in fs::read_dir(dir).with_context(|| format!("{} cannot be listed.", dir.display()))? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), into)?;
        } else {
            into.push((name, fs::read(entry.path())?));
        }
    }
    Ok(())
}

fn archive(files: &[(String, Vec<u8>)]) -> Result<Vec<u8>> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = u32::try_from(out.len()).context("The archive is larger than 4 GB.")?;
        let size = u32::try_from(bytes.len()).with_context(|| format!("{name} is larger than 4 GB."))?;
        let name_len = u16::try_from(name.len()).with_context(|| format!("The name {name} is too long."))?;
        // Version 2.0, names in UTF-8 (bit 11), stored, 00:00, 1980-01-01.
        let mut common = Vec::new();
        for field in [20u16, 1 << 11, 0, 0, 1 << 5 | 1] {
            common.extend(field.to_le_bytes());
        }
        for field in [crc32(bytes), size, size] {
            common.extend(field.to_le_bytes());
        }
        common.extend(name_len.to_le_bytes());
        common.extend(0u16.to_le_bytes());

        out.extend(0x0403_4b50u32.to_le_bytes());
        out.extend(&common);
        out.extend(name.as_bytes());
        out.extend(bytes);

        directory.extend(0x0201_4b50u32.to_le_bytes());
        // Made by Unix, version 2.0, so that the mode below is used.
        directory.extend((3u16 << 8 | 20).to_le_bytes());
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((0o100_644u32 << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = u16::try_from(files.len()).context("There are more than 65,535 files.")?;
    let start = u32::try_from(out.len()).context("The archive is larger than 4 GB.")?;
    let size = u32::try_from(directory.len()).context("The archive's directory is larger than 4 GB.")?;
    out.extend(directory);
    out.extend(0x0605_4b50u32.to_le_bytes());
    out.extend([0; 4]);
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend(0u16.to_le_bytes());
    Ok(out)
}

/// CRC-32 as used by ZIP.
fn crc32(bytes: &[u8]) -> u32 {
    let mut sum = flate2::Crc::new();
    sum.update(bytes);
    sum.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_standard_one() {
        // The check value of CRC-32/ISO-HDLC.
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn the_archive_lists_every_file_where_it_stands() {
        let files = [("a.txt".to_owned(), b"alpha".to_vec()), ("deep/b.txt".to_owned(), b"beta".to_vec())];
        let bytes = archive(&files).expect("small files");
        let at = |offset: usize| u32::from_le_bytes(bytes[offset..offset + 4].try_into().expect("four bytes"));
        let end = bytes.len() - 22;
        assert_eq!(at(end), 0x0605_4b50);
        let directory = at(end + 16) as usize;
        assert_eq!(directory + at(end + 12) as usize, end);
        let mut entry = directory;
        for (name, content) in &files {
            assert_eq!(at(entry), 0x0201_4b50);
            assert_eq!(&bytes[entry + 46..entry + 46 + name.len()], name.as_bytes());
            let local = at(entry + 42) as usize;
            let data = local + 30 + name.len();
            assert_eq!(&bytes[data..data + content.len()], content.as_slice());
            assert_eq!(at(local + 14), crc32(content));
            entry += 46 + name.len();
        }
        assert_eq!(entry, end);
    }
}

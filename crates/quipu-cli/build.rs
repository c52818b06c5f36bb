//! Packs the page for the command that serves it: all of dist/, with the feature `page` only.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_none() {
        return Ok(());
    }
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    collect(&dist, "", &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (number, name) in files.iter().enumerate() {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(&fs::read(dist.join(name))?)?;
        fs::write(out.join(format!("page-{number}.gz")), packer.finish()?)?;
        table += &format!("    ({name:?}, include_bytes!(concat!(env!(\"OUT_DIR\"), \"/page-{number}.gz\")) as &[u8]),\n");
    }
    fs::write(out.join("page.rs"), table + "]\n")
}

/// The names of all files below a folder of dist/, with slashes.
fn collect(dist: &Path, below: &str, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(dist.join(below))? {
        let entry = entry?;
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(dist, &format!("{name}/"), files)?;
        } else {
            files.push(name);
        }
    }
    Ok(())
}

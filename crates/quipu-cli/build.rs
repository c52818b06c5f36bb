//! Embeds the page (feature `page`): dist/ in a checkout, page/ in the published crate.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    if env::var_os("CARGO_FEATURE_PAGE").is_none() {
        return Ok(());
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    // In a checkout, dist/ is the last build; page/ there was staged for an earlier release.
    let places = [here.join("../../dist"), here.join("page")];
    let Some((chosen, dist)) = places.iter().enumerate().find(|(_, place)| place.join("index.html").is_file()) else {
        return Err(io::Error::other("The page is not built, which the feature `page` needs: `cargo xtask build` builds it into dist/."));
    };
    places.iter().take(chosen + 1).for_each(|place| println!("cargo::rerun-if-changed={}", place.display()));
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    let mut files = Vec::new();
    collect(dist, "", &mut files)?;
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

/// Collects the names of all files below a folder, with forward slashes.
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

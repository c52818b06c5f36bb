//! The page's files, where the command was built with them: feature `page`.
//!
//! What is not here: making them, which `cargo xtask build` does before the command is built.

use flate2::read::GzDecoder;
use std::io::Read;

/// Names below dist/, and what they hold, packed by gzip.
#[cfg(feature = "page")]
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
#[cfg(not(feature = "page"))]
const FILES: &[(&str, &[u8])] = &[];

/// A file, packed.
pub(super) fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// What packed bytes hold.
pub(super) fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // They were packed with this program.
    let _ = GzDecoder::new(packed).read_to_end(&mut bytes);
    bytes
}

fn template() -> Option<String> {
    find("index.html").map(|packed| String::from_utf8_lossy(&unpacked(packed)).into_owned())
}

/// The page, told which file is served beside it.
pub(super) fn index(file_name: &str) -> String {
    let name: String = file_name
        .chars()
        .map(|letter| match letter {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            '"' => "&quot;".to_owned(),
            other => other.to_string(),
        })
        .collect();
    template().unwrap_or_default().replacen("<head>", &format!("<head><meta name=\"quipu-served\" content=\"{name}\">"), 1)
}

/// The build id of the page.
pub(super) fn build() -> Option<String> {
    let index = template()?;
    let (_, rest) = index.split_once("boot.js?v=")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// What the page may do, as it says itself; as a header it binds before anything is read. Nobody may frame it.
pub(super) fn policy() -> Option<String> {
    let index = template()?;
    let (_, rest) = index.split_once("http-equiv=\"Content-Security-Policy\"")?;
    let (_, rest) = rest.split_once("content=\"")?;
    let (policy, _) = rest.split_once('"')?;
    Some(format!("{policy}; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"))
}

/// By the name's ending.
pub(super) fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

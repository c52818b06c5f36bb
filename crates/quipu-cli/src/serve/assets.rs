//! The page's files, embedded in builds with the feature `page`. `cargo xtask build` builds them first.

use flate2::read::GzDecoder;
use std::io::Read;

/// Paths in dist/ and gzipped contents.
#[cfg(feature = "page")]
const FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));
#[cfg(not(feature = "page"))]
const FILES: &[(&str, &[u8])] = &[];

/// The gzipped contents of a file.
pub(super) fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, bytes)| *bytes)
}

/// Decompresses a file.
pub(super) fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    // The data was compressed by the build script, so this can't fail.
    let _ = GzDecoder::new(packed).read_to_end(&mut bytes);
    bytes
}

fn template() -> Option<String> {
    find("index.html").map(|packed| String::from_utf8_lossy(&unpacked(packed)).into_owned())
}

/// The page's HTML, with the name of the served file in a `meta` element.
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

pub(super) fn build() -> Option<String> {
    let index = template()?;
    let (_, rest) = index.split_once("boot.js?v=")?;
    Some(rest.split_once('"')?.0.to_owned())
}

/// The page's content security policy as a header, which applies before anything is parsed, plus `frame-ancestors`.
pub(super) fn policy() -> Option<String> {
    let index = template()?;
    let (_, rest) = index.split_once("http-equiv=\"Content-Security-Policy\"")?;
    let (_, rest) = rest.split_once("content=\"")?;
    let (policy, _) = rest.split_once('"')?;
    Some(format!("{policy}; frame-ancestors 'none'; form-action 'none'; base-uri 'none'"))
}

/// The content type for a file name extension.
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

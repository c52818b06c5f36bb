//! Builds dist/viewer.html from dist/: the page, its worker and styles in one file that opens from disk, without data. The page and the
//! command embed data in it (`quipu_share::html`).

use anyhow::{Context, Result, bail};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::{Compression, write::GzEncoder};
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::Path;

/// File name in dist/.
pub(crate) const NAME: &str = "viewer.html";

/// Placeholder for the data.
const DATA: &str = "<!--quipu-data-->";

/// Maximum size of the file without data. It contains the whole page except PromQL, which would add a third.
const MOST_BYTES: usize = 2_300_000;

/// Builds the file.
pub(crate) fn build(dist: &Path, build: &str) -> Result<()> {
    let read = |name: &str| fs::read_to_string(dist.join(name)).with_context(|| format!("dist/{name} cannot be read."));
    let index = read("index.html")?;
    let mut styles = String::new();
    for (name, media) in style_sheets(&index) {
        let sheet = read(&name)?;
        styles += &media.map_or(sheet.clone(), |media| format!("@media {media} {{\n{sheet}}}\n"));
    }
    let glue = glue(&read("quipu-web.js")?)?;
    let boot = include_str!("../../web/viewer.js").replace("__QUIPU_BUILD__", build);
    let script = format!("{boot}\n{glue}\nquipuStart(__wbg_init);\n");
    // An end tag inside a script would end it.
    for text in [&styles, &script] {
        if text.contains("</script") || text.contains("</style") || text.contains("<!--") {
            bail!("A script or a style sheet of the page holds markup, so it cannot stand in one file.");
        }
    }
    let icon = STANDARD.encode(fs::read(dist.join("assets/quipu.svg")).context("dist/assets/quipu.svg cannot be read.")?);
    let parts: Vec<String> = ["quipu-web_bg.wasm", "quipu-transfer.js", "quipu-transfer_bg.wasm"]
        .iter()
        .map(|name| {
            let packed = packed(&dist.join(name))?;
            let (length, digits) = (packed.len(), base85(&packed));
            Ok(format!("<script type=\"application/octet-stream\" id=\"{name}\" data-bytes=\"{length}\">{digits}</script>\n"))
        })
        .collect::<Result<_>>()?;
    let policy = format!(
        "default-src 'none'; script-src '{}' blob: 'wasm-unsafe-eval'; worker-src blob:; img-src data: blob:; style-src '{}'; \
         style-src-attr 'unsafe-inline'",
        hash(&script),
        hash(&styles)
    );
    let html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\" data-quipu-idle=\"false\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>Quipu</title>\n\
         <link rel=\"icon\" type=\"image/svg+xml\" href=\"data:image/svg+xml;base64,{icon}\">\n<style>{styles}</style>\n</head>\n<body>\n\
         <main id=\"boot\" class=\"boot\"><h1>Quipu</h1><p id=\"boot-text\">Quipu is starting. If this text stays, the browser did not run \
         this file’s scripts: it needs JavaScript and WebAssembly.</p></main>\n{DATA}\n{}<script>{script}</script>\n</body>\n</html>\n",
        parts.concat()
    );
    println!("{NAME:<20} {:>6} KB, the page and its worker in one file", html.len() / 1000);
    if html.len() > MOST_BYTES {
        bail!("{NAME} is {} KB and may be {} KB.", html.len() / 1000, MOST_BYTES / 1000);
    }
    fs::write(dist.join(NAME), html).with_context(|| format!("dist/{NAME} cannot be written."))
}

/// The style sheets of a page, with their media queries.
fn style_sheets(index: &str) -> Vec<(String, Option<String>)> {
    let links = index.split("<link ").skip(1).filter_map(|rest| rest.split('>').next());
    links
        .filter(|link| link.contains("rel=\"stylesheet\""))
        .filter_map(|link| {
            let value = |name: &str| link.split(&format!("{name}=\"")).nth(1)?.split('"').next();
            let name = value("href")?.trim_start_matches("./").split('?').next()?;
            Some((name.to_owned(), value("media").map(str::to_owned)))
        })
        .collect()
}

/// Converts wasm-bindgen's module to a script without imports, exports and `import.meta`.
fn glue(module: &str) -> Result<String> {
    if module.lines().any(|line| line.starts_with("import ")) {
        bail!("quipu-web.js imports other files, so it cannot stand in one file.");
    }
    let lines = module.lines().filter(|line| !line.starts_with("export {")).map(|line| line.strip_prefix("export ").unwrap_or(line));
    // Comments and indentation are half of it.
    let lines = lines.map(str::trim).filter(|line| {
        let is_comment = ["//", "/**", "* ", "*/"].iter().any(|mark| line.starts_with(mark)) || *line == "*";
        !line.is_empty() && !is_comment
    });
    Ok(lines.collect::<Vec<_>>().join("\n").replace("import.meta.url", "document.baseURI"))
}

/// Digits of base 85: all printable ASCII characters that have no meaning in markup or scripts. A sixteenth shorter than base64.
const DIGITS: &[u8; 85] = b"!#$%()*+,./0123456789:;?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[]^_abcdefghijklmnopqrstuvwxyz{|}~";

/// Encodes four bytes as five digits, the highest first; the last group is padded with zeros.
fn base85(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(4) * 5);
    for chunk in bytes.chunks(4) {
        let group = (0..4).fold(0, |group: u32, at| group << 8 | u32::from(chunk.get(at).copied().unwrap_or(0)));
        for power in [52_200_625, 614_125, 7_225, 85, 1] {
            text.extend(DIGITS.get((group / power % 85) as usize).map(|digit| char::from(*digit)));
        }
    }
    text
}

fn packed(path: &Path) -> Result<Vec<u8>> {
    let bytes = fs::read(path).with_context(|| format!("{} cannot be read.", path.display()))?;
    let mut packer = GzEncoder::new(Vec::new(), Compression::best());
    packer.write_all(&bytes)?;
    Ok(packer.finish()?)
}

/// The hash source of a content security policy for a script or style.
fn hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn style_sheets_are_found_with_their_media() {
        let index = r#"<link rel="icon" href="./a.svg"><link rel="stylesheet" href="./style/a.css?v=1" />
            <link rel="stylesheet" href="./style/print.css?v=1" media="print" />"#;
        assert_eq!(style_sheets(index), [("style/a.css".to_owned(), None), ("style/print.css".to_owned(), Some("print".to_owned()))]);
    }

    #[test]
    fn bytes_become_digits_that_mean_nothing_in_markup() {
        assert_eq!(base85(&[0, 0, 0, 0]), "!!!!!");
        assert_eq!(base85(&[255, 255, 255, 255]), base85(&u32::MAX.to_be_bytes()));
        assert_eq!(base85(&[0, 0, 0, 85]), "!!!#!");
        assert_eq!(base85(&[1]).len(), 5);
        let mut digits = DIGITS.to_vec();
        digits.sort_unstable();
        digits.dedup();
        assert_eq!(digits.len(), 85, "each digit once");
        assert!(b"<>&\"'`\\-=".iter().all(|letter| !digits.contains(letter)));
    }

    #[test]
    fn a_module_becomes_a_script() {
        let module = "/**\n * @param x\n */\nexport function a() {\n    // why\n    return import.meta.url;\n}\nexport { a as default };\n";
        assert_eq!(glue(module).unwrap(), "function a() {\nreturn document.baseURI;\n}");
        assert!(glue("import { x } from './snippet.js';").is_err());
    }
}

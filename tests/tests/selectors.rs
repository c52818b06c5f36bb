//! The end-to-end tests find elements through their page object alone: selectors are in `e2e/page.rs`, `e2e/page/` and the scripts of
//! `e2e/script.rs`, and in no other file. A change to the page's structure is then a change to one module.
//!
//! The finders of the page object are private to it, so a case could only find elements by a script or a driver of its own. That is what
//! is looked for here: in the code and the string literals of the other files, not in their comments.

use std::fs;
use std::path::{Path, PathBuf};

/// What may know selectors, below `e2e/`.
const PAGE_OBJECT: [&str; 3] = ["page.rs", "page", "script.rs"];

/// Parts of a literal by which a script finds an element, or reads what it has found.
const DOM: [&str; 15] = [
    "querySelector",
    "getElementById",
    "getElementsBy",
    "elementFromPoint",
    "activeElement",
    "getAttribute",
    ".closest(",
    ".dataset",
    "innerText",
    "innerHTML",
    "textContent",
    "document.body",
    "aria-",
    "data-",
    "named(",
];

/// Literals that are the role of an element and nothing else.
const ROLES: [&str; 22] = [
    "alert",
    "button",
    "checkbox",
    "columnheader",
    "combobox",
    "complementary",
    "dialog",
    "grid",
    "heading",
    "link",
    "list",
    "listbox",
    "note",
    "option",
    "progressbar",
    "region",
    "row",
    "slider",
    "status",
    "tab",
    "textbox",
    "treegrid",
];

/// A piece of Rust source.
#[derive(Debug, PartialEq)]
enum Piece {
    /// Code between literals and comments.
    Code(String),
    /// A string literal as it is written, without its quotes.
    Literal(String),
}

#[test]
fn selectors_are_in_the_page_object_alone() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/e2e");
    let mut files = Vec::new();
    collect(&folder, &mut files);
    files.retain(|file| !PAGE_OBJECT.iter().any(|known| file.starts_with(folder.join(known))));
    assert!(files.len() > 20, "Only {} files were found in {}.", files.len(), folder.display());
    let mut found = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file).unwrap();
        let name = file.strip_prefix(&folder).unwrap().display().to_string();
        found.extend(selectors(&source).into_iter().map(|(line, what)| format!("tests/tests/e2e/{name}:{line}: {what}")));
    }
    assert!(found.is_empty(), "Give the page object in tests/tests/e2e/page/ a method for:\n{}", found.join("\n"));
}

#[test]
fn a_selector_is_found_in_whatever_form() {
    for planted in [
        r##"page.click_on("#share-link").await?;"##,
        r#"find(".minimap")"#,
        r#"find(".sheet .message")"#,
        r#"find(".sql-plan > li:first-child")"#,
        r#"find("th[scope=row]")"#,
        r#"find("input[type^='f']")"#,
        r#"find("//button[text()='Cancel']")"#,
        r#"driver.find(By::Id("x"))"#,
        r#"driver.find(thirtyfour::By :: Css(name))"#,
        r#"page.evaluate("return document.querySelectorAll('li').length")"#,
        r##"page.evaluate(r#"return document.getElementById("x")"#)"##,
        r#"page.evaluate("return document.activeElement === document.body")"#,
        "page.evaluate(\"const a = 1;\n  return a.dataset.spanId\")",
        r#"page.rows("grid", "Traces")"#,
        r#"page.click("button", name)"#,
        r#"page.reveal("data-trace-id", id)"#,
        r#"page.evaluate("named('x', 'y')")"#,
    ] {
        assert_eq!(selectors(planted).len().min(1), 1, "Not found: {planted}");
    }
    assert_eq!(selectors("let a = 1;\n\nlet b = find(\".minimap\");").first().map(|(line, _)| *line), Some(3));
}

#[test]
fn other_literals_are_no_selectors() {
    for clean in [
        r#"page.load_from("http://127.0.0.1/#v1/trace/abc?span=1")"#,
        r##"page.load_from("#v1/sql")"##,
        r#"stage.scratch.write("telemetry.db", bytes)"#,
        r#"page.evaluate("location.hash = '#v1/traces'")"#,
        r#"page.evaluate("return window.quipuLongest")"#,
        r#"fixtures::texts(&connection, "SELECT json_extract(attributes, '$[#-1].role') FROM spans WHERE name = 'link'")"#,
        r#"ensure!(text.contains("..."), "No button: {text}")"#,
        "// page.click(\"button\", \"All\") and document.querySelector('x')\n/* By::Css /* nested */ \".minimap\" */",
        r#"let quote = '"'; let lifetime: &'static str = "a"; let escaped = '\''; let text = "a";"#,
        r#"sorted_by::<Start>(Abby::Css)"#,
    ] {
        assert_eq!(selectors(clean), [], "{clean}");
    }
}

#[test]
fn literals_are_told_from_code_and_comments() {
    let code = |text: &str| Piece::Code(text.to_owned());
    let literal = |text: &str| Piece::Literal(text.to_owned());
    let pieces = |source: &str| pieces(source).into_iter().map(|(_, piece)| piece).collect::<Vec<_>>();
    assert_eq!(pieces(r#"a("b\"c", d)"#), [code("a("), literal(r#"b\"c"#), code(", d)")]);
    assert_eq!(pieces(r###"a(r##"b"#c"##)"###), [code("a("), literal(r##"b"#c"##), code(")")]);
    assert_eq!(pieces("a // \"b\"\n\"c\""), [code("a \n"), literal("c")]);
    assert_eq!(pieces(r#"('"', b"d")"#), [code("(' ', b"), literal("d"), code(")")]);
}

/// Every Rust file in a folder and those below it.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("the folder can be listed").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// The selectors of a source, each with its line and what it is.
fn selectors(source: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (line, piece) in pieces(source) {
        let what = match &piece {
            Piece::Code(code) => {
                in_code(code).map(|at| (line + code[..at].matches('\n').count(), "a finder of the driver, By::".to_owned()))
            }
            Piece::Literal(text) => in_literal(text).map(|what| (line, format!("{what} in {text:?}"))),
        };
        found.extend(what);
    }
    found
}

/// Where code names the driver's `By`.
fn in_code(code: &str) -> Option<usize> {
    let is_word = |letter: char| letter.is_alphanumeric() || letter == '_';
    let mut places = code.match_indices("By").map(|(at, _)| at);
    places.find(|at| !code[..*at].ends_with(is_word) && code[at + 2..].trim_start().starts_with("::"))
}

/// What makes a literal a selector.
fn in_literal(text: &str) -> Option<String> {
    if let Some(part) = DOM.iter().find(|part| text.contains(**part)) {
        return Some(format!("{part:?}"));
    }
    if ROLES.contains(&text) {
        return Some("a role".to_owned());
    }
    let what = if is_simple_selector(text) {
        "a class or an id"
    } else if has_attribute_selector(text) {
        "an attribute selector"
    } else if text.starts_with("//") || text.contains("text()") {
        "an XPath"
    } else {
        return None;
    };
    Some(what.to_owned())
}

/// `.class` or `#id`, alone or with more of a selector after it. An address such as `#v1/traces` is none.
fn is_simple_selector(text: &str) -> bool {
    let Some(rest) = text.strip_prefix(['.', '#']) else { return false };
    let name = rest.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_');
    rest.starts_with(|letter: char| letter.is_ascii_alphabetic())
        && (name.is_empty() || name.starts_with([' ', '>', ':', '.', '#', '[', ',']))
}

/// `[name=value]`, with any of the operators of CSS.
fn has_attribute_selector(text: &str) -> bool {
    text.split('[').skip(1).any(|rest| {
        let value = rest.trim_start_matches(|letter: char| letter.is_ascii_alphanumeric() || letter == '-');
        rest.len() > value.len() && value.trim_start_matches(['^', '$', '*', '~', '|']).starts_with('=')
    })
}

/// Takes a source apart, each piece with the line it begins on. Comments are left out; letters in single quotes become spaces.
fn pieces(source: &str) -> Vec<(usize, Piece)> {
    let mut pieces = Vec::new();
    let (mut code, mut code_line, mut line) = (String::new(), 1, 1);
    let mut rest = source;
    while let Some(letter) = rest.chars().next() {
        let taken = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some((open, close)) = string(rest, code.chars().next_back()) {
            let body = &rest[open..];
            let end = if close == "\"" && !rest.starts_with('r') { escaped_end(body) } else { body.find(&close).unwrap_or(body.len()) };
            if !code.is_empty() {
                pieces.push((code_line, Piece::Code(std::mem::take(&mut code))));
            }
            pieces.push((line, Piece::Literal(body[..end].to_owned())));
            code_line = line + body[..end].matches('\n').count();
            (open + end + close.len()).min(rest.len())
        } else if let Some(length) = character(rest) {
            code.push_str("' '");
            length
        } else {
            code.push(letter);
            letter.len_utf8()
        };
        line += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    if !code.is_empty() {
        pieces.push((code_line, Piece::Code(code)));
    }
    pieces
}

/// Where a string literal begins after its quote, and what ends it. `before` is the letter before it.
fn string(rest: &str, before: Option<char>) -> Option<(usize, String)> {
    if rest.starts_with('"') {
        return Some((1, "\"".to_owned()));
    }
    let raw = rest.strip_prefix('r').filter(|_| !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_'))?;
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    raw[hashes..].starts_with('"').then(|| (hashes + 2, format!("\"{}", "#".repeat(hashes))))
}

/// Where a literal with escapes ends.
fn escaped_end(body: &str) -> usize {
    let mut letters = body.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => drop(letters.next()),
            '"' => return at,
            _ => {}
        }
    }
    body.len()
}

/// How long a letter in single quotes is; `None` for a lifetime.
fn character(rest: &str) -> Option<usize> {
    let body = rest.strip_prefix('\'')?;
    let end = match body.chars().next()? {
        '\\' => 2 + body.get(2..)?.find('\'')?,
        letter => letter.len_utf8(),
    };
    body.get(end..)?.starts_with('\'').then_some(end + 2)
}

/// How long a comment in `/* */` is, those within it included.
fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while let Some(next) = rest.get(at..).filter(|next| !next.is_empty()) {
        let step = if next.starts_with("/*") {
            depth += 1;
            2
        } else if next.starts_with("*/") {
            depth -= 1;
            2
        } else {
            next.chars().next().map_or(1, char::len_utf8)
        };
        at += step;
        if depth == 0 {
            break;
        }
    }
    at
}

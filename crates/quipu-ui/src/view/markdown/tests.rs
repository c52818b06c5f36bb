//! Markdown as found in answers of models, drawn as an outline.

use super::*;
use proptest::prelude::*;
use std::fmt::Write as _;

fn line(pieces: &[Inline]) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Inline::Text(text) => text.clone(),
            Inline::Code(text) => format!("‹{text}›"),
            Inline::Emphasis(inside) => format!("em({})", line(inside)),
            Inline::Strong(inside) => format!("strong({})", line(inside)),
            Inline::Struck(inside) => format!("struck({})", line(inside)),
            Inline::Link { url, text } => format!("link({} → {url})", line(text)),
            Inline::Break => "⏎".into(),
        })
        .collect()
}

fn outline(blocks: &[Block], indent: usize, out: &mut String) {
    let pad = "  ".repeat(indent);
    for block in blocks {
        let _ = match block {
            Block::Heading(level, text) => writeln!(out, "{pad}heading {level}: {}", line(text)),
            Block::Paragraph(text) => writeln!(out, "{pad}paragraph: {}", line(text)),
            Block::Code { language, text } => writeln!(out, "{pad}code [{language}]: {}", text.replace('\n', "⏎")),
            Block::Rule => writeln!(out, "{pad}rule"),
            Block::Quote(inner) => {
                let _ = writeln!(out, "{pad}quote");
                outline(inner, indent + 1, out);
                Ok(())
            }
            Block::List(start, items) => {
                let _ = writeln!(out, "{pad}list {}", start.map_or("of points".into(), |start| format!("from {start}")));
                for item in items {
                    let _ = writeln!(out, "{pad}- item");
                    outline(item, indent + 2, out);
                }
                Ok(())
            }
            Block::Table(head, rows) => {
                let row = |cells: &Vec<Vec<Inline>>| cells.iter().map(|cell| line(cell)).collect::<Vec<_>>().join(" | ");
                let _ = writeln!(out, "{pad}table {}", row(head));
                rows.iter().try_for_each(|cells| writeln!(out, "{pad}  row {}", row(cells)))
            }
        };
    }
}

fn drawn(text: &str) -> String {
    let mut out = String::new();
    outline(&markdown(text), 0, &mut out);
    out
}

#[test]
fn what_answers_hold_is_read() {
    let text = "# Weather in *Zürich*\n\nIt is **sunny** and 21.5 °C.\nTomorrow: `rain`, see [the forecast](https://example.org/a_(b) \"title\").\n\n\
        1. First\n   - nested **point**\n   - another\n2. Second\n\n   with a paragraph\n\n* star\n\n> quoted\n> - list in it\n\n```python\nprint(\"# no heading\")\n\n```\n\n\
        | city | °C |\n|:-----|---:|\n| Bern | 19 |\n| a \\| b | `x` |\n\n---\nsnake_case_name and 2 * 3 * 4, ~~old~~, https://llama.example/x?y=1.";
    insta::assert_snapshot!(drawn(text));
}

#[test]
fn nothing_active_comes_through() {
    let text = "<script>alert(1)</script> <img src=x onerror=y>\n\n[click](javascript:alert(1)) ![pixel](https://evil.example/p.png) <http://ok.example>\n\n\
        [x](data:text/html,y) [y](//no.scheme) \\*not emphasis\\* ![alt](javascript:x)";
    insta::assert_snapshot!(drawn(text));
}

#[test]
fn what_is_unfinished_stays_text_and_open_code_goes_on() {
    insta::assert_snapshot!(drawn("**bold without end\n\n`tick\n\n[link](http://\n\n- \n\n#nospace\n\n```rust\nfn main() {"));
}

#[test]
fn long_runs_of_signs_take_no_more_than_their_length() {
    for sign in ["*", "_", "[", "`", "> ", "- ", "![", "~~", "|", "(", "**a "] {
        markdown(&sign.repeat(20_000));
    }
}

/// All texts in reading order.
fn gather(blocks: &[Block], words: &mut Vec<String>) {
    for block in blocks {
        match block {
            Block::Heading(_, text) | Block::Paragraph(text) => words.push(line(text)),
            Block::Code { language, text } => words.push(format!("{language} {text}")),
            Block::List(_, items) => items.iter().for_each(|item| gather(item, words)),
            Block::Quote(inner) => gather(inner, words),
            Block::Table(head, rows) => head.iter().chain(rows.iter().flatten()).for_each(|cell| words.push(line(cell))),
            Block::Rule => {}
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_read_and_no_word_is_lost(text in "[a-z0-9 *_`#>|\\[\\]()~!\\\\\n-]{0,200}") {
        let mut words: Vec<String> = Vec::new();
        gather(&markdown(&text), &mut words);
        let found: String = words.concat().chars().filter(char::is_ascii_lowercase).collect();
        let expected: Vec<char> = text.chars().filter(char::is_ascii_lowercase).collect();
        prop_assert!(found.chars().filter(|letter| expected.contains(letter)).count() >= expected.len());
    }
}

//! Parses the Markdown that models write into a safe tree: no raw HTML, no images, only http and https links.
//!
//! Supports headings, paragraphs, lists, quotes, fenced code, tables, rules, emphasis, code, strike-through and links. Everything else
//! stays plain text. A full CommonMark library would be a sixth of the page's code.

mod inline;

pub use inline::Inline;
use inline::inlines;

/// Maximum nesting of blocks; deeper ones become paragraphs.
const MAX_DEPTH: usize = 8;

/// A block element.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Block {
    /// A heading of level 1 to 6.
    Heading(u8, Vec<Inline>),
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A fenced code block.
    Code {
        /// The info string of the fence; can be empty.
        language: String,
        /// The code, including line breaks.
        text: String,
    },
    /// A list; `Some` with the first number for an ordered list.
    List(Option<u64>, Vec<Vec<Block>>),
    /// A block quote.
    Quote(Vec<Block>),
    /// A table: the header cells, and the rows.
    Table(Vec<Vec<Inline>>, Vec<Vec<Vec<Inline>>>),
    /// A horizontal rule.
    Rule,
}

/// Parses Markdown in linear time. Accepts any text.
pub fn markdown(text: &str) -> Vec<Block> {
    let lines: Vec<&str> = text.lines().collect();
    blocks(&lines, 0)
}

fn blocks(lines: &[&str], depth: usize) -> Vec<Block> {
    let mut out = Vec::new();
    let mut paragraph: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let rest = lines.get(at..).unwrap_or_default();
        let found = if line.trim().is_empty() {
            Some((None, 1))
        } else {
            start_of_block(rest, depth, paragraph.is_empty()).map(|(block, taken)| (Some(block), taken))
        };
        match found {
            Some((block, taken)) => {
                end_paragraph(&mut out, &mut paragraph);
                out.extend(block);
                at += taken.max(1);
            }
            None => {
                paragraph.push(line);
                at += 1;
            }
        }
    }
    end_paragraph(&mut out, &mut paragraph);
    out
}

fn end_paragraph(out: &mut Vec<Block>, paragraph: &mut Vec<&str>) {
    if !paragraph.is_empty() {
        let text: Vec<&str> = paragraph.drain(..).map(str::trim_start).collect();
        out.push(Block::Paragraph(inlines(text.join("\n").trim_end())));
    }
}

/// The block that starts at the first line, and its number of lines; `None` for a line of a paragraph.
fn start_of_block(lines: &[&str], depth: usize, may_be_table: bool) -> Option<(Block, usize)> {
    let line = *lines.first()?;
    let trimmed = line.trim_start();
    if let Some(found) = fence(lines) {
        return Some(found);
    }
    if let Some(rest) = heading(trimmed) {
        return Some((Block::Heading(rest.0, inlines(rest.1)), 1));
    }
    if is_rule(trimmed) {
        return Some((Block::Rule, 1));
    }
    if depth < MAX_DEPTH {
        if trimmed.starts_with('>') {
            return Some(quote(lines, depth));
        }
        if item(line).is_some() {
            return Some(list(lines, depth));
        }
    }
    if may_be_table { table(lines) } else { None }
}

fn heading(line: &str) -> Option<(u8, &str)> {
    let level = line.bytes().take_while(|byte| *byte == b'#').count();
    let rest = line.get(level..)?;
    let level = u8::try_from(level).ok().filter(|level| (1..=6).contains(level))?;
    let is_heading = rest.is_empty() || rest.starts_with([' ', '\t']);
    is_heading.then(|| (level, rest.trim().trim_end_matches('#').trim_end()))
}

fn is_rule(line: &str) -> bool {
    let mut letters = line.chars().filter(|letter| !letter.is_whitespace());
    let Some(first) = letters.next().filter(|first| matches!(first, '-' | '*' | '_')) else { return false };
    let mut more = 0;
    letters.all(|letter| {
        more += 1;
        letter == first
    }) && more >= 2
}

/// A code block between fences of three or more characters. Without a closing fence, it extends to the end of the text, as during
/// streaming.
fn fence(lines: &[&str]) -> Option<(Block, usize)> {
    let first = *lines.first()?;
    let indent = first.len() - first.trim_start().len();
    let trimmed = first.trim_start();
    let mark = trimmed.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let length = trimmed.chars().take_while(|letter| *letter == mark).count();
    let language = trimmed.get(length..)?.trim();
    if length < 3 || (mark == '`' && language.contains('`')) {
        return None;
    }
    let is_end = |line: &&str| {
        let line = line.trim();
        line.len() >= length && line.chars().all(|letter| letter == mark)
    };
    let body = lines.get(1..).unwrap_or_default();
    let end = body.iter().position(is_end);
    let code = body.get(..end.unwrap_or(body.len())).unwrap_or_default();
    let text: Vec<&str> = code.iter().map(|line| unindent(line, indent)).collect();
    Some((Block::Code { language: language.to_owned(), text: text.join("\n") }, code.len() + 1 + usize::from(end.is_some())))
}

/// The line without up to `indent` leading blanks.
fn unindent(line: &str, indent: usize) -> &str {
    let blanks = line.bytes().take(indent).take_while(|byte| *byte == b' ').count();
    line.get(blanks..).unwrap_or(line)
}

fn quote(lines: &[&str], depth: usize) -> (Block, usize) {
    let inner: Vec<&str> =
        lines.iter().map_while(|line| line.trim_start().strip_prefix('>')).map(|line| line.strip_prefix(' ').unwrap_or(line)).collect();
    (Block::Quote(blocks(&inner, depth + 1)), inner.len())
}

/// The first line of a list item.
struct Item<'a> {
    /// Number of blanks before the marker.
    indent: usize,
    /// Offset of the item's content.
    content: usize,
    /// The number of an ordered item.
    number: Option<u64>,
    sign: char,
    text: &'a str,
}

fn item(line: &str) -> Option<Item<'_>> {
    let trimmed = line.trim_start();
    let indent = line.len() - trimmed.len();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let (sign, width, number) = match trimmed.chars().next()? {
        sign @ ('-' | '*' | '+') => (sign, 1, None),
        _ if (1..=9).contains(&digits) => {
            let sign = trimmed.get(digits..)?.chars().next().filter(|sign| matches!(sign, '.' | ')'))?;
            (sign, digits + 1, trimmed.get(..digits)?.parse().ok())
        }
        _ => return None,
    };
    let rest = trimmed.get(width..)?;
    if !(rest.is_empty() || rest.starts_with([' ', '\t'])) || is_rule(trimmed) {
        return None;
    }
    let text = rest.trim_start();
    let blanks = (rest.len() - text.len()).clamp(1, 4);
    Some(Item { indent, content: indent + width + blanks, number, sign, text: rest.get(blanks.min(rest.len())..).unwrap_or(text) })
}

fn list(lines: &[&str], depth: usize) -> (Block, usize) {
    let first = lines.first().and_then(|line| item(line));
    let (sign, indent, start) = first.as_ref().map_or(('-', 0, None), |item| (item.sign, item.indent, item.number));
    let mut items: Vec<Vec<&str>> = Vec::new();
    let mut content = 0;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let is_blank = line.trim().is_empty();
        let own = line.len() - line.trim_start().len();
        match item(line).filter(|item| !is_blank && item.sign == sign && item.indent < content.max(indent + 1)) {
            Some(found) => {
                content = found.content;
                items.push(vec![found.text]);
            }
            None if is_blank => {
                // A blank line is part of the list only if the list continues after it.
                let goes_on = lines.get(at + 1).is_some_and(|next| {
                    let own = next.len() - next.trim_start().len();
                    own >= content && !next.trim().is_empty() || item(next).is_some_and(|item| item.sign == sign && item.indent == indent)
                });
                if !goes_on {
                    break;
                }
                if let Some(last) = items.last_mut() {
                    last.push("");
                }
            }
            None if own >= content => {
                if let Some(last) = items.last_mut() {
                    last.push(unindent(line, content));
                }
            }
            // A continuation line of the paragraph above, unless it starts a block.
            None if start_of_block(lines.get(at..).unwrap_or_default(), depth, false).is_none()
                && items.last().and_then(|item| item.last()).is_some_and(|line| !line.is_empty()) =>
            {
                if let Some(last) = items.last_mut() {
                    last.push(line.trim_start());
                }
            }
            None => break,
        }
        at += 1;
    }
    let items = items.iter().map(|lines| blocks(lines, depth + 1)).collect();
    (Block::List(start, items), at)
}

/// A table: a header line, a delimiter line, and rows.
fn table(lines: &[&str]) -> Option<(Block, usize)> {
    let (head, rule) = (*lines.first()?, *lines.get(1)?);
    let is_rule = |cell: &str| {
        let dashes = cell.trim().trim_start_matches(':').trim_end_matches(':');
        !dashes.is_empty() && dashes.bytes().all(|byte| byte == b'-')
    };
    let (head, rule) = (cells(head), cells(rule));
    if head.len() < 2 || rule.len() != head.len() || !rule.iter().all(|cell| is_rule(cell)) {
        return None;
    }
    let width = head.len();
    let body = lines.get(2..).unwrap_or_default().iter().take_while(|line| line.contains('|'));
    let rows: Vec<Vec<Vec<Inline>>> = body
        .map(|line| {
            let mut row: Vec<Vec<Inline>> = cells(line).into_iter().take(width).map(|cell| inlines(&cell)).collect();
            row.resize(width, Vec::new());
            row
        })
        .collect();
    let taken = rows.len() + 2;
    Some((Block::Table(head.iter().map(|cell| inlines(cell)).collect(), rows), taken))
}

/// The cells of a line; `\|` is not a separator.
fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let line = line.strip_suffix('|').filter(|line| !line.ends_with('\\')).unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut letters = line.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' if letters.peek() == Some(&'|') => {
                letters.next();
                if let Some(cell) = cells.last_mut() {
                    cell.push('|');
                }
            }
            '|' => cells.push(String::new()),
            other => {
                if let Some(cell) = cells.last_mut() {
                    cell.push(other);
                }
            }
        }
    }
    cells.iter().map(|cell| cell.trim().to_owned()).collect()
}

#[cfg(test)]
mod tests;

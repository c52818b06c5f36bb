//! Tables that fit a width: numbers are right-aligned, the last column is cut if necessary.

/// Cuts `text` to `width` characters, with an ellipsis if something is missing.
pub(crate) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut kept: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        kept.push('…');
    }
    kept
}

/// Pads `text` to `width` characters; on the left for numbers.
pub(crate) fn fill(text: &str, width: usize, right: bool) -> String {
    let blanks = " ".repeat(width.saturating_sub(text.chars().count()));
    if right { blanks + text } else { text.to_owned() + &blanks }
}

/// A column of a table.
pub(crate) struct Column {
    pub(crate) heading: &'static str,
    pub(crate) right: bool,
}

/// Formats a table, heading first. The last column gets the rest of `width`.
pub(crate) fn lines(columns: &[Column], rows: &[Vec<String>], width: usize) -> Vec<String> {
    let width_of = |at: usize, column: &Column| {
        let cells = rows.iter().filter_map(|row| row.get(at)).map(|cell| cell.chars().count());
        cells.max().unwrap_or(0).max(column.heading.chars().count())
    };
    let widths: Vec<usize> = columns.iter().enumerate().map(|(at, column)| width_of(at, column)).collect();
    let fixed: usize = widths.iter().rev().skip(1).map(|width| width + 2).sum();
    let last = width.saturating_sub(fixed).max(8);
    let line = |cells: &[String]| {
        let mut line = String::new();
        for ((at, cell), column) in cells.iter().enumerate().zip(columns) {
            if at + 1 == columns.len() {
                line += &cut(cell, last);
            } else {
                line += &fill(cell, widths.get(at).copied().unwrap_or(0), column.right);
                line += "  ";
            }
        }
        line.trim_end().to_owned()
    };
    let headings: Vec<String> = columns.iter().map(|column| column.heading.to_owned()).collect();
    std::iter::once(line(&headings)).chain(rows.iter().map(|row| line(row))).collect()
}

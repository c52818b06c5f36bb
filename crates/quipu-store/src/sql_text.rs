//! Formats a query result as CSV, JSON or Markdown, in pieces.

use crate::{SqlAnswer, SqlValue};
use quipu_model::csv;
use quipu_model::encoding::hex;
use quipu_model::recorded::write_json_string;
use quipu_protocol::FileFormat;

/// Formats a piece of the result, starting with row `from`. A piece ends with the row that makes it longer than `bytes`. Returns the text
/// and the first row of the next piece. `None` if results can't be written in `format`.
pub fn sql_text(answer: &SqlAnswer, format: FileFormat, from: usize, bytes: usize) -> Option<(String, Option<usize>)> {
    let mut text = String::new();
    let names = if format == FileFormat::Json { answer.keys() } else { answer.columns.clone() };
    if from == 0 {
        match format {
            FileFormat::Json => text.push('['),
            FileFormat::Csv => csv::push_row(&mut text, names.iter().map(Some)),
            FileFormat::Markdown => {
                text.push_str("| ");
                push_row(&mut text, names.iter().map(|name| markdown_cell(name)), " | ", " |\n|");
                for column in 0..names.len() {
                    text.push_str(if answer.is_numeric(column) { " ---: |" } else { " --- |" });
                }
                text.push('\n');
            }
            _ => return None,
        }
    }
    let mut at = from;
    while let Some(row) = answer.rows.get(at) {
        match format {
            FileFormat::Json => {
                text.push_str(if at == 0 { "\n{" } else { ",\n{" });
                let fields = names.iter().zip(row).map(|(key, value)| format!("{key}: {}", value.to_json()));
                push_row(&mut text, fields, ", ", "}");
            }
            FileFormat::Csv => csv::push_row(&mut text, row.iter().map(plain)),
            FileFormat::Markdown => {
                text.push_str("| ");
                push_row(&mut text, row.iter().map(|value| markdown_cell(&plain(value).unwrap_or_default())), " | ", " |\n");
            }
            _ => return None,
        }
        at += 1;
        if text.len() > bytes && at < answer.rows.len() {
            return Some((text, Some(at)));
        }
    }
    if format == FileFormat::Json {
        text.push_str(if answer.rows.is_empty() { "]" } else { "\n]" });
    }
    Some((text, None))
}

impl SqlAnswer {
    /// The names of columns as JSON texts, each once.
    fn keys(&self) -> Vec<String> {
        let mut names: Vec<String> = Vec::with_capacity(self.columns.len());
        for column in &self.columns {
            let taken = |name: &str| names.iter().any(|other| other == name);
            let numbered = (2..).map(|number| format!("{column}_{number}")).find(|name| !taken(name));
            let name = if taken(column) { numbered.unwrap_or_else(|| column.clone()) } else { column.clone() };
            names.push(name);
        }
        names.iter().map(|name| json_string(name)).collect()
    }

    /// An array of objects, one a row. Of columns with the same name later ones get a number; what JSON has no number for is null, and a
    /// BLOB is its bytes in hexadecimal.
    pub fn to_json(&self) -> String {
        sql_text(self, FileFormat::Json, 0, usize::MAX).map_or_else(String::new, |(text, _)| text)
    }
}

impl SqlValue {
    /// The value as JSON.
    fn to_json(&self) -> String {
        match self {
            SqlValue::Integer(number) => number.to_string(),
            SqlValue::Real(number) if number.is_finite() => format!("{number:?}"),
            SqlValue::Null | SqlValue::Real(_) => "null".to_owned(),
            SqlValue::Text(text) => json_string(text),
            SqlValue::Blob(bytes) => json_string(&hex(bytes)),
        }
    }
}

fn json_string(text: &str) -> String {
    let mut quoted = String::new();
    write_json_string(text, &mut quoted);
    quoted
}

fn push_row(text: &mut String, fields: impl Iterator<Item = String>, between: &str, end: &str) {
    for (place, field) in fields.enumerate() {
        if place > 0 {
            text.push_str(between);
        }
        text.push_str(&field);
    }
    text.push_str(end);
}

/// A value as text; `None` for NULL.
fn plain(value: &SqlValue) -> Option<String> {
    Some(match value {
        SqlValue::Null => return None,
        SqlValue::Integer(number) => number.to_string(),
        SqlValue::Real(number) => number.to_string(),
        SqlValue::Text(text) => text.clone(),
        SqlValue::Blob(bytes) => hex(bytes),
    })
}

/// Escapes text for a table cell and puts it on one line.
fn markdown_cell(text: &str) -> String {
    let mut cell = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\\' | '|' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '~' => cell.extend(['\\', letter]),
            '\n' => cell.push_str("<br>"),
            '\r' => {}
            letter => cell.push(letter),
        }
    }
    cell
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_protocol::Contents;

    fn answer() -> SqlAnswer {
        SqlAnswer {
            columns: vec!["a".into(), "a".into(), "b|c".into()],
            rows: vec![
                vec![SqlValue::Integer(1), SqlValue::Null, SqlValue::Text(String::new())],
                vec![SqlValue::Real(2.5), SqlValue::Text("x,\"y\"\nz|*".into()), SqlValue::Blob(vec![0, 255])],
            ],
            ..SqlAnswer::default()
        }
    }

    #[test]
    fn no_cell_of_a_result_is_a_formula() {
        let text = SqlValue::Text("=1+1".into());
        let answer = SqlAnswer { columns: vec!["@x".into()], rows: vec![vec![text], vec![SqlValue::Real(-2.5)]], ..SqlAnswer::default() };
        assert_eq!(sql_text(&answer, FileFormat::Csv, 0, usize::MAX).map(|(text, _)| text).as_deref(), Some("'@x\r\n'=1+1\r\n-2.5\r\n"));
    }

    fn whole(format: FileFormat) -> String {
        let in_one = sql_text(&answer(), format, 0, usize::MAX).expect("a format for results");
        assert_eq!(in_one.1, None);
        let (mut text, mut from) = (String::new(), Some(0));
        while let Some(at) = from {
            let (piece, next) = sql_text(&answer(), format, at, 0).expect("a format for results");
            text += &piece;
            from = next;
        }
        assert_eq!(text, in_one.0, "pieces are the whole");
        text
    }

    #[test]
    fn a_format_is_for_results_as_its_row_says() {
        for format in FileFormat::ALL {
            assert_eq!(sql_text(&answer(), format, 0, 0).is_some(), format.holds(Contents::SqlResult), "{format:?}");
        }
    }

    #[test]
    fn null_and_an_empty_string_differ_in_csv() {
        assert_eq!(whole(FileFormat::Csv), "a,a,b|c\r\n1,,\"\"\r\n2.5,\"x,\"\"y\"\"\nz|*\",00ff\r\n");
    }

    #[test]
    fn json_is_what_the_command_prints() {
        assert_eq!(whole(FileFormat::Json), answer().to_json());
        let json: serde_json::Value = serde_json::from_str(&whole(FileFormat::Json)).expect("JSON");
        assert_eq!(json[1]["a_2"], "x,\"y\"\nz|*");
    }

    #[test]
    fn markdown_has_a_line_a_row_and_nothing_in_a_cell_means_anything() {
        assert_eq!(
            whole(FileFormat::Markdown),
            "| a | a | b\\|c |\n| ---: | --- | --- |\n| 1 |  |  |\n| 2.5 | x,\"y\"<br>z\\|\\* | 00ff |\n"
        );
    }
}

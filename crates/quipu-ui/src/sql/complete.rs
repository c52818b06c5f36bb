//! Completion for SQL queries: tables where one is expected, columns of the tables in use, functions, keywords.

use super::token::{KEYWORDS, SqlToken, TokenKind, tokens};
use quipu_model::number::narrow;
use quipu_protocol::{SqlTable, Suggestion, Suggestions};

/// Maximum number of suggestions.
const MOST: usize = 12;

/// Functions and their descriptions.
const FUNCTIONS: [(&str, &str); 38] = [
    ("abs(", "without its sign"),
    ("avg(", "mean"),
    ("ceil(", "rounded up"),
    ("coalesce(", "the first that is not NULL"),
    ("count(*)", "rows"),
    ("count(", "values that are not NULL"),
    ("date(", "the day of a time"),
    ("dense_rank()", "place, ties together"),
    ("first_value(", "of the window"),
    ("floor(", "rounded down"),
    ("group_concat(", "texts with commas between"),
    ("hex(", "bytes in hexadecimal"),
    ("iif(", "one of two"),
    ("instr(", "where a text stands in another"),
    ("json(", "JSON without blanks"),
    ("json_array_length(", "elements of a JSON array"),
    ("json_each(", "a row for each element of JSON"),
    ("json_extract(", "a value inside JSON"),
    ("json_tree(", "a row for each value inside JSON"),
    ("json_type(", "what a value inside JSON is"),
    ("json_valid(", "whether it is JSON"),
    ("julianday(", "a time in days"),
    ("lag(", "of the row before in the window"),
    ("lead(", "of the row behind in the window"),
    ("length(", "characters"),
    ("lower(", "in small letters"),
    ("max(", "largest"),
    ("min(", "smallest"),
    ("ntile(", "which of equal parts"),
    ("printf(", "by a format"),
    ("replace(", "one text by another"),
    ("round(", "to so many digits"),
    ("row_number()", "place in the window"),
    ("strftime(", "a time by a format"),
    ("substr(", "a part of a text"),
    ("sum(", "sum"),
    ("typeof(", "what a value is"),
    ("unixepoch(", "seconds since 1970"),
];

/// Suggestions for `query` with the cursor at the byte offset `cursor`.
pub fn complete(query: &str, cursor: usize, tables: &[SqlTable]) -> Suggestions {
    let all = tokens(query);
    let text = |token: &SqlToken| query.get(token.start..token.end).unwrap_or_default();
    let under = all.iter().find(|token| token.start < cursor && cursor <= token.end);
    // No suggestions inside a string or a comment.
    if under.is_some_and(|token| match token.kind {
        TokenKind::Comment => cursor < token.end || !text(token).ends_with("*/"),
        TokenKind::Text | TokenKind::Number => true,
        _ => false,
    }) {
        return Suggestions::default();
    }
    let word = under.filter(|token| matches!(token.kind, TokenKind::Name | TokenKind::Keyword));
    let start = word.map_or(cursor, |token| token.start);
    let typed = query.get(start..cursor).unwrap_or_default();
    let before: Vec<&SqlToken> =
        all.iter().filter(|token| token.end <= start && !matches!(token.kind, TokenKind::Blank | TokenKind::Comment)).collect();
    let last = before.last().copied();
    let mut candidates = Candidates { prefix: typed.trim_start_matches(['"', '`', '[']).to_ascii_lowercase(), items: Vec::new() };
    let named = tables_of(&all, query, tables);
    if last.is_some_and(|token| text(token) == ".") {
        let owner = before.iter().rev().nth(1).map(|token| text(token)).unwrap_or_default();
        for (_, table) in named.iter().filter(|(alias, _)| alias.eq_ignore_ascii_case(owner)) {
            candidates.columns(table);
        }
        return candidates.at(start, cursor);
    }
    if is_table_due(&before, query) {
        for table in tables {
            candidates.offer(&table.written, &table.about);
        }
        candidates.offer("json_each(", "a row for each element of JSON");
        return candidates.at(start, cursor);
    }
    // Without a first letter, everything would match.
    if candidates.prefix.is_empty() {
        return Suggestions::default();
    }
    for (_, table) in &named {
        candidates.columns(table);
    }
    for (alias, table) in &named {
        candidates.offer(alias, &table.about);
    }
    if named.is_empty() {
        tables.iter().for_each(|table| candidates.columns(table));
    }
    for (name, meaning) in FUNCTIONS {
        candidates.offer(name, meaning);
    }
    for word in KEYWORDS {
        candidates.offer(word, "");
    }
    candidates.at(start, cursor)
}

struct Candidates {
    prefix: String,
    items: Vec<Suggestion>,
}

impl Candidates {
    fn offer(&mut self, text: &str, meaning: &str) {
        let name = text.trim_start_matches('"').to_ascii_lowercase();
        // Do not suggest what is already there.
        if name.starts_with(&self.prefix) && name != self.prefix && !self.items.iter().any(|item| item.text == text) {
            self.items.push(Suggestion { text: text.to_owned(), meaning: meaning.to_owned(), spans: None });
        }
    }

    fn columns(&mut self, table: &SqlTable) {
        for column in &table.columns {
            let meaning = if column.about.is_empty() { table.name.clone() } else { format!("{} · {}", table.name, column.about) };
            self.offer(&column.written, &meaning);
        }
    }

    fn at(mut self, start: usize, cursor: usize) -> Suggestions {
        self.items.truncate(MOST);
        Suggestions { start: narrow(start), end: narrow(cursor), items: self.items }
    }
}

/// Whether a table name is expected: after FROM and JOIN, and after commas in FROM.
fn is_table_due(before: &[&SqlToken], query: &str) -> bool {
    let word = |token: &SqlToken| query.get(token.start..token.end).unwrap_or_default().to_ascii_uppercase();
    let Some(last) = before.last() else { return false };
    match word(last).as_str() {
        "FROM" | "JOIN" => true,
        "," => {
            let clause = before
                .iter()
                .rev()
                .map(|token| word(token))
                .find(|word| ["FROM", "JOIN", "SELECT", "WHERE", "BY", "ON", "HAVING", "("].contains(&word.as_str()));
            clause.is_some_and(|clause| clause == "FROM" || clause == "JOIN")
        }
        _ => false,
    }
}

/// The tables used in a query, by name and by alias.
fn tables_of<'a>(all: &[SqlToken], query: &str, tables: &'a [SqlTable]) -> Vec<(String, &'a SqlTable)> {
    let words: Vec<(&str, TokenKind)> = all
        .iter()
        .filter(|token| !matches!(token.kind, TokenKind::Blank | TokenKind::Comment))
        .map(|token| (query.get(token.start..token.end).unwrap_or_default(), token.kind))
        .collect();
    let mut found: Vec<(String, &SqlTable)> = Vec::new();
    let mut due = false;
    for (at, (word, kind)) in words.iter().enumerate() {
        let upper = word.to_ascii_uppercase();
        let follows_table = due && *kind == TokenKind::Name;
        due = matches!(upper.as_str(), "FROM" | "JOIN") || (*word == "," && !found.is_empty()) || (*word == "." && due_before(&words, at));
        let table = tables.iter().find(|table| table.name.eq_ignore_ascii_case(word.trim_matches(['"', '`', '[', ']'])));
        let Some(table) = table.filter(|_| follows_table) else { continue };
        let mut after = words.iter().skip(at + 1).skip_while(|(word, _)| word.eq_ignore_ascii_case("AS"));
        let alias = after.next().filter(|(_, kind)| *kind == TokenKind::Name).map(|(word, _)| (*word).to_owned());
        found.extend(alias.map(|alias| (alias, table)));
        if !found.iter().any(|(name, _)| *name == table.name) {
            found.push((table.name.clone(), table));
        }
    }
    found
}

/// Whether a point is part of a table name: after `main`, which follows FROM.
fn due_before(words: &[(&str, TokenKind)], point: usize) -> bool {
    point
        .checked_sub(1)
        .and_then(|at| words.get(at))
        .is_some_and(|(word, _)| ["main", "temp"].iter().any(|name| name.eq_ignore_ascii_case(word)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use quipu_protocol::SqlField;

    fn schema() -> Vec<SqlTable> {
        let table = |name: &str, columns: &[&str]| SqlTable {
            name: name.into(),
            written: name.into(),
            columns: columns.iter().map(|name| SqlField { name: (*name).into(), written: (*name).into(), about: String::new() }).collect(),
            ..SqlTable::default()
        };
        vec![
            table("requests", &["trace_id", "route"]),
            table("spans", &["span_id", "trace_id", "name"]),
            table("span_events", &["id", "name"]),
        ]
    }

    /// The suggestions at the position of `|`.
    fn at(marked: &str) -> Vec<String> {
        let cursor = marked.find('|').unwrap_or(marked.len());
        complete(&marked.replacen('|', "", 1), cursor, &schema()).items.into_iter().map(|item| item.text).collect()
    }

    #[test]
    fn tables_follow_from_and_join() {
        assert_eq!(at("SELECT * FROM sp|"), ["spans", "span_events"]);
        assert_eq!(at("SELECT * FROM |").len(), 4);
        assert_eq!(at("SELECT * FROM spans JOIN req|"), ["requests"]);
        assert_eq!(at("SELECT * FROM spans, req|"), ["requests"]);
        assert!(!at("SELECT a, req| FROM spans").contains(&"requests".to_owned()));
    }

    #[test]
    fn columns_are_those_of_the_tables_that_are_named() {
        assert_eq!(at("SELECT s.| FROM spans s"), ["span_id", "trace_id", "name"]);
        assert_eq!(at("SELECT e.na| FROM spans AS s JOIN main.span_events AS e"), ["name"]);
        assert_eq!(at("SELECT rou| FROM requests"), ["route", "round("]);
        assert_eq!(at("SELECT span_i| FROM spans"), ["span_id"]);
        assert_eq!(at("SELECT x.| FROM spans s"), [] as [&str; 0]);
    }

    #[test]
    fn functions_and_keywords_come_last_and_nothing_is_suggested_in_texts() {
        assert_eq!(at("SELECT cou|"), ["count(*)", "count("]);
        assert_eq!(at("sel|"), ["SELECT"]);
        for nothing in ["SELECT 'sp|'", "SELECT 1 -- fr|", "SELECT |", "|", "SELECT 12|"] {
            assert_eq!(at(nothing), [] as [&str; 0], "{nothing}");
        }
    }

    proptest! {
        #[test]
        fn any_text_at_any_place_is_completed_in_bounds(text in prop_oneof![".*", "[a-z.,'\" ()]*"], cursor in 0..60_usize) {
            let found = complete(&text, cursor, &schema());
            prop_assert!(found.items.len() <= MOST && found.start <= found.end);
        }
    }
}

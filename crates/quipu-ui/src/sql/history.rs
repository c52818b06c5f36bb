//! The history of queries as one string, one query per line.

/// Maximum number of queries.
const REMEMBERED: usize = 30;
/// Longer queries are not kept.
const LONGEST: usize = 10_000;
/// Stands for a line break within a query; does not occur in queries.
const LINE: char = '\u{1f}';

/// Puts `query` at the front of the history, without duplicates.
pub fn remember(known: &str, query: &str) -> String {
    let line = query.trim().replace('\n', &LINE.to_string());
    let older = known.lines().filter(|other| *other != line && !other.is_empty());
    let line = Some(line.as_str()).filter(|line| !line.is_empty() && line.len() <= LONGEST);
    line.into_iter().chain(older).take(REMEMBERED).collect::<Vec<_>>().join("\n")
}

/// The queries of a history, latest first.
pub fn remembered(known: &str) -> Vec<String> {
    known.lines().filter(|line| !line.is_empty()).map(|line| line.replace(LINE, "\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_kept_with_their_lines_latest_first() {
        let mut known = String::new();
        for query in ["SELECT 1", "SELECT\n2 -- two\n", " ", "SELECT 1"] {
            known = remember(&known, query);
        }
        assert_eq!(remembered(&known), ["SELECT 1", "SELECT\n2 -- two"]);
        assert_eq!(remembered(&remember("", &"x".repeat(LONGEST + 1))), [] as [&str; 0]);
        let many = (0..99).fold(String::new(), |known, number| remember(&known, &format!("SELECT {number}")));
        assert_eq!(remembered(&many).len(), REMEMBERED);
    }
}

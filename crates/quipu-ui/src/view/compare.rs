//! A line diff of two recorded values, for the inputs of consecutive inferences.
//!
//! The core chooses the values; `render::compare` renders the diff.

use super::value_tree::{child, child_count, child_label};
use quipu_model::Value;
use serde::{Deserialize, Serialize};
use similar::{Algorithm, DiffOp, capture_diff_slices};

/// Maximum number of lines compared per value.
const MAX_LINES: usize = 3_000;

/// What changed about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// In both values.
    Same,
    /// Only in the earlier value.
    Gone,
    /// Only in the later value.
    New,
}

/// A diff of two values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// Runs of lines with the same change, in order.
    pub runs: Vec<(Change, Vec<String>)>,
    /// Whether a value has more lines than were compared.
    pub cut: bool,
}

impl Comparison {
    /// The number of lines with this change.
    pub fn count(&self, change: Change) -> usize {
        self.runs.iter().filter(|run| run.0 == change).map(|run| run.1.len()).sum()
    }
}

/// Compares two decoded values. A value has one line per key, item and line of text.
pub fn compare(before: &Value, after: &Value) -> Comparison {
    let (old, new) = (outline(before), outline(after));
    let mut runs: Vec<(Change, Vec<String>)> = Vec::new();
    let mut put = |change: Change, lines: &[String]| {
        if let Some((_, found)) = runs.last_mut().filter(|run| run.0 == change) {
            found.extend_from_slice(lines);
        } else if !lines.is_empty() {
            runs.push((change, lines.to_vec()));
        }
    };
    for op in capture_diff_slices(Algorithm::Myers, &old, &new) {
        let of = |lines: &[String], start: usize, len: usize| lines.get(start..start + len).unwrap_or_default().to_vec();
        match op {
            DiffOp::Equal { new_index, len, .. } => put(Change::Same, &of(&new, new_index, len)),
            DiffOp::Delete { old_index, old_len, .. } => put(Change::Gone, &of(&old, old_index, old_len)),
            DiffOp::Insert { new_index, new_len, .. } => put(Change::New, &of(&new, new_index, new_len)),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                put(Change::Gone, &of(&old, old_index, old_len));
                put(Change::New, &of(&new, new_index, new_len));
            }
        }
    }
    Comparison { runs, cut: old.len() >= MAX_LINES || new.len() >= MAX_LINES }
}

/// The lines of a value, indented by depth.
fn outline(value: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    write(value, "", 0, &mut lines);
    lines.truncate(MAX_LINES);
    lines
}

fn write(value: &Value, label: &str, depth: usize, lines: &mut Vec<String>) {
    if lines.len() >= MAX_LINES {
        return;
    }
    let indent = "  ".repeat(depth.min(40));
    let count = child_count(value);
    if count == 0 {
        let text = leaf(value);
        let label = if label.is_empty() { String::new() } else { format!("{label} ") };
        let mut parts = text.lines();
        lines.push(format!("{indent}{label}{}", parts.next().unwrap_or_default()));
        lines.extend(parts.take(MAX_LINES).map(|part| format!("{indent}  {part}")));
        return;
    }
    let is_list = value.items().is_some();
    let inner = if label.is_empty() { depth } else { depth + 1 };
    if !label.is_empty() {
        lines.push(format!("{indent}{label}"));
    }
    for place in 0..count {
        // With numbers, inserting an item would change all items after it.
        let label = if is_list { "–".to_owned() } else { format!("{}:", child_label(value, place)) };
        if let Some(child) = child(value, place) {
            write(child, &label, inner, lines);
        }
    }
}

fn leaf(value: &Value) -> String {
    match value {
        Value::Nested { raw, .. } => raw.clone(),
        Value::Text(text) | Value::Opaque(text) => text.clone(),
        Value::Number(number) => number.0.clone(),
        Value::Bool(is) => is.to_string(),
        Value::Null => "null".to_owned(),
        Value::Tagged { tag, value } => format!("{tag} {}", leaf(value)),
        Value::List(_) => "[]".to_owned(),
        Value::Map(_) => "{}".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_model::recorded::decode;

    fn compared(before: &str, after: &str) -> String {
        let found = compare(&decode(before).value, &decode(after).value);
        let sign = |change| match change {
            Change::Same => ' ',
            Change::Gone => '-',
            Change::New => '+',
        };
        let lines = found.runs.iter().flat_map(|(change, lines)| lines.iter().map(move |line| format!("{}{line}", sign(*change))));
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn an_added_message_is_all_that_is_new() {
        insta::assert_snapshot!(
            compared(
                r#"[{"role": "user", "content": "Weather?\nIn Lima."}]"#,
                r#"[{"role": "user", "content": "Weather?\nIn Lima."}, {"role": "assistant", "content": "Dry."}]"#,
            ),
            @r"
         –
           role: user
           content: Weather?
             In Lima.
        +–
        +  role: assistant
        +  content: Dry.
        "
        );
    }

    #[test]
    fn a_changed_line_of_a_text_stands_for_itself() {
        insta::assert_snapshot!(
            compared("{'prompt': 'One\\nTwo\\nThree', 'n': 1}", "{'prompt': 'One\\n2\\nThree', 'n': 1}"),
            @r"
         prompt: One
        -  Two
        +  2
           Three
         n: 1
        "
        );
    }

    #[test]
    fn values_of_another_shape_share_nothing() {
        assert_eq!(compared("plain", "[1, {}]"), "-plain\n+– 1\n+– {}");
        assert_eq!(compared("[]", "[]"), " []");
    }

    #[test]
    fn what_is_too_long_is_cut_and_says_so() {
        let long = format!("[{}]", vec!["1"; MAX_LINES + 5].join(","));
        let found = compare(&decode(&long).value, &decode("[]").value);
        assert!(found.cut);
        assert_eq!(found.count(Change::Gone), MAX_LINES);
    }
}

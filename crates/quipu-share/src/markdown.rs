//! A trace as Markdown for an issue or a language model: failures first, then the tree with times, the conversation, and error logs.
//!
//! Recorded text is put in code fences longer than any fence inside it, so it can't become markup. Redaction is in `redact`.

use quipu_model::SpanFlags;
use quipu_model::format;
use quipu_model::llm::{Body, Conversation, Entry, Message, ToolResult, Verdict};
use quipu_protocol::TraceColumns;
use quipu_ui::view;
use quipu_ui::view::{FailureChain, LogRow};
use std::collections::HashSet;

/// Approximate bytes per token of English, code and JSON.
const BYTES_A_TOKEN: usize = 4;

/// Maximum number of failures described.
pub const MAX_MARKDOWN_FAILURES: usize = 10;

/// Input of the Markdown report.
pub struct MarkdownSource<'a> {
    /// The spans, without framework spans.
    pub columns: &'a TraceColumns,
    /// The first failures with their error messages.
    pub failures: &'a [(FailureChain, String)],
    /// The conversation of the trace.
    pub conversation: &'a Conversation,
    /// Notes about missing parts.
    pub notes: &'a [String],
    /// Log events that report errors, by time.
    pub errors: &'a [LogRow],
    /// Total number of log events.
    pub events: u32,
}

/// The trace in about `tokens` tokens of four bytes, at least 500. Omissions are noted.
pub fn trace_markdown(source: &MarkdownSource<'_>, tokens: usize) -> String {
    let mut page = Page { text: String::new(), left: tokens.max(500).saturating_mul(BYTES_A_TOKEN) };
    page.heading(source.columns);
    page.failures(source);
    // Each part gets a share of the remaining size; what it does not use is left for the next one.
    let tree = page.left * 2 / 5;
    page.tree(source.columns, tree);
    let said = page.left * if source.errors.is_empty() { 20 } else { 17 } / 20;
    page.conversation(source, said);
    page.logs(source.errors, source.events);
    page.text
}

struct Page {
    text: String,
    /// Remaining size in bytes.
    left: usize,
}

impl Page {
    fn add(&mut self, text: &str) {
        self.text.push_str(text);
        self.left = self.left.saturating_sub(text.len());
    }

    fn heading(&mut self, columns: &TraceColumns) {
        let root = if columns.is_empty() { "no spans" } else { columns.name_of(0) };
        self.add(&format!("# Trace {}\n\n", code(root)));
        let failed = columns.failed_rows.len() as u64;
        let mut facts = vec![
            format!("Trace id: {}", code(&columns.trace_id)),
            format!("Start: {}", columns.start.map_or_else(|| format::DASH.to_owned(), |at| at.civil(0) + " UTC")),
            format!("Duration: {}", format::duration(columns.duration_nanos)),
            format!("Spans: {}, {}", format::count(columns.spans_in_trace.into()), format::failures_text(Some(failed))),
        ];
        if columns.requests > 1 {
            facts.push(format!("Requests merged into it: {}", columns.requests));
        }
        facts.extend(format::token_sentence(&columns.token_totals).map(|tokens| format!("Tokens: {tokens}")));
        facts.extend(columns.warnings.iter().map(|warning| format!("Note: {}", code(&warning.text))));
        for fact in facts {
            self.add(&format!("- {fact}\n"));
        }
    }

    fn failures(&mut self, source: &MarkdownSource<'_>) {
        if source.failures.is_empty() {
            return;
        }
        self.add("\n## Failures\n");
        // Failures come first and can take up to half of the size.
        let each = (self.left / 2 / source.failures.len()).clamp(200, 4_000);
        for (chain, text) in source.failures {
            let row = chain.origin as usize;
            let name = source.columns.name_of(row);
            let start = source.columns.start_nanos.get(row).copied().unwrap_or_default();
            let took = source.columns.duration.get(row).copied().filter(|nanos| *nanos != quipu_protocol::UNKNOWN_NANOS);
            let went = view::chain_text(source.columns, chain);
            let went = if went.is_empty() { String::new() } else { format!("; {}", code(&went)) };
            let at = format::offset_text(i64::try_from(start).unwrap_or(i64::MAX));
            let id = source.columns.span_id.get(row).unwrap_or_default();
            self.add(&format!("\n{} (span {}), at {at}, took {}{went}\n", code(name), code(&id), format::duration_text(took)));
            match text.is_empty() {
                true => self.add("It failed; no message was recorded.\n"),
                false => self.fenced(text, each),
            }
        }
        let more = source.columns.failed_rows.len().saturating_sub(source.failures.iter().map(|(chain, _)| 1 + chain.failed.len()).sum());
        if source.failures.len() == MAX_MARKDOWN_FAILURES && more > 0 {
            self.add(&format!("\n{} more failed; they are marked in the tree.\n", format::counted(Some(more as u64), "span", "spans")));
        }
    }

    fn tree(&mut self, columns: &TraceColumns, share: usize) {
        self.add("\n## Spans\n\n");
        if columns.framework_spans > 0 && columns.len() < columns.spans_in_trace as usize {
            let folded = columns.spans_in_trace as usize - columns.len();
            self.add(&format!("Not printed: {}.\n\n", format::counted(Some(folded as u64), "framework span", "framework spans")));
        }
        let mut lines = String::new();
        let mut shown = 0;
        for row in 0..columns.len() {
            let line = tree_line(columns, row);
            if lines.len() + line.len() > share {
                break;
            }
            lines.push_str(&line);
            shown += 1;
        }
        self.fenced(&lines, usize::MAX);
        if shown < columns.len() {
            self.add(&format!(
                "\n{} left out to keep this short.\n",
                format::counted(Some((columns.len() - shown) as u64), "more span", "more spans")
            ));
        }
    }

    fn conversation(&mut self, source: &MarkdownSource<'_>, share: usize) {
        let mut shown = HashSet::new();
        let entries = source.conversation.turns.iter().flat_map(|turn| &turn.entries);
        let texts: Vec<(String, String)> = entries.flat_map(|entry| told(entry, &mut shown)).collect();
        if texts.is_empty() {
            return;
        }
        self.add("\n## Conversation\n");
        // Short texts leave room for long ones, so each can take twice its share.
        let each = (share * 2 / texts.len()).clamp(160, 40_000);
        let until = self.left.saturating_sub(share);
        let mut left_out = 0;
        for (title, text) in &texts {
            if self.left <= until {
                left_out += 1;
                continue;
            }
            self.add(&format!("\n**{title}**\n"));
            if !text.is_empty() {
                self.fenced(text, each.min(self.left - until));
            }
        }
        if left_out > 0 {
            self.add(&format!("\n{} left out to keep this short.\n", format::counted(Some(left_out), "more entry", "more entries")));
        }
        for note in source.notes {
            self.add(&format!("\n{note}\n"));
        }
    }

    fn logs(&mut self, logs: &[LogRow], all: u32) {
        if logs.is_empty() {
            return;
        }
        self.add(&format!(
            "\n## Logged errors\n\n{} of {}.\n",
            format::count(logs.len() as u64),
            format::counted(Some(all.into()), "event", "events")
        ));
        let each = (self.left * 2 / logs.len()).clamp(160, 8_000);
        for (place, row) in logs.iter().enumerate() {
            if self.left < 160 {
                let more = (logs.len() - place) as u64;
                return self.add(&format!("\n{} left out to keep this short.\n", format::counted(Some(more), "more event", "more events")));
            }
            let time = row.time.map_or_else(|| format::DASH.to_owned(), |time| time.civil(0));
            let place = if row.is_of_trace { "of the trace".to_owned() } else { format!("in {}", code(&row.span_name)) };
            self.add(&format!("\n{time} {} {place}\n", row.severity.map_or("", |found| found.label())));
            self.fenced(&row.text, each);
        }
    }

    /// A text in a code fence; only its beginning and end if it is longer than `most` bytes.
    fn fenced(&mut self, text: &str, most: usize) {
        let text = shortened(text, most.max(80));
        let fence = "`".repeat(longest_run(&text).max(2) + 1);
        let end = if text.ends_with('\n') { "" } else { "\n" };
        self.add(&format!("{fence}text\n{text}{end}{fence}\n"));
    }
}

/// One span: start, duration, name, tokens, and whether it failed.
fn tree_line(columns: &TraceColumns, row: usize) -> String {
    let start = columns.start_nanos.get(row).copied().unwrap_or_default();
    let took = columns.duration.get(row).copied().filter(|nanos| *nanos != quipu_protocol::UNKNOWN_NANOS);
    let flags = columns.flags.get(row).copied().unwrap_or_default();
    let depth = columns.depth.get(row).copied().unwrap_or_default() as usize;
    let tokens = u32::try_from(row).ok().and_then(|row| columns.tokens_of(row)).and_then(|record| record.total);
    let mut line = format!(
        "{:>9} {:>9}  {}{}",
        format::offset_text(i64::try_from(start).unwrap_or(i64::MAX)),
        format::duration_text(took),
        "  ".repeat(depth.min(40)),
        one_line(columns.name_of(row))
    );
    if let Some(total) = tokens {
        line += &format!(" [{} tokens]", format::count(total.tokens));
    }
    if flags.has(SpanFlags::FAILED) {
        line += " ✗ failed";
    }
    line.push('\n');
    line
}

/// The contents of an entry as titles and texts. `shown` are the messages above.
fn told<'c>(entry: &'c Entry, shown: &mut HashSet<(&'c str, &'c str)>) -> Vec<(String, String)> {
    let mut told = Vec::new();
    match &entry.body {
        // Messages sent to the model again are already above; those from before this conversation are not.
        Body::Earlier(messages) => {
            for message in messages.iter().filter(|message| !shown.contains(&(message.role.as_str(), message.text.trim()))) {
                words(message, &mut told);
                told.extend(message.tool_calls.iter().map(|call| (format!("calls {}", code(&call.tool_name)), call.arguments.clone())));
            }
        }
        Body::Asked { model, tools, .. } => {
            if let Some(model) = model {
                let tools = if tools.is_empty() {
                    String::new()
                } else {
                    format!(" with {}", format::counted(Some(tools.len() as u64), "tool", "tools"))
                };
                told.push((format!("asked {}{tools}", code(model)), String::new()));
            }
        }
        Body::Message { message, results } => {
            shown.insert((message.role.as_str(), message.text.trim()));
            shown.extend(results.iter().flatten().filter_map(|result| Some(("tool", result.text.as_deref()?.trim()))));
            words(message, &mut told);
            for (call, result) in message.tool_calls.iter().zip(results) {
                told.push((format!("calls {}", code(&call.tool_name)), call.arguments.clone()));
                told.extend(result.as_ref().map(|result| answered(&call.tool_name, result)));
            }
        }
        Body::Ran { tool_name, arguments, result } => {
            told.push((format!("calls {}", code(tool_name)), arguments.clone().unwrap_or_default()));
            told.push(answered(tool_name, result));
        }
        Body::Checked(shield) => {
            if let Verdict::Violation { message, .. } = &shield.verdict {
                told.push(("shield: violation".into(), message.clone().unwrap_or_default()));
            }
        }
        Body::Retrieved { chunks, .. } => {
            let texts: Vec<&str> = chunks.iter().map(|chunk| chunk.text.as_str()).collect();
            told.push((format!("retrieved {}", format::counted(Some(chunks.len() as u64), "chunk", "chunks")), texts.join("\n---\n")));
        }
        Body::Embedded(texts) => {
            told.push((format!("embedded {}", format::counted(Some(texts.len() as u64), "text", "texts")), texts.join("\n---\n")));
        }
        Body::Missing(text) => told.push(("assistant".into(), text.clone())),
        Body::Failed(text) => told.push(("failed".into(), text.clone())),
        Body::Other { .. } => {}
    }
    told
}

fn words(message: &Message, told: &mut Vec<(String, String)>) {
    told.extend(message.reasoning.iter().map(|text| ("reasoning".to_owned(), text.clone())));
    if !message.text.is_empty() {
        told.push((bold(&message.role), message.text.clone()));
    }
}

fn answered(tool: &str, result: &ToolResult) -> (String, String) {
    match (&result.failure, &result.text) {
        (Some(failure), _) => (format!("{} failed", code(tool)), failure.clone()),
        (None, text) => (format!("{} answers", code(tool)), text.clone().unwrap_or_default()),
    }
}

/// A recorded word in bold, with markup escaped.
fn bold(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-')).collect()
}

/// Recorded text as inline code.
fn code(text: &str) -> String {
    let text = one_line(text);
    let ticks = "`".repeat(longest_run(&text) + 1);
    // A backtick at an end would merge with the delimiter.
    let blank = if text.starts_with('`') || text.ends_with('`') || text.trim().is_empty() { " " } else { "" };
    format!("{ticks}{blank}{text}{blank}{ticks}")
}

fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// The beginning and end of a text longer than `most` bytes, with the number of omitted bytes in between.
fn shortened(text: &str, most: usize) -> String {
    // Replaces control characters, which a terminal or page could interpret.
    let visible = |letter: char| if letter.is_control() && letter != '\n' && letter != '\t' { '\u{fffd}' } else { letter };
    if text.len() <= most {
        return text.chars().map(visible).collect();
    }
    let (mut head, mut tail) = (most * 2 / 3, text.len() - most / 3);
    while !text.is_char_boundary(head) {
        head -= 1;
    }
    while !text.is_char_boundary(tail) {
        tail += 1;
    }
    let cut = format::bytes((tail - head) as u64);
    let (head, tail) = (text.get(..head).unwrap_or_default(), text.get(tail..).unwrap_or_default());
    format!("{head}\n[… {cut} left out …]\n{tail}").chars().map(visible).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn recorded_text_stays_inside_its_code() {
        assert_eq!(code("a`b"), "``a`b``");
        assert_eq!(code("`<b>`\n# x"), "`` `<b>` # x ``");
        let mut page = Page { text: String::new(), left: 10_000 };
        page.fenced("see:\n````\n</details><script>\n````", usize::MAX);
        assert_eq!(page.text, "`````text\nsee:\n````\n</details><script>\n````\n`````\n");
    }

    #[test]
    fn of_a_long_text_beginning_and_end_stay() {
        let text = format!("begin{}end", "é".repeat(1_000));
        let short = shortened(&text, 100);
        assert!(short.starts_with("beginé") && short.ends_with("éend") && short.len() < 160, "{short}");
        assert!(short.contains("\n[… ") && short.contains(" left out …]\n"), "{short}");
    }

    proptest! {
        #[test]
        fn a_fence_ends_only_where_it_was_put(text in "[`a\n<~ ]{0,60}") {
            let mut page = Page { text: String::new(), left: 10_000 };
            page.fenced(&text, usize::MAX);
            let lines: Vec<&str> = page.text.lines().collect();
            let fence = lines[0].trim_end_matches("text");
            let ends = lines.iter().filter(|line| line.trim_start().starts_with(fence)).count();
            prop_assert_eq!(ends, 2);
        }
    }
}

//! Completion of PromQL queries: metrics, labels and their values, functions, keywords.
//!
//! Not here: checking queries (`quipu-promql`).

use quipu_model::number::narrow;
use quipu_promql::{AGGREGATIONS, FunctionHelp, KEYWORDS, Token, TokenKind, functions, lex};
use quipu_protocol::{MetricCatalog, Suggestion, Suggestions};

/// Maximum number of suggestions.
const MOST: usize = 40;
/// Common range durations.
const DURATIONS: [&str; 6] = ["1m", "5m", "15m", "1h", "6h", "1d"];

/// Suggestions for `query` at byte offset `cursor`, using the names in `catalog`.
pub(super) fn complete(query: &str, cursor: usize, catalog: &MetricCatalog) -> Suggestions {
    let cursor = (0..=cursor.min(query.len())).rev().find(|at| query.is_char_boundary(*at)).unwrap_or_default();
    let tokens: Vec<Token> = lex(query).into_iter().filter(|token| token.location.start < cursor).collect();
    // The token being typed, including its part after the cursor.
    let typed = tokens.last().filter(|token| token.location.end >= cursor).copied();
    let before = match typed {
        Some(_) => tokens.get(..tokens.len() - 1).unwrap_or_default(),
        None => &tokens,
    };
    let is_word = |kind: TokenKind| !matches!(kind, TokenKind::Mark | TokenKind::Operator | TokenKind::Unknown | TokenKind::Comment);
    let (start, end, known) = match typed {
        Some(token) if token.kind == TokenKind::Comment => return Suggestions::default(),
        Some(token) if is_word(token.kind) => (token.location.start, token.location.end, before),
        _ => (cursor, cursor, tokens.as_slice()),
    };
    let word = query.get(start..cursor).unwrap_or_default().to_lowercase();
    let mut choices = Choices { word, items: Vec::new() };
    let context = context(query, known);
    match context {
        CursorContext::Expression => expression(&mut choices, catalog),
        CursorContext::LabelName(metric) => label_names(&mut choices, catalog, metric),
        CursorContext::LabelValue(label) => {
            let values = catalog.labels.iter().find(|known| known.name == label).map(|known| known.values.as_slice()).unwrap_or_default();
            choices.word = choices.word.trim_start_matches(['"', '\'', '`']).to_owned();
            values.iter().for_each(|value| choices.offer(value, format!("{value:?}"), "value in this file".into()));
        }
        CursorContext::Window => {
            DURATIONS.iter().for_each(|duration| choices.offer(duration, (*duration).to_owned(), "range duration".into()))
        }
    }
    Suggestions { start: narrow(start), end: narrow(end), items: choices.sorted() }
}

/// What is expected at the cursor.
enum CursorContext<'q> {
    Expression,
    /// A label of this metric.
    LabelName(&'q str),
    /// A value of this label.
    LabelValue(&'q str),
    Window,
}

fn context<'q>(query: &'q str, before: &[Token]) -> CursorContext<'q> {
    let text = |at: usize| before.get(at).map_or("", |token| token.text(query));
    // The innermost open bracket.
    let mut depth = 0_i32;
    let open = (0..before.len()).rev().find(|at| {
        match text(*at) {
            ")" | "}" | "]" => depth += 1,
            "(" | "{" | "[" => depth -= 1,
            _ => {}
        }
        depth < 0
    });
    let Some(open) = open else { return CursorContext::Expression };
    let name_before = open.checked_sub(1).map(text).unwrap_or_default();
    let last = before.len().checked_sub(1).map(text).unwrap_or_default();
    match text(open) {
        "[" => CursorContext::Window,
        "{" if ["=", "!=", "=~", "!~"].contains(&last) => {
            CursorContext::LabelValue(before.len().checked_sub(2).map(text).unwrap_or_default())
        }
        "{" => CursorContext::LabelName(name_before),
        _ if ["by", "without", "on", "ignoring", "group_left", "group_right"].iter().any(|word| word.eq_ignore_ascii_case(name_before)) => {
            CursorContext::LabelName("")
        }
        _ => CursorContext::Expression,
    }
}

fn expression(choices: &mut Choices, catalog: &MetricCatalog) {
    for metric in &catalog.metrics {
        choices.offer(&metric.name, metric.name.clone(), metric.help.clone());
    }
    // Don't suggest what is not supported.
    for name in AGGREGATIONS.into_iter().filter(|name| *name != "limit_ratio") {
        choices.offer(name, format!("{name}("), "aggregates series".into());
    }
    for FunctionHelp { name, help, .. } in functions() {
        choices.offer(name, format!("{name}("), help.to_string());
    }
    for word in KEYWORDS.into_iter().filter(|word| *word != "fill") {
        choices.offer(word, word.to_owned(), "keyword".into());
    }
}

fn label_names(choices: &mut Choices, catalog: &MetricCatalog, metric: &str) {
    let of_metric = catalog.metrics.iter().find(|known| known.name == metric).map(|known| known.labels.as_slice());
    for label in &catalog.labels {
        if of_metric.is_none_or(|labels| labels.contains(&label.name)) {
            let values = label.values.len();
            choices.offer(&label.name, label.name.clone(), quipu_model::format::counted(Some(values as u64), "value", "values"));
        }
    }
}

/// Suggestions that contain the typed text.
struct Choices {
    word: String,
    items: Vec<(bool, Suggestion)>,
}

impl Choices {
    fn offer(&mut self, name: &str, text: String, meaning: String) {
        let lower = name.to_lowercase();
        if lower.contains(&self.word) && lower != self.word {
            self.items.push((!lower.starts_with(&self.word), Suggestion { text, meaning, spans: None }));
        }
    }

    /// Matches at the start come first.
    fn sorted(mut self) -> Vec<Suggestion> {
        self.items.sort_by_key(|(holds_only, _)| *holds_only);
        self.items.into_iter().map(|(_, item)| item).take(MOST).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quipu_protocol::{LabelCompletion, MetricInfo, MetricKind};

    fn catalog() -> MetricCatalog {
        let metric = |name: &str, labels: &[&str]| MetricInfo {
            name: name.into(),
            kind: MetricKind::Counter,
            help: "tokens".into(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
        };
        let label = |name: &str, values: &[&str]| LabelCompletion {
            name: name.into(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        MetricCatalog {
            metrics: vec![metric("llama_stack_tokens_total", &["model_id"]), metric("quipu_errors_total", &["span_name"])],
            labels: vec![label("model_id", &["a/b", "say \"hi\""]), label("span_name", &["/v1/x"])],
            ..MetricCatalog::default()
        }
    }

    /// The first suggestions at `|`, each as the resulting query.
    fn at(query: &str) -> Vec<String> {
        let cursor = query.find('|').unwrap_or(query.len());
        let query = query.replacen('|', "", 1);
        let found = complete(&query, cursor, &catalog());
        let with = |item: &Suggestion| format!("{}{}{}", &query[..found.start as usize], item.text, &query[found.end as usize..]);
        found.items.iter().take(2).map(with).collect()
    }

    #[test]
    fn completions_fit_the_context() {
        assert_eq!(at("tok|"), ["llama_stack_tokens_total"]);
        assert_eq!(at("sum(qui|)"), ["sum(quipu_errors_total)", "sum(quipu_inference("].get(..1).unwrap_or_default());
        assert_eq!(at("llama_stack_tokens_total{|}"), ["llama_stack_tokens_total{model_id}"]);
        assert_eq!(
            at("llama_stack_tokens_total{model_id=|}"),
            [
                "llama_stack_tokens_total{model_id=\"a/b\"}",
                "llama_stack_tokens_total{model_id=\"say \\\"hi\\\"\"}"
            ]
        );
        assert_eq!(at("llama_stack_tokens_total{model_id=~\"a/|\"}"), ["llama_stack_tokens_total{model_id=~\"a/b\"}"]);
        assert_eq!(at("sum by (sp|) (quipu_errors_total)"), ["sum by (span_name) (quipu_errors_total)"]);
        assert_eq!(at("rate(quipu_errors_total[|"), ["rate(quipu_errors_total[1m", "rate(quipu_errors_total[5m"]);
        assert_eq!(at("rat|").first().map(String::as_str), Some("rate("));
        assert_eq!(at("a # rat|"), [""; 0]);
    }

    #[test]
    fn any_cursor_in_any_text_is_answered() {
        for text in ["", "ä{ö=\"ü", "}])", "sum by (", "{{{{", "\u{200b}[5m"] {
            for cursor in 0..text.len() + 3 {
                let found = complete(text, cursor, &catalog());
                assert!(text.is_char_boundary(found.start as usize) && text.is_char_boundary(found.end as usize), "{text:?} at {cursor}");
            }
        }
    }
}

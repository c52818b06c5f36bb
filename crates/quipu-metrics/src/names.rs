//! Names that Prometheus takes, and those of Llama Stack's documentation.
//!
//! What is not here: names of imported metrics (`naming`).

use quipu_model::TokenKind;

/// A name as Prometheus has it: what is no letter, digit, underscore or colon becomes an underscore.
pub fn valid(name: &str) -> String {
    let mut valid: String =
        name.chars().map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':') { letter } else { '_' }).collect();
    if valid.starts_with(|letter: char| letter.is_ascii_digit()) || valid.is_empty() {
        valid.insert(0, '_');
    }
    valid
}

/// Counted tokens under the names of Llama Stack's documentation.
pub fn documented_name(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Prompt => "llama_stack_prompt_tokens_total",
        TokenKind::Completion => "llama_stack_completion_tokens_total",
        TokenKind::Total => "llama_stack_tokens_total",
    }
}

//! What a span is, by all that its attributes say.

use super::{Says, role_of};
use std::borrow::Cow;

/// What a span is, as instrumentation states it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A model call. Its tokens are counted, but once: of calls within each other, those of the outermost.
    Call,
    /// A model call that computes embeddings: its output has no tokens, so its total is its input.
    Embedding,
    /// An agent or a workflow. Its tokens are sums of its calls.
    Agent,
    /// A step of an agent, such as a chain: it has a part in the conversation only if it says something that no call says.
    Step,
    /// A tool execution.
    Tool,
    /// A retrieval.
    Retrieval,
    /// A safety check.
    Shield,
    /// A call of a database.
    Database,
}

impl Role {
    /// The kind of a span with this role; `None` for a step, which may be anything.
    pub fn kind(self) -> Option<crate::SpanKind> {
        use crate::SpanKind;
        Some(match self {
            Role::Call | Role::Embedding => SpanKind::Inference,
            Role::Agent => SpanKind::Turn,
            Role::Tool => SpanKind::Tool,
            Role::Retrieval => SpanKind::Retrieval,
            Role::Shield => SpanKind::Safety,
            Role::Database => SpanKind::Storage,
            Role::Step => return None,
        })
    }

    /// Whether it is a model call.
    pub fn is_call(self) -> bool {
        matches!(self, Role::Call | Role::Embedding)
    }
}

/// Collects what the attributes of one span say about its role.
///
/// A word that states the role counts most. Without one, a span with a model and a number of tokens is a model call, whatever its name; one
/// that names a tool is a tool's; and so on.
///
/// ```
/// use quipu_model::dialect::{Evidence, Role, says};
/// let mut evidence = Evidence::default();
/// for key in ["gen_ai.request.model", "gen_ai.usage.prompt_tokens"] {
///     evidence.note(says(key).expect("a rule"), || None);
/// }
/// assert_eq!(evidence.role(), Some(Role::Call));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Evidence {
    stated: Option<(u8, Role)>,
    has_unknown_word: bool,
    has_model: bool,
    has_tokens: bool,
    has_tool: bool,
    has_documents: bool,
    embeds: bool,
    of_database: bool,
}

impl Evidence {
    /// Takes an attribute into account. `word` reads its value, and is called only if the value matters.
    pub fn note<'w>(&mut self, says: Says, word: impl FnOnce() -> Option<Cow<'w, str>>) {
        match says {
            Says::Role(rank) if self.stated.is_none_or(|(known, _)| rank < known) => {
                // Some programs encode every value as JSON.
                let Some(word) = word() else { return };
                match role_of(word.trim_matches('"')) {
                    Some(role) => self.stated = Some((rank, role)),
                    None => self.has_unknown_word = true,
                }
            }
            Says::Model | Says::ResponseModel => self.has_model = true,
            Says::Tokens(_) => self.has_tokens = true,
            Says::Tool => self.has_tool = true,
            Says::FlatDocuments | Says::Documents => self.has_documents = true,
            Says::Embeds => self.embeds = true,
            Says::Database => self.of_database = true,
            _ => {}
        }
    }

    /// The role that a word states.
    pub fn stated(self) -> Option<Role> {
        self.stated.map(|(_, role)| role)
    }

    /// The role of the span; `None` if nothing says so.
    pub fn role(self) -> Option<Role> {
        let derived = || {
            Some(match self {
                Evidence { has_model: true, has_tokens: true, embeds: true, .. } => Role::Embedding,
                Evidence { has_model: true, has_tokens: true, .. } => Role::Call,
                Evidence { has_tool: true, .. } => Role::Tool,
                Evidence { has_documents: true, .. } => Role::Retrieval,
                Evidence { of_database: true, .. } => Role::Database,
                _ => return None,
            })
        };
        self.stated().or_else(derived)
    }

    /// Whether a role is stated in a word that no dialect knows.
    pub fn is_unknown(self) -> bool {
        self.stated.is_none() && self.has_unknown_word
    }
}

//! Determines the kind of a value from its key and its span.
//!
//! `detect` searches inside text.

use super::names;
use quipu_model::SpanKind;
use quipu_model::dialect::{Says, says};
use quipu_protocol::PrivateKind;

/// The kind of a span attribute.
pub(super) fn span_attribute(key: &str, span: SpanKind) -> PrivateKind {
    use PrivateKind::{Errors, Others, Paths, Secrets, Tools};
    match key {
        _ if names::is_secret(key) => Secrets,
        "raw_path" => Paths,
        "error" => Errors,
        _ if key.starts_with("exception.") => Errors,
        _ if key.starts_with("retrieval.") || key == "tool.parameters" => Tools,
        _ => says(key).and_then(|says| words(says, span)).unwrap_or_else(|| nested(key, Others)),
    }
}

/// The kind of an attribute that holds words; `None` if its meaning is another.
fn words(says: Says, span: SpanKind) -> Option<PrivateKind> {
    use PrivateKind::{Others, Outputs, Prompts, Tools};
    let of_tool = matches!(span, SpanKind::Tool | SpanKind::Retrieval);
    Some(match says {
        Says::Input | Says::RawInput | Says::Output | Says::RawOutput | Says::Arguments if of_tool => Tools,
        Says::Arguments => Others,
        Says::Output | Says::RawOutput if matches!(span, SpanKind::Routing | SpanKind::Storage) => Others,
        Says::Input | Says::RawInput | Says::InputMessages | Says::FlatInput | Says::System | Says::FlatTexts => Prompts,
        Says::Output | Says::RawOutput | Says::OutputMessages | Says::FlatOutput => Outputs,
        Says::AnswerText | Says::AnswerReasoning => Outputs,
        Says::AnswerCalls | Says::ToolArguments | Says::ToolResult => Tools,
        Says::Documents | Says::FlatDocuments | Says::Query => Tools,
        _ => return None,
    })
}

/// The kind of an attribute of a resource or scope.
pub(super) fn resource_attribute(key: &str) -> PrivateKind {
    match key {
        "service.name" | "service.namespace" => PrivateKind::Services,
        _ if key.starts_with("host.") || key.starts_with("process.") || key.starts_with("server.") || key.starts_with("net.") => {
            if names::is_secret(key) {
                PrivateKind::Secrets
            } else {
                PrivateKind::Paths
            }
        }
        _ => span_attribute(key, SpanKind::Other),
    }
}

/// The kind of a value under `key` inside a value of the kind `around`.
pub(super) fn nested(key: &str, around: PrivateKind) -> PrivateKind {
    use PrivateKind::{Emails, Errors, Ids, Others, Outputs, Paths, Prompts, Secrets, Tools};
    if around == Secrets || names::is_secret(key) {
        return Secrets;
    }
    let key = key.to_ascii_lowercase();
    let key = key.as_str();
    if is_id_key(key) {
        return Ids;
    }
    let ends = |words: &[&str]| words.iter().any(|word| key.ends_with(word));
    match key {
        "path" | "file" | "filename" | "file_name" | "uri" | "url" | "urls" | "host" | "hostname" | "endpoint" | "ip" | "address" => Paths,
        _ if ends(&["_path", "_url", "_uri", "_dir", "_host", "_endpoint"]) => Paths,
        "email" | "e-mail" | "mail" => Emails,
        _ if ends(&["_email", "_mail"]) => Emails,
        "error" | "errors" | "traceback" | "exception" | "stacktrace" | "error_message" => Errors,
        "arguments" | "arguments_json" | "tool_args" | "tool_calls" | "kwargs" | "documents" | "chunks" | "tool_responses" => Tools,
        "messages" | "messages_batch" | "prompt" | "system_prompt" | "instructions" | "query" | "content" | "contents" | "input"
        | "inputs" | "input_messages"
            if around == Others =>
        {
            Prompts
        }
        "completion_message" | "completion" | "choices" | "output" | "outputs" | "generated_text" | "response" | "output_message"
            if around == Others =>
        {
            Outputs
        }
        _ => around,
    }
}

/// The kind of a message, by its role.
pub(super) fn by_role(role: &str) -> Option<PrivateKind> {
    match role {
        "user" | "system" | "developer" => Some(PrivateKind::Prompts),
        "assistant" | "model" => Some(PrivateKind::Outputs),
        "tool" | "ipython" | "function" => Some(PrivateKind::Tools),
        _ => None,
    }
}

/// Whether values under the key are ids. Ids of models, providers, shields and tool groups are names and not private.
fn is_id_key(key: &str) -> bool {
    let of_software = [
        "model_id",
        "provider_id",
        "provider_resource_id",
        "provider_model_id",
        "shield_id",
        "toolgroup_id",
        "scoring_fn_id",
    ];
    let is_id = key == "id" || key == "uuid" || key == "traceparent" || ["_id", "_ids", ".id", "-id"].iter().any(|end| key.ends_with(end));
    is_id && !of_software.contains(&key)
}

//! What redaction leaves in place of a value: `[output taken out]`. The words of each kind are in `quipu-protocol`, and end like this.

/// The end of every marker.
pub const MARKER_END: &str = " taken out]";

/// Whether a text is a marker and nothing else.
pub fn is_marker(text: &str) -> bool {
    text.len() < 40 && text.starts_with('[') && text.ends_with(MARKER_END)
}

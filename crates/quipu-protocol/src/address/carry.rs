//! The view state of a link that contains a trace.
//!
//! The data itself is in `quipu_share::payload`.

use super::{Screen, Source, TimelineView, ViewState, print_fragment};

/// The URL fragment of a shared trace: the view state, then the encoded data. `trace_id` and `span_id` are the ids in the shared data.
/// Search texts, filters, file names and other private parts are omitted, and so are the user's preferences. `key` is the encryption key,
/// if the link contains it.
pub fn carrying_fragment(view: &ViewState, trace_id: &str, span_id: Option<&str>, letters: &str, key: Option<String>) -> String {
    let screen = match &view.screen {
        Screen::Trace(shown) => {
            let mut shown = shown.clone();
            shown.trace_id = trace_id.to_owned();
            shown.span_id = span_id.map(str::to_owned);
            shown.find = String::new();
            shown.sheet.around = None;
            shown.timeline = TimelineView { critical_path: shown.timeline.critical_path, ..TimelineView::default() };
            Screen::Trace(shown)
        }
        _ => Screen::trace(trace_id),
    };
    let source = Some(Source::Link { letters: letters.into(), key });
    print_fragment(&ViewState { screen, source, ..ViewState::default() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::address::parse_fragment;

    #[test]
    fn the_view_goes_along_and_what_names_something_does_not() {
        let (view, _) = parse_fragment(
            "#v2/trace/abc?tab=flame&span=00ff&find=atlantis&window=1~9&framework=folded&request=00aa&path=critical&around=atlantis&filter=atlantis&times=local&file=atlantis.db&size=9",
        );
        let fragment = carrying_fragment(&view, "01", Some("02"), "AQAB", None);
        assert_eq!(fragment, "#v2/trace/01?tab=flame&span=02&window=1~9&path=critical&data=AQAB");
        let (read, notes) = parse_fragment(&fragment);
        assert!(notes.is_empty(), "{notes:?}");
        assert!(matches!(read.screen, Screen::Trace(shown) if shown.trace_id == "01"));
    }
}

//! The view state of the tabs next to the timeline, and their URL parameters.

use super::keys::{Key, range, read, read_range, set};
use super::percent::encode;
use super::{TraceView, trace};
use crate::{FlameLayout, SheetView, TraceTab};
use crate::{FlameWeight, StatisticsColumn};
use quipu_model::LogSeverity;

/// The URL parameters. Buttons reset an option with an empty value; URLs do not contain empty values.
pub(super) const KEYS: &[Key<SheetView>] = &[
    Key::new(
        "told",
        |view| view.whole_session.then(|| "session".into()),
        |view, word| match word {
            "session" => set(&mut view.whole_session, Some(true)),
            "" => set(&mut view.whole_session, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "severity",
        |view| view.min_severity.map(|severity| severity.label().into()),
        |view, name| match name {
            "" => set(&mut view.min_severity, Some(None)),
            _ => set(&mut view.min_severity, LogSeverity::from_name(name).map(Some)),
        },
    ),
    Key::new(
        "by",
        |view| (view.column != StatisticsColumn::default()).then(|| view.column.name().into()),
        |view, name| set(&mut view.column, StatisticsColumn::ALL.into_iter().find(|column| column.name() == name)),
    ),
    Key::new(
        "order",
        |view| view.ascending.then(|| "up".into()),
        |view, word| match word {
            "up" => set(&mut view.ascending, Some(true)),
            "" => set(&mut view.ascending, Some(false)),
            _ => false,
        },
    ),
    Key::new(
        "flame",
        |view| (view.layout != FlameLayout::default()).then(|| view.layout.name().into()),
        |view, name| {
            let known = [FlameLayout::Time, FlameLayout::LeftHeavy, FlameLayout::Sandwich];
            set(&mut view.layout, known.into_iter().find(|layout| layout.name() == name))
        },
    ),
    Key::new(
        "weight",
        |view| (view.weight != FlameWeight::default()).then(|| view.weight.name().into()),
        |view, name| set(&mut view.weight, FlameWeight::ALL.into_iter().find(|weight| weight.name() == name)),
    ),
    Key::new(
        "around",
        |view| view.around.as_deref().map(encode),
        |view, name| set(&mut view.around, Some((!name.is_empty()).then(|| name.to_owned()))),
    ),
    Key::new(
        "zoom",
        |view| view.zoom.map(range),
        |view, text| match text {
            "" => set(&mut view.zoom, Some(None)),
            _ => set(&mut view.zoom, read_range(text).filter(|(from, to)| from < to).map(Some)),
        },
    ),
    Key::new(
        "page",
        |view| (view.page > 0).then(|| (u64::from(view.page) + 1).to_string()),
        |view, number| match number {
            "" => set(&mut view.page, Some(0)),
            _ => set(&mut view.page, number.parse::<u32>().ok().and_then(|page| page.checked_sub(1))),
        },
    ),
];

impl TraceView {
    /// Applies the change of a button, given as URL parameters such as `tab=logs&severity=error`. Invalid ones are ignored.
    pub fn apply(&mut self, set: &str) {
        for part in set.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            match key {
                "tab" => self.show_tab(TraceTab::ALL.into_iter().find(|tab| tab.name() == value).unwrap_or_default()),
                "find" | "window" => {
                    read(trace::KEYS, self, key, value);
                    trace::check(self);
                }
                _ => {
                    read(KEYS, &mut *self.sheet, key, value);
                }
            }
        }
    }

    /// Switches to another tab, at its first page.
    pub fn show_tab(&mut self, tab: TraceTab) {
        self.tab = tab;
        self.sheet.page = 0;
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_button_changes_what_it_names_and_nothing_else() {
        let mut view = TraceView { trace_id: "abc".into(), find: "x".into(), ..TraceView::default() };
        view.apply("severity=error&page=");
        view.apply("by=p95&order=up&page=3");
        view.apply("flame=sandwich&around=a%26b%3Dc&zoom=5~9");
        let expected = SheetView {
            page: 2,
            min_severity: Some(LogSeverity::Error),
            column: StatisticsColumn::P95,
            ascending: true,
            layout: FlameLayout::Sandwich,
            around: Some("a&b=c".into()),
            zoom: Some((5, 9)),
            ..SheetView::default()
        };
        assert_eq!(*view.sheet, expected);
        view.apply("zoom=9~5&by=colour&page=0&nonsense=1&severity=loud");
        assert_eq!(*view.sheet, expected, "What is wrong changes nothing.");
        view.apply("tab=timeline&find=a%20name&window=10~20");
        assert_eq!((view.tab, view.find.as_str(), view.window, view.sheet.page), (TraceTab::Timeline, "a name", Some((10, 20)), 0));
        view.apply("window=&severity=&zoom=&around=&by=self&order=&flame=time");
        assert_eq!((view.window, *view.sheet), (None, SheetView::default()));
    }

    pub(in crate::address) fn any_sheet() -> impl Strategy<Value = SheetView> {
        (
            (0..u32::MAX, any::<bool>(), prop::option::of(prop::sample::select(&LogSeverity::ALL[..]))),
            (prop::sample::select(&StatisticsColumn::ALL[..]), any::<bool>(), prop::sample::select(&FlameWeight::ALL[..])),
            prop::sample::select(&[FlameLayout::Time, FlameLayout::LeftHeavy, FlameLayout::Sandwich][..]),
            (prop::option::of(".+"), prop::option::of((any::<u32>(), 1..u32::MAX))),
        )
            .prop_map(|((page, whole_session, min_severity), (column, ascending, weight), layout, (around, zoom))| SheetView {
                page,
                whole_session,
                min_severity,
                column,
                ascending,
                layout,
                weight,
                around,
                zoom: zoom.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length))),
            })
    }
}

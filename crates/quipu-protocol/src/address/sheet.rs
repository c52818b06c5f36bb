//! How the views of a trace beside the timeline are shown, and its words in a URL.

use super::TraceView;
use super::percent::{decode, encode};
use crate::{FlameLayout, SheetView, TraceTab};
use crate::{FlameWeight, StatisticsColumn};
use quipu_model::LogSeverity;

impl SheetView {
    /// The parts of the URL, as keys and encoded values; defaults are not among them.
    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let defaults = SheetView::default();
        let mut parts = Vec::new();
        let mut add = |is_set: bool, key: &'static str, value: String| {
            if is_set {
                parts.push((key, value));
            }
        };
        add(self.whole_session, "told", "session".into());
        add(self.least.is_some(), "severity", self.least.map_or("", LogSeverity::label).into());
        add(self.column != defaults.column, "by", self.column.name().into());
        add(self.ascending, "order", "up".into());
        add(self.layout != defaults.layout, "flame", self.layout.name().into());
        add(self.weight != defaults.weight, "weight", self.weight.name().into());
        add(self.around.is_some(), "around", encode(self.around.as_deref().unwrap_or_default()));
        let (from, to) = self.zoom.unwrap_or_default();
        add(self.zoom.is_some(), "zoom", format!("{from}-{to}"));
        add(self.page > 0, "page", (u64::from(self.page) + 1).to_string());
        parts
    }

    /// Takes one part of a URL; an empty value is the default. `false` when it means nothing, and nothing is changed.
    pub(super) fn set(&mut self, key: &str, value: &str) -> bool {
        let is_empty = value.is_empty();
        match key {
            "told" if is_empty || value == "session" => self.whole_session = !is_empty,
            "severity" if is_empty => self.least = None,
            "severity" => match LogSeverity::from_name(value) {
                Some(severity) => self.least = Some(severity),
                None => return false,
            },
            "by" => match StatisticsColumn::ALL.into_iter().find(|column| column.name() == value) {
                Some(column) => self.column = column,
                None => return false,
            },
            "order" if is_empty || value == "up" => self.ascending = !is_empty,
            "flame" => match [FlameLayout::Time, FlameLayout::LeftHeavy, FlameLayout::Sandwich].into_iter().find(|one| one.name() == value)
            {
                Some(layout) => self.layout = layout,
                None => return false,
            },
            "weight" => match FlameWeight::ALL.into_iter().find(|weight| weight.name() == value) {
                Some(weight) => self.weight = weight,
                None => return false,
            },
            "around" => self.around = (!is_empty).then(|| value.to_owned()),
            "zoom" if is_empty => self.zoom = None,
            "zoom" => {
                let ends = value.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                match ends.filter(|(from, to): &(u64, u64)| from < to) {
                    Some(ends) => self.zoom = Some(ends),
                    None => return false,
                }
            }
            "page" if is_empty => self.page = 0,
            "page" => match value.parse::<u32>().ok().and_then(|page| page.checked_sub(1)) {
                Some(page) => self.page = page,
                None => return false,
            },
            _ => return false,
        }
        true
    }
}

impl TraceView {
    /// Changes the view as a sheet's button says: parts of a URL, `tab=logs&severity=error`. What is not understood is passed over.
    pub fn apply(&mut self, set: &str) {
        for part in set.split('&') {
            let (key, value) = part.split_once('=').unwrap_or((part, ""));
            let Some(value) = decode(value) else { continue };
            match key {
                "tab" => self.show_tab(TraceTab::ALL.into_iter().find(|tab| tab.name() == value).unwrap_or_default()),
                "find" => self.find = value,
                "window" => {
                    let ends = value.split_once('-').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                    self.window = ends.filter(|(from, to)| from < to);
                }
                _ => {
                    self.sheet.set(key, &value);
                }
            }
        }
    }

    /// Shows another view of the trace, from its first page on.
    pub fn show_tab(&mut self, tab: TraceTab) {
        self.tab = tab;
        self.sheet.page = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_button_changes_what_it_names_and_nothing_else() {
        let mut view = TraceView { trace_id: "abc".into(), find: "x".into(), ..TraceView::default() };
        view.apply("severity=error&page=");
        view.apply("by=p95&order=up&page=3");
        view.apply("flame=sandwich&around=a%26b%3Dc&zoom=5-9");
        let expected = SheetView {
            page: 2,
            least: Some(LogSeverity::Error),
            column: StatisticsColumn::P95,
            ascending: true,
            layout: FlameLayout::Sandwich,
            around: Some("a&b=c".into()),
            zoom: Some((5, 9)),
            ..SheetView::default()
        };
        assert_eq!(*view.sheet, expected);
        view.apply("zoom=9-5&by=colour&page=0&nonsense=1&severity=loud");
        assert_eq!(*view.sheet, expected, "What is wrong changes nothing.");
        view.apply("tab=timeline&find=a%20name&window=10-20");
        assert_eq!((view.tab, view.find.as_str(), view.window, view.sheet.page), (TraceTab::Timeline, "a name", Some((10, 20)), 0));
        view.apply("window=&severity=&zoom=&around=&by=self&order=&flame=time");
        assert_eq!((view.window, *view.sheet), (None, SheetView::default()));
    }
}

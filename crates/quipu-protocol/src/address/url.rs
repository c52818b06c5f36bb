//! The view state as a URL's fragment, and back.

use super::percent::{decode, encode};
use super::{Place, Sample, Source, TraceView, ViewState};
use crate::ColumnSet;
use crate::TraceTab;
use crate::{GroupBy, TraceOrder};
use quipu_model::format::TimeStyle;

/// The version of what [`print_fragment`] writes. [`parse_fragment`] reads it and those before it.
pub const VIEW_VERSION: u32 = 1;

/// Rewrites what stands after `vN/` into what the version after N would have written.
type Upgrade = fn(&str) -> String;

/// From version 1 on, one for each version but the newest.
const UPGRADES: [Upgrade; VIEW_VERSION as usize - 1] = [];

/// An address in the words of the newest version: what stands after its version.
///
/// # Errors
/// The sentence for an address that is of no version, or of a later one.
fn upgraded(fragment: &str, upgrades: &[Upgrade]) -> Result<String, String> {
    let newest = upgrades.len() as u64 + 1;
    let (version, rest) = fragment.split_at(fragment.find(['/', '?']).unwrap_or(fragment.len()));
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    match version
        .strip_prefix('v')
        .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|digits| digits.parse::<u64>().ok())
    {
        Some(number) if (1..=newest).contains(&number) => {
            let passed = usize::try_from(number - 1).unwrap_or(0);
            Ok(upgrades.iter().skip(passed).fold(rest.to_owned(), |rest, upgrade| upgrade(&rest)))
        }
        Some(number) if number > newest => Err(format!(
            "The address was made by a later Quipu: it is of version {number}, and this page reads versions up to {newest}. Reload the page to \
             get its newest release. The address was not followed."
        )),
        _ => Err(format!("The address is of a form this page does not know ({version:?}). It was not followed.")),
    }
}

/// The fragment of `state`, with its `#`.
pub fn print_fragment(state: &ViewState) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    let mut path = format!("#v{VIEW_VERSION}/");
    match &state.place {
        Place::Open => path += "open",
        Place::Traces => path += "traces",
        Place::Metrics(view) => {
            path += "metrics";
            parts.extend(view.parts());
        }
        Place::Trace(TraceView { trace_id, tab, span_id, find, window, timeline, sheet }) => {
            path += "trace/";
            path += &encode(trace_id);
            if *tab != TraceTab::Timeline {
                parts.push(("tab", tab.name().into()));
            }
            if let Some(span_id) = span_id {
                parts.push(("span", encode(span_id)));
            }
            if !find.is_empty() {
                parts.push(("find", encode(find)));
            }
            if let Some((from, to)) = window {
                parts.push(("from", from.to_string()));
                parts.push(("to", to.to_string()));
            }
            parts.extend(timeline.parts());
            parts.extend(sheet.parts());
        }
        Place::Sql(query) => {
            path += "sql";
            if !query.is_empty() {
                parts.push(("query", encode(query)));
            }
        }
    }
    if !state.list.filter.is_empty() {
        parts.push(("filter", encode(&state.list.filter)));
    }
    if state.list.hits {
        parts.push(("list", "hits".into()));
    }
    if state.list.failed_only {
        parts.push(("show", "failed".into()));
    }
    if state.list.order != TraceOrder::NEWEST {
        parts.push(("sort", state.list.order.name()));
    }
    if let Some(by) = state.list.group {
        parts.push(("group", by.name().into()));
        if !state.list.open.is_empty() {
            let open: Vec<String> = state.list.open.iter().map(|key| encode(key)).collect();
            parts.push(("open", open.join(",")));
        }
    }
    if state.list.columns != ColumnSet::default() {
        parts.push(("columns", state.list.columns.text()));
    }
    if !state.list.chart {
        parts.push(("chart", "off".into()));
    }
    match state.times {
        TimeStyle::Utc => {}
        TimeStyle::Local => parts.push(("times", "local".into())),
        TimeStyle::Relative => parts.push(("times", "relative".into())),
    }
    match &state.source {
        None => {}
        Some(Source::Sample(sample)) => parts.push(("sample", sample.name().into())),
        Some(Source::File { name, size_bytes }) => {
            parts.push(("file", encode(name)));
            if let Some(size) = size_bytes {
                parts.push(("size", size.to_string()));
            }
        }
        // Last, because it is long.
        Some(Source::Link { letters, key }) => {
            parts.extend(key.iter().map(|key| ("key", key.clone())));
            parts.push(("data", letters.to_string()));
        }
    }
    let query: Vec<String> = parts.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// The state behind `fragment` (with or without its `#`), and a sentence for every part that was left out. An empty fragment is the
/// default state.
pub fn parse_fragment(fragment: &str) -> (ViewState, Vec<String>) {
    let mut state = ViewState::default();
    let mut notes = Vec::new();
    let fragment = fragment.strip_prefix('#').unwrap_or(fragment);
    if fragment.is_empty() {
        return (state, notes);
    }
    let fragment = match upgraded(fragment, &UPGRADES) {
        Ok(fragment) => fragment,
        Err(note) => {
            notes.push(note);
            return (state, notes);
        }
    };
    let (path, query) = fragment.split_once('?').unwrap_or((&fragment, ""));
    let mut steps = path.split('/');
    match (steps.next(), steps.next()) {
        (Some("traces"), None) => state.place = Place::Traces,
        (Some("metrics"), None) => state.place = Place::Metrics(Box::default()),
        (Some("sql"), None) => state.place = Place::Sql(String::new()),
        (Some("trace"), Some(id)) if !id.is_empty() => match decode(id) {
            Some(trace_id) => state.place = Place::trace(trace_id),
            None => {
                notes.push(format!("The trace id {id:?} in the address can’t be read."));
                state.place = Place::Traces;
            }
        },
        (Some("open") | None, None) | (Some(""), None) => {}
        _ => {
            notes.push(format!("The address names no screen of this page: {path:?}. The list of traces is shown instead."));
            state.place = Place::Traces;
        }
    }
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !read_part(&mut state, key, value) {
            notes.push(format!("The part {part:?} of the address is not understood and was left out."));
        }
    }
    if state.list.group.is_none() {
        state.list.open.clear();
    }
    if let Some(Source::File { name, .. }) = &state.source
        && name.is_empty()
    {
        state.source = None;
        notes.push("The address tells a file’s size without its name; it was left out.".into());
    }
    if let Some(Source::Link { letters, .. }) = &state.source
        && letters.is_empty()
    {
        state.source = None;
        notes.push("The address carries no data, though it should: it was cut short. Ask for the link again, or for a file.".into());
    }
    if let Place::Trace(TraceView { window, .. }) = &mut state.place
        && window.is_some_and(|(from, to)| from >= to)
    {
        *window = None;
        notes.push("The address tells a part of the time axis that ends before it starts; all of it is shown.".into());
    }
    (state, notes)
}

/// Reads one `key=value`; `false` when it means nothing.
fn read_part(state: &mut ViewState, key: &str, value: &str) -> bool {
    if key == "open" {
        // Commas between keys are not encoded; those in keys are.
        let keys: Option<Vec<String>> = value.split(',').map(decode).collect();
        return keys.map(|keys| state.list.open = keys).is_some();
    }
    if key == "data" {
        let key = match &mut state.source {
            Some(Source::Link { key, .. }) => key.take(),
            _ => None,
        };
        state.source = Some(Source::Link { letters: value.into(), key });
        return true;
    }
    let Some(value) = decode(value) else { return false };
    match (key, value.as_str()) {
        ("window" | "tokens" | "split" | "scrape" | "models" | "rates" | "look" | "query", text) => match &mut state.place {
            Place::Metrics(view) => return view.read(key, text),
            Place::Sql(query) if key == "query" => *query = value,
            _ => return false,
        },
        ("show", "failed") => state.list.failed_only = true,
        ("show", "all") => state.list.failed_only = false,
        ("sort", name) => match TraceOrder::from_name(name) {
            Some(order) => state.list.order = order,
            None => return false,
        },
        ("group", name) => match GroupBy::from_name(name) {
            Some(by) => state.list.group = Some(by),
            None => return false,
        },
        ("columns", names) => match ColumnSet::from_text(names) {
            Some(columns) => state.list.columns = columns,
            None => return false,
        },
        ("chart", "on") => state.list.chart = true,
        ("chart", "off") => state.list.chart = false,
        ("times", "utc") => state.times = TimeStyle::Utc,
        ("times", "local") => state.times = TimeStyle::Local,
        ("times", "relative") => state.times = TimeStyle::Relative,
        ("filter", _) => state.list.filter = value,
        ("list", "hits") => state.list.hits = true,
        ("list", "traces") => state.list.hits = false,
        (
            "tab" | "span" | "find" | "from" | "to" | "plumbing" | "request" | "path" | "measure" | "told" | "severity" | "by" | "order"
            | "flame" | "weight" | "around" | "zoom" | "page",
            text,
        ) if !text.is_empty() => match &mut state.place {
            Place::Trace(view) => return read_trace_part(view, key, value),
            _ => return false,
        },
        ("sample", name) => match Sample::ALL.into_iter().find(|sample| sample.name() == name) {
            Some(sample) => state.source = Some(Source::Sample(sample)),
            None => return false,
        },
        ("file", found) if !found.is_empty() => match &mut state.source {
            Some(Source::File { name, .. }) => *name = value,
            _ => state.source = Some(Source::File { name: value, size_bytes: None }),
        },
        ("key", _) if is_key(&value) => match &mut state.source {
            Some(Source::Link { key, .. }) => *key = Some(value),
            // It stands before the data.
            None => state.source = Some(Source::Link { letters: "".into(), key: Some(value) }),
            Some(_) => return false,
        },
        ("size", digits) => {
            let Ok(size) = digits.parse() else { return false };
            match &mut state.source {
                Some(Source::File { size_bytes, .. }) => *size_bytes = Some(size),
                // The size may stand before the name.
                None => state.source = Some(Source::File { name: String::new(), size_bytes: Some(size) }),
                Some(_) => return false,
            }
        }
        _ => return false,
    }
    true
}

/// Whether it can be a key: base64url.
fn is_key(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn read_trace_part(view: &mut TraceView, key: &str, value: String) -> bool {
    let window = view.window.unwrap_or((0, u64::MAX));
    match (key, value.parse()) {
        ("tab", _) => match TraceTab::ALL.into_iter().find(|tab| tab.name() == value) {
            Some(tab) => view.tab = tab,
            None => return false,
        },
        ("span", _) => view.span_id = Some(value),
        ("find", _) => view.find = value,
        ("from", Ok(from)) => view.window = Some((from, window.1)),
        ("to", Ok(to)) => view.window = Some((window.0, to)),
        ("from" | "to", _) => return false,
        _ => return view.timeline.read(key, &value) || view.sheet.set(key, &value),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ListColumn;
    use crate::address::{ListView, MetricsView, TimelineView};
    use crate::{FlameLayout, SheetView, TokensShown};
    use crate::{FlameWeight, StatisticsColumn};
    use crate::{MetricOptions, TokensBy, TraceScope};
    use proptest::prelude::*;
    use quipu_model::LogSeverity;

    #[test]
    fn defaults_are_not_written() {
        let mut state = ViewState { place: Place::Traces, ..ViewState::default() };
        assert_eq!(print_fragment(&state), "#v1/traces");
        state.list = ListView { order: TraceOrder::SLOWEST, failed_only: true, ..ListView::default() };
        state.source = Some(Source::File { name: "my telemetry.db".into(), size_bytes: Some(737_280) });
        assert_eq!(print_fragment(&state), "#v1/traces?show=failed&sort=-duration&file=my%20telemetry.db&size=737280");
        state.place = Place::Trace(TraceView { trace_id: "a/b?c".into(), span_id: Some("00ff".into()), ..TraceView::default() });
        state.source = Some(Source::Sample(Sample::Agent));
        assert_eq!(print_fragment(&state), "#v1/trace/a%2Fb%3Fc?span=00ff&show=failed&sort=-duration&sample=agent");
    }

    #[test]
    fn groups_columns_and_orders_stand_in_the_address() {
        let fragment = "#v1/traces?sort=tokens&group=session&open=a%2Cb,,c&columns=name,agent&chart=off";
        let (state, notes) = parse_fragment(fragment);
        assert_eq!((state.list.open.as_slice(), notes.len()), (&["a,b".to_owned(), String::new(), "c".to_owned()][..], 0));
        assert_eq!(print_fragment(&state), fragment);
        // The traces without a session are a group, too; without groups nothing is open.
        assert_eq!(parse_fragment("#v1/traces?group=turn&open=").0.list.open, [""]);
        assert_eq!(parse_fragment("#v1/traces?open=a").0.list, ListView::default());
        let (state, notes) = parse_fragment("#v1/traces?sort=colour&group=x&columns=&chart=maybe");
        assert_eq!((state.list, notes.len()), (ListView::default(), 4));
    }

    #[test]
    fn how_a_list_looks_stays_when_it_is_cleared_and_its_rows_do_not_know_it() {
        let (state, _) = parse_fragment("#v1/traces?filter=a&sort=spans&group=turn&open=x&columns=agent&chart=off&list=hits");
        let mut list = state.list;
        assert_eq!(
            print_fragment(&ViewState { place: Place::Traces, list: list.cleared(), ..ViewState::default() }),
            "#v1/traces?columns=name,agent&chart=off"
        );
        assert_eq!(
            print_fragment(&ViewState { place: Place::Traces, list: list.rows(), ..ViewState::default() }),
            "#v1/traces?filter=a&sort=spans&group=turn&open=x"
        );
        list.toggle_group("y");
        list.toggle_group("x");
        assert_eq!(list.open, ["y"]);
    }

    #[test]
    fn a_bad_part_never_voids_the_others() {
        let (state, notes) = parse_fragment("#v1/trace/abc?span=%zz&sort=slowest&colour=red&size=12&show=some&file=t.db");
        assert_eq!(state.place, Place::trace("abc"));
        assert_eq!(state.list, ListView { order: TraceOrder::SLOWEST, ..ListView::default() });
        assert_eq!(state.source, Some(Source::File { name: "t.db".into(), size_bytes: Some(12) }));
        insta::assert_snapshot!(notes.join("\n"), @r#"
        The part "span=%zz" of the address is not understood and was left out.
        The part "colour=red" of the address is not understood and was left out.
        The part "show=some" of the address is not understood and was left out.
        "#);
    }

    #[test]
    fn foreign_addresses_are_told_and_not_followed() {
        assert_eq!(parse_fragment(""), (ViewState::default(), Vec::new()));
        assert_eq!(parse_fragment("#"), (ViewState::default(), Vec::new()));
        let (state, notes) = parse_fragment("#v9/traces?sort=slowest");
        assert_eq!(state, ViewState::default());
        assert_eq!(
            notes,
            [
                "The address was made by a later Quipu: it is of version 9, and this page reads versions up to 1. Reload the page to get its \
              newest release. The address was not followed."
            ]
        );
        for foreign in ["#v0/traces", "#v/traces", "#v+1/traces", "#about", "#/traces"] {
            let (state, notes) = parse_fragment(foreign);
            assert_eq!((state, notes.len()), (ViewState::default(), 1), "{foreign}");
        }
        let (state, notes) = parse_fragment("#v1/colours?sort=slowest");
        assert_eq!((state.place, state.list.order, notes.len()), (Place::Traces, TraceOrder::SLOWEST, 1));
    }

    #[test]
    fn a_query_stands_in_the_address_of_its_page_alone() {
        let state = ViewState { place: Place::Sql("SELECT 'a&b'\n-- 100 %".into()), ..ViewState::default() };
        assert_eq!(print_fragment(&state), "#v1/sql?query=SELECT%20%27a%26b%27%0A--%20100%20%25");
        assert_eq!(print_fragment(&ViewState { place: Place::Sql(String::new()), ..ViewState::default() }), "#v1/sql");
        assert_eq!(parse_fragment("#v1/traces?query=SELECT").1.len(), 1);
    }

    #[test]
    fn an_address_goes_through_every_upgrade_from_its_version_on() {
        let upgrades: [Upgrade; 2] = [|rest| rest.replace("slow", "slowest"), |rest| format!("{rest}&times=local")];
        assert_eq!(upgraded("v1/traces?sort=slow", &upgrades).as_deref(), Ok("traces?sort=slowest&times=local"));
        assert_eq!(upgraded("v2/traces?sort=slow", &upgrades).as_deref(), Ok("traces?sort=slow&times=local"));
        assert_eq!(upgraded("v3/traces", &upgrades).as_deref(), Ok("traces"));
        assert!(upgraded("v4/traces", &upgrades).is_err());
    }

    fn any_timeline() -> impl Strategy<Value = TimelineView> {
        let measured = prop::option::of((any::<u32>(), any::<u32>()));
        (any::<bool>(), prop::option::of(".+"), any::<bool>(), measured).prop_map(|(folded, request, critical_path, measured)| {
            TimelineView {
                scope: TraceScope { folded, request },
                critical_path,
                measured: measured.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length))),
            }
        })
    }

    fn any_metrics() -> impl Strategy<Value = MetricsView> {
        (
            prop::option::of((any::<i32>(), 1..i32::MAX)),
            prop::sample::select(&TokensShown::ALL[..]),
            (any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()),
            1..86_400_001_i64,
            prop::collection::vec(".*", 0..4),
        )
            .prop_map(|(window, shown, (by_provider, merge_labels, exact, at_end), scrape_millis, queries)| MetricsView {
                window: window.map(|(from, length)| (from.into(), i64::from(from) + i64::from(length))),
                shown,
                by: if by_provider { TokensBy::Provider } else { TokensBy::Model },
                options: MetricOptions { scrape_millis, merge_labels, exact },
                at_end,
                queries,
            })
    }

    fn any_state() -> impl Strategy<Value = ViewState> {
        let sheet = (
            (0..u32::MAX, any::<bool>(), prop::option::of(prop::sample::select(&LogSeverity::ALL[..]))),
            (prop::sample::select(&StatisticsColumn::ALL[..]), any::<bool>(), prop::sample::select(&FlameWeight::ALL[..])),
            prop::sample::select(&[FlameLayout::Time, FlameLayout::LeftHeavy, FlameLayout::Sandwich][..]),
            (prop::option::of(".+"), prop::option::of((any::<u32>(), 1..u32::MAX))),
        )
            .prop_map(|((page, whole_session, least), (column, ascending, weight), layout, (around, zoom))| SheetView {
                page,
                whole_session,
                least,
                column,
                ascending,
                layout,
                weight,
                around,
                zoom: zoom.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length))),
            });
        let place = prop_oneof![
            Just(Place::Open),
            Just(Place::Traces),
            any_metrics().prop_map(|view| Place::Metrics(Box::new(view))),
            ".*".prop_map(Place::Sql),
            (
                ".+",
                prop::sample::select(&TraceTab::ALL[..]),
                prop::option::of(".+"),
                ".*",
                prop::option::of((any::<u32>(), 1..u32::MAX)),
                any_timeline(),
                sheet
            )
                .prop_map(|(trace_id, tab, span_id, find, window, timeline, sheet)| {
                    let window = window.map(|(from, length)| (from.into(), u64::from(from) + u64::from(length)));
                    Place::Trace(TraceView { trace_id, tab, span_id, find, window, timeline, sheet: Box::new(sheet) })
                }),
        ];
        let source = prop_oneof![
            Just(None),
            prop::sample::select(&Sample::ALL[..]).prop_map(|sample| Some(Source::Sample(sample))),
            (".+", prop::option::of(any::<u64>())).prop_map(|(name, size_bytes)| Some(Source::File { name, size_bytes })),
            ("[A-Za-z0-9_-]{1,80}", prop::option::of("[A-Za-z0-9_-]{1,40}"))
                .prop_map(|(letters, key)| Some(Source::Link { letters: letters.into(), key })),
        ];
        let times = prop::sample::select(&[TimeStyle::Utc, TimeStyle::Local, TimeStyle::Relative][..]);
        let order =
            (prop::sample::select(&ListColumn::ALL[..]), any::<bool>()).prop_map(|(column, descending)| TraceOrder { column, descending });
        let group = prop::option::of((prop::sample::select(&[GroupBy::Session, GroupBy::Turn][..]), prop::collection::vec(".*", 0..4)));
        let columns = prop::collection::vec(prop::sample::select(&ListColumn::ALL[..]), 0..9)
            .prop_map(|toggled| toggled.into_iter().fold(ColumnSet::default(), ColumnSet::toggled));
        let list = (any::<bool>(), order, ".*", any::<bool>(), group, columns, any::<bool>()).prop_map(
            |(failed_only, order, filter, hits, group, columns, chart)| {
                let (group, open) = group.map_or((None, Vec::new()), |(by, open)| (Some(by), open));
                ListView { order, failed_only, filter, hits, group, open, columns, chart }
            },
        );
        (place, source, times, list).prop_map(|(place, source, times, list)| ViewState { place, list, times, source })
    }

    proptest! {
        #[test]
        fn every_state_comes_back_from_its_address(state in any_state()) {
            prop_assert_eq!(parse_fragment(&print_fragment(&state)), (state, Vec::new()));
        }

        #[test]
        fn no_address_stops_the_page(fragment in "\\PC*") {
            parse_fragment(&fragment);
        }
    }
}

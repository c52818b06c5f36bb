//! Prints the view state as a URL fragment, and parses it.
//!
//! Each part of the view state lists its own keys.

use super::keys::{Key, read, write};
use super::percent::{decode, encode};
use super::{LogView, Screen, ViewState, list, logs, metrics, sheet, source, timeline, trace, upgrade};

/// The version written by [`print_fragment`]. [`parse_fragment`] also reads earlier ones.
pub const VIEW_VERSION: u32 = 2;

/// Converts the text after `vN/` to that of version N + 1.
type Upgrade = fn(&str) -> String;

/// One for each version except the newest, starting with version 1.
const UPGRADES: [Upgrade; VIEW_VERSION as usize - 1] = [upgrade::from_1];

/// The key of the SQL page, whose state is the query.
const SQL_KEYS: &[Key<String>] = &[Key::new(
    "query",
    |query| (!query.is_empty()).then(|| encode(query)),
    |query, text| {
        text.clone_into(query);
        true
    },
)];

/// Upgrades a fragment to the newest version, and returns the text after the version.
///
/// # Errors
/// A message for an unknown or later version.
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
        _ => Err(format!("The URL has an unknown format ({version:?}) and was ignored.")),
    }
}

/// Prints the URL fragment of `state`, including the `#`.
pub fn print_fragment(state: &ViewState) -> String {
    let mut parts: Vec<(&str, String)> = Vec::new();
    let mut path = format!("#v{VIEW_VERSION}/");
    match &state.screen {
        Screen::Open => path += "open",
        Screen::Traces => path += "traces",
        Screen::Metrics(view) => {
            path += "metrics";
            write(metrics::KEYS, view, &mut parts);
        }
        Screen::Trace(view) => {
            path += "trace/";
            path += &encode(&view.trace_id);
            write(trace::KEYS, view, &mut parts);
            write(timeline::KEYS, &view.timeline, &mut parts);
            write(sheet::KEYS, &view.sheet, &mut parts);
        }
        Screen::Sql(query) => {
            path += "sql";
            write(SQL_KEYS, query, &mut parts);
        }
        Screen::Logs(view) => {
            path += "logs";
            write(logs::KEYS, view, &mut parts);
        }
    }
    write(list::KEYS, &state.list, &mut parts);
    write(super::KEYS, state, &mut parts);
    write(source::KEYS, &state.source, &mut parts);
    let query: Vec<String> = parts.into_iter().map(|(key, value)| format!("{key}={value}")).collect();
    if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) }
}

/// Parses a fragment, with or without the `#`. Returns the state and a note for each part that was ignored. An empty fragment is the
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
        (Some("traces"), None) => state.screen = Screen::Traces,
        (Some("metrics"), None) => state.screen = Screen::Metrics(Box::default()),
        (Some("logs"), None) => state.screen = Screen::Logs(LogView::default()),
        (Some("sql"), None) => state.screen = Screen::Sql(String::new()),
        (Some("trace"), Some(id)) if !id.is_empty() => match decode(id) {
            Some(trace_id) => state.screen = Screen::trace(trace_id),
            None => {
                notes.push(format!("The trace id {id:?} in the URL can’t be decoded."));
                state.screen = Screen::Traces;
            }
        },
        (Some("open") | None, None) | (Some(""), None) => {}
        _ => {
            notes.push(format!("The URL has the unknown path {path:?}. Showing the list of traces instead."));
            state.screen = Screen::Traces;
        }
    }
    for part in query.split('&').filter(|part| !part.is_empty()) {
        let (key, value) = part.split_once('=').unwrap_or((part, ""));
        if !read_part(&mut state, key, value) {
            notes.push(format!("The part {part:?} of the URL is not valid and was ignored."));
        }
    }
    list::check(&mut state.list);
    notes.extend(source::check(&mut state.source));
    if let Screen::Trace(view) = &mut state.screen {
        notes.extend(trace::check(view));
    }
    (state, notes)
}

/// Applies one `key=value`; `false` if it is invalid. A screen only accepts its own keys.
fn read_part(state: &mut ViewState, key: &str, value: &str) -> bool {
    let of_screen = match &mut state.screen {
        Screen::Open | Screen::Traces => None,
        // Only buttons of a sheet write empty values: see `SheetView::apply`.
        Screen::Trace(_) if value.is_empty() => None,
        Screen::Trace(view) => read(trace::KEYS, view, key, value)
            .or_else(|| read(timeline::KEYS, &mut view.timeline, key, value))
            .or_else(|| read(sheet::KEYS, &mut view.sheet, key, value)),
        Screen::Metrics(view) => read(metrics::KEYS, view, key, value),
        Screen::Sql(query) => read(SQL_KEYS, query, key, value),
        Screen::Logs(view) => read(logs::KEYS, view, key, value),
    };
    of_screen
        .or_else(|| read(list::KEYS, &mut state.list, key, value))
        .or_else(|| read(super::KEYS, state, key, value))
        .or_else(|| read(source::KEYS, &mut state.source, key, value))
        .unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TraceOrder;
    use crate::address::{ListView, Sample, Source, TraceView, keys};
    use proptest::prelude::*;
    use quipu_model::format::TimeStyle;

    #[test]
    fn defaults_are_not_written() {
        let mut state = ViewState { screen: Screen::Traces, ..ViewState::default() };
        assert_eq!(print_fragment(&state), "#v2/traces");
        state.list = ListView { order: TraceOrder::SLOWEST, failed_only: true, ..ListView::default() };
        state.source = Some(Source::File { name: "my telemetry.db".into(), size_bytes: Some(737_280) });
        assert_eq!(print_fragment(&state), "#v2/traces?show=failed&sort=-duration&file=my%20telemetry.db&size=737280");
        state.screen = Screen::Trace(TraceView { trace_id: "a/b?c".into(), span_id: Some("00ff".into()), ..TraceView::default() });
        state.source = Some(Source::Sample(Sample::Agent));
        assert_eq!(print_fragment(&state), "#v2/trace/a%2Fb%3Fc?span=00ff&show=failed&sort=-duration&sample=agent");
    }

    #[test]
    fn a_key_has_one_meaning_on_a_screen() {
        use keys::names;
        let of_all = || names(list::KEYS).chain(names(super::super::KEYS)).chain(names(source::KEYS));
        let screens: [Vec<&str>; 5] = [
            of_all().collect(),
            of_all().chain(names(trace::KEYS)).chain(names(timeline::KEYS)).chain(names(sheet::KEYS)).collect(),
            of_all().chain(names(metrics::KEYS)).collect(),
            of_all().chain(names(SQL_KEYS)).collect(),
            of_all().chain(names(logs::KEYS)).collect(),
        ];
        for mut keys in screens {
            keys.sort_unstable();
            assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "{keys:?}");
        }
    }

    #[test]
    fn groups_columns_and_orders_stand_in_the_address() {
        let fragment = "#v2/traces?sort=tokens&group=session&open=a%2Cb,,c&columns=name,agent&chart=off";
        let (state, notes) = parse_fragment(fragment);
        assert_eq!((state.list.open.as_slice(), notes.len()), (&["a,b".to_owned(), String::new(), "c".to_owned()][..], 0));
        assert_eq!(print_fragment(&state), fragment);
        // The traces without a session form a group too; without grouping, no group is open.
        assert_eq!(parse_fragment("#v2/traces?group=turn&open=").0.list.open, [""]);
        assert_eq!(parse_fragment("#v2/traces?open=a").0.list, ListView::default());
        let (state, notes) = parse_fragment("#v2/traces?sort=colour&group=x&columns=&chart=maybe");
        assert_eq!((state.list, notes.len()), (ListView::default(), 4));
    }

    #[test]
    fn how_a_list_looks_stays_when_it_is_cleared_and_its_rows_do_not_know_it() {
        let (state, _) = parse_fragment("#v2/traces?filter=a&sort=spans&group=turn&open=x&columns=agent&chart=off&list=hits");
        let mut list = state.list;
        assert_eq!(
            print_fragment(&ViewState { screen: Screen::Traces, list: list.cleared(), ..ViewState::default() }),
            "#v2/traces?columns=name,agent&chart=off"
        );
        assert_eq!(
            print_fragment(&ViewState { screen: Screen::Traces, list: list.rows(), ..ViewState::default() }),
            "#v2/traces?filter=a&sort=spans&group=turn&open=x"
        );
        list.toggle_group("y");
        list.toggle_group("x");
        assert_eq!(list.open, ["y"]);
    }

    #[test]
    fn a_bad_part_never_voids_the_others() {
        let (state, notes) = parse_fragment("#v2/trace/abc?span=%zz&sort=slowest&colour=red&size=12&show=some&file=t.db");
        assert_eq!(state.screen, Screen::trace("abc"));
        assert_eq!(state.list, ListView { order: TraceOrder::SLOWEST, ..ListView::default() });
        assert_eq!(state.source, Some(Source::File { name: "t.db".into(), size_bytes: Some(12) }));
        insta::assert_snapshot!(notes.join("\n"), @r#"
        The part "span=%zz" of the URL is not valid and was ignored.
        The part "colour=red" of the URL is not valid and was ignored.
        The part "show=some" of the URL is not valid and was ignored.
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
                "The address was made by a later Quipu: it is of version 9, and this page reads versions up to 2. Reload the page to get its \
              newest release. The address was not followed."
            ]
        );
        for foreign in ["#v0/traces", "#v/traces", "#v+1/traces", "#about", "#/traces"] {
            let (state, notes) = parse_fragment(foreign);
            assert_eq!((state, notes.len()), (ViewState::default(), 1), "{foreign}");
        }
        let (state, notes) = parse_fragment("#v2/colours?sort=slowest");
        assert_eq!((state.screen, state.list.order, notes.len()), (Screen::Traces, TraceOrder::SLOWEST, 1));
    }

    #[test]
    fn a_query_stands_in_the_address_of_its_page_alone() {
        let state = ViewState { screen: Screen::Sql("SELECT 'a&b'\n-- 100 %".into()), ..ViewState::default() };
        assert_eq!(print_fragment(&state), "#v2/sql?query=SELECT%20%27a%26b%27%0A--%20100%20%25");
        assert_eq!(print_fragment(&ViewState { screen: Screen::Sql(String::new()), ..ViewState::default() }), "#v2/sql");
        assert_eq!(parse_fragment("#v2/traces?query=SELECT").1.len(), 1);
    }

    #[test]
    fn an_address_goes_through_every_upgrade_from_its_version_on() {
        let upgrades: [Upgrade; 2] = [|rest| rest.replace("slow", "slowest"), |rest| format!("{rest}&times=local")];
        assert_eq!(upgraded("v1/traces?sort=slow", &upgrades).as_deref(), Ok("traces?sort=slowest&times=local"));
        assert_eq!(upgraded("v2/traces?sort=slow", &upgrades).as_deref(), Ok("traces?sort=slow&times=local"));
        assert_eq!(upgraded("v3/traces", &upgrades).as_deref(), Ok("traces"));
        assert!(upgraded("v4/traces", &upgrades).is_err());
    }

    fn any_state() -> impl Strategy<Value = ViewState> {
        let screen = prop_oneof![
            Just(Screen::Open),
            Just(Screen::Traces),
            metrics::tests::any_metrics().prop_map(|view| Screen::Metrics(Box::new(view))),
            ".*".prop_map(Screen::Sql),
            logs::tests::any_logs().prop_map(Screen::Logs),
            trace::tests::any_trace().prop_map(Screen::Trace),
        ];
        let times = prop::sample::select(&[TimeStyle::Utc, TimeStyle::Local, TimeStyle::Relative][..]);
        (screen, source::tests::any_source(), times, list::tests::any_list()).prop_map(|(screen, source, times, list)| ViewState {
            screen,
            list,
            times,
            source,
        })
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

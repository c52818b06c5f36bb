//! Trace lists through `Session`: orders, groups, totals and the scatter plot, against plain SQL.

use crate::support;
use crate::support::{open, sql, unindexed};
use quipu::Session;
use quipu::format;
use quipu::model::PriceTable;
use quipu::model::TokenTotals;
use quipu::protocol::{
    GroupBy, Grouping, ListColumn, ListTraces, SetPrices, SummarizeTraces, SummaryQuery, TraceOrder, TracePage, TraceQuery, TraceRow,
    TraceSummary,
};
use quipu::view::{self, Brush};
use rusqlite::Connection;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

const AGENT: &str = "samples/agent_0.2.15.db";
const METRICS: &str = "samples/metrics_0.2.23.db";
const FILES: [&str; 6] = [
    AGENT,
    METRICS,
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_old_0.2.11.db",
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.9.db",
];

/// One row per trace, times in microseconds.
const VIEWS: &str = "
CREATE TEMP VIEW micros AS SELECT rowid AS at, trace_id,
    strftime('%s', start_time) * 1000000 + iif(substr(start_time, 20, 1) = '.', CAST(substr(start_time, 21, 6) AS INTEGER), 0) AS began,
    strftime('%s', end_time) * 1000000 + iif(substr(end_time, 20, 1) = '.', CAST(substr(end_time, 21, 6) AS INTEGER), 0) AS ended,
    (status = 'ERROR' OR json_extract(attributes, '$.error') IS NOT NULL OR span_id IN (
        SELECT span_id FROM span_events WHERE json_extract(attributes, '$.severity') IN ('error', 'critical')
          AND (json_extract(attributes, '$.message') LIKE 'Error executing endpoint %'
            OR json_extract(attributes, '$.message') LIKE 'Error in sse_generator%'))) AS failed,
    json_extract(attributes, '$.session_id') AS session, json_extract(attributes, '$.turn_id') AS turn,
    coalesce(json_extract(attributes, '$.agent_name'), json_extract(attributes, '$.agent_id')) AS agent
  FROM spans;
CREATE TEMP VIEW trace AS SELECT trace_id, min(began) AS began, max(ended) AS ended, max(ended) - min(began) AS took, count(*) AS spans,
    sum(failed) AS failed FROM micros GROUP BY trace_id;";

fn list(session: &mut Session, query: TraceQuery) -> TracePage {
    session.ask(ListTraces(query)).expect("an answer")
}

fn summary(session: &mut Session, filter: &str, failed_only: bool) -> TraceSummary {
    let query = SummaryQuery { filter: filter.into(), failed_only, cells: (200, 24) };
    session.ask(SummarizeTraces(query)).expect("an answer")
}

fn all(order: TraceOrder) -> TraceQuery {
    TraceQuery { order, limit: 1_000, ..TraceQuery::default() }
}

/// The content of a column as comparable strings; `None` if the cell is empty.
fn shown(row: &TraceRow, column: ListColumn) -> Option<(u64, String)> {
    let number = |number: Option<u64>| number.map(|number| (number, String::new()));
    let text = |text: &Option<String>| text.clone().map(|text| (0, format!("{}\0{text}", text.to_lowercase())));
    let tokens = |part: fn(&TokenTotals) -> Option<u64>| number(row.tokens.as_ref().and_then(part));
    match column {
        ListColumn::Start => number(row.start.map(|start| start.0 as u64)),
        ListColumn::Name => {
            text(&row.group.as_ref().map_or(row.root_name.clone(), |group| Some(group.key.clone()).filter(|key| !key.is_empty())))
        }
        ListColumn::Asked => None,
        ListColumn::Duration => number(row.duration_nanos),
        ListColumn::Spans => number(row.spans.map(u64::from)),
        ListColumn::Failed => number(row.failed.map(u64::from)),
        ListColumn::Requests => number(row.requests.map(u64::from)),
        ListColumn::Model => text(&row.model),
        ListColumn::Prompt => tokens(|totals| totals.prompt),
        ListColumn::Completion => tokens(|totals| totals.completion),
        ListColumn::Tokens => tokens(|totals| totals.total),
        ListColumn::Cost => tokens(|totals| totals.cost.map(|cost| cost.nanos)),
        ListColumn::Session => text(&row.session),
        ListColumn::Turn => text(&row.turn),
        ListColumn::Agent => text(&row.agent),
        ListColumn::Service => text(&row.service),
    }
}

fn check_sorted(rows: &[TraceRow], order: TraceOrder, what: &str) {
    let place = |row: &TraceRow| {
        let value = shown(row, order.column);
        let (down, up) = if order.descending { (value.clone().map(Reverse), None) } else { (None, value.clone()) };
        (value.is_none(), down, up, Reverse(row.start))
    };
    assert!(rows.is_sorted_by_key(place), "{what} by {}", order.name());
}

#[test]
fn every_column_sorts_both_ways_with_the_unknown_last_and_equals_latest_first() {
    let mut different = BTreeSet::new();
    for file in FILES {
        let mut session = open(file);
        session.ask(SetPrices(PriceTable::from_text("\n*\t1\t2"))).expect("prices are taken");
        let newest = list(&mut session, all(TraceOrder::NEWEST));
        for column in ListColumn::ALL {
            for descending in [false, true] {
                let order = TraceOrder { column, descending };
                let page = list(&mut session, all(order));
                check_sorted(&page.rows, order, file);
                let ids = |page: &TracePage| page.rows.iter().map(|row| row.trace_id.clone()).collect::<BTreeSet<_>>();
                assert_eq!((ids(&page), page.total, page.traces), (ids(&newest), newest.total, newest.traces), "{file} {}", order.name());
                if page.rows != newest.rows {
                    different.insert(order.name());
                }
                let failed = list(&mut session, TraceQuery { failed_only: true, ..all(order) });
                let expected: Vec<&TraceRow> = page.rows.iter().filter(|row| row.failed != Some(0)).collect();
                assert_eq!(failed.rows.iter().collect::<Vec<_>>(), expected, "{file} {}", order.name());
            }
        }
    }
    // In some file every order differs from all others, but that by service: these files have one.
    assert_eq!(different.len(), 2 * (ListColumn::ALL.len() - 2) - 1, "{different:?}");
}

#[test]
fn rows_name_session_turn_and_agent_as_recorded() {
    let mut with_agent = 0;
    for file in FILES {
        let (mut session, connection) = (open(file), sql(file, VIEWS));
        let select = "SELECT trace_id, session, turn, agent FROM micros WHERE session IS NOT NULL GROUP BY trace_id HAVING at = min(at)";
        let mut statement = connection.prepare(select).expect("SQL");
        type Values = (String, [Option<String>; 3]);
        let rows = statement.query_map([], |row| Ok((row.get(0)?, [row.get(1)?, row.get(2)?, row.get(3)?])));
        let expected: BTreeMap<String, [Option<String>; 3]> =
            rows.expect("rows").collect::<Result<Vec<Values>, _>>().expect("rows").into_iter().collect();
        for row in list(&mut session, all(TraceOrder::NEWEST)).rows {
            let [session_id, turn, agent] = expected.get(&row.trace_id).cloned().unwrap_or_default();
            with_agent += usize::from(agent.is_some());
            assert_eq!((row.session, row.turn, row.agent), (session_id, turn, agent), "{file} {}", row.trace_id);
        }
    }
    assert!(with_agent > 50);
}

/// The sums of a group by SQL: traces, failed traces, spans, failed spans, microseconds from first start to last end.
type GroupSums = (u32, u32, u32, u32, i64);

fn expected_groups(connection: &Connection, column: &str) -> BTreeMap<String, GroupSums> {
    let select = format!(
        "WITH pairs AS (SELECT DISTINCT trace_id, {column} AS value FROM micros WHERE {column} IS NOT NULL),
           grouped AS (SELECT trace_id, coalesce(value, '') AS value FROM trace LEFT JOIN pairs USING (trace_id))
         SELECT value, count(*), sum(failed > 0), sum(spans), sum(failed), max(ended) - min(began) FROM grouped JOIN trace USING (trace_id) GROUP BY value"
    );
    let mut statement = connection.prepare(&select).expect("SQL");
    let rows = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))));
    rows.expect("rows").collect::<Result<_, _>>().expect("rows")
}

#[test]
fn groups_equal_sql_and_a_turn_contains_its_resumes() {
    for file in [AGENT, METRICS, "tests/fixtures/db/real_small.db"] {
        let (mut session, connection) = (open(file), sql(file, VIEWS));
        for (by, column) in [(GroupBy::Session, "session"), (GroupBy::Turn, "turn")] {
            let expected = expected_groups(&connection, column);
            let query = |order, open: &[String]| TraceQuery { groups: Some(Grouping { by, open: open.to_vec() }), ..all(order) };
            let page = list(&mut session, query(TraceOrder::NEWEST, &[]));
            let found: BTreeMap<String, GroupSums> = page
                .rows
                .iter()
                .map(|row| {
                    let group = row.group.clone().expect("a group");
                    assert!(!group.open);
                    let micros = row.duration_nanos.expect("a duration") as i64 / 1_000;
                    (group.key, (group.traces, group.failed_traces, row.spans.expect("spans"), row.failed.expect("failures"), micros))
                })
                .collect();
            assert_eq!(found, expected, "{column} in {file}");
            assert_eq!(page.total, Some(expected.len() as u32));
            assert_eq!(page.traces, list(&mut session, all(TraceOrder::NEWEST)).traces);
            if file != "tests/fixtures/db/real_small.db" && by == GroupBy::Turn {
                assert!(expected.iter().any(|(key, (traces, ..))| !key.is_empty() && *traces > 1), "a turn was resumed in {file}");
            }
            for column in ListColumn::ALL {
                for descending in [false, true] {
                    let order = TraceOrder { column, descending };
                    let rows = list(&mut session, query(order, &[])).rows;
                    let last = rows.iter().position(|row| row.group.as_ref().is_some_and(|group| group.key.is_empty()));
                    assert!(last.is_none_or(|last| last + 1 == rows.len()), "what has no {} is last", by.name());
                    let keyed = &rows[..last.unwrap_or(rows.len())];
                    check_sorted(keyed, order, file);
                }
            }
        }
    }
}

#[test]
fn open_groups_hold_their_traces_in_the_list_s_order_page_by_page() {
    let mut session = open(METRICS);
    let sessions = expected_groups(&sql(METRICS, VIEWS), "session");
    let open: Vec<String> =
        sessions.keys().filter(|key| key.len() % 2 == 0).step_by(2).cloned().chain([String::new(), "none".into()]).collect();
    for order in [TraceOrder::NEWEST, TraceOrder::SLOWEST, TraceOrder { column: ListColumn::Name, descending: false }] {
        let flat = list(&mut session, all(order)).rows;
        for filter in ["", "kind:inference"] {
            let matching: BTreeSet<String> =
                list(&mut session, TraceQuery { filter: filter.into(), ..all(order) }).rows.into_iter().map(|row| row.trace_id).collect();
            let query = TraceQuery {
                groups: Some(Grouping { by: GroupBy::Session, open: open.clone() }),
                filter: filter.into(),
                limit: 7,
                ..all(order)
            };
            let mut rows: Vec<TraceRow> = Vec::new();
            loop {
                let page = list(&mut session, TraceQuery { offset: rows.len() as u32, ..query.clone() });
                let total = page.total.expect("it is known") as usize;
                assert_eq!(page.rows.len(), 7.min(total - rows.len()));
                rows.extend(page.rows);
                if rows.len() == total {
                    break;
                }
            }
            let mut groups = rows.split(|row| row.group.is_some());
            assert_eq!(groups.next().map(<[TraceRow]>::len), Some(0), "a group is first");
            for (group, members) in rows.iter().filter_map(|row| row.group.as_ref()).zip(groups) {
                let belongs = |row: &&TraceRow| row.session.clone().unwrap_or_default() == group.key && matching.contains(&row.trace_id);
                let expected: Vec<&TraceRow> = flat.iter().filter(belongs).collect();
                assert_eq!((group.traces as usize, group.open), (expected.len(), open.contains(&group.key)));
                assert_eq!(members.iter().collect::<Vec<_>>(), if group.open { expected } else { Vec::new() }, "{}", group.key);
            }
        }
    }
}

#[test]
fn totals_equal_sums_by_sql() {
    for file in FILES {
        let (mut session, connection) = (open(file), sql(file, VIEWS));
        for (filter, failed_only, condition) in [
            ("", false, "1"),
            ("", true, "failed > 0"),
            ("spans>3", false, "spans > 3"),
            ("trace.duration>1ms", true, "failed > 0 AND took > 1000"),
        ] {
            let summary = summary(&mut session, filter, failed_only);
            let totals = summary.totals;
            let sums = format!(
                "SELECT count(*), coalesce(sum(failed > 0), 0), coalesce(sum(spans), 0), coalesce(sum(failed), 0), sum(took) FROM trace WHERE {condition}"
            );
            let expected: (u32, u32, i64, i64, Option<i64>) =
                connection.query_row(&sums, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?))).expect("SQL");
            let signed = |number: u64| number as i64;
            let took = totals.duration_nanos.map(|nanos| signed(nanos / 1_000));
            let found = (totals.traces, totals.failed_traces, signed(totals.spans), signed(totals.failed), took);
            assert_eq!(found, expected, "{file} {filter} {condition}");
            // Nearest rank: the value at the position of half, or 95 %, of all values, rounded up.
            let percentile = |percent: u32| {
                let place = (totals.traces * percent).div_ceil(100).max(1) - 1;
                let select = format!("SELECT took FROM trace WHERE {condition} ORDER BY took LIMIT 1 OFFSET {place}");
                connection.query_row(&select, [], |row| row.get::<_, i64>(0)).ok()
            };
            let micros = |nanos: Option<u64>| nanos.map(|nanos| signed(nanos / 1_000));
            assert_eq!((micros(totals.median_nanos), micros(totals.p95_nanos)), (percentile(50), percentile(95)), "{file} {condition}");
            assert!(summary.whole && totals.without_duration == 0);
            let rows = list(&mut session, TraceQuery { filter: filter.into(), failed_only, ..all(TraceOrder::NEWEST) }).rows;
            let mut tokens = TokenTotals::default();
            rows.iter().filter_map(|row| row.tokens).for_each(|row| tokens.merge(&row));
            assert_eq!(totals.tokens, tokens);
        }
    }
}

#[test]
fn a_plot_mark_counts_the_traces_that_its_filter_lists() {
    for file in FILES {
        let mut session = open(file);
        let picture = summary(&mut session, "", false).scatter.expect("a picture");
        let rows = list(&mut session, all(TraceOrder::NEWEST)).rows;
        assert_eq!(picture.marks.iter().map(|mark| mark.traces as usize).sum::<usize>(), rows.len());
        assert!(picture.marks.len() > 4, "{file}");
        for mark in &picture.marks {
            let brush = Brush::around(&picture, mark);
            let filter = brush.narrowed(&picture, "");
            let listed = list(&mut session, TraceQuery { filter: filter.clone(), ..all(TraceOrder::NEWEST) }).rows;
            let times = picture.time_at(brush.columns.start)..picture.time_at(brush.columns.end);
            let (low, high) = (picture.borders[usize::from(brush.rows.start)], picture.borders[usize::from(brush.rows.end)]);
            let is_inside = |row: &&TraceRow| {
                let (start, nanos) = (row.start.expect("a start"), row.duration_nanos.expect("a duration"));
                times.contains(&start) && (low <= nanos || brush.rows.start == 0) && nanos <= high
            };
            let inside: Vec<&TraceRow> = rows.iter().filter(is_inside).collect();
            assert_eq!(listed.iter().collect::<Vec<_>>(), inside, "{file} {filter}");
            // A range includes its end; the upper border of a cell belongs to the next cell.
            let own = inside.iter().filter(|row| row.duration_nanos != Some(high));
            let failed = own.clone().filter(|row| row.failed != Some(0)).count();
            assert_eq!((own.count(), failed), (mark.traces as usize, mark.failed as usize), "{file} {filter}");
        }
    }
}

#[test]
fn before_the_index_only_the_default_order_is_available() {
    let mut session = unindexed(AGENT);
    let groups = Some(Grouping { by: GroupBy::Session, open: Vec::new() });
    for query in [all(TraceOrder::SLOWEST), TraceQuery { groups, ..TraceQuery::default() }] {
        assert!(session.ask(ListTraces(query)).is_err_and(|failure| failure.is_not_indexed_yet()));
    }
    let summary = SummaryQuery { filter: String::new(), failed_only: false, cells: (10, 10) };
    assert!(session.ask(SummarizeTraces(summary)).is_err_and(|failure| failure.is_not_indexed_yet()));
    let first = list(&mut session, TraceQuery::default());
    assert!(first.rows.iter().all(|row| row.model.is_none() && row.session.is_none() && row.group.is_none()));
    assert_eq!(first.traces as usize, first.rows.len());
}

#[test]
fn a_summary_says_whether_a_search_is_running() {
    let mut session = open(AGENT);
    assert!(!summary(&mut session, "\"weather\"", false).whole);
    session.run_search().expect("the file is read");
    let whole = summary(&mut session, "\"weather\"", false);
    assert!(whole.whole && whole.totals.traces > 0);
    assert_eq!(Some(whole.totals.traces), list(&mut session, TraceQuery { filter: "\"weather\"".into(), ..TraceQuery::default() }).total);
    assert!(view::scatter_text(&whole.scatter.expect("a picture")).starts_with(&format::counted(
        Some(whole.totals.traces.into()),
        "trace",
        "traces"
    )));
}

/// The user's words in the request of each agent's turn, by SQL.
const ASKED: &str = "SELECT trace_id, json_extract(json_extract(attributes, '$.request'), '$.messages[0].content') FROM spans
    WHERE json_extract(attributes, '$.request') IS NOT NULL AND json_extract(json_extract(attributes, '$.request'), '$.messages[0].role') = 'user'
    AND json_type(json_extract(attributes, '$.request'), '$.messages[0].content') = 'text' GROUP BY trace_id HAVING count(*) = 1";

#[test]
fn a_row_shows_the_question_of_its_trace() {
    let mut seen = 0;
    for file in ["samples/agent_0.2.15.db", "tests/fixtures/db/real_agents_0.2.15.db"] {
        let mut session = open(file);
        let page = list(&mut session, all(TraceOrder::NEWEST));
        let connection = support::sql(file, "");
        let mut statement = connection.prepare(ASKED).expect("SQL");
        let expected = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows");
        for (trace_id, words) in expected.map(|row: rusqlite::Result<(String, String)>| row.expect("a row")) {
            let row = page.rows.iter().find(|row| row.trace_id == trace_id).expect("its row");
            let found = row.asked.clone().unwrap_or_default();
            assert!(words.starts_with(found.trim_end_matches('…')) && !found.is_empty(), "{trace_id}: {found:?}, {words:?}");
            seen += 1;
        }
    }
    assert!(seen > 15, "{seen}");
    // A resumed turn continues from the input of its model.
    let mut session = open("tests/fixtures/db/real_agents_0.2.15.db");
    let page = list(&mut session, all(TraceOrder::NEWEST));
    let asked = |id: &str| page.rows.iter().find(|row| row.trace_id.starts_with(id)).and_then(|row| row.asked.clone());
    assert_eq!(asked("4e60f12e").as_deref(), Some("Compare both cities, Potosí and Oruro."));
    assert_eq!(asked("aff8bab5"), None, "a web framework records no words");
    // A group shows the question of its first trace.
    let groups = TraceQuery { groups: Some(Grouping { by: GroupBy::Turn, open: Vec::new() }), ..all(TraceOrder::NEWEST) };
    let groups = list(&mut session, groups);
    let turn = groups.rows.iter().find(|row| row.group.as_ref().is_some_and(|group| group.traces == 2 && !group.key.is_empty()));
    assert_eq!(turn.and_then(|row| row.asked.as_deref()), Some("Compare both cities, Potosí and Oruro."));
}

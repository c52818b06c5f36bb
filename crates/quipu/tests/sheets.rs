//! The tabs of real traces as text, through the requests that the page makes.

use quipu::Session;
use quipu::format::cost_text;
use quipu::markup::{Attr, Node};
use quipu::model::{LogSeverity, PriceTable};
use quipu::protocol::{ExportConversation, GetSheet, ListTraces, SheetQuery, TraceQuery, TraceScope};
use quipu::protocol::{FlameLayout, SetPrices, SheetView, TraceTab};
use quipu::protocol::{FlameWeight, StatisticsColumn};
use quipu::render::sheet_text;
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use quipu::view::{FlameOrder, FlameWindow};
use rusqlite::Connection;

struct File {
    session: Session,
    connection: Connection,
}

fn open(name: &str) -> File {
    let path = format!("{}/../../samples/{name}", env!("CARGO_MANIFEST_DIR"));
    let source = Box::new(MemorySource(std::fs::read(&path).expect("the sample is there")));
    let mut session = Session::open(vec![NamedSource { name: name.into(), source }], OpenOptions::with_clock(|| 0)).expect("it opens");
    session.complete_index().expect("it is indexed");
    let connection = Connection::open_with_flags(path, rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("SQLite opens it");
    File { session, connection }
}

impl File {
    fn text(&self, sql: &str) -> String {
        self.connection.query_row(sql, [], |row| row.get(0)).expect("a row")
    }

    fn sheet(&mut self, trace_id: &str, tab: TraceTab, change: impl FnOnce(&mut SheetQuery)) -> Vec<Node> {
        let mut query = SheetQuery {
            trace_id: trace_id.to_owned(),
            tab,
            view: SheetView::default(),
            scope: TraceScope::default(),
            window: None,
            find: String::new(),
            span_id: None,
            width: 1_000,
        };
        change(&mut query);
        self.session.ask(GetSheet(query)).expect("an answer")
    }
}

/// All values of an attribute, in order.
fn attrs(nodes: &[Node], wanted: Attr) -> Vec<String> {
    let mut found = Vec::new();
    let mut left: Vec<&Node> = nodes.iter().rev().collect();
    while let Some(node) = left.pop() {
        match node {
            Node::El(el) => {
                found.extend(el.attrs.iter().filter(|(attr, _)| *attr == wanted).map(|(_, value)| value.clone()));
                left.extend(el.inside.iter().rev());
            }
            Node::Details { summary, inside, .. } => left.extend(summary.iter().chain(inside).rev()),
            Node::RawToggle { drawn, .. } => left.push(drawn),
            _ => {}
        }
    }
    found
}

#[test]
fn a_conversation_reads_from_top_to_bottom() {
    let mut file = open("agent_0.2.15.db");
    let turn = file.text(
        "SELECT trace_id FROM spans WHERE json_extract(attributes, '$.input') LIKE '%look in docs for llama 2%' ORDER BY start_time LIMIT 1",
    );
    insta::assert_snapshot!(sheet_text(&file.sheet(&turn, TraceTab::Conversation, |_| {})));
}

#[test]
fn a_conversation_is_exported_a_turn_a_line() {
    let mut file = open("agent_0.2.15.db");
    let turn =
        file.text("SELECT trace_id FROM spans WHERE json_extract(attributes, '$.input') LIKE '%boom now%' ORDER BY start_time LIMIT 1");
    let lines = file.session.ask(ExportConversation { trace_id: turn, whole_session: false }).expect("no lines");
    let lines: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(!lines.is_empty());
    let last = lines.last().expect("a turn");
    assert_eq!(last["input_query"], "boom now");
    assert!(last["generated_answer"].as_str().is_some_and(|answer| answer.starts_with("Reply: ")), "{last}");
    let calls: Vec<_> = lines.iter().flat_map(|line| line["tool_calls"].as_array().cloned().unwrap_or_default()).collect();
    assert!(
        calls.iter().any(|call| call["tool_name"] == "always_fails" && call["result"] == "Error when running tool: tool failed: test"),
        "{calls:?}"
    );
}

#[test]
fn logs_are_the_events_sql_finds() {
    let mut file = open("metrics_0.2.23.db");
    let trace_id = file.text(
        "SELECT s.trace_id FROM span_events e JOIN spans s USING (span_id) WHERE e.attributes ->> 'severity' = 'error' ORDER BY e.id LIMIT 1",
    );
    let ids = |file: &File, filter: &str| -> Vec<String> {
        let sql = format!(
            "SELECT CAST(e.id AS TEXT) FROM span_events e JOIN spans s USING (span_id) WHERE s.trace_id = '{trace_id}' {filter} ORDER BY e.timestamp, e.id"
        );
        let mut statement = file.connection.prepare(&sql).expect("SQL");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    };
    let (all, errors) = (ids(&file, ""), ids(&file, "AND e.attributes ->> 'severity' IN ('error', 'critical')"));
    assert!(errors.len() < all.len() && !errors.is_empty());
    assert_eq!(attrs(&file.sheet(&trace_id, TraceTab::Logs, |_| {}), Attr::Event), all);
    let graver = file.sheet(&trace_id, TraceTab::Logs, |query| query.view.min_severity = Some(LogSeverity::Error));
    assert_eq!(attrs(&graver, Attr::Event), errors);
    insta::assert_snapshot!(sheet_text(&graver).lines().take(3).collect::<Vec<_>>().join("\n"));
}

#[test]
fn statistics_are_ordered_by_the_chosen_column() {
    let mut file = open("agent_0.2.15.db");
    let trace_id = file.text("SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC, trace_id LIMIT 1");
    let sheet =
        file.sheet(&trace_id, TraceTab::Statistics, |query| (query.view.column, query.view.ascending) = (StatisticsColumn::Name, true));
    let sql = format!("SELECT name FROM spans WHERE trace_id = '{trace_id}' GROUP BY name ORDER BY name");
    let names: Vec<String> = {
        let mut statement = file.connection.prepare(&sql).expect("SQL");
        statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    };
    assert_eq!(attrs(&sheet, Attr::Name), names);
    assert!(attrs(&sheet, Attr::Set).contains(&"by=name&order=&page=".to_owned()), "Pressed again, it reverses the order.");
    // Every name links to its longest span.
    let longest = attrs(&sheet, Attr::Span);
    for (name, span_id) in names.iter().zip(&longest) {
        let sql = format!("SELECT name FROM spans WHERE span_id = '{span_id}'");
        assert_eq!(&file.text(&sql), name);
    }
    assert_eq!(longest.len(), names.len());
}

#[test]
fn a_flame_graph_has_every_span_and_its_arrows_lead_somewhere() {
    let mut file = open("agent_0.2.15.db");
    let sql = "SELECT trace_id FROM spans GROUP BY trace_id HAVING count(*) BETWEEN 20 AND 60 ORDER BY count(*) DESC, trace_id LIMIT 1";
    let trace_id = file.text(sql);
    let wide = |query: &mut SheetQuery| query.width = 4_000_000;
    let sheet = file.sheet(&trace_id, TraceTab::Flame, wide);
    let graph = sheet.get(1).cloned().into_iter().collect::<Vec<_>>();
    let mut spans = attrs(&graph, Attr::Span);
    spans.sort();
    spans.dedup();
    let ids: Vec<String> = {
        let mut statement = file.connection.prepare("SELECT span_id FROM spans WHERE trace_id = ?1 ORDER BY span_id").expect("SQL");
        statement.query_map([&trace_id], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect()
    };
    assert_eq!(spans, ids);
    let boxes = attrs(&graph, Attr::Id);
    for way in [Attr::Up, Attr::Down, Attr::Left, Attr::Right] {
        let ways = attrs(&graph, way);
        assert!(ways.iter().all(|to| boxes.contains(to)), "{way:?}");
    }
    assert_eq!(attrs(&graph, Attr::Up).len(), ids.len() - 1, "All but the root have a parent.");
    let heavy = file.sheet(&trace_id, TraceTab::Flame, |query| query.view.layout = FlameLayout::LeftHeavy);
    assert!(sheet_text(&heavy).contains("Calls, heaviest first"));
    let name = file.text(&format!("SELECT name FROM spans WHERE trace_id = '{trace_id}' AND parent_span_id IS NULL LIMIT 1"));
    let sandwich = file.sheet(&trace_id, TraceTab::Flame, |query| {
        query.view.layout = FlameLayout::Sandwich;
        query.view.around = Some(name.clone());
    });
    let words = sheet_text(&sandwich);
    assert!(words.contains(&format!("Callers of {name}")) && words.contains(&format!("Callees of {name}")), "{words}");
}

#[test]
fn every_view_of_every_trace_is_answered() {
    for name in ["agent_0.2.15.db", "metrics_0.2.23.db"] {
        let mut file = open(name);
        let mut statement = file.connection.prepare("SELECT DISTINCT trace_id FROM spans").expect("SQL");
        let ids: Vec<String> = statement.query_map([], |row| row.get(0)).expect("rows").map(|row| row.expect("a row")).collect();
        drop(statement);
        for id in ids {
            for tab in [TraceTab::Conversation, TraceTab::Logs, TraceTab::Statistics, TraceTab::Flame] {
                assert!(!sheet_text(&file.sheet(&id, tab, |_| {})).is_empty(), "{tab:?} of {id}");
            }
        }
    }
}

#[test]
fn a_request_of_a_merged_trace_is_read_alone() {
    let mut file = open("../tests/fixtures/db/real_agents_0.2.15.db");
    let trace_id = "d3eca2cf9ba0df69752b83d93b96dab7";
    let root_of = |file: &File, name: &str| {
        file.text(&format!(
            "SELECT span_id FROM spans WHERE trace_id = '{trace_id}' AND name = '{name}' AND json_extract(attributes, '$.__root__')"
        ))
    };
    let (turn, session) = (
        file.text("SELECT span_id FROM spans WHERE trace_id LIKE 'd3eca2cf%' AND attributes LIKE '%session_id%'"),
        root_of(&file, "/v1/agents/{agent_id}/session"),
    );
    let mut sheet_of = |request: &str| {
        let nodes = file.sheet(trace_id, TraceTab::Conversation, |query| query.scope.request = Some(request.to_owned()));
        sheet_text(&nodes)
    };
    let of_turn = sheet_of(&turn);
    assert!(of_turn.contains("one of 6 that the server merged into this trace."), "{of_turn}");
    assert!(of_turn.contains("You are agent ana."), "{of_turn}");
    let of_session = sheet_of(&session);
    assert!(of_session.contains("Only the request /v1/agents/{agent_id}/session is shown here"), "{of_session}");
    assert!(!of_session.contains("agent ana"), "{of_session}");
}

#[test]
fn the_events_of_a_request_alone_are_those_of_its_spans() {
    let mut file = open("metrics_0.2.23.db");
    // A request under another one, with its descendants: the recursion ends at nested requests.
    let below = "WITH RECURSIVE below(id) AS (VALUES(?1) UNION SELECT span_id FROM spans JOIN below ON parent_span_id = below.id
                 WHERE json_extract(attributes, '$.__root__') IS NULL)
                 SELECT count(*) FROM span_events WHERE span_id IN below";
    let roots: Vec<(String, String)> = {
        let sql = "SELECT trace_id, span_id FROM spans WHERE json_extract(attributes, '$.__root__') AND trace_id IN
                   (SELECT trace_id FROM spans WHERE json_extract(attributes, '$.__root__') GROUP BY trace_id HAVING count(*) > 1)";
        let mut statement = file.connection.prepare(sql).expect("SQL");
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows").map(|row| row.expect("a row")).collect()
    };
    let mut with_events = 0;
    for (trace_id, root) in roots.into_iter().take(60) {
        let expected: u32 = file.connection.query_row(below, [&root], |row| row.get(0)).expect("a count");
        let nodes = file.sheet(&trace_id, TraceTab::Logs, |query| query.scope.request = Some(root.clone()));
        let listed = attrs(&nodes, Attr::Event).len() as u32;
        assert_eq!(listed, expected.min(200), "{trace_id} {root}");
        with_events += u32::from(expected > 0);
    }
    assert!(with_events > 3, "{with_events}");
}

#[test]
fn statistics_flame_graph_and_conversation_show_costs() {
    let priced = ["metrics_0.2.23.db", "agent_0.2.15.db"].map(check_costs);
    let [(metrics, _, with_costs), (agent, least, _)] = priced;
    assert!(metrics > 10 && with_costs > 5 && agent > 0 && least > 0, "{priced:?}");
}

/// Numbers of traces with a cost, of traces with a partially unknown cost, and of conversations that show a cost.
fn check_costs(name: &str) -> (usize, usize, usize) {
    let mut file = open(name);
    let query = TraceQuery { limit: 1_000, ..TraceQuery::default() };
    let heads = |sheet: &[Node]| attrs(sheet, Attr::Set).iter().any(|set| set.starts_with("by=cost"));
    let first = file.text("SELECT trace_id FROM spans LIMIT 1");
    assert!(!heads(&file.sheet(&first, TraceTab::Statistics, |_| ())), "Nothing costs anything at first.");
    file.session.ask(SetPrices(PriceTable::from_text("$\n*\t1000000\t2000000"))).expect("prices are taken");
    let page = file.session.ask(ListTraces(query)).expect("no list");
    let (mut priced, mut with_costs, mut least) = (0, 0, 0);
    for (trace_id, cost) in page.rows.iter().filter_map(|row| Some((&row.trace_id, row.tokens?.cost?))) {
        priced += 1;
        least += usize::from(cost.is_least);
        let of_names = file.session.statistics(trace_id).expect("statistics").into_iter().map(|row| row.cost);
        let known: u64 = of_names.clone().flatten().map(|cost| cost.nanos).sum();
        assert_eq!(known, cost.nanos, "{trace_id}");
        assert_eq!(of_names.flatten().any(|cost| cost.is_least), cost.is_least, "{trace_id}");
        let all = FlameWindow { from: 0, to: u64::MAX, least: 0 };
        let graph = file.session.flame(trace_id, &FlameOrder::LeftHeavy, FlameWeight::Cost, all).expect("a graph");
        assert_eq!(graph.total, cost.nanos, "{trace_id}");
        assert!(heads(&file.sheet(trace_id, TraceTab::Statistics, |_| ())));
        let heavy = file.sheet(trace_id, TraceTab::Flame, |query| {
            (query.view.layout, query.view.weight) = (FlameLayout::LeftHeavy, FlameWeight::Cost);
        });
        assert!(sheet_text(&heavy).contains(cost_text(Some(cost)).trim_start_matches("≥ ")), "{}", sheet_text(&heavy));
        assert_eq!(sheet_text(&heavy).contains("lower bound: the count or price of some requests"), cost.is_least);
        let text = sheet_text(&file.sheet(trace_id, TraceTab::Conversation, |_| ()));
        let words: Vec<&str> = text.split(" tokens · $").skip(1).collect();
        with_costs += usize::from(!words.is_empty());
    }
    // Without prices there is nothing to weigh by, which is said.
    file.session.ask(SetPrices(PriceTable::default())).expect("prices are taken");
    let heavy = file.sheet(&first, TraceTab::Flame, |query| {
        (query.view.layout, query.view.weight) = (FlameLayout::LeftHeavy, FlameWeight::Cost);
    });
    assert!(sheet_text(&heavy).contains("Enter prices on the Metrics page."), "{}", sheet_text(&heavy));
    (priced, least, with_costs)
}

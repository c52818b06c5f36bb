//! The list of log records against SQL over the same file, and against the records that were sent.

use crate::support;
use crate::transfer::tools::{import_as, read, session_of, sql_of};
use quipu::Session;
use quipu::model::{LogSeverity, Timestamp};
use quipu::protocol::{
    GetFile, GetLog, GetSheet, GetText, ListLogs, LogId, LogItem, LogListQuery, LogPage, SheetQuery, SheetView, TraceScope, TraceTab,
};
use quipu::store::Layout;
use quipu::view::LogQuery;
use rusqlite::Connection;
use serde_json::json;

fn all() -> LogListQuery {
    LogListQuery { limit: 1_000, ..LogListQuery::default() }
}

fn list(session: &mut Session, query: &LogListQuery) -> LogPage {
    session.list_all_logs(query).expect("a list")
}

fn found(session: &mut Session, filter: &str) -> Vec<LogItem> {
    list(session, &LogListQuery { filter: filter.into(), oldest_first: true, ..all() }).items
}

fn ids(connection: &Connection, condition: &str) -> Vec<i64> {
    let sql = format!("SELECT id FROM span_events WHERE name NOT LIKE 'metric.%' AND {condition} ORDER BY timestamp, id");
    let mut statement = connection.prepare(&sql).expect("SQL");
    statement.query_map([], |row| row.get(0)).expect("rows").collect::<Result<_, _>>().expect("rows")
}

fn event_ids(items: &[LogItem]) -> Vec<i64> {
    let id = |item: &LogItem| match item.id {
        LogId::Event(id) => id,
        LogId::Record(id) => panic!("a record {id}"),
    };
    items.iter().map(id).collect()
}

#[test]
fn events_of_reference_files_are_those_that_sql_finds() {
    let mut severe = 0;
    for file in ["samples/agent_0.2.15.db", "samples/metrics_0.2.23.db", "tests/fixtures/db/real_old_0.2.11.db"] {
        let (mut session, connection) = (support::open(file), support::sql(file, ""));
        let newest = list(&mut session, &all());
        let mut expected = ids(&connection, "TRUE");
        assert!(!expected.is_empty());
        assert_eq!(newest.of_all as usize, expected.len(), "{file}");
        assert_eq!(event_ids(&found(&mut session, "")), expected, "{file}");
        // Events of one time come the other way round as well.
        expected.reverse();
        assert_eq!(event_ids(&newest.items), expected, "{file}");
        for least in LogSeverity::ALL {
            let names: Vec<String> = LogSeverity::ALL[least as usize..].iter().map(|severity| format!("'{}'", severity.label())).collect();
            let condition = format!("json_extract(attributes, '$.severity') IN ({})", names.join(","));
            let page = list(&mut session, &LogListQuery { min_severity: Some(least), oldest_first: true, ..all() });
            assert_eq!(event_ids(&page.items), ids(&connection, &condition), "{file} {}", least.label());
            assert_eq!(page.by_severity.iter().sum::<u32>(), page.of_all, "the counts are those of all severities");
            severe += page.by_severity[least as usize..6].iter().sum::<u32>();
        }
    }
    assert!(severe > 0);
}

#[test]
fn filters_ask_the_event_and_its_trace() {
    let file = "samples/metrics_0.2.23.db";
    let (mut session, connection) = (support::open(file), support::sql(file, ""));
    let of_trace = |condition: &str| {
        format!("span_id IN (SELECT span_id FROM spans WHERE trace_id IN (SELECT trace_id FROM spans WHERE {condition}))")
    };
    let trace: String =
        connection.query_row("SELECT trace_id FROM spans JOIN span_events USING (span_id) LIMIT 1", [], |row| row.get(0)).expect("a trace");
    let cases = [
        ("severity:error".to_owned(), "json_extract(attributes, '$.severity') = 'error'".to_owned()),
        ("-severity:error".to_owned(), "json_extract(attributes, '$.severity') IS NOT 'error'".to_owned()),
        ("name:unstructured".to_owned(), "name LIKE '%unstructured%'".to_owned()),
        ("name=other".to_owned(), "FALSE".to_owned()),
        ("http".to_owned(), "lower(attributes) LIKE '%http%'".to_owned()),
        (
            "\"200 OK\" OR severity:warn".to_owned(),
            "(attributes LIKE '%200 OK%' OR json_extract(attributes, '$.severity') = 'warn')".to_owned(),
        ),
        (format!("trace:{}", &trace[..8]), of_trace(&format!("trace_id = '{trace}'"))),
        ("kind:tool".to_owned(), of_trace("name LIKE '%invoke_tool%'")),
    ];
    for (filter, condition) in cases {
        assert_eq!(event_ids(&found(&mut session, &filter)), ids(&connection, &condition), "{filter}");
    }
    let first: String = connection.query_row("SELECT min(timestamp) FROM span_events", [], |row| row.get(0)).expect("a time");
    let minute = &first[..16];
    assert_eq!(event_ids(&found(&mut session, &format!("start:{minute}"))), ids(&connection, &format!("timestamp LIKE '{minute}%'")));
    let refused = session.ask(ListLogs(LogListQuery { filter: "{\"x\"}".into(), ..all() })).expect_err("braces are about spans");
    assert!(refused.message.contains("has to be searched for in spans"), "{refused:?}");
}

#[test]
fn pages_follow_each_other_and_the_chart_counts_every_record() {
    let mut session = support::open("samples/metrics_0.2.23.db");
    let whole = list(&mut session, &LogListQuery { bars: 60, ..all() });
    let chart = whole.chart.expect("a chart");
    assert!(chart.bars.len() <= 61, "{}", chart.bars.len());
    assert_eq!(chart.bars.iter().flatten().sum::<u32>(), whole.total);
    for item in &whole.items {
        let at = item.time.expect("a time").nanos_since(chart.start) / i64::try_from(chart.bar_nanos).expect("a width");
        let severity = item.severity.map_or(6, |severity| severity as usize);
        assert!(chart.bars[usize::try_from(at).expect("after the start")][severity] > 0);
    }
    let mut paged = Vec::new();
    for page in 0.. {
        let items = list(&mut session, &LogListQuery { offset: page * 97, limit: 97, ..LogListQuery::default() }).items;
        if items.is_empty() {
            break;
        }
        paged.extend(items);
    }
    assert_eq!(paged, whole.items);
}

#[test]
fn records_without_a_span_are_listed_with_all_that_was_sent() {
    let body = read("tests/fixtures/otlp/agent_logs.jsonl");
    for layout in [Layout::Quipu, Layout::Reference] {
        let mut session = session_of(import_as(layout, &[("logs", &body)]).0);
        let file = session.ask(GetFile).expect("the file");
        assert_eq!((file.log_records, file.metric_points, file.service_names), (Some(4), Some(4), vec!["claude-code".to_owned()]));
        let items = found(&mut session, "");
        let names: Vec<&str> = items.iter().map(|item| item.name.as_str()).collect();
        assert_eq!(names, ["user_prompt", "api_request", "tool_result", "api_request"]);
        assert_eq!(items[0].message, "claude_code.user_prompt");
        assert!(items[0].rest.starts_with("prompt=fix the bug prompt_length=11 "), "{}", items[0].rest);
        assert_eq!((items[0].service.as_deref(), items[0].time), (Some("claude-code"), Some(Timestamp(1_760_000_000_000_000_000))));
        assert_eq!((items[0].trace_id.as_deref(), items[0].span_name.as_deref(), items[0].severity), (None, None, None));
        for (filter, places) in [
            ("\"fix the bug\"", vec![0]),
            ("bash", vec![2]),
            ("name:tool_result", vec![2]),
            ("success=false attr.error=*", vec![2]),
            ("input_tokens>5", vec![3]),
            ("service:claude name:api", vec![1, 3]),
            ("service:other", vec![]),
            ("scope:anthropic -model=*", vec![0, 2]),
            ("session.id=sess-1 cost_usd<0.01", vec![3]),
            ("start>=2025-10-09T08:53:25", vec![2, 3]),
            ("error:true", vec![]),
            ("model:sonnet", vec![1, 3]),
            ("tool=Bash session:sess", vec![2]),
            ("-model:sonnet", vec![0, 2]),
        ] {
            let expected: Vec<LogId> = places.iter().map(|place| items[*place as usize].id).collect();
            let ids: Vec<LogId> = found(&mut session, filter).iter().map(|item| item.id).collect();
            assert_eq!(ids, expected, "{filter}");
        }
        let detail = session.ask(GetLog(items[2].id)).expect("a record");
        let pairs: Vec<(&str, &str)> =
            detail.attributes.iter().map(|attribute| (attribute.key.as_str(), attribute.text.raw.as_str())).collect();
        assert!(pairs.contains(&("error", "exit 1")) && pairs.contains(&("tool_name", "Bash")), "{pairs:?}");
        assert_eq!(detail.message.map(|message| message.raw).as_deref(), Some("claude_code.tool_result"));
        assert_eq!(detail.scope[0].text.raw, "com.anthropic.claude_code.events");
        let text_ref = detail.attributes[0].text_ref.clone();
        assert_eq!(session.ask(GetText(text_ref)).expect("its text"), detail.attributes[0].text.raw);
    }
}

#[test]
fn a_record_of_a_span_is_listed_once() {
    let trace = read("tests/fixtures/otlp/genai_events_traces.binpb");
    let logs = read("tests/fixtures/otlp/genai_events_logs.binpb");
    for layout in [Layout::Quipu, Layout::Reference] {
        // The records come before their spans, and after them.
        for order in [[("traces", &trace), ("logs", &logs)], [("logs", &logs), ("traces", &trace)]] {
            let (bytes, report) = import_as(layout, &order.map(|(name, bytes)| (name, bytes.as_slice())));
            let connection = sql_of(&bytes);
            let events: u32 = connection.query_row("SELECT count(*) FROM span_events", [], |row| row.get(0)).expect("a number");
            let mut session = session_of(bytes);
            let items = found(&mut session, "");
            assert_eq!(items.len() as u64, u64::from(events) + report.logs_without_span);
            assert_eq!(report.logs_without_span, 0);
            assert!(items.iter().all(|item| item.span_name.is_some() && item.service.is_some()), "{items:?}");
            let span = items[0].span_id.clone().expect("a span");
            let of_span = found(&mut session, &format!("span={span}"));
            assert!(!of_span.is_empty() && of_span.iter().all(|item| item.span_id.as_deref() == Some(&span)));
            assert_eq!(session.ask(GetLog(items[0].id)).expect("a record").item, items[0]);
        }
    }
}

#[test]
fn a_record_leads_to_its_trace_if_it_names_one() {
    let trace_id = format!("{:032x}", 7);
    let of = |lists: [&str; 2], items: serde_json::Value| json!({ "resource": {}, lists[0]: [{ lists[1]: items }] });
    let spans =
        json!([{ "traceId": trace_id, "spanId": format!("{:016x}", 1), "name": "step", "startTimeUnixNano": "5", "endTimeUnixNano": "9" }]);
    let record = |trace: &str, span: u8, text: &str| json!({ "traceId": trace, "spanId": format!("{span:016x}"), "body": { "stringValue": text }, "severityNumber": 17 });
    let elsewhere = format!("{:032x}", 8);
    let records = json!([
        record(&trace_id, 1, "of a span"),
        record(&trace_id, 2, "of no span"),
        record(&elsewhere, 1, "of no trace")
    ]);
    let body = json!({
        "resourceSpans": [of(["scopeSpans", "spans"], spans)],
        "resourceLogs": [of(["scopeLogs", "logRecords"], records)],
    })
    .to_string();
    let mut session = session_of(import_as(Layout::Quipu, &[("both", body.as_bytes())]).0);
    let texts = |session: &mut Session, filter: &str| {
        let mut texts: Vec<String> = found(session, filter).into_iter().map(|item| item.message).collect();
        texts.sort();
        texts
    };
    assert_eq!(texts(&mut session, ""), ["of a span", "of no span", "of no trace"]);
    assert_eq!(texts(&mut session, &format!("trace={trace_id}")), ["of a span", "of no span"]);
    assert_eq!(texts(&mut session, &format!("trace={elsewhere}")), ["of no trace"]);
    assert_eq!(texts(&mut session, "spans:1"), ["of a span", "of no span"], "conditions on traces hold for records of them");
    assert_eq!(texts(&mut session, "severity:error \"no\""), ["of no span", "of no trace"]);
    let items = found(&mut session, "");
    assert!(items.iter().all(|item| item.trace_id.is_some() && item.severity == Some(LogSeverity::Error)));
    assert_eq!(items.iter().filter(|item| item.span_name.is_some()).count(), 1);
}

/// A trace of two spans with five log records: of a span, of none, of a span that is not in the file, without a time, and of another trace.
const TRACE_LOGS: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeSpans":[{"spans":[
    {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","name":"order","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000009000000000"},
    {"traceId":"1af7651916cd43dd8448eb211c80319c","spanId":"c7ad6b7169203331","name":"other","startTimeUnixNano":"1700000000000000000","endTimeUnixNano":"1700000009000000000"}]}]}],
    "resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},"scopeLogs":[{"logRecords":[
    {"traceId":"0af7651916cd43dd8448eb211c80319c","timeUnixNano":"1700000003000000000","severityNumber":17,"body":{"stringValue":"third, of no span"}},
    {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"b7ad6b7169203331","timeUnixNano":"1700000002000000000","severityNumber":9,"body":{"stringValue":"second, of the span"}},
    {"traceId":"0af7651916cd43dd8448eb211c80319c","spanId":"ffffffffffffffff","timeUnixNano":"1700000001000000000","severityNumber":9,"body":{"stringValue":"first, of a lost span"}},
    {"traceId":"0af7651916cd43dd8448eb211c80319c","body":{"stringValue":"last, without a time"}},
    {"traceId":"2af7651916cd43dd8448eb211c80319c","timeUnixNano":"1700000003000000000","body":{"stringValue":"of a trace that is not in the file"}}]}]}]}"#;

#[test]
fn records_that_name_a_trace_and_no_span_of_the_file_are_listed_in_the_trace() {
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    for layout in [Layout::Quipu, Layout::Reference] {
        let (bytes, _) = import_as(layout, &[("all.json", TRACE_LOGS.as_bytes())]);
        let sql = crate::transfer::tools::sql_of(&bytes);
        let of_records = format!(
            "SELECT attributes ->> 'message', coalesce(span_id, '') FROM quipu_log_records WHERE trace_id = '{trace_id}'
            AND coalesce(span_id, '') NOT IN (SELECT span_id FROM spans) ORDER BY time_unix_nano IS NULL, time_unix_nano"
        );
        let recorded = crate::transfer::tools::rows(&sql, &of_records);
        assert_eq!(recorded.len(), 3);
        let mut session = session_of(bytes);
        let all = LogQuery { min_severity: None, offset: 0, limit: 100 };
        let page = session.logs(trace_id, all).expect("events");
        let texts: Vec<&str> = page.rows.iter().map(|row| row.text.as_str()).collect();
        assert_eq!(texts, ["first, of a lost span", "second, of the span", "third, of no span", "last, without a time"]);
        let of_trace = page.rows.iter().filter(|row| row.is_of_trace).map(|row| vec![row.text.clone(), row.span_id.clone()]);
        assert_eq!(of_trace.collect::<Vec<_>>(), recorded);
        assert_eq!((page.of_all, page.of_severity[LogSeverity::Error as usize], page.notes.len()), (4, 1, 0));
        let graver = session.logs(trace_id, LogQuery { min_severity: Some(LogSeverity::Error), ..all }).expect("events");
        assert_eq!(graver.rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(), ["third, of no span"]);
        assert_eq!(session.logs("1af7651916cd43dd8448eb211c80319c", all).expect("events").of_all, 0);
        let sheet = SheetQuery {
            trace_id: trace_id.into(),
            tab: TraceTab::Logs,
            view: SheetView::default(),
            scope: TraceScope::default(),
            window: None,
            find: String::new(),
            span_id: None,
            width: 800,
        };
        let drawn = format!("{:?}", session.ask(GetSheet(sheet)).expect("a sheet"));
        assert_eq!(drawn.matches("belongs to the trace").count(), recorded.len());
        let listed = session.list_trace_logs(trace_id, 100).expect("records");
        assert_eq!(
            listed.iter().map(|item| vec![item.message.clone(), item.span_id.clone().unwrap_or_default()]).collect::<Vec<_>>(),
            recorded
        );
        assert_eq!(listed[0].service.as_deref(), Some("shop"));
        assert!(session.markdown(trace_id, 2_000).expect("Markdown").contains("error of the trace"));
    }
}

#[test]
fn records_of_a_trace_are_found_by_an_index() {
    let (bytes, _) = import_as(Layout::Quipu, &[("all.json", TRACE_LOGS.as_bytes())]);
    let sql = crate::transfer::tools::sql_of(&bytes);
    let plan = "EXPLAIN QUERY PLAN SELECT id FROM quipu_log_records WHERE trace_id = 'x' AND span_row IS NULL ORDER BY id LIMIT 5";
    let plan: String = sql.query_row(plan, [], |row| row.get(3)).expect("a plan");
    assert!(plan.contains("quipu_log_records_trace (trace_id=?)"), "{plan}");
}

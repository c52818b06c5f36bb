//! Filters over recorded databases through `Session`, against plain SQL.

use crate::support::{open, sql, unindexed};
use quipu::Session;
use quipu::filter::{FieldLevel, fields};
use quipu::model::SpanKind;
use quipu::protocol::{Failure, FailureKind, ListTraces, Suggest, Suggestions, TraceOrder, TracePage, TraceQuery, TraceRow};
use std::collections::BTreeSet;

const AGENT: &str = "samples/agent_0.2.15.db";
const METRICS: &str = "samples/metrics_0.2.23.db";
const EVENTS: &str = "tests/fixtures/db/real_events.db";
const OLD: &str = "tests/fixtures/db/real_old_0.2.11.db";
const FILES: [&str; 9] = [
    AGENT,
    METRICS,
    EVENTS,
    OLD,
    "tests/fixtures/db/real_small.db",
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.8.db",
    "tests/fixtures/db/real_old_0.1.9.db",
    "tests/fixtures/db/real_old_0.2.7.db",
];

/// The data that filters test, in SQL. Views are named after fields; times are in microseconds.
const VIEWS: &str = "
CREATE TEMP VIEW span AS SELECT rowid AS at, span_id, trace_id, parent_span_id, name, attributes AS a, status,
    strftime('%s', end_time) * 1000000 + iif(substr(end_time, 20, 1) = '.', CAST(substr(end_time, 21, 6) AS INTEGER), 0)
      - strftime('%s', start_time) * 1000000 - iif(substr(start_time, 20, 1) = '.', CAST(substr(start_time, 21, 6) AS INTEGER), 0) AS took,
    (status = 'ERROR' OR json_extract(attributes, '$.error') IS NOT NULL OR span_id IN (
        SELECT span_id FROM span_events WHERE json_extract(attributes, '$.severity') IN ('error', 'critical')
          AND (json_extract(attributes, '$.message') LIKE 'Error executing endpoint %'
            OR json_extract(attributes, '$.message') LIKE 'Error in sse_generator%'))) AS failed
  FROM spans;
CREATE TEMP VIEW root AS SELECT * FROM (
    SELECT s.*, row_number() OVER (PARTITION BY s.trace_id ORDER BY b.start_time, b.rowid) AS nth FROM span s JOIN spans b ON b.rowid = s.at
    WHERE s.parent_span_id IS NULL OR s.parent_span_id NOT IN (SELECT span_id FROM spans)) WHERE nth = 1;
CREATE TEMP VIEW every AS SELECT trace_id FROM traces UNION SELECT trace_id FROM spans;
CREATE TEMP VIEW inference AS SELECT *, coalesce(json_extract(a, '$.__args__'), '') AS args FROM span
  WHERE instr(name, '.') > 0 AND instr(substr(name, 1, instr(name, '.')), 'Inference') > 0;
CREATE TEMP VIEW asked AS SELECT trace_id, CASE WHEN sum(routed) > 0 THEN sum(routed) WHEN sum(provided) > 0 THEN sum(provided) ELSE sum(steps) END AS times
  FROM (SELECT trace_id, name LIKE 'InferenceRouter.%' AND is_call AS routed, at IN (SELECT at FROM inference) AND is_call AS provided, name = 'inference' AS steps
    FROM (SELECT *, name GLOB '*[._]completion' OR name GLOB '*[._]embeddings' AS is_call FROM span))
  GROUP BY trace_id;
";

/// Each filter with its equivalent `SELECT trace_id`. Strings are compared in lower case where the filter ignores case.
const CASES: [(&str, &str); 74] = [
    ("", "SELECT trace_id FROM every"),
    ("duration>10ms", "SELECT trace_id FROM span WHERE took > 10000"),
    ("duration<=1ms", "SELECT trace_id FROM span WHERE took <= 1000"),
    ("duration:1ms..5ms", "SELECT trace_id FROM span WHERE took BETWEEN 1000 AND 5000"),
    ("-duration>2ms", "SELECT trace_id FROM every EXCEPT SELECT trace_id FROM span WHERE took > 2000"),
    ("root.duration>10ms", "SELECT trace_id FROM root WHERE took > 10000"),
    ("error:true", "SELECT trace_id FROM span WHERE failed"),
    ("error:false", "SELECT trace_id FROM every EXCEPT SELECT trace_id FROM span WHERE failed"),
    ("root.error:true", "SELECT trace_id FROM root WHERE failed"),
    ("root.error:false", "SELECT trace_id FROM root WHERE NOT failed"),
    ("failed>1", "SELECT trace_id FROM span GROUP BY trace_id HAVING sum(failed) > 1"),
    ("name:inference", "SELECT trace_id FROM span WHERE lower(name) LIKE '%inference%'"),
    ("name=inference", "SELECT trace_id FROM span WHERE name = 'inference'"),
    ("name:\"InferenceRouter.chat_completion\"", "SELECT trace_id FROM span WHERE name = 'InferenceRouter.chat_completion'"),
    ("name:InferenceROUTER.*", "SELECT trace_id FROM span WHERE lower(name) LIKE 'inferencerouter.%'"),
    ("name:*get*model", "SELECT trace_id FROM span WHERE lower(name) LIKE '%get%model'"),
    ("name!=inference", "SELECT trace_id FROM span WHERE name <> 'inference'"),
    ("-name:get_model", "SELECT trace_id FROM every EXCEPT SELECT trace_id FROM span WHERE name LIKE '%get_model%'"),
    ("root.name:turn", "SELECT trace_id FROM root WHERE lower(name) LIKE '%turn%'"),
    ("root.name=my_span", "SELECT trace_id FROM root WHERE name = 'my_span'"),
    ("name:{agent_id}/session", "SELECT trace_id FROM span WHERE name LIKE '%{agent_id}/session%'"),
    ("kind:tool", "SELECT trace_id FROM span WHERE name = 'tool_execution' OR substr(name, 1, instr(name, '.')) LIKE '%Tool%'
        AND substr(name, 1, instr(name, '.')) NOT LIKE '%RoutingTable%' AND substr(name, 1, instr(name, '.')) NOT LIKE '%MemoryToolRuntime%'
        AND substr(name, 1, instr(name, '.')) NOT GLOB '*Rag*'"),
    ("kind:routing", "SELECT trace_id FROM span WHERE substr(name, 1, instr(name, '.')) LIKE '%RoutingTable%'"),
    ("kind:safety", "SELECT trace_id FROM span WHERE name LIKE 'run\\_shield%' ESCAPE '\\' OR substr(name, 1, instr(name, '.')) GLOB '*Safety*'"),
    ("kind:request kind:inference", "SELECT trace_id FROM span WHERE json_extract(a, '$.__root__') = 1 AND instr(name, '.') = 0
          AND name NOT LIKE '%/turn' AND name NOT LIKE '%/resume' AND name NOT LIKE '%_turn' OR name LIKE '/%' AND name NOT LIKE '%/turn' AND name NOT LIKE '%/resume'
        INTERSECT SELECT trace_id FROM (SELECT trace_id FROM inference UNION ALL SELECT trace_id FROM span WHERE name = 'inference')"),
    ("model:LLAMA", "SELECT trace_id FROM inference WHERE args GLOB '{''model_id'': ''*[Ll]lama*' AND instr(lower(substr(args, 15, instr(substr(args, 15), '''') - 1)), 'llama') > 0
        UNION SELECT trace_id FROM inference WHERE args LIKE '{''model'': ''%' AND instr(lower(substr(args, 12, instr(substr(args, 12), '''') - 1)), 'llama') > 0"),
    ("model=fake/embed-8", "SELECT trace_id FROM inference WHERE args LIKE '{''model_id'': ''fake/embed-8''%' OR args LIKE '{''model'': ''fake/embed-8''%'"),
    ("model=*", "SELECT trace_id FROM inference WHERE args LIKE '{''model_id'': ''_%' OR args LIKE '{''model'': ''_%'"),
    ("tool:search", "SELECT trace_id FROM span WHERE json_extract(a, '$.tool_name') LIKE '%search%' OR json_extract(a, '$.__args__') LIKE '{''tool\\_name'': ''%search''%' ESCAPE '\\'"),
    ("tool=web_search", "SELECT trace_id FROM span WHERE json_extract(a, '$.tool_name') = 'web_search' OR json_extract(a, '$.__args__') LIKE '{''tool\\_name'': ''web\\_search''%' ESCAPE '\\'"),
    ("session=*", "SELECT trace_id FROM span WHERE json_extract(a, '$.session_id') IS NOT NULL"),
    ("session:6*", "SELECT trace_id FROM span WHERE json_extract(a, '$.session_id') LIKE '6%'"),
    ("turn:f", "SELECT trace_id FROM span WHERE json_extract(a, '$.turn_id') LIKE '%f%'"),
    ("turn!=x -turn:7", "SELECT trace_id FROM span WHERE json_extract(a, '$.turn_id') <> 'x' EXCEPT SELECT trace_id FROM span WHERE json_extract(a, '$.turn_id') LIKE '%7%'"),
    ("agent:WEATHER", "SELECT trace_id FROM span WHERE json_extract(a, '$.agent_name') LIKE '%weather%'"),
    ("agent:2 -agent:bot", "SELECT trace_id FROM span WHERE coalesce(json_extract(a, '$.agent_name'), json_extract(a, '$.agent_id')) LIKE '%2%'
        EXCEPT SELECT trace_id FROM span WHERE json_extract(a, '$.agent_name') LIKE '%bot%'"),
    ("status:err", "SELECT trace_id FROM span WHERE status LIKE '%err%'"),
    ("status:ok", "SELECT trace_id FROM span WHERE status = 'OK'"),
    ("status!=OK", "SELECT trace_id FROM span WHERE status <> 'OK'"),
    ("service:oracle", "SELECT trace_id FROM traces WHERE service_name LIKE '%oracle%'"),
    ("service=direct-oracle", "SELECT trace_id FROM traces WHERE service_name = 'direct-oracle'"),
    ("spans>=6", "SELECT trace_id FROM span GROUP BY trace_id HAVING count(*) >= 6"),
    ("spans=1", "SELECT trace_id FROM span GROUP BY trace_id HAVING count(*) = 1"),
    ("requests>1", "SELECT trace_id FROM span GROUP BY trace_id HAVING sum(json_extract(a, '$.__root__') = 1) > 1"),
    ("inferences=0", "SELECT trace_id FROM every EXCEPT SELECT trace_id FROM asked WHERE times > 0"),
    ("inferences:1", "SELECT trace_id FROM asked WHERE times = 1"),
    ("inferences>1", "SELECT trace_id FROM asked WHERE times > 1"),
    ("trace:0", "SELECT trace_id FROM every WHERE trace_id LIKE '0%'"),
    ("span:a", "SELECT trace_id FROM span WHERE span_id LIKE 'a%'"),
    ("__class__=InferenceRouter", "SELECT trace_id FROM span WHERE json_extract(a, '$.__class__') = 'InferenceRouter'"),
    ("__class__:router", "SELECT trace_id FROM span WHERE json_extract(a, '$.__class__') LIKE '%router%'"),
    ("__class__!=InferenceRouter", "SELECT trace_id FROM span WHERE json_extract(a, '$.__class__') <> 'InferenceRouter'"),
    ("{__class__:inference __method__=chat_completion}", "SELECT trace_id FROM span WHERE json_extract(a, '$.__class__') LIKE '%inference%' AND json_extract(a, '$.__method__') = 'chat_completion'"),
    ("__root__=true", "SELECT trace_id FROM span WHERE json_extract(a, '$.__root__') = 1"),
    ("__ttl__>600000", "SELECT trace_id FROM span WHERE json_extract(a, '$.__ttl__') > 600000"),
    ("{n=5 n>4.5 -n>5 ratio=0.50 flag=true big=9007199254740993}", "SELECT trace_id FROM span WHERE json_extract(a, '$.n') = 5"),
    ("{int>6 int<=7 int=7 -x>1 bool:true}", "SELECT trace_id FROM span WHERE CAST(json_extract(a, '$.int') AS TEXT) = '7'"),
    ("{uni:CAFÉ uni:*🦙 empty=\"\" a.b:\"dotted\" quote'd:IT's}", "SELECT trace_id FROM span WHERE json_extract(a, '$.uni') LIKE 'café%'"),
    ("chunk_count>=9", "SELECT trace_id FROM span WHERE CAST(json_extract(a, '$.chunk_count') AS INTEGER) >= 9"),
    ("session_id", "SELECT trace_id FROM span WHERE json_extract(a, '$.session_id') IS NOT NULL OR name LIKE '%session\\_id%' ESCAPE '\\'"),
    ("-__args__", "SELECT trace_id FROM every EXCEPT SELECT trace_id FROM span WHERE json_extract(a, '$.__args__') IS NOT NULL"),
    ("attr.error=*", "SELECT trace_id FROM span WHERE json_extract(a, '$.error') IS NOT NULL"),
    ("\"a.b\"=*", "SELECT trace_id FROM span WHERE json_extract(a, '$.\"a.b\"') IS NOT NULL"),
    ("root.__location__=server", "SELECT trace_id FROM root WHERE json_extract(a, '$.__location__') = 'server'"),
    ("chat", "SELECT trace_id FROM span WHERE lower(name) LIKE '%chat%'"),
    ("name:chat duration>10ms", "SELECT trace_id FROM span WHERE lower(name) LIKE '%chat%' INTERSECT SELECT trace_id FROM span WHERE took > 10000"),
    ("{name:chat duration>10ms}", "SELECT trace_id FROM span WHERE lower(name) LIKE '%chat%' AND took > 10000"),
    ("{-name:chat -error:true} (kind:inference OR NOT spans<5)", "SELECT trace_id FROM span WHERE lower(name) NOT LIKE '%chat%' AND NOT failed
        INTERSECT SELECT trace_id FROM (SELECT trace_id FROM inference UNION SELECT trace_id FROM span WHERE name = 'inference' UNION
          SELECT trace_id FROM span GROUP BY trace_id HAVING count(*) >= 5)"),
    ("output:REPLY", "SELECT trace_id FROM span WHERE lower(json_extract(a, '$.output')) LIKE '%reply%'"),
    ("{output:*reply*café* kind:inference}", "SELECT trace_id FROM span WHERE lower(json_extract(a, '$.output')) LIKE '%reply%café%'
        AND (at IN (SELECT at FROM inference) OR name = 'inference')"),
    ("{attr.error:model kind:inference}", "SELECT trace_id FROM inference WHERE lower(json_extract(a, '$.error')) LIKE '%model%'"),
    ("-output!=\"\" spans>3", "SELECT trace_id FROM span GROUP BY trace_id HAVING count(*) > 3 AND sum(json_extract(a, '$.output') <> '') IS NULL
        OR count(*) > 3 AND sum(json_extract(a, '$.output') <> '') = 0"),
    ("root.request:*\"hi there\"* OR \"no text of any file\"", "SELECT trace_id FROM root WHERE lower(json_extract(a, '$.request')) LIKE '%hi there%'"),
    ("{error:false}", "SELECT trace_id FROM span WHERE NOT failed"),
];

fn query(filter: &str) -> TraceQuery {
    TraceQuery { filter: filter.into(), limit: 1_000, ..TraceQuery::default() }
}

/// A complete page, after searching the file to its end.
fn list(session: &mut Session, query: TraceQuery) -> TracePage {
    let page = session.ask(ListTraces(query.clone())).expect("a page");
    if page.total.is_some() {
        return page;
    }
    assert!(session.has_search());
    session.run_search().expect("the file is read");
    list(session, query)
}

fn ids(rows: &[TraceRow]) -> BTreeSet<String> {
    rows.iter().map(|row| row.trace_id.clone()).collect()
}

#[test]
fn filters_match_what_sql_finds() {
    let mut matched = [0_usize; CASES.len()];
    for file in FILES {
        let (mut session, connection) = (open(file), sql(file, VIEWS));
        for ((filter, select), matched) in CASES.iter().zip(&mut matched) {
            let mut statement = connection.prepare(select).unwrap_or_else(|error| panic!("{filter}: {error}"));
            let expected = statement.query_map([], |row| row.get(0)).expect("rows");
            let expected: BTreeSet<String> = expected.collect::<Result<_, _>>().expect("ids");
            let page = list(&mut session, query(filter));
            assert_eq!(ids(&page.rows), expected, "{filter} in {file}");
            assert_eq!((page.total, page.so_far), (Some(expected.len() as u32), expected.len() as u32), "{filter} in {file}");
            *matched += expected.len();
        }
    }
    // A case that matches nothing in any file would test nothing.
    for ((filter, _), matched) in CASES.iter().zip(matched) {
        assert!(matched > 0, "{filter} matches no trace of any file");
    }
}

#[test]
fn times_compare_in_utc_and_dates_mean_their_whole_day() {
    for file in [AGENT, METRICS] {
        let mut session = open(file);
        let connection = sql(file, VIEWS);
        let starts = "SELECT trace_id, min(start_time) FROM spans GROUP BY trace_id ORDER BY 2";
        let mut statement = connection.prepare(starts).expect("SQL");
        let starts: Vec<(String, String)> =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).expect("rows").collect::<Result<_, _>>().expect("rows");
        let middle = &starts[starts.len() / 2].1;
        let (minute, day) = (&middle[..16], &middle[..10]);
        let found = |session: &mut Session, filter: String| ids(&list(session, query(&filter)).rows);
        let expected = |holds: &dyn Fn(&str) -> bool| {
            starts.iter().filter(|(_, start)| holds(start)).map(|(id, _)| id.clone()).collect::<BTreeSet<String>>()
        };
        assert_eq!(found(&mut session, format!("start>{minute}")), expected(&|start| start > minute));
        assert_eq!(found(&mut session, format!("start<{minute}")), expected(&|start| start < minute));
        assert_eq!(found(&mut session, format!("start:{minute}")), expected(&|start| start.starts_with(minute)));
        assert_eq!(found(&mut session, format!("start:{day}")), expected(&|start| start.starts_with(day)));
        assert_eq!(found(&mut session, format!("start:{}", &middle[..26])), expected(&|start| start.starts_with(&middle[..26])));
    }
}

#[test]
fn tokens_compare_as_the_list_shows_them_and_unknown_ones_never_do() {
    for file in [AGENT, METRICS] {
        let mut session = open(file);
        let all = list(&mut session, query("")).rows;
        type Sum = fn(&TraceRow) -> Option<u64>;
        let sums: [(&str, Sum); 3] = [
            ("tokens", |row| row.tokens?.total),
            ("tokens.prompt", |row| row.tokens?.prompt),
            ("tokens.completion", |row| row.tokens?.completion),
        ];
        for (field, sum) in sums {
            for than in [0, 20, 60] {
                let over = list(&mut session, query(&format!("{field}>{than}"))).rows;
                let expected: Vec<TraceRow> = all.iter().filter(|row| sum(row).is_some_and(|sum| sum > than)).cloned().collect();
                assert_eq!(over, expected, "{field}>{than} in {file}");
                let others = list(&mut session, query(&format!("-{field}>{than}"))).rows;
                assert_eq!(over.len() + others.len(), all.len());
            }
        }
        assert!(!list(&mut session, query("tokens>20")).rows.is_empty());
    }
}

#[test]
fn pages_orders_and_failures_go_with_a_filter() {
    let mut session = open(METRICS);
    for order in [TraceOrder::NEWEST, TraceOrder::SLOWEST] {
        for failed_only in [false, true] {
            let of = |filter: &str| TraceQuery { order, failed_only, ..query(filter) };
            let all = list(&mut session, of(""));
            let matching = ids(&list(&mut session, query("kind:inference")).rows);
            let expected: Vec<TraceRow> = all.rows.into_iter().filter(|row| matching.contains(&row.trace_id)).collect();
            let mut paged = Vec::new();
            while paged.len() < expected.len() {
                let page = list(&mut session, TraceQuery { offset: paged.len() as u32, limit: 7, ..of("kind:inference") });
                assert_eq!(page.total, Some(expected.len() as u32));
                assert!(!page.rows.is_empty());
                paged.extend(page.rows);
            }
            assert_eq!(paged, expected);
        }
    }
}

#[test]
fn a_wrong_filter_is_refused_with_its_sentence_and_a_right_one_waits_for_the_index() {
    let mut session = unindexed(AGENT);
    assert_eq!(session.ask(ListTraces(query("error:true"))), Err(Failure::not_indexed_yet()));
    for _ in 0..2 {
        let failure = session.ask(ListTraces(query("duration>abc"))).unwrap_err();
        assert_eq!(
            (failure.kind, failure.message.as_str()),
            (FailureKind::BadRequest, "abc is not a duration; use a form such as 250ms, 2s or 1m30s.")
        );
        session.complete_index().expect("an index");
    }
}

#[test]
fn the_documented_examples_match_as_many_traces_as_documented() {
    let mut session = open(AGENT);
    let text = include_str!("../../../docs/filter.md");
    let mut checked = 0;
    for line in text.lines() {
        let mut cells = line.split('|').map(str::trim);
        let (Some(""), Some(filter), Some(count)) = (cells.next(), cells.next(), cells.next()) else { continue };
        let (Some(filter), Ok(count)) = (filter.strip_prefix('`').and_then(|filter| filter.strip_suffix('`')), count.parse::<u32>()) else {
            continue;
        };
        assert_eq!(list(&mut session, query(filter)).total, Some(count), "{filter}");
        checked += 1;
    }
    assert_eq!(checked, 10);
}

#[test]
fn the_documented_fields_are_those_of_the_language() {
    let text = include_str!("../../../docs/filter.md");
    let (_, section) = text.split_once("## Fields").expect("the section");
    let documented: Vec<&str> =
        section.lines().skip_while(|line| !line.starts_with("|---")).skip(1).take_while(|line| line.starts_with('|')).collect();
    let expected: Vec<String> = fields()
        .iter()
        .map(|info| {
            let names: Vec<String> = [info.name].iter().chain(info.aliases).map(|name| format!("`{name}`")).collect();
            let level = match info.level {
                FieldLevel::Span => "span",
                FieldLevel::Trace => "trace",
                FieldLevel::TraceOrSpan => "trace or span",
            };
            format!("| {} | {level} | {} | `{}` |", names.join(", "), info.meaning, info.example)
        })
        .collect();
    assert_eq!(documented, expected, "docs/filter.md should list:\n{}", expected.join("\n"));
    for kind in SpanKind::ALL {
        assert!(section.contains(kind.label()), "docs/filter.md should list the kind {}", kind.label());
    }
}

fn suggestions(session: &mut Session, text: &str) -> String {
    let cursor = text.find('|').expect("a cursor");
    let filter = text.replace('|', "");
    let request = Suggest { filter: filter.clone(), cursor: cursor as u32 };
    let Suggestions { start, end, items } = session.ask(request).expect("no suggestions");
    let mut shown = format!("{text}   ({start}..{end})\n");
    for item in items {
        let spans = item.spans.map_or(String::new(), |spans| format!("{spans} spans"));
        let line = format!("    {:<52} {:<28} {spans}", item.text, item.meaning);
        shown.push_str(line.trim_end());
        shown.push('\n');
        // Inserting a suggestion gives a valid filter, if the suggested value is complete.
        let put = format!("{}{}{}", &filter[..start as usize], item.text, &filter[end as usize..]);
        let done = if item.text.ends_with([':', '>']) { format!("{put}1") } else { put };
        if !item.text.starts_with("error") && !item.text.starts_with("kind") && !item.text.starts_with("start") {
            assert!(quipu::filter::Filter::parse(&done).is_ok(), "{done}");
        }
    }
    shown
}

#[test]
fn suggestions_come_from_the_file() {
    let mut session = open(AGENT);
    let texts = [
        "|",
        "mo|",
        "err|",
        "chat|",
        "ses|",
        "model:|",
        "model:emb|",
        "name:infer|",
        "kind:|",
        "error:|",
        "tool:|",
        "status:|",
        "service:|",
        "session:7|",
        "__class__:|",
        "{attr.error:|",
        "spans>|",
        "\"free|",
        "error:true -kind:to| name:x",
        "zzzz|",
    ];
    let shown: Vec<String> = texts.iter().map(|text| suggestions(&mut session, text)).collect();
    insta::assert_snapshot!(shown.join("\n"));
}

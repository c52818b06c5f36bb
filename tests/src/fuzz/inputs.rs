//! Generates mutated inputs from realistic data, so that they get far. Deterministic for a seed.

use crate::fixtures::{self, AGENT, EVENTS, METRICS, OLD_0_0_58, SMALL};
use crate::random::Random;
use quipu::protocol::{
    Command, GetFile, GetSheet, GetSpan, GetText, GetTrace, HitQuery, ListHits, ListTraces, Notification, Request, SetSearching,
    SheetQuery, Suggest, TextRef, TraceQuery, TraceScope,
};
use quipu::protocol::{SheetView, TraceTab};
use quipu::share::payload::{inflated, unseal};
use quipu::store::{MemorySource, NamedSource, OpenOptions};
use std::sync::OnceLock;

/// Random bytes: a script for `mutate`.
pub(super) fn bytes(random: &mut Random) -> Vec<u8> {
    let length = 2 + random.below(46);
    (0..length).map(|_| random.next_u64() as u8).collect()
}

/// A mutated attributes text or value; sometimes a random sequence of typical parts.
pub(super) fn recorded(random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "<",
        ">",
        ":",
        ", ",
        "=",
        "'",
        "\"",
        "\\",
        "\\\\",
        "\\\"",
        "\\'",
        "\\u00e9",
        "\\ud83d",
        "\\x7f",
        "\\N{DASH}",
        "b'",
        "Foo(",
        "a=",
        "None",
        "True",
        "null",
        "true",
        "nan",
        "-",
        "1e999",
        "0",
        "12",
        ".5",
        "at 0x7f",
        "\n",
        "é",
        "🚀",
        "set(",
        "'role': 'user'",
    ];
    let texts = corpus();
    let text = &texts[random.below(texts.len())];
    match random.below(4) {
        0 => soup(random, &PARTS, 40),
        _ => bent(random, text.as_bytes(), &PARTS),
    }
}

/// A list of Zipkin's spans.
const ZIPKIN: &str = r#"[{"traceId":"5af7183fb1d4cf5f","parentId":"6b221d5bc9e6496c","id":"352bff9a74ca9ad2","kind":"CLIENT","name":"get",
"timestamp":1556604172355737,"duration":1431,"localEndpoint":{"serviceName":"back","ipv4":"192.168.99.1","port":3306},"remoteEndpoint":{"serviceName":"db"},
"annotations":[{"timestamp":1556604172355999,"value":"send"}],"tags":{"http.method":"GET","error":"timed out","otel.scope.name":"io.http"},"shared":true}]"#;

/// A mutated request body; sometimes a random sequence of typical parts.
pub(super) fn import(random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 24] = [
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\n",
        "\\",
        "{\"resourceSpans\":[",
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}]}]}\n",
        "{\"data\":[{\"spans\":[",
        "\"scopeSpans\":[{\"spans\":[{",
        "\"traceId\":\"0af7651916cd43dd8448eb211c80319c\",",
        "\"spanId\":\"b7ad6b7169203331\",",
        "\"attributes\":[{\"key\":\"k\",\"value\":{\"intValue\":\"7\"}}]",
        "\"kvlistValue\":{\"values\":[]}",
        "18446744073709551615",
        "-1",
        "1e999",
        "null",
        "true",
        "\u{0}",
        "\u{a}\u{12}",
    ];
    static BODIES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    let bodies = BODIES.get_or_init(|| {
        let folder = fixtures::repository().join("tests/fixtures/otlp");
        let names = [
            "direct_0.2.23_traces.binpb",
            "direct_0.2.23_metrics.json",
            "genai_events_logs.binpb",
            "genai_messages_traces.binpb",
            "genai_messages_metrics.binpb",
        ];
        let mut bodies: Vec<Vec<u8>> = names.map(|name| std::fs::read(folder.join(name)).expect("the fixture is there")).to_vec();
        let mut json = std::fs::read(folder.join("direct_0.2.23_traces.json")).expect("the fixture is there");
        json.retain(|byte| !byte.is_ascii_whitespace());
        json.push(b'\n');
        bodies.push(json);
        bodies.push(ZIPKIN.as_bytes().to_vec());
        bodies
    });
    match random.below(4) {
        0 => soup(random, &PARTS, 40),
        _ => {
            let body = &bodies[random.below(bodies.len())];
            bent(random, body, &PARTS)
        }
    }
}

/// A mutated body in protobuf or JSON, as a program sends it.
pub(super) fn otlp(random: &mut Random) -> Vec<u8> {
    // Tags and lengths of nested messages, which say more than there is.
    const PARTS: [&str; 10] = [
        "\u{a}",
        "\u{12}",
        "\u{1a}",
        "\u{2}\u{a}",
        "\u{7f}",
        "\u{0}",
        "\u{a}\u{a}\u{a}\u{a}",
        "\"",
        "[[[[[[[[",
        "{\"a\":",
    ];
    let body = import(random);
    if random.below(2) == 0 { bent(random, &body, &PARTS) } else { body }
}

/// Pieces of PromQL in random order, or a query that nests one call many times.
pub(super) fn promql(random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 44] = [
        "m",
        "n",
        "o_bucket",
        "{",
        "}",
        "(",
        ")",
        "[5m]",
        "[1h:1ms]",
        "[1h:1s]",
        "a",
        "long",
        "le",
        "=",
        "=~",
        "!~",
        "\"1\"",
        "\".*\"",
        "\"(y|yy)*z\"",
        ",",
        "sum",
        "topk(3,",
        "quantile(0.5,",
        "count_values(\"v\",",
        " by (n) ",
        " without (a) ",
        " + ",
        " and ",
        " or ",
        " unless ",
        " on(n) ",
        " group_left(long) ",
        " offset 5m",
        " @ 60",
        "rate(",
        "max_over_time(",
        "histogram_quantile(0.9,",
        "absent(",
        "vector(",
        "time()",
        "1",
        "-1e308",
        "NaN",
        " == bool ",
    ];
    const NESTED: [(&str, &str); 6] = [
        (r#"label_join("#, r#","x","","x","long","x","long")"#),
        (r#"label_replace("#, r#","x","$0$0$0$0","long",".*")"#),
        ("max_over_time(", "[1h:10s])"),
        ("m + on(n) group_left(long) (", ")"),
        ("count_values(\"v\", ", ")"),
        ("sort_desc(topk(50, ", "))"),
    ];
    match random.below(3) {
        0 => soup(random, &PARTS, 24),
        1 => {
            let mut query = ["m", "n", "vector(1)", "rate(m[5m])"][random.below(4)].to_owned();
            for _ in 0..1 + random.below(9) {
                let (before, after) = NESTED[random.below(NESTED.len())];
                query = format!("{before}{query}{after}");
            }
            query.into_bytes()
        }
        _ => {
            let query =
                "histogram_quantile(0.9, sum by (le) (rate(o_bucket{a=~\"1|2\"}[5m]))) > on() group_left() (avg(m offset 1m) or vector(0))";
            bent(random, query.as_bytes(), &PARTS)
        }
    }
}

/// Words of the filter language in random order.
pub(super) fn filter(random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 48] = [
        "duration",
        "error",
        "name",
        "model",
        "kind",
        "session",
        "tokens",
        "spans",
        "tool",
        "start",
        "root.",
        "tokens.prompt",
        "key",
        "__autotraced__",
        ":",
        ">",
        "<",
        ">=",
        "<=",
        "=",
        "!=",
        "..",
        "2s",
        "1m30s",
        "250ms",
        "1000",
        "1e9",
        "-1",
        "true",
        "false",
        "inference",
        "2026-11-22",
        "2026-03-01T10:00:00.5",
        "\"free text\"",
        "\"",
        "\\\"",
        "'",
        "*",
        "?",
        "OR",
        "AND",
        "NOT",
        "-",
        "(",
        ")",
        "{",
        "}",
        " ",
    ];
    let mut text = String::new();
    for _ in 0..1 + random.below(14) {
        text.push_str(PARTS[random.below(PARTS.len())]);
        // Usually without blanks: a field, a colon, a value.
        if random.below(3) == 0 {
            text.push(' ');
        }
    }
    match random.below(4) {
        0 => bent(random, text.as_bytes(), &["é", "🚀", "\u{202e}", "\0", "\u{a0}", "ſ", "İ"]),
        _ => text.into_bytes(),
    }
}

/// A mutated URL fragment.
pub(super) fn address(random: &mut Random) -> Vec<u8> {
    const PARTS: [&str; 34] = [
        "#",
        "v1",
        "v2",
        "/",
        "traces",
        "trace",
        "open",
        "8e3327e51ce555d89ad68c7f54df87c9",
        "?",
        "&",
        "=",
        "filter",
        "show",
        "failed",
        "sort",
        "slowest",
        "times",
        "local",
        "span",
        "find",
        "from",
        "to",
        "window",
        "1~2",
        "file",
        "size",
        "sample",
        "agent",
        "%20",
        "%",
        "%e2%82",
        "12",
        "18446744073709551615",
        "hits",
    ];
    let real = "#v2/trace/8e33?span=9cc0&find=a%20b&window=10~20&filter=error%3Atrue&list=hits&sort=slowest&file=a.db&size=12";
    if random.below(2) == 0 { soup(random, &PARTS, 24) } else { bent(random, real.as_bytes(), &PARTS) }
}

/// A mutated message with its kind in front.
pub(super) fn message(random: &mut Random) -> Vec<u8> {
    let messages = messages();
    let (kind, bytes) = &messages[random.below(messages.len())];
    let parts = ["\0", "\u{1}", "\u{7f}", "\u{80}", "\u{fff}"];
    let bytes = if random.below(8) == 0 { bytes.clone() } else { bent(random, bytes, &parts) };
    [&[*kind], bytes.as_slice()].concat()
}

/// Mutated columns of a real trace.
pub(super) fn link(random: &mut Random) -> Vec<u8> {
    static COLUMNS: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let links = [
        include_str!("../../fixtures/links/agent_v1.txt"),
        include_str!("../../fixtures/links/langgraph_v2.txt"),
    ];
    let columns =
        COLUMNS.get_or_init(|| links.map(|letters| unseal(letters).and_then(|(_, body)| inflated(&body)).expect("the fixture is a link")));
    let chosen = random.below(columns.len());
    bent(random, &columns[chosen], &["\0", "\u{1}", "\u{2}", "\u{7f}", "\u{fff}", "0000"])
}

/// A random sequence of parts.
fn soup(random: &mut Random, parts: &[&str], most: usize) -> Vec<u8> {
    let count = 1 + random.below(most);
    (0..count).flat_map(|_| parts[random.below(parts.len())].bytes()).collect()
}

/// Bytes with random parts removed, doubled, replaced or inserted.
fn bent(random: &mut Random, bytes: &[u8], parts: &[&str]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len() + 1);
        let end = (at + 1 + random.below(12)).min(bytes.len());
        match random.below(6) {
            0 => drop(bytes.drain(at.min(end)..end)),
            1 => bytes.truncate(at),
            2 => {
                let doubled = bytes[at.min(end)..end].to_vec();
                bytes.splice(at.min(end)..at.min(end), doubled);
            }
            3 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte = random.next_u64() as u8;
                }
            }
            _ => {
                let part = parts[random.below(parts.len())];
                bytes.splice(at..at, part.bytes());
            }
        }
    }
    bytes
}

/// Attributes texts of several releases, and the values in them.
fn corpus() -> &'static [String] {
    static CORPUS: OnceLock<Vec<String>> = OnceLock::new();
    CORPUS.get_or_init(|| {
        let mut texts = Vec::new();
        for fixture in [AGENT, METRICS, EVENTS, SMALL, OLD_0_0_58] {
            let Ok((_scratch, connection)) = fixture.open() else { continue };
            // Distinct ones, short enough for mutations to matter.
            let sql = "SELECT DISTINCT text FROM (SELECT attributes AS text FROM spans UNION ALL SELECT attributes FROM span_events
                       UNION ALL SELECT value FROM spans, json_each(spans.attributes) WHERE type = 'text')
                       WHERE length(text) BETWEEN 2 AND 1500 ORDER BY text";
            texts.extend(fixtures::texts(&connection, sql).unwrap_or_default());
        }
        assert!(texts.len() > 300, "the fixtures have texts");
        texts
    })
}

/// Messages as they go over the wire, with the kind in front: 0 for commands, 1 for notifications.
fn messages() -> &'static [(u8, Vec<u8>)] {
    static MESSAGES: OnceLock<Vec<(u8, Vec<u8>)>> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let list = TraceQuery { filter: "error:true".to_owned(), limit: 9, ..TraceQuery::default() };
        let list = ListTraces(list);
        let mut requests: Vec<Request> = vec![
            GetFile.into(),
            list.clone().into(),
            GetText(TextRef::SpanAttribute { rowid: 7, key: Some("input".to_owned()) }).into(),
            Suggest { filter: "err".to_owned(), cursor: 3 }.into(),
            ListHits(HitQuery { filter: "\"a\"".to_owned(), trace_id: None, offset: 0, limit: 5 }).into(),
            SetSearching(true).into(),
        ];
        let bytes = std::fs::read(EVENTS.path()).unwrap_or_default();
        let file = NamedSource { name: "events.db".to_owned(), source: Box::new(MemorySource(bytes)) };
        let mut session = quipu::Session::open(vec![file], OpenOptions::with_clock(|| 0)).expect("a fixture opens");
        while !session.step(&mut || false).expect("a fixture is read").done {}
        let page = session.ask(list).expect("a list");
        for row in page.rows.iter().take(3) {
            let trace = GetTrace { trace_id: row.trace_id.clone(), scope: Default::default() };
            requests.push(trace.clone().into());
            let Ok(columns) = session.ask(trace) else { continue };
            let span_id = columns.span_id.get(0).unwrap_or_default();
            requests.push(GetSpan { trace_id: row.trace_id.clone(), span_id }.into());
            requests.extend([TraceTab::Conversation, TraceTab::Logs].map(|tab| {
                let trace_id = row.trace_id.clone();
                let view = SheetView::default();
                GetSheet(SheetQuery {
                    trace_id,
                    tab,
                    view,
                    scope: TraceScope::default(),
                    window: None,
                    find: String::new(),
                    span_id: None,
                    width: 800,
                })
                .into()
            }));
        }
        let mut messages = Vec::new();
        for request in requests {
            let result = session.handle(request.clone());
            messages.push((0, postcard::to_stdvec(&Command::Ask(request)).expect("a command can be written")));
            messages.push((1, postcard::to_stdvec(&Notification::Reply { id: 3, result }).expect("a notification can be written")));
        }
        messages
    })
}

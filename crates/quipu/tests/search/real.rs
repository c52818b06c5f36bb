//! Full-text search over real files of ten releases, against the plain search.

use super::*;
use quipu::protocol::{ListTraces, MatchPlace, TraceQuery};
use rusqlite::Connection;

fn with_plain(name: &str) -> Vec<plain::PlainSpan> {
    let copy = std::env::temp_dir().join(format!("quipu-search-{}-{}", std::process::id(), name.replace('/', "-")));
    std::fs::write(&copy, bytes_of(name)).expect("a copy");
    let spans = plain::read(&copy);
    std::fs::remove_file(copy).expect("the copy goes away");
    spans
}

#[test]
fn words_of_every_file_are_found_where_a_plain_search_finds_them() {
    let (mut searched, mut other_scripts) = (0, 0);
    for name in FILES {
        let spans = with_plain(name);
        let mut session = open(name);
        for word in plain::words(&spans) {
            let expected = plain::hits(&spans, &word);
            assert!(!expected.is_empty(), "{name} {word}");
            assert_eq!(hits(&mut session, &word), expected, "{name} {word}");
            searched += 1;
            other_scripts += usize::from(!word.is_ascii());
        }
        assert_eq!(hits(&mut session, "no such words in any file"), [""; 0]);
    }
    assert!(searched > 200 && other_scripts > 5, "{searched} words, {other_scripts} of them not ASCII");
}

#[test]
fn names_inputs_outputs_errors_and_log_messages_are_searched() {
    let name = "samples/metrics_0.2.23.db";
    let connection = Connection::open_with_flags(path(name), rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY).expect("it opens");
    let one = |sql: &str| -> String { connection.query_row(sql, [], |row| row.get(0)).expect("there is one") };
    let mut session = open(name);
    for (sql, place) in [
        ("SELECT span_id FROM spans WHERE name LIKE '%chat%completion%' ORDER BY rowid DESC LIMIT 1", "completion"),
        ("SELECT span_id FROM spans WHERE json_extract(attributes, '$.error') LIKE '%not found%' ORDER BY rowid DESC LIMIT 1", "not found"),
        ("SELECT span_id FROM span_events WHERE name = 'metric.prompt_tokens' ORDER BY id DESC LIMIT 1", "metric.prompt_tokens"),
        ("SELECT span_id FROM span_events WHERE attributes LIKE '%Error executing endpoint%' ORDER BY id DESC LIMIT 1", "Error executing"),
    ] {
        assert!(hits(&mut session, place).contains(&one(sql)), "{place}");
    }
}

#[test]
fn a_hit_comes_with_its_first_match_and_where_else_there_is_one() {
    let mut session = open("samples/agent_0.2.15.db");
    let mut report = String::new();
    for text in ["BRAVE_search", "zürich", "Error in", "session_id"] {
        hits(&mut session, text);
        let page = page(&mut session, text, None, 0);
        report.push_str(&format!("{text}: {} hits\n", page.so_far));
        for hit in page.hits.iter().take(3) {
            let SpanMatch { place, before, matched, after } = &hit.first;
            report.push_str(&format!("  {} {place:?} +{}: {before}[{matched}]{after}\n", hit.name, hit.more));
        }
    }
    insta::assert_snapshot!(report);
}

#[test]
fn matches_are_in_the_order_of_the_span_panel() {
    let bytes = changed(
        "samples/agent_0.2.15.db",
        r#"UPDATE spans SET name = 'llama.run', attributes = json_object('Llama', 1, 'text', 'a llama and a LLAMA',
             'args', '{''content'': "it''s a ll\xe4ma,\nLLAMA\ttoo"}', 'odd', json('["llama", 2]'), 'none', 'alpaca') WHERE rowid = 5;
           DELETE FROM span_events WHERE span_id = (SELECT span_id FROM spans WHERE rowid = 5);
           INSERT INTO span_events (span_id, name, timestamp, attributes) SELECT span_id, 'late', '2026-11-22T20:00:02+00:00', '{"message": "llama two"}' FROM spans WHERE rowid = 5;
           INSERT INTO span_events (span_id, name, timestamp, attributes) SELECT span_id, 'llama.early', '2026-11-22T20:00:01+00:00', '{"message": "one"}' FROM spans WHERE rowid = 5;"#,
    );
    let mut session = open_bytes(bytes);
    hits(&mut session, "llama.run");
    let hit = page(&mut session, "llama.run", None, 0).hits.remove(0);
    let found = find(&mut session, &hit.trace_id, &hit.span_id, "llama");
    let report: Vec<String> =
        found.iter().map(|found| format!("{:?}: {}[{}]{}", found.place, found.before, found.matched, found.after)).collect();
    insta::assert_snapshot!(report.join("\n"));
    assert_eq!(hits(&mut session, "LLÄMA"), std::slice::from_ref(&hit.span_id));
    assert_eq!(find(&mut session, &hit.trace_id, &hit.span_id, "zebra"), []);
    assert_eq!(find(&mut session, &hit.trace_id, &hit.span_id, "Alpaca").len(), 1);
    assert_eq!(find(&mut session, &hit.trace_id, &hit.span_id, "alpaca")[0].place, MatchPlace::Attribute("none".into()));
    assert_eq!(find(&mut session, &hit.trace_id, &hit.span_id, ""), []);
}

#[test]
fn every_hit_shows_its_match() {
    for name in FILES {
        let mut session = open(name);
        for text in ["a", "llama", "\\", "\"", "{'"] {
            hits(&mut session, text);
            for hit in page(&mut session, text, None, 0).hits {
                assert_eq!(hit.first.matched.to_lowercase(), text, "{name} {}", hit.span_id);
                let found = find(&mut session, &hit.trace_id, &hit.span_id, text);
                assert_eq!(found.first(), Some(&hit.first), "{name} {}", hit.span_id);
            }
        }
    }
}

#[test]
fn only_traces_the_filter_matches_have_hits() {
    let mut session = open("samples/agent_0.2.15.db");
    let list = |session: &mut Session, filter: &str| {
        let query = HitQuery { filter: filter.into(), trace_id: None, offset: 0, limit: 200 };
        session.ask(ListHits(query.clone())).expect("it is understood");
        session.run_search().expect("the file is readable");
        session.ask(ListHits(query)).expect("an answer")
    };
    let all = list(&mut session, "\"inference\"");
    let failed = list(&mut session, "\"inference\" error:true");
    assert!(failed.total < all.total && failed.total > Some(0), "{:?} of {:?}", failed.total, all.total);
    let query = TraceQuery { failed_only: true, limit: 1_000, ..TraceQuery::default() };
    let traces = session.ask(ListTraces(query)).expect("traces");
    assert!(failed.hits.iter().all(|hit| traces.rows.iter().any(|row| row.trace_id == hit.trace_id)));
}

use super::*;
use crate::Scratch;
use crate::fixtures::{self, AGENT, Fixture, METRICS, OLD_0_0_58, number, texts};
use rusqlite::Connection;

fn grown(fixture: Fixture, shape: Shape, attribute_bytes: Option<usize>) -> Result<(Scratch, Connection, Grown)> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("grown.db");
    let grown = grow(&Plan { sources: vec![fixture.path()], shape, attribute_bytes, seed: 7 }, &path)?;
    let connection = Connection::open(&path)?;
    let counted = |table: &str| Ok::<_, anyhow::Error>(number(&connection, &format!("SELECT count(*) FROM {table}"))? as u64);
    assert_eq!((grown.traces, grown.spans, grown.events), (counted("traces")?, counted("spans")?, counted("span_events")?));
    assert_eq!(texts(&connection, "PRAGMA integrity_check")?, ["ok"]);
    Ok((scratch, connection, grown))
}

#[test]
fn a_grown_file_has_the_schema_and_the_proportions_of_its_source() -> Result<()> {
    for fixture in [AGENT, METRICS, OLD_0_0_58] {
        let (_source_scratch, source) = fixture.open()?;
        let count = |table: &str| number(&source, &format!("SELECT count(*) FROM {table}"));
        let (traces, spans, events) = (count("traces")?, count("spans")?, count("span_events")?);
        let (_scratch, connection, grown) = grown(fixture, Shape::Spans(spans as u64 * 3), None)?;
        assert_eq!((grown.traces, grown.spans, grown.events), (traces as u64 * 3, spans as u64 * 3, events as u64 * 3));
        for sql in [
            "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name",
            "SELECT DISTINCT name FROM spans ORDER BY 1",
        ] {
            assert_eq!(texts(&connection, sql)?, texts(&source, sql)?, "{}", fixture.name);
        }
        // Independent of words: the same spans fail, and lengths of values agree within a tenth.
        let failed = "SELECT count(*) FROM spans WHERE status = 'ERROR' OR json_extract(attributes, '$.error') IS NOT NULL";
        assert_eq!(number(&connection, failed)?, number(&source, failed)? * 3);
        let bytes = "SELECT sum(length(attributes)) FROM spans";
        let (grown, expected) = (number(&connection, bytes)?, number(&source, bytes)? * 3);
        assert!((grown - expected).abs() * 10 < expected, "{grown} for {expected}");
    }
    Ok(())
}

#[test]
fn every_copy_has_ids_and_sessions_of_its_own_and_parents_resolve_as_in_the_source() -> Result<()> {
    let (_source_scratch, source) = AGENT.open()?;
    let (_scratch, connection, _) = grown(AGENT, Shape::Spans(434 * 4), None)?;
    let sessions = "SELECT count(DISTINCT json_extract(attributes, '$.session_id')) FROM spans";
    assert_eq!(number(&connection, sessions)?, number(&source, sessions)? * 4);
    for sql in [
        "SELECT count(*) FROM spans JOIN spans AS above ON above.span_id = spans.parent_span_id AND above.trace_id = spans.trace_id",
        "SELECT count(*) FROM traces JOIN spans ON spans.span_id = traces.root_span_id AND spans.trace_id = traces.trace_id",
        "SELECT count(*) FROM span_events JOIN spans USING (span_id)",
        // The path and the attribute contain the same session.
        "SELECT count(*) FROM spans WHERE instr(json_extract(attributes, '$.raw_path'), json_extract(attributes, '$.session_id'))",
    ] {
        assert_eq!(number(&connection, sql)?, number(&source, sql)? * 4, "{sql}");
        assert!(number(&source, sql)? > 5, "{sql}");
    }
    let kept = "SELECT span_id FROM spans UNION SELECT trace_id FROM traces";
    let old: std::collections::HashSet<String> = texts(&source, kept)?.into_iter().collect();
    assert!(texts(&connection, kept)?.iter().all(|id| !old.contains(id)));
    Ok(())
}

#[test]
fn values_differ_between_copies_and_stay_json() -> Result<()> {
    let (_scratch, connection, _) = grown(AGENT, Shape::Spans(434 * 4), None)?;
    assert_eq!(number(&connection, "SELECT count(*) FROM spans WHERE NOT json_valid(attributes)")?, 0);
    let inputs =
        "SELECT count(DISTINCT json_extract(attributes, '$.input')) * 10 >= count(json_extract(attributes, '$.input')) * 7 FROM spans";
    assert_eq!(number(&connection, inputs)?, 1, "most inputs occur once");
    assert!(number(&connection, "SELECT count(*) FROM spans WHERE instr(json_extract(attributes, '$.input'), '河流')")? > 0);
    // An input is nested JSON.
    let nested = "SELECT count(*) FROM spans WHERE name = 'inference' AND NOT json_valid(json_extract(attributes, '$.input'))";
    assert_eq!(number(&connection, nested)?, 0);
    Ok(())
}

#[test]
fn times_move_on_over_days_and_children_stay_within_their_parents() -> Result<()> {
    let (_source_scratch, source) = AGENT.open()?;
    let (_scratch, connection, _) = grown(AGENT, Shape::Spans(20_000), None)?;
    let days = "SELECT CAST(julianday(max(start_time)) - julianday(min(start_time)) AS INTEGER) * 24 + 24 FROM spans";
    assert!((6..=48).contains(&number(&connection, days)?), "{}", number(&connection, days)?);
    let outside =
        "SELECT count(*) * 1000 / (SELECT count(*) FROM spans) FROM spans JOIN spans AS above ON above.span_id = spans.parent_span_id
                   WHERE spans.start_time < above.start_time OR spans.end_time > above.end_time";
    assert_eq!(number(&connection, outside)?, number(&source, outside)?);
    let long = "SELECT count(*) FROM traces WHERE julianday(end_time) - julianday(start_time) > 2.0 / 86400";
    assert!(number(&connection, long)? > 20);
    Ok(())
}

#[test]
fn one_trace_holds_every_span_below_one_root() -> Result<()> {
    for spans in [1, 100, 1_000] {
        let (_scratch, connection, grown) = grown(AGENT, Shape::OneTrace(spans), None)?;
        assert_eq!((grown.spans, grown.traces), (spans, 1));
        let reached = "WITH RECURSIVE below(id) AS (SELECT root_span_id FROM traces UNION ALL
                       SELECT span_id FROM spans JOIN below ON parent_span_id = below.id) SELECT count(*) FROM below";
        assert_eq!(number(&connection, reached)? as u64, spans);
        let within = "SELECT count(*) FROM spans JOIN traces USING (trace_id) WHERE spans.start_time >= traces.start_time AND spans.end_time <= traces.end_time";
        assert_eq!(number(&connection, within)? as u64, spans);
    }
    Ok(())
}

#[test]
fn a_deep_trace_is_a_chain_in_which_every_span_lies_within_its_parent() -> Result<()> {
    let (_scratch, connection, grown) = grown(AGENT, Shape::Deep(700), None)?;
    assert_eq!((grown.spans, grown.traces), (700, 1));
    let depth = "WITH RECURSIVE chain(id, depth) AS (SELECT root_span_id, 1 FROM traces UNION ALL
                 SELECT span_id, depth + 1 FROM spans JOIN chain ON parent_span_id = chain.id) SELECT max(depth) FROM chain";
    assert_eq!(number(&connection, depth)?, 700);
    let nested = "SELECT count(*) FROM spans JOIN spans AS above ON above.span_id = spans.parent_span_id
                  WHERE spans.start_time > above.start_time AND spans.end_time < above.end_time AND spans.start_time <= spans.end_time";
    assert_eq!(number(&connection, nested)?, 699);
    Ok(())
}

#[test]
fn a_huge_attribute_is_a_text_of_that_size_in_a_trace_of_its_own() -> Result<()> {
    let (_scratch, connection, grown) = grown(AGENT, Shape::Once, Some(1_000_000))?;
    assert_eq!((grown.spans, grown.traces), (435, 57));
    let longest = "SELECT max(length(attributes)) FROM spans";
    assert!((1_000_000..1_001_000).contains(&number(&connection, longest)?), "{}", number(&connection, longest)?);
    let valid = "SELECT json_valid(json_extract(attributes, '$.input')) FROM spans ORDER BY length(attributes) DESC LIMIT 1";
    assert_eq!(number(&connection, valid)?, 1);
    Ok(())
}

#[test]
fn the_same_plan_gives_the_same_bytes_and_another_seed_others() -> Result<()> {
    let scratch = Scratch::new()?;
    let make = |seed, name: &str| -> Result<Vec<u8>> {
        let path = scratch.path().join(name);
        let plan = Plan { sources: vec![AGENT.path(), METRICS.path()], shape: Shape::Bytes(3_000_000), attribute_bytes: None, seed };
        let grown = grow(&plan, &path)?;
        assert!((3_000_000..4_500_000).contains(&grown.bytes), "{}", grown.bytes);
        Ok(std::fs::read(path)?)
    };
    let first = make(1, "first.db")?;
    assert!(first == make(1, "again.db")?);
    assert!(first != make(2, "other.db")?);
    Ok(())
}

#[test]
fn a_source_without_traces_is_told() -> Result<()> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("empty.db");
    let (_source_scratch, source) = fixtures::SMALL.open()?;
    let connection = Connection::open(&path)?;
    for sql in texts(&source, "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%'")? {
        connection.execute_batch(&sql)?;
    }
    drop(connection);
    let plan = Plan { sources: vec![path], shape: Shape::Spans(10), attribute_bytes: None, seed: 1 };
    let error = grow(&plan, &scratch.path().join("grown.db")).unwrap_err();
    assert!(error.to_string().contains("nothing to repeat"), "{error}");
    Ok(())
}

#[test]
fn quipu_opens_a_grown_file_and_finds_nothing_lost_in_it() -> Result<()> {
    let scratch = Scratch::new()?;
    let path = scratch.path().join("grown.db");
    let plan = Plan { sources: vec![AGENT.path(), METRICS.path()], shape: Shape::Spans(5_000), attribute_bytes: Some(100_000), seed: 3 };
    let grown = grow(&plan, &path)?;
    let source = Box::new(quipu::store::MemorySource(std::fs::read(&path)?));
    let file = quipu::store::NamedSource { name: "grown.db".into(), source };
    let mut session = quipu::Session::open(vec![file], quipu::store::OpenOptions::with_clock(|| 0))?;
    while !session.step(&mut || false)?.done {}
    let file = session.ask(quipu::protocol::GetFile)?;
    assert_eq!((file.spans, file.events, file.traces), (Some(grown.spans), Some(grown.events), Some(grown.traces)));
    assert!(file.warnings.iter().all(|warning| warning.kind != quipu::protocol::WarningKind::Corrupt), "{:?}", file.warnings);
    Ok(())
}

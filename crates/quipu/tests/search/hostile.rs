//! Damaged files are searched as far as they can be read.

use super::*;
use quipu::protocol::FindInSpan;

#[test]
fn bytes_flipped_at_60_places_are_searched_without_a_panic() {
    let whole = bytes_of("samples/agent_0.2.15.db");
    let all = hits(&mut open_bytes(whole.clone()), "inference").len();
    let mut seed = 7_u64;
    let (mut complete, mut partial) = (0, 0);
    for round in 0..60 {
        let mut bytes = whole.clone();
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        // Most of a file is text; every other time the header of a page is hit, which makes its rows unreadable.
        let anywhere = (seed >> 20) as usize % (bytes.len() - 16);
        let at = if round % 2 == 0 { anywhere } else { anywhere & !0xfff };
        for byte in &mut bytes[at..at + 1 + (seed as usize & 7)] {
            *byte ^= (seed >> 12) as u8 | 1;
        }
        let file = NamedSource { name: "some.db".into(), source: Box::new(MemorySource(bytes)) };
        let Ok(mut session) = Session::open(vec![file], OpenOptions::with_clock(|| 0)) else { continue };
        while session.step(&mut || false).is_ok_and(|progress| !progress.done) {}
        let query = HitQuery { filter: quoted("inference"), trace_id: None, offset: 0, limit: 200 };
        if session.ask(ListHits(query.clone())).is_err() {
            continue;
        }
        session.run_search().expect("damage is passed over");
        let Ok(page) = session.ask(ListHits(query)) else { continue };
        for hit in &page.hits {
            let _ = session.ask(FindInSpan { trace_id: hit.trace_id.clone(), span_id: hit.span_id.clone(), text: "inference".into() });
        }
        if page.total == Some(all as u32) { complete += 1 } else { partial += 1 }
    }
    assert!(complete > 20 && partial > 0, "{complete} complete, {partial} with other hits");
}

#[test]
fn a_value_of_20_mb_is_searched_and_its_matches_are_cut() {
    let bytes = changed(
        "samples/agent_0.2.15.db",
        "UPDATE spans SET attributes = json_object('large', replace(hex(zeroblob(4000000)), '00', 'needle '), 'end', 'Haystack') WHERE rowid = 1;",
    );
    let mut session = open_bytes(bytes);
    assert_eq!(hits(&mut session, "HAYSTACK").len(), 1);
    let found = hits(&mut session, "needle");
    let hit = page(&mut session, "needle", None, 0).hits.remove(0);
    assert_eq!(found, std::slice::from_ref(&hit.span_id));
    let matches = find(&mut session, &hit.trace_id, &hit.span_id, "needle");
    assert_eq!(matches.len(), 200);
    assert!(matches.iter().all(|found| found.before.chars().count() <= 61 && found.after.chars().count() <= 121));
}

#[test]
fn unusual_columns_and_attributes_that_are_not_json_are_searched_as_text() {
    let bytes = changed(
        "samples/agent_0.2.15.db",
        "DROP TABLE span_events; UPDATE spans SET attributes = 'no JSON but words' WHERE rowid = 3;
         UPDATE spans SET attributes = x'ff6e6f204a534f4e' WHERE rowid = 4; UPDATE spans SET name = NULL WHERE rowid = 5;
         UPDATE spans SET attributes = NULL WHERE rowid = 6; UPDATE spans SET attributes = 12345678 WHERE rowid = 7;",
    );
    let mut session = open_bytes(bytes);
    assert_eq!(hits(&mut session, "no json").len(), 2);
    assert_eq!(hits(&mut session, "JSON but").len(), 1);
    let hit = page(&mut session, "JSON but", None, 0).hits.remove(0);
    assert_eq!((hit.first.before.as_str(), hit.first.after.as_str()), ("no ", " words"));
}

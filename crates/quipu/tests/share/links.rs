//! Links to real traces, and links made by earlier versions.

use crate::support::{open, path};
use quipu::Selection;
use quipu::model::Recording;
use quipu::protocol::RedactOptions;
use quipu::share::payload::{Form, deflated, inflated, pack, seal, unpack, unseal};
use quipu::share::redact;

const FILES: [&str; 6] = [
    "samples/agent_0.2.15.db",
    "samples/metrics_0.2.23.db",
    "tests/fixtures/db/real_events.db",
    "tests/fixtures/db/real_old_0.0.58.db",
    "tests/fixtures/db/real_old_0.1.8.db",
    "tests/fixtures/db/real_old_0.2.11.db",
];

fn recording(name: &str, selection: Selection<'_>) -> Recording {
    open(name).recording(selection, usize::MAX).expect("rows")
}

fn link(recording: &Recording) -> String {
    seal(&deflated(&pack(recording)), Form::Deflated)
}

fn opened(letters: &str) -> Recording {
    let (form, body) = unseal(letters).expect("a link");
    assert_eq!(form, Form::Deflated);
    unpack(&inflated(&body).expect("deflate")).expect("columns")
}

#[test]
fn whole_files_go_through_a_link_to_the_byte() {
    for name in FILES {
        let rows = recording(name, Selection::All);
        assert!(!rows.spans.is_empty());
        assert_eq!(opened(&link(&rows)), rows, "{name}");
        let (bare, _) = redact(&rows, RedactOptions::STRUCTURE);
        assert_eq!(opened(&link(&bare)), bare, "{name}");
    }
}

#[test]
fn an_agent_trace_of_a_hundred_spans_fits_where_links_go() {
    // Two turns with tools, shields and retrieval, and a third: 44, 44 and 12 spans.
    let ids = [
        "cf1ea0dfb2d5602e420e32e4b45b6044",
        "2f9a4ba80c29f84a42f94e54749e2748",
        "9d9988f2a09d01bcfadbb95542f73108",
    ]
    .map(str::to_owned);
    let rows = recording(FILES[0], Selection::Traces(&ids));
    assert_eq!(rows.spans.len(), 100);
    let whole = link(&rows).len();
    let structure = link(&redact(&rows, RedactOptions::STRUCTURE).0).len();
    println!("100 spans: {whole} letters with prompts, {structure} as structure and timing");
    assert!(whole <= 32 * 1024, "{whole} letters with prompts");
    assert!(structure <= 4 * 1024, "{structure} letters as structure and timing");
}

#[test]
fn a_link_of_version_1_opens_for_ever() {
    // Never regenerate this link: it represents all links that users have kept.
    let ids = ["9d9988f2a09d01bcfadbb95542f73108".to_owned()];
    let letters = std::fs::read_to_string(path("tests/fixtures/links/agent_v1.txt")).expect("the fixture");
    assert_eq!(opened(&letters), recording(FILES[0], Selection::Traces(&ids)));
}

//! Which file an address means.

use crate::fake::file;
use quipu_protocol::address::Source;
use quipu_web_actions::{VisitFiles, means};

#[test]
fn an_address_may_leave_out_the_size() {
    let without_size = Source::File { name: "agent.db".into(), size_bytes: None };
    assert!(means(&without_size, &file("agent.db", 10)));
    assert!(!means(&file("agent.db", 10), &without_size));
    assert!(!means(&file("agent.db", 10), &file("agent.db", 20)));
    assert!(!means(&without_size, &file("other.db", 10)));
}

#[test]
fn a_file_may_grow_many_times() {
    let mut files = VisitFiles::default();
    for size in [20, 30, 40] {
        files.take_for(file("agent.db", size - 10), file("agent.db", size));
    }
    files.remember(file("agent.db", 40), vec![4]);
    for size in [10, 20, 30, 40] {
        assert_eq!(files.known(&file("agent.db", size)), Some((file("agent.db", 40), vec![4])), "{size}");
    }
}

#[test]
fn only_an_empty_page_accepts_a_file_of_another_size() {
    let mut files = VisitFiles::default();
    let (named, given) = (file("agent.db", 10), file("agent.db", 20));
    assert!(files.was_awaited(&named, &given, true));
    assert!(!files.was_awaited(&named, &given, false));
    assert!(!files.was_awaited(&named, &file("other.db", 20), true));
    // The file of the address is known: the other one is another file.
    files.remember(named.clone(), vec![1]);
    assert!(!files.was_awaited(&named, &given, true));
}

//! `quipu up`: what is received is shown by the same process.

use crate::support::{Collecting, JSON, count, quipu};
use crate::surroundings::span;
use quipu_tests::Scratch;
use std::time::{Duration, Instant};

#[test]
fn what_is_received_is_in_the_users_folder_and_on_the_page() {
    let folder = Scratch::new().expect("a folder");
    let mut command = quipu();
    command.args(["up", "--listen", "127.0.0.1:0", "--page", "127.0.0.1:0", "--no-open"]);
    // Where Linux and macOS have the user's data.
    command.env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path());
    let mut up = Collecting::run(command);
    let said = up.says();
    let page = said.trim().split_once(" on http://").and_then(|(_, rest)| rest.strip_suffix('/')).expect("an address").to_owned();
    let shown = |path: &str| {
        let mut stream = std::net::TcpStream::connect(&page).expect("it listens");
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: {page}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{{}}"
        );
        std::io::Write::write_all(&mut stream, head.as_bytes()).expect("sent");
        crate::support::answer(stream).text()
    };
    assert!(!shown("/v1/telemetry/traces").contains("0af7651916cd43dd8448eb21"));
    for id in 0..20 {
        assert_eq!(up.post("/v1/traces", &[JSON], &span(id, "a step")).status, 200);
        let (began, trace) = (Instant::now(), format!("0af7651916cd43dd8448eb21{id:08x}"));
        while !shown("/v1/telemetry/traces").contains(&trace) {
            assert!(began.elapsed() < Duration::from_secs(20), "{trace} is not shown");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
    up.end();
    let db = folder.path().join("quipu/telemetry.db");
    let db = if db.exists() { db } else { folder.path().join("Library/Application Support/quipu/telemetry.db") };
    assert_eq!(count(&db, "SELECT count(*) FROM spans"), 20);
    assert_eq!(crate::support::rows(&db, "PRAGMA integrity_check"), [["ok"]]);
}

#[test]
fn a_page_that_cant_be_served_is_told_and_nothing_goes_on() {
    let folder = Scratch::new().expect("a folder");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let page = taken.local_addr().expect("bound").to_string();
    let mut command = quipu();
    command.args(["up", "--listen", "127.0.0.1:0", "--no-open", "--page", &page, "--db"]).arg(folder.path().join("x.db"));
    let output = command.output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.code() == Some(1) && said.contains("--page") && said.contains(&format!("Another program listens on {page}")),
        "{said}"
    );
}

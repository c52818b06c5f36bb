//! Files of other formats through the command: what it says of them, and what leaves again.

use super::command::{Folder, refused, run, said, said_twice, text};

/// Three spans without attributes, children first.
const CHILDREN_FIRST: &str = r#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}},{"key":"telemetry.sdk.name","value":{"stringValue":"opentelemetry"}},{"key":"telemetry.sdk.language","value":{"stringValue":"python"}},{"key":"telemetry.sdk.version","value":{"stringValue":"1.38.0"}}]},"scopeSpans":[{"scope":{"name":"httpx","version":"0.59"},"spans":[
{"traceId":"c0000000000000000000000000000019","spanId":"d000000000000003","parentSpanId":"d000000000000002","name":"grandchild","startTimeUnixNano":"1760000000200000000","endTimeUnixNano":"1760000000300000000"},
{"traceId":"c0000000000000000000000000000019","spanId":"d000000000000002","parentSpanId":"d000000000000001","name":"child","startTimeUnixNano":"1760000000100000000","endTimeUnixNano":"1760000000500000000"}]},
{"scope":{"name":"app"},"spans":[{"traceId":"c0000000000000000000000000000019","spanId":"d000000000000001","name":"root","startTimeUnixNano":"1760000000000000001","endTimeUnixNano":"1760000001000000000"}]}]}]}"#;

fn file(folder: &Folder, name: &str, content: &str) -> String {
    let path = folder.0.join(name);
    std::fs::write(&path, content.replace('\n', "")).expect("a file");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn every_export_has_the_spans_without_attributes() {
    let folder = Folder::new();
    let path = file(&folder, "spans.jsonl", CHILDREN_FIRST);
    for (format, lines) in [("jsonl", 3), ("csv", 4)] {
        let out = said(&["export", &path, "--format", format]);
        assert_eq!(out.lines().count(), lines, "{out}");
        for id in ["d000000000000001", "d000000000000002", "d000000000000003"] {
            assert!(out.contains(id), "{format}: {out}");
        }
    }
    let lines = said(&["export", &path]);
    let root: serde_json::Value = serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
    assert_eq!(root["start_time_unix_nano"], 1_760_000_000_000_000_001_u64);
    assert_eq!(root["resource"]["service.name"], "shop");
    assert_eq!(root["scope"]["name"], "app");
    // With a filter, spans without attributes are left out, and that is said.
    let (out, note) = said_twice(&["export", &path, "--max-depth", "9"]);
    assert_eq!((out.as_str(), note.starts_with("Left out: 3 spans of these traces without attributes.")), ("", true), "{note}");
}

#[test]
fn info_names_sdks_and_instrumentations_and_the_size_of_the_file() {
    let folder = Folder::new();
    let path = file(&folder, "spans.jsonl", CHILDREN_FIRST);
    let told = said(&["info", &path]);
    assert!(told.contains("written by  opentelemetry 1.38.0 (python)\n"), "{told}");
    assert!(told.contains("scopes      httpx 0.59, 2 spans; app, 1 span\n"), "{told}");
    let json: serde_json::Value = serde_json::from_str(&said(&["info", &path, "--json"])).expect("JSON");
    assert_eq!(json["sdks"][0], serde_json::json!({ "name": "opentelemetry", "version": "1.38.0", "language": "python", "spans": 3 }));
    assert_eq!(json["instrumentations"][1], serde_json::json!({ "name": "app", "version": null, "language": null, "spans": 1 }));
    assert_eq!(json["size_bytes"], CHILDREN_FIRST.replace('\n', "").len());
    // No SDK is named here, and Llama Stack has nothing to do with it.
    let zipkin = file(&folder, "z.json", r#"[{"traceId":"1","id":"2","name":"get","timestamp":1760000000000000,"duration":5}]"#);
    let told = said(&["info", &zipkin]);
    assert!(told.contains("written by  unknown: the file names no SDK\n") && !told.contains("Llama Stack"), "{told}");
}

#[test]
fn inputs_without_anything_fail_with_a_sentence() {
    let folder = Folder::new();
    for (name, content) in [
        ("blank.json", "  "),
        ("object.json", "{}"),
        ("list.json", "[]"),
        ("spans.json", r#"{"resourceSpans":[]}"#),
    ] {
        let path = file(&folder, name, content);
        for arguments in [vec!["info", &path], vec!["traces", &path]] {
            assert_eq!(run(&arguments).status.code(), Some(1));
            assert_eq!(refused(&arguments), format!("There is nothing in {name}: no span, no log record and no metric point.\n"));
        }
        let out = folder.0.join("out.db");
        let refusal = refused(&["import", &path, "--db", out.to_str().expect("a path")]);
        assert!(refusal.starts_with("There is nothing in ") && !out.exists(), "{refusal}");
    }
}

#[test]
fn what_was_read_differently_is_told() {
    let folder = Folder::new();
    let path = folder.0.join("latin1.json");
    std::fs::write(
        &path,
        CHILDREN_FIRST
            .replace('\n', "")
            .replace("shop", "caf~")
            .bytes()
            .map(|byte| if byte == b'~' { 0xe9 } else { byte })
            .collect::<Vec<_>>(),
    )
    .expect("a file");
    let path = path.to_str().expect("a path");
    let out = folder.0.join("out.db");
    let told = said(&["import", path, "--db", out.to_str().expect("a path")]);
    let at = CHILDREN_FIRST.find("shop").expect("the name") + 3;
    let sentence = format!("! latin1.json, line 1, byte {at}: it is not UTF-8, and is shown as \u{fffd}.");
    assert!(told.contains(&sentence) && said(&["info", path]).contains(&sentence), "{told}");
    let output = run(&["info", path]);
    assert!(output.status.success(), "{}", text(&output.stderr));
}

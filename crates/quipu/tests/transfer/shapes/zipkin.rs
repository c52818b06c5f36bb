//! Zipkin's JSON, as its API documentation shows it.

use super::{attribute, events, one, read, read_whole, spans};

#[test]
fn a_list_of_spans_is_read() {
    let text = r#"[[
      {"traceId":"5af7183fb1d4cf5f","parentId":"6b221d5bc9e6496c","id":"352bff9a74ca9ad2","kind":"CLIENT","name":"get /api",
       "timestamp":1556604172355737,"duration":1431,"localEndpoint":{"serviceName":"backend","ipv4":"192.168.99.1","port":3306},
       "remoteEndpoint":{"serviceName":"db","ipv4":"172.19.0.2","port":58648},
       "annotations":[{"timestamp":1556604172355999,"value":"wire send"}],
       "tags":{"http.method":"GET","error":"timed out","otel.scope.name":"io.http","otel.library.version":"1.2"}},
      {"traceId":"5af7183fb1d4cf5f","id":"6b221d5bc9e6496c","name":"get","timestamp":1556604172355000,"duration":5000,"kind":"SERVER",
       "localEndpoint":{"serviceName":"front"}}],
     [{"traceId":"463ac35c9f6413ad48485a3953bb6124","id":"48485a3953bb6124","timestamp":1556604172355737,"duration":1,"name":"other"}]]"#;
    let connection = read_whole(text);
    let trace = "00000000000000005af7183fb1d4cf5f";
    assert_eq!(
        spans(&connection),
        [
            format!("{trace} 352bff9a74ca9ad2 6b221d5bc9e6496c get /api CLIENT ERROR 1556604172355737000 1556604172357168000 backend"),
            format!("{trace} 6b221d5bc9e6496c - get SERVER UNSET 1556604172355000000 1556604172360000000 front"),
            "463ac35c9f6413ad48485a3953bb6124 48485a3953bb6124 - other - UNSET 1556604172355737000 1556604172355738000 -".to_owned(),
        ]
    );
    assert_eq!(events(&connection), ["get /api wire send 1556604172355999000 {}"]);
    for (key, value) in [
        ("http.method", "GET"),
        ("error", "timed out"),
        ("peer.service", "db"),
        ("net.peer.port", "58648"),
        ("net.host.ip", "192.168.99.1"),
    ] {
        assert_eq!(attribute(&connection, "get /api", key), value, "{key}");
    }
    assert_eq!(one(&connection, "SELECT json_extract(more, '$.status_message') FROM quipu_spans WHERE status = 2"), "timed out");
    assert_eq!(one(&connection, "SELECT scope FROM quipu_scopes WHERE scope <> '{}'"), r#"{"name": "io.http", "version": "1.2"}"#);
}

#[test]
fn both_halves_of_a_shared_span_are_kept() {
    let half = |kind: &str, service: &str, more: &str| {
        format!(
            r#"{{"traceId":"86154a4ba6e91385","id":"4d1e00c0db9010db","parentId":"86154a4ba6e91385","kind":"{kind}","name":"{kind}","timestamp":1472470996199000,"duration":207000,"localEndpoint":{{"serviceName":"{service}"}}{more}}}"#
        )
    };
    let (client, server) = (half("CLIENT", "front", ""), half("SERVER", "back", r#","shared":true"#));
    for text in [format!("[{client},{server}]"), format!("[{server},{client}]"), format!("{server}\n{client}\n")] {
        let connection = read_whole(&text);
        let found = spans(&connection);
        assert_eq!(found.len(), 2);
        assert!(found[0].contains("4d1e00c0db9010db 86154a4ba6e91385 CLIENT"), "{found:?}");
        // Below the client's half, under an id of its own.
        assert!(found[1].contains(" 4d1e00c0db9010db SERVER SERVER UNSET") && found[1].ends_with(" back"), "{found:?}");
    }
    // Without the client's half it keeps its id.
    assert!(spans(&read_whole(&format!("[{server}]")))[0].contains("4d1e00c0db9010db 86154a4ba6e91385 SERVER"));
}

#[test]
fn version_1_has_its_service_and_kind_in_annotations() {
    let text = r#"[{"traceId":"bd7a977555f6b982","id":"bd7a977555f6b982","name":"get","timestamp":1458702548467000,"duration":386000,
        "annotations":[{"timestamp":1458702548467000,"value":"sr","endpoint":{"serviceName":"zipkin-query","ipv4":"192.168.1.2","port":9411}},
                       {"timestamp":1458702548853000,"value":"ss","endpoint":{"serviceName":"zipkin-query"}}],
        "binaryAnnotations":[{"key":"http.path","value":"/api","endpoint":{"serviceName":"zipkin-query"}}]}]"#;
    let connection = read_whole(text);
    assert_eq!(
        spans(&connection),
        ["0000000000000000bd7a977555f6b982 bd7a977555f6b982 - get SERVER UNSET 1458702548467000000 1458702548853000000 zipkin-query"]
    );
    assert_eq!(attribute(&connection, "get", "http.path"), "/api");
}

#[test]
fn a_span_without_an_id_is_reported_and_the_others_are_read() {
    let (connection, report) =
        read(br#"[{"traceId":"","id":"1","name":"x"},{"traceId":"1","id":"2","name":"y","timestamp":1556604172355737}]"#);
    assert_eq!(spans(&connection), ["00000000000000000000000000000001 0000000000000002 - y - UNSET 1556604172355737000 - -"]);
    assert_eq!(report.problem_count, 1);
}

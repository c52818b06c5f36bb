//! Jaeger's JSON in the forms of its servers and stores.

use super::{attribute, events, one, read_whole, spans};

#[test]
fn data_may_be_one_trace_instead_of_a_list() {
    let trace = r#"{"traceID":"abc","spans":[
        {"traceID":"abc","spanID":"1","operationName":"root","references":[],"startTime":1760000000000000,"duration":2000,
         "tags":[{"key":"error","type":"bool","value":true}],
         "logs":[{"timestamp":1760000000000500,"fields":[{"key":"event","type":"string","value":"error"}]}],"processID":"p1"},
        {"traceID":"abc","spanID":"2","operationName":"kid","references":[{"refType":"CHILD_OF","traceID":"abc","spanID":"1"}],
         "startTime":1760000000000100,"duration":100,"tags":[],"logs":[],"processID":"p9"}],
        "processes":{"p1":{"serviceName":"svc","tags":[]}}}"#;
    let id = "00000000000000000000000000000abc";
    for text in [
        trace.to_owned(),
        format!("{{\"data\": {trace}}}"),
        format!("{{\"data\": [{trace}], \"total\": 1}}"),
        format!("[{trace}]"),
    ] {
        let connection = read_whole(&text);
        assert_eq!(
            spans(&connection),
            [
                format!("{id} 0000000000000001 - root - ERROR 1760000000000000000 1760000000002000000 svc"),
                format!("{id} 0000000000000002 0000000000000001 kid - UNSET 1760000000000100000 1760000000000200000 -"),
            ]
        );
        assert_eq!(events(&connection), ["root error 1760000000000500000 {}"]);
    }
}

#[test]
fn protobufs_json_has_times_as_text_ids_in_base64_and_a_field_for_each_type() {
    let text = r#"{"result":{"spans":[{
        "traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAI=","operationName":"get","flags":1,
        "references":[{"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAM="}],
        "startTime":"2025-10-09T08:53:20.123456789Z","duration":"0.005000001s",
        "tags":[{"key":"span.kind","vStr":"server"},{"key":"code","vType":"INT64","vInt64":"200"},
            {"key":"ratio","vType":"FLOAT64","vFloat64":0.5},{"key":"error","vType":"BOOL","vBool":true},{"key":"off","vType":"BOOL"},
            {"key":"zero","vType":"INT64"}],
        "logs":[{"timestamp":"2025-10-09T08:53:20.124Z","fields":[{"key":"event","vStr":"hit"},{"key":"n","vType":"INT64","vInt64":"7"}]}],
        "process":{"serviceName":"api","tags":[{"key":"host","vStr":"h"}]}},
      {"traceId":"AAAAAAAAAAAAAAAAAAAAAQ==","spanId":"AAAAAAAAAAM=","operationName":"root","startTime":"2025-10-09T08:53:20Z",
        "duration":"5000ns","process":{"serviceName":"api"}}]}}"#;
    let connection = read_whole(text);
    let trace = "00000000000000000000000000000001";
    assert_eq!(
        spans(&connection),
        [
            format!("{trace} 0000000000000002 0000000000000003 get SERVER ERROR 1760000000123456789 1760000000128456790 api"),
            format!("{trace} 0000000000000003 - root - UNSET 1760000000000000000 1760000000000005000 api"),
        ]
    );
    for (key, value) in [("code", "200"), ("ratio", "0.5"), ("off", "0"), ("zero", "0")] {
        assert_eq!(attribute(&connection, "get", key), value, "{key}");
    }
    assert_eq!(events(&connection), ["get hit 1760000000124000000 {\"n\": 7}"]);
}

#[test]
fn documents_of_elasticsearch_are_read_alone_and_as_hits() {
    let source = r#"{"traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"b7ad6b7169203331","flags":1,"operationName":"pay",
        "references":[{"refType":"CHILD_OF","traceID":"0af7651916cd43dd8448eb211c80319c","spanID":"00f067aa0ba902b7"}],
        "startTime":1760000000123456,"startTimeMillis":1760000000123,"duration":1500,
        "tags":[{"key":"http.status_code","type":"int64","value":"500"},{"key":"error","type":"bool","value":"true"}],
        "tag":{"http@method":"GET","span@kind":"client"},"logs":[],
        "process":{"serviceName":"shop","tags":[{"key":"hostname","type":"string","value":"h1"}],"tag":{"ip":"10.0.0.1"}}}"#;
    let hit = format!(r#"{{"_index":"jaeger-span-2025-10-09","_id":"x","_score":1,"_source":{source}}}"#);
    for text in [
        source.replace('\n', ""),
        hit.clone(),
        format!("{}\n", hit.replace('\n', "")),
        format!(r#"{{"took":3,"timed_out":false,"hits":{{"total":{{"value":1,"relation":"eq"}},"max_score":1,"hits":[{hit}]}}}}"#),
    ] {
        let connection = read_whole(&text);
        assert_eq!(
            spans(&connection),
            [
                "0af7651916cd43dd8448eb211c80319c b7ad6b7169203331 00f067aa0ba902b7 pay CLIENT ERROR 1760000000123456000 1760000000124956000 shop"
            ]
        );
        assert_eq!(attribute(&connection, "pay", "http.status_code"), "500");
        assert_eq!(attribute(&connection, "pay", "http.method"), "GET");
        assert_eq!(
            one(&connection, "SELECT attributes FROM quipu_resources"),
            r#"{"service.name": "shop", "hostname": "h1", "ip": "10.0.0.1"}"#
        );
    }
}

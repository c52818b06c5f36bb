//! What the console exporters of SDKs print.

use super::{attribute, events, one, read, read_whole, spans};

/// As opentelemetry-python's `ConsoleSpanExporter` prints it.
fn python(name: &str, span: &str, parent: &str) -> String {
    format!(
        r#"{{
    "name": "{name}",
    "context": {{
        "trace_id": "0xc0000000000000000000000000000001",
        "span_id": "0x{span}",
        "trace_state": "[]"
    }},
    "kind": "SpanKind.SERVER",
    "parent_id": {parent},
    "start_time": "2025-10-09T08:53:20.000001Z",
    "end_time": "2025-10-09T08:53:20.500000Z",
    "status": {{
        "status_code": "ERROR",
        "description": "ValueError: no"
    }},
    "attributes": {{
        "http.request.method": "GET",
        "sizes": [
            1,
            2
        ]
    }},
    "events": [
        {{
            "name": "exception",
            "timestamp": "2025-10-09T08:53:20.250000Z",
            "attributes": {{
                "exception.type": "ValueError"
            }}
        }}
    ],
    "links": [
        {{
            "context": {{
                "trace_id": "0x11111111111111111111111111111111",
                "span_id": "0x2222222222222222",
                "trace_state": "[]"
            }},
            "attributes": {{
                "w": 1
            }}
        }}
    ],
    "resource": {{
        "attributes": {{
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
            "telemetry.sdk.version": "1.38.0",
            "service.name": "agent"
        }},
        "schema_url": ""
    }}
}}
"#
    )
}

#[test]
fn pythons_objects_one_after_the_other_are_spans() {
    let text = python("child", "d000000000000001", "\"0xd000000000000002\"") + &python("root", "d000000000000002", "null");
    let connection = read_whole(&text);
    let trace = "c0000000000000000000000000000001";
    assert_eq!(
        spans(&connection),
        [
            format!("{trace} d000000000000001 d000000000000002 child SERVER ERROR 1760000000000001000 1760000000500000000 agent"),
            format!("{trace} d000000000000002 - root SERVER ERROR 1760000000000001000 1760000000500000000 agent"),
        ]
    );
    assert_eq!(events(&connection)[0], "child exception 1760000000250000000 {\"exception.type\": \"ValueError\"}");
    assert_eq!(attribute(&connection, "root", "sizes"), "[1,2]");
    assert_eq!(
        one(&connection, "SELECT more FROM quipu_spans WHERE id = 1"),
        r#"{"status_message": "ValueError: no", "links": [{"trace_id": "11111111111111111111111111111111", "span_id": "2222222222222222", "attributes": {"w": 1}}]}"#
    );
    // On one line each too, and as a list.
    let lines: Vec<String> = [python("a", "d000000000000001", "null"), python("b", "d000000000000002", "null")]
        .iter()
        .map(|span| serde_json::from_str::<serde_json::Value>(span).expect("JSON").to_string())
        .collect();
    assert_eq!(spans(&read_whole(&lines.join("\n"))).len(), 2);
    assert_eq!(spans(&read_whole(&format!("[{}]", lines.join(",")))).len(), 2);
}

#[test]
fn a_span_that_is_printed_twice_is_one() {
    let span = python("root", "d000000000000002", "null");
    let (connection, report) = read(format!("{span}{span}").as_bytes());
    assert_eq!((spans(&connection).len(), report.spans, report.repeated_spans, report.problem_count), (1, 1, 1, 0));
}

#[test]
fn pythons_metrics_and_log_records_are_counted() {
    let metrics = r#"{
    "resource_metrics": [
        {
            "resource": {"attributes": {"service.name": "agent"}, "schema_url": ""},
            "scope_metrics": [
                {
                    "scope": {"name": "m", "version": "", "schema_url": "", "attributes": null},
                    "metrics": [
                        {"name": "requests", "description": "", "unit": "1", "data": {"data_points": [
                            {"attributes": {}, "start_time_unix_nano": 1760000000000000000, "time_unix_nano": 1760000001000000000, "value": 3, "exemplars": []}],
                            "aggregation_temporality": 2, "is_monotonic": true}}
                    ],
                    "schema_url": ""
                }
            ],
            "schema_url": ""
        }
    ]
}
"#;
    let log = r#"{
    "body": "hello",
    "severity_number": 9,
    "severity_text": "INFO",
    "attributes": {"code": 1},
    "dropped_attributes": 0,
    "timestamp": "2025-10-09T08:53:20.000000Z",
    "observed_timestamp": "2025-10-09T08:53:20.000000Z",
    "trace_id": "0x00000000000000000000000000000000",
    "span_id": "0x0000000000000000",
    "trace_flags": 0,
    "resource": {"attributes": {"service.name": "agent"}, "schema_url": ""}
}
"#;
    let (connection, report) = read((python("root", "d000000000000002", "null") + metrics + log + log + metrics).as_bytes());
    assert_eq!((spans(&connection).len(), report.points, report.problem_count), (1, 0, 2), "{report:?}");
    assert_eq!(report.problems[0].what, "a metric in it is from a console exporter, not OTLP; only spans are imported from there");
    let left_out: Vec<&str> = report.remarks.iter().map(|remark| remark.what.as_str()).collect();
    assert_eq!(left_out, ["2 log records of a console exporter left out; they are read as OTLP"]);
}

#[test]
fn javascripts_objects_are_spans() {
    // As opentelemetry-js' `ConsoleSpanExporter` prints it with `console.dir`.
    let text = r#"{
  resource: {
    attributes: {
      'service.name': 'coupon',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'telemetry.sdk.version': '1.25.0'
    }
  },
  instrumentationScope: {
    name: '@opentelemetry/instrumentation-express',
    version: '0.41.0',
    schemaUrl: undefined
  },
  traceId: 'cd873e9e3f16df24a8e2ebfe83d00b9c',
  parentSpanContext: {
    traceId: 'cd873e9e3f16df24a8e2ebfe83d00b9c',
    spanId: '22ca73ebb95febbe',
    traceFlags: 1,
    traceState: undefined
  },
  traceState: undefined,
  name: "handler - /it's",
  id: 'cb7f45d392356f99',
  kind: 1,
  timestamp: 1720132143829000.2,
  duration: 15.166,
  attributes: {
    'http.route': '/apply-coupon',
    'express.type': 'request_handler',
    text: 'one\n' +
      'two'
  },
  status: { code: 2, message: 'no' },
  events: [
    {
      name: 'exception',
      attributes: [Object],
      time: [ 1720132143, 829500000 ],
      droppedAttributesCount: 0
    }
  ],
  links: []
}
{
  traceId: 'cd873e9e3f16df24a8e2ebfe83d00b9c',
  parentId: undefined,
  name: 'root',
  id: '22ca73ebb95febbe',
  kind: 0,
  timestamp: 1720132143828000,
  duration: 2000,
  attributes: {},
  links: [],
  status: { code: 0 },
  events: []
}
"#;
    let connection = read_whole(text);
    let trace = "cd873e9e3f16df24a8e2ebfe83d00b9c";
    assert_eq!(
        spans(&connection).iter().map(|line| line.replace("handler - /it's", "handler")).collect::<Vec<_>>(),
        [
            format!("{trace} cb7f45d392356f99 22ca73ebb95febbe handler SERVER ERROR 1720132143829000200 1720132143829015366 coupon"),
            format!("{trace} 22ca73ebb95febbe - root INTERNAL UNSET 1720132143828000000 1720132143830000000 -"),
        ]
    );
    assert_eq!(attribute(&connection, "handler - /it''s", "text"), "one\ntwo");
    assert!(events(&connection)[0].contains("exception 1720132143829500000"));
    assert_eq!(
        one(&connection, "SELECT scope FROM quipu_scopes WHERE scope <> '{}'"),
        r#"{"name": "@opentelemetry/instrumentation-express", "version": "0.41.0"}"#
    );
    // As JSON, which some programs print instead.
    let json = r#"{"traceId":"cd873e9e3f16df24a8e2ebfe83d00b9c","parentId":"22ca73ebb95febbe","name":"q","id":"41a27f331c7bfed3","kind":2,
        "timestamp":1624982589722992,"duration":417,"attributes":{"http.route":"/"},"status":{"code":0},"events":[]}"#;
    assert_eq!(
        spans(&read_whole(json)),
        [format!(
            "{trace} 41a27f331c7bfed3 22ca73ebb95febbe q CLIENT UNSET 1624982589722992000 1624982589723409000 -"
        )]
    );
}

#[test]
fn lines_of_a_program_between_objects_are_reported_with_their_numbers() {
    let span = "{\n  traceId: 'cd873e9e3f16df24a8e2ebfe83d00b9c',\n  name: 'a',\n  id: '22ca73ebb95febb1',\n  timestamp: 1624982589722992,\n  attributes: {},\n  status: { code: 0 }\n}\n";
    let (connection, report) = read(format!("{span}Listening on port 80\n{}", span.replace("bb1", "bb2")).as_bytes());
    assert_eq!((spans(&connection).len(), report.problem_count), (2, 1), "{report:?}");
    assert_eq!(report.problems[0].place, "line 9");
}

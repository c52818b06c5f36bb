//! Configurations from Llama Stack's documentation, and errors for invalid ones.

use quipu_telemetry::TelemetryConfig;
use quipu_telemetry::config::{NO_SERVICE_NAME, SinkKind};
use quipu_tests::Scratch;
use rusqlite::Connection;
use std::path::Path;

/// An entry of a run configuration with these lines as its `config`.
fn entry(config: &str) -> String {
    let lines: String = config.lines().map(|line| format!("    {}\n", line.trim_start())).collect();
    format!("telemetry:\n- provider_id: meta-reference\n  provider_type: inline::meta-reference\n  config:\n{lines}")
}

fn environment(variables: &'static [(&'static str, &'static str)]) -> impl Fn(&str) -> Option<String> {
    move |name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
}

fn read(text: &str) -> TelemetryConfig {
    TelemetryConfig::from_yaml(text, &environment(&[("HOME", "/home/ann")])).expect("a configuration")
}

fn refused(text: &str) -> String {
    TelemetryConfig::from_yaml(text, &environment(&[("HOME", "/home/ann")])).expect_err("refused").to_string()
}

#[test]
fn the_documented_configuration_is_read() {
    let config = read(&entry(
        r#"service_name: "llama-stack-service"
        sinks: ['console', 'sqlite', 'otel_trace', 'otel_metric']
        otel_exporter_otlp_endpoint: "http://localhost:4318"
        sqlite_db_path: "/path/to/telemetry.db""#,
    ));
    let expected = TelemetryConfig {
        service_name: "llama-stack-service".into(),
        sinks: SinkKind::ALL.to_vec(),
        otel_exporter_otlp_endpoint: Some("http://localhost:4318".into()),
        sqlite_db_path: "/path/to/telemetry.db".into(),
    };
    assert_eq!(config, expected);
}

#[test]
fn what_is_left_out_or_empty_has_the_references_default() {
    let plain = TelemetryConfig {
        service_name: NO_SERVICE_NAME.into(),
        sinks: vec![SinkKind::Console, SinkKind::Sqlite],
        otel_exporter_otlp_endpoint: None,
        sqlite_db_path: "/home/ann/.llama/runtime/trace_store.db".into(),
    };
    let empty = "service_name: ${env.A:=}\notel_exporter_otlp_endpoint: ${env.B:=}\nsinks: ~\nsqlite_db_path:\nunknown: 5";
    for text in [
        "provider_type: inline::meta-reference",
        "- provider_type: inline::meta-reference\n  config: {}",
        &entry(empty),
    ] {
        assert_eq!(read(text), plain, "{text}");
    }
}

#[test]
fn a_run_configuration_of_a_server_is_read_by_its_variables() {
    let text = "version: '2'\nproviders:\n  inference: []\n  telemetry:\n  - provider_id: other\n    provider_type: remote::other\n  - provider_id: meta-reference\n    \
         provider_type: inline::meta-reference\n    config:\n      service_name: \"${env.OTEL_SERVICE_NAME:=\\u200B}\"\n      \
         sinks: ${env.TELEMETRY_SINKS:=console,sqlite}\n      sqlite_db_path: ${env.SQLITE_STORE_DIR:=~/.llama/distributions/starter}/trace_store.db\n      \
         otel_exporter_otlp_endpoint: ${env.OTEL_EXPORTER_OTLP_ENDPOINT:=}\n";
    let config = read(text);
    assert_eq!(config.service_name, NO_SERVICE_NAME);
    assert_eq!(config.sinks, [SinkKind::Console, SinkKind::Sqlite]);
    assert_eq!(config.sqlite_db_path, Path::new("/home/ann/.llama/distributions/starter/trace_store.db"));
    let set = environment(&[
        ("OTEL_SERVICE_NAME", "agent"),
        ("TELEMETRY_SINKS", " sqlite , otel_trace,sqlite"),
        ("SQLITE_STORE_DIR", "/var/telemetry"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
    ]);
    let config = TelemetryConfig::from_yaml(text, &set).expect("a configuration");
    let expected = TelemetryConfig {
        service_name: "agent".into(),
        sinks: vec![SinkKind::Sqlite, SinkKind::OtelTrace],
        otel_exporter_otlp_endpoint: Some("http://collector:4318".into()),
        sqlite_db_path: "/var/telemetry/trace_store.db".into(),
    };
    assert_eq!(config, expected);
    assert_eq!(read(&entry("sinks: []")).sinks, []);
    assert_eq!(read(&entry("sinks: ${env.OLD:sqlite}")).sinks, [SinkKind::Sqlite]);
}

#[test]
fn the_environment_alone_has_the_documented_defaults() {
    let config = TelemetryConfig::from_env(&environment(&[("HOME", "/home/ann")])).expect("a configuration");
    assert_eq!(config.otel_exporter_otlp_endpoint.as_deref(), Some("http://localhost:4318"));
    assert_eq!(config.sinks, [SinkKind::Console, SinkKind::Sqlite]);
    assert_eq!(config.service_name, NO_SERVICE_NAME);
    assert_eq!(config.sqlite_db_path, Path::new("/home/ann/.llama/runtime/trace_store.db"));
    let error = TelemetryConfig::from_env(&environment(&[("TELEMETRY_SINKS", "console,"), ("HOME", "/h")])).expect_err("an empty name");
    assert_eq!(error.to_string(), "TELEMETRY_SINKS has “”, which is not a sink; allowed are console, sqlite, otel_trace, otel_metric.");
}

#[test]
fn errors_name_the_field_and_what_is_allowed() {
    let cases = [
        (
            "sinks: [console, jaeger]",
            "telemetry[0].config.sinks[1] has “jaeger”, which is not a sink; allowed are console, sqlite, otel_trace, otel_metric.",
        ),
        (
            "sinks: Console",
            "telemetry[0].config.sinks has “Console”, which is not a sink; allowed are console, sqlite, otel_trace, otel_metric.",
        ),
        ("sinks: ''", "telemetry[0].config.sinks has “”, which is not a sink; allowed are console, sqlite, otel_trace, otel_metric."),
        ("sinks: 5", "telemetry[0].config.sinks must be a list or a text with commas, of console, sqlite, otel_trace, otel_metric."),
        ("service_name: 5", "telemetry[0].config.service_name must be a text; put it in quotes."),
        ("sqlite_db_path: [a]", "telemetry[0].config.sqlite_db_path must be a text; put it in quotes."),
        (
            "service_name: ${env.NAME}",
            "telemetry[0].config.service_name needs the variable NAME, which is not set or empty; set it, or write ${env.NAME:=default}.",
        ),
        (
            "sinks: otel_metric",
            "telemetry[0].config.otel_exporter_otlp_endpoint is missing; the sinks otel_trace and otel_metric need it, as http://localhost:4318.",
        ),
        (
            "otel_exporter_otlp_endpoint: localhost:4318",
            "telemetry[0].config.otel_exporter_otlp_endpoint is “localhost:4318”; it must be a URL that starts with http:// or https://.",
        ),
    ];
    for (config, expected) in cases {
        assert_eq!(refused(&entry(config)), expected);
    }
    let type_wrong = "telemetry[0].provider_type is “remote::x”; only inline::meta-reference is supported.";
    assert_eq!(refused("telemetry:\n- provider_type: remote::x"), type_wrong);
    assert_eq!(refused("telemetry: []"), "telemetry is empty; it needs a provider of type inline::meta-reference.");
    assert_eq!(refused("a: 1"), "provider_type is missing; it must be inline::meta-reference.");
    assert_eq!(refused(""), "The configuration is empty; it needs a telemetry provider.");
    assert!(refused("a: [").starts_with("The configuration is not valid YAML: "));
    let homeless = TelemetryConfig::from_yaml(&entry("sqlite_db_path: ~/t.db"), &|_| None).expect_err("no home");
    assert_eq!(
        homeless.to_string(),
        "telemetry[0].config.sqlite_db_path is “~/t.db”, but the variable HOME is not set; give the whole path."
    );
    assert!(TelemetryConfig::from_yaml(&entry("sinks: console"), &|_| None).is_ok(), "no file, no home needed");
}

#[test]
fn a_configuration_becomes_telemetry_that_writes_its_file() {
    let scratch = Scratch::new().expect("a folder");
    let file = scratch.path().join("below/telemetry.db");
    let config = read(&entry(&format!("service_name: agent\nsinks: sqlite\nsqlite_db_path: {}", file.display())));
    let telemetry = config.builder(|_| None).expect("its sinks are there").start().expect("it starts");
    for payload in [r#"{"type": "span_start", "name": "n"}"#, r#"{"type": "span_end", "status": "ok"}"#] {
        let body =
            format!(r#"{{"type": "structured_log", "trace_id": "ab", "span_id": "cd", "timestamp": 1767607200, "payload": {payload}}}"#);
        telemetry.log_event(serde_json::from_str(&body).expect("an event"), 60).expect("taken");
    }
    telemetry.shutdown().expect("written");
    let row = Connection::open(file)
        .expect("SQLite opens it")
        .query_row("SELECT trace_id, service_name FROM traces", [], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
    assert_eq!(row.expect("a row"), ("ab".to_owned(), "agent".to_owned()));
}

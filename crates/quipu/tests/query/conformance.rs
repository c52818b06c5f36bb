//! Every recorded call gives the same answer as the reference implementation, or a documented deviation, checked against SQL.

use super::expected;
use super::oracle::{Case, cases};
use super::support::{NOW, Opened, Tree};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// The outcome of a case.
enum Outcome {
    Equal,
    Deviating(&'static str),
    /// The calls over HTTP were traced into the file while they were made; the answer to this one contains nothing but such traces.
    OfItself,
    Failing(String),
}

#[test]
fn every_recorded_call_is_answered_alike_or_deviates_by_a_known_rule() {
    let mut opened: BTreeMap<String, Opened> = BTreeMap::new();
    let (mut equal, mut of_itself) = (0, 0);
    let mut deviating: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    let mut failing = Vec::new();
    for case in cases() {
        let file = opened.entry(case.db.clone()).or_insert_with(|| Opened::fixture(&case.db));
        match run(&case, file) {
            Outcome::Equal => equal += 1,
            Outcome::Deviating(id) => deviating.entry(id).or_default().push(case.id),
            Outcome::OfItself => of_itself += 1,
            Outcome::Failing(why) => failing.push(format!("{} {} {}\n{why}\n", case.id, case.method, case.params)),
        }
    }
    let by_id: Vec<String> = deviating.iter().map(|(id, cases)| format!("{id}: {}", cases.len())).collect();
    let count: usize = deviating.values().map(Vec::len).sum();
    println!("{equal} equal, {count} deviating ({}), {} failing; {of_itself} only about itself", by_id.join(", "), failing.len());
    assert!(failing.is_empty(), "{} failing:\n{}", failing.len(), failing.join("\n"));
    // Fixed numbers, so that a case that is no longer compared is noticed.
    assert_eq!(equal + count + of_itself, 484);
}

fn run(case: &Case, file: &mut Opened) -> Outcome {
    let answer = file.session.query(&case.method, &case.params.to_string(), Some(NOW)).map_err(|failure| failure.message);
    match (&case.error, answer) {
        (Some(error), Err(message)) => match wanted_name(case, error) {
            Some(name) if message.contains(&name) => Outcome::Equal,
            name => Outcome::Failing(format!("the message names no {name:?}: {message}\nreference: {error}")),
        },
        (Some(error), Ok(answer)) => despite_error(case, error, &answer, file),
        // The reference parses only the last character.
        (None, Err(message)) if case.params["granularity"] == "bogus" && message.starts_with("granularity is") => Outcome::Deviating("D7"),
        (None, Err(message)) => Outcome::Failing(format!("an error where the reference answers: {message}")),
        (None, Ok(answer)) => against_answer(case, &answer, file),
    }
}

/// The parameter that the reference's error is about.
fn wanted_name(case: &Case, error: &str) -> Option<String> {
    let has_quote = |name: &str| case.params[name].to_string().contains('\'');
    let name = if error.contains("Trace ") && error.contains("not found") {
        "trace_id"
    } else if error.contains("Span ") && error.contains("not found") {
        "span_id"
    } else if error.contains("no such column: t.") || error.contains("ASC") || error.contains(r#"near \"-\""#) {
        "order_by"
    } else if has_quote("attributes_to_return") {
        "attributes_to_return"
    } else if has_quote("attribute_filters") || error.contains("JSON path error") {
        "attribute_filters[0].key"
    } else if error.contains("Input should be 'eq', 'ne', 'gt' or 'lt'") {
        "attribute_filters[0].op"
    } else if error.contains("Error binding parameter") {
        "attribute_filters[0].value"
    } else if case.over_http {
        return http_name(case, error);
    } else {
        return None;
    };
    Some(name.into())
}

/// The parameter that the server's validation rejects; for a status of 500, the one that the case is about.
fn http_name(case: &Case, error: &str) -> Option<String> {
    let error: Json = serde_json::from_str(error).ok()?;
    if let Some(place) = error["error"]["detail"]["errors"][0]["loc"].as_array() {
        let parts = place.iter().skip(1).map(|part| part.as_str().map_or_else(|| format!("[{part}]"), |name| format!(".{name}")));
        return Some(parts.collect::<String>().trim_start_matches('.').to_owned());
    }
    if case.params["order_by"].is_array() { Some("order_by".into()) } else { Some("attribute_filters[0].value".into()) }
}

/// The reference fails, but Quipu answers.
fn despite_error(case: &Case, error: &str, answer: &str, file: &Opened) -> Outcome {
    let connection = &file.connection;
    let json: Json = serde_json::from_str(answer).expect("JSON");
    match case.method.as_str() {
        "query_traces" if error.contains("root_span_id") => agrees("D1", &json["data"], &json!(expected::traces(connection, &case.params))),
        "query_traces" if error.contains("no such column: None") => {
            agrees("D13", &json["data"], &json!(expected::traces(connection, &case.params)))
        }
        "get_trace" if error.contains("root_span_id") => {
            agrees("D1", &json, &expected::one_trace(connection, case.params["trace_id"].as_str().expect("an id")))
        }
        "get_span" if error.contains("valid dictionary") => {
            agrees("D2", &json, &expected::one_span(connection, case.params["span_id"].as_str().expect("an id")))
        }
        "query_spans" if error.contains("root_span_id") => {
            agrees("D5", &set(&json["data"]), &set(&json!(expected::spans(connection, &case.params, "attributes_to_return"))))
        }
        "save_spans_to_dataset" => {
            let rows: Vec<Json> = expected::spans(connection, &case.params, "attributes_to_save").into_iter().map(flat).collect();
            agrees("D6", &set(&json["rows"]), &set(&json!(rows)))
        }
        "query_metrics" => {
            super::metrics::check(&case.params, &json, connection).map_or_else(Outcome::Failing, |()| Outcome::Deviating("D7"))
        }
        _ => Outcome::Failing(format!("an answer where the reference fails with {error}: {answer}")),
    }
}

/// A span as a row of a dataset, with one column per attribute.
fn flat(mut span: Json) -> Json {
    let attributes = span.as_object_mut().and_then(|span| span.remove("attributes")).expect("attributes");
    for (key, value) in attributes.as_object().expect("an object") {
        span[key] = value.clone();
    }
    span
}

/// The text of a value with sorted keys: whether maps keep their order depends on the features that other test dependencies enable.
fn in_key_order(value: &Json) -> String {
    match value {
        Json::Object(entries) => {
            let sorted: std::collections::BTreeMap<&String, String> =
                entries.iter().map(|(key, value)| (key, in_key_order(value))).collect();
            format!("{sorted:?}")
        }
        Json::Array(items) => format!("{:?}", items.iter().map(in_key_order).collect::<Vec<_>>()),
        other => other.to_string(),
    }
}

fn agrees(id: &'static str, ours: &Json, expected: &Json) -> Outcome {
    if ours == expected { Outcome::Deviating(id) } else { Outcome::Failing(format!("{id}\nours     {ours}\nexpected {expected}")) }
}

/// A list, ignoring order.
fn set(list: &Json) -> Json {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.sort_by_key(in_key_order);
    Json::Array(items)
}

/// Both give an answer.
fn against_answer(case: &Case, answer: &str, file: &Opened) -> Outcome {
    let connection = &file.connection;
    let reference_text = case.answer.as_deref().expect("an answer");
    let (ours, reference): (Json, Json) =
        (serde_json::from_str(answer).expect("JSON"), serde_json::from_str(reference_text).expect("JSON"));
    match case.method.as_str() {
        "query_traces" => {
            let ordered = case.params["order_by"].as_array().is_some_and(|order| !order.is_empty());
            let view = |list: &Json| if ordered { list.clone() } else { set(list) };
            if view(&ours["data"]) == view(&reference["data"]) {
                return Outcome::Equal;
            }
            let sql = json!(expected::traces(connection, &case.params));
            if case.over_http {
                return without_itself(case, &reference["data"], &ours["data"], &sql, file);
            }
            let hidden = sql.as_array().expect("a list").iter().any(|trace| {
                let id = trace["trace_id"].as_str().expect("an id");
                let recorded: Option<String> =
                    connection.query_row("SELECT root_span_id FROM traces WHERE trace_id = ?", [id], |row| row.get(0)).expect("a trace");
                recorded.is_none()
            });
            if hidden { agrees("D1", &view(&ours["data"]), &view(&sql)) } else { differ(&ours, &reference) }
        }
        "get_span_tree" => {
            let ours: Tree = serde_json::from_str(answer).expect("a tree");
            let reference: Tree = serde_json::from_str(reference_text).expect("a tree");
            if ours.data == reference.data {
                return Outcome::Equal;
            }
            let sql = expected::tree(connection, &case.params);
            let numbers: Vec<Json> = ours.data.0.iter().map(|(_, span)| booleans_as_numbers(span)).collect();
            let same: Vec<Json> = reference.data.0.iter().map(|(_, span)| booleans_as_numbers(span)).collect();
            if numbers == same && ours.data == sql {
                Outcome::Deviating("D3")
            } else {
                Outcome::Failing(format!("ours      {:?}\nSQL       {sql:?}\nreference {:?}", ours.data, reference.data))
            }
        }
        "query_spans" => {
            if ours == reference {
                return Outcome::Equal;
            }
            let sql = json!(expected::spans(connection, &case.params, "attributes_to_return"));
            let ids = |list: &Json| list["data"].as_array().expect("a list").iter().map(|span| span["span_id"].clone()).collect::<Vec<_>>();
            let id = if ids(&ours) == ids(&reference) { "D4" } else { "D5" };
            let ours_ids = ids(&ours);
            let missing = ids(&reference).into_iter().any(|id| !ours_ids.contains(&id) && is_recorded(&id, file));
            if missing { differ(&ours, &reference) } else { agrees(id, &set(&ours["data"]), &set(&sql)) }
        }
        "query_metrics" => {
            if super::metrics::without_derived(&ours) == super::metrics::without_clock(&case.params, &reference) {
                let derived = super::metrics::has_derived(&ours);
                return match super::metrics::check(&case.params, &ours, connection) {
                    Ok(()) if derived => Outcome::Deviating("D14"),
                    Ok(()) => Outcome::Equal,
                    Err(why) => Outcome::Failing(why),
                };
            }
            match super::metrics::check(&case.params, &ours, connection) {
                Ok(()) => Outcome::Deviating("D7"),
                Err(why) => Outcome::Failing(why),
            }
        }
        _ if ours == reference => Outcome::Equal,
        _ => differ(&ours, &reference),
    }
}

fn differ(ours: &Json, reference: &Json) -> Outcome {
    Outcome::Failing(format!("ours      {ours}\nreference {reference}"))
}

fn is_recorded(span_id: &Json, file: &Opened) -> bool {
    let sql = "SELECT count(*) FROM spans WHERE span_id = ?";
    file.connection.query_row(sql, [span_id.as_str().expect("an id")], |row| row.get::<_, i64>(0)).expect("a count") > 0
}

/// The copy of the file lacks traces of the calls over HTTP: without them the answers are equal, or nothing is left.
fn without_itself(case: &Case, reference: &Json, ours: &Json, sql: &Json, file: &Opened) -> Outcome {
    let known = |trace: &&Json| {
        let id = trace["trace_id"].as_str().expect("an id");
        file.connection.query_row("SELECT count(*) FROM traces WHERE trace_id = ?", [id], |row| row.get::<_, i64>(0)).expect("a count") > 0
    };
    let left: Vec<Json> = reference.as_array().expect("a list").iter().filter(known).cloned().collect();
    if left.is_empty() && ours == sql {
        return Outcome::OfItself;
    }
    if set(&json!(left)) == set(ours) { Outcome::Equal } else { differ(ours, &json!([case.id, left])) }
}

fn booleans_as_numbers(span: &Json) -> Json {
    let mut span = span.clone();
    for value in span["attributes"].as_object_mut().into_iter().flat_map(|attributes| attributes.values_mut()) {
        if let Json::Bool(flag) = value {
            *value = json!(i64::from(*flag));
        }
    }
    span
}

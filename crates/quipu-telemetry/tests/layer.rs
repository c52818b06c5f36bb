//! `#[instrument]`ed code becomes Llama Stack spans.

use quipu::model::{Primitive, SpanStatus};
use quipu_telemetry::{
    EndedSpan, LogError, Sink, SinkError, Telemetry, TelemetryLayer, Usage, Warning, current_traceparent, current_tracestate,
    record_inference,
};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use tracing::field::Empty;
use tracing::{Instrument, debug, error, info, info_span, instrument, trace, warn};
use tracing_subscriber::layer::SubscriberExt;

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<EndedSpan>>>);

impl Sink for Kept {
    fn name(&self) -> &'static str {
        "kept"
    }

    fn end(&mut self, span: &EndedSpan) {
        self.0.lock().expect("whole").push(span.clone());
    }

    fn commit(&mut self) -> Result<(), SinkError> {
        Ok(())
    }
}

/// The spans recorded by `code`, in the order of their ends.
fn recorded(code: impl FnOnce()) -> Vec<EndedSpan> {
    let (kept, warnings) = (Kept::default(), Arc::new(Mutex::new(Vec::new())));
    let (sink, theirs) = (kept.clone(), warnings.clone());
    let builder = Telemetry::builder().on_warning(move |warning: &Warning| theirs.lock().expect("whole").push(warning.to_string()));
    let telemetry = Arc::new(builder.sink(move || Ok(sink)).start().expect("it starts"));
    let layer = TelemetryLayer::new(telemetry.clone()).with_location("server");
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), code);
    telemetry.shutdown().expect("written");
    assert_eq!(*warnings.lock().expect("whole"), Vec::<String>::new());
    kept.0.lock().expect("whole").clone()
}

fn named<'s>(spans: &'s [EndedSpan], name: &str) -> &'s EndedSpan {
    spans.iter().find(|ended| ended.span.name == name).expect("the span")
}

fn text(text: &str) -> Primitive {
    Primitive::Text(text.into())
}

#[derive(Debug, thiserror::Error)]
#[error("the model is away")]
struct Away;

#[instrument(fields(otel.name = "/v1/turn", session_id = "s1", late = Empty, kept = true, real = 0.5, big = u64::MAX))]
fn turn(question: &str, tries: u32) {
    tracing::Span::current().record("late", -7);
    trace!("t");
    debug!(step = 1, "d");
    info!("asked {} times", tries);
    warn!(severity = "mine", "w");
    error!("e");
    let _ = infer(question);
    assert_eq!(answer(), 42);
}

#[instrument(skip_all, err)]
fn infer(_question: &str) -> Result<(), Away> {
    Err(Away)
}

#[instrument(ret)]
fn answer() -> i32 {
    42
}

#[test]
fn functions_become_a_marked_tree_with_typed_attributes_and_log_lines() {
    let spans = recorded(|| turn("why?", 3));
    let (root, infer, answer) = (named(&spans, "/v1/turn"), named(&spans, "infer"), named(&spans, "answer"));
    assert_eq!(spans.len(), 3);
    let attributes = [
        ("__root__", Primitive::Bool(true)),
        ("__root_span__", Primitive::Bool(true)),
        ("__local_root_span__", Primitive::Bool(true)),
        ("__location__", text("server")),
        ("question", text("why?")),
        ("tries", Primitive::Integer(3)),
        ("session_id", text("s1")),
        ("kept", Primitive::Bool(true)),
        ("real", Primitive::Float(0.5)),
        ("big", text("18446744073709551615")),
        ("late", Primitive::Integer(-7)),
        ("__ttl__", Primitive::Integer(604_800)),
    ];
    let mut found = root.span.attributes.0.clone();
    // Whether the macro records its own fields first or last depends on its version.
    let mut expected = attributes.map(|(key, value)| (key.to_owned(), value)).to_vec();
    assert_eq!(found[..4], expected[..4]);
    assert_eq!(found.last(), expected.last());
    found.sort_by(|a, b| a.0.cmp(&b.0));
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(found, expected);
    assert_eq!((root.span.parent_span_id.as_deref(), root.status), (None, SpanStatus::Ok));
    assert_eq!((root.span.trace_id.len(), root.span.span_id.len()), (32, 16));
    let logged: Vec<_> = root.events.iter().map(|event| (event.attributes.get("severity"), event.attributes.get("message"))).collect();
    let lines = [("verbose", "t"), ("debug", "d"), ("info", "asked 3 times"), ("warn", "w"), ("error", "e")];
    let lines = lines.map(|(severity, message)| (text(severity), text(message)));
    assert_eq!(logged, lines.each_ref().map(|(severity, message)| (Some(severity), Some(message))));
    assert_eq!(root.events[1].attributes.get("step"), Some(&Primitive::Integer(1)));
    assert!(root.events.iter().all(|event| event.name == "unstructured_log"));

    for child in [infer, answer] {
        assert_eq!(child.span.parent_span_id.as_ref(), Some(&root.span.span_id));
        assert_eq!(child.span.trace_id, root.span.trace_id);
        assert_eq!(child.span.attributes.get("__root__"), None);
        assert!(root.span.start <= child.span.start && child.span.start <= child.end && child.end <= root.end);
    }
    assert_eq!((infer.status, infer.span.attributes.get("error")), (SpanStatus::Error, Some(&text("the model is away"))));
    assert_eq!(infer.events[0].attributes.get("message"), Some(&text("the model is away")));
    assert_eq!(answer.span.attributes.get("output"), Some(&text("42")));
    assert!(answer.events.is_empty());
}

#[test]
fn an_error_field_fails_its_span_whenever_it_is_recorded() {
    let spans = recorded(|| {
        info_span!("early", error = "at once").in_scope(|| {});
        let span = info_span!("late", error = Empty);
        span.record("error", tracing::field::display(Away));
        drop(span);
        info_span!("logged").in_scope(|| error!(error = &Away as &dyn std::error::Error, "giving up"));
        info_span!("well", error = false).in_scope(|| {});
        info_span!("warned").in_scope(|| warn!(error = %Away, "trying again"));
    });
    let said = |name: &str| (named(&spans, name).status, named(&spans, name).span.attributes.get("error").cloned());
    assert_eq!(said("early"), (SpanStatus::Error, Some(text("at once"))));
    assert_eq!(said("late"), (SpanStatus::Error, Some(text("the model is away"))));
    assert_eq!(said("logged"), (SpanStatus::Error, Some(text("the model is away"))));
    assert_eq!(said("well"), (SpanStatus::Ok, Some(Primitive::Bool(false))));
    assert_eq!(said("warned"), (SpanStatus::Ok, None), "who tries again has not failed");
    let roots: std::collections::HashSet<_> = spans.iter().map(|ended| &ended.span.trace_id).collect();
    assert_eq!(roots.len(), 5, "spans without a parent are traces of their own");
}

/// Pending when first polled.
#[derive(Default)]
struct Later(bool);

impl Future for Later {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<()> {
        if std::mem::replace(&mut self.0, true) { Poll::Ready(()) } else { Poll::Pending }
    }
}

#[instrument]
async fn step(number: u32) {
    Later::default().await;
    info!("step {number}");
}

#[test]
fn futures_that_take_turns_and_threads_keep_their_own_spans() {
    let spans = recorded(|| {
        let both = [1, 2].map(|number| step(number).instrument(info_span!("task", number)));
        let [mut one, mut two] = both.map(Box::pin);
        let mut context = Context::from_waker(Waker::noop());
        assert!(one.as_mut().poll(&mut context).is_pending());
        assert!(two.as_mut().poll(&mut context).is_pending());
        assert_eq!(current_traceparent(), None, "nobody is in a span between polls");
        // The rest of the first future runs on another thread.
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        let rest = std::thread::spawn(move || {
            tracing::dispatcher::with_default(&dispatch, || assert!(one.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_ready()));
        });
        rest.join().expect("it ends");
        assert!(pin!(two).poll(&mut context).is_ready());
    });
    assert_eq!(spans.len(), 4);
    for number in [1, 2] {
        let of = |name: &str| {
            let mut found = spans.iter().filter(|ended| ended.span.name == name);
            found.find(|ended| ended.span.attributes.get("number") == Some(&Primitive::Integer(number))).expect("the span")
        };
        let (task, step) = (of("task"), of("step"));
        assert_eq!(step.span.parent_span_id.as_ref(), Some(&task.span.span_id));
        assert_eq!(step.events.len(), 1);
        assert_eq!(step.events[0].attributes.get("message"), Some(&text(&format!("step {number}"))));
    }
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

#[test]
fn a_trace_goes_on_from_its_caller_and_to_whom_is_called() {
    let spans = recorded(|| {
        let header = format!("00-{TRACE}-b7ad6b7169203331-01");
        info_span!("request", traceparent = header, tracestate = "rojo=00f067aa0ba902b7").in_scope(|| {
            info_span!("call").in_scope(|| {
                let out = current_traceparent().expect("it is in a span");
                assert_eq!(current_tracestate().as_deref(), Some("rojo=00f067aa0ba902b7"));
                // The callee gets the header and continues the trace in its own process.
                let called = info_span!(parent: None, "called", traceparent = out);
                called.in_scope(|| info!(header = out));
            });
        });
    });
    let (request, call, called) = (named(&spans, "request"), named(&spans, "call"), named(&spans, "called"));
    assert!(spans.iter().all(|ended| ended.span.trace_id == TRACE));
    assert_eq!(request.span.parent_span_id.as_deref(), Some("b7ad6b7169203331"));
    assert_eq!(called.span.parent_span_id.as_ref(), Some(&call.span.span_id));
    let marks =
        |ended: &EndedSpan| ["__root__", "__root_span__", "__local_root_span__"].map(|mark| ended.span.attributes.get(mark).is_some());
    assert_eq!([marks(request), marks(call), marks(called)], [[false, false, true], [false; 3], [false, false, true]]);
    assert_eq!(request.span.trace_state.as_deref(), Some("rojo=00f067aa0ba902b7"));
    assert!(
        spans.iter().all(|ended| ended.span.attributes.get("traceparent").is_none() && ended.span.attributes.get("tracestate").is_none())
    );
}

#[test]
fn a_context_that_is_none_begins_a_new_trace_and_one_that_is_not_recorded_is_not() {
    let spans = recorded(|| {
        info_span!("odd", traceparent = "garbage", tracestate = "a=b").in_scope(|| assert_eq!(current_tracestate(), None));
        info_span!("none", traceparent = None::<&str>).in_scope(|| {});
        let header = format!("00-{TRACE}-b7ad6b7169203331-00");
        info_span!("unsampled", traceparent = header).in_scope(|| {
            info_span!("below").in_scope(|| {
                info!("unheard");
                record_inference("m", "p", Usage { total_tokens: Some(1), ..Usage::default() }).expect("no error");
                let out = current_traceparent().expect("callers are told");
                assert!(out.starts_with(&format!("00-{TRACE}-")) && out.ends_with("-00"), "{out}");
            });
        });
    });
    let names: Vec<_> = spans.iter().map(|ended| ended.span.name.as_str()).collect();
    assert_eq!(names, ["odd", "none"]);
    let odd = &named(&spans, "odd").span;
    assert_eq!((odd.trace_id.len(), &odd.parent_span_id), (32, &None));
    assert_eq!(odd.attributes.get("__root__"), None, "as the reference, which takes the marks away whatever the header says");
    assert!(named(&spans, "none").span.attributes.get("__root__").is_some());
}

#[test]
fn the_tokens_of_a_request_are_recorded_in_the_span_it_was_made_in() {
    let usage = Usage { prompt_tokens: Some(19), completion_tokens: Some(5), total_tokens: None };
    let spans = recorded(|| {
        assert_eq!(record_inference("m", "p", usage), Err(LogError::NoSpan));
        info_span!("outer").in_scope(|| info_span!("inference").in_scope(|| record_inference("m", "p", usage).expect("taken")));
    });
    let metrics = |name: &str| {
        let values = named(&spans, name).events.iter().map(|event| (event.name.clone(), event.attributes.get("value").cloned()));
        values.collect::<Vec<_>>()
    };
    let expected = [("prompt_tokens", 19), ("completion_tokens", 5), ("total_tokens", 24)];
    assert_eq!(metrics("inference"), expected.map(|(name, value)| (format!("metric.{name}"), Some(Primitive::Integer(value)))));
    assert_eq!(metrics("outer"), []);
    let labels = &named(&spans, "inference").events[0].attributes;
    assert_eq!((labels.get("model_id"), labels.get("provider_id")), (Some(&text("m")), Some(&text("p"))));
}

//! A layer for `tracing_subscriber` that records `tracing` spans as Llama Stack spans.
//!
//! | `tracing` | telemetry |
//! |---|---|
//! | a span, from creation until its last handle is dropped | a span, whichever threads it was entered on |
//! | its fields | attributes: booleans, integers, floats, strings; those recorded later are added at the end |
//! | the field `otel.name` | the span's name, for routes and other dynamic names |
//! | a span without a parent | the root of a trace, marked `__root__`, `__root_span__`, `__local_root_span__`, and with `__location__` if one is set |
//! | the fields `traceparent`, `tracestate` of such a span | the caller's trace context, which the span continues |
//! | the field `error`, or `#[instrument(err)]` | the attribute `error`, and the status error unless the value is `false` |
//! | `#[instrument(ret)]` | the attribute `output` |
//! | an event in a span | a log line with the event's level (`trace` becomes `verbose`); other fields become attributes |
//!
//! Use `tracing_subscriber`'s filters to select spans and events. Events outside of spans are ignored.

use crate::current::{Current, enter, leave, now};
use crate::random::random_id;
use crate::telemetry::{DEFAULT_TTL_SECONDS, Telemetry};
use crate::w3c::TraceParent;
use quipu_model::{
    Attributes, Event, LogSeverity, Primitive, SpanEndPayload, SpanStartPayload, SpanStatus, StructuredLogEvent, StructuredLogPayload,
    UnstructuredLogEvent,
};
use std::fmt;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes as SpanAttributes, Id, Record};
use tracing::{Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use tracing_subscriber::registry::LookupSpan;

/// Logs spans and events to a [`Telemetry`].
///
/// ```
/// use quipu_telemetry::{SqliteSink, Telemetry, TelemetryLayer, Usage, record_inference};
/// use std::sync::Arc;
/// use tracing_subscriber::layer::SubscriberExt;
/// # let folder = std::env::temp_dir().join(format!("quipu-telemetry-layer-{}", std::process::id()));
/// # let path = folder.join("telemetry.db");
/// # let file = path.clone();
///
/// #[tracing::instrument(err)]
/// fn infer(input: &str) -> Result<String, std::io::Error> {
///     tracing::info!("asking the model");
///     let usage = Usage { prompt_tokens: Some(3), completion_tokens: Some(1), total_tokens: None };
///     record_inference("my-model", "my-provider", usage).map_err(std::io::Error::other)?;
///     Ok("hello".into())
/// }
///
/// let telemetry = Arc::new(Telemetry::builder().sink(move || SqliteSink::open(&path, "my-agent")).start()?);
/// let subscriber = tracing_subscriber::registry().with(TelemetryLayer::new(telemetry.clone()));
/// tracing::subscriber::with_default(subscriber, || infer("say hello"))?;
/// telemetry.shutdown()?;
///
/// let rows = rusqlite::Connection::open(&file)?;
/// let events: i64 = rows.query_row("SELECT count(*) FROM spans JOIN span_events USING (span_id) WHERE spans.name = 'infer'", [], |row| row.get(0))?;
/// assert_eq!(events, 4);
/// # drop(rows);
/// # std::fs::remove_dir_all(folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct TelemetryLayer {
    telemetry: Arc<Telemetry>,
    location: Option<String>,
}

impl TelemetryLayer {
    /// Creates a layer for any subscriber that stores span data, such as `tracing_subscriber::registry()`. Events that `telemetry` rejects
    /// are counted there.
    pub fn new(telemetry: Arc<Telemetry>) -> TelemetryLayer {
        TelemetryLayer { telemetry, location: None }
    }

    /// Sets the attribute `__location__` of every root span, such as `server` or `library_client`.
    #[must_use]
    pub fn with_location(mut self, location: impl Into<String>) -> TelemetryLayer {
        self.location = Some(location.into());
        self
    }

    fn log(&self, event: Event) {
        // Rejected events are counted and reported by the telemetry.
        let _ = self.telemetry.log_event(event, DEFAULT_TTL_SECONDS);
    }

    fn structured(&self, place: &TraceParent, attributes: Attributes, payload: StructuredLogPayload) {
        let (trace_id, span_id) = (place.trace_id.clone(), place.span_id.clone());
        self.log(Event::StructuredLog(StructuredLogEvent { trace_id, span_id, timestamp: now(), attributes, payload }));
    }

    fn root_attributes(&self) -> Attributes {
        let marks = ["__root__", "__root_span__", "__local_root_span__"];
        let mut attributes = Attributes(marks.map(|mark| (mark.to_owned(), Primitive::Bool(true))).to_vec());
        attributes.0.extend(self.location.clone().map(|location| ("__location__".to_owned(), Primitive::Text(location))));
        attributes
    }
}

/// The data stored with a span.
struct Recorded {
    place: TraceParent,
    trace_state: Option<String>,
    /// Attributes recorded after the start, written at the end.
    late: Attributes,
    has_failed: bool,
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for TelemetryLayer {
    fn on_new_span(&self, attributes: &SpanAttributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut fields = Attributes::default();
        attributes.record(&mut Fields(&mut fields));
        let mut take = |name: &str| {
            let at = fields.0.iter().position(|(key, _)| key == name)?;
            if let (_, Primitive::Text(text)) = fields.0.remove(at) { Some(text) } else { None }
        };
        let (header, state, name) = (take("traceparent"), take("tracestate"), take("otel.name"));
        let parent = span.parent().and_then(|parent| {
            let extensions = parent.extensions();
            let recorded = extensions.get::<Recorded>()?;
            Some((recorded.place.clone(), recorded.trace_state.clone()))
        });
        let name = name.unwrap_or_else(|| span.name().to_owned());
        let has_failed = fields.get("error").is_some_and(is_failure);
        let (parent_span_id, trace_id, is_sampled, trace_state, said) = match parent {
            Some((place, state)) => (Some(place.span_id), place.trace_id, place.is_sampled, state, fields),
            None => {
                let mut said = self.root_attributes();
                said.0.extend(fields.0);
                let caller = header.as_deref().and_then(TraceParent::parse);
                let state = state.filter(|_| caller.is_some());
                // The events carry the context, so that valid and invalid contexts are handled in one place (`spans`).
                said.0.extend(header.map(|header| ("traceparent".to_owned(), Primitive::Text(header))));
                said.0.extend(state.clone().map(|state| ("tracestate".to_owned(), Primitive::Text(state))));
                let is_sampled = caller.as_ref().is_none_or(|caller| caller.is_sampled);
                (None, caller.map_or_else(|| random_id(16), |caller| caller.trace_id), is_sampled, state, said)
            }
        };
        let place = TraceParent { trace_id, span_id: random_id(8), is_sampled };
        self.structured(&place, said, StructuredLogPayload::SpanStart(SpanStartPayload { name, parent_span_id }));
        span.extensions_mut().insert(Recorded { place, trace_state, late: Attributes::default(), has_failed });
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let mut extensions = span.extensions_mut();
        let Some(recorded) = extensions.get_mut::<Recorded>() else { return };
        values.record(&mut Fields(&mut recorded.late));
        // These fields only have an effect at the start of a span.
        recorded.late.0.retain(|(key, _)| !matches!(key.as_str(), "traceparent" | "tracestate" | "otel.name"));
        recorded.has_failed |= recorded.late.get("error").is_some_and(is_failure);
    }

    fn on_event(&self, event: &tracing::Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Attributes::default();
        event.record(&mut Fields(&mut fields));
        let mut extensions = span.extensions_mut();
        let Some(recorded) = extensions.get_mut::<Recorded>() else { return };
        let said = fields.0.iter().position(|(key, _)| key == "message").map(|at| shown(&fields.0.remove(at).1));
        let level = *event.metadata().level();
        if let Some(error) = fields.get("error").filter(|_| level == Level::ERROR || said.is_none()) {
            recorded.late.set("error".to_owned(), error.clone());
            recorded.has_failed |= is_failure(error);
        }
        // `#[instrument(ret)]`
        if let ([(key, value)], None) = (fields.0.as_slice(), &said)
            && key == "return"
        {
            recorded.late.set("output".to_owned(), value.clone());
            return;
        }
        let message = said.unwrap_or_else(|| match fields.get("error") {
            Some(error) => shown(error),
            None => fields.0.iter().map(|(key, value)| format!("{key}={}", shown(value))).collect::<Vec<_>>().join(" "),
        });
        let severity = match level {
            Level::TRACE => LogSeverity::Verbose,
            Level::DEBUG => LogSeverity::Debug,
            Level::INFO => LogSeverity::Info,
            Level::WARN => LogSeverity::Warn,
            _ => LogSeverity::Error,
        };
        // These would overwrite the log line's own attributes.
        fields.0.retain(|(key, _)| !matches!(key.as_str(), "severity" | "__ttl__"));
        let (trace_id, span_id) = (recorded.place.trace_id.clone(), recorded.place.span_id.clone());
        let log = UnstructuredLogEvent { trace_id, span_id, timestamp: now(), attributes: fields, message, severity };
        self.log(Event::UnstructuredLog(log));
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let extensions = span.extensions();
        let Some(Recorded { place, trace_state, .. }) = extensions.get::<Recorded>() else { return };
        enter(Current { telemetry: self.telemetry.clone(), place: place.clone(), trace_state: trace_state.clone() });
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        if let Some(recorded) = span.extensions().get::<Recorded>() {
            leave(&recorded.place.span_id);
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        let Some(Recorded { place, late, has_failed, .. }) = span.extensions_mut().remove::<Recorded>() else { return };
        let status = if has_failed { SpanStatus::Error } else { SpanStatus::Ok };
        self.structured(&place, late, StructuredLogPayload::SpanEnd(SpanEndPayload { status }));
    }
}

/// Whether the value of `error` indicates a failure; `error = false` does not.
fn is_failure(error: &Primitive) -> bool {
    quipu_model::failure::says_error(&shown(error))
}

fn shown(value: &Primitive) -> String {
    match value {
        Primitive::Null => String::new(),
        Primitive::Bool(truth) => truth.to_string(),
        Primitive::Integer(number) => number.to_string(),
        Primitive::Float(number) => number.to_string(),
        Primitive::Text(text) => text.clone(),
    }
}

/// Collects fields as typed attributes.
struct Fields<'a>(&'a mut Attributes);

impl Fields<'_> {
    fn put(&mut self, field: &Field, value: Primitive) {
        self.0.set(field.name().to_owned(), value);
    }

    /// Integers that do not fit an attribute become strings.
    fn put_whole(&mut self, field: &Field, value: impl TryInto<i64> + fmt::Display + Copy) {
        let whole = value.try_into().map(Primitive::Integer);
        self.put(field, whole.unwrap_or_else(|_| Primitive::Text(value.to_string())));
    }
}

impl Visit for Fields<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.put(field, Primitive::Text(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, Primitive::Text(value.to_owned()));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, Primitive::Bool(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, Primitive::Integer(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put_whole(field, value);
    }

    fn record_i128(&mut self, field: &Field, value: i128) {
        self.put_whole(field, value);
    }

    fn record_u128(&mut self, field: &Field, value: u128) {
        self.put_whole(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.put(field, Primitive::Float(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        self.put(field, Primitive::Text(value.to_string()));
    }
}

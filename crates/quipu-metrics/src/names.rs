//! Names of the metrics that are computed from spans, and values of their labels.

pub(super) const REQUESTS: &str = "quipu_requests_total";
pub(super) const INFERENCE_REQUESTS: &str = "quipu_inference_requests_total";
pub(super) const ERRORS: &str = "quipu_errors_total";
pub(super) const DURATION_BUCKET: &str = "quipu_span_duration_seconds_bucket";
pub(super) const DURATION_SUM: &str = "quipu_span_duration_seconds_sum";
pub(super) const DURATION_COUNT: &str = "quipu_span_duration_seconds_count";

/// Values of the label `status`: of spans without an error, and of failed ones.
pub(super) const STATUSES: [&str; 2] = [status_of(false), status_of(true)];

/// The value of the label `status` of a span.
pub(super) const fn status_of(failed: bool) -> &'static str {
    if failed { "error" } else { "ok" }
}

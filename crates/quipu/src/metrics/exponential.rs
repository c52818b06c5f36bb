//! Reads a point of an exponential histogram as a native histogram.

use quipu_model::recorded::parse_json;
use quipu_model::{MetricPoint, Value};
use quipu_promql::{EXPONENTIAL_SCHEMAS, Histogram};

/// The buckets are wider than those of any native histogram, and can't be split.
pub(super) struct TooCoarse;

/// Reads a point; `None` if it is damaged.
pub(super) fn read(point: &MetricPoint) -> Result<Option<Histogram>, TooCoarse> {
    let Some(count) = point.count else { return Ok(None) };
    let detail = point.detail.as_deref().and_then(parse_json).unwrap_or(Value::Null);
    let field = |name: &str| detail.get(name).and_then(number).filter(|number| number.is_finite()).unwrap_or(0.0);
    let scale = quipu_model::number::truncated::<i32>(field("scale"));
    if scale < *EXPONENTIAL_SCHEMAS.start() {
        return Err(TooCoarse);
    }
    let schema = scale.min(*EXPONENTIAL_SCHEMAS.end());
    let merged = scale.abs_diff(schema).min(63);
    let side = |name: &str| -> Vec<(i32, f64)> {
        let Some(side) = detail.get(name) else { return Vec::new() };
        let offset = quipu_model::number::truncated::<i64>(side.get("offset").and_then(number).unwrap_or(0.0));
        let mut buckets: Vec<(i32, f64)> = Vec::new();
        for (place, count) in side.get("counts").and_then(Value::items).unwrap_or_default().iter().enumerate() {
            // OTLP numbers a bucket by its lower bound, Prometheus by its upper one.
            let index = (offset.saturating_add(place as i64) >> merged) + 1;
            let (Ok(index), Some(count)) = (i32::try_from(index), number(count).filter(|count| *count > 0.0)) else { continue };
            match buckets.last_mut() {
                Some((last, so_far)) if *last == index => *so_far += count,
                _ => buckets.push((index, count)),
            }
        }
        buckets
    };
    Ok(Some(Histogram {
        schema,
        zero_threshold: field("zero_threshold").max(0.0),
        zero_count: field("zero_count").max(0.0),
        count: count as f64,
        sum: point.value.unwrap_or(0.0),
        positive: side("positive"),
        negative: side("negative"),
        ..Histogram::default()
    }))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        _ => None,
    }
}

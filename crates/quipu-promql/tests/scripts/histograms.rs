//! Histograms in scripts: their shorthand, sums, what a database would say about resets, and how two are compared.

use super::notation::{Item, Loaded, number};
use super::script::same;
use quipu_promql::{CUSTOM_SCHEMA, Histogram, Labels, ResetHint};
use std::collections::BTreeMap;

/// Reads `schema:1 count:2 sum:3 z_bucket:1 z_bucket_w:0.1 buckets:[1 0 2] offset:1 n_buckets:[…] n_offset:1 custom_values:[5 10]
/// counter_reset_hint:gauge`, and tells whether there is a hint.
pub(super) fn read_histogram(text: &str) -> Option<(Histogram, bool)> {
    let mut fields: BTreeMap<&str, &str> = BTreeMap::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, after) = rest.split_once(':')?;
        let (value, after) = match after.strip_prefix('[') {
            Some(list) => list.split_once(']')?,
            None => after.split_once(char::is_whitespace).unwrap_or((after, "")),
        };
        fields.insert(name, value);
        rest = after.trim_start();
    }
    let one = |name: &str| fields.get(name).map_or(Some(0.0), |text| number(text));
    let list = |name: &str| -> Option<Vec<f64>> { fields.get(name).copied().unwrap_or_default().split_whitespace().map(number).collect() };
    let whole = |name: &str| fields.get(name).map_or(Some(0), |text| text.parse::<i32>().ok());
    let side = |buckets: &str, offset: &str| -> Option<Vec<(i32, f64)>> {
        let first = whole(offset)?;
        let counts = list(buckets)?.into_iter().enumerate().map(|(place, count)| (first + place as i32, count));
        Some(counts.filter(|(_, count)| *count != 0.0).collect())
    };
    let hint = match fields.get("counter_reset_hint").copied() {
        None | Some("unknown") => ResetHint::Unknown,
        Some("reset") => ResetHint::Reset,
        Some("not_reset") => ResetHint::NotReset,
        Some("gauge") => ResetHint::Gauge,
        Some(_) => return None,
    };
    let histogram = Histogram {
        hint,
        schema: whole("schema")?,
        zero_threshold: one("z_bucket_w")?,
        zero_count: one("z_bucket")?,
        count: one("count")?,
        sum: one("sum")?,
        positive: side("buckets", "offset")?,
        negative: side("n_buckets", "n_offset")?,
        bounds: list("custom_values")?,
    };
    Some((histogram, fields.contains_key("counter_reset_hint")))
}

/// The sum of two histograms with the same bounds and zero bucket, or their difference if the sign is -1.
pub(super) fn plus(one: &Histogram, other: &Histogram, sign: f64) -> Histogram {
    let schema = one.schema.min(other.schema);
    let side = |left: &[(i32, f64)], right: &[(i32, f64)]| {
        let mut counts: BTreeMap<i32, f64> = BTreeMap::new();
        for (index, from, count) in left
            .iter()
            .map(|(index, count)| (*index, one.schema, *count))
            .chain(right.iter().map(|(index, count)| (*index, other.schema, sign * count)))
        {
            // The bucket that ends at the same bound or the next one.
            let ratio = 1 << (from - schema);
            *counts.entry((index + ratio - 1).div_euclid(ratio)).or_default() += count;
        }
        counts.into_iter().filter(|(_, count)| *count != 0.0).collect()
    };
    Histogram {
        hint: one.hint,
        schema,
        zero_threshold: one.zero_threshold.max(other.zero_threshold),
        zero_count: one.zero_count + sign * other.zero_count,
        count: one.count + sign * other.count,
        sum: one.sum + sign * other.sum,
        positive: side(&one.positive, &other.positive),
        negative: side(&one.negative, &other.negative),
        bounds: one.bounds.clone(),
    }
}

/// Sets what Prometheus's database says about resets when it reads samples back: gauges are marked, and counters that continue what it has
/// stored together with the sample before.
pub(super) fn with_hints(items: &mut [Option<Item>]) {
    let mut before: Option<Histogram> = None;
    for item in items.iter_mut().flatten() {
        let Item::Histogram(histogram, _) = item else {
            before = None;
            continue;
        };
        let own = histogram.clone();
        if own.hint == ResetHint::Gauge {
            before = None;
            continue;
        }
        let continues = own.hint != ResetHint::Reset && before.as_ref().is_some_and(|before| continues(before, &own));
        histogram.hint = if continues { ResetHint::NotReset } else { ResetHint::Unknown };
        before = Some(own);
    }
}

fn continues(before: &Histogram, now: &Histogram) -> bool {
    let grows = |before: &[(i32, f64)], now: &[(i32, f64)]| {
        let now: BTreeMap<i32, f64> = now.iter().copied().collect();
        before.iter().all(|(index, count)| now.get(index).is_some_and(|now| now >= count))
    };
    before.schema == now.schema
        && before.zero_threshold == now.zero_threshold
        && before.bounds == now.bounds
        && before.count <= now.count
        && before.zero_count <= now.zero_count
        && grows(&before.positive, &now.positive)
        && grows(&before.negative, &now.negative)
}

/// Buckets of a classic histogram by upper bound, its count and its sum, at each step.
#[derive(Default)]
struct Parts {
    buckets: Vec<(f64, Vec<Option<Item>>)>,
    count: Vec<Option<Item>>,
    sum: Vec<Option<Item>>,
}

/// The classic histograms among some series as native ones with custom bounds.
pub(super) fn with_custom_buckets(series: &[Loaded]) -> Vec<Loaded> {
    let mut parts: BTreeMap<Labels, Parts> = BTreeMap::new();
    for Loaded { labels, items } in series {
        let name = labels.get("__name__");
        let Some((base, ending)) = name.rsplit_once('_') else { continue };
        let pairs = labels.iter().filter(|(name, _)| *name != "le" && *name != "__name__");
        let whole = Labels::new(pairs.chain([("__name__", base)]));
        match (ending, labels.get("le").parse::<f64>()) {
            ("bucket", Ok(bound)) => parts.entry(whole).or_default().buckets.push((bound, items.clone())),
            ("count", _) => parts.entry(whole).or_default().count.clone_from(items),
            ("sum", _) => parts.entry(whole).or_default().sum.clone_from(items),
            _ => {}
        }
    }
    let float = |items: &[Option<Item>], step: usize| match items.get(step) {
        Some(Some(Item::Float(value))) => Some(*value),
        _ => None,
    };
    let convert = |(labels, mut parts): (Labels, Parts)| {
        parts.buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
        let steps = parts.buckets.iter().map(|(_, items)| items.len()).max().unwrap_or(0);
        let item = |step: usize| {
            let mut histogram = Histogram { schema: CUSTOM_SCHEMA, ..Histogram::default() };
            let mut so_far = 0.0;
            for (bound, items) in &parts.buckets {
                let Some(count) = float(items, step) else { continue };
                let index = histogram.bounds.len() as i32;
                if bound.is_finite() {
                    histogram.bounds.push(*bound);
                }
                if count != so_far {
                    histogram.positive.push((index, count - so_far));
                }
                so_far = count;
            }
            let whole = float(&parts.count, step).unwrap_or(so_far);
            if parts.buckets.last().is_some_and(|(bound, _)| bound.is_finite()) && whole != so_far {
                histogram.positive.push((histogram.bounds.len() as i32, whole - so_far));
            }
            (histogram.count, histogram.sum) = (whole, float(&parts.sum, step).unwrap_or(0.0));
            let is_there = parts.buckets.iter().any(|(_, items)| float(items, step).is_some());
            is_there.then_some(Item::Histogram(histogram, false))
        };
        let mut items: Vec<Option<Item>> = (0..steps).map(item).collect();
        with_hints(&mut items);
        Loaded { labels, items }
    };
    parts.into_iter().filter(|(_, parts)| !parts.buckets.is_empty()).map(convert).collect()
}

/// Whether two histograms are equal up to rounding.
pub(super) fn same_histogram(found: &Histogram, wanted: &Histogram, has_hint: bool) -> Result<(), String> {
    let near = |one: f64, other: f64| same(one, other).is_ok();
    let side = |one: &[(i32, f64)], other: &[(i32, f64)]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && near(one.1, other.1))
    };
    let is_same = found.schema == wanted.schema
        && (!has_hint || found.hint == wanted.hint)
        && near(found.count, wanted.count)
        && near(found.sum, wanted.sum)
        && found.zero_threshold == wanted.zero_threshold
        && near(found.zero_count, wanted.zero_count)
        && found.bounds == wanted.bounds
        && side(&found.positive, &wanted.positive)
        && side(&found.negative, &wanted.negative);
    if is_same { Ok(()) } else { Err(format!("{found:?}\n    not {wanted:?}")) }
}

//! Labels of series: sorted by name, reference-counted, without empty values.

use std::fmt;
use std::sync::Arc;

pub(crate) use crate::METRIC_NAME;

/// Labels of a series. Cheap to clone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Labels(Arc<[(Arc<str>, Arc<str>)]>);

impl Labels {
    /// Creates labels from pairs in any order. Empty values are dropped; the last of duplicate names counts.
    pub fn new<N: Into<Arc<str>>, V: Into<Arc<str>>>(pairs: impl IntoIterator<Item = (N, V)>) -> Labels {
        let mut labels = Labels::default();
        let mut list: Vec<(Arc<str>, Arc<str>)> = Vec::new();
        for (name, value) in pairs {
            put(&mut list, &name.into(), value.into());
        }
        labels.0 = list.into();
        labels
    }

    /// The value of a label; empty if there is none.
    pub fn get(&self, name: &str) -> &str {
        match self.0.binary_search_by(|(found, _)| found.as_ref().cmp(name)) {
            Ok(at) => self.0.get(at).map_or("", |(_, value)| value.as_ref()),
            Err(_) => "",
        }
    }

    /// Name-value pairs, sorted by name.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_ref(), value.as_ref()))
    }

    /// Whether there are no labels.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The total length of names and values, each with some overhead. Those that other labels share count here too.
    pub(super) fn bytes(&self) -> usize {
        self.iter().map(|(name, value)| name.len() + value.len() + 64).sum()
    }

    /// Without the metric name.
    pub(super) fn without_name(&self) -> Labels {
        if self.get(METRIC_NAME).is_empty() { self.clone() } else { self.filtered(|name| name != METRIC_NAME) }
    }

    /// Only these labels.
    pub(super) fn only(&self, names: &[String]) -> Labels {
        self.filtered(|name| names.iter().any(|wanted| wanted == name))
    }

    /// Without these labels.
    pub(super) fn without(&self, names: &[String]) -> Labels {
        self.filtered(|name| !names.iter().any(|unwanted| unwanted == name))
    }

    /// With a label set to this value, or removed if the value is empty.
    pub(super) fn with(&self, name: &str, value: &str) -> Labels {
        let mut list = self.0.to_vec();
        put(&mut list, &Arc::from(name), Arc::from(value));
        Labels(list.into())
    }

    fn filtered(&self, keep: impl Fn(&str) -> bool) -> Labels {
        Labels(self.0.iter().filter(|(name, _)| keep(name)).cloned().collect())
    }
}

fn put(list: &mut Vec<(Arc<str>, Arc<str>)>, name: &Arc<str>, value: Arc<str>) {
    let index = list.binary_search_by(|(found, _)| found.cmp(name));
    match index {
        Ok(at) if value.is_empty() => drop(list.remove(at)),
        Ok(at) => {
            if let Some(slot) = list.get_mut(at) {
                slot.1 = value;
            }
        }
        Err(_) if value.is_empty() => {}
        Err(at) => list.insert(at, (name.clone(), value)),
    }
}

/// Formats labels like Prometheus: `name{label="value"}`.
impl fmt::Display for Labels {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.get(METRIC_NAME))?;
        let mut between = "{";
        for (name, value) in self.iter().filter(|(name, _)| *name != METRIC_NAME) {
            write!(out, "{between}{name}={value:?}")?;
            between = ", ";
        }
        match between {
            "{" if self.is_empty() => out.write_str("{}"),
            "{" => Ok(()),
            _ => out.write_str("}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_sorted_without_empty_ones_and_print_as_prometheus_does() {
        let labels = Labels::new([("b", "2"), ("__name__", "m"), ("a", "x\"y"), ("c", ""), ("b", "3")]);
        assert_eq!(labels.to_string(), r#"m{a="x\"y", b="3"}"#);
        assert_eq!((labels.get("b"), labels.get("c"), labels.iter().len()), ("3", "", 3));
        assert_eq!(labels.without_name().with("a", "").to_string(), r#"{b="3"}"#);
        assert_eq!(labels.only(&["__name__".into()]).to_string(), "m");
        assert_eq!(Labels::default().to_string(), "{}");
    }
}

//! Metric labels and label matchers, with PromQL's rules: an absent label equals an empty one, and regular expressions are anchored.

use super::error::QueryError;
use super::error::kind_of;
use super::params::Object;
use super::types::MetricLabel;
use quipu_model::ordered::sort_by_key;
use regex_lite::Regex;
use serde_json::Value as Json;

/// The operator of a matcher.
enum Test {
    Is(String),
    IsNot(String),
    Matches(Regex),
    MatchesNot(Regex),
}

struct LabelMatcher {
    name: String,
    test: Test,
}

/// All matchers of a query.
pub(super) struct LabelMatchers(Vec<LabelMatcher>);

impl LabelMatchers {
    pub(super) fn read(params: &Object<'_>) -> Result<LabelMatchers, QueryError> {
        let list = params.list("label_matchers", false)?.unwrap_or_default();
        let read = |(number, item): (usize, &Json)| LabelMatcher::read(&format!("label_matchers[{number}]"), item);
        Ok(LabelMatchers(list.iter().enumerate().map(read).collect::<Result<_, _>>()?))
    }

    /// Whether all matchers match a series with these labels.
    pub(super) fn accept(&self, labels: &[MetricLabel]) -> bool {
        self.0.iter().all(|matcher| {
            let value = labels.iter().find(|label| label.name == matcher.name).map(|label| label.value.as_str()).unwrap_or_default();
            match &matcher.test {
                Test::Is(wanted) => value == wanted,
                Test::IsNot(unwanted) => value != unwanted,
                Test::Matches(pattern) => pattern.is_match(value),
                Test::MatchesNot(pattern) => !pattern.is_match(value),
            }
        })
    }

    /// Moves the labels named by matchers to the front, in the order of the matchers, as the reference implementation does.
    pub(super) fn arrange(&self, labels: &mut Vec<MetricLabel>) {
        let place = |label: &MetricLabel| self.0.iter().position(|matcher| matcher.name == label.name).unwrap_or(usize::MAX);
        sort_by_key(labels, place);
    }
}

impl LabelMatcher {
    fn read(place: &str, item: &Json) -> Result<LabelMatcher, QueryError> {
        let Some(object) = item.as_object() else {
            return Err(QueryError::parameter(place, format!("is {}, not an object with name, value and operator", kind_of(item))));
        };
        let text = |name: &str| match object.get(name) {
            Some(Json::String(text)) => Ok(text.clone()),
            Some(other) => Err(QueryError::parameter(&format!("{place}.{name}"), format!("is {}, not a text", kind_of(other)))),
            None => Err(QueryError::parameter(&format!("{place}.{name}"), "is missing".into())),
        };
        let (name, value) = (text("name")?, text("value")?);
        let operator = if object.contains_key("operator") { text("operator")? } else { "=".to_owned() };
        let pattern = || {
            // The dot also matches line breaks, and the expression is anchored.
            Regex::new(&format!("^(?s:{value})$"))
                .map_err(|_| QueryError::parameter(&format!("{place}.value"), format!("is {value:?}, which is not a regular expression")))
        };
        let test = match operator.as_str() {
            "=" => Test::Is(value),
            "!=" => Test::IsNot(value),
            "=~" => Test::Matches(pattern()?),
            "!~" => Test::MatchesNot(pattern()?),
            other => {
                let problem = format!("is {other:?}; it is one of =, !=, =~, !~");
                return Err(QueryError::parameter(&format!("{place}.operator"), problem));
            }
        };
        Ok(LabelMatcher { name, test })
    }
}

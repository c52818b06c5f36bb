//! What the page of metrics shows, and its parts in a URL.
//!
//! What is not here: what is counted (`metrics`).

use super::percent::encode;
use crate::{MetricOptions, TokensBy, TokensShown};

/// What the page of metrics shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsView {
    /// The part of the file's time, `(from, to]` in milliseconds since 1970; `None`: all of it.
    pub window: Option<(i64, i64)>,
    /// Which tokens are drawn.
    pub shown: TokensShown,
    /// By what they are told apart.
    pub by: TokensBy,
    /// How the file is read.
    pub options: MetricOptions,
    /// Whether queries look at the end of that part alone.
    pub at_end: bool,
    /// PromQL queries, in order.
    pub queries: Vec<String>,
}

impl MetricsView {
    /// Queries at most.
    pub const MAX_QUERIES: usize = 8;

    pub(super) fn parts(&self) -> Vec<(&'static str, String)> {
        let defaults = MetricOptions::default();
        let mut parts = Vec::new();
        if let Some((from, to)) = self.window {
            parts.push(("window", format!("{from}~{to}")));
        }
        if self.shown != TokensShown::All {
            parts.push(("tokens", self.shown.name().into()));
        }
        if self.by == TokensBy::Provider {
            parts.push(("split", "provider".into()));
        }
        if self.options.scrape_millis != defaults.scrape_millis {
            parts.push(("scrape", self.options.scrape_millis.to_string()));
        }
        if self.options.merge_labels {
            parts.push(("models", "merged".into()));
        }
        if self.options.exact {
            parts.push(("rates", "exact".into()));
        }
        if self.at_end {
            parts.push(("look", "end".into()));
        }
        parts.extend(self.queries.iter().map(|query| ("query", encode(query))));
        parts
    }

    /// Takes one part of a URL; `false` when it means nothing.
    pub(super) fn read(&mut self, key: &str, value: &str) -> bool {
        match (key, value) {
            ("window", ends) => {
                let ends = ends.split_once('~').and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
                match ends.filter(|(from, to): &(i64, i64)| from < to) {
                    Some(ends) => self.window = Some(ends),
                    None => return false,
                }
            }
            ("tokens", name) => match TokensShown::ALL.into_iter().find(|shown| shown.name() == name) {
                Some(shown) => self.shown = shown,
                None => return false,
            },
            ("split", "model") => self.by = TokensBy::Model,
            ("split", "provider") => self.by = TokensBy::Provider,
            ("scrape", millis) => match millis.parse().ok().filter(|millis| (1..=86_400_000).contains(millis)) {
                Some(millis) => self.options.scrape_millis = millis,
                None => return false,
            },
            ("models", "merged") => self.options.merge_labels = true,
            ("look", "end") => self.at_end = true,
            ("rates", "exact") => self.options.exact = true,
            ("query", query) if self.queries.len() < MetricsView::MAX_QUERIES => self.queries.push(query.to_owned()),
            _ => return false,
        }
        true
    }
}

//! The tables of the metrics page: token shares and cost, routes, durations, sources, and PromQL results.
//!
//! Charts are in `view`.

use super::nothing;
use crate::view::{NOT_NAMED, quoted, requests_chart, series_name, tokens_chart};
use quipu_model::format::{DASH, cost_text, count, counted, duration_text, number_text, share_text};
use quipu_model::number::truncated;
use quipu_model::{Cost, PriceTable, Timestamp};
use quipu_promql::{PromqlAnswer, PromqlHistogram, PromqlSeries};
use quipu_protocol::TokensShown;
use quipu_protocol::address::encode;
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{button, soft};
use quipu_protocol::{Chart, CountedRequests, Exemplar, Exemplars, Latency, Overview, OverviewPage, RouteRequests, TokenShare, TokensBy};

/// Maximum rows of a table. PromQL returns all of them.
const MOST_ROWS: usize = 100;
/// Maximum cells of the table for a chart.
const MOST_CELLS: usize = 6_000;
/// Most letters of a histogram in a table.
const MOST_OF_HISTOGRAM: usize = 300;

/// Renders an overview.
pub fn overview_page(overview: &Overview, by: TokensBy, shown: TokensShown, prices: &PriceTable) -> OverviewPage {
    let tokens = tokens_chart(overview, by, shown);
    let requests = requests_chart(overview);
    let mut shares = Vec::new();
    if overview.tokens.is_empty() {
        let sentence = "No inference request ended in this time range.";
        shares.push(nothing(&[sentence]).into());
    } else {
        shares.push(Node::from(shares_table(overview, by, prices)));
        shares.push(Node::from(sources(overview.counted)));
        shares.push(values_twin(&tokens));
    }
    let mut routes = Vec::new();
    if !overview.routes.is_empty() {
        routes.push(Node::from(el(Tag::H2).text("Requests by route")));
        routes.push(Node::from(routes_table(&overview.routes)));
        routes.push(values_twin(&requests));
    }
    if !overview.latencies.is_empty() {
        routes.push(Node::from(el(Tag::H2).text("Durations by span name")));
        routes.push(Node::from(latencies_table(&overview.latencies)));
        routes.extend(rest(overview.latencies.len(), "name", "names"));
    }
    OverviewPage { extent: overview.extent, window: overview.window, tokens, requests, shares, routes }
}

fn figures(label: &str, heads: &[&str], rows: impl IntoIterator<Item = El>) -> El {
    let head =
        |(place, name): (usize, &&str)| el(Tag::Th).class(if place == 0 { "" } else { "number" }).attr(Attr::Scope, "col").text(*name);
    el(Tag::Table)
        .class("figures")
        .attr(Attr::Label, label)
        .with(el(Tag::Thead).with(el(Tag::Tr).all(heads.iter().enumerate().map(head))))
        .with(el(Tag::Tbody).all(rows))
}

/// A row whose first cell links to the traces that match a filter.
fn row(name: &str, filter: Option<String>, title: &str, cells: Vec<El>) -> El {
    let shown = if name.is_empty() { NOT_NAMED } else { name };
    let head = match filter {
        Some(filter) => {
            let press = button(shown, format!("filter={}", encode(&filter))).class("quiet span-link").attr(Attr::Title, title);
            el(Tag::Th).attr(Attr::Scope, "row").with(press)
        }
        None => el(Tag::Th).attr(Attr::Scope, "row").text(shown),
    };
    el(Tag::Tr).attr(Attr::Name, name).with(head).all(cells)
}

fn number(text: impl Into<String>) -> El {
    el(Tag::Td).class("number").text(text)
}

fn failed(number_of: u64) -> El {
    match number_of {
        0 => number("0"),
        _ => el(Tag::Td).class("number failed").with(Node::Icon(Icon::Failed)).text(count(number_of)),
    }
}

fn rest(len: usize, singular: &str, plural: &str) -> Option<Node> {
    let more = len.checked_sub(MOST_ROWS).filter(|more| *more > 0)?;
    Some(el(Tag::P).class("soft").text(format!("and {} more", counted(Some(more as u64), singular, plural))).into())
}

fn shares_table(overview: &Overview, by: TokensBy, prices: &PriceTable) -> El {
    let of = |share: &TokenShare| share.total.unwrap_or_default();
    let whole: f64 = overview.tokens.iter().map(of).sum();
    let amount = |value: Option<f64>| number(value.map_or_else(|| DASH.to_owned(), number_text));
    let counts = |value: Option<u64>| number(value.map_or_else(|| DASH.to_owned(), count));
    let costs: Vec<Option<Cost>> = overview.tokens.iter().map(|share| cost(share, by, prices)).collect();
    let with_costs = by == TokensBy::Model && !prices.is_empty();
    let one = |(share, cost): (&TokenShare, &Option<Cost>)| {
        let per_request = match (share.total, share.counted) {
            (Some(total), Some(requests @ 1..)) => number(number_text((total / requests as f64 * 10.0).round() / 10.0)),
            _ => number(DASH),
        };
        let total = amount(share.total);
        let total = if share.total.is_some() { total.with(soft(share_text(truncated(of(share)), truncated(whole)))) } else { total };
        let mut cells = vec![amount(share.prompt), amount(share.completion), total];
        if by == TokensBy::Model {
            cells.extend([counts(share.requests), share.failed.map_or_else(|| number(DASH), failed), per_request]);
        }
        if with_costs {
            cells.push(number(cost_text(*cost)));
        }
        let filter = (by == TokensBy::Model && !share.name.is_empty()).then(|| format!("model:{}", quoted(&share.name)));
        row(&share.name, filter, "List the traces with this model", cells)
    };
    let mut heads = vec![if by == TokensBy::Model { "Model" } else { "Provider" }, "Prompt", "Completion", "Total"];
    if by == TokensBy::Model {
        heads.extend(["Requests", "Failed", "Tokens a request"]);
    }
    if with_costs {
        heads.push("Cost");
    }
    let mut rows: Vec<El> = overview.tokens.iter().zip(&costs).take(MOST_ROWS).map(one).collect();
    if overview.tokens.len() > 1 {
        rows.push(sum_row(overview, by, with_costs.then(|| cost_text(Cost::sum(costs.iter().copied())))));
    }
    figures("Tokens by share", &heads, rows)
}

fn sum_row(overview: &Overview, by: TokensBy, cost: Option<String>) -> El {
    let sum = |part: fn(&TokenShare) -> Option<f64>| {
        let known: Vec<f64> = overview.tokens.iter().filter_map(part).collect();
        number(if known.is_empty() { DASH.to_owned() } else { number_text(known.iter().sum()) })
    };
    let counts = |part: fn(&TokenShare) -> Option<u64>| overview.tokens.iter().filter_map(part).sum::<u64>();
    let mut cells = vec![sum(|share| share.prompt), sum(|share| share.completion), sum(|share| share.total)];
    if by == TokensBy::Model {
        cells.extend([number(count(counts(|share| share.requests))), failed(counts(|share| share.failed)), number("")]);
    }
    cells.extend(cost.map(number));
    el(Tag::Tr).class("sum").with(el(Tag::Th).attr(Attr::Scope, "row").text("Together")).all(cells)
}

/// Cost of a model's tokens; a lower bound if some requests have no count.
fn cost(share: &TokenShare, by: TokensBy, prices: &PriceTable) -> Option<Cost> {
    if by != TokensBy::Model {
        return None;
    }
    let cost = prices.cost(&share.name, share.prompt, share.completion)?;
    // Prompt and completion counts may cover fewer requests than the total, so that their sum is smaller.
    let falls_short =
        share.total.zip(share.prompt.zip(share.completion)).is_some_and(|(total, (prompt, completion))| prompt + completion < total);
    let uncounted = share.requests.unwrap_or_default() > share.counted.unwrap_or_default();
    let is_free = prices.of(&share.name).is_some_and(|price| price.prompt == 0.0 && price.completion == 0.0);
    Some(Cost { is_least: !is_free && (cost.is_least || falls_short || uncounted), ..cost })
}

fn sources(counted_requests: CountedRequests) -> El {
    let CountedRequests { recorded, derived, uncounted } = counted_requests;
    let all = recorded + derived + uncounted;
    let sentence = match all {
        0 => "There are no inference requests in this time range.".to_owned(),
        _ => format!(
            "Of {}, {} recorded by the server, {} derived from outputs or attributes, {} without any count.",
            counted(Some(all), "inference request", "inference requests"),
            count(recorded),
            count(derived),
            count(uncounted)
        ),
    };
    el(Tag::P).class("soft sources").text(sentence)
}

fn routes_table(routes: &[RouteRequests]) -> El {
    let one = |route: &RouteRequests| {
        let name = quoted(&route.route);
        let errors = match route.failed {
            0 => number("0"),
            some => el(Tag::Td).class("number failed").with(Node::Icon(Icon::Failed)).with(
                button(count(some), format!("filter={}", encode(&format!("{{name={name} error:true}}"))))
                    .class("quiet span-link")
                    .attr(Attr::Title, "List the traces in which it failed"),
            ),
        };
        let cells = vec![number(count(route.requests)), errors, number(share_text(route.failed, route.requests))];
        row(&route.route, Some(format!("name={name}")), "List the traces with this route", cells)
    };
    figures("Requests by route", &["Route", "Requests", "Failed", "Share that failed"], routes.iter().take(MOST_ROWS).map(one))
}

fn latencies_table(latencies: &[Latency]) -> El {
    let one = |latency: &Latency| {
        let time = |nanos: Option<u64>| number(duration_text(nanos));
        let cells = vec![
            number(count(latency.spans)),
            failed(latency.failed),
            time(latency.median),
            time(latency.p95),
            time(latency.p99),
            time(latency.max),
        ];
        row(&latency.name, Some(format!("name={}", quoted(&latency.name))), "List the traces with this span", cells)
    };
    let heads = ["Span name", "Spans", "Failed", "Median", "95th percentile", "99th percentile", "Longest"];
    figures("Durations by span name", &heads, latencies.iter().take(MOST_ROWS).map(one))
}

/// The values of a chart as a table, built when opened.
fn values_twin(chart: &Chart) -> Node {
    let rows = MOST_CELLS / chart.series.len().max(1);
    let at = |seconds: f64| Node::Time { at: Some(Timestamp(truncated(seconds * 1e9))), zero: None };
    let value =
        |value: Option<&f64>| number(value.filter(|value| !value.is_nan()).map_or_else(|| DASH.to_owned(), |value| number_text(*value)));
    let line = |(place, seconds): (usize, &f64)| {
        let cells = chart.series.iter().map(|series| value(series.values.get(place)));
        el(Tag::Tr).with(el(Tag::Th).attr(Attr::Scope, "row").with(at(*seconds))).all(cells)
    };
    let has_value =
        |place: usize| chart.series.iter().any(|series| series.values.get(place).is_some_and(|value| *value != 0.0 && !value.is_nan()));
    let kept: Vec<(usize, &f64)> = chart.times.iter().enumerate().filter(|(place, _)| has_value(*place)).collect();
    let mut heads = vec!["Until"];
    heads.extend(chart.series.iter().map(|series| series.name.as_str()));
    let lines = kept.iter().take(rows).copied().map(line);
    let label = format!("{}, as a table", chart.title);
    // Scrollable elements must be reachable by keyboard.
    let scrolled = el(Tag::Div).class("scrolled").attr(Attr::TabIndex, "0").attr(Attr::Role, "group").attr(Attr::Label, label.as_str());
    let mut inside = vec![Node::from(scrolled.with(figures(&label, &heads, lines)))];
    if kept.len() > rows {
        inside.push(soft(format!("and {} more times", count((kept.len() - rows) as u64))).into());
    }
    Node::Details { class: "twin-table".into(), summary: vec![Node::Text("As a table".into())], inside }
}

/// Renders a PromQL result: one row per series for an instant, a table of the chart's values for a range; below it the exemplars.
pub fn answer_sheet(answer: &PromqlAnswer, chart: Option<&Chart>, notes: &[String], exemplars: &Exemplars) -> Vec<Node> {
    let all = answer.series();
    let mut nodes: Vec<Node> = match (answer, chart) {
        (PromqlAnswer::Scalar(point), _) => vec![el(Tag::P).class("scalar number").text(number_text(point.value)).into()],
        (PromqlAnswer::Text(_, text), _) => vec![el(Tag::P).class("scalar").text(text.as_str()).into()],
        _ if all.is_empty() => {
            vec![nothing(&["No series has a value at that time. Choose another time, or check the metrics of this file."]).into()]
        }
        (PromqlAnswer::Matrix(list), Some(chart)) => vec![steps_table(list).into(), values_twin(chart)],
        (list, _) => vec![instant_table(list.series()).into()],
    };
    nodes.extend(rest(all.len(), "series", "series"));
    if chart.is_some() && all.iter().any(|series| !series.histograms.is_empty()) {
        nodes.push(soft("Histograms are not drawn. Ask for a number of them, such as histogram_quantile(0.95, …).").into());
    }
    nodes.extend(notes.iter().map(|note| soft(note.as_str()).into()));
    if !exemplars.list.is_empty() {
        nodes.push(el(Tag::H2).text("Exemplars").into());
        nodes.push(exemplar_table(&exemplars.list).into());
        if exemplars.total > exemplars.list.len() as u64 {
            let (listed, all) = (count(exemplars.list.len() as u64), count(exemplars.total));
            nodes.push(el(Tag::P).class("soft").text(format!("The latest {listed} of {all} exemplars.")).into());
        }
    }
    nodes
}

/// Measurements of the series, each with a link to the span during which it was made.
fn exemplar_table(list: &[Exemplar]) -> El {
    let one = |found: &Exemplar| {
        let at = Node::Time { at: Some(Timestamp(found.at_millis.saturating_mul(1_000_000))), zero: None };
        let place = format!("{}/{}", found.trace_id, found.span_id);
        let trace = match found.trace_id.as_str() {
            "" => soft(DASH),
            id if found.has_trace => el(Tag::A).class("mono").attr(Attr::Trace, place).text(id),
            id => soft(id).attr(Attr::Title, "This trace is not in the file"),
        };
        el(Tag::Tr).with(el(Tag::Td).with(at)).with(number(number_text(found.value))).with(el(Tag::Td).with(trace))
    };
    let head = |name: &str| el(Tag::Th).attr(Attr::Scope, "col").text(name);
    let heads = [head("Time"), head("Value").class("number"), head("Trace")];
    el(Tag::Table)
        .class("figures")
        .attr(Attr::Label, "Exemplars")
        .with(el(Tag::Thead).with(el(Tag::Tr).all(heads)))
        .with(el(Tag::Tbody).all(list.iter().map(one)))
}

/// A histogram in the width of a cell.
fn histogram_text(point: &PromqlHistogram) -> String {
    let text = point.histogram.to_string();
    match text.char_indices().nth(MOST_OF_HISTOGRAM) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

/// A series with its labels as a row heading. Pressing it shows the spans behind its last value.
fn series_head(series: &PromqlSeries, place: usize) -> El {
    let press = button(series_name(series), format!("point={place}"))
        .class("quiet span-link mono")
        .attr(Attr::Title, "List the spans behind its last value");
    el(Tag::Th).attr(Attr::Scope, "row").with(press)
}

fn instant_table(list: &[PromqlSeries]) -> El {
    let one = |(place, series): (usize, &PromqlSeries)| {
        let values = series.points.iter().map(|point| number_text(point.value));
        let values: Vec<String> = values.chain(series.histograms.iter().map(histogram_text)).take(20).collect();
        el(Tag::Tr).with(series_head(series, place)).with(number(values.join(" ")))
    };
    figures("Answer", &["Series", "Value"], list.iter().enumerate().take(MOST_ROWS).map(one))
}

fn steps_table(list: &[PromqlSeries]) -> El {
    let one = |(place, series): (usize, &PromqlSeries)| {
        let values = || series.points.iter().map(|point| point.value).filter(|value| !value.is_nan());
        let text = |value: Option<f64>| number(value.map_or_else(|| DASH.to_owned(), number_text));
        let (least, most) = (values().reduce(f64::min), values().reduce(f64::max));
        el(Tag::Tr)
            .with(series_head(series, place))
            .with(match series.histograms.last() {
                Some(last) if series.points.last().is_none_or(|point| point.at_millis < last.at_millis) => number(histogram_text(last)),
                _ => text(series.points.last().map(|point| point.value)),
            })
            .with(text(least))
            .with(text(most))
    };
    figures("Answer", &["Series", "Last", "Least", "Most"], list.iter().enumerate().take(MOST_ROWS).map(one))
}

//! The flame graph of a trace: ordered by time, left-heavy, or callers and callees of one name. Boxes link to their spans; a table has the
//! same data.
//!
//! `view` computes the layout.

use super::{nothing, page_of, pages};
use crate::view::{FlameBox, FlameGraph, FlameOrder, FlameWindow, SMALL, Tick, box_part, least_of, ticks};
use quipu_model::format::{cost_text, count, counted, duration_text};
use quipu_model::number::narrow;
use quipu_model::ordered::sort_by_key;
use quipu_model::{Cost, SpanKind};
use quipu_protocol::FlameWeight;
use quipu_protocol::address::{encode, range};
use quipu_protocol::markup::{Attr, El, Icon, Node, Tag, el};
use quipu_protocol::markup::{button, choices, soft};
use quipu_protocol::{FlameLayout, SheetView};
use std::cmp::Reverse;

/// Boxes narrower than this many pixels are merged with their neighbours.
const LEAST_PX: f64 = 2.0;
/// Narrower boxes have no visible name, only a tooltip.
const NAMED_PX: f64 = 24.0;
/// Height of a level in pixels.
const LEVEL_PX: u32 = 20;
/// Minimum distance of ticks in pixels.
const TICK_PX: u32 = 90;
/// Ticks further to the right have no room for their label.
const LAST_TICK: f64 = 0.96;
/// Maximum number of boxes; more are merged.
const MAX_BOXES: usize = 3_000;
/// Levels per page.
const LEVELS: usize = 300;
/// Maximum rows of the table.
const MAX_ROWS: usize = 300;

/// Data access of a flame graph.
pub struct FlameSource<'a> {
    /// The name with an index.
    pub names: &'a dyn Fn(u32) -> String,
    /// Id and kind of the span in a row.
    pub span: &'a dyn Fn(u32) -> (String, SpanKind),
    /// The boxes of an order, by a weight, in a window.
    pub graph: &'a dyn Fn(&FlameOrder, FlameWeight, FlameWindow) -> FlameGraph,
    /// Whether any tokens are known.
    pub has_tokens: bool,
    /// Cost of all requests; `None` if it is unknown.
    pub cost: Option<Cost>,
    /// Span names in alphabetical order, for the selection.
    pub all_names: Vec<String>,
    /// Name of the selected span, or of the first one.
    pub name: String,
    /// Row of the selected span.
    pub selected: Option<u32>,
}

/// Options of a flame graph.
pub struct FlameShown<'a> {
    /// View options.
    pub view: &'a SheetView,
    /// Visible part of the trace's time.
    pub window: Option<(u64, u64)>,
    /// Text to find in names.
    pub find: &'a str,
    /// Width in pixels.
    pub width: u32,
}

/// Renders the flame graph.
pub fn flame_sheet(source: &FlameSource<'_>, shown: &FlameShown<'_>) -> Vec<Node> {
    let view = shown.view;
    let focus = view.around.clone().unwrap_or_else(|| source.name.clone());
    let orders = match view.layout {
        FlameLayout::Time => vec![FlameOrder::Time],
        FlameLayout::LeftHeavy => vec![FlameOrder::LeftHeavy],
        FlameLayout::Sandwich => vec![FlameOrder::Callers(focus.clone()), FlameOrder::Callees(focus.clone())],
    };
    let mut tools = tools(source, view, &focus);
    let mut nodes = Vec::new();
    for (number, order) in orders.iter().enumerate() {
        let (drawn, zoom) = graph(source, shown, order, number);
        nodes.extend(drawn);
        // The graph does not change when another span is selected. The selection is shown above it.
        if let Some(set) = zoom {
            tools = tools.with(button("Zoom to the selected span", set).class("quiet"));
        }
    }
    nodes.insert(0, tools.into());
    nodes
}

fn tools(source: &FlameSource<'_>, view: &SheetView, focus: &str) -> El {
    let layouts = [
        ("By time", "Every span at its time", "flame=time&zoom=&page="),
        ("Left-heavy", "Equal calls merged, heaviest first", "flame=heavy&zoom=&page="),
        ("Sandwich", "Callers and callees of one name", "flame=sandwich&zoom=&page="),
    ];
    let chosen = match view.layout {
        FlameLayout::Time => "By time",
        FlameLayout::LeftHeavy => "Left-heavy",
        FlameLayout::Sandwich => "Sandwich",
    };
    let mut tools = el(Tag::Div).class("sheet-tools").with(choices("Order", &layouts, chosen));
    let has_costs = source.cost.is_some() || view.weight == FlameWeight::Cost;
    if (source.has_tokens || has_costs) && view.layout != FlameLayout::Time {
        let weights = [
            ("Time", "A box is as long as its spans took", "weight=&zoom="),
            ("Tokens", "A box is as long as its inference requests used tokens", "weight=tokens&zoom="),
            ("Cost", "A box is as long as its inference requests cost by your prices", "weight=cost&zoom="),
        ];
        let chosen = weights.get(view.weight as usize).map_or("", |(name, ..)| name);
        tools = tools.with(choices("Weight", if has_costs { &weights } else { &weights[..2] }, chosen));
    }
    if view.layout == FlameLayout::Sandwich {
        let names = source.all_names.iter().map(String::as_str);
        let is_listed = source.all_names.iter().any(|name| name == focus);
        let option = |name: &str| {
            let option = el(Tag::Option).attr(Attr::Value, name).text(name);
            if name == focus { option.attr(Attr::Selected, "") } else { option }
        };
        let list = (!is_listed).then_some(focus).into_iter().chain(names).map(option);
        let select = el(Tag::Select).attr(Attr::Field, "around").attr(Attr::Id, "around").all(list);
        tools = tools.with(el(Tag::Label).text("of ").with(select));
    }
    if source.selected.is_some() && !(view.layout == FlameLayout::Sandwich && source.name == focus) {
        let set = format!("flame=sandwich&around={}&zoom=&page=", encode(&source.name));
        let title = format!("Callers and callees of {}", source.name);
        tools = tools.with(button("Callers and callees", set).class("quiet").attr(Attr::Title, title));
    }
    tools
}

fn graph(source: &FlameSource<'_>, shown: &FlameShown<'_>, order: &FlameOrder, number: usize) -> (Vec<Node>, Option<String>) {
    let view = shown.view;
    let is_time = *order == FlameOrder::Time;
    let weight = if is_time { FlameWeight::Time } else { view.weight };
    let zoom = if is_time { shown.window } else { view.zoom.filter(|_| matches!(order, FlameOrder::LeftHeavy)) };
    let draw = |least| {
        let (from, to) = zoom.unwrap_or((0, u64::MAX));
        (source.graph)(order, weight, FlameWindow { from, to, least })
    };
    // The total is only known after a layout.
    let whole = draw(u64::MAX).total.max(1);
    let part = zoom.unwrap_or((0, whole));
    let mut least = least_of(part, f64::from(shown.width.max(200)), LEAST_PX);
    let mut found = draw(least);
    let levels = page_of(view.page, LEVELS, found.levels as usize);
    let is_on_page = |found: &FlameBox| levels.contains(&(found.level as usize));
    while found.boxes.iter().filter(|found| is_on_page(found)).count() > MAX_BOXES && least < whole {
        least = least.saturating_mul(2).max(1);
        found = draw(least);
    }
    let title = match order {
        FlameOrder::Time => "Spans in order of time".to_owned(),
        FlameOrder::LeftHeavy => "Calls, heaviest first".to_owned(),
        FlameOrder::Callers(name) => format!("Callers of {name}"),
        FlameOrder::Callees(name) => format!("Callees of {name}"),
    };
    let painter = Painter { source, shown, weight, part, is_time, first_level: narrow(levels.start), number };
    let boxes: Vec<&FlameBox> = found.boxes.iter().filter(|found| is_on_page(found)).collect();
    if boxes.is_empty() {
        let text = match (order, weight) {
            (_, FlameWeight::Cost) if source.cost.is_some_and(|cost| cost.nanos == 0) => "These inference requests cost nothing.".into(),
            (_, FlameWeight::Cost) if source.cost.is_some() => "Nothing here has a cost.".into(),
            (FlameOrder::Callers(name), _) if found.total == 0 => format!("No span of this trace is named {name}, or none took any time."),
            (_, FlameWeight::Tokens) => "No inference request here has a known number of tokens.".into(),
            (_, FlameWeight::Cost) => "No inference request here has a known cost. Enter prices on the Metrics page.".into(),
            _ => "There are no spans here.".into(),
        };
        return (vec![el(Tag::H2).text(title).into(), nothing(&[&text]).into()], None);
    }
    let mut head = el(Tag::Header).with(el(Tag::H2).text(title.as_str())).with(soft(painter.amount(found.total)).class("soft number"));
    if weight == FlameWeight::Cost && source.cost.is_some_and(|cost| cost.is_least) {
        head = head.with(soft("lower bound: the count or price of some requests is unknown"));
    }
    if zoom.is_some() {
        let set = if is_time { "window=" } else { "zoom=" };
        head = head.with(button("Whole graph", set).class("quiet").attr(Attr::Id, format!("whole-{number}")));
    }
    let selected = boxes.iter().find(|found| found.name != SMALL && source.selected == Some(found.row));
    let to_selected = selected.and_then(|found| painter.zoom_to(found));
    if !shown.find.is_empty() {
        head = head.with(el(Tag::Span).attr(Attr::Role, "status").text(painter.found_words(&boxes)));
    }
    let height = narrow(levels.end - levels.start) * LEVEL_PX;
    let drawn = el(Tag::Div)
        .class("flame-boxes")
        .attr(Attr::Style, format!("height:{height}px"))
        .attr(Attr::Role, "group")
        .attr(Attr::Label, format!("{title}: boxes; arrow keys move between them, Enter selects, z zooms"))
        .all(painter.boxes(&boxes));
    let mut section = el(Tag::Section).class("flame-graph").attr(Attr::Label, title).with(head);
    if is_time {
        section = section.with(axis(part, shown.width));
    }
    section = section.with(drawn).with(painter.table(&boxes));
    let mut nodes = vec![section.into()];
    nodes.extend(pages(levels, LEVELS, found.levels as usize, "level", "levels").map(Node::from));
    (nodes, to_selected)
}

/// The time axis.
fn axis((from, to): (u64, u64), width: u32) -> El {
    let mark = |tick: Tick| el(Tag::Span).attr(Attr::Style, format!("left:{:.3}%", tick.at * 100.0)).text(tick.label);
    let marks = ticks(from, to, (width / TICK_PX) as usize).into_iter().filter(|tick| tick.at < LAST_TICK).map(mark);
    el(Tag::Div).class("flame-axis number").attr(Attr::Hidden, "true").all(marks)
}

struct Painter<'a> {
    source: &'a FlameSource<'a>,
    shown: &'a FlameShown<'a>,
    weight: FlameWeight,
    part: (u64, u64),
    is_time: bool,
    first_level: u32,
    number: usize,
}

impl Painter<'_> {
    fn amount(&self, amount: u64) -> String {
        match self.weight {
            FlameWeight::Time => duration_text(Some(amount)),
            FlameWeight::Tokens => counted(Some(amount), "token", "tokens"),
            FlameWeight::Cost => cost_text(self.source.cost.map(|cost| Cost { nanos: amount, is_least: false, ..cost })),
        }
    }

    fn name(&self, found: &FlameBox) -> String {
        if found.name == SMALL { counted(Some(found.spans.into()), "short span", "short spans") } else { (self.source.names)(found.name) }
    }

    /// The description of a box.
    fn words(&self, found: &FlameBox) -> String {
        let mut parts = vec![self.name(found), self.amount(found.length)];
        if found.own < found.length {
            parts.push(format!("self {}", self.amount(found.own)));
        }
        if found.spans > 1 && found.name != SMALL {
            parts.push(counted(Some(found.spans.into()), "span", "spans"));
        }
        if found.failed > 0 {
            parts.push(format!("{} failed", count(found.failed.into())));
        }
        parts.join(" · ")
    }

    fn is_found(&self, found: &FlameBox) -> bool {
        quipu_model::fold::Needle::new(self.shown.find).is_some_and(|needle| found.name != SMALL && needle.is_in(&self.name(found)))
    }

    fn found_words(&self, boxes: &[&FlameBox]) -> String {
        let matching: Vec<&&FlameBox> = boxes.iter().filter(|found| self.is_found(found)).collect();
        let length = matching.iter().fold(0_u64, |sum, found| sum.saturating_add(found.own));
        format!("{} named “{}”, self {}", counted(Some(matching.len() as u64), "box", "boxes"), self.shown.find, self.amount(length))
    }

    /// The change of the view that zooms to a box.
    fn zoom_to(&self, found: &FlameBox) -> Option<String> {
        let (from, to) = (found.start, found.start.saturating_add(found.length.max(1)));
        let is_whole = (from, to) == self.part;
        let key = if self.is_time { "window" } else { "zoom" };
        (!is_whole && (self.is_time || self.shown.view.layout == FlameLayout::LeftHeavy)).then(|| format!("{key}={}", range((from, to))))
    }

    fn id(&self, at: usize) -> String {
        format!("box-{}-{at}", self.number)
    }

    fn boxes(&self, boxes: &[&FlameBox]) -> Vec<El> {
        let ways = ways(boxes);
        let is_searching = !self.shown.find.is_empty();
        // One box is reachable with Tab, the others with arrow keys.
        let mut drawn = Vec::with_capacity(boxes.len());
        for (at, found) in boxes.iter().enumerate() {
            let Some((left, width)) = box_part(found, self.part) else { continue };
            let (span_id, kind) = if found.name == SMALL { (String::new(), SpanKind::Other) } else { (self.source.span)(found.row) };
            let has_room = width * f64::from(self.shown.width) >= NAMED_PX;
            let mut class = format!("flame-box kind-{}", kind.label());
            if has_room {
                class += " named";
            }
            if found.failed > 0 {
                class += " failed";
            }
            if is_searching {
                class += if self.is_found(found) { " found" } else { " dim" };
            }
            let top = (found.level - self.first_level) * LEVEL_PX;
            let style = format!("left:{:.4}%;width:{:.4}%;top:{top}px", left * 100.0, width * 100.0);
            let mut one = el(Tag::Button)
                .class(&class)
                .attr(Attr::Id, self.id(at))
                .attr(Attr::Style, style)
                .attr(Attr::Title, self.words(found))
                .attr(Attr::TabIndex, if at == 0 { "0" } else { "-1" });
            if found.name != SMALL {
                one = one.attr(Attr::Span, span_id);
            }
            if let Some(set) = self.zoom_to(found) {
                one = one.attr(Attr::Zoom, set);
            }
            for (attr, to) in [Attr::Up, Attr::Down, Attr::Left, Attr::Right].into_iter().zip(ways.get(at).copied().unwrap_or_default()) {
                if let Some(to) = to {
                    one = one.attr(attr, self.id(to));
                }
            }
            if found.failed > 0 && has_room {
                one = one.with(Node::Icon(Icon::Failed));
            }
            drawn.push(if has_room { one.text(self.name(found)) } else { one });
        }
        drawn
    }

    /// The boxes as a table, longest first.
    fn table(&self, boxes: &[&FlameBox]) -> El {
        let mut rows = boxes.to_vec();
        sort_by_key(&mut rows, |found| (Reverse(found.length), found.level, found.start));
        let len = rows.len();
        rows.truncate(MAX_ROWS);
        let number = |text: String| el(Tag::Td).class("number").text(text);
        let row = |found: &FlameBox| {
            let name = el(Tag::Th).attr(Attr::Scope, "row");
            let name = if found.name == SMALL {
                name.text(self.name(found))
            } else {
                let id = (self.source.span)(found.row).0;
                name.with(el(Tag::Button).class("quiet span-link").attr(Attr::Span, id).text(self.name(found)))
            };
            el(Tag::Tr)
                .with(name)
                .with(number(count(u64::from(found.level) + 1)))
                .with(number(self.amount(found.start)))
                .with(number(self.amount(found.length)))
                .with(number(self.amount(found.own)))
                .with(number(count(found.spans.into())))
                .with(number(count(found.failed.into())))
        };
        let heads = ["Name", "Level", "Begins at", "Length", "Self", "Spans", "Failed"];
        let head = heads.map(|head| el(Tag::Th).attr(Attr::Scope, "col").class(if head == "Name" { "" } else { "number" }).text(head));
        let mut inside: Vec<Node> = Vec::new();
        if len > rows.len() {
            let words = format!("The {} longest of {} boxes; zoom in to see the others.", count(rows.len() as u64), count(len as u64));
            inside.push(el(Tag::P).class("soft").text(words).into());
        }
        let table = el(Tag::Table)
            .class("figures")
            .attr(Attr::Label, "Boxes of the flame graph")
            .with(el(Tag::Thead).with(el(Tag::Tr).all(head)))
            .with(el(Tag::Tbody).all(rows.into_iter().map(row)));
        inside.push(table.into());
        el(Tag::Div).class("entry-other").with(Node::Details {
            class: String::new(),
            summary: vec![Node::Text("As a table".into())],
            inside,
        })
    }
}

/// The arrow-key targets of each box: up, down, left, right. Boxes are sorted by level and from left to right.
fn ways(boxes: &[&FlameBox]) -> Vec<[Option<usize>; 4]> {
    let mut found: Vec<[Option<usize>; 4]> = vec![[None; 4]; boxes.len()];
    let end = |at: usize| boxes.get(at).map_or(0, |found| found.start.saturating_add(found.length));
    let mut level_above = 0..0;
    let mut at = 0;
    for level in boxes.chunk_by(|one, other| one.level == other.level) {
        let here = at..at + level.len();
        let mut above = level_above.start;
        for place in here.clone() {
            let start = boxes.get(place).map_or(0, |found| found.start);
            // The box above is the last one that does not start later.
            while above + 1 < level_above.end && boxes.get(above + 1).is_some_and(|next| next.start <= start) {
                above += 1;
            }
            let up = (above < level_above.end && end(above) >= start).then_some(above);
            if let Some(ways) = found.get_mut(place) {
                *ways = [
                    up,
                    None,
                    place.checked_sub(1).filter(|left| *left >= here.start),
                    Some(place + 1).filter(|right| *right < here.end),
                ];
            }
            if let Some(ways) = up.and_then(|up| found.get_mut(up)) {
                ways[1] = ways[1].or(Some(place));
            }
        }
        at = here.end;
        level_above = here;
    }
    found
}

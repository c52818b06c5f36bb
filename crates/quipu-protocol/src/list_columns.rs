//! The columns of the trace list: labels, selection, and which ones fit a width.
//!
//! Cells are formatted in `quipu_ui`.

use crate::{GroupBy, ListColumn, TraceOrder};

/// Fixed properties of a column.
struct Facts {
    /// Name in URLs and settings.
    name: &'static str,
    label: &'static str,
    /// Tooltip of the heading; empty if the label is self-explanatory.
    title: &'static str,
    /// Width in pixels; a minimum for columns that grow.
    width: u16,
    /// Priority: columns with a lower rank are kept longer when space is short.
    rank: u8,
}

const fn facts(column: ListColumn) -> Facts {
    const fn of(name: &'static str, label: &'static str, title: &'static str, width: u16, rank: u8) -> Facts {
        Facts { name, label, title, width, rank }
    }
    match column {
        ListColumn::Start => of("start", "Start", "The first start of its spans", 178, 3),
        ListColumn::Name => of("name", "Name", "The route or the root span; of groups the session or turn", 110, 0),
        ListColumn::Asked => of("asked", "Asked", "The user’s words the trace began with; of groups those of their first trace", 150, 4),
        ListColumn::Duration => of("duration", "Duration", "From the first start to the last end", 78, 1),
        ListColumn::Spans => of("spans", "Spans", "", 56, 6),
        ListColumn::Failed => of("failed", "Failed", "Failed spans", 56, 2),
        ListColumn::Requests => of("requests", "Requests", "Requests in the trace, where it holds more than one", 72, 11),
        ListColumn::Model => of("model", "Model", "The first model that was asked", 150, 7),
        ListColumn::Prompt => of("prompt", "Prompt", "Tokens of prompts", 62, 9),
        ListColumn::Completion => of("completion", "Completion", "Tokens of completions", 84, 10),
        ListColumn::Tokens => of("tokens", "Tokens", "Tokens in all", 64, 5),
        ListColumn::Cost => of("cost", "Cost", "What its tokens cost by your prices; see Metrics", 76, 5),
        ListColumn::Session => of("session", "Session", "The agent’s session", 110, 8),
        ListColumn::Turn => of("turn", "Turn", "The agent’s turn", 110, 12),
        ListColumn::Agent => of("agent", "Agent", "The agent’s name, or its id", 110, 13),
        ListColumn::Service => of("service", "Service", "The service that wrote the root span", 120, 7),
    }
}

/// Pixels between columns, and at both ends.
const GAP: u16 = 10;
const SIDES: u16 = 24;
/// Pixels for the bar next to a duration, if there is room.
const BAR: u16 = 92;
/// Minimum width of the name column before durations get a bar.
const NAME_BESIDE_BAR: u16 = 220;
/// Additional width of the name and question columns before durations get a bar.
const ASKED_BESIDE_BAR: u16 = 40;

impl ListColumn {
    /// The name in URLs and settings.
    pub fn name(self) -> &'static str {
        facts(self).name
    }

    /// The column with this name.
    pub fn from_name(name: &str) -> Option<ListColumn> {
        ListColumn::ALL.into_iter().find(|column| column.name() == name)
    }

    /// The heading.
    pub fn label(self) -> &'static str {
        facts(self).label
    }

    /// The tooltip of the heading; empty if it is self-explanatory.
    pub fn title(self) -> &'static str {
        facts(self).title
    }

    /// Whether the column is a number, which is right-aligned.
    pub fn is_number(self) -> bool {
        use ListColumn::{Completion, Cost, Failed, Prompt, Requests, Spans, Tokens};
        matches!(self, Spans | Failed | Requests | Prompt | Completion | Tokens | Cost)
    }

    /// Whether the list can be sorted by the column.
    pub fn sorts(self) -> bool {
        self != ListColumn::Asked
    }
}

impl TraceOrder {
    /// The order after a click on a heading: the opposite direction for the current column; otherwise descending for numbers and times,
    /// ascending for names.
    pub fn by(self, column: ListColumn) -> TraceOrder {
        let first = column.is_number() || matches!(column, ListColumn::Start | ListColumn::Duration);
        TraceOrder { column, descending: if self.column == column { !self.descending } else { first } }
    }

    /// The name in URLs: the column's, with a leading `-` for descending order.
    pub fn name(self) -> String {
        format!("{}{}", if self.descending { "-" } else { "" }, self.column.name())
    }

    /// The order with this name.
    pub fn from_name(name: &str) -> Option<TraceOrder> {
        match name {
            // URLs of earlier releases.
            "newest" => return Some(TraceOrder::NEWEST),
            "slowest" => return Some(TraceOrder::SLOWEST),
            _ => {}
        }
        let (descending, column) = name.strip_prefix('-').map_or((false, name), |column| (true, column));
        Some(TraceOrder { column: ListColumn::from_name(column)?, descending })
    }
}

impl GroupBy {
    /// The name in URLs.
    pub fn name(self) -> &'static str {
        match self {
            GroupBy::Session => "session",
            GroupBy::Turn => "turn",
        }
    }

    /// The grouping with this name.
    pub fn from_name(name: &str) -> Option<GroupBy> {
        [GroupBy::Session, GroupBy::Turn].into_iter().find(|by| by.name() == name)
    }
}

/// The set of selected columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ColumnSet(u16);

impl Default for ColumnSet {
    fn default() -> ColumnSet {
        use ListColumn::{Agent, Cost, Requests, Turn};
        let chosen = ListColumn::ALL.into_iter().filter(|column| !matches!(column, Requests | Cost | Turn | Agent));
        ColumnSet(chosen.fold(0, |set, column| set | 1 << column as u16))
    }
}

impl ColumnSet {
    /// Whether a column is selected; the name column always is.
    pub fn has(self, column: ListColumn) -> bool {
        column == ListColumn::Name || self.0 >> (column as u16) & 1 == 1
    }

    /// The set with `column` added or removed.
    pub fn toggled(self, column: ListColumn) -> ColumnSet {
        if column == ListColumn::Name { self } else { ColumnSet(self.0 ^ 1 << column as u16) }
    }

    /// The set for a file with one service, which needs no column of it.
    pub fn without_services(self) -> ColumnSet {
        ColumnSet(self.0 & !(1 << ListColumn::Service as u16))
    }

    /// The text in URLs and settings: names separated by commas.
    pub fn text(self) -> String {
        let names: Vec<&str> = ListColumn::ALL.into_iter().filter(|column| self.has(*column)).map(ListColumn::name).collect();
        names.join(",")
    }

    /// Parses [`text`](ColumnSet::text); `None` if it contains an unknown name.
    pub fn from_text(text: &str) -> Option<ColumnSet> {
        let mut set = ColumnSet(1 << ListColumn::Name as u16);
        for name in text.split(',') {
            set.0 |= 1 << ListColumn::from_name(name)? as u16;
        }
        Some(set)
    }

    /// The columns that fit `width` pixels, by priority, and the CSS grid template of their widths. The sort column is kept, unless it is
    /// the start.
    pub fn fitting(self, sorted_by: ListColumn, width: f64) -> (Vec<ListColumn>, String) {
        let mut columns: Vec<ListColumn> = ListColumn::ALL.into_iter().filter(|column| self.has(*column)).collect();
        let needed = |columns: &[ListColumn]| columns.iter().map(|column| facts(*column).width + GAP).sum::<u16>() + SIDES - GAP;
        // If the question is shown, the name column may be narrow.
        let beside = if self.has(ListColumn::Asked) { ASKED_BESIDE_BAR } else { NAME_BESIDE_BAR - facts(ListColumn::Name).width };
        while f64::from(needed(&columns)) > width {
            // The start column is wide, and most lists are sorted by it.
            let is_kept = |column: ListColumn| column == sorted_by && column != ListColumn::Start;
            let rank = |column: ListColumn| if is_kept(column) { 0 } else { facts(column).rank };
            let Some(last) = columns.iter().copied().max_by_key(|column| rank(*column)).filter(|column| rank(*column) > 0) else { break };
            columns.retain(|column| *column != last);
        }
        let has_bar = columns.contains(&ListColumn::Duration) && f64::from(needed(&columns) + beside + BAR) <= width;
        let track = |column: &ListColumn| match column {
            ListColumn::Name => format!("minmax({}px,1fr)", facts(*column).width),
            ListColumn::Asked => format!("minmax({}px,1.5fr)", facts(*column).width),
            ListColumn::Duration if has_bar => format!("{}px", facts(*column).width + BAR),
            column => format!("{}px", facts(*column).width),
        };
        let tracks: Vec<String> = columns.iter().map(track).collect();
        (columns, tracks.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_looked_for_first_stays_where_there_is_little_room() {
        let shown = |width: f64, sorted_by| {
            let (columns, tracks) = ColumnSet::default().without_services().fitting(sorted_by, width);
            let names: Vec<&str> = columns.into_iter().map(ListColumn::name).collect();
            format!("{width}: {} | {tracks}", names.join(" "))
        };
        insta::assert_snapshot!(
            [shown(1600.0, ListColumn::Start), shown(1280.0, ListColumn::Start), shown(700.0, ListColumn::Duration), shown(400.0, ListColumn::Start), shown(400.0, ListColumn::Tokens), shown(360.0, ListColumn::Model)]
                .join("\n"),
            @r"
            1600: start name asked duration spans failed model prompt completion tokens session | 178px minmax(110px,1fr) minmax(150px,1.5fr) 170px 56px 56px 150px 62px 84px 64px 110px
            1280: start name asked duration spans failed model prompt completion tokens session | 178px minmax(110px,1fr) minmax(150px,1.5fr) 78px 56px 56px 150px 62px 84px 64px 110px
            700: start name asked duration failed | 178px minmax(110px,1fr) minmax(150px,1.5fr) 78px 56px
            400: name duration failed | minmax(110px,1fr) 78px 56px
            400: name duration failed tokens | minmax(110px,1fr) 78px 56px 64px
            360: name model | minmax(110px,1fr) 150px
            "
        );
    }

    #[test]
    fn a_heading_turns_its_order_around_and_begins_with_what_is_looked_for() {
        let order = TraceOrder::NEWEST.by(ListColumn::Tokens);
        assert_eq!((order.name(), order.by(ListColumn::Tokens).name()), ("-tokens".into(), "tokens".into()));
        assert_eq!(order.by(ListColumn::Model).name(), "model");
        assert_eq!(TraceOrder::NEWEST.by(ListColumn::Start).name(), "start");
        for column in ListColumn::ALL {
            for descending in [true, false] {
                let order = TraceOrder { column, descending };
                assert_eq!(TraceOrder::from_name(&order.name()), Some(order));
            }
        }
        assert_eq!(TraceOrder::from_name("--start"), None);
    }

    #[test]
    fn chosen_columns_come_back_from_their_text() {
        let set = ColumnSet::default().toggled(ListColumn::Agent).toggled(ListColumn::Start).toggled(ListColumn::Name);
        assert_eq!(set.text(), "name,service,asked,duration,spans,failed,model,prompt,completion,tokens,session,agent");
        assert_eq!(ColumnSet::from_text(&set.text()), Some(set));
        assert_eq!(set.without_services().text(), set.text().replace("service,", ""));
        assert_eq!(ColumnSet::from_text("start,colour"), None);
        assert!(ColumnSet::from_text("agent").is_some_and(|set| set.has(ListColumn::Name) && !set.has(ListColumn::Start)));
    }
}

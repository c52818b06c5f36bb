//! The views of a trace beside its timeline: tabs, conversation, logs, statistics, flame graph.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;

/// A view of a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tab {
    /// The spans over time.
    Timeline,
    /// The spans by what called what.
    FlameGraph,
    /// What was said.
    Conversation,
    /// Log records.
    Logs,
    /// Durations by name.
    Statistics,
}

impl Tab {
    /// What its tab is named.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Tab::Timeline => "Timeline",
            Tab::FlameGraph => "Flame graph",
            Tab::Conversation => "Conversation",
            Tab::Logs => "Logs",
            Tab::Statistics => "Statistics",
        }
    }
}

impl Page {
    /// The tabs over a trace.
    pub(crate) fn tabs(&self) -> Tabs<'_> {
        Tabs(self)
    }

    /// A trace as a conversation.
    pub(crate) fn conversation(&self) -> Conversation<'_> {
        Conversation(self)
    }

    /// A trace's log records.
    pub(crate) fn logs(&self) -> Logs<'_> {
        Logs(self)
    }

    /// A trace's durations by name.
    pub(crate) fn statistics(&self) -> Statistics<'_> {
        Statistics(self)
    }

    /// A trace as a flame graph.
    pub(crate) fn flame_graph(&self) -> FlameGraph<'_> {
        FlameGraph(self)
    }

    /// Opens a view of the trace that is shown.
    pub(crate) async fn open_tab(&self, tab: Tab) -> Result<()> {
        self.click("tab", tab.name()).await
    }

    /// The values of an attribute in the shown view, in order.
    async fn view_attributes(&self, attribute: &str) -> Result<Vec<String>> {
        let script =
            format!("return [...document.querySelectorAll('[role=tabpanel] [{attribute}]')].map((e) => e.getAttribute('{attribute}'))");
        self.read(&script).await
    }
}

/// The tabs over a trace.
pub(crate) struct Tabs<'a>(&'a Page);

impl Tabs<'_> {
    /// Their names, in order.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        self.0.read("return all('tab').map((tab) => nameOf(tab))").await
    }

    /// The name of what has the focus, and then of every tab that says it is chosen.
    pub(crate) async fn focused_and_chosen(&self) -> Result<Vec<String>> {
        let script =
            "return [document.activeElement, ...all('tab').filter((tab) => tab.ariaSelected === 'true')].map((tab) => nameOf(tab))";
        self.0.read(script).await
    }

    /// Whether the tab that names the shown view says it is chosen.
    pub(crate) async fn chosen_names_the_view(&self) -> Result<bool> {
        let script = "const panel = document.querySelector('[role=tabpanel]');
            return document.getElementById(panel.getAttribute('aria-labelledby')).ariaSelected === 'true'";
        self.0.read(script).await
    }

    /// The text of the shown view.
    pub(crate) async fn view_text(&self) -> Result<String> {
        self.0.text_of("document.querySelector('[role=tabpanel]')").await?.context("No view is shown.")
    }

    /// Waits until the shown view has more than a few words.
    pub(crate) async fn wait_view(&self) -> Result<()> {
        self.0.wait_for("(document.querySelector('.sheet')?.innerText ?? '').length > 20", "the view").await
    }
}

/// A trace as a conversation.
pub(crate) struct Conversation<'a>(&'a Page);

impl Conversation<'_> {
    /// Waits until a turn is drawn.
    pub(crate) async fn wait_turn(&self) -> Result<()> {
        self.0.wait_for("document.querySelector('.turn')", "the conversation").await
    }

    /// Waits until a message is drawn.
    pub(crate) async fn wait_message(&self) -> Result<()> {
        self.0.wait_for("document.querySelector('.sheet .message')", "the conversation").await
    }

    /// How many turns are drawn.
    pub(crate) async fn turns(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('.turn').length").await
    }

    /// Shows all traces of the agent session.
    pub(crate) async fn show_session(&self) -> Result<()> {
        self.0.click("button", "Whole session").await
    }

    /// Shows the arguments of the first tool call as they were recorded.
    pub(crate) async fn show_raw_arguments(&self) -> Result<()> {
        self.0.click_by_script(".tool-call .raw-switch").await
    }

    /// Goes from the first result of a tool to its span.
    pub(crate) async fn open_span_of_result(&self) -> Result<()> {
        self.0.click_by_script(".tool-result [data-span]").await?;
        self.0.wait_panel().await
    }
}

/// A trace's log records.
pub(crate) struct Logs<'a>(&'a Page);

impl Logs<'_> {
    /// The ids of the records that are listed, in order.
    pub(crate) async fn ids(&self) -> Result<Vec<String>> {
        self.0.view_attributes("data-event-id").await
    }

    /// Lists records of this severity and above only.
    pub(crate) async fn choose_severity(&self, severity: &str) -> Result<()> {
        self.0.choose_option("#severity", severity).await?;
        self.0.wait_idle().await
    }

    /// Goes from the first record to its span.
    pub(crate) async fn open_first_span(&self) -> Result<()> {
        self.0.click_by_script(".log-row [data-span]").await?;
        self.0.wait_panel().await
    }
}

/// A trace's durations by name.
pub(crate) struct Statistics<'a>(&'a Page);

impl Statistics<'_> {
    /// The names, in order.
    pub(crate) async fn names(&self) -> Result<Vec<String>> {
        self.0.view_attributes("data-name").await
    }

    /// The numbers of spans of all names, added up.
    pub(crate) async fn spans(&self) -> Result<u64> {
        let script = "return [...document.querySelectorAll('[data-name]')].map((row) => row.cells[1].innerText)
            .reduce((sum, text) => sum + Number(text), 0)";
        self.0.read(script).await
    }

    /// Presses the heading of a column: sorts by it, or the other way round.
    pub(crate) async fn sort_by(&self, heading: &str) -> Result<()> {
        self.0.click("button", heading).await
    }

    /// The headings that say they are sorted by, from the largest down.
    pub(crate) async fn sorted_descending(&self) -> Result<Vec<String>> {
        let script =
            "return [...document.querySelectorAll('th[aria-sort=descending]')].map((e) => e.innerText.replace(/[^A-Za-z0-9]/g, ''))";
        self.0.read(script).await
    }

    /// Goes from a name to its spans in the timeline.
    pub(crate) async fn open_spans_of(&self, name: &str) -> Result<()> {
        self.0.click_by_script(&format!("[data-name={}] th button", json!(name))).await?;
        self.0.wait_timeline().await
    }

    /// Waits until there is a column of costs.
    pub(crate) async fn wait_costs(&self) -> Result<()> {
        self.0.wait_for("document.querySelector('#by-cost')", "a column of costs").await
    }
}

/// A trace as a flame graph.
pub(crate) struct FlameGraph<'a>(&'a Page);

impl FlameGraph<'_> {
    /// How many spans its boxes stand for: one each, or as many as the box says.
    pub(crate) async fn spans_in_boxes(&self) -> Result<u64> {
        let script = r"return [...document.querySelectorAll('.flame-box')]
            .map((e) => Number(/^(\d+) short spans?/.exec(e.title)?.[1] ?? 1)).reduce((a, b) => a + b, 0)";
        self.0.read(script).await
    }

    /// How many boxes are drawn.
    pub(crate) async fn boxes(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('.flame-box').length").await
    }

    /// The span of the first box.
    pub(crate) async fn first_span(&self) -> Result<Option<String>> {
        self.0.read("return document.querySelector('.flame-box').dataset.span ?? null").await
    }

    /// Puts the focus on the box that the keyboard reaches first.
    pub(crate) async fn focus(&self) -> Result<()> {
        self.0.run("document.querySelector('.flame-box[tabindex=\"0\"]').focus()").await?;
        Ok(())
    }

    /// The span of the box that has the focus.
    pub(crate) async fn focused_span(&self) -> Result<Option<String>> {
        self.0.read("return document.activeElement.dataset.span ?? null").await
    }

    /// Shows all of it again after zooming.
    pub(crate) async fn show_whole(&self) -> Result<()> {
        self.0.click("button", "Whole graph").await
    }

    /// Shows the callers and callees of the selected span.
    pub(crate) async fn show_callers_and_callees(&self) -> Result<()> {
        self.0.click("button", "Callers and callees").await
    }

    /// Merges equal stacks, the heaviest first.
    pub(crate) async fn show_left_heavy(&self) -> Result<()> {
        self.0.click("button", "Left-heavy").await
    }

    /// Makes boxes as wide as they cost, and waits until they are drawn.
    pub(crate) async fn weigh_by_cost(&self) -> Result<()> {
        self.0.click("button", "Cost").await?;
        self.0.wait_for("location.hash.includes('weight=cost') && document.querySelector('.flame-box')", "boxes by cost").await
    }

    /// Opens the table that lists its boxes, and answers how many rows it has.
    pub(crate) async fn rows_of_table(&self) -> Result<u64> {
        self.0.click_by_script(".flame-graph summary").await?;
        self.0.read("return document.querySelector('table[aria-label=\"Boxes of the flame graph\"]').tBodies[0].rows.length").await
    }
}

//! The panel of a span: its text, the comparison with the inference before, and what is found in it.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::By;

/// The panel.
const PANEL: &str = "named('complementary', 'Span')";
/// The list of what is found in it.
const MATCHES: &str = "[aria-label=\"Matches in this span\"]";
/// The box to find something in it.
const FIND: &str = "[aria-label='Find in this span']";

impl Page {
    /// The panel of the selected span.
    pub(crate) fn span_panel(&self) -> SpanPanel<'_> {
        SpanPanel(self)
    }

    /// Waits until the panel of a span is drawn.
    pub(crate) async fn wait_panel(&self) -> Result<()> {
        self.wait_for(PANEL, "the panel of the span").await
    }

    /// The text of the span's panel.
    pub(crate) async fn panel_text(&self) -> Result<String> {
        self.text_of(PANEL).await?.context("No span's panel is shown.")
    }
}

/// The panel of the selected span.
pub(crate) struct SpanPanel<'a>(&'a Page);

impl SpanPanel<'_> {
    /// Whether it is shown.
    pub(crate) async fn is_shown(&self) -> Result<bool> {
        self.0.holds(PANEL).await
    }

    /// Waits until it is that of the span of this id.
    pub(crate) async fn wait_of(&self, span_id: &str) -> Result<()> {
        self.0.wait_for(&format!("{PANEL}?.innerText.includes({})", json!(span_id)), &format!("the panel of span {span_id}")).await
    }

    /// Waits until it is closed, with the timeline still there.
    pub(crate) async fn wait_closed(&self) -> Result<()> {
        self.0.wait_for(&format!("!{PANEL} && named('treegrid', 'Timeline')"), "the panel to close").await
    }

    /// Compares the input with that of the inference before, and answers what the comparison says.
    pub(crate) async fn compare_with_before(&self) -> Result<String> {
        self.0.click("button", "Compare with the previous input").await?;
        Ok(self.0.text_of("document.querySelector('.comparison')").await?.unwrap_or_default())
    }

    /// Goes from the comparison to the span it compares with.
    pub(crate) async fn open_compared(&self) -> Result<()> {
        self.0.click_by_script(".comparison [data-span]").await?;
        self.0.wait_panel().await
    }

    /// Whether it has a box to find something in it.
    pub(crate) async fn has_find(&self) -> Result<bool> {
        self.0.holds(&format!("document.querySelector({})", json!(FIND))).await
    }

    /// Finds a text in it, and waits until a match is listed.
    pub(crate) async fn find(&self, text: &str) -> Result<()> {
        self.0.driver.find(By::Css(FIND)).await?.send_keys(text).await?;
        self.0.wait_for("document.querySelector('.matches mark')", "the matches").await
    }

    /// Waits until what is found in it is listed.
    pub(crate) async fn wait_matches(&self) -> Result<()> {
        self.0.wait_for(&format!("document.querySelector({})", json!(format!("{MATCHES} li"))), "the matches").await
    }

    /// Goes to the first match in the list.
    pub(crate) async fn open_first_match(&self) -> Result<()> {
        self.0.click_by_script(&format!("{MATCHES} li button")).await
    }

    /// Waits until the values in it are marked where they hold `text`, in lower case, and nowhere else.
    pub(crate) async fn wait_marked(&self, text: &str) -> Result<()> {
        let marked = format!(
            "const panel = {PANEL};
             const list = panel.querySelector({});
             const marks = [...panel.querySelectorAll('mark')].filter((mark) => !list.contains(mark) && shown(mark));
             return marks.length > 0 && marks.every((mark) => mark.textContent.toLowerCase() === {})",
            json!(MATCHES),
            json!(text)
        );
        self.0.wait_until(&marked, "the text to be marked in the panel").await
    }
}

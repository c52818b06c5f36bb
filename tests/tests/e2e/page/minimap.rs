//! The part of a trace that is shown: the axis over the timeline, bars outside of it, and the minimap.

use super::Page;
use super::trace::Trace;
use anyhow::Result;
use serde_json::json;
use thirtyfour::By;

/// An end of the shown part, which the minimap has a handle for.
#[derive(Debug, Clone, Copy)]
enum End {
    Start,
    Last,
}

impl Page {
    /// The minimap over the timeline.
    pub(crate) fn minimap(&self) -> Minimap<'_> {
        Minimap(self)
    }
}

impl Trace<'_> {
    /// The labels of the axis.
    pub(crate) async fn axis(&self) -> Result<Option<String>> {
        self.page().text_of("document.querySelector('.axis-head .axis')").await
    }

    /// For every bar outside the shown part, the title of the arrow to it.
    pub(crate) async fn bars_out_of_sight(&self) -> Result<Vec<String>> {
        self.page().read("return [...document.querySelectorAll('[data-span-id] .bar-off')].map((bar) => bar.title)").await
    }

    /// Selects the first span whose bar is outside the shown part.
    pub(crate) async fn select_bar_out_of_sight(&self) -> Result<()> {
        self.page().click_by_script("[data-span-id]:has(.bar-off)").await?;
        self.page().wait_panel().await
    }

    /// Whether the bar of the selected span is inside the shown part.
    pub(crate) async fn selected_bar_is_in_sight(&self) -> Result<bool> {
        self.page().holds("document.querySelector('[data-span-id][aria-selected=true] .bar-off') === null").await
    }

    /// Shows the whole trace.
    pub(crate) async fn show_whole(&self) -> Result<()> {
        self.page().click("button", "Whole trace").await
    }
}

/// The minimap over the timeline.
pub(crate) struct Minimap<'a>(&'a Page);

impl Minimap<'_> {
    /// What its picture says it shows.
    pub(crate) async fn label(&self) -> Result<String> {
        self.0.read("return document.querySelector('.minimap [role=img]')?.getAttribute('aria-label') ?? ''").await
    }

    /// Puts the focus on the start of the shown part, and answers where it is: percent of the trace, as text.
    pub(crate) async fn focus_start(&self) -> Result<String> {
        self.focus(End::Start).await
    }

    /// The same of its end.
    pub(crate) async fn focus_end(&self) -> Result<String> {
        self.focus(End::Last).await
    }

    async fn focus(&self, end: End) -> Result<String> {
        let name = match end {
            End::Start => "Start of the shown part",
            End::Last => "End of the shown part",
        };
        let handle = format!("named('slider', {})", json!(name));
        self.0.read(&format!("{handle}.focus(); return document.activeElement.getAttribute('aria-valuenow')")).await
    }

    /// Pulls over the minimap by way of the given places, parts of its width.
    pub(crate) async fn pull(&self, places: [f64; 3]) -> Result<()> {
        let ([from, by, to], top) = self.points(places).await?;
        let chain = self.0.driver.action_chain().move_to(from, top).click_and_hold();
        chain.move_to(by, top).move_to(to, top).release().perform().await?;
        self.0.wait_idle().await
    }

    /// Clicks twice at a place, a part of its width.
    pub(crate) async fn double_click(&self, place: f64) -> Result<()> {
        let ([at], top) = self.points([place]).await?;
        self.0.driver.action_chain().move_to(at, top).double_click().perform().await?;
        self.0.wait_idle().await
    }

    /// Where places of its width are in the window, and the height of its middle.
    async fn points<const N: usize>(&self, places: [f64; N]) -> Result<([i64; N], i64)> {
        let map = self.0.driver.find(By::Css(".minimap")).await?.rect().await?;
        Ok((places.map(|part| map.x as i64 + (map.width * part) as i64), (map.y + map.height / 2.0) as i64))
    }
}

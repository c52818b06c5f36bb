//! The search through all texts of a file: its progress, and the list of matches.

use super::Page;
use anyhow::Result;

/// The list.
const GRID: &str = "named('grid', 'Matches')";
/// The status that a search was stopped.
const STOPPED: &str = "named('status', 'Search stopped')";

impl Page {
    /// The list of matches.
    pub(crate) fn matches(&self) -> Matches<'_> {
        Matches(self)
    }

    /// Waits until the search has looked at everything.
    pub(crate) async fn wait_searched(&self) -> Result<()> {
        let done = "!named('progressbar', 'Searching') && !(named('status', 'Count')?.innerText ?? 'so far').includes('so far')";
        self.wait_for(done, "the search to be complete").await
    }

    /// Presses the button that stops a search as soon as it is there, from now on. A person may be slower.
    pub(crate) async fn stop_next_search(&self) -> Result<()> {
        // The observer outlives this script, and with it the helpers.
        let script = "new MutationObserver((_, observer) => {
            const stop = named('button', 'Stop');
            if (stop) { observer.disconnect(); stop.click(); }
        }).observe(document.body, { childList: true, subtree: true })";
        self.run(script).await?;
        Ok(())
    }

    /// Waits until the search says that it was stopped.
    pub(crate) async fn wait_search_stopped(&self) -> Result<()> {
        self.wait_for(STOPPED, "the search to be stopped").await
    }

    /// Whether the search says that it was stopped.
    pub(crate) async fn search_is_stopped(&self) -> Result<bool> {
        self.holds(STOPPED).await
    }

    /// Goes on with a search that was stopped, to its end.
    pub(crate) async fn finish_search(&self) -> Result<()> {
        self.click("button", "Go on").await?;
        self.wait_searched().await
    }
}

/// The list of matches.
pub(crate) struct Matches<'a>(&'a Page);

impl Matches<'_> {
    /// Shows it instead of the list of traces.
    pub(crate) async fn show(&self) -> Result<()> {
        self.0.click("button", "Matches").await
    }

    /// Waits until the page is idle and it is shown.
    pub(crate) async fn wait(&self) -> Result<()> {
        self.0.wait_for(GRID, "the list of matches").await
    }

    /// Waits until more than so many are drawn.
    pub(crate) async fn wait_more_than(&self, count: usize) -> Result<()> {
        self.0.wait_until(&format!("return document.querySelectorAll('[data-hit-trace]').length > {count}"), "the matches").await
    }

    /// The ids of the spans in it. Fails when it announces another number.
    pub(crate) async fn span_ids(&self) -> Result<Vec<String>> {
        self.0.row_ids("grid", "Matches", "data-span-id").await
    }

    /// The texts that are marked in it, in lower case.
    pub(crate) async fn marks(&self) -> Result<Vec<String>> {
        self.0.read(&format!("return [...{GRID}.querySelectorAll('mark')].map((mark) => mark.textContent.toLowerCase())")).await
    }

    /// The texts of the rows whose first mark is not in sight as a whole.
    pub(crate) async fn rows_with_hidden_mark(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('[data-hit-trace]')].filter((row) => {
                const [mark, cell] = [row.querySelector('mark'), row.querySelector('.hit-text')].map((part) => part.getBoundingClientRect());
                return mark.width === 0 || mark.left < cell.left || mark.right > cell.right + 1;
            }).map((row) => row.innerText)";
        self.0.read(script).await
    }

    /// Opens the first.
    pub(crate) async fn open_first(&self) -> Result<()> {
        self.0.click_by_script("[data-hit-trace]").await?;
        self.0.wait_timeline().await
    }
}

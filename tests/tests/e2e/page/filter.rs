//! The filter over the list of traces: its input, its terms, and what it suggests.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::Key;

/// The filter's input.
const INPUT: &str = "named('combobox', 'Filter traces')";

impl Page {
    /// Types a filter and applies it.
    pub(crate) async fn filter(&self, text: &str) -> Result<()> {
        self.type_filter(text).await?;
        self.press(Key::Enter).await
    }

    /// Appends text to the filter, and waits for the suggestions.
    pub(crate) async fn type_filter(&self, text: &str) -> Result<()> {
        self.element(INPUT, "filter").await?.send_keys(text).await?;
        self.wait_settled().await
    }

    /// Removes the whole filter.
    pub(crate) async fn clear_filter(&self) -> Result<()> {
        self.click("button", "Clear filter").await
    }

    /// Removes the filter where it matches nothing.
    pub(crate) async fn show_all_traces(&self) -> Result<()> {
        self.click("button", "Show all traces").await
    }

    /// Leaves the filter's input by Escape, which first closes what is suggested.
    pub(crate) async fn leave_filter(&self) -> Result<()> {
        for _ in 0..2 {
            if self.holds("document.activeElement?.getAttribute('role') === 'combobox'").await? {
                self.press(Key::Escape).await?;
            }
        }
        Ok(())
    }

    /// What is in the filter's input, not applied yet.
    pub(crate) async fn filter_draft(&self) -> Result<String> {
        self.read(&format!("return {INPUT}.value")).await
    }

    /// The terms that are applied.
    pub(crate) async fn filter_terms(&self) -> Result<Vec<String>> {
        self.read("return [...(named('list', 'Filter terms')?.children ?? [])].map((e) => e.innerText.trim())").await
    }

    /// Removes an applied term.
    pub(crate) async fn remove_term(&self, term: &str) -> Result<()> {
        self.click("button", &format!("Remove {term}")).await
    }

    /// Presses an applied term, to change it.
    pub(crate) async fn edit_term(&self, term: &str) -> Result<()> {
        self.click("button", term).await
    }

    /// What the filter's input says is wrong with the draft.
    pub(crate) async fn filter_error(&self) -> Result<String> {
        let text = self.text_of(&format!("document.getElementById({INPUT}.getAttribute('aria-describedby'))")).await?;
        text.context("The filter's input has no description.")
    }

    /// The input's `aria-invalid`.
    pub(crate) async fn filter_invalid(&self) -> Result<Option<String>> {
        self.read(&format!("return {INPUT}.getAttribute('aria-invalid')")).await
    }

    /// The part of the draft that is marked as wrong.
    pub(crate) async fn filter_error_mark(&self) -> Result<String> {
        self.read(&format!("return {INPUT}.parentElement.querySelector('u').textContent")).await
    }

    /// What is suggested below the input that has the focus; empty when nothing is.
    pub(crate) async fn suggestions(&self) -> Result<Vec<String>> {
        self.read("return all('option').filter(shown).map((e) => e.innerText.replace(/\\s+/g, ' ').trim())").await
    }

    /// Waits until anything is suggested.
    pub(crate) async fn wait_suggestions(&self) -> Result<()> {
        self.wait_until("return all('option').some(shown)", "suggestions").await
    }

    /// Waits until the page is idle and a suggestion begins with `start`.
    pub(crate) async fn wait_suggestion(&self, start: &str) -> Result<()> {
        let found = format!("all('option').some((e) => shown(e) && e.innerText.startsWith({}))", json!(start));
        self.wait_for(&found, &format!("the suggestion {start}")).await
    }

    /// The suggestion that the keyboard has reached.
    pub(crate) async fn selected_suggestion(&self) -> Result<String> {
        self.text_of("document.querySelector('[role=option][aria-selected=true]')").await?.context("No suggestion is selected.")
    }

    /// How many rows the list says it has.
    pub(crate) async fn count(&self) -> Result<String> {
        Ok(self.text_of("named('status', 'Count')").await?.unwrap_or_default())
    }
}

//! The page of queries in SQL: editor, examples, schema, result, plan.

use super::Page;
use anyhow::{Context, Result};
use serde_json::json;
use thirtyfour::{By, Key};

/// The editor.
const EDITOR: &str = "document.querySelector('#sql-query')";
/// The result.
const RESULT: &str = "named('grid', 'Result')";
/// The buttons of the examples.
const EXAMPLES: &str = "document.querySelectorAll('#sql-examples button')";
/// The dialog that shows a value as a whole.
const VALUE: &str = "named('dialog', 'Value')";
/// The plan of a query.
const PLAN: &str = "named('region', 'Plan')";
/// Whether the page has answered.
const ANSWERED: &str =
    "document.querySelector('#sql-result [data-cell], #sql-result[aria-rowcount=\"1\"], .sql-error:not(:empty), .state.failed, .sql-plan')";
/// Notes what the page gives to the clipboard, whatever the browser then allows.
const KEEP_COPIES: &str = "window.quipuCopied = [];
    Object.defineProperty(navigator, 'clipboard',
        { value: { writeText: async (text) => { quipuCopied.push(text); } }, configurable: true })";

impl Page {
    /// The page of queries in SQL.
    pub(crate) fn sql(&self) -> Sql<'_> {
        Sql(self)
    }
}

/// The page of queries in SQL.
pub(crate) struct Sql<'a>(&'a Page);

impl Sql<'_> {
    /// Goes there by its link.
    pub(crate) async fn open(&self) -> Result<()> {
        self.0.click("link", "SQL").await
    }

    /// Waits until its editor is there.
    pub(crate) async fn wait_editor(&self) -> Result<()> {
        self.0.wait_for(EDITOR, "the editor").await
    }

    /// Waits until the file's tables are listed beside the editor.
    pub(crate) async fn wait_schema(&self) -> Result<()> {
        self.0
            .wait_for("named('region', 'Schema')?.querySelector('button') || document.querySelector('.sql-side button')", "the schema")
            .await
    }

    /// Waits until examples are offered.
    pub(crate) async fn wait_examples(&self) -> Result<()> {
        self.0.wait_for(&format!("{EXAMPLES}.length > 0"), "the examples").await
    }

    /// How many examples are offered.
    pub(crate) async fn examples(&self) -> Result<usize> {
        self.0.read(&format!("return {EXAMPLES}.length")).await
    }

    /// Runs an example, the first being 0, waits for the answer, and answers the example's title.
    pub(crate) async fn run_example(&self, number: usize) -> Result<String> {
        self.0.click_by_script("[popovertarget=sql-examples]").await?;
        let title = self.0.read(&format!("const button = {EXAMPLES}[{number}]; button.click(); return button.textContent")).await?;
        self.wait_answer().await?;
        Ok(title)
    }

    /// Types a query in place of what is in the editor.
    pub(crate) async fn type_query(&self, query: &str) -> Result<()> {
        let area = self.0.driver.find(By::Css("textarea[aria-label='SQL query']")).await.context("There is no editor.")?;
        area.click().await?;
        let script = format!("{EDITOR}.select(); document.execCommand('insertText', false, arguments[0])");
        self.0.driver.execute(script, vec![json!(query)]).await?;
        self.0.wait_settled().await?;
        // This closes what is suggested.
        self.0.run(&format!("{EDITOR}.click()")).await?;
        Ok(())
    }

    /// Appends text to the query, without waiting.
    pub(crate) async fn type_after(&self, text: &str) -> Result<()> {
        Ok(self.0.driver.find(By::Id("sql-query")).await?.send_keys(text).await?)
    }

    /// Types a query, runs it by the keyboard, and waits for the answer.
    pub(crate) async fn run(&self, query: &str) -> Result<()> {
        self.type_query(query).await?;
        let enter = char::from(Key::Enter).to_string();
        self.0.driver.action_chain().key_down(Key::Control).send_keys(enter).key_up(Key::Control).perform().await?;
        self.wait_answer().await
    }

    /// Types a query that takes long, and presses its button; waits until it can be cancelled.
    pub(crate) async fn start(&self, query: &str) -> Result<()> {
        self.type_query(query).await?;
        self.0.click_element("document.querySelector('#sql-run')", "button that runs the query").await?;
        self.0.wait_until("return !!named('button', 'Cancel')", "the button that cancels").await
    }

    /// Cancels the query that runs, and waits for its end.
    pub(crate) async fn cancel(&self) -> Result<()> {
        self.0.click_element("named('button', 'Cancel')", "button that cancels").await?;
        self.0.wait_for("!named('button', 'Cancel')", "its end").await
    }

    /// Puts a query in place of the one that runs, and runs it: all at once, by script.
    pub(crate) async fn run_instead(&self, query: &str) -> Result<()> {
        let script = format!(
            "const area = {EDITOR}; area.value = {}; area.dispatchEvent(new Event('input'));
             document.querySelector('#sql-run').click()",
            json!(query)
        );
        self.0.run(&script).await?;
        self.wait_answer().await
    }

    /// Waits until a query is answered, or what is wrong with it is said.
    async fn wait_answer(&self) -> Result<()> {
        self.0.wait_for(ANSWERED, "an answer").await
    }

    /// The query in the editor.
    pub(crate) async fn query(&self) -> Result<String> {
        self.0.read(&format!("return {EDITOR}.value")).await
    }

    /// Waits until the editor holds exactly this.
    pub(crate) async fn wait_query(&self, query: &str) -> Result<()> {
        self.0.wait_until(&format!("return {EDITOR}.value === {}", json!(query)), &format!("the query {query}")).await
    }

    /// The editor's `aria-invalid`.
    pub(crate) async fn invalid(&self) -> Result<Option<String>> {
        self.0.read(&format!("return {EDITOR}.getAttribute('aria-invalid')")).await
    }

    /// The part of the query that is marked as wrong.
    pub(crate) async fn mistake_mark(&self) -> Result<String> {
        self.0.read("return document.querySelector('.sql-echo u').textContent").await
    }

    /// The words that are coloured as SQL's own.
    pub(crate) async fn keywords(&self) -> Result<Vec<String>> {
        self.0.read("return [...document.querySelectorAll('.sql-echo .sql-keyword')].map((word) => word.textContent)").await
    }

    /// Whether the editor has the focus.
    pub(crate) async fn editor_has_focus(&self) -> Result<bool> {
        self.0.holds(&format!("document.activeElement === {EDITOR}")).await
    }

    /// Unfolds a table in the schema, the first being 0.
    pub(crate) async fn unfold_table(&self, number: usize) -> Result<()> {
        self.0.run(&format!("[...document.querySelectorAll('.sql-side summary')][{number}].click()")).await?;
        Ok(())
    }

    /// Puts a name of the schema into the editor.
    pub(crate) async fn insert_name(&self, name: &str) -> Result<()> {
        let find = format!("(b) => shown(b) && b.textContent === {}", json!(name));
        self.0.run(&format!("[...document.querySelectorAll('.sql-side button')].find({find}).click()")).await?;
        Ok(())
    }

    /// The sentence about the answer: how many rows, how long it took.
    pub(crate) async fn status(&self) -> Result<String> {
        Ok(self.0.text_of("document.querySelector('.sql-status')").await?.unwrap_or_default())
    }

    /// Every cell of the result that is in the document, row by row.
    pub(crate) async fn cells(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('#sql-result [data-cell]')]
            .map((cell) => cell.querySelector('a, .sql-text').textContent)";
        self.0.read(script).await
    }

    /// The same, each with the kind of its value before it: `integer 7`.
    pub(crate) async fn cells_with_kinds(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('#sql-result [data-cell]')]
            .map((cell) => `${cell.className.split('is-')[1]} ${cell.querySelector('.sql-text').textContent}`)";
        self.0.read(script).await
    }

    /// How values of a kind (`integer`, `text`) are aligned.
    pub(crate) async fn alignment(&self, kind: &str) -> Result<String> {
        self.0.read(&format!("return getComputedStyle(document.querySelector('.is-{kind}')).textAlign")).await
    }

    /// How many rows the result announces, its header included.
    pub(crate) async fn announced(&self) -> Result<u64> {
        self.0.read(&format!("return Number({RESULT}.getAttribute('aria-rowcount'))")).await
    }

    /// How many rows are in the document.
    pub(crate) async fn rows_in_document(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('#sql-result [role=row]').length").await
    }

    /// Scrolls the result: 0 is its beginning, 1 its end.
    pub(crate) async fn scroll_to(&self, part: f64) -> Result<()> {
        self.0.run(&format!("const grid = {RESULT}; grid.scrollTop = grid.scrollHeight * {part}")).await?;
        Ok(())
    }

    /// Waits until the page is idle and a cell with exactly this text drawn.
    pub(crate) async fn wait_cell(&self, text: &str) -> Result<()> {
        let found =
            format!("[...document.querySelectorAll('#sql-result [data-cell]')].some((cell) => cell.textContent === {})", json!(text));
        self.0.wait_for(&found, &format!("the cell {text}")).await
    }

    /// Waits until the page is idle and more than ten whole numbers are drawn, all of them between these two.
    pub(crate) async fn wait_integers_between(&self, least: i64, most: i64) -> Result<()> {
        let condition = format!(
            "const cells = [...document.querySelectorAll('#sql-result .is-integer')].map((cell) => Number(cell.textContent));
             return isIdle() && cells.length > 10 && cells.every((value) => value > {least} && value < {most})"
        );
        self.0.wait_until(&condition, &format!("numbers between {least} and {most}")).await
    }

    /// Waits until the page is idle and this is the text of the first cell.
    pub(crate) async fn wait_first_cell(&self, text: &str) -> Result<()> {
        let found = format!("document.querySelector('#sql-result [data-cell]')?.textContent === {}", json!(text));
        self.0.wait_for(&found, &format!("the answer {text}")).await
    }

    /// Puts the focus on the result.
    pub(crate) async fn focus_result(&self) -> Result<()> {
        self.0.run("document.querySelector('#sql-result').focus()").await?;
        Ok(())
    }

    /// Waits until the page is idle and the result has so many links.
    pub(crate) async fn wait_links(&self, count: usize) -> Result<()> {
        self.0.wait_for(&format!("document.querySelectorAll('#sql-result a').length === {count}"), &format!("{count} links")).await
    }

    /// Follows the link of an id in the result to its timeline.
    pub(crate) async fn open_link(&self, id: &str) -> Result<()> {
        self.0.click("link", id).await?;
        self.0.wait_timeline().await
    }

    /// Clicks the first cell of the first row twice.
    pub(crate) async fn double_click_first_cell(&self) -> Result<()> {
        let cell = self.0.driver.find(By::Css("[data-cell='0 0']")).await?;
        Ok(self.0.driver.action_chain().double_click_element(&cell).perform().await?)
    }

    /// Waits until a value is shown as a whole.
    pub(crate) async fn wait_value(&self) -> Result<()> {
        self.0.wait_for(VALUE, "the value").await
    }

    /// Whether a value is shown as a whole.
    pub(crate) async fn shows_value(&self) -> Result<bool> {
        self.0.holds(VALUE).await
    }

    /// What is shown of that value.
    pub(crate) async fn value_text(&self) -> Result<String> {
        Ok(self.0.text_of(VALUE).await?.unwrap_or_default())
    }

    /// Shows that value as it was recorded, and answers it.
    pub(crate) async fn raw_value(&self) -> Result<String> {
        self.0.click("button", "raw").await?;
        self.0.read("return document.querySelector('dialog[open] .text-block').textContent").await
    }

    /// From now on what is copied is kept, for [`Sql::copy_as`].
    pub(crate) async fn keep_copies(&self) -> Result<()> {
        self.0.evaluate(KEEP_COPIES).await?;
        Ok(())
    }

    /// Copies the result in a form, and answers what was copied.
    pub(crate) async fn copy_as(&self, form: &str) -> Result<String> {
        self.0.run("document.querySelector('[popovertarget=sql-export]').click(); window.quipuCopied.length = 0").await?;
        let find = format!("(b) => b.textContent === {}", json!(format!("Copy as {form}")));
        self.0.run(&format!("[...document.querySelectorAll('#sql-export button')].find({find}).click()")).await?;
        self.0.wait_for("quipuCopied.length === 1", "the copy").await?;
        self.0.read("return quipuCopied[0]").await
    }

    /// Asks for the plan of the query in the editor, waits for it, and answers its text.
    pub(crate) async fn show_plan(&self) -> Result<String> {
        self.0.click("button", "Plan").await?;
        self.0.wait_for(PLAN, "the plan").await?;
        Ok(self.0.text_of(PLAN).await?.unwrap_or_default())
    }

    /// How many steps of the plan are within another.
    pub(crate) async fn nested_steps(&self) -> Result<u64> {
        self.0.read("return document.querySelectorAll('.sql-plan ul ul li').length").await
    }
}

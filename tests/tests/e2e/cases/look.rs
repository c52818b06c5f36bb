//! Pictures of the screens, light and dark, wide and narrow, for people to look at; and what can be measured about them.

use crate::driver::Browser;
use crate::harness::{Case, Stage, cases};
use crate::page::Page;
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use serde_json::json;
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![screens_fit_light_and_dark_wide_and_narrow, the_timeline_shows_twenty_rows];

/// The rows of the matches whose mark is not to be seen whole.
const BEYOND: &str = "
    return [...document.querySelectorAll('[data-hit-trace]')].filter((row) => {
        const [mark, cell] = [row.querySelector('mark'), row.querySelector('.hit-text')].map((part) => part.getBoundingClientRect());
        return mark.width === 0 || mark.left < cell.left || mark.right > cell.right + 1;
    }).map((row) => row.innerText)";

/// What axe-core finds against WCAG 2.2 AA and good practice on the shown screen.
async fn check_accessibility(page: &Page, screen: &str) -> Result<()> {
    let path = std::env::var_os("QUIPU_E2E_AXE").context("QUIPU_E2E_AXE names no axe-core; `cargo xtask e2e` installs it.")?;
    let axe = std::fs::read_to_string(path).context("axe-core cannot be read; `cargo xtask e2e` installs it.")?;
    page.run(&format!("if (!window.axe) {{ {axe} }}")).await?;
    let script = "const done = arguments[0];
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const told = (rule) => rule.nodes.slice(0, 3).map((node) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`);
        axe.run({ runOnly: tags }).then(
            (found) => done({ value: found.violations.flatMap(told) }),
            (error) => done({ error: String(error) }),
        );";
    let found = page.run_async(script, Vec::new()).await?;
    let rules: Vec<String> = serde_json::from_value(found)?;
    ensure!(rules.is_empty(), "{screen}: {}", rules.join("\n"));
    Ok(())
}

/// Gives the window's content a scheme and a size, and answers whether the browser can: Firefox takes its scheme from the system, and has
/// no window narrower than some 450 px.
async fn emulate(page: &Page, scheme: &str, width: u32, height: u32) -> Result<bool> {
    match page.browser {
        Browser::Chromium => {
            let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
            page.driver.cdp().send_raw("Emulation.setEmulatedMedia", media).await?;
            let size = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false });
            page.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", size).await?;
            Ok(true)
        }
        Browser::Firefox if scheme == "light" => {
            let frame = page.run("return [outerWidth - innerWidth, outerHeight - innerHeight]").await?;
            let [beside, above] =
                [&frame[0], &frame[1]].map(|pixels| pixels.as_u64().and_then(|pixels| u32::try_from(pixels).ok()).unwrap_or(0));
            page.driver.set_window_rect(0, 0, width.max(500) + beside, height + above).await?;
            Ok(true)
        }
        Browser::Firefox => Ok(false),
    }
}

async fn screens_fit_light_and_dark_wide_and_narrow(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let spans = fixtures::spans(&connection)?;
    let span = spans.iter().find(|span| span.name == "inference").context("The fixture has inference spans.")?;
    let page = &stage.page;
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 800), (400, 800)] {
            if !emulate(page, scheme, width, height).await? {
                continue;
            }
            page.load_from(&format!("{}?{scheme}{width}", stage.site.url())).await?;
            let shoot = |screen: &'static str| async move {
                page.wait_idle().await?;
                let beyond = page.run("return document.documentElement.scrollWidth - innerWidth").await?;
                ensure!(beyond.as_i64().is_some_and(|beyond| beyond <= 0), "{screen} at {width} px is {beyond} px too wide.");
                page.screenshot(&format!("{screen}_{scheme}_{width}_{}", page.browser)).await?;
                check_accessibility(page, &format!("{screen}, {scheme}, {width} px")).await
            };
            shoot("open").await?;
            page.open_traces(&[AGENT.path()]).await?;
            shoot("traces").await?;
            page.open_trace(&span.trace_id).await?;
            shoot("trace").await?;
            page.select_span(&span.span_id).await?;
            shoot("span").await?;
            page.press(Key::Escape).await?;
            page.press('?').await?;
            shoot("keys").await?;
            page.press(Key::Escape).await?;
            page.open_commands().await?;
            shoot("commands").await?;
            page.press(Key::Escape).await?;
            page.click("button", "Share").await?;
            page.wait_until("return isIdle() && !!document.querySelector('#share-link')", "what can be shared").await?;
            shoot("share").await?;
            page.press(Key::Escape).await?;
            for (tab, screen) in [("Flame", "flame"), ("Conversation", "conversation"), ("Logs", "logs"), ("Statistics", "statistics")] {
                page.click("tab", tab).await?;
                shoot(screen).await?;
            }
            page.load_from(&format!("{}?{scheme}{width}metrics", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.click("link", "Metrics").await?;
            page.wait_until("return isIdle() && !!named('table', 'Durations by span name')", "the tables").await?;
            page.run("[...document.querySelectorAll('.metrics summary')].forEach((summary) => summary.click())").await?;
            page.click("button", "Add a price").await?;
            page.run("named('textbox', 'PromQL query 1').focus(); return true").await?;
            page.type_text("rate(total_tokens[1m]) + foo(").await?;
            page.press(Key::Escape).await?;
            page.press(Key::Enter).await?;
            shoot("metrics").await?;
            page.load_from(&format!("{}?{scheme}{width}filter", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.type_filter("model:").await?;
            shoot("suggestions").await?;
            page.filter("llama tokens>many").await?;
            shoot("wrong_filter").await?;
            page.load_from(&format!("{}?{scheme}{width}matches", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.filter("name:InferenceRouter.chat_completion tokens>10 \"weather\"").await?;
            shoot("filter").await?;
            page.click("button", "Matches").await?;
            page.wait_until("return document.querySelectorAll('[data-hit-trace]').length > 4", "the matches").await?;
            shoot("matches").await?;
            let cut = page.run(BEYOND).await?;
            ensure!(cut.as_array().is_some_and(Vec::is_empty), "What was found is out of sight at {width} px in {cut}.");
            page.run("document.querySelector('[data-hit-trace]').click()").await?;
            page.wait_timeline().await?;
            shoot("hit").await?;
            page.load_from(&format!("{}?{scheme}{width}sql", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.click("link", "SQL").await?;
            page.wait_until("return isIdle() && !!document.querySelector('#sql-examples button')", "the examples").await?;
            shoot("sql").await?;
            page.run("document.querySelectorAll('#sql-examples button')[6].click()").await?;
            page.wait_until("return isIdle() && !!document.querySelector('#sql-result [data-cell]')", "the result").await?;
            shoot("sql_result").await?;
            page.click("button", "Plan").await?;
            page.wait_until("return isIdle() && !!document.querySelector('.sql-plan')", "the plan").await?;
            shoot("sql_plan").await?;
            let background = page
                .run("return getComputedStyle(document.body).colorScheme + ' ' + getComputedStyle(document.body).backgroundColor")
                .await?;
            ensure!(background.as_str().is_some_and(|background| !background.ends_with("rgba(0, 0, 0, 0)")), "The page has a background.");
        }
    }
    Ok(())
}

async fn the_timeline_shows_twenty_rows(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let largest = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC LIMIT 1";
    let trace_id = fixtures::texts(&connection, largest)?.pop().context("The fixture has traces.")?;
    let page = &stage.page;
    emulate(page, "light", 1280, 800).await?;
    page.load().await?;
    page.open_traces(&[AGENT.path()]).await?;
    page.open_trace(&trace_id).await?;
    let visible = "
        const grid = named('treegrid', 'Timeline').getBoundingClientRect();
        const inside = (box) => box.top >= 0 && box.bottom <= innerHeight && box.bottom <= grid.bottom + 1;
        return [...document.querySelectorAll('[data-span-id]')].filter((row) => inside(row.getBoundingClientRect())).length";
    let rows = page.run(visible).await?;
    ensure!(rows.as_u64().is_some_and(|rows| rows >= 20), "At 1280×800 the timeline shows {rows} rows.");
    Ok(())
}

//! Pictures of the screens, light and dark, wide and narrow, for people to look at; and what can be measured about them.

use crate::harness::{Case, Stage, cases};
use crate::page::{Page, Tab};
use anyhow::{Context, Result, ensure};
use quipu_tests::fixtures::{self, AGENT, METRICS};
use thirtyfour::Key;

pub(crate) const CASES: &[Case] = cases![screens_fit_light_and_dark_wide_and_narrow, the_timeline_shows_twenty_rows];

/// What axe-core finds against WCAG 2.2 AA and good practice on the shown screen.
async fn check_accessibility(page: &Page, screen: &str) -> Result<()> {
    let path = std::env::var_os("QUIPU_E2E_AXE").context("QUIPU_E2E_AXE names no axe-core; `cargo xtask e2e` installs it.")?;
    let axe = std::fs::read_to_string(path).context("axe-core cannot be read; `cargo xtask e2e` installs it.")?;
    page.evaluate(&format!("if (!window.axe) {{ {axe} }}")).await?;
    let script = "const done = arguments[0];
        const tags = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];
        const told = (rule) => rule.nodes.slice(0, 3).map((node) => `${rule.id}: ${node.target.join(' ')}: ${node.failureSummary}`);
        axe.run({ runOnly: tags }).then(
            (found) => done({ value: found.violations.flatMap(told) }),
            (error) => done({ error: String(error) }),
        );";
    let found = page.evaluate_async(script, Vec::new()).await?;
    let rules: Vec<String> = serde_json::from_value(found)?;
    ensure!(rules.is_empty(), "{screen}: {}", rules.join("\n"));
    Ok(())
}

async fn screens_fit_light_and_dark_wide_and_narrow(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let spans = fixtures::spans(&connection)?;
    let span = spans.iter().find(|span| span.name == "inference").context("The fixture has inference spans.")?;
    let page = &stage.page;
    for scheme in ["light", "dark"] {
        for (width, height) in [(1280, 800), (400, 800)] {
            if !page.emulate(scheme, width, height).await? {
                continue;
            }
            page.load_from(&format!("{}?{scheme}{width}", stage.site.url())).await?;
            let shoot = |screen: &'static str| async move {
                page.wait_idle().await?;
                let beyond = page.overflow().await?;
                ensure!(beyond <= 0, "{screen} at {width} px is {beyond} px too wide.");
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
            page.share().open().await?;
            shoot("share").await?;
            page.press(Key::Escape).await?;
            for (tab, screen) in [
                (Tab::FlameGraph, "flame"),
                (Tab::Conversation, "conversation"),
                (Tab::Logs, "logs"),
                (Tab::Statistics, "statistics"),
            ] {
                page.open_tab(tab).await?;
                shoot(screen).await?;
            }
            page.load_from(&format!("{}?{scheme}{width}metrics", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.metrics().open().await?;
            page.metrics().unfold_all().await?;
            page.metrics().add_price().await?;
            page.metrics().focus_query().await?;
            page.type_text("rate(total_tokens[1m]) + foo(").await?;
            page.metrics().run_query().await?;
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
            page.matches().show().await?;
            page.matches().wait_more_than(4).await?;
            shoot("matches").await?;
            let cut = page.matches().rows_with_hidden_mark().await?;
            ensure!(cut.is_empty(), "What was found is out of sight at {width} px in {cut:?}.");
            page.matches().open_first().await?;
            shoot("hit").await?;
            page.load_from(&format!("{}?{scheme}{width}sql", stage.site.url())).await?;
            page.open_traces(&[METRICS.path()]).await?;
            page.log_list().show().await?;
            shoot("log_list").await?;
            let logs = page.log_list();
            logs.open(&logs.ids().await?[0]).await?;
            shoot("log_record").await?;
            page.sql().open().await?;
            page.sql().wait_examples().await?;
            shoot("sql").await?;
            page.sql().run_example(6).await?;
            ensure!(!page.sql().cells().await?.is_empty(), "The example has an answer.");
            shoot("sql_result").await?;
            page.sql().show_plan().await?;
            shoot("sql_plan").await?;
            ensure!(!page.background().await?.ends_with("rgba(0, 0, 0, 0)"), "The page has a background.");
        }
    }
    Ok(())
}

async fn the_timeline_shows_twenty_rows(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let largest = "SELECT trace_id FROM spans GROUP BY trace_id ORDER BY count(*) DESC LIMIT 1";
    let trace_id = fixtures::texts(&connection, largest)?.pop().context("The fixture has traces.")?;
    let page = &stage.page;
    page.emulate("light", 1280, 800).await?;
    page.load_with(AGENT.path()).await?;
    page.open_trace(&trace_id).await?;
    let rows = page.trace().rows_in_sight().await?;
    ensure!(rows >= 20, "At 1280×800 the timeline shows {rows} rows.");
    Ok(())
}

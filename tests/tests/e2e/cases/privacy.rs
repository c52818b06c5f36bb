//! A file never leaves the machine: nothing of the page, its worker included, can ask another origin anything, and reading a file asks
//! nobody.

use crate::harness::{Case, Stage, cases};
use crate::page::Column;
use crate::site::Site;
use anyhow::{Context, Result, bail, ensure};
use quipu_tests::fixtures::{self, AGENT};
use serde_json::{Value, json};

pub(crate) const CASES: &[Case] = cases![
    page_and_worker_cannot_reach_another_origin,
    the_canary_hears_what_is_not_forbidden,
    reading_a_file_asks_the_server_nothing,
    the_page_asks_only_for_its_own_files,
];

/// Tries to reach the address in every way a script has, from the page and from a blob worker, and answers what came of each.
/// Arguments: the address, and how many refusals by a policy each of the two is expected to be told of.
const TRY: &str = r#"
const [url, refused, done] = arguments;
const tries = `
  const refusals = [];
  addEventListener('securitypolicyviolation', (event) => refusals.push(event.effectiveDirective));
  const told = async (name, attempt) => [name, await attempt().then(() => 'reached', (error) => 'refused: ' + error)];
  const limited = (promise) => Promise.race([promise, new Promise((_, no) => setTimeout(() => no(new Error('no answer')), 5000))]);
  const xhr = (url) => new Promise((yes, no) => {
    const request = new XMLHttpRequest();
    request.onload = yes; request.onerror = () => no(new Error('XHR error'));
    request.open('GET', url); request.send();
  });
  const socket = (url) => new Promise((yes, no) => {
    const socket = new WebSocket(url.replace('http', 'ws')); socket.onopen = yes; socket.onerror = () => no(new Error('WebSocket error'));
  });
  // What was refused is told of by events, which may come after the refusal itself.
  const toldOf = async (value) => {
    const end = Date.now() + 5000;
    while (refusals.length < ${refused} && Date.now() < end) await new Promise((done) => setTimeout(done, 5));
    return value;
  };
  const all = (where, url) => Promise.all([
    told(where + ' fetch', () => limited(fetch(url + where + '-fetch'))),
    told(where + ' fetch without CORS', () => limited(fetch(url + where + '-no-cors', { mode: 'no-cors' }))),
    told(where + ' XHR', () => limited(xhr(url + where + '-xhr'))),
    told(where + ' WebSocket', () => limited(socket(url + where + '-socket'))),
  ]).then(toldOf);
`;
const inWorker = () => new Promise((yes, no) => {
  const source = tries + `onmessage = (event) => all('worker', event.data).then((value) => postMessage(value.concat([['worker policy', refusals]])));`;
  const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })));
  worker.onmessage = (event) => yes(event.data);
  worker.onerror = (event) => no(new Error('the worker did not start: ' + event.message));
  worker.postMessage(url);
});
const inPage = () => new Promise((yes, no) => {
  const script = document.createElement('script');
  window.quipuTold = yes;
  script.src = URL.createObjectURL(new Blob([tries + `all('page', ${JSON.stringify(url)}).then((value) => window.quipuTold(value.concat([['page policy', refusals]])));`], { type: 'text/javascript' }));
  script.onerror = () => no(new Error('the script did not start'));
  document.head.append(script);
});
const image = () => new Promise((yes) => {
  const image = new Image(); image.onload = () => yes([['page image', 'reached']]); image.onerror = () => yes([['page image', 'refused']]);
  image.src = url + 'image';
});
const beacon = async () => [['page beacon', navigator.sendBeacon(url + 'beacon', 'x') ? 'sent' : 'refused']];
Promise.all([inPage(), inWorker(), image(), beacon()]).then((value) => done({ value: value.flat() }), (error) => done({ error: String(error) }));
"#;

async fn page_and_worker_cannot_reach_another_origin(stage: &Stage) -> Result<()> {
    let canary = Site::canary()?;
    let page = &stage.page;
    page.load_with(AGENT.path()).await?;
    let told = page.evaluate_async(TRY, vec![json!(canary.url()), json!(3)]).await?;
    let told = told.as_array().context("The attempts were not reported.")?;
    ensure!(told.len() == 12, "Not every attempt was made: {told:?}");
    let reached: Vec<&Value> = told.iter().filter(|attempt| attempt.get(1).is_none_or(|outcome| outcome == "reached")).collect();
    ensure!(reached.is_empty(), "Another origin was reached: {reached:?}");
    ensure!(canary.seen().is_empty(), "Another origin received a request of the page: {:?}", canary.seen());
    // It is the policy that refused, and nothing else was in the way. (Firefox tells no worker of a refused WebSocket.)
    for place in ["page policy", "worker policy"] {
        let refusals = told.iter().find(|attempt| attempt[0] == place).and_then(|attempt| attempt[1].as_array()).context("No refusals.")?;
        let connections = refusals.iter().filter(|directive| *directive == "connect-src").count();
        ensure!(connections >= 3, "{place}: {refusals:?}");
    }
    let console = page.console_errors().await?;
    let other: Vec<&String> = console.iter().filter(|line| !line.contains("Content Security Policy")).collect();
    ensure!(other.is_empty(), "The console shows other errors: {other:?}");
    Ok(())
}

/// The check of the check: the same attempts from a page without a policy arrive.
async fn the_canary_hears_what_is_not_forbidden(stage: &Stage) -> Result<()> {
    let canary = Site::canary()?;
    let open = Site::canary()?;
    stage.page.visit(&open.url()).await?;
    let told = stage.page.evaluate_async(TRY, vec![json!(canary.url()), json!(0)]).await?;
    let seen = canary.seen().join(" ");
    for attempt in [
        "page-fetch",
        "page-no-cors",
        "page-xhr",
        "page-socket",
        "worker-fetch",
        "worker-no-cors",
        "worker-xhr",
        "worker-socket",
        "image",
        "beacon",
    ] {
        ensure!(
            seen.contains(attempt),
            "{attempt} did not arrive at the canary, so its absence elsewhere would prove nothing: {seen}; {told}"
        );
    }
    // No WebSocket and no image comes of it, which the console says.
    stage.page.console_errors().await?;
    Ok(())
}

async fn reading_a_file_asks_the_server_nothing(stage: &Stage) -> Result<()> {
    let (_scratch, connection) = AGENT.open()?;
    let spans = fixtures::spans(&connection)?;
    let span = spans.iter().find(|span| span.name == "inference").context("The fixture has inference spans.")?;
    let page = &stage.page;
    page.load().await?;
    let before = stage.site.seen();
    ensure!(!before.is_empty(), "The server recorded no requests.");
    page.open_traces(&[AGENT.path()]).await?;
    page.list().sort_by(Column::Duration).await?;
    page.list().show_failed().await?;
    page.list().show_all().await?;
    page.open_trace(&span.trace_id).await?;
    page.select_span(&span.span_id).await?;
    page.back().await?;
    page.wait_idle().await?;
    let after = stage.site.seen();
    let asked = after.get(before.len()..).unwrap_or_default();
    ensure!(asked.is_empty(), "While a file was open, the page asked its server: {asked:?}");
    Ok(())
}

async fn the_page_asks_only_for_its_own_files(stage: &Stage) -> Result<()> {
    stage.page.load().await?;
    for request in stage.site.seen() {
        let Some(path) = request.strip_prefix("GET /") else { bail!("The page asked {request}.") };
        let path = if path.is_empty() { "index.html" } else { path };
        ensure!(stage.dist.join(path).is_file(), "The page asks for {path}, which the build does not hold.");
        ensure!(!path.starts_with("samples/"), "A sample was loaded before anybody asked for it: {path}");
    }
    Ok(())
}

//! A page of another origin that tries what it can at servers of this machine.

use super::Page;
use anyhow::{Result, ensure};
use serde_json::json;

/// Asks the servers at two addresses in the ways a page can without being let: images, fetch, beacons and forms. Arguments: the addresses.
const CAUSE: &str = r#"
const [served, collector, done] = arguments;
const slow = served + 'api/v1/query_range?start=1700000000&end=1700000050&step=1&query=' +
  encodeURIComponent('quantile_over_time(0.5,vector(time()%25997)[1000s:1ms])');
const spans = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [{
  traceId: '0af7651916cd43dd8448eb211c80319c', spanId: 'b7ad6b7169203331', name: 'x', startTimeUnixNano: '1', endTimeUnixNano: '2' }] }] }] });
const image = (url) => new Promise((yes) => { const image = new Image(); image.onload = image.onerror = yes; image.src = url; });
const send = (url, type) => fetch(url, { method: 'POST', mode: 'no-cors', headers: { 'Content-Type': type }, body: spans }).then(() => 0, () => 0);
const form = (url) => new Promise((yes) => {
  const frame = document.createElement('iframe');
  frame.name = 'f' + Math.random();
  document.body.append(frame);
  const form = document.createElement('form');
  form.method = 'post'; form.enctype = 'text/plain'; form.action = url; form.target = frame.name;
  const field = document.createElement('input');
  field.name = spans.slice(0, -1); field.value = '}';
  form.append(field); document.body.append(form);
  frame.onload = () => yes();
  form.submit();
  setTimeout(yes, 5000);
});
Promise.all([
  ...Array.from({ length: 40 }, (_, number) => image(slow + '&n=' + number)),
  send(collector + 'v1/traces', 'text/plain'), form(collector + 'v1/traces'), image(collector + 'metrics'),
  fetch(collector + 'v1/traces', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: spans }).then(() => 0, () => 0),
  send(served + 'v1/telemetry/events', 'text/plain'), form(served + 'api/v1/query'),
]).then(() => done({ value: 'tried' }), (error) => done({ error: String(error) }));
"#;

impl Page {
    /// Asks a `quipu serve` and a `quipu collect` in the ways that a page elsewhere can without being let.
    pub(crate) async fn try_servers(&self, served: &str, collector: &str) -> Result<()> {
        let told = self.evaluate_async(CAUSE, vec![json!(served), json!(collector)]).await?;
        ensure!(told == "tried", "{told}");
        Ok(())
    }
}

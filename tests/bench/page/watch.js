// Put into every measured page before its own scripts: notes when a file was chosen, when the first rows stand on screen, when the index
// is complete; measures what is done afterwards. The same for Quipu and its peers.
(() => {
  const rows = () => document.querySelector('[data-trace-id]');
  const bar = () => document.querySelector('[role=progressbar][aria-label=Indexing]');
  const isIdle = () => document.documentElement.dataset.quipuIdle === 'true';
  const problem = () => [...document.querySelectorAll('[role=alert]')].map((e) => e.textContent.trim()).find((text) => text) ?? null;
  const marks = { chosen: null, rows: null, indexed: null };
  let sawBar = false;
  let settled = null;

  addEventListener('change', (event) => {
    if (event.target.type === 'file') marks.chosen = performance.now();
  }, true);

  // A frame with the rows has been drawn when the task behind it runs.
  const drawn = (then) => requestAnimationFrame(() => setTimeout(() => then(performance.now())));
  const look = () => {
    if (marks.chosen === null || marks.indexed !== null) return;
    if (marks.rows === null && rows()) {
      marks.rows = Infinity;
      drawn((at) => { marks.rows = at; });
    }
    if (bar()) {
      sawBar = true;
      settled = null;
    } else if (rows()) {
      settled ??= performance.now();
    }
  };
  new MutationObserver(look).observe(document, { subtree: true, childList: true, attributes: true });

  window.benchMarks = () => {
    look();
    const since = (at) => (at === null || at === Infinity || marks.chosen === null ? null : at - marks.chosen);
    // Complete when the bar is gone for good; a small file may be done before a bar was drawn.
    const done = settled !== null && (sawBar || performance.now() - settled > 1000) && isIdle();
    return { rows: since(marks.rows), indexed: done ? since(settled) : null, problem: problem() };
  };

  // Milliseconds from `act` to the last change of the document before the page is idle again.
  window.benchMeasure = (act) => new Promise((resolve) => {
    const begun = performance.now();
    let last = null;
    let wasBusy = false;
    const changes = new MutationObserver(() => { last = performance.now(); });
    changes.observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
    const idle = new MutationObserver(() => {
      if (!isIdle()) {
        wasBusy = true;
      } else if (wasBusy) {
        changes.disconnect();
        idle.disconnect();
        resolve({ ms: (last ?? performance.now()) - begun, problem: problem() });
      }
    });
    idle.observe(document.documentElement, { attributes: true, attributeFilter: ['data-quipu-idle'] });
    act();
  });

  // Another place in Quipu, by its address; the file stays named in it.
  window.benchGo = (place, parts) => {
    const kept = location.hash.split('?')[1]?.split('&').filter((part) => /^(file|size)=/.test(part)) ?? [];
    const query = [...parts, ...kept].join('&');
    location.hash = `#v1/${place}${query ? `?${query}` : ''}`;
  };

  // Quipu's worker begins with a blob that loads its program; what tells the memory's size goes before that.
  const RealBlob = window.Blob;
  window.Blob = class extends RealBlob {
    constructor(parts, options) {
      const isWorker = typeof parts?.[0] === 'string' && parts[0].includes('importScripts(');
      super(isWorker ? [window.benchMemory, ...parts] : parts, options);
    }
  };
  window.benchWasmBytes = () => new Promise((resolve) => {
    const channel = new BroadcastChannel('wasm-memory');
    channel.onmessage = ({ data }) => { if (data?.bytes !== undefined) { channel.close(); resolve(data.bytes); } };
    channel.postMessage('ask');
    setTimeout(() => { channel.close(); resolve(null); }, 5000);
  });
})();

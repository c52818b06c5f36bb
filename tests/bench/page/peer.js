// The page's side: hands the chosen file to the worker, draws the rows it answers, and says when they are drawn.
'use strict';
const kind = new URLSearchParams(location.search).get('peer');
const worker = kind === 'sqlite-wasm' ? new Worker('sqlite-wasm.js', { type: 'module' }) : new Worker(`${kind}.js`);
const waiting = new Map();
let number = 0;

const ask = (message) => new Promise((resolve, reject) => {
  number += 1;
  waiting.set(number, { resolve, reject });
  worker.postMessage({ ...message, number });
});

worker.onmessage = ({ data }) => {
  const { resolve, reject } = waiting.get(data.number);
  waiting.delete(data.number);
  data.error === undefined ? resolve(data.answer) : reject(new Error(data.error));
};
worker.onerror = (event) => fail(event.message);

const fail = (text) => {
  document.getElementById('error').textContent = text || 'the worker ended without a word';
};

const busy = () => { document.documentElement.dataset.quipuIdle = 'false'; };
const idle = () => requestAnimationFrame(() => requestAnimationFrame(() => { document.documentElement.dataset.quipuIdle = 'true'; }));

// One row of the table a row of the answer; the first column is the id.
const draw = (rows, attribute) => {
  const table = document.getElementById('rows');
  const body = document.createElement('tbody');
  for (const row of rows) {
    const line = body.insertRow();
    line.setAttribute(attribute, row[0]);
    for (const value of row) line.insertCell().textContent = value ?? '–';
  }
  table.replaceChildren(body);
};

const show = async (message, attribute) => {
  busy();
  try {
    draw(await ask(message), attribute);
  } catch (error) {
    fail(error.message);
  }
  idle();
};

// What is asked of the file stands in the address, so that every peer is asked the same.
const sql = JSON.parse(new URLSearchParams(location.search).get('sql') ?? '{}');
document.querySelector('input').onchange = (event) => show({ open: event.target.files[0], sql: sql.newest }, 'data-trace-id');
window.peer = {
  filter: () => show({ sql: sql.filter }, 'data-trace-id'),
  trace: () => show({ sql: sql.trace }, 'data-span-id'),
  aggregate: () => show({ sql: sql.aggregate }, 'data-name'),
};
ask({ ready: true }).then(idle, (error) => fail(error.message));

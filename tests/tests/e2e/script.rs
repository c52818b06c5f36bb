//! What runs inside the page: finding things by role and accessible name, and reading virtualised tables. Each script stands alone and
//! changes nothing but scroll positions.

/// Functions every script begins with. Roles and names as the accessibility tree has them, for the elements the page uses.
pub(crate) const HELPERS: &str = r##"
const native = {
  button: 'button, summary', link: 'a[href]', complementary: 'aside', status: 'output', heading: 'h1,h2,h3,h4', dialog: 'dialog[open]',
  progressbar: 'progress', grid: '', treegrid: '', tab: '', alert: '', row: 'tr', table: 'table', checkbox: 'input[type=checkbox]',
  textbox: 'textarea, input[type=text]',
};
// What only groups its children (`display: contents`) has no box of its own: it is shown where they are.
const shown = (e) => !!e && (e.checkVisibility({ visibilityProperty: true })
  || (getComputedStyle(e).display === 'contents' && [...e.children].some(shown)));
const nameOf = (e) => {
  const by = e.getAttribute('aria-labelledby');
  if (by) return by.split(/\s+/).map((id) => document.getElementById(id)?.textContent ?? '').join(' ').trim();
  const label = e.getAttribute('aria-label');
  if (label) return label.trim();
  if (e.labels?.length) return e.labels[0].textContent.trim();
  return (e.textContent ?? '').replace(/\s+/g, ' ').trim();
};
const all = (role) => [...document.querySelectorAll(`[role="${role}"]${native[role] ? ',' + native[role].split(',').map((s) => s.trim() + ':not([role])').join(',') : ''}`)];
const named = (role, name) => all(role).find((e) => shown(e) && nameOf(e) === name) ?? null;
const namedLike = (role, part) => all(role).find((e) => shown(e) && nameOf(e).includes(part)) ?? null;
const isIdle = () => document.documentElement.dataset.quipuIdle === 'true';
const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done, 0)));
const idle = async () => {
  const end = performance.now() + 30000;
  do {
    await frame();
    if (performance.now() > end) throw new Error('the page did not become idle within 30 s');
  } while (!isIdle());
};
const scrollerOf = (grid) => {
  const scrolls = (e) => e.scrollHeight > e.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(e).overflowY);
  const inside = [grid, ...grid.querySelectorAll('*')].find(scrolls);
  if (inside) return inside;
  for (let e = grid.parentElement; e; e = e.parentElement) if (scrolls(e)) return e;
  return document.scrollingElement;
};
"##;

/// Walks down a virtualised table and answers, for every row it passes, the attributes asked for, in order of appearance.
/// Arguments: role, name, the attribute that identifies a row, the list of further attributes.
pub(crate) const COLLECT: &str = r##"
const [role, name, key, attributes, done] = arguments;
(async () => {
  await idle();
  const grid = named(role, name);
  if (!grid) throw new Error(`there is no ${role} named ${name}`);
  const scroller = scrollerOf(grid);
  const rows = new Map();
  const collect = () => {
    for (const row of grid.querySelectorAll(`[${key}]`)) {
      const id = row.getAttribute(key);
      if (id && !rows.has(id)) rows.set(id, [id, ...attributes.map((name) => row.getAttribute(name))]);
    }
  };
  scroller.scrollTop = 0;
  await idle();
  collect();
  for (;;) {
    const before = scroller.scrollTop;
    scroller.scrollTop = before + Math.max(scroller.clientHeight * 0.7, 40);
    if (Math.abs(scroller.scrollTop - before) < 1) break;
    await idle();
    collect();
  }
  return { rows: [...rows.values()], announced: Number(grid.getAttribute('aria-rowcount')) };
})().then((value) => done({ value }), (error) => done({ error: String(error) }));
"##;

/// Scrolls a virtualised table until the row with an attribute of that value is drawn, and answers the row.
/// Arguments: role, name, attribute, value.
pub(crate) const REVEAL: &str = r##"
const [role, name, key, id, done] = arguments;
(async () => {
  await idle();
  const grid = named(role, name);
  if (!grid) throw new Error(`there is no ${role} named ${name}`);
  const scroller = scrollerOf(grid);
  const find = () => grid.querySelector(`[${key}="${CSS.escape(id)}"]`);
  if (!find()) { scroller.scrollTop = 0; await idle(); }
  while (!find()) {
    const before = scroller.scrollTop;
    scroller.scrollTop = before + Math.max(scroller.clientHeight * 0.7, 40);
    if (Math.abs(scroller.scrollTop - before) < 1) throw new Error(`no row of ${name} has ${key} ${id}`);
    await idle();
  }
  find().scrollIntoView({ block: 'center' });
  await idle();
  return find();
})().then((value) => done({ value }), (error) => done({ error: String(error) }));
"##;

/// Drops the files of a file input on the page, as a drag from the desktop does. Argument: the input.
pub(crate) const DROP: &str = r##"
const [input] = arguments;
const data = new DataTransfer();
for (const file of input.files) data.items.add(file);
input.remove();
const at = document.elementFromPoint(innerWidth / 2, innerHeight / 2) ?? document.body;
for (const type of ['dragenter', 'dragover', 'drop']) {
  at.dispatchEvent(new DragEvent(type, { bubbles: true, cancelable: true, composed: true, dataTransfer: data }));
}
"##;

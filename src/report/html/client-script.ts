/**
 * What makes the page more than a document: sorting, search, and in a live page news without a reload. Everything can be read
 * without it. State is kept by the ids of elements, so that it outlives their replacement.
 */
export const CLIENT_SCRIPT = String.raw`
'use strict';
(() => {
  const page = document.getElementById('page');
  const said = document.getElementById('said');
  const sorts = new Map();
  const filters = new Map();
  const opened = new Map();

  const keyOf = (row, column) => {
    const cell = row.cells[column];
    const text = cell.dataset.v ?? cell.textContent.trim();
    const number = Number(text);
    return text === '' ? -Infinity : Number.isNaN(number) ? text.toLowerCase() : number;
  };

  const compare = (a, b) => {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    return String(a) < String(b) ? -1 : Number(String(a) > String(b));
  };

  function sortTable(table) {
    const sort = sorts.get(table.id);
    if (!sort) return;
    for (const [index, head] of [...table.tHead.rows[0].cells].entries()) {
      if (index === sort.column) head.setAttribute('aria-sort', sort.down ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    const body = table.tBodies[0];
    const rows = [...body.rows].map((row) => ({ row, key: keyOf(row, sort.column) }));
    rows.sort((a, b) => (sort.down ? compare(b.key, a.key) : compare(a.key, b.key)));
    body.append(...rows.map(({ row }) => row));
  }

  function filterList(list) {
    const { text = '', word = '' } = filters.get(list.id) ?? {};
    const wanted = text.toLowerCase().split(/\s+/).filter(Boolean);
    const items = list.tBodies ? [...list.tBodies[0].rows] : [...list.children];
    let shown = 0;
    for (const item of items) {
      const whole = wanted.length === 0 ? '' : item.textContent.toLowerCase();
      const fits = wanted.every((one) => whole.includes(one)) && (word === '' || item.dataset.word === word);
      item.hidden = !fits;
      if (fits) shown += 1;
    }
    const count = document.querySelector('[data-count="' + list.id + '"]');
    if (count) count.textContent = shown === items.length ? String(shown) : shown + ' of ' + items.length;
    const none = document.querySelector('[data-none="' + list.id + '"]');
    if (none) none.hidden = shown > 0;
    return shown;
  }

  function restore(root) {
    for (const table of root.querySelectorAll('table[data-sortable]')) sortTable(table);
    for (const input of root.querySelectorAll('[data-filter]')) {
      const state = filters.get(input.dataset.filter);
      if (state) input.value = state[input.dataset.part] ?? '';
    }
    for (const id of filters.keys()) {
      const list = document.getElementById(id);
      if (list) filterList(list);
    }
    for (const details of root.querySelectorAll('details[id]'))
      if (opened.has(details.id)) details.open = opened.get(details.id);
  }

  function setFilter(id, part, value) {
    filters.set(id, { ...filters.get(id), [part]: value });
    const list = document.getElementById(id);
    if (list) said.textContent = filterList(list) + ' shown';
  }

  document.addEventListener('click', (event) => {
    const button = event.target.closest('button[data-sort]');
    if (button) {
      const head = button.closest('th');
      const table = head.closest('table');
      const before = sorts.get(table.id);
      const again = before && before.column === head.cellIndex;
      const down = again ? !before.down : button.dataset.sort === 'down';
      sorts.set(table.id, { column: head.cellIndex, down });
      sortTable(table);
      said.textContent = 'sorted by ' + button.textContent.trim() + (down ? ', descending' : ', ascending');
    }
    const link = event.target.closest('a[data-search]');
    if (link) {
      const { list, search } = link.dataset;
      setFilter(list, 'word', '');
      setFilter(list, 'text', search);
      restore(page);
    }
  });

  document.addEventListener('input', ({ target }) => {
    if (target.dataset.filter) setFilter(target.dataset.filter, target.dataset.part, target.value);
  });

  document.addEventListener('keydown', (event) => {
    const { target, key } = event;
    if (key === 'Escape' && target.dataset?.filter && target.value !== '') {
      target.value = '';
      setFilter(target.dataset.filter, target.dataset.part, '');
    }
    if (key !== '/' || event.ctrlKey || event.metaKey || event.altKey || target.closest('input, select, textarea')) return;
    const search = document.querySelector('input[data-filter]');
    if (!search) return;
    event.preventDefault();
    search.focus();
  });

  document.addEventListener('toggle', ({ target }) => {
    if (target.id && !printing) opened.set(target.id, target.open);
  }, true);

  // On paper nothing can be unfolded.
  let printing = false;
  let folded = [];
  addEventListener('beforeprint', () => {
    printing = true;
    folded = [...document.querySelectorAll('details:not([open])')];
    for (const details of folded) details.open = true;
  });
  addEventListener('afterprint', () => {
    for (const details of folded) details.open = false;
    setTimeout(() => { printing = false; });
  });

  const address = document.body.dataset.live;
  if (!address) return;

  const partsOf = (root) => new Map([...root.querySelectorAll('[data-part-id]')].map((part) => [part.dataset.partId, part]));
  const shown = new Map([...partsOf(page)].map(([id, part]) => [id, part.outerHTML]));
  let tag = '';

  function show(text) {
    const news = new DOMParser().parseFromString(text, 'text/html');
    const there = partsOf(page);
    const coming = partsOf(news);
    if ([...coming.keys()].join(' ') !== [...there.keys()].join(' ')) {
      page.replaceChildren(...news.body.childNodes);
      shown.clear();
      for (const [id, part] of coming) shown.set(id, part.outerHTML);
      restore(page);
      return;
    }
    const focus = document.activeElement;
    const held = focus?.id ? { id: focus.id, start: focus.selectionStart, end: focus.selectionEnd } : undefined;
    for (const [id, part] of coming) {
      const markup = part.outerHTML;
      if (shown.get(id) === markup) continue;
      shown.set(id, markup);
      const scrolls = [...there.get(id).querySelectorAll('.scroll')].map(({ scrollLeft }) => scrollLeft);
      there.get(id).replaceWith(part);
      for (const [index, left] of scrolls.entries()) {
        const box = part.querySelectorAll('.scroll')[index];
        if (box) box.scrollLeft = left;
      }
      restore(part);
    }
    const again = held && document.activeElement?.id !== held.id ? document.getElementById(held.id) : undefined;
    if (!again) return;
    again.focus({ preventScroll: true });
    if (typeof held.start === 'number') again.setSelectionRange(held.start, held.end);
  }

  async function look() {
    try {
      const answer = await fetch(address, { cache: 'no-store', headers: tag ? { 'if-none-match': tag } : {} });
      if (answer.status !== 304 && !answer.ok) throw new Error(String(answer.status));
      document.body.classList.remove('away');
      if (answer.status === 304) return;
      const text = await answer.text();
      tag = answer.headers.get('etag') ?? '';
      show(text);
    } catch {
      // The process is gone for now, which must not look like good news.
      document.body.classList.add('away');
    }
  }
  // Nobody looks at a tab in the background.
  setInterval(() => { if (!document.hidden) void look(); }, 5000);
  document.addEventListener('visibilitychange', () => { if (!document.hidden) void look(); });
})();
`;

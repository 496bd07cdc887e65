import type { Severity } from '../../core/finding.ts';
import { type Html, markup, NOTHING, trusted } from './html.ts';

/** `12,345` */
export function number(value: number): string {
  return value.toLocaleString('en-US');
}

/** `1 node`, `12,345 nodes` */
export function counted(value: number, noun: string): string {
  return `${number(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** A number in a table: nothing to see where there is none. */
export function cell(value: number, tone: Tone | '' = ''): Html {
  return markup`<td class="n ${value === 0 ? 'zero' : tone}" data-v="${value}">${number(value)}</td>`;
}

export type Tone = 'good' | 'bad' | 'doubt';

export function tag(text: string, tone: Tone | 'mute'): Html {
  return markup`<span class="tag ${tone}">${text}</span>`;
}

export function severityTone(severity: Severity): Tone | 'mute' {
  if (severity === 'critical' || severity === 'high') return 'bad';
  return severity === 'medium' ? 'doubt' : 'mute';
}

/** A bar from 0 to 100. The number stands beside it, so it says nothing of its own. */
export function meter(percent: number): Html {
  return markup`<svg class="meter" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect class="f-good" width="${percent}" height="8"/></svg>`;
}

export type Fill = 'good' | 'bad' | 'doubt' | 'host' | 'odd' | 'blue';

export interface KeyItem {
  readonly fill: Fill;
  readonly label: string;
  readonly value?: number | string;
}

/** What the colors of a chart mean, with the numbers. */
export function key(items: readonly KeyItem[]): Html {
  return markup`<ul class="key">${items.map(
    ({ fill, label, value }) =>
      markup`<li><svg viewBox="0 0 10 10" aria-hidden="true"><rect class="f-${fill}" width="10" height="10" rx="2"/></svg>${label}${value === undefined ? NOTHING : markup` <b>${typeof value === 'number' ? number(value) : value}</b>`}</li>`,
  )}</ul>`;
}

/** A column: `up` and `down` can be sorted, and say which way first. */
export interface Column {
  readonly title: string;
  readonly sort?: 'up' | 'down';
  readonly numeric?: boolean;
  /** True where the rows come in the order of this column, from the greatest. */
  readonly sorted?: boolean;
  /** A narrow column under a long word. */
  readonly upright?: boolean;
  /** What the title is short for. */
  readonly hint?: string;
}

export interface Table {
  readonly id: string;
  readonly caption: string;
  readonly columns: readonly Column[];
  readonly rows: readonly Html[];
}

/** A table that can be scrolled sideways, by the keyboard as well. */
export function table({ id, caption, columns, rows }: Table): Html {
  const sortable = columns.some(({ sort }) => sort !== undefined);
  return markup`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table id="${id}"${trusted(sortable ? ' data-sortable' : '')}><caption class="unseen">${caption}</caption><thead><tr>${columns.map(head)}</tr></thead><tbody>
${rows.map(
  (row) => markup`${row}
`,
)}</tbody></table></div>`;
}

function head({ title, sort, numeric = false, sorted = false, upright = false, hint }: Column): Html {
  const attributes = markup` scope="col"${numeric ? markup` class="n"` : NOTHING}${upright ? markup` class="c"` : NOTHING}${sorted ? markup` aria-sort="descending"` : NOTHING}${hint === undefined ? NOTHING : markup` title="${hint}"`}`;
  return sort === undefined
    ? markup`<th${attributes}>${upright ? markup`<span class="upright">${title}</span>` : title}</th>`
    : markup`<th${attributes}><button type="button" data-sort="${sort}">${title}</button></th>`;
}

/** A search field over the rows of a table or the items of a list. */
export function searchField(list: string, label: string): Html {
  return markup`<input type="search" id="${list}-search" data-filter="${list}" data-part="text" aria-label="${label}" placeholder="${label}" autocomplete="off" spellcheck="false">`;
}

export interface Section {
  readonly id: string;
  readonly title: string;
  readonly note?: string;
  readonly tools?: Html;
  readonly body: Html;
}

/** A part of the page that is replaced as a whole when something in it is new. */
export function section({ id, title, note, tools = NOTHING, body }: Section): Html {
  return markup`<section id="${id}" data-part-id="${id}" aria-labelledby="${id}-title">
<div class="head"><div><h2 id="${id}-title">${title}</h2>${note === undefined ? NOTHING : markup`<p class="note">${note}</p>`}</div>${tools}</div>
${body}
</section>
`;
}

/** As many items as fit; what is left out must be said. */
export function withinBytes<Item>(
  items: readonly Item[],
  render: (item: Item, index: number) => Html,
  maxBytes: number,
): { readonly shown: readonly Html[]; readonly left: number } {
  const shown: Html[] = [];
  let bytes = 0;
  for (const [index, item] of items.entries()) {
    const part = render(item, index);
    bytes += Buffer.byteLength(part.text);
    if (bytes > maxBytes) break;
    shown.push(part);
  }
  return { shown, left: items.length - shown.length };
}

/** `2026-11-24 10:00 UTC`; a text that is no time stays as it is. */
export function timeText(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? time : `${date.toISOString().replace('T', ' ').slice(0, 16)} UTC`;
}

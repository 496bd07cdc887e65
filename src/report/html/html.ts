/** Markup that may stand in a page as it is. Only `markup` makes it, so that no text gets in unescaped. */
export interface Html {
  readonly text: string;
}

type Part = Html | readonly Html[] | string | number | undefined;

/** A template whose texts are escaped; markup, lists of it and nothing are put in as they are. */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let text = strings[0] ?? '';
  for (const [index, part] of parts.entries()) text += partText(part) + (strings[index + 1] ?? '');
  return { text };
}

/** For what our own code has made: charts, styles, scripts. Never for anything out of a report. */
export function trusted(text: string): Html {
  return { text };
}

export function join(parts: readonly Html[], between = ''): Html {
  return { text: parts.map(({ text }) => text).join(between) };
}

export const NOTHING: Html = { text: '' };

function partText(part: Part): string {
  if (part === undefined) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escapeHtml(part);
  return 'text' in part ? part.text : part.map(({ text }) => text).join('');
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Control characters, and those that turn the direction of text or take no room: a name could pose as another by them. */
const DECEPTIVE =
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Text for element content and for quoted attributes. Deceptive characters show as a replacement character. */
export function escapeHtml(text: string): string {
  return text
    .toWellFormed()
    .replace(DECEPTIVE, '\ufffd')
    .replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
}

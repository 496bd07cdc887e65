import { STYLE, TOKEN, VERBATIM } from './scanner.ts';
import type { Scanner } from './scanner.ts';

/** The kind of a document, as far as it can be told without parsing it. */
export interface Outline {
  readonly apiVersion: string;
  readonly kind: string;
}

const PLAIN = STYLE.PLAIN | VERBATIM;
/** Keys that go-yaml reads as something else than their text, or that bring in other keys. */
const UNPLAIN_KEY = /^(?:[-+.~\d<]|(?:y|n|yes|no|on|off|true|false|null)$)/i;

/**
 * apiVersion and kind of the only document of a chunk, from its tokens. Undefined unless it is certain: the root is a block
 * mapping, every key of it is a plain word that means itself, and `apiVersion` and `kind` are there once, as plain words. An
 * alias, a tag, a merge, quotes, `?`, brackets around all: each of these could hide a `kind`, and so is left to the parser.
 */
export function outlineOf(scanner: Scanner): Outline | undefined {
  const { text, tokens, rootKeys } = scanner;
  if (!isOneMapping(scanner)) return undefined;
  const found = new Map<string, string>();
  for (const index of rootKeys) {
    if (!readPair(text, tokens, index * 4 + 4, found)) return undefined;
  }
  const kind = found.get('kind');
  const apiVersion = found.get('apiVersion');
  return kind === undefined || apiVersion === undefined ? undefined : { apiVersion, kind };
}

/** `---` or nothing, then a block mapping: no tag or anchor before it, and no second document. */
function isOneMapping({ tokens, marks }: Scanner): boolean {
  const hasStart = tokens[0] === TOKEN.DOCUMENT_START;
  return marks === (hasStart ? 1 : 0) && tokens[hasStart ? 4 : 0] === TOKEN.BLOCK_MAPPING_START;
}

/** Notes the pair whose key begins at `at` if it is one of the two; false where the key or value is not certain. */
function readPair(text: string, tokens: Int32Array, at: number, found: Map<string, string>): boolean {
  const key = plainAt(text, tokens, at);
  if (key === undefined || UNPLAIN_KEY.test(key)) return false;
  if (key !== 'kind' && key !== 'apiVersion') return true;
  const value = valueAt(text, tokens, at + 4);
  if (value === undefined || found.has(key)) return false;
  found.set(key, value);
  return true;
}

/** The text of a plain scalar that is the very token at `at`. */
function plainAt(text: string, tokens: Int32Array, at: number): string | undefined {
  if (tokens[at] !== TOKEN.SCALAR || tokens[at + 3] !== PLAIN) return undefined;
  return text.slice(tokens[at + 1], tokens[at + 2]);
}

/** The plain scalar after the `:` token at `at`, and before the next key. */
function valueAt(text: string, tokens: Int32Array, at: number): string | undefined {
  if (tokens[at] !== TOKEN.VALUE) return undefined;
  let next = at + 4;
  while (tokens[next] === TOKEN.NONE) next += 4;
  const value = plainAt(text, tokens, next);
  return value !== undefined && /^[A-Za-z][\w./-]*$/.test(value) ? value : undefined;
}

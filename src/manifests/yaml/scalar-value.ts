import type { YamlNode } from './node.ts';
import { NODE } from './node.ts';
import { scalarStyle, scalarText } from './scalar-text.ts';
import { STYLE } from './scanner.ts';
import { TAG } from './tag.ts';

export type ScalarValue = string | number | boolean | null;

const WORDS: ReadonlyMap<string, boolean | null | number> = new Map<string, boolean | null | number>([
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, NaN] as const),
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
]);
/** The first characters of everything that is not a plain string. */
const HINT = /^[-+0-9yYnNtTfFoO~.]/;
const DATE = /^\d{4}-/;
const INTEGER = /^([-+]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9]\d*))$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

/**
 * A plain scalar as go-yaml v2 resolves it for kubectl: YAML 1.1 booleans (`y`, `on`, …), octal 0777 and 0o777, 1_000;
 * timestamps stay strings. Whole numbers beyond 2^53 lose digits.
 */
export function resolvePlain(content: string): ScalarValue {
  if (content === '') return null;
  if (!HINT.test(content)) return content;
  const word = WORDS.get(content);
  if (word !== undefined) return word;
  const first = content.charCodeAt(0);
  if (first === 46) return floatOrText(content.replace(/(?<=\d)_(?=\d)/g, ''), content);
  if (first !== 43 && first !== 45 && !(first >= 48 && first <= 57)) return content;
  if (DATE.test(content) && isTimestamp(content)) return content;
  const digits = content.replaceAll('_', '');
  return wholeNumber(digits) ?? floatOrText(digits, content);
}

/** A number too large for a float stays text. */
function floatOrText(digits: string, content: string): number | string {
  const value = FLOAT.test(digits) ? Number(digits) : Infinity;
  return Number.isFinite(value) ? value : content;
}

function wholeNumber(digits: string): number | undefined {
  const match = INTEGER.exec(digits);
  if (match === null) return undefined;
  const [, sign, hexadecimal, binary, octal, decimal = '0'] = match;
  if (digits.length < 15 && hexadecimal === undefined && binary === undefined && octal === undefined)
    return Number(digits);
  const text =
    hexadecimal !== undefined
      ? `0x${hexadecimal}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : decimal;
  const magnitude = BigInt(text);
  const value = sign === '-' ? -magnitude : magnitude;
  // ParseUint takes no sign.
  const largest = sign === '' ? MAX_UINT64 : 2n ** 63n - 1n;
  return value > largest || value < MIN_INT64 ? undefined : Number(value);
}

/** The date formats go-yaml knows, with days that exist: what looks like another date may still be a number with signs. */
function isTimestamp(content: string): boolean {
  return /^\d{4}-\d{1,2}-\d{1,2}(?:[Tt ].*)?$/.test(content);
}

/** The tag and text do not fit, as in `!!int abc`. */
export const UNRESOLVED = Symbol('unresolved');

/** The value of a scalar node, or UNRESOLVED where its tag and text contradict each other. */
export function scalarValue(text: string, node: YamlNode): ScalarValue | typeof UNRESOLVED {
  const content = scalarText(text, node);
  if (node.tag === undefined) return scalarStyle(node) === STYLE.PLAIN ? resolvePlain(content) : content;
  return taggedValue(node.tag, content);
}

function taggedValue(tag: string, content: string): ScalarValue | typeof UNRESOLVED {
  switch (tag) {
    case TAG.BINARY:
      return decodeBase64(content);
    case TAG.BOOLEAN:
    case TAG.INTEGER:
    case TAG.NULL:
    case TAG.FLOAT:
    case TAG.TIMESTAMP:
      return typedValue(tag, content);
    default:
      return content;
  }
}

function typedValue(tag: string, content: string): ScalarValue | typeof UNRESOLVED {
  if (tag === TAG.TIMESTAMP) return isTimestamp(content) ? content : UNRESOLVED;
  const value = resolvePlain(content);
  if (tag === TAG.NULL) return value === null ? null : UNRESOLVED;
  if (tag === TAG.BOOLEAN) return typeof value === 'boolean' ? value : UNRESOLVED;
  if (typeof value !== 'number') return UNRESOLVED;
  return tag === TAG.FLOAT || isWholeText(content) ? value : UNRESOLVED;
}

function isWholeText(content: string): boolean {
  return wholeNumber(content.replaceAll('_', '')) !== undefined;
}

function decodeBase64(content: string): string | typeof UNRESOLVED {
  const compact = content.replace(/[\r\n]/g, '');
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact)) return UNRESOLVED;
  return Buffer.from(compact, 'base64').toString('utf8');
}

/** `<<`, plain or tagged !!merge. */
export function isMergeKey(text: string, node: YamlNode): boolean {
  if (node.type !== NODE.SCALAR || (node.tag !== undefined && node.tag !== TAG.MERGE && node.tag !== '!')) return false;
  if (node.tag === undefined && scalarStyle(node) !== STYLE.PLAIN) return false;
  return node.end - node.start >= 2 && scalarText(text, node) === '<<';
}

import { scalarText, scalarStyle } from './yaml/scalar-text.ts';
import { STYLE } from './yaml/scanner.ts';
import { entriesOf } from './yaml/mapping.ts';
import type { Entry, Tree } from './yaml/mapping.ts';
import { NODE, resolveAlias } from './yaml/node.ts';
import type { YamlNode } from './yaml/node.ts';
import { scalarValue, UNRESOLVED } from './yaml/scalar-value.ts';
import type { ScalarValue } from './yaml/scalar-value.ts';

export type Entries = ReadonlyMap<string, Entry>;

/** A field that is not of the type the API server asks for. */
export interface TypeFault {
  readonly entry: Entry;
  readonly name: string;
  readonly expected: string;
  readonly found: string;
  /** It stands for a parameter (`${HOST_PID}`), whose value is not known here. */
  readonly parameter: boolean;
}

/** Reads fields of one object, and remembers those of a wrong type. */
export interface FieldReader {
  readonly tree: Tree;
  readonly faults: TypeFault[];
}

/** More than these in one pod say nothing new. */
const MAX_FAULTS = 200;

const PARAMETER = /^\$(?:\{.*\}|\(.*\)|\w+)$/s;

/** The scalar at a node, undefined for null, a collection, or what its tag contradicts. */
export function scalarAt({ tree }: FieldReader, node: YamlNode): ScalarValue | undefined {
  const target = resolveAlias(node);
  if (target.type !== NODE.SCALAR) return undefined;
  const value = scalarValue(tree.text, target);
  return value === UNRESOLVED ? undefined : value;
}

/** True for a field that is left out or null, which says the same. */
export function isUnset(reader: FieldReader, entry: Entry | undefined): entry is undefined {
  if (entry === undefined) return true;
  const target = resolveAlias(entry.value);
  return target.type === NODE.SCALAR && scalarAt(reader, target) === null;
}

/** Notes that a field is of a wrong type, and is left out for it. */
export function reportType(reader: FieldReader, name: string, entry: Entry, expected: string): void {
  if (reader.faults.length >= MAX_FAULTS) return;
  const target = resolveAlias(entry.value);
  const text = target.type === NODE.SCALAR ? scalarText(reader.tree.text, target) : '';
  reader.faults.push({
    entry,
    name,
    expected,
    found: describe(reader, target, text),
    parameter: PARAMETER.test(text.trim()),
  });
}

function describe(reader: FieldReader, node: YamlNode, text: string): string {
  if (node.type === NODE.MAPPING) return 'a mapping';
  if (node.type === NODE.SEQUENCE) return 'a list';
  const value = scalarAt(reader, node);
  const shown = text.length > 40 ? `${text.slice(0, 37)}…` : text;
  if (typeof value !== 'string') return `the ${typeof value} ${shown}`;
  return scalarStyle(node) === STYLE.PLAIN ? `the text ${shown}` : `the text "${shown}" in quotes`;
}

export function readBoolean(reader: FieldReader, entries: Entries, name: string): boolean | undefined {
  const entry = entries.get(name);
  if (isUnset(reader, entry)) return undefined;
  const value = scalarAt(reader, entry.value);
  if (typeof value === 'boolean') return value;
  reportType(reader, name, entry, 'true or false');
  return undefined;
}

/** A whole number; 1e3 and 1.0 are whole too, as in JSON. */
export function readInteger(reader: FieldReader, entries: Entries, name: string): number | undefined {
  const entry = entries.get(name);
  if (isUnset(reader, entry)) return undefined;
  const value = scalarAt(reader, entry.value);
  if (Number.isInteger(value)) return Number(value);
  reportType(reader, name, entry, 'a whole number');
  return undefined;
}

export function readString(reader: FieldReader, entries: Entries, name: string): string | undefined {
  const entry = entries.get(name);
  if (isUnset(reader, entry)) return undefined;
  const value = scalarAt(reader, entry.value);
  if (typeof value === 'string') return value;
  reportType(reader, name, entry, 'a text (put it in quotes)');
  return undefined;
}

/** The pairs of a mapping; none when it is left out. */
export function readMapping(reader: FieldReader, entries: Entries, name: string): Entries | undefined {
  const entry = entries.get(name);
  if (isUnset(reader, entry)) return undefined;
  const target = resolveAlias(entry.value);
  if (target.type === NODE.MAPPING) return entriesOf(reader.tree, target);
  reportType(reader, name, entry, 'a mapping');
  return undefined;
}

/** The elements of a list; none when it is left out. */
export function readList(reader: FieldReader, entries: Entries, name: string): readonly YamlNode[] {
  const entry = entries.get(name);
  if (isUnset(reader, entry)) return [];
  const target = resolveAlias(entry.value);
  if (target.type === NODE.SEQUENCE) return target.children;
  reportType(reader, name, entry, 'a list');
  return [];
}

/** The elements of a list of texts, those of another type left out. */
export function readStrings(reader: FieldReader, entries: Entries, name: string): readonly string[] | undefined {
  return readScalars(reader, entries, name, 'a list of texts').filter((value) => typeof value === 'string');
}

/** The elements of a list of numbers, those of another type left out. */
export function readIntegers(reader: FieldReader, entries: Entries, name: string): readonly number[] {
  return readScalars(reader, entries, name, 'a list of whole numbers').filter((value) => typeof value === 'number');
}

function readScalars(reader: FieldReader, entries: Entries, name: string, expected: string): readonly ScalarValue[] {
  const entry = entries.get(name);
  if (entry === undefined) return [];
  const values = readList(reader, entries, name).map((node) => scalarAt(reader, node));
  const wanted = expected.endsWith('texts') ? 'string' : 'number';
  if (values.some((value) => typeof value !== wanted)) reportType(reader, name, entry, expected);
  return values.filter((value) => value !== undefined);
}

/** The record without the keys that hold undefined. */
export function definedOnly<T extends object>(record: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const defined: Record<string, unknown> = {};
  for (const key in record) {
    const value: unknown = record[key];
    if (value !== undefined) defined[key] = value;
  }
  return defined as { [K in keyof T]?: Exclude<T[K], undefined> };
}

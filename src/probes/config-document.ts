import { parse, type TomlTable } from 'smol-toml';
import { type Reading, read, unread } from '../core/reading.ts';

/** Parses a TOML document; `malformed` with the parser's first line. */
export function parseToml(text: string, source: string): Reading<TomlTable> {
  try {
    return read(source, parse(text));
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    return unread(source, 'malformed', `no TOML: ${message}`);
  }
}

/** The value at a path of tables, `undefined` where the path ends early. */
export function at(table: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>((value, key) => (isTable(value) ? value[key] : undefined), table);
}

export function isTable(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date);
}

import { stripVTControlCharacters } from 'node:util';

/**
 * Rows as aligned columns, two blanks apart and indented by two, as kubectl prints them. Colors take no width.
 * Why no library: the usual one took a quarter of the time of the whole command (docs/adr/0004-start-time.md).
 */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) widths[index] = Math.max(widths[index] ?? 0, visibleLength(cell));
  }
  return rows
    .map((row) => `  ${row.map((cell, index) => pad(cell, widths[index] ?? 0)).join('  ')}`.trimEnd())
    .join('\n');
}

function pad(cell: string, width: number): string {
  return cell + ' '.repeat(width - visibleLength(cell));
}

function visibleLength(text: string): number {
  return stripVTControlCharacters(text).length;
}

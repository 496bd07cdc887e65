/** A table; empty without rows. Cells must be escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  if (rows.length === 0) return '';
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Names out of a manifest must not end a table cell, start markup, or mention anybody. */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[\x00-\x09\x0b-\x1f\x7f]/g, ' ')
    .replace(/[\\`*_[\]|#~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('@', '&#64;')
    .replaceAll('\n', '<br>');
}

export function markdownCode(text: string): string {
  const safe = text.replace(/[\x00-\x1f\x7f`]/g, ' ').replaceAll('|', '\\|');
  return `\`${safe}\``;
}

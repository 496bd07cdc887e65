/** Foreign text for a terminal: control characters, with which a container could paint over the report, become blanks. */
export function printable(text: string, maxLength = 200): string {
  return text.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, ' ').slice(0, maxLength);
}

/** Orders by code units, the same on every machine whatever its locale. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

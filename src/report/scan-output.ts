/** The formats of a scan; a module of its own, so that naming them loads none of them. */
export const SCAN_FORMATS = ['text', 'wide', 'json', 'sarif', 'junit', 'github', 'gitlab', 'markdown'] as const;
export type ScanFormat = (typeof SCAN_FORMATS)[number];

/** One `-o FORMAT[=FILE]`; without a file it goes to standard output. */
export interface ScanOutput {
  readonly format: ScanFormat;
  readonly file?: string;
}

/** These are read line by line, so one may follow the other on standard output. */
const LINE_BASED: readonly ScanFormat[] = ['text', 'wide', 'github', 'markdown'];

/** `sarif=out.sarif` or `text`; a string says what is wrong. */
export function parseScanOutput(text: string): ScanOutput | string {
  const [name = '', ...rest] = text.split('=');
  const format = SCAN_FORMATS.find((known) => known === name);
  if (!format) return `the formats are ${SCAN_FORMATS.join(', ')}; FORMAT=FILE writes to a file.`;
  const file = rest.join('=');
  if (rest.length === 0) return { format };
  return file === '' ? `${name}= needs the name of a file.` : { format, file };
}

/** Why these outputs cannot stand together; `undefined` where they can. */
export function outputConflict(outputs: readonly ScanOutput[]): string | undefined {
  const printed = outputs.filter(({ file }) => file === undefined).map(({ format }) => format);
  const whole = printed.find((format) => !LINE_BASED.includes(format));
  if (printed.length > 1 && whole) {
    return `standard output takes ${whole} alone: write it to a file with -o ${whole}=FILE.`;
  }
  const files = outputs.flatMap(({ file }) => (file === undefined ? [] : [file]));
  const twice = files.find((file, index) => files.indexOf(file) !== index);
  return twice === undefined ? undefined : `two outputs go to ${twice}.`;
}

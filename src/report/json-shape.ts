/**
 * What a JSON value must look like: `text`, `count` (a whole number, 0 or more), `flag`, words with `|` between them (one of them),
 * a list of one shape, or an object, where a name that ends in `?` may be missing. Names that are not listed are not looked at.
 */
export type Shape = string | readonly [Shape] | { readonly [name: string]: Shape };

/** A document that is not what it should be: the message names the field and says what is wrong. */
export class ReportError extends Error {}

/** Returns when the value has the shape. @throws ReportError naming the first field that has not. */
export function checkShape(value: unknown, shape: Shape, path: string): void {
  if (typeof shape === 'string') {
    checkWord(value, shape, path);
    return;
  }
  if (isList(shape)) {
    if (!Array.isArray(value)) throw wrong(path, 'a list', value);
    for (const [index, item] of value.entries()) checkShape(item, shape[0], `${path}[${index}]`);
    return;
  }
  if (!isRecord(value)) throw wrong(path, 'an object', value);
  for (const [name, inner] of Object.entries(shape)) {
    const key = name.replace(/\?$/, '');
    const field = value[key];
    if (field === undefined || field === null) {
      if (key === name) throw new ReportError(`${path}.${key} is missing`);
      continue;
    }
    checkShape(field, inner, `${path}.${key}`);
  }
}

function checkWord(value: unknown, shape: string, path: string): void {
  if (shape === 'text') {
    if (typeof value !== 'string') throw wrong(path, 'a text', value);
  } else if (shape === 'count') {
    if (!Number.isSafeInteger(value) || Number(value) < 0) throw wrong(path, 'a whole number, 0 or more', value);
  } else if (shape === 'flag') {
    if (typeof value !== 'boolean') throw wrong(path, 'true or false', value);
  } else if (typeof value !== 'string' || !shape.split('|').includes(value)) {
    throw wrong(path, `one of ${shape.split('|').join(', ')}`, value);
  }
}

function wrong(path: string, expected: string, value: unknown): ReportError {
  const shown = value === undefined ? 'nothing' : JSON.stringify(value);
  return new ReportError(`${path} must be ${expected}, not ${shown.length > 60 ? `${shown.slice(0, 59)}…` : shown}`);
}

function isList(shape: Exclude<Shape, string>): shape is readonly [Shape] {
  return Array.isArray(shape);
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
